// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/leaf_type.h"

#include <arrow/util/checked_cast.h>

#include <numeric>

namespace pilum {

using arrow::internal::checked_cast;

int64_t LeafType::ItemsThrough(size_t level) const {
  int64_t items = 1;
  for (size_t i = 0; i <= level; ++i) items *= dims[i];
  return items;
}

arrow::Result<LeafType> LeafType::Of(const std::shared_ptr<arrow::DataType>& type) {
  LeafType leaf;
  leaf.type = type;
  switch (type->id()) {
    case arrow::Type::NA:
      return leaf;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      leaf.kind = Kind::kVariable;
      leaf.offset_bits = 32;
      return leaf;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      leaf.kind = Kind::kVariable;
      leaf.offset_bits = 64;
      return leaf;
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryType&>(*type);
      ARROW_ASSIGN_OR_RAISE(LeafType entries, Of(dictionary.value_type()));
      if (entries.is_vector() || entries.kind == Kind::kDictionary || entries.kind == Kind::kNull) {
        return arrow::Status::NotImplemented("columns of type ", type->ToString(), " are not supported");
      }
      leaf.kind = Kind::kDictionary;
      leaf.bits = leaf.item_bits = dictionary.bit_width();
      leaf.entries = std::make_shared<const LeafType>(std::move(entries));
      return leaf;
    }
    case arrow::Type::EXTENSION:
      return arrow::Status::NotImplemented("extension type ", type->ToString(), " as a storage type");
    default:
      break;
  }
  leaf.kind = Kind::kFixed;
  const arrow::DataType* item = type.get();
  int64_t items = 1;
  while (item->id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = checked_cast<const arrow::FixedSizeListType&>(*item);
    if (list.list_size() <= 0) return arrow::Status::Invalid("vectors of dimension 0: ", type->ToString());
    leaf.dims.push_back(list.list_size());
    if (__builtin_mul_overflow(items, int64_t{list.list_size()}, &items) || items > (int64_t{1} << 40)) {
      return arrow::Status::Invalid("vector type too wide: ", type->ToString());
    }
    item = list.value_type().get();
  }
  if (item->id() == arrow::Type::NA) return leaf;
  const auto* fixed = dynamic_cast<const arrow::FixedWidthType*>(item);
  if (fixed == nullptr || item->id() == arrow::Type::DICTIONARY) {
    return arrow::Status::NotImplemented("columns of type ", type->ToString(), " are not supported yet");
  }
  leaf.item_bits = fixed->bit_width();
  leaf.bits = leaf.item_bits * items;
  return leaf;
}

arrow::Result<LeafType> LeafType::OfPacked(const std::shared_ptr<arrow::DataType>& type) {
  if (type->num_fields() == 0) return arrow::Status::NotImplemented("packed structs without fields");
  LeafType packed;
  packed.type = type;
  bool fixed = true;
  for (const auto& field : type->fields()) {
    const bool is_struct = field->type()->id() == arrow::Type::STRUCT;
    ARROW_ASSIGN_OR_RAISE(LeafType child, is_struct ? OfPacked(field->type()) : Of(field->type()));
    const bool row = child.kind == Kind::kVariable || (is_struct && child.kind == Kind::kRow);
    const bool bytes = child.kind == Kind::kFixed && child.item_bits % 8 == 0 && child.bits > 0 && !is_struct;
    if (!row && !bytes) {
      return arrow::Status::NotImplemented("packed structs with a child of type ", field->type()->ToString());
    }
    fixed = fixed && bytes && !child.is_vector();
    packed.fields.push_back(std::move(child));
  }
  packed.packed_children.resize(packed.fields.size());
  std::iota(packed.packed_children.begin(), packed.packed_children.end(), size_t{0});
  if (!fixed) {
    packed.kind = Kind::kRow;
    return packed;
  }
  packed.kind = Kind::kFixed;
  for (const LeafType& child : packed.fields) {
    packed.packed_bits.push_back(child.bits);
    packed.bits += child.bits;
  }
  packed.fields.clear();
  packed.item_bits = packed.bits;
  return packed;
}

arrow::Result<LeafType> LeafType::OfPackedPart(const std::shared_ptr<arrow::DataType>& type,
                                               std::vector<size_t> children) {
  ARROW_ASSIGN_OR_RAISE(LeafType packed, OfPacked(type));
  arrow::FieldVector fields;
  for (const size_t child : children) fields.push_back(type->field(static_cast<int>(child)));
  packed.type = arrow::struct_(std::move(fields));
  packed.packed_children = std::move(children);
  return packed;
}

}  // namespace pilum
