// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/leaf_values.h"

#include <arrow/util/bit_util.h>

#include <algorithm>

namespace pilum {

namespace {

/// Offsets of the array's values. Text under nulls is dropped where that is free: when it is empty already.
template <typename Offset>
arrow::Status FillOffsets(const arrow::ArrayData& array, arrow::MemoryPool* pool, LeafValues* values) {
  const Offset* from =
      array.length == 0 && array.buffers[1] == nullptr ? nullptr : array.GetValues<Offset>(1);
  values->offsets.assign(static_cast<size_t>(array.length) + 1, 0);
  values->bytes = array.buffers[2] == nullptr ? nullptr : array.buffers[2]->data();
  if (from == nullptr) return arrow::Status::OK();
  bool text_under_nulls = false;
  for (int64_t i = 0; i <= array.length; ++i) {
    values->offsets[static_cast<size_t>(i)] = static_cast<int64_t>(from[i]);
    if (i > 0 && !values->levels.empty() && values->levels[static_cast<size_t>(i) - 1] != 0) {
      text_under_nulls |= from[i] != from[i - 1];
    }
  }
  if (!text_under_nulls) return arrow::Status::OK();
  arrow::BufferBuilder text(pool);
  int64_t end = 0;
  for (int64_t i = 0; i < array.length; ++i) {
    if (values->levels[static_cast<size_t>(i)] == 0) {
      const int64_t size = static_cast<int64_t>(from[i + 1] - from[i]);
      ARROW_RETURN_NOT_OK(text.Append(values->bytes + from[i], size));
      end += size;
    }
    values->offsets[static_cast<size_t>(i) + 1] = end;
  }
  values->offsets[0] = 0;
  ARROW_ASSIGN_OR_RAISE(auto buffer, text.Finish());
  values->bytes = buffer->data();
  values->holds.push_back(std::move(buffer));
  return arrow::Status::OK();
}

void FillLevels(const arrow::ArrayData& array, LeafValues* values) {
  if (values->null_count == 0) return;
  values->levels.resize(static_cast<size_t>(array.length));
  for (int64_t i = 0; i < array.length; ++i) {
    values->levels[static_cast<size_t>(i)] = array.IsNull(i) ? 1 : 0;
  }
}

}  // namespace

arrow::Result<LeafValues> LeafValues::Of(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  LeafValues values;
  ARROW_ASSIGN_OR_RAISE(values.type, LeafType::Of(array.type));
  values.length = array.length;
  values.null_count = values.type.kind == LeafType::Kind::kNull ? array.length : array.GetNullCount();
  for (const auto& buffer : array.buffers) values.holds.push_back(buffer);
  if (values.type.kind == LeafType::Kind::kNull) return values;
  FillLevels(array, &values);
  if (values.type.kind == LeafType::Kind::kVariable) {
    ARROW_RETURN_NOT_OK(values.type.offset_bits == 64 ? FillOffsets<int64_t>(array, pool, &values)
                                                      : FillOffsets<int32_t>(array, pool, &values));
    return values;
  }
  const arrow::ArrayData* leaf = &array;
  int64_t first = array.offset;
  for (const int64_t dim : values.type.dims) {
    leaf = leaf->child_data[0].get();
    first = first * dim + leaf->offset;
    for (const auto& buffer : leaf->buffers) values.holds.push_back(buffer);
    const bool nulls = leaf->buffers[0] != nullptr && leaf->GetNullCount() > 0;
    values.item_validity.push_back({nulls ? leaf->buffers[0]->data() : nullptr, first});
  }
  const uint8_t* data = leaf->buffers[1] == nullptr ? nullptr : leaf->buffers[1]->data();
  const int64_t bit = first * values.type.item_bits;
  values.first_bit = values.type.bits % 8 == 0 && bit % 8 == 0 ? 0 : bit % 8;
  values.values = data == nullptr ? nullptr : data + bit / 8;
  return values;
}

}  // namespace pilum
