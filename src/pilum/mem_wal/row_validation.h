// SPDX-License-Identifier: Apache-2.0
//
// What rows must be before they are taken into the log, and when they come back from it. Upstream, with which
// the log is shared, reads back values of any meaning but text that is not UTF-8: that is refused while its
// writer can still do something about it. Everything that either engine could have logged is read again.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>

namespace pilum {

/// The batch, all of whose bytes can be looked at: Invalid if offsets or keys of dictionaries would make a
/// reader leave a buffer, if lengths do not fit together, or for types that no table has. Whatever values
/// mean is fine: decimals of too many digits, times behind the end of a day, text that is no UTF-8. The rows
/// are WithoutHiddenValues.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithValidStructure(const arrow::RecordBatch& batch);

/// Invalid, with the column, if text in the batch is not UTF-8, at any depth, that of nulls and whole
/// dictionaries included, as they go to the log. Looks at no other rows: a slice costs what its own rows
/// cost.
arrow::Status ValidateText(const arrow::RecordBatch& batch);

}  // namespace pilum
