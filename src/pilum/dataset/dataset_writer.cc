// SPDX-License-Identifier: Apache-2.0
//
// Dataset::Write: streams of batches into data files, and the commit that makes them a version. Spec:
// 20-table.md §9.
#include <algorithm>

#include "pilum/dataset/blob_files.h"
#include "pilum/dataset/dataset.h"
#include "pilum/encoding/extension_storage.h"
#include "pilum/file/file_writer.h"
#include "pilum/table/commit.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

/// Cuts a stream into data files. Unless Keep() is called its files are deleted with it.
class DataFiles {
 public:
  /// @param table the version that is written to, null for a new table.
  DataFiles(ObjectStore& store, std::shared_ptr<const Schema> schema, FormatVersion version,
            const Manifest* table, const WriteOptions& options)
      : store_(store), schema_(std::move(schema)), version_(version), table_(table), options_(options) {}

  ~DataFiles() {
    writer_.reset();
    blobs_.reset();
    if (kept_) return;
    for (const auto& fragment : fragments_) (void)store_.Delete(JoinPath("data", fragment.files(0).path()));
    for (const std::string& sidecar : sidecars_) (void)store_.Delete(sidecar);
  }
  DataFiles(const DataFiles&) = delete;
  DataFiles& operator=(const DataFiles&) = delete;

  arrow::Status WriteAll(arrow::RecordBatchReader& data) {
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, data.Next());
      if (batch == nullptr) return FinishFile();
      for (int64_t at = 0; at < batch->num_rows();) {
        if (writer_ == nullptr) ARROW_RETURN_NOT_OK(StartFile());
        const int64_t n = std::min(batch->num_rows() - at, options_.max_rows_per_file - writer_->num_rows());
        ARROW_RETURN_NOT_OK(writer_->Write(*batch->Slice(at, n)));
        at += n;
        ARROW_ASSIGN_OR_RAISE(const bool full, writer_->HasBytes(options_.max_bytes_per_file));
        if (full || writer_->num_rows() >= options_.max_rows_per_file) ARROW_RETURN_NOT_OK(FinishFile());
      }
    }
  }

  const std::vector<lance::table::DataFragment>& fragments() const { return fragments_; }
  void Keep() { kept_ = true; }

 private:
  arrow::Status StartFile() {
    name_ = NewDataFileName();
    ARROW_ASSIGN_OR_RAISE(auto sink, store_.Create(JoinPath("data", name_), options_.durability));
    FileWriterOptions file_options;
    file_options.version = version_;
    blobs_ = std::make_unique<BlobFiles>(store_, name_, table_, options_, &sidecars_);
    file_options.blobs = blobs_.get();
    return FileWriter::Make(std::move(sink), schema_, file_options).Value(&writer_);
  }

  arrow::Status FinishFile() {
    if (writer_ == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(blobs_->Finish());
    ARROW_ASSIGN_OR_RAISE(const auto written, writer_->Finish());
    writer_.reset();
    blobs_.reset();
    lance::table::DataFragment fragment;
    fragment.set_physical_rows(static_cast<uint64_t>(written.num_rows));
    auto* file = fragment.add_files();
    file->set_path(name_);
    file->set_file_size_bytes(static_cast<uint64_t>(written.num_bytes));
    const auto [major, minor] = DataFileNumbers(version_);
    file->set_file_major_version(major);
    file->set_file_minor_version(minor);
    int32_t column = 0;
    for (const int32_t id : schema_->ColumnFieldIds(version_)) {
      file->add_fields(id);
      file->add_column_indices(column++);
    }
    fragments_.push_back(std::move(fragment));
    return arrow::Status::OK();
  }

  ObjectStore& store_;
  const std::shared_ptr<const Schema> schema_;
  const FormatVersion version_;
  const Manifest* const table_;
  const WriteOptions& options_;
  std::string name_;
  std::unique_ptr<BlobFiles> blobs_;  // of writer_
  std::unique_ptr<FileWriter> writer_;
  std::vector<std::string> sidecars_;
  std::vector<lance::table::DataFragment> fragments_;
  bool kept_ = false;
};

/// Thresholds given with data, which has the table's type, must be those of the table, where they are kept.
arrow::Status CheckSameThresholds(const arrow::Field& data, const arrow::Field& table) {
  if (!IsBlobV2(table)) {
    for (int i = 0; HasBlob(table) && i < table.type()->num_fields(); ++i) {
      ARROW_RETURN_NOT_OK(CheckSameThresholds(*data.type()->field(i), *table.type()->field(i)));
    }
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto kept, BlobThresholds::Of(table));
  ARROW_ASSIGN_OR_RAISE(const auto given, BlobThresholds::Of(data, kept));
  if (given == kept) return arrow::Status::OK();
  return arrow::Status::Invalid("Cannot append data with blob thresholds ", given.max_inline, " and ",
                                given.max_packed, " for field '", table.name(), "'; those of the table are ",
                                kept.max_inline, " and ", kept.max_packed);
}

