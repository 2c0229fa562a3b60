// SPDX-License-Identifier: Apache-2.0
//
// ArrangeRows: rows that were read in ascending order, in the order they were asked for.
#pragma once

#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <algorithm>
#include <memory>
#include <span>

namespace pilum {

/// Rows of `sorted`, whose numbers are `found` (ascending without repeats), in the order of `wanted`, repeats
/// allowed; those that were not found are left out.
template <typename Number>
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ArrangeRows(
    const std::shared_ptr<arrow::RecordBatch>& sorted, std::span<const Number> found,
    std::span<const Number> wanted) {
  if (std::equal(found.begin(), found.end(), wanted.begin(), wanted.end())) return sorted;
  arrow::Int64Builder positions;
  ARROW_RETURN_NOT_OK(positions.Reserve(static_cast<int64_t>(wanted.size())));
  for (const Number number : wanted) {
    const auto it = std::lower_bound(found.begin(), found.end(), number);
    if (it != found.end() && *it == number) positions.UnsafeAppend(it - found.begin());
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, positions.Finish());
  if (sorted->num_columns() == 0)
    return arrow::RecordBatch::Make(sorted->schema(), indices->length(), arrow::ArrayVector{});
  ARROW_ASSIGN_OR_RAISE(auto arranged, arrow::compute::Take(sorted, indices));
  return arranged.record_batch();
}

}  // namespace pilum
