// SPDX-License-Identifier: Apache-2.0
//
// What the takes of files and of tables have in common: many rows are read in pieces, by tasks of their own.
#pragma once

#include <arrow/status.h>
#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace pilum {

/// Whether a take is shared out over Arrow's pool. Most of its time goes into small reads, one for a row and
/// a column; some hundreds of them pay for the threads.
inline bool IsParallelTake(size_t num_rows, size_t num_columns) {
  constexpr size_t kMinReads = 256;
  return num_rows >= kMinReads || num_rows * num_columns >= kMinReads;
}

/// Rows of a piece, the last of which may have fewer.
inline size_t TakePieceRows(size_t num_rows, bool parallel) {
  const auto threads = static_cast<size_t>(arrow::GetCpuThreadPoolCapacity());
  return parallel ? num_rows / (2 * threads) + 1 : num_rows;
}

/// Calls `read` for pieces 0 to n - 1 of a take; on the caller's thread if the rows are few or if it is one
/// of the pool's, which would wait for itself.
template <typename F>
arrow::Status ReadTakePieces(bool parallel, size_t num_pieces, F&& read) {
  auto* pool = arrow::internal::GetCpuThreadPool();
  if (!parallel || num_pieces == 1 || pool->OwnsThisThread()) {
    for (size_t i = 0; i < num_pieces; ++i) ARROW_RETURN_NOT_OK(read(i));
    return arrow::Status::OK();
  }
  std::vector<arrow::Future<>> running;
  arrow::Status status;
  for (size_t i = 0; i < num_pieces; ++i) {
    auto future = pool->Submit([&read, i]() -> arrow::Status { return read(i); });
    if (future.ok()) running.push_back(*std::move(future));
    if (!future.ok()) status &= future.status();
  }
  for (auto& future : running) status &= future.status();  // waits for each: they refer to the caller's frame
  return status;
}

}  // namespace pilum
