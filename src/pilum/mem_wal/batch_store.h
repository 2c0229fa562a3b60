// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/record_batch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace pilum {

/// Batches in the order they were put, each knowing the rows before it.
///
/// Threads: Append by one thread at a time; everything const by any thread beside it, without locks.
/// Invariants
///   1. A slot below num_batches() never changes.
///   2. The batches of one Append become visible together.
class BatchStore {
 public:
  struct Slot {
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t row_offset = 0;
  };

  explicit BatchStore(int64_t max_batches) : slots_(static_cast<size_t>(max_batches)) {}

  /// False: fewer free slots than batches, and nothing has changed.
  bool Append(std::span<const std::shared_ptr<arrow::RecordBatch>> batches);

  int64_t max_batches() const { return static_cast<int64_t>(slots_.size()); }
  int64_t num_batches() const { return num_batches_.load(std::memory_order_acquire); }
  /// REQUIRES: index < num_batches().
  const Slot& operator[](int64_t index) const { return slots_[static_cast<size_t>(index)]; }
  /// Rows of the first `num_batches` batches.
  int64_t NumRowsOf(int64_t num_batches) const;
  /// Index of the batch that holds row `position`. REQUIRES: position < NumRowsOf(num_batches()).
  int64_t FindBatch(int64_t position) const;

  /// Bytes of the batches' buffers.
  int64_t size_bytes() const { return size_bytes_.load(std::memory_order_relaxed); }

 private:
  std::vector<Slot> slots_;
  std::atomic<int64_t> num_batches_{0};
  std::atomic<int64_t> size_bytes_{0};
};

}  // namespace pilum
