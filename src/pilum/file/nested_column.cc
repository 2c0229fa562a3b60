// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/nested_column.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <limits>

#include "pilum/encoding/unravel.h"

namespace pilum {

namespace {

/// A leaf whose layers are known. All leaves below a node agree on the layers from that node outwards.
struct UnraveledLeaf {
  std::shared_ptr<arrow::ArrayData> values;
  std::vector<UnraveledLayer> layers;
};

arrow::Result<UnraveledLeaf> UnravelLeaf(NestedLeaf leaf, arrow::MemoryPool* pool) {
  UnraveledLeaf result;
  Unraveler unraveler(leaf.column.layers, pool);
  arrow::ArrayVector values;
  for (NestedPiece& piece : leaf.pieces) {
    ARROW_RETURN_NOT_OK(unraveler.Append(piece.levels));
    values.push_back(arrow::MakeArray(std::move(piece.values)));
  }
  ARROW_ASSIGN_OR_RAISE(result.layers, unraveler.Finish());
  if (values.size() == 1) {
    result.values = values[0]->data();
    return result;
  }
  ARROW_ASSIGN_OR_RAISE(auto merged, values.empty() ? arrow::MakeEmptyArray(leaf.column.type.type, pool)
                                                    : arrow::Concatenate(values, pool));
  result.values = merged->data();
  return result;
}

/// An array, and where in its leaves the next layer outwards is.
struct Node {
  std::shared_ptr<arrow::ArrayData> data;
  const UnraveledLeaf* leaf;
  size_t next_layer;
};

class Assembler {
 public:
  Assembler(std::vector<UnraveledLeaf> leaves, arrow::MemoryPool* pool)
      : leaves_(std::move(leaves)), pool_(pool) {}

  arrow::Result<Node> Build(const arrow::Field& field);

 private:
  arrow::Result<Node> BuildLeaf();
  arrow::Result<Node> BuildStruct(const arrow::Field& field);
  arrow::Result<Node> BuildList(const arrow::Field& field);
  static arrow::Status CheckLength(const arrow::Field& field, const arrow::ArrayData& data, int64_t wanted) {
    if (data.length == wanted) return arrow::Status::OK();
    return arrow::Status::Invalid("column '", field.name(), "' has ", data.length, " values where ", wanted,
                                  " were expected");
  }

  /// The lists around two children of a struct: each leaf says where their items are.
  static arrow::Status CheckSameLists(const arrow::Field& field, const Node& child, const Node& first) {
    for (size_t i = first.next_layer, j = child.next_layer; i < first.leaf->layers.size(); ++i, ++j) {
      if (child.leaf->layers[j].offsets == first.leaf->layers[i].offsets) continue;
      return arrow::Status::Invalid("column '", field.name(), "' has other lists than its neighbours");
    }
    return arrow::Status::OK();
  }

