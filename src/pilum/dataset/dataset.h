// SPDX-License-Identifier: Apache-2.0
//
// Dataset: one version of a Lance table, and the operations that make new ones. Spec: 20-table.md §9, §12.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/table.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pilum/dataset/blob.h"
#include "pilum/dataset/session.h"
#include "pilum/file/format_version.h"
#include "pilum/io/object_store.h"
#include "pilum/table/commit.h"
#include "pilum/table/manifest.h"
#include "pilum/table/versions.h"

namespace pilum {

class LiveRows;
class Projection;
class Scanner;
struct ScanOptions;

enum class WriteMode { kCreate, kAppend, kOverwrite };

/// What becomes of values that are given as URIs.
enum class ExternalBlobMode {
  kReference,  ///< the table refers to them
  kIngest,     ///< they are copied into the table
};

/// Defaults are those of pylance 8.0.0.
struct WriteOptions {
  WriteMode mode = WriteMode::kCreate;
  int64_t max_rows_per_file = int64_t{1} << 20;
  int64_t max_bytes_per_file = int64_t{90} << 30;
  /// New tables and overwrites only; appends use the table's.
  std::optional<FormatVersion> data_storage_version;
  std::map<std::string, std::string> transaction_properties;
  Durability durability = Durability::kPowerLoss;
  std::shared_ptr<Session> session;  ///< null: one of its own
  ExternalBlobMode external_blob_mode = ExternalBlobMode::kReference;
  /// Whether references may point outside of the table's base paths.
  bool allow_external_blob_outside_bases = false;
  /// Bytes after which a sidecar of packed blobs is full; none: 1 GiB.
  std::optional<int64_t> blob_pack_file_size_threshold;
};

struct OpenOptions {
  std::optional<uint64_t> version;   ///< none: the latest
  std::shared_ptr<Session> session;  ///< null: one of its own
};

/// Immutable snapshot of one version. Any thread. What changes the table returns a new Dataset.
class Dataset : public std::enable_shared_from_this<Dataset> {
 public:
  /// kDatasetNotFound names the URI; kVersionNotFound.
  static arrow::Result<std::shared_ptr<Dataset>> Open(const std::string& uri,
                                                      const OpenOptions& options = {});
  /// The same for a store that is already resolved (generations, tests).
  static arrow::Result<std::shared_ptr<Dataset>> Open(StoreLocation location,
                                                      const OpenOptions& options = {});

  /// Writes `data` as a new table or a new version of one, several files of at most max_rows_per_file rows.
  /// An empty stream commits as well. On error no file of this write is left.
  static arrow::Result<std::shared_ptr<Dataset>> Write(std::shared_ptr<arrow::RecordBatchReader> data,
                                                       const std::string& uri,
                                                       const WriteOptions& options = {});
  static arrow::Result<std::shared_ptr<Dataset>> Write(std::shared_ptr<arrow::RecordBatchReader> data,
                                                       StoreLocation location,
                                                       const WriteOptions& options = {});

  const std::string& uri() const { return location_.uri; }
  const std::shared_ptr<ObjectStore>& store() const { return location_.store; }
  const StoreLocation& location() const { return location_; }
  const std::shared_ptr<Session>& session() const { return session_; }
  const Manifest& manifest() const { return *manifest_; }
  const std::shared_ptr<const Manifest>& shared_manifest() const { return manifest_; }
  uint64_t version() const { return manifest_->version(); }
  const std::shared_ptr<const Schema>& lance_schema() const { return manifest_->schema; }
  /// As reads show it: JSON is text.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  arrow::Result<std::vector<VersionInfo>> Versions() const;
  arrow::Result<std::shared_ptr<Dataset>> Checkout(uint64_t version) const;
  arrow::Result<std::shared_ptr<Dataset>> CheckoutLatest() const;

  /// Live rows; with `filter` (SQL) those for which it is true. Without a filter no data is read.
  arrow::Result<int64_t> CountRows(const std::string& filter = {}) const;

  /// Errors of names and of the filter's text come here, not while scanning.
  arrow::Result<std::shared_ptr<Scanner>> NewScan(const ScanOptions& options) const;

  /// Rows by position among the live rows in manifest order: in the order asked for, repeats allowed.
  /// IndexError past the end. `columns` empty: all; system columns may be named.
  arrow::Result<std::shared_ptr<arrow::Table>> Take(std::span<const int64_t> offsets,
                                                    const std::vector<std::string>& columns = {}) const;
  /// The addresses of rows by position. IndexError past the end.
  arrow::Result<std::vector<uint64_t>> AddressesOf(std::span<const int64_t> offsets) const;
  /// Rows by address (`fragment << 32 | offset`), in the order asked for; deleted rows are dropped. JSON is
  /// JSONB, as it is stored. One row costs one request per column and stays on this thread.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeAddresses(
      std::span<const uint64_t> addresses, const std::vector<std::string>& columns = {},
      BlobHandling blobs = BlobHandling::kDescriptions) const;
  /// The same for columns that were resolved before (NewProjection).
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeAddresses(std::span<const uint64_t> addresses,
                                                                   const Projection& projection) const;
  /// @param columns empty: all.
  arrow::Result<std::shared_ptr<const Projection>> NewProjection(
      const std::vector<std::string>& columns, BlobHandling blobs = BlobHandling::kDescriptions) const;

  /// The value of a row, none for a null.
  struct RowBlob {
    uint64_t address = 0;
    std::optional<BlobFile> blob;
  };
  /// The values of a blob column at these row addresses, in the order asked for. Only descriptions are read.
  /// NotImplemented for deleted rows.
  /// @param column a path; "s.b" is child b of struct s. Invalid if it is not a blob column.
  arrow::Result<std::vector<RowBlob>> TakeBlobs(const std::string& column,
                                                std::span<const uint64_t> addresses) const;

  /// Commits `transaction` made from this version and returns the version it became.
  arrow::Result<std::shared_ptr<Dataset>> Commit(lance::table::Transaction transaction,
                                                 const CommitOptions& options = {}) const;

  /// A handle on `manifest` of the same table. For this library's own operations.
  static std::shared_ptr<Dataset> FromManifest(StoreLocation location,
                                               std::shared_ptr<const Manifest> manifest,
                                               std::shared_ptr<Session> session);

 private:
  Dataset(StoreLocation location, std::shared_ptr<const Manifest> manifest, std::shared_ptr<Session> session);

  arrow::Result<std::shared_ptr<const LiveRows>> GetLiveRows() const;

  const StoreLocation location_;
  const std::shared_ptr<const Manifest> manifest_;
  const std::shared_ptr<Session> session_;
  const std::shared_ptr<arrow::Schema> schema_;
  mutable std::mutex mutex_;
  // GUARDED_BY(mutex_); made when first asked for.
  mutable std::shared_ptr<const LiveRows> live_rows_;
  mutable std::array<std::shared_ptr<const Projection>, 2> all_columns_;  // by BlobHandling
};

}  // namespace pilum
