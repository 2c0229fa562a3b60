// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>

#include "pilum/table/manifest.h"

namespace pilum {

/// Whether `self`, made from an older version, may follow `other`, which was committed since. Spec:
/// 20-table.md §8.7.
///
/// OK, kRetryableCommitConflict (make the operation again on the latest version) or kIncompatibleTransaction
/// (give up). An operation that cannot be classified is a conflict.
arrow::Status CheckConflict(const lance::table::Transaction& self, const lance::table::Transaction& other,
                            uint64_t other_version);

}  // namespace pilum
