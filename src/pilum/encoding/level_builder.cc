// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/level_builder.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <utility>

#include "pilum/encoding/nesting.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr uint16_t kContinues = 0;
constexpr uint16_t kNothingNull = 0;
constexpr size_t kMaxDepth = 8191;  // what the symbols of a slot have room for

/// A slot while the layers are walked from the outermost inwards. Levels are numbered from the leaf, which is
/// not reached yet: until then they are symbols. `repetition` is the number of the list that begins, the
/// outermost is 1; `definition` says which layer is null (2 * depth + 1) or an empty list (2 * depth + 2).
/// Small: a page has millions.
struct Slot {
  uint16_t repetition = kContinues;
  uint16_t definition : 15 = kNothingNull;
  uint16_t has_element : 1 = 1;  // of the array at hand
};

/// A layer on the way to a leaf, and what the array shows of it.
struct Layer {
  bool list = false;
  bool nullable = false;
  bool emptyable = false;
};

struct Path {
  std::vector<Slot> slots;
  std::vector<Layer> layers;  // the outermost first
  uint16_t num_lists = 0;
  bool nullable_struct = false;  // a struct with nulls since the last list

  uint16_t NullSymbol() const { return static_cast<uint16_t>(2 * layers.size() + 1); }
  uint16_t EmptySymbol() const { return static_cast<uint16_t>(NullSymbol() + 1); }
};

class LevelBuilder {
 public:
  explicit LevelBuilder(arrow::MemoryPool* pool) : pool_(pool) {}

  arrow::Status Visit(const arrow::ArrayData& array, const arrow::Field& field, Path path);
  std::vector<LeafArray> Finish() && { return std::move(leaves_); }

 private:
  arrow::Status VisitStruct(const arrow::ArrayData& array, const arrow::Field& field, Path path);
  arrow::Status VisitFixedSizeList(const arrow::ArrayData& array, const arrow::Field& field, Path path);
  template <typename Offset>
  arrow::Status VisitList(const arrow::ArrayData& array, const arrow::Field& field, Path path);
  arrow::Status VisitLeaf(const arrow::ArrayData& array, const arrow::Field& field, Path path);

  arrow::MemoryPool* const pool_;
  std::vector<LeafArray> leaves_;
};

bool HasListBelow(const arrow::Field& field) {
  const arrow::DataType& type = *field.type();
  const auto id = type.id();
  if (id == arrow::Type::LIST || id == arrow::Type::LARGE_LIST || id == arrow::Type::MAP) return true;
  return IsNested(field) && std::any_of(type.fields().begin(), type.fields().end(),
                                        [](const auto& child) { return HasListBelow(*child); });
}

/// Marks the null elements of a layer of items. @return whether there is one.
bool MarkNulls(const arrow::ArrayData& array, uint16_t symbol, std::vector<Slot>* slots) {
  if (!MayHaveNullValues(array)) return false;
  bool any = false;
  int64_t element = 0;
  for (Slot& slot : *slots) {
    if (!slot.has_element) continue;
    if (IsNullValue(array, element++)) {
      if (slot.definition == kNothingNull) slot.definition = symbol & 0x7FFF;
      any = true;
    }
  }
  return any;
}

/// The layer of a struct or a fixed-size list.
void PushItems(const arrow::ArrayData& array, const arrow::Field& field, Path* path) {
  const bool nulls = MarkNulls(array, path->NullSymbol(), &path->slots);
  const bool outside_list = HasListBelow(field);
  path->nullable_struct |= nulls || (outside_list && field.nullable());
  path->layers.push_back({false, path->nullable_struct, false});
}

arrow::Status LevelBuilder::VisitStruct(const arrow::ArrayData& array, const arrow::Field& field, Path path) {
  PushItems(array, field, &path);
  for (int i = 0; i < field.type()->num_fields(); ++i) {
    const auto child = array.child_data[static_cast<size_t>(i)]->Slice(array.offset, array.length);
    ARROW_RETURN_NOT_OK(Visit(*child, *field.type()->field(i), path));
  }
  return arrow::Status::OK();
}

arrow::Status LevelBuilder::VisitFixedSizeList(const arrow::ArrayData& array, const arrow::Field& field,
                                               Path path) {
  if (path.num_lists > 0 || HasListBelow(*field.type()->field(0))) {
    return arrow::Status::NotImplemented(
        "Column '", field.name(), "': no release reads lists inside or around fixed-size lists of structs");
  }
  const int64_t dimension = static_cast<const arrow::FixedSizeListType&>(*field.type()).list_size();
  PushItems(array, field, &path);
  std::vector<Slot> items;
  items.reserve(path.slots.size() * static_cast<size_t>(dimension));
  for (const Slot slot : path.slots) items.insert(items.end(), static_cast<size_t>(dimension), slot);
  path.slots = std::move(items);
  const auto child = array.child_data[0]->Slice(array.offset * dimension, array.length * dimension);
  return Visit(*child, *field.type()->field(0), std::move(path));
}

