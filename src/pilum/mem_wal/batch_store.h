// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/record_batch.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>

namespace pilum {

/// Batches in the order they were put, each knowing the rows before it.
///
/// Slots are allocated in segments of 64, 64, 128, 256, ..., as they are needed and never moved: a limit may
/// be as large as it likes.
///
/// Threads: Append by one thread at a time; everything const by any thread beside it, without locks.
/// Invariants
///   1. A slot below num_batches() never changes, nor does the segment it is in.
///   2. The batches of one Append become visible together.
class BatchStore {
 public:
  struct Slot {
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t row_offset = 0;
    int64_t bytes_end = 0;  ///< of the buffers of the batches up to and with this one
  };

  explicit BatchStore(int64_t max_batches) : max_batches_(max_batches) {}

  /// False: fewer free slots than batches, and nothing has changed.
  bool Append(std::span<const std::shared_ptr<arrow::RecordBatch>> batches);

  int64_t max_batches() const { return max_batches_; }
  int64_t num_batches() const { return num_batches_.load(std::memory_order_acquire); }
  /// REQUIRES: index < num_batches().
  const Slot& operator[](int64_t index) const {
    const auto [segment, offset] = Locate(index);
    return segments_[segment][offset];
  }
  /// Rows of the first `num_batches` batches.
  int64_t NumRowsOf(int64_t num_batches) const;
  /// Bytes of their buffers.
  int64_t NumBytesOf(int64_t num_batches) const;
  /// Index of the batch that holds row `position`. REQUIRES: position < NumRowsOf(num_batches()).
  int64_t FindBatch(int64_t position) const;

 private:
  static constexpr int kFirstSegmentBits = 6;
  struct Location {
    size_t segment;
    size_t offset;
  };
  static Location Locate(int64_t index) {
    const auto i = static_cast<uint64_t>(index);
    const auto segment = static_cast<size_t>(std::bit_width(i >> kFirstSegmentBits));
    return {segment, segment == 0 ? i : i - SegmentSize(segment)};
  }
  /// Also the number of slots before the segment, but for the first.
  static size_t SegmentSize(size_t segment) {
    return size_t{1} << (kFirstSegmentBits + (segment == 0 ? 0 : segment - 1));
  }

  const int64_t max_batches_;
  std::array<std::unique_ptr<Slot[]>, 64 - kFirstSegmentBits> segments_;
  std::atomic<int64_t> num_batches_{0};
};

}  // namespace pilum
