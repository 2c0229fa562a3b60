// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/nesting.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "pilum/encoding/blob_field.h"
#include "pilum/encoding/extension_storage.h"

namespace pilum {

namespace {

constexpr int kMaxDepth = 1024;

bool IsTrue(const arrow::Field& field, const char* key) {
  auto value = GetMetadata(field, key);
  if (!value) return false;
  std::ranges::transform(*value, value->begin(), [](unsigned char c) { return std::tolower(c); });
  return *value == "true";
}

/// Appends the columns below `field`; `outer` are the layers around it, the outermost first.
arrow::Status Append(const std::shared_ptr<arrow::Field>& field, std::vector<NestingLayer>* outer,
                     std::vector<LeafColumn>* columns) {
  const arrow::DataType& type = *field->type();
  const auto refuse = [&](const char* what) {
    return arrow::Status::NotImplemented("Column '", field->name(), "': ", what, " are not supported yet");
  };
  if (outer->size() > kMaxDepth) return refuse("more than 1024 levels of nesting");
  if (IsBlobV2(*field)) return refuse("the values of blobs of version 2 in a file");
  if (IsEmptyStruct(*field)) {
    if (std::ranges::any_of(*outer, [](const NestingLayer& layer) { return layer != NestingLayer(); }))
      return refuse("structs without fields in lists");
    LeafColumn& column = columns->emplace_back();
    column.type.type = field->type();
    column.field = field;
    column.layers.resize(outer->size() + 1);
    return arrow::Status::OK();
  }
  if (!IsNested(*field)) {
    LeafColumn column;
    auto leaf = IsPacked(*field) ? LeafType::OfPacked(field->type()) : LeafType::Of(field->type());
    if (!leaf.ok()) {
      return leaf.status().WithMessage("Column '", field->name(), "': ", leaf.status().message());
    }
    column.type = *std::move(leaf);
    column.field = field;
    column.layers.push_back({});
    column.layers.insert(column.layers.end(), outer->rbegin(), outer->rend());
    columns->push_back(std::move(column));
    return arrow::Status::OK();
  }
  NestingLayer layer;
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) {
    layer.kind = NestingLayer::Kind::kFixedSizeList;
    layer.dimension = static_cast<const arrow::FixedSizeListType&>(type).list_size();
    if (layer.dimension <= 0) return refuse("fixed-size lists of no items");
  } else if (type.id() != arrow::Type::STRUCT) {
    layer.kind = NestingLayer::Kind::kList;
  }
  outer->push_back(layer);
  for (const auto& child : type.fields()) ARROW_RETURN_NOT_OK(Append(child, outer, columns));
  outer->pop_back();
  return arrow::Status::OK();
}

}  // namespace

bool AsksForPacking(const arrow::Field& field) {
  return IsTrue(field, "packed") || IsTrue(field, kPackedMetadata);
}

bool IsPacked(const arrow::Field& field) {
  return field.type()->id() == arrow::Type::STRUCT && (AsksForPacking(field) || IsBlobDescription(field));
}

bool IsNested(const arrow::Field& field) {
  const arrow::DataType& type = *field.type();
  if (IsPacked(field)) return false;
  switch (type.id()) {
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::MAP:
      return true;
    case arrow::Type::FIXED_SIZE_LIST:
      return type.field(0)->type()->id() == arrow::Type::STRUCT;
    default:
      return false;
  }
}

bool IsEmptyStruct(const arrow::Field& field) {
  return field.type()->id() == arrow::Type::STRUCT && field.type()->num_fields() == 0 && !IsPacked(field);
}

std::shared_ptr<arrow::DataType> WithChildren(const arrow::DataType& type, arrow::FieldVector children) {
  switch (type.id()) {
    case arrow::Type::LIST:
      return arrow::list(children[0]);
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(children[0]);
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(children[0],
                                    static_cast<const arrow::FixedSizeListType&>(type).list_size());
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(children[0],
                                              static_cast<const arrow::MapType&>(type).keys_sorted());
    default:
      return arrow::struct_(std::move(children));
  }
}

int64_t LeafColumn::page_rows_per_row() const {
  int64_t rows = 1;
  for (const NestingLayer& layer : layers) {
    // Saturates: no file has that many rows, and every use compares with counts of a file.
    if (__builtin_mul_overflow(rows, layer.dimension, &rows)) return int64_t{1} << 62;
  }
  return rows;
}

arrow::Result<std::vector<LeafColumn>> LeafColumn::Of(const std::shared_ptr<arrow::Field>& root) {
  std::vector<LeafColumn> columns;
  std::vector<NestingLayer> outer;
  ARROW_RETURN_NOT_OK(Append(root, &outer, &columns));
  return columns;
}

}  // namespace pilum
