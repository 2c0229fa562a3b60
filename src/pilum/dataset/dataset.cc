// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/dataset.h"

#include <algorithm>

#include "pilum/dataset/live_rows.h"
#include "pilum/dataset/projection.h"
#include "pilum/dataset/scanner.h"
#include "pilum/encoding/json_column.h"
#include "pilum/table/commit.h"

namespace pilum {

Dataset::Dataset(StoreLocation location, std::shared_ptr<const Manifest> manifest,
                 std::shared_ptr<Session> session)
    : location_(std::move(location)),
      manifest_(std::move(manifest)),
      session_(std::move(session)),
      schema_(WithJsonText(manifest_->schema->arrow())) {}

std::shared_ptr<Dataset> Dataset::FromManifest(StoreLocation location,
                                               std::shared_ptr<const Manifest> manifest,
                                               std::shared_ptr<Session> session) {
  if (session == nullptr) session = std::make_shared<Session>();
  return std::shared_ptr<Dataset>(new Dataset(std::move(location), std::move(manifest), std::move(session)));
}

arrow::Result<std::shared_ptr<Dataset>> Dataset::Open(const std::string& uri, const OpenOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto location, ResolveUri(uri));
  return Open(std::move(location), options);
}

arrow::Result<std::shared_ptr<Dataset>> Dataset::Open(StoreLocation location, const OpenOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto manifest, options.version ? LoadManifest(*location.store, *options.version)
                                                       : LoadLatestManifest(*location.store));
  return FromManifest(std::move(location), std::move(manifest), options.session);
}

arrow::Result<std::vector<VersionInfo>> Dataset::Versions() const { return ListVersions(*location_.store); }

arrow::Result<std::shared_ptr<Dataset>> Dataset::Checkout(uint64_t version) const {
  ARROW_ASSIGN_OR_RAISE(auto manifest, LoadManifest(*location_.store, version));
  return FromManifest(location_, std::move(manifest), session_);
}

arrow::Result<std::shared_ptr<Dataset>> Dataset::CheckoutLatest() const {
  ARROW_ASSIGN_OR_RAISE(auto manifest, LoadLatestManifest(*location_.store));
  return FromManifest(location_, std::move(manifest), session_);
}

arrow::Result<std::shared_ptr<const LiveRows>> Dataset::GetLiveRows() const {
  std::lock_guard lock(mutex_);
  if (live_rows_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(live_rows_, LiveRows::Make(*session_, location_, *manifest_));
  }
  return live_rows_;
}

arrow::Result<std::shared_ptr<const Projection>> Dataset::NewProjection(
    const std::vector<std::string>& columns, BlobHandling blobs) const {
  const bool all =
      columns.empty() || std::ranges::equal(columns, schema()->fields(), {}, {}, &arrow::Field::name);
  const auto version = manifest_->data_version;
  if (!all) return Projection::Make(lance_schema(), version, columns, blobs);
  std::lock_guard lock(mutex_);
  auto& projection = all_columns_[static_cast<size_t>(blobs)];
  if (projection == nullptr) {
    ARROW_ASSIGN_OR_RAISE(projection, Projection::All(lance_schema(), version, blobs));
  }
  return projection;
}

arrow::Result<int64_t> Dataset::CountRows(const std::string& filter) const {
  if (filter.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, GetLiveRows());
    return rows->num_rows();
  }
  ScanOptions options;
  options.columns.emplace();
  options.filter = filter;
  ARROW_ASSIGN_OR_RAISE(const auto scanner, NewScan(options));
  return scanner->CountRows();
}

arrow::Result<std::shared_ptr<Dataset>> Dataset::Commit(lance::table::Transaction transaction,
                                                        const CommitOptions& options) const {
  if (transaction.read_version() == 0) transaction.set_read_version(version());
  ARROW_ASSIGN_OR_RAISE(auto manifest,
                        CommitTransaction(*location_.store, manifest_, std::move(transaction), options));
  return FromManifest(location_, std::move(manifest), session_);
}

}  // namespace pilum
