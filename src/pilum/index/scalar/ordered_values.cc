// SPDX-License-Identifier: Apache-2.0
#include "pilum/index/scalar/ordered_values.h"

#include <arrow/type_traits.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace pilum {

namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;

uint64_t FromSigned(int64_t value) { return static_cast<uint64_t>(value) ^ kSignBit; }

/// The bits of a float of any width, moved to the top, in the total order.
uint64_t FromFloatBits(uint64_t bits) { return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit; }

/// Reads a value of `width` bytes, a power of two up to 8, as an ordered number.
template <typename T>
uint64_t Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  if constexpr (std::is_signed_v<T>) return FromSigned(value);
  return value;
}

using Loader = uint64_t (*)(const uint8_t*);

template <typename Bits>
uint64_t LoadFloat(const uint8_t* at) {
  Bits bits;
  std::memcpy(&bits, at, sizeof(Bits));
  return FromFloatBits(static_cast<uint64_t>(bits) << (64 - 8 * sizeof(Bits)));
}

/// How values of fixed width up to 64 bits become numbers; null for other types. Not for booleans.
Loader LoaderOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::HALF_FLOAT:
      return &LoadFloat<uint16_t>;
    case arrow::Type::FLOAT:
      return &LoadFloat<uint32_t>;
    case arrow::Type::DOUBLE:
      return &LoadFloat<uint64_t>;
    case arrow::Type::UINT8:
      return &Load<uint8_t>;
    case arrow::Type::UINT16:
      return &Load<uint16_t>;
    case arrow::Type::UINT32:
      return &Load<uint32_t>;
    case arrow::Type::UINT64:
      return &Load<uint64_t>;
    case arrow::Type::INT8:
      return &Load<int8_t>;
    case arrow::Type::INT16:
      return &Load<int16_t>;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      return &Load<int32_t>;
    case arrow::Type::INT64:
    case arrow::Type::DATE64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return &Load<int64_t>;
    default:
      return nullptr;
  }
}

/// A little-endian two's complement number as big-endian bytes with the sign bit flipped.
void FlipDecimal(const uint8_t* from, int32_t width, char* to) {
  std::reverse_copy(from, from + width, reinterpret_cast<uint8_t*>(to));
  to[0] = static_cast<char>(to[0] ^ 0x80);
}

bool IsWideDecimal(const arrow::DataType& type) {
  return type.id() == arrow::Type::DECIMAL128 || type.id() == arrow::Type::DECIMAL256;
}

}  // namespace

OrderedValues::OrderedValues(std::shared_ptr<arrow::Array> values) : values_(std::move(values)) {
  num_nulls_ = values_->null_count();
}

arrow::Result<OrderedValues> OrderedValues::Make(std::shared_ptr<arrow::Array> values) {
  OrderedValues ordered(std::move(values));
  const arrow::Array& array = *ordered.values_;
  for (int64_t i = 0; ordered.num_nulls_ > 0 && i < array.length(); ++i) {
    if (array.IsNull(i) != (i < ordered.num_nulls_))
      return arrow::Status::Invalid("null values do not come first");
  }
  const arrow::DataType& type = *array.type();
  const auto fixed = [&](int64_t i, int64_t width) {
    return array.data()->buffers[1]->data() + (array.offset() + i) * width;
  };
  if (const Loader loader = LoaderOf(type)) {
    const int64_t width = static_cast<const arrow::FixedWidthType&>(type).bit_width() / 8;
    ordered.numbers_.resize(static_cast<size_t>(array.length()));
    for (int64_t i = ordered.num_nulls_; i < array.length(); ++i)
      ordered.numbers_[static_cast<size_t>(i)] = loader(fixed(i, width));
  } else if (type.id() == arrow::Type::BOOL) {
    ordered.numbers_.resize(static_cast<size_t>(array.length()));
    for (int64_t i = ordered.num_nulls_; i < array.length(); ++i) {
      ordered.numbers_[static_cast<size_t>(i)] =
          static_cast<const arrow::BooleanArray&>(array).Value(i) ? 1 : 0;
    }
  } else if (IsWideDecimal(type)) {
    ordered.form_ = Form::kBytes;
    ordered.flipped_width_ = static_cast<const arrow::DecimalType&>(type).byte_width();
    ordered.flipped_.resize(static_cast<size_t>(array.length() * ordered.flipped_width_));
    for (int64_t i = ordered.num_nulls_; i < array.length(); ++i) {
      FlipDecimal(fixed(i, ordered.flipped_width_), ordered.flipped_width_,
                  &ordered.flipped_[static_cast<size_t>(i * ordered.flipped_width_)]);
    }
  } else if (arrow::is_base_binary_like(type.id()) || type.id() == arrow::Type::FIXED_SIZE_BINARY) {
    ordered.form_ = Form::kBytes;
  } else {
    return arrow::Status::TypeError("values of type ", type.ToString(), " have no order in an index");
  }
  return ordered;
}

