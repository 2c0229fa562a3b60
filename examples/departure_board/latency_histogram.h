// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace departure_board {

/// Counts of durations in buckets of at most 1/8 relative width, from 1 ns to 2^40 ns. Add by any thread and
/// from any process that maps the memory it lies in; it needs no construction beyond zeroed bytes.
class LatencyHistogram {
 public:
  void Add(int64_t nanoseconds) {
    const uint64_t value = nanoseconds < 1 ? 1 : static_cast<uint64_t>(nanoseconds);
    counts_[BucketOf(value)].fetch_add(1, std::memory_order_relaxed);
  }

  uint64_t count() const {
    uint64_t total = 0;
    for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
    return total;
  }

  /// Upper bound, in nanoseconds, of the bucket that holds the `quantile` of all durations; 0 if there is
  /// none.
  uint64_t Quantile(double quantile) const {
    const double wanted = quantile * static_cast<double>(count());
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket].load(std::memory_order_relaxed);
      if (seen > 0 && static_cast<double>(seen) >= wanted) return UpperBound(bucket);
    }
    return 0;
  }

 private:
  static constexpr size_t kSubBits = 3;
  static constexpr size_t kBuckets = 40 << kSubBits;

  static size_t BucketOf(uint64_t value) {
    const int exponent = std::bit_width(value) - 1;
    const uint64_t fraction = exponent >= static_cast<int>(kSubBits) ? value >> (exponent - kSubBits)
                                                                     : value << (kSubBits - exponent);
    const size_t bucket = (static_cast<size_t>(exponent) << kSubBits) + (fraction & ((1 << kSubBits) - 1));
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  static uint64_t UpperBound(size_t bucket) {
    const uint64_t exponent = bucket >> kSubBits;
    const uint64_t fraction = (bucket & ((1 << kSubBits) - 1)) + 1;
    return (uint64_t{1} << exponent) + ((fraction << exponent) >> kSubBits);
  }

  std::array<std::atomic<uint64_t>, kBuckets> counts_;
};

}  // namespace departure_board
