// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/arena_skiplist.h"

#include <bit>
#include <cstring>
#include <new>

namespace pilum {

namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

/// The first eight bytes as a number, so that most comparisons touch no key.
uint64_t PrefixOf(std::string_view key) {
  uint64_t prefix = 0;
  if (!key.empty()) std::memcpy(&prefix, key.data(), std::min<size_t>(key.size(), sizeof(prefix)));
  if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
  return prefix;
}

}  // namespace

/// Followed in memory by `height` links, then by the key.
struct ArenaSkipList::Node {
  uint64_t prefix;
  uint64_t position;
  uint32_t key_size;
  int32_t height;

  std::atomic<Node*>* links() { return reinterpret_cast<std::atomic<Node*>*>(this + 1); }
  const std::atomic<Node*>* links() const { return reinterpret_cast<const std::atomic<Node*>*>(this + 1); }
  Node* next(int level) const { return links()[level].load(std::memory_order_acquire); }
  std::string_view key() const { return {reinterpret_cast<const char*>(links() + height), key_size}; }

  /// Negative, zero or positive as this node comes before, at or after (key, position).
  int Compare(uint64_t other_prefix, std::string_view other_key, uint64_t other_position) const {
    if (prefix != other_prefix) return prefix < other_prefix ? -1 : 1;
    if (const int order = key().compare(other_key); order != 0) return order;
    if (position != other_position) return position < other_position ? -1 : 1;
    return 0;
  }
};

ArenaSkipList::ArenaSkipList() : head_(NewNode({}, 0, kMaxHeight)) {}

char* ArenaSkipList::Allocate(size_t bytes) {
  bytes = (bytes + alignof(Node) - 1) / alignof(Node) * alignof(Node);
  if (bytes > left_) {
    const size_t chunk = std::max(bytes, kChunkBytes);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
    free_ = chunks_.back().get();
    left_ = chunk;
  }
  char* memory = free_;
  free_ += bytes;
  left_ -= bytes;
  size_bytes_.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  return memory;
}

ArenaSkipList::Node* ArenaSkipList::NewNode(std::string_view key, uint64_t position, int height) {
  char* memory =
      Allocate(sizeof(Node) + static_cast<size_t>(height) * sizeof(std::atomic<Node*>) + key.size());
  Node* node = new (memory) Node{PrefixOf(key), position, static_cast<uint32_t>(key.size()), height};
  for (int level = 0; level < height; ++level) new (node->links() + level) std::atomic<Node*>(nullptr);
  if (!key.empty()) std::memcpy(reinterpret_cast<char*>(node->links() + height), key.data(), key.size());
  return node;
}

int ArenaSkipList::RandomHeight() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  // Each level with a quarter of the nodes of the one below: two zero bits a level.
  const int levels = std::countr_zero(random_ | (uint64_t{1} << (2 * (kMaxHeight - 1)))) / 2;
  return 1 + levels;
}

const ArenaSkipList::Node* ArenaSkipList::FindLess(std::string_view key, uint64_t position,
                                                   Node** before) const {
  const uint64_t prefix = PrefixOf(key);
  Node* node = head_;
  const Node* known_after = nullptr;  // met on the level above: need not be compared again
  for (int level = height_.load(std::memory_order_acquire) - 1; level >= 0; --level) {
    for (;;) {
      Node* next = node->next(level);
      if (next == nullptr || next == known_after) break;
      if (next->Compare(prefix, key, position) >= 0) {
        known_after = next;
        break;
      }
      node = next;
    }
    if (before != nullptr) before[level] = node;
  }
  return node;
}

void ArenaSkipList::Insert(std::string_view key, uint64_t position) {
  Node* before[kMaxHeight];
  const int height = RandomHeight();
  const int known = height_.load(std::memory_order_relaxed);
  for (int level = known; level < height; ++level) before[level] = head_;
  FindLess(key, position, before);
  if (height > known) height_.store(height, std::memory_order_release);
  Node* node = NewNode(key, position, height);
  for (int level = 0; level < height; ++level) {
    node->links()[level].store(before[level]->links()[level].load(std::memory_order_relaxed),
                               std::memory_order_relaxed);
    before[level]->links()[level].store(node, std::memory_order_release);
  }
}

bool ArenaSkipList::FindLast(std::string_view key, uint64_t position_end, uint64_t* position) const {
  const Node* node = FindLess(key, position_end, nullptr);
  if (node == head_ || node->key() != key) return false;
  *position = node->position;
  return true;
}

ArenaSkipList::Iterator::Iterator(const ArenaSkipList& list) : node_(list.head_->next(0)) {}

ArenaSkipList::Entry ArenaSkipList::Iterator::Get() const { return {node_->key(), node_->position}; }

void ArenaSkipList::Iterator::Next() { node_ = node_->next(0); }

}  // namespace pilum