arrow::Status OrderedValues::MakeKey(const arrow::Scalar& scalar, OrderedKey* key) const {
  if (!scalar.is_valid || !scalar.type->Equals(*type())) {
    return arrow::Status::TypeError("an index over ", type()->ToString(), " cannot be asked for ",
                                    scalar.ToString(), " of type ", scalar.type->ToString());
  }
  if (scalar.type->id() == arrow::Type::BOOL) {
    key->number = static_cast<const arrow::BooleanScalar&>(scalar).value ? 1 : 0;
    return arrow::Status::OK();
  }
  if (const Loader loader = LoaderOf(*scalar.type)) {
    const auto& primitive = static_cast<const arrow::internal::PrimitiveScalarBase&>(scalar);
    key->number = loader(reinterpret_cast<const uint8_t*>(primitive.view().data()));
    return arrow::Status::OK();
  }
  if (IsWideDecimal(*scalar.type)) {
    const std::string_view bytes = static_cast<const arrow::internal::PrimitiveScalarBase&>(scalar).view();
    FlipDecimal(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int32_t>(bytes.size()),
                key->storage.data());
    key->bytes = {key->storage.data(), bytes.size()};
    return arrow::Status::OK();
  }
  key->bytes = static_cast<const arrow::BaseBinaryScalar&>(scalar).view();
  return arrow::Status::OK();
}

std::string_view OrderedValues::BytesAt(int64_t i) const {
  if (flipped_width_ > 0) {
    return {&flipped_[static_cast<size_t>(i * flipped_width_)], static_cast<size_t>(flipped_width_)};
  }
  switch (values_->type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return static_cast<const arrow::BinaryArray&>(*values_).GetView(i);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return static_cast<const arrow::LargeBinaryArray&>(*values_).GetView(i);
    default:
      return static_cast<const arrow::FixedSizeBinaryArray&>(*values_).GetView(i);
  }
}

int64_t OrderedValues::LowerBound(const OrderedKey& key) const {
  if (form_ == Form::kNumber) {
    return std::lower_bound(numbers_.begin() + num_nulls_, numbers_.end(), key.number) - numbers_.begin();
  }
  int64_t low = num_nulls_, high = length();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (BytesAt(middle) < key.bytes) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

int64_t OrderedValues::UpperBound(const OrderedKey& key) const {
  if (form_ == Form::kNumber) {
    return std::upper_bound(numbers_.begin() + num_nulls_, numbers_.end(), key.number) - numbers_.begin();
  }
  int64_t low = num_nulls_, high = length();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (key.bytes < BytesAt(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

int64_t OrderedValues::size_bytes() const {
  int64_t size = static_cast<int64_t>(sizeof(*this) + numbers_.size() * sizeof(uint64_t) + flipped_.size());
  for (const auto& buffer : values_->data()->buffers) size += buffer == nullptr ? 0 : buffer->size();
  return size;
}

}  // namespace pilum