/// The columns of `data` as fields of the table. Order is free, nullability is checked row by row, and
/// columns that may be null may be missing.
arrow::Result<std::shared_ptr<const Schema>> MatchForAppend(const Schema& table, const arrow::Schema& data) {
  std::vector<std::string> names;
  std::string missing, unexpected;
  for (const SchemaField& field : table.fields()) {
    const auto found = data.GetFieldByName(field.name());
    if (found != nullptr) {
      if (!found->type()->Equals(*field.arrow->type())) {
        return arrow::Status::Invalid("Append with different schema: `", field.name(), "` should have type ",
                                      field.arrow->type()->ToString(), " but type was ",
                                      found->type()->ToString());
      }
      ARROW_RETURN_NOT_OK(CheckSameThresholds(*found, *field.arrow));
      names.push_back(field.name());
    } else if (!field.arrow->nullable()) {
      missing += (missing.empty() ? "" : ", ") + field.name();
    }
  }
  for (const auto& field : data.fields()) {
    if (table.FindField(field->name()) == nullptr)
      unexpected += (unexpected.empty() ? "" : ", ") + field->name();
  }
  if (!missing.empty() || !unexpected.empty() || names.empty()) {
    return arrow::Status::Invalid("Append with different schema: fields did not match, missing=[", missing,
                                  "], unexpected=[", unexpected, "]");
  }
  return table.Project(names);
}

arrow::Result<std::shared_ptr<const Manifest>> LoadIfExists(ObjectStore& store) {
  auto manifest = LoadLatestManifest(store);
  if (HasErrorKind(manifest.status(), ErrorKind::kDatasetNotFound)) return nullptr;
  return manifest;
}

lance::table::Transaction MakeTransaction(const Manifest* existing, bool append, const Schema& schema,
                                          const std::vector<lance::table::DataFragment>& fragments,
                                          const WriteOptions& options) {
  lance::table::Transaction transaction;
  transaction.set_read_version(existing == nullptr ? 0 : existing->version());
  for (const auto& [key, value] : options.transaction_properties)
    (*transaction.mutable_transaction_properties())[key] = value;
  auto* to = append ? transaction.mutable_append()->mutable_fragments()
                    : transaction.mutable_overwrite()->mutable_fragments();
  for (const auto& fragment : fragments) *to->Add() = fragment;
  if (!append) {
    schema.ToProto(transaction.mutable_overwrite()->mutable_schema(),
                   transaction.mutable_overwrite()->mutable_schema_metadata());
  }
  return transaction;
}

}  // namespace

arrow::Result<std::shared_ptr<Dataset>> Dataset::Write(std::shared_ptr<arrow::RecordBatchReader> data,
                                                       const std::string& uri, const WriteOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto location, ResolveUri(uri));
  return Write(std::move(data), std::move(location), options);
}

arrow::Result<std::shared_ptr<Dataset>> Dataset::Write(std::shared_ptr<arrow::RecordBatchReader> data,
                                                       StoreLocation location, const WriteOptions& options) {
  if (options.max_rows_per_file <= 0 || options.max_bytes_per_file <= 0) {
    return arrow::Status::Invalid("max_rows_per_file and max_bytes_per_file must be positive");
  }
  if (options.blob_pack_file_size_threshold.value_or(0) < 0) {
    return arrow::Status::Invalid("blob_pack_file_size_threshold must not be negative");
  }
  data = StorageReader(std::move(data));
  ARROW_ASSIGN_OR_RAISE(auto existing, LoadIfExists(*location.store));
  if (existing != nullptr && options.mode == WriteMode::kCreate) {
    return MakeError(arrow::StatusCode::AlreadyExists, ErrorKind::kDatasetAlreadyExists,
                     "Dataset already exists: " + location.uri);
  }
  const bool append = existing != nullptr && options.mode == WriteMode::kAppend;
  std::shared_ptr<const Schema> schema;
  FormatVersion version = existing != nullptr ? existing->data_version : kStableFormatVersion;
  if (append) {
    ARROW_ASSIGN_OR_RAISE(schema, MatchForAppend(*existing->schema, *data->schema()));
  } else {
    ARROW_ASSIGN_OR_RAISE(schema, Schema::FromArrow(*data->schema()));
    version = options.data_storage_version.value_or(version);
  }
  DataFiles files(*location.store, schema, version, existing.get(), options);
  ARROW_RETURN_NOT_OK(files.WriteAll(*data));
  CommitOptions commit;
  commit.durability = options.durability;
  commit.data_version = version;
  auto manifest =
      CommitTransaction(*location.store, existing,
                        MakeTransaction(existing.get(), append, *schema, files.fragments(), options), commit);
  if (manifest.ok() || HasErrorKind(manifest.status(), ErrorKind::kUnknownOutcome)) files.Keep();
  ARROW_RETURN_NOT_OK(manifest.status());
  return FromManifest(std::move(location), *std::move(manifest), options.session);
}

}  // namespace pilum
