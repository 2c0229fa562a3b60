// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/batch_store.h"

#include <arrow/util/byte_size.h>

namespace pilum {

bool BatchStore::Append(std::span<const std::shared_ptr<arrow::RecordBatch>> batches) {
  int64_t at = num_batches_.load(std::memory_order_relaxed);
  if (static_cast<int64_t>(batches.size()) > max_batches() - at) return false;
  int64_t rows = NumRowsOf(at);
  int64_t bytes = NumBytesOf(at);
  for (const auto& batch : batches) {
    bytes += arrow::util::ReferencedBufferSize(*batch).ValueOr(arrow::util::TotalBufferSize(*batch));
    const auto [segment, offset] = Locate(at++);
    if (offset == 0) segments_[segment] = std::make_unique<Slot[]>(SegmentSize(segment));
    segments_[segment][offset] = {batch, rows, bytes};
    rows += batch->num_rows();
  }
  num_batches_.store(at, std::memory_order_release);
  return true;
}

int64_t BatchStore::NumRowsOf(int64_t num_batches) const {
  if (num_batches == 0) return 0;
  const Slot& last = (*this)[num_batches - 1];
  return last.row_offset + last.batch->num_rows();
}

int64_t BatchStore::NumBytesOf(int64_t num_batches) const {
  return num_batches == 0 ? 0 : (*this)[num_batches - 1].bytes_end;
}

int64_t BatchStore::FindBatch(int64_t position) const {
  int64_t low = 0, high = num_batches() - 1;  // the last with row_offset <= position
  while (low < high) {
    const int64_t middle = high - (high - low) / 2;
    if ((*this)[middle].row_offset <= position) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace pilum
