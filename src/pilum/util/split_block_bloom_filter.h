// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pilum {

/// The bloom filter of Parquet over 64-bit hashes: a hash picks a block of 256 bits and sets one bit in each
/// of its eight words. Its bytes are the blocks, words little-endian, nothing else. Spec: 30-scalar-index.md
/// §3.
///
/// Threads: Insert by one thread, MightContain by any that does not run beside it.
class SplitBlockBloomFilter {
 public:
  static constexpr int64_t kBlockBytes = 32;

  /// An empty filter. @param num_bytes a positive multiple of kBlockBytes.
  explicit SplitBlockBloomFilter(int64_t num_bytes) : blocks_(static_cast<size_t>(num_bytes / kBlockBytes)) {}

  /// @return false if `bytes` is empty or no multiple of kBlockBytes.
  static bool FromBytes(std::span<const uint8_t> bytes, SplitBlockBloomFilter* filter);
  std::string ToBytes() const;

  void Insert(uint64_t hash);
  bool MightContain(uint64_t hash) const;

 private:
  using Block = std::array<uint32_t, 8>;

  size_t BlockOf(uint64_t hash) const { return static_cast<size_t>(((hash >> 32) * blocks_.size()) >> 32); }
  static Block Mask(uint32_t key);

  std::vector<Block> blocks_;
};

}  // namespace pilum
