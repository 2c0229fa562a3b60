// SPDX-License-Identifier: Apache-2.0
//
// What rows must be before they are taken into the log, and when they come back from it. The log is shared
// with upstream, which reads values of any meaning but text that is not UTF-8: that is refused while its
// writer can still do something about it, and everything that either engine could have logged is read again.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>

namespace pilum {

/// The batch, all of whose bytes can be looked at: Invalid if offsets, keys of dictionaries or run ends would
/// make a reader leave a buffer, if lengths do not fit together. Whatever values mean is fine: decimals of
/// too many digits, times behind the end of a day, text that is no UTF-8. Keys under a null are
/// WithKeysInBounds.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithValidStructure(const arrow::RecordBatch& batch);

/// Invalid, with the column, if text in the rows of the batch is not UTF-8, at any depth. Looks at no text
/// outside of them: a slice costs what its own rows cost.
arrow::Status ValidateText(const arrow::RecordBatch& batch);

}  // namespace pilum
