// SPDX-License-Identifier: Apache-2.0
//
// Dataset's values of blob columns, to be read later. Spec: 20-table.md §13.
#include <arrow/array.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>

#include "pilum/dataset/blob.h"
#include "pilum/dataset/dataset.h"
#include "pilum/dataset/scanner.h"

namespace pilum {

namespace {

using arrow::internal::checked_cast;

/// The nodes from a top-level field down to the one at `path`; empty if there is none.
std::vector<const SchemaField*> FindPath(const std::vector<SchemaField>& fields, std::string_view path) {
  for (const SchemaField& field : fields) {
    if (field.name() == path) return {&field};
    if (!path.starts_with(field.name()) || path[field.name().size()] != '.') continue;
    auto below = FindPath(field.children, path.substr(field.name().size() + 1));
    if (below.empty()) continue;
    below.insert(below.begin(), &field);
    return below;
  }
  return {};
}

/// The name of the data file of `fragment` that holds the column of field `id`; empty if none does.
std::string DataFileOf(const lance::table::DataFragment& fragment, int32_t id) {
  for (const auto& file : fragment.files()) {
    if (std::ranges::find(file.fields(), id) != file.fields().end()) return file.path();
  }
  return {};
}

}  // namespace

arrow::Result<std::vector<Dataset::RowBlob>> Dataset::TakeBlobs(const std::string& column,
                                                                std::span<const uint64_t> addresses) const {
  const auto path = FindPath(lance_schema()->fields(), column);
  if (path.empty()) {
    return arrow::Status::KeyError("Field '", column, "' not found in ", schema()->ToString());
  }
  const SchemaField& blob = *path.back();
  if (!IsBlobV1(*blob.arrow) && !IsBlobV2(*blob.arrow)) {
    return arrow::Status::Invalid("the column '", column, "' is not a blob column");
  }
  ARROW_ASSIGN_OR_RAISE(const auto rows, TakeAddresses(addresses, {path[0]->name(), kRowAddressColumn}));
  const size_t num_found = static_cast<size_t>(rows->num_rows());
  if (num_found < addresses.size()) {
    return arrow::Status::NotImplemented("blobs of deleted rows, ", addresses.size() - num_found,
                                         " of those that were asked for");
  }
  std::shared_ptr<arrow::Array> descriptions = rows->column(0);
  for (size_t i = 1; i < path.size(); ++i) {
    if (descriptions->type_id() != arrow::Type::STRUCT) {
      return arrow::Status::NotImplemented("the blobs of column '", column, "', which are in a ",
                                           descriptions->type()->name());
    }
    const auto& parent = checked_cast<const arrow::StructArray&>(*descriptions);
    const int child = parent.struct_type()->GetFieldIndex(path[i]->name());
    ARROW_ASSIGN_OR_RAISE(descriptions, parent.GetFlattenedField(child));
  }
  const auto& found = checked_cast<const arrow::UInt64Array&>(*rows->column(1));
  BlobLocator locator(location_, *manifest_);
  std::vector<RowBlob> blobs;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    const uint64_t address = found.Value(row);
    const auto* fragment = manifest_->FindFragment(address >> 32);
    ARROW_ASSIGN_OR_RAISE(auto value, locator.Locate(checked_cast<const arrow::StructArray&>(*descriptions),
                                                     row, DataFileOf(*fragment, blob.id)));
    blobs.push_back({address, std::move(value)});
  }
  return blobs;
}

}  // namespace pilum
