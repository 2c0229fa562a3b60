// SPDX-License-Identifier: Apache-2.0
//
// Dataset's values of blob columns, to be read later. Spec: 20-table.md §13.
#include <arrow/array.h>
#include <arrow/util/checked_cast.h>

#include "pilum/dataset/blob.h"
#include "pilum/dataset/dataset.h"
#include "pilum/dataset/fragment_reader.h"
#include "pilum/dataset/scanner.h"

namespace pilum {

using arrow::internal::checked_cast;

arrow::Result<std::vector<Dataset::RowBlob>> Dataset::TakeBlobs(const std::string& column,
                                                                std::span<const uint64_t> addresses) const {
  const auto path = lance_schema()->FindPath(column);
  if (path.empty()) {
    return arrow::Status::KeyError("Field '", column, "' not found in ", schema()->ToString());
  }
  const SchemaField& blob = *path.back().field;
  if (!IsBlobV1(*blob.arrow) && !IsBlobV2(*blob.arrow)) {
    return arrow::Status::Invalid("the column '", column, "' is not a blob column");
  }
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        TakeAddresses(addresses, {path[0].field->name(), kRowAddressColumn}));
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
    ARROW_ASSIGN_OR_RAISE(descriptions, parent.GetFlattenedField(static_cast<int>(path[i].position)));
  }
  const auto& found = checked_cast<const arrow::UInt64Array&>(*rows->column(1));
  BlobLocator locator(location_, *manifest_);
  std::vector<RowBlob> blobs;
  const lance::table::DataFragment* fragment = nullptr;
  const lance::table::DataFile* file = nullptr;  // of the fragment; null: all its values are null
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    const uint64_t address = found.Value(row);
    if (fragment == nullptr || fragment->id() != address >> 32) {
      fragment = manifest_->FindFragment(address >> 32);
      file = FindColumn(*fragment, blob.id, manifest_->data_version).first;
    }
    ARROW_ASSIGN_OR_RAISE(auto value, locator.Locate(checked_cast<const arrow::StructArray&>(*descriptions),
                                                     row, file == nullptr ? std::string() : file->path()));
    blobs.push_back({address, std::move(value)});
  }
  return blobs;
}

}  // namespace pilum
