// SPDX-License-Identifier: Apache-2.0
//
// The ordered index of a memtable's keys. Spec: 40-memwal-write.md §13.4, 41-memwal-read.md §5.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace pilum {

/// Entries (key bytes, row position) ordered by key, then position. Only grows; memory is freed with the
/// list.
///
/// Threads: Insert by one thread at a time; everything const by any thread beside it, without locks. A reader
/// sees each entry whole or not at all. Invariants
///   1. A node is never moved or freed before the list, and but for its links never changes once it is
///   linked.
///   2. Links are published with release stores from the lowest level up and followed with acquire loads:
///   what a reader reaches is initialised. A node that is linked on a level is linked on all lower ones.
class ArenaSkipList {
 public:
  struct Entry {
    std::string_view key;
    uint64_t position;
  };

  ArenaSkipList();
  ArenaSkipList(const ArenaSkipList&) = delete;
  ArenaSkipList& operator=(const ArenaSkipList&) = delete;

  /// REQUIRES: no equal entry is in the list.
  void Insert(std::string_view key, uint64_t position);

  /// The greatest entry of exactly `key` with a position below `position_end`. @return false if there is
  /// none.
  bool FindLast(std::string_view key, uint64_t position_end, uint64_t* position) const;

  /// Of the entries; up to a chunk more is set aside for the next ones.
  int64_t size_bytes() const { return size_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Node;

 public:
  /// Walks the entries in order; those inserted meanwhile may or may not be met.
  class Iterator {
   public:
    explicit Iterator(const ArenaSkipList& list);
    bool Valid() const { return node_ != nullptr; }
    Entry Get() const;
    void Next();

   private:
    const Node* node_;
  };

 private:
  static constexpr int kMaxHeight = 16;

  Node* NewNode(std::string_view key, uint64_t position, int height);
  char* Allocate(size_t bytes);
  int RandomHeight();
  /// Last node before (key, position) on each level; `before` may be null where only the lowest is wanted.
  const Node* FindLess(std::string_view key, uint64_t position, Node** before) const;

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* free_ = nullptr;
  size_t left_ = 0;
  std::atomic<int64_t> size_bytes_{0};
  std::atomic<int> height_{1};
  uint64_t random_ = 0x9E3779B97F4A7C15;
  Node* head_;
};

}  // namespace pilum
