// SPDX-License-Identifier: Apache-2.0
//
// Commits of new versions. Spec: 20-table.md §8.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "pilum/io/object_store.h"
#include "pilum/table/manifest.h"

namespace pilum {

struct CommitOptions {
  int num_retries = 20;
  Durability durability = Durability::kPowerLoss;
  /// Of the files of an Overwrite.
  FormatVersion data_version = kStableFormatVersion;
};

/// Commits `transaction` (read_version and operation set; the uuid is drawn here if empty) on top of the
/// latest version: loads the versions committed since `read`, checks conflicts (§8.7), writes
/// `_transactions/…txn` and the manifest by put-if-absent, and tries again when another writer took the
/// number.
///
/// @param read the version the transaction was made from; null to create the table (Overwrite only).
/// @return the new version. Errors: kDatasetAlreadyExists, kRetryableCommitConflict,
///   kIncompatibleTransaction, kCommitConflict after the last attempt, NotImplemented for an operation this
///   library cannot commit yet; kUnknownOutcome if the version may have been made. After any other error it
///   has not.
arrow::Result<std::shared_ptr<const Manifest>> CommitTransaction(ObjectStore& store,
                                                                 std::shared_ptr<const Manifest> read,
                                                                 lance::table::Transaction transaction,
                                                                 const CommitOptions& options = {});

}  // namespace pilum
