// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/leaf_values.h"

#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace pilum {

namespace {

template <typename Offset>
void FillOffsets(const arrow::ArrayData& array, LeafValues* values) {
  values->offsets.assign(static_cast<size_t>(array.length) + 1, 0);
  values->bytes = array.buffers[2] == nullptr ? nullptr : array.buffers[2]->data();
  if (array.length == 0 || array.buffers[1] == nullptr) return;
  const Offset* from = array.GetValues<Offset>(1);
  std::copy_n(from, array.length + 1, values->offsets.begin());
}

void FillFixed(const arrow::ArrayData& array, LeafValues* values) {
  const arrow::ArrayData* leaf = &array;
  int64_t first = array.offset;
  for (const int64_t dim : values->type.dims) {
    leaf = leaf->child_data[0].get();
    first = first * dim + leaf->offset;
    for (const auto& buffer : leaf->buffers) values->holds.push_back(buffer);
    const bool nulls = leaf->buffers[0] != nullptr && leaf->GetNullCount() > 0;
    values->item_validity.push_back({nulls ? leaf->buffers[0]->data() : nullptr, first});
  }
  if (values->type.is_vector_of_nulls()) return;
  const uint8_t* data = leaf->buffers[1] == nullptr ? nullptr : leaf->buffers[1]->data();
  const int64_t bit = first * values->type.item_bits;
  values->first_bit = values->type.bits % 8 == 0 && bit % 8 == 0 ? 0 : bit % 8;
  values->values = data == nullptr ? nullptr : data + bit / 8;
}

arrow::Status FillDictionary(const arrow::ArrayData& array, arrow::MemoryPool* pool, LeafValues* values) {
  const size_t width = static_cast<size_t>(values->type.bits / 8);
  if (array.buffers[1] != nullptr) {
    values->values = array.buffers[1]->data() + static_cast<size_t>(array.offset) * width;
  }
  if (array.GetNullCount() > 0) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> keys,
                          arrow::AllocateBuffer(array.length * static_cast<int64_t>(width), pool));
    for (int64_t i = 0; i < array.length; ++i) {
      uint8_t* to = keys->mutable_data() + static_cast<size_t>(i) * width;
      if (array.IsNull(i)) {
        std::memset(to, 0, width);
      } else {
        std::memcpy(to, values->values + static_cast<size_t>(i) * width, width);
      }
    }
    values->values = keys->data();
    values->holds.push_back(std::move(keys));
  }
  ARROW_ASSIGN_OR_RAISE(auto entries, LeafValues::Of(*array.dictionary, pool));
  values->entries = std::make_shared<const LeafValues>(std::move(entries));
  return arrow::Status::OK();
}

}  // namespace

int64_t LeafValues::DataSize() const {
  switch (type.kind) {
    case LeafType::Kind::kVariable:
      return offsets.back() - offsets.front() + (length + 1) * type.offset_bits / 8;
    case LeafType::Kind::kNull:
      return 0;
    case LeafType::Kind::kRow:
      return std::accumulate(fields.begin(), fields.end(), int64_t{0},
                             [](int64_t sum, const LeafValues& field) { return sum + field.DataSize(); });
    default:
      return arrow::bit_util::BytesForBits(length * type.bits);
  }
}

int64_t LeafValues::LongestValue() const {
  if (type.kind == LeafType::Kind::kNull) return 0;
  if (type.is_vector_of_nulls()) return 0;
  if (type.has_fixed_width()) return type.item_bits / 8 * (type.bits / type.item_bits);
  int64_t longest = 0;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) longest = std::max(longest, offsets[i + 1] - offsets[i]);
  return longest;
}

arrow::Result<LeafValues> LeafValues::Of(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  LeafValues values;
  if (array.type->id() == arrow::Type::STRUCT) return OfPacked(array, pool);
  ARROW_ASSIGN_OR_RAISE(values.type, LeafType::Of(array.type));
  values.length = array.length;
  for (const auto& buffer : array.buffers) values.holds.push_back(buffer);
  switch (values.type.kind) {
    case LeafType::Kind::kNull:
      break;
    case LeafType::Kind::kVariable:
      values.type.offset_bits == 64 ? FillOffsets<int64_t>(array, &values)
                                    : FillOffsets<int32_t>(array, &values);
      break;
    case LeafType::Kind::kDictionary:
      ARROW_RETURN_NOT_OK(FillDictionary(array, pool, &values));
      break;
    case LeafType::Kind::kFixed:
      FillFixed(array, &values);
      break;
    case LeafType::Kind::kRow:
      return arrow::Status::Invalid("rows of ", array.type->ToString(), " outside of a packed struct");
  }
  return values;
}

arrow::Result<LeafValues> LeafValues::OfPacked(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  LeafValues values;
  ARROW_ASSIGN_OR_RAISE(values.type, LeafType::OfPacked(array.type));
  values.length = array.length;
  if (values.type.kind == LeafType::Kind::kRow) {
    for (const auto& child : array.child_data) {
      ARROW_ASSIGN_OR_RAISE(auto field, Of(*child->Slice(array.offset, array.length), pool));
      values.fields.push_back(std::move(field));
    }
    return values;
  }
  const int64_t stride = values.type.bits / 8;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> rows,
                        arrow::AllocateBuffer(array.length * stride, pool));
  int64_t at = 0;
  for (size_t i = 0; i < array.child_data.size(); ++i) {
    const int64_t width = values.type.packed_bits[i] / 8;
    const arrow::ArrayData& child = *array.child_data[i];
    for (int64_t row = 0; row < array.length; ++row) {
      std::memcpy(rows->mutable_data() + row * stride + at,
                  child.buffers[1]->data() + (child.offset + array.offset + row) * width,
                  static_cast<size_t>(width));
    }
    at += width;
  }
  values.values = rows->data();
  values.holds.push_back(std::move(rows));
  return values;
}

template <typename T>
LeafValues LeafValues::OfIntegers(std::vector<T> integers) {
  LeafValues values;
  values.type.kind = LeafType::Kind::kFixed;
  values.type.bits = values.type.item_bits = 8 * sizeof(T);
  values.length = static_cast<int64_t>(integers.size());
  values.holds.push_back(arrow::Buffer::FromVector(std::move(integers)));
  values.values = values.holds.back()->data();
  return values;
}

template LeafValues LeafValues::OfIntegers(std::vector<uint32_t>);

}  // namespace pilum
