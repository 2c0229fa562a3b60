// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pilum/dataset/projection.h"
#include "pilum/dataset/session.h"
#include "pilum/table/manifest.h"

namespace pilum {

/// A piece of a scan: rows of one fragment. Pieces are read independently, by any thread.
struct ScanTask {
  const lance::table::DataFragment* fragment = nullptr;
  int64_t begin = 0, end = 0;                   ///< offsets, deleted rows included
  std::optional<std::vector<int64_t>> offsets;  ///< only these, ascending, instead of the range
};

/// What every task of a scan shares.
struct ScanPlan {
  StoreLocation location;
  std::shared_ptr<const Manifest> manifest;  ///< owns the fragments
  std::shared_ptr<Session> session;
  std::shared_ptr<const Projection> projection;         ///< of the result
  std::shared_ptr<arrow::Schema> shown_schema;          ///< of the result as it is handed out
  std::optional<arrow::compute::Expression> filter;     ///< bound to the schema of filter_projection
  std::shared_ptr<const Projection> filter_projection;  ///< columns the filter reads; null without a filter
  std::shared_ptr<const Projection> late_projection;    ///< columns of the result the filter does not read
  int64_t batch_size = 8192;
  std::optional<int64_t> batch_size_bytes;  ///< of a batch, about; then batch_size does not count
  int64_t skip = 0;                         ///< rows of the result to leave out at its start
  std::optional<int64_t> limit;             ///< then, at most so many
};

/// The live rows of `task` that pass the filter, as one batch.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> RunScanTask(const ScanPlan& plan, const ScanTask& task,
                                                               arrow::MemoryPool* pool);

/// Runs the tasks in order, a bounded number ahead on Arrow's CPU pool, and cuts their rows into batches. One
/// task is run on the caller's thread.
std::shared_ptr<arrow::RecordBatchReader> MakeScanReader(std::shared_ptr<const ScanPlan> plan,
                                                         std::vector<ScanTask> tasks);

}  // namespace pilum