  std::vector<UnraveledLeaf> leaves_;
  arrow::MemoryPool* const pool_;
  size_t next_leaf_ = 0;
};

arrow::Result<Node> Assembler::BuildLeaf() {
  const UnraveledLeaf& leaf = leaves_[next_leaf_++];
  const UnraveledLayer& layer = leaf.layers[0];
  auto data = leaf.values->Copy();
  if (data->type->id() != arrow::Type::NA) {
    data->buffers[0] = layer.validity;
    data->null_count = layer.null_count;
  }
  return Node{std::move(data), &leaf, 1};
}

arrow::Result<Node> Assembler::BuildStruct(const arrow::Field& field) {
  Node first{};
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const auto& child_field : field.type()->fields()) {
    ARROW_ASSIGN_OR_RAISE(Node child, Build(*child_field));
    if (children.empty()) first = child;
    ARROW_RETURN_NOT_OK(CheckSameLists(*child_field, child, first));
    children.push_back(std::move(child.data));
  }
  const UnraveledLayer& layer = first.leaf->layers[first.next_layer];
  for (size_t i = 0; i < children.size(); ++i) {
    ARROW_RETURN_NOT_OK(CheckLength(*field.type()->field(static_cast<int>(i)), *children[i], layer.length));
  }
  auto data = arrow::ArrayData::Make(field.type(), layer.length, {layer.validity}, layer.null_count);
  data->child_data = std::move(children);
  return Node{std::move(data), first.leaf, first.next_layer + 1};
}

arrow::Result<Node> Assembler::BuildList(const arrow::Field& field) {
  const auto& item_field = *field.type()->field(0);
  ARROW_ASSIGN_OR_RAISE(Node items, Build(item_field));
  const UnraveledLayer& layer = items.leaf->layers[items.next_layer];
  std::vector<std::shared_ptr<arrow::Buffer>> buffers{layer.validity};
  int64_t num_items = 0;
  if (field.type()->id() == arrow::Type::FIXED_SIZE_LIST) {
    num_items = layer.length * static_cast<const arrow::FixedSizeListType&>(*field.type()).list_size();
  } else {
    num_items = layer.offsets.back();
    ARROW_ASSIGN_OR_RAISE(auto offsets, ListOffsets(field, layer.offsets, pool_));
    buffers.push_back(std::move(offsets));
  }
  ARROW_RETURN_NOT_OK(CheckLength(item_field, *items.data, num_items));
  auto data = arrow::ArrayData::Make(field.type(), layer.length, std::move(buffers), layer.null_count);
  data->child_data = {std::move(items.data)};
  return Node{std::move(data), items.leaf, items.next_layer + 1};
}

arrow::Result<Node> Assembler::Build(const arrow::Field& field) {
  if (!IsNested(field) || IsEmptyStruct(field)) return BuildLeaf();
  return field.type()->id() == arrow::Type::STRUCT ? BuildStruct(field) : BuildList(field);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::ArrayData>> AssembleNested(const arrow::Field& field, int64_t num_rows,
                                                                std::vector<NestedLeaf> leaves,
                                                                arrow::MemoryPool* pool) {
  std::vector<UnraveledLeaf> unraveled;
  for (NestedLeaf& leaf : leaves) {
    ARROW_ASSIGN_OR_RAISE(auto one, UnravelLeaf(std::move(leaf), pool));
    if (one.values->length != one.layers[0].length) {
      return arrow::Status::Invalid("column '", field.name(), "' has ", one.values->length,
                                    " values and levels for ", one.layers[0].length);
    }
    unraveled.push_back(std::move(one));
  }
  ARROW_ASSIGN_OR_RAISE(auto root, Assembler(std::move(unraveled), pool).Build(field));
  if (root.data->length != num_rows) {
    return arrow::Status::Invalid("column '", field.name(), "' has ", root.data->length, " rows where ",
                                  num_rows, " were expected");
  }
  return std::move(root.data);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ListOffsets(const arrow::Field& field,
                                                          const std::vector<int64_t>& offsets,
                                                          arrow::MemoryPool* pool) {
  if (field.type()->id() == arrow::Type::LARGE_LIST) {
    arrow::TypedBufferBuilder<int64_t> wide(pool);
    ARROW_RETURN_NOT_OK(wide.Append(offsets.data(), static_cast<int64_t>(offsets.size())));
    return wide.Finish();
  }
  if (offsets.back() > std::numeric_limits<int32_t>::max()) {
    return arrow::Status::CapacityError("'", field.name(), "' has ", offsets.back(),
                                        " items in one batch: read fewer rows at a time");
  }
  arrow::TypedBufferBuilder<int32_t> narrow(pool);
  ARROW_RETURN_NOT_OK(narrow.Reserve(static_cast<int64_t>(offsets.size())));
  for (const int64_t offset : offsets) narrow.UnsafeAppend(static_cast<int32_t>(offset));
  return narrow.Finish();
}

}  // namespace pilum
