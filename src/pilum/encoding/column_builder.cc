// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/column_builder.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "pilum/util/little_endian.h"

namespace pilum {

arrow::Status ValidityBuilder::Materialize() {
  ARROW_ASSIGN_OR_RAISE(bitmap_, arrow::AllocateBuffer(arrow::bit_util::BytesForBits(capacity_), pool_));
  std::memset(bitmap_->mutable_data(), 0xFF, static_cast<size_t>(bitmap_->size()));
  return arrow::Status::OK();
}

arrow::Status ValidityBuilder::Append(bool valid, int64_t n) {
  if (n > capacity_ - length_) return arrow::Status::Invalid("more validity bits than rows");
  if (!valid && n > 0) {
    if (bitmap_ == nullptr) ARROW_RETURN_NOT_OK(Materialize());
    arrow::bit_util::SetBitsTo(bitmap_->mutable_data(), length_, n, false);
    null_count_ += n;
  }
  length_ += n;
  return arrow::Status::OK();
}

arrow::Status ValidityBuilder::AppendLevels(const uint16_t* levels, int64_t n) {
  if (n > capacity_ - length_) return arrow::Status::Invalid("more validity bits than rows");
  int64_t nulls = 0;
  for (int64_t i = 0; i < n; ++i) nulls += levels[i] != 0;
  if (nulls > 0) {
    if (bitmap_ == nullptr) ARROW_RETURN_NOT_OK(Materialize());
    uint8_t* bits = bitmap_->mutable_data();
    int64_t i = 0;
    for (; i < n && (length_ + i) % 8 != 0; ++i) arrow::bit_util::SetBitTo(bits, length_ + i, levels[i] == 0);
    for (; i + 8 <= n; i += 8) {
      uint8_t byte = 0;
      for (int k = 0; k < 8; ++k) byte |= static_cast<uint8_t>((levels[i + k] == 0) << k);
      bits[(length_ + i) / 8] = byte;
    }
    for (; i < n; ++i) arrow::bit_util::SetBitTo(bits, length_ + i, levels[i] == 0);
  }
  null_count_ += nulls;
  length_ += n;
  return arrow::Status::OK();
}

arrow::Status ValidityBuilder::AppendBits(const uint8_t* bitmap, int64_t offset, int64_t n) {
  if (n > capacity_ - length_) return arrow::Status::Invalid("more validity bits than rows");
  const int64_t nulls = n - arrow::internal::CountSetBits(bitmap, offset, n);
  if (nulls > 0) {
    if (bitmap_ == nullptr) ARROW_RETURN_NOT_OK(Materialize());
    arrow::internal::CopyBitmap(bitmap, offset, n, bitmap_->mutable_data(), length_);
  }
  null_count_ += nulls;
  length_ += n;
  return arrow::Status::OK();
}

std::shared_ptr<arrow::Buffer> ValidityBuilder::Finish() {
  if (null_count_ == 0) return nullptr;
  return std::move(bitmap_);
}

ColumnBuilder::ColumnBuilder(LeafType type, int64_t capacity, arrow::MemoryPool* pool)
    : type_(std::move(type)), capacity_(capacity), pool_(pool), validity_(capacity, pool), bytes_(pool) {
  for (size_t level = 0; level < type_.dims.size(); ++level) {
    item_validity_.emplace_back(capacity * type_.ItemsThrough(level), pool);
  }
}

arrow::Result<ColumnBuilder> ColumnBuilder::Make(LeafType type, int64_t capacity, arrow::MemoryPool* pool) {
  // What one value takes at most, the items of a vector of booleans or nulls and an offset included.
  const int64_t items = type.is_vector() ? type.ItemsThrough(type.dims.size() - 1) : 1;
  const int64_t bits_per_value = std::max({type.bits, items, int64_t{64}});
  int64_t bits = 0;
  if (capacity < 0 || __builtin_mul_overflow(capacity, bits_per_value, &bits)) {
    return arrow::Status::Invalid(capacity, " values of ", type.type->ToString(), " do not fit in memory");
  }
  ColumnBuilder builder(std::move(type), capacity, pool);
  int64_t size = 0;
  if (builder.type_.has_fixed_width()) {
    size = arrow::bit_util::BytesForBits(capacity * builder.type_.bits);
  } else if (builder.type_.kind == LeafType::Kind::kVariable) {
    size = (capacity + 1) * builder.type_.offset_bits / 8;
  } else {
    for (const size_t wanted : builder.type_.packed_children) {
      ARROW_ASSIGN_OR_RAISE(auto child, Make(builder.type_.fields[wanted], capacity, pool));
      builder.children_.push_back(std::move(child));
    }
    return builder;
  }
  ARROW_ASSIGN_OR_RAISE(builder.values_, arrow::AllocateBuffer(size, pool));
  if (builder.type_.kind == LeafType::Kind::kVariable) {
    std::memset(builder.values_->mutable_data(), 0, static_cast<size_t>(builder.type_.offset_bits / 8));
  } else if (size > 0) {
    builder.values_->mutable_data()[size - 1] = 0;  // the unused bits of a bitmap's last byte
  }
  return builder;
}

arrow::Status ColumnBuilder::CheckRoom(int64_t n) const {
  if (n <= capacity_ - num_values_) return arrow::Status::OK();
  return arrow::Status::Invalid("more values than rows: ", num_values_, " + ", n, " > ", capacity_);
}

arrow::Result<uint8_t*> ColumnBuilder::AppendUninitialized(int64_t n) {
  ARROW_RETURN_NOT_OK(CheckRoom(n));
  uint8_t* to = values_->mutable_data() + num_values_ * (type_.bits / 8);
  num_values_ += n;
  return to;
}

arrow::Status ColumnBuilder::AppendFixed(const uint8_t* values, int64_t first, int64_t n) {
  if (type_.bits % 8 == 0) {
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, AppendUninitialized(n));
    const int64_t width = type_.bits / 8;
    if (n * width > 0) std::memcpy(to, values + first * width, static_cast<size_t>(n * width));
    return arrow::Status::OK();
  }
  ARROW_RETURN_NOT_OK(CheckRoom(n));
  arrow::internal::CopyBitmap(values, first * type_.bits, n * type_.bits, values_->mutable_data(),
                              num_values_ * type_.bits);
  num_values_ += n;
  return arrow::Status::OK();
}

