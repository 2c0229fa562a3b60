// SPDX-License-Identifier: Apache-2.0
//
// What rows must be before they are taken into the log, and when they come back from it. The log is shared
// with upstream, which reads values of any meaning but text that is not UTF-8: that is refused while its
// writer can still do something about it, and everything that either engine could have logged is read again.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/status.h>

namespace pilum {

/// Invalid if bytes in the batch would make a reader leave a buffer: offsets, keys of dictionaries, run ends,
/// lengths of children. Whatever values mean is fine: decimals of too many digits, times behind the end of a
/// day, text that is no UTF-8.
arrow::Status ValidateStructure(const arrow::RecordBatch& batch);

/// Invalid, with the column, if text in the rows of the batch is not UTF-8, at any depth. Looks at no text
/// outside of them: a slice costs what its own rows cost.
arrow::Status ValidateText(const arrow::RecordBatch& batch);

}  // namespace pilum
