// SPDX-License-Identifier: Apache-2.0
//
// What the scans of files and of tables have in common: rows are read in parts of some megabytes, each by a
// task of its own, ahead of the consumer.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <functional>

#include "pilum/util/ordered_tasks.h"

namespace pilum {

/// Bytes of a file that make a part: enough to make decoding worth a task.
inline constexpr int64_t kScanPartBytes = int64_t{8} << 20;

/// Decoded bytes that may wait for the consumer of a scan before no more parts are begun.
inline constexpr int64_t kScanAheadBytes = int64_t{256} << 20;

/// Rows of a part. @param row_bytes of the file, on average. A file says little of what its rows decode to,
/// so that strings and lists, of which many may be one in the file, come in parts of fewer rows.
int64_t ScanPartRows(const arrow::Schema& schema, int64_t row_bytes);

/// The rows of one part, in order.
using ScanPieces = arrow::RecordBatchVector;

/// Calls `read` for [begin, end), or, where the rows are more than an array can hold (CapacityError), for
/// halves of it. One row that is too large is an error.
arrow::Result<ScanPieces> ReadInPieces(
    int64_t begin, int64_t end,
    const std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>(int64_t, int64_t)>& read);

/// The parts of a scan, `read` on Arrow's pool. One thread at a time.
class ScanParts {
 public:
  ScanParts(size_t num_parts, std::function<arrow::Result<ScanPieces>(size_t)> read);

  /// The next rows, none of no rows; null at the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();
  /// Waits for what is being read and reads no more.
  void Stop() { parts_.Stop(); }

 private:
  OrderedTasks<ScanPieces> parts_;
  ScanPieces pieces_;  // of the part at hand
  size_t next_ = 0;    // of them
};

}  // namespace pilum