arrow::Status ColumnBuilder::PushOffset(int64_t end) {
  ++num_values_;
  if (type_.offset_bits == 64) {
    reinterpret_cast<int64_t*>(values_->mutable_data())[num_values_] = end;
    return arrow::Status::OK();
  }
  if (end > std::numeric_limits<int32_t>::max()) {
    return arrow::Status::CapacityError("more than 2 GiB of ", type_.type->ToString(),
                                        " values in one batch: read fewer rows at a time");
  }
  reinterpret_cast<int32_t*>(values_->mutable_data())[num_values_] = static_cast<int32_t>(end);
  return arrow::Status::OK();
}

arrow::Status ColumnBuilder::AppendBytes(std::span<const uint8_t> value) {
  if (!value.empty()) ARROW_RETURN_NOT_OK(bytes_.Append(value.data(), static_cast<int64_t>(value.size())));
  return EndValue();
}

arrow::Status ColumnBuilder::EndValue() {
  ARROW_RETURN_NOT_OK(CheckRoom(1));
  return PushOffset(bytes_.length());
}

arrow::Status ColumnBuilder::EndValues(std::span<const int64_t> ends) {
  if (ends.empty()) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(CheckRoom(std::ssize(ends)));
  if (type_.offset_bits == 64) {
    std::copy(ends.begin(), ends.end(),
              reinterpret_cast<int64_t*>(values_->mutable_data()) + num_values_ + 1);
    num_values_ += std::ssize(ends);
    return arrow::Status::OK();
  }
  int32_t* const to = reinterpret_cast<int32_t*>(values_->mutable_data()) + num_values_ + 1;
  for (size_t i = 0; i + 1 < ends.size(); ++i) to[i] = static_cast<int32_t>(ends[i]);
  num_values_ += std::ssize(ends) - 1;
  return PushOffset(ends.back());  // the largest
}

template <typename Offset>
arrow::Status ColumnBuilder::AppendRun(const uint8_t* offsets, int64_t n, const uint8_t* base) {
  ARROW_RETURN_NOT_OK(CheckRoom(n));
  const auto offset = [offsets](int64_t i) {
    return static_cast<int64_t>(LoadLE<Offset>(offsets + i * static_cast<int64_t>(sizeof(Offset))));
  };
  const int64_t shift = bytes_.length() - offset(0), length = offset(n) - offset(0);
  if (length > 0) ARROW_RETURN_NOT_OK(bytes_.Append(base + offset(0), length));
  if (type_.offset_bits == 64) {
    int64_t* to = reinterpret_cast<int64_t*>(values_->mutable_data()) + num_values_ + 1;
    for (int64_t i = 0; i < n; ++i) to[i] = offset(i + 1) + shift;
    num_values_ += n;
    return arrow::Status::OK();
  }
  if (n == 0) return arrow::Status::OK();
  int32_t* to = reinterpret_cast<int32_t*>(values_->mutable_data()) + num_values_ + 1;
  for (int64_t i = 0; i + 1 < n; ++i) to[i] = static_cast<int32_t>(offset(i + 1) + shift);
  num_values_ += n - 1;
  return PushOffset(bytes_.length());
}

