// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/commit.h"

#include <chrono>
#include <limits>
#include <thread>

#include "pilum/table/conflict.h"
#include "pilum/table/next_manifest.h"
#include "pilum/table/versions.h"
#include "pilum/util/error.h"
#include "pilum/util/uuid.h"

namespace pilum {

namespace {

using Clock = std::chrono::steady_clock;

/// Pause after a lost race: one of 4, 8, 16 ... slots as long as an attempt takes, so that writers spread
/// out.
void Backoff(int attempt, Clock::duration first_attempt) {
  const uint64_t slots = uint64_t{1} << std::min(attempt + 2, 10);
  std::this_thread::sleep_for(first_attempt * static_cast<int64_t>(RandomU64() % slots));
}

arrow::Result<lance::table::Transaction> TransactionOf(ObjectStore& store, const Manifest& manifest) {
  if (manifest.transaction) return *manifest.transaction;
  const std::string& name = manifest.proto.transaction_file();
  lance::table::Transaction transaction;
  if (!name.empty()) {
    auto bytes = store.Get(JoinPath("_transactions", name));
    if (bytes.ok() && (*bytes)->size() <= std::numeric_limits<int>::max() &&
        transaction.ParseFromArray((*bytes)->data(), static_cast<int>((*bytes)->size()))) {
      return transaction;
    }
  }
  return MakeError(arrow::StatusCode::IOError, ErrorKind::kIncompatibleTransaction,
                   "version " + std::to_string(manifest.version()) + " of " + store.Describe("") +
                       " has no transaction this library can read: conflicts with it cannot be checked");
}

/// Loads the versions after `base`, checks the transaction against each, and makes the last one the base.
/// Each is asked for by its number: a listing that runs while others commit may miss one and show a later
/// one.
arrow::Status CatchUp(ObjectStore& store, const lance::table::Transaction& transaction,
                      std::shared_ptr<const Manifest>* base) {
  ARROW_ASSIGN_OR_RAISE(const auto versions, ListVersions(store));
  const uint64_t latest = versions.empty() ? 0 : versions.back().version;
  for (uint64_t version = (*base)->version() + 1; version <= latest; ++version) {
    auto loaded = LoadManifest(store, version);
    if (HasErrorKind(loaded.status(), ErrorKind::kVersionNotFound)) {
      return MakeError(arrow::StatusCode::IOError, ErrorKind::kIncompatibleTransaction,
                       loaded.status().message() + " any more: conflicts with it cannot be checked");
    }
    ARROW_ASSIGN_OR_RAISE(*base, std::move(loaded));
    ARROW_ASSIGN_OR_RAISE(const auto other, TransactionOf(store, **base));
    ARROW_RETURN_NOT_OK(CheckConflict(transaction, other, version));
  }
  return arrow::Status::OK();
}

/// Writes the transaction file and the manifest. AlreadyExists: another writer took the number.
/// kUnknownOutcome: the version may be there all the same.
arrow::Status WriteVersion(ObjectStore& store, const Manifest& manifest, Durability durability) {
  const std::string transaction_path = JoinPath("_transactions", manifest.proto.transaction_file());
  ARROW_RETURN_NOT_OK(
      store.Put(transaction_path, AsSpan(manifest.transaction->SerializeAsString()), durability));
  const auto status = store.PutIfAbsent(ManifestPath(manifest.version(), manifest.naming),
                                        AsSpan(manifest.Serialize()), durability);
  if (status.ok()) return status;
  if (status.IsAlreadyExists()) {
    (void)store.Delete(transaction_path);
    return status;
  }
  return MakeError(status.code(), ErrorKind::kUnknownOutcome, DescribeError(status));
}

arrow::Result<std::shared_ptr<const Manifest>> CreateTable(ObjectStore& store,
                                                           const lance::table::Transaction& transaction,
                                                           const CommitOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto versions, ListVersions(store));
  const auto exists = [&] {
    return MakeError(arrow::StatusCode::AlreadyExists, ErrorKind::kDatasetAlreadyExists,
                     "Dataset already exists: " + store.Describe(""));
  };
  if (!versions.empty()) return exists();
  ARROW_ASSIGN_OR_RAISE(auto manifest, BuildNextManifest(nullptr, transaction, options.data_version));
  const auto status = WriteVersion(store, *manifest, options.durability);
  if (status.IsAlreadyExists()) return exists();
  ARROW_RETURN_NOT_OK(status);
  WriteVersionHint(store, manifest->version());
  return manifest;
}

}  // namespace

arrow::Result<std::shared_ptr<const Manifest>> CommitTransaction(ObjectStore& store,
                                                                 std::shared_ptr<const Manifest> read,
                                                                 lance::table::Transaction transaction,
                                                                 const CommitOptions& options) {
  if (transaction.uuid().empty()) transaction.set_uuid(Uuid::Random().ToString());
  if (read == nullptr) return CreateTable(store, transaction, options);
  std::shared_ptr<const Manifest> base = std::move(read);
  Clock::duration first_attempt{};
  for (int attempt = 0; attempt < std::max(options.num_retries, 1); ++attempt) {
    const auto start = Clock::now();
    ARROW_RETURN_NOT_OK(CatchUp(store, transaction, &base));
    ARROW_ASSIGN_OR_RAISE(auto next, BuildNextManifest(base.get(), transaction, options.data_version));
    const auto status = WriteVersion(store, *next, options.durability);
    if (status.ok()) {
      WriteVersionHint(store, next->version());
      return next;
    }
    if (!status.IsAlreadyExists()) return status;
    if (attempt == 0) first_attempt = Clock::now() - start;
    Backoff(attempt, first_attempt);
  }
  return MakeError(arrow::StatusCode::IOError, ErrorKind::kCommitConflict,
                   "Commit conflict for version " + std::to_string(base->version() + 1) +
                       ": Failed to commit the transaction after " + std::to_string(options.num_retries) +
                       " retries.");
}

}  // namespace pilum
