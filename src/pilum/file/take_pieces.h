// SPDX-License-Identifier: Apache-2.0
//
// What the takes of files and of tables have in common: many rows are read in pieces, by tasks of their own.
#pragma once

#include <arrow/status.h>
#include <arrow/util/parallel.h>
#include <arrow/util/thread_pool.h>

#include <cstddef>

namespace pilum {

/// Takes of this many rows and more are shared out over Arrow's pool: most of their time goes into small
/// reads.
inline constexpr size_t kMinParallelTake = 256;

/// Rows of a piece, the last of which may have fewer.
inline size_t TakePieceRows(size_t num_rows) {
  const auto threads = static_cast<size_t>(arrow::GetCpuThreadPoolCapacity());
  return num_rows < kMinParallelTake ? num_rows : num_rows / (2 * threads) + 1;
}

/// Calls `read` for pieces 0 to n - 1 of a take; on the caller's thread if the rows are few or if it is one
/// of the pool's, which would wait for itself.
template <typename F>
arrow::Status ReadTakePieces(size_t num_rows, size_t num_pieces, F&& read) {
  const bool parallel = num_rows >= kMinParallelTake && num_pieces > 1 &&
                        !arrow::internal::GetCpuThreadPool()->OwnsThisThread();
  return arrow::internal::OptionalParallelFor(parallel, static_cast<int>(num_pieces),
                                              [&](int i) { return read(static_cast<size_t>(i)); });
}

}  // namespace pilum