template arrow::Status ColumnBuilder::AppendRun<uint32_t>(const uint8_t*, int64_t, const uint8_t*);
template arrow::Status ColumnBuilder::AppendRun<uint64_t>(const uint8_t*, int64_t, const uint8_t*);

arrow::Status ColumnBuilder::FinishRow() {
  ARROW_RETURN_NOT_OK(CheckRoom(1));
  ++num_values_;
  return arrow::Status::OK();
}

arrow::Status ColumnBuilder::AppendZeros(int64_t n) {
  switch (type_.kind) {
    case LeafType::Kind::kRow:
      ARROW_RETURN_NOT_OK(CheckRoom(n));
      for (ColumnBuilder& child : children_) {
        ARROW_RETURN_NOT_OK(child.AppendZeros(n));
        for (size_t level = 0; level < child.type_.dims.size(); ++level) {
          ARROW_RETURN_NOT_OK(child.item_validity_[level].Append(true, n * child.type_.ItemsThrough(level)));
        }
      }
      num_values_ += n;
      return arrow::Status::OK();
    case LeafType::Kind::kNull:
      ARROW_RETURN_NOT_OK(CheckRoom(n));
      num_values_ += n;
      return arrow::Status::OK();
    case LeafType::Kind::kFixed:
    case LeafType::Kind::kDictionary:
      if (type_.bits % 8 == 0) {
        ARROW_ASSIGN_OR_RAISE(uint8_t* to, AppendUninitialized(n));
        if (n * type_.bits > 0) std::memset(to, 0, static_cast<size_t>(n * (type_.bits / 8)));
        return arrow::Status::OK();
      }
      ARROW_RETURN_NOT_OK(CheckRoom(n));
      arrow::bit_util::SetBitsTo(values_->mutable_data(), num_values_ * type_.bits, n * type_.bits, false);
      num_values_ += n;
      return arrow::Status::OK();
    case LeafType::Kind::kVariable:
      ARROW_RETURN_NOT_OK(CheckRoom(n));
      for (int64_t i = 0; i < n; ++i) ARROW_RETURN_NOT_OK(PushOffset(bytes_.length()));
      return arrow::Status::OK();
  }
  return arrow::Status::UnknownError("unreachable");
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> ColumnBuilder::Finish() {
  if (validity_.length() != num_values_ && type_.kind != LeafType::Kind::kNull) {
    return arrow::Status::Invalid(num_values_, " values but ", validity_.length(), " validity bits");
  }
  const int64_t n = num_values_;
  if (type_.kind == LeafType::Kind::kNull) {
    const int64_t nulls = type_.type->id() == arrow::Type::NA ? n : 0;
    return arrow::ArrayData::Make(type_.type, n, {nullptr}, nulls);
  }
  const int64_t nulls = validity_.null_count();
  auto validity = validity_.Finish();
  if (type_.kind == LeafType::Kind::kRow) return FinishRows(std::move(validity));
  if (type_.kind == LeafType::Kind::kVariable) {
    ARROW_ASSIGN_OR_RAISE(auto bytes, bytes_.Finish(/*shrink_to_fit=*/false));
    auto offsets = arrow::SliceBuffer(values_, 0, (n + 1) * type_.offset_bits / 8);
    return arrow::ArrayData::Make(type_.type, n, {std::move(validity), std::move(offsets), std::move(bytes)},
                                  nulls);
  }
  auto values = arrow::SliceBuffer(values_, 0, arrow::bit_util::BytesForBits(n * type_.bits));
  if (type_.is_vector()) return FinishVector(std::move(validity), std::move(values));
  if (type_.is_packed()) return FinishPacked(std::move(validity), nulls, *values);
  auto data = arrow::ArrayData::Make(type_.type, n, {std::move(validity), std::move(values)}, nulls);
  return type_.kind == LeafType::Kind::kDictionary ? FinishDictionary(std::move(data)) : data;
}

/// One list level per dimension, the values below the innermost.
arrow::Result<std::shared_ptr<arrow::ArrayData>> ColumnBuilder::FinishVector(
    std::shared_ptr<arrow::Buffer> validity, std::shared_ptr<arrow::Buffer> values) {
  std::vector<std::shared_ptr<arrow::DataType>> levels{type_.type};
  while (levels.back()->id() == arrow::Type::FIXED_SIZE_LIST)
    levels.push_back(levels.back()->field(0)->type());
  std::shared_ptr<arrow::ArrayData> below;
  for (size_t level = type_.dims.size(); level-- > 0;) {
    const int64_t items = num_values_ * type_.ItemsThrough(level);
    ValidityBuilder& bits = item_validity_[level];
    if (bits.length() != items) {
      return arrow::Status::Invalid(items, " items but ", bits.length(), " validity bits of items");
    }
    const int64_t item_nulls = bits.null_count();
    std::vector<std::shared_ptr<arrow::Buffer>> buffers{bits.Finish()};
    if (below == nullptr) buffers.push_back(std::move(values));
    const bool nulls = levels[level + 1]->id() == arrow::Type::NA;
    auto data = nulls ? arrow::ArrayData::Make(arrow::null(), items, {nullptr}, items)
                      : arrow::ArrayData::Make(levels[level + 1], items, std::move(buffers), item_nulls);
    if (below != nullptr) data->child_data = {std::move(below)};
    below = std::move(data);
  }
  auto data = arrow::ArrayData::Make(type_.type, num_values_, {std::move(validity)}, validity_.null_count());
  data->child_data = {std::move(below)};
  return data;
}

/// Takes the rows apart: one array per child that is wanted.
arrow::Result<std::shared_ptr<arrow::ArrayData>> ColumnBuilder::FinishPacked(
    std::shared_ptr<arrow::Buffer> validity, int64_t null_count, const arrow::Buffer& rows) {
  auto data = arrow::ArrayData::Make(type_.type, num_values_, {std::move(validity)}, null_count);
  const int64_t stride = type_.bits / 8;
  for (const auto& field : type_.type->fields()) {
    const size_t stored = type_.packed_children[data->child_data.size()];
    const auto before = type_.packed_bits.begin() + static_cast<int64_t>(stored);
    const int64_t at = std::accumulate(type_.packed_bits.begin(), before, int64_t{0}) / 8;
    const int64_t width = *before / 8;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> child,
                          arrow::AllocateBuffer(num_values_ * width, pool_));
    for (int64_t row = 0; row < num_values_; ++row) {
      std::memcpy(child->mutable_data() + row * width, rows.data() + row * stride + at,
                  static_cast<size_t>(width));
    }
    data->child_data.push_back(
        arrow::ArrayData::Make(field->type(), num_values_, {nullptr, std::move(child)}, 0));
  }
  return data;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> ColumnBuilder::FinishRows(
    std::shared_ptr<arrow::Buffer> validity) {
  auto data = arrow::ArrayData::Make(type_.type, num_values_, {std::move(validity)}, validity_.null_count());
  for (ColumnBuilder& child : children_) {
    ARROW_RETURN_NOT_OK(child.validity_.Append(true, num_values_));
    ARROW_ASSIGN_OR_RAISE(auto values, child.Finish());
    if (values->length != num_values_) {
      return arrow::Status::Invalid(values->length, " values of a child in ", num_values_, " rows");
    }
    data->child_data.push_back(std::move(values));
  }
  return data;
}

void ColumnBuilder::UseDictionary(std::shared_ptr<arrow::ArrayData> entries) {
  if (!key_runs_.empty() && key_runs_.back().entries == entries) return;
  key_runs_.push_back({num_values_, std::move(entries)});
}

/// Keys of one page share its entries; those of several get entries in common.
arrow::Result<std::shared_ptr<arrow::ArrayData>> ColumnBuilder::FinishDictionary(
    std::shared_ptr<arrow::ArrayData> keys) {
  if (key_runs_.empty()) {  // only nulls
    ARROW_ASSIGN_OR_RAISE(auto empty, arrow::MakeEmptyArray(type_.entries->type, pool_));
    keys->dictionary = empty->data();
    return keys;
  }
  if (key_runs_.size() == 1) {
    keys->dictionary = key_runs_[0].entries;
    return keys;
  }
  arrow::ArrayVector runs;
  for (size_t i = 0; i < key_runs_.size(); ++i) {
    const int64_t begin = i == 0 ? 0 : key_runs_[i].begin;  // nulls in front have no entries of their own
    const int64_t end = i + 1 < key_runs_.size() ? key_runs_[i + 1].begin : num_values_;
    auto run = keys->Slice(begin, end - begin);
    run->dictionary = key_runs_[i].entries;
    runs.push_back(arrow::MakeArray(std::move(run)));
  }
  ARROW_ASSIGN_OR_RAISE(auto merged, arrow::Concatenate(runs, pool_));
  return merged->data();
}

}  // namespace pilum
