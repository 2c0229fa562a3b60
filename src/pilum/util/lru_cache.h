// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pilum {

/// Shared immutable values by text key, bounded in bytes, least recently used out first.
///
/// Threads: all methods, any thread; one mutex, held for a hash lookup and a list splice.
/// Invariants
///   1. The sum of the costs of the entries is at most capacity_bytes(); a value that costs more than the
///   whole capacity
///      is not kept.
///   2. A value that was handed out lives as long as its holder, whether or not the cache still has it.
template <typename Value>
class LruCache {
 public:
  explicit LruCache(int64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}
  LruCache(const LruCache&) = delete;
  LruCache& operator=(const LruCache&) = delete;

  /// The value under `key`, now the most recently used, or null.
  std::shared_ptr<const Value> Get(std::string_view key) {
    std::lock_guard lock(mutex_);
    const auto it = index_.find(key);
    if (it == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, it->second);
    return it->second->value;
  }

  /// Keeps `value` under `key`, replacing an older one. @param cost its size in bytes.
  void Put(std::string_view key, std::shared_ptr<const Value> value, int64_t cost) {
    std::lock_guard lock(mutex_);
    if (const auto it = index_.find(key); it != index_.end()) Remove(it->second);
    if (cost > capacity_bytes_) return;
    while (size_bytes_ + cost > capacity_bytes_) Remove(std::prev(entries_.end()));
    entries_.push_front(Entry{std::string(key), std::move(value), cost});
    index_.emplace(entries_.front().key, entries_.begin());
    size_bytes_ += cost;
  }

  /// Drops the entries whose key `keep` refuses.
  void Retain(const std::function<bool(std::string_view)>& keep) {
    std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end();) {
      const auto next = std::next(it);
      if (!keep(it->key)) Remove(it);
      it = next;
    }
  }

  int64_t capacity_bytes() const { return capacity_bytes_; }
  int64_t size_bytes() const {
    std::lock_guard lock(mutex_);
    return size_bytes_;
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Value> value;
    int64_t cost;
  };
  using Iterator = typename std::list<Entry>::iterator;

  void Remove(Iterator it) {  // REQUIRES: mutex_
    size_bytes_ -= it->cost;
    index_.erase(it->key);
    entries_.erase(it);
  }

  const int64_t capacity_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;                              // most recently used first
  std::unordered_map<std::string_view, Iterator> index_;  // keys point into entries_
  int64_t size_bytes_ = 0;
};

}  // namespace pilum