template <typename Offset>
arrow::Status LevelBuilder::VisitList(const arrow::ArrayData& array, const arrow::Field& field, Path path) {
  // An array without rows may come without offsets.
  const Offset* offsets = array.length == 0 ? nullptr : array.GetValues<Offset>(1);
  const uint16_t null_symbol = path.NullSymbol() & 0x7FFF, empty_symbol = path.EmptySymbol() & 0x7FFF;
  const uint16_t begins = ++path.num_lists;
  Layer layer{true, path.nullable_struct, false};
  std::vector<Slot> slots;
  const int64_t num_items = array.length == 0 ? 0 : static_cast<int64_t>(offsets[array.length] - offsets[0]);
  slots.reserve(path.slots.size() + static_cast<size_t>(num_items));
  arrow::ArrayVector kept;  // ranges of the child without the items of null lists
  int64_t kept_begin = 0, kept_end = 0;
  const auto keep = [&](int64_t begin, int64_t end) {
    if (begin != kept_end) {
      if (kept_end > kept_begin) {
        kept.push_back(arrow::MakeArray(array.child_data[0]->Slice(kept_begin, kept_end - kept_begin)));
      }
      kept_begin = begin;
    }
    kept_end = end;
  };
  int64_t element = 0;
  for (const Slot slot : path.slots) {
    if (!slot.has_element) {
      slots.push_back(slot);
      continue;
    }
    const int64_t i = element++;
    Slot first = slot;
    if (first.repetition == kContinues) first.repetition = begins;
    if (first.definition == kNothingNull && array.IsNull(i)) first.definition = null_symbol;
    layer.nullable |= array.IsNull(i);
    const int64_t length = static_cast<int64_t>(offsets[i + 1] - offsets[i]);
    if (first.definition != kNothingNull || length == 0) {
      if (first.definition == kNothingNull) {
        first.definition = empty_symbol;
        layer.emptyable = true;
      }
      first.has_element = 0;
      slots.push_back(first);
      continue;
    }
    slots.push_back(first);
    slots.insert(slots.end(), static_cast<size_t>(length - 1), Slot{});
    keep(offsets[i], offsets[i + 1]);
  }
  keep(-1, -1);
  if (HasListBelow(*field.type()->field(0))) {
    layer.nullable |= field.nullable();
    layer.emptyable = true;
  }
  path.layers.push_back(layer);
  path.slots = std::move(slots);
  path.nullable_struct = false;
  std::shared_ptr<arrow::ArrayData> items;
  if (kept.size() == 1) {
    items = kept[0]->data();
  } else if (kept.empty()) {
    items = array.child_data[0]->Slice(0, 0);
  } else {
    ARROW_ASSIGN_OR_RAISE(auto merged, arrow::Concatenate(kept, pool_));
    items = merged->data();
  }
  return Visit(*items, *field.type()->field(0), std::move(path));
}

arrow::Status LevelBuilder::VisitLeaf(const arrow::ArrayData& array, const arrow::Field&, Path path) {
  const bool nulls = MarkNulls(array, path.NullSymbol(), &path.slots);
  path.layers.push_back({false, nulls || path.nullable_struct, false});
  LeafArray leaf;
  leaf.values = std::make_shared<arrow::ArrayData>(array);
  Levels& levels = leaf.levels;
  levels.num_slots = static_cast<int64_t>(path.slots.size());
  // From the leaf outwards: the kind of each layer and the number of its symbols.
  std::vector<uint16_t> numbers(2 * path.layers.size() + 1, 0);
  uint16_t next = 1;
  for (size_t depth = path.layers.size(); depth-- > 0;) {
    const Layer& layer = path.layers[depth];
    if (layer.nullable) numbers[2 * depth + 1] = next++;
    if (layer.emptyable) numbers[2 * depth + 2] = next++;
    levels.layers.push_back(
        !layer.list       ? (layer.nullable ? enc::REPDEF_NULLABLE_ITEM : enc::REPDEF_ALL_VALID_ITEM)
        : layer.nullable  ? (layer.emptyable ? enc::REPDEF_NULL_AND_EMPTY_LIST : enc::REPDEF_NULLABLE_LIST)
        : layer.emptyable ? enc::REPDEF_EMPTYABLE_LIST
                          : enc::REPDEF_ALL_VALID_LIST);
  }
  const size_t n = path.slots.size();
  if (path.num_lists > 0) {
    levels.repetition.resize(n);
    for (size_t i = 0; i < n; ++i) {
      const uint16_t list = path.slots[i].repetition;
      levels.repetition[i] = list == kContinues ? 0 : static_cast<uint16_t>(path.num_lists + 1 - list);
    }
  }
  if (next > 1) {
    levels.definition.resize(n);
    for (size_t i = 0; i < n; ++i) levels.definition[i] = numbers[path.slots[i].definition];  // 0 stays 0
  }
  leaves_.push_back(std::move(leaf));
  return arrow::Status::OK();
}

arrow::Status LevelBuilder::Visit(const arrow::ArrayData& array, const arrow::Field& field, Path path) {
  if (path.layers.size() > kMaxDepth) {
    return arrow::Status::NotImplemented("columns nested deeper than ", kMaxDepth, " levels");
  }
  if (!IsNested(field) || IsEmptyStruct(field)) return VisitLeaf(array, field, std::move(path));
  switch (field.type()->id()) {
    case arrow::Type::STRUCT:
      return VisitStruct(array, field, std::move(path));
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return VisitList<int32_t>(array, field, std::move(path));
    case arrow::Type::LARGE_LIST:
      return VisitList<int64_t>(array, field, std::move(path));
    default:
      return VisitFixedSizeList(array, field, std::move(path));
  }
}

}  // namespace

arrow::Result<std::vector<LeafArray>> BuildLevels(const std::shared_ptr<arrow::ArrayData>& array,
                                                  const arrow::Field& field, arrow::MemoryPool* pool) {
  LevelBuilder builder(pool);
  Path path;
  path.slots.resize(static_cast<size_t>(array->length));
  ARROW_RETURN_NOT_OK(builder.Visit(*array, field, std::move(path)));
  return std::move(builder).Finish();
}

}  // namespace pilum
