// SPDX-License-Identifier: Apache-2.0
//
// Versions of a table: find, load, commit. Spec: 20-table.md §3, §8.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/io/object_store.h"
#include "pilum/table/manifest.h"

namespace pilum {

struct VersionInfo {
  uint64_t version = 0;
  std::string path;  ///< of the manifest, relative to the table
  int64_t size = 0;
};

/// All attached versions in `_versions/`, ascending. Empty if there is no table.
arrow::Result<std::vector<VersionInfo>> ListVersions(ObjectStore& store);

/// The latest version; kDatasetNotFound if there is none.
arrow::Result<std::shared_ptr<const Manifest>> LoadLatestManifest(ObjectStore& store);
/// Version `version`; kVersionNotFound if it does not exist.
arrow::Result<std::shared_ptr<const Manifest>> LoadManifest(ObjectStore& store, uint64_t version);

struct CommitOptions {
  int num_retries = 20;
  Durability durability = Durability::kPowerLoss;
  /// New tables only.
  FormatVersion data_version = kStableFormatVersion;
};

/// Commits `transaction` (read_version and operation set; the uuid is drawn here if empty) on top of the
/// latest version: loads the versions committed since `read`, checks conflicts (§8.7), rebases, writes
/// `_transactions/…txn` and the manifest by put-if-absent, and tries again when another writer took the
/// number.
///
/// @param read the version the transaction was made from; null to create the table (Overwrite only).
/// @return the new version. Errors: kDatasetAlreadyExists, kRetryableCommitConflict,
/// kIncompatibleTransaction,
///   kCommitConflict after the last attempt, NotImplemented for an operation this library cannot commit yet.
arrow::Result<std::shared_ptr<const Manifest>> CommitTransaction(ObjectStore& store,
                                                                 std::shared_ptr<const Manifest> read,
                                                                 lance::table::Transaction transaction,
                                                                 const CommitOptions& options = {});

}  // namespace pilum
