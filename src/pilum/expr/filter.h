// SPDX-License-Identifier: Apache-2.0
//
// Filters: SQL conditions over the columns of a table. Spec: 20-table.md §12.3.
#pragma once

#include <arrow/array/array_primitive.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pilum {

/// The condition `sql` bound to `schema`: a boolean expression, null where SQL says unknown. Literals beside
/// a column take the column's type; one that does not fit is an error, as in Lance. Names match exactly, else
/// without regard to ASCII case; in backticks exactly only.
///
/// Errors: Invalid for text that is no condition (with the position), unknown columns and values that do not
/// fit; NotImplemented for SQL that is not supported.
arrow::Result<arrow::compute::Expression> ParseFilter(std::string_view sql, const arrow::Schema& schema);

/// The verdict of the bound filter `filter` per row of `batch`; null counts as false.
arrow::Result<std::shared_ptr<arrow::BooleanArray>> EvaluateFilter(const arrow::compute::Expression& filter,
                                                                   const arrow::RecordBatch& batch);

/// Names of the top-level columns that `expression` reads, without repeats.
std::vector<std::string> ColumnsOf(const arrow::compute::Expression& expression);

/// `column = value` and `column IN (values)`: what an index answers.
struct PointPredicate {
  std::string column;
  std::shared_ptr<arrow::Array> values;  ///< of the column's type, no nulls
};

/// The conjuncts of a bound filter.
std::vector<arrow::compute::Expression> Conjuncts(const arrow::compute::Expression& filter);
/// `conjunct` as a point predicate, if it is one.
std::optional<PointPredicate> AsPointPredicate(const arrow::compute::Expression& conjunct);

}  // namespace pilum
