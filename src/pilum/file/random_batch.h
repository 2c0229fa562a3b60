// SPDX-License-Identifier: Apache-2.0
//
// Random columns of any supported type, for tests.
#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pilum/encoding/leaf_type.h"
#include "pilum/encoding/nesting.h"

namespace pilum::testing {

struct RandomColumn {
  double nulls = 0.2;        ///< share of null rows and of null items of vectors
  int64_t longest = 20;      ///< strings have up to this many bytes
  bool small_values = true;  ///< integers below 2^11 instead of any bits
  uint64_t longest_list = 4;
  double empty_lists = 0.1;  ///< besides those that happen to be
};

inline std::shared_ptr<arrow::Buffer> RandomBits(int64_t n, double zeros, std::mt19937_64& random) {
  auto buffer = arrow::AllocateBuffer(arrow::bit_util::BytesForBits(n)).ValueOrDie();
  std::fill_n(buffer->mutable_data(), buffer->size(), uint8_t{0});
  std::bernoulli_distribution bit(1 - zeros);
  for (int64_t i = 0; i < n; ++i) arrow::bit_util::SetBitTo(buffer->mutable_data(), i, bit(random));
  return buffer;
}

inline std::shared_ptr<arrow::ArrayData> RandomArray(const std::shared_ptr<arrow::DataType>& type, int64_t n,
                                                     RandomColumn options, std::mt19937_64& random);

/// Structs, and lists of up to `longest_list` items, the items of null ones included.
inline std::shared_ptr<arrow::ArrayData> RandomNested(const std::shared_ptr<arrow::DataType>& type, int64_t n,
                                                      RandomColumn options, std::mt19937_64& random) {
  auto data =
      arrow::ArrayData::Make(type, n, {options.nulls > 0 ? RandomBits(n, options.nulls, random) : nullptr});
  int64_t items = n;
  if (type->id() == arrow::Type::FIXED_SIZE_LIST) {
    items = n * static_cast<const arrow::FixedSizeListType&>(*type).list_size();
  } else if (type->id() != arrow::Type::STRUCT) {
    std::vector<int64_t> offsets{0};
    for (int64_t i = 0; i < n; ++i) {
      const bool empty = std::bernoulli_distribution(options.empty_lists)(random);
      offsets.push_back(offsets.back() +
                        (empty ? 0 : static_cast<int64_t>(random() % (options.longest_list + 1))));
    }
    items = offsets.back();
    const bool wide = type->id() == arrow::Type::LARGE_LIST;
    auto buffer = arrow::AllocateBuffer((n + 1) * (wide ? 8 : 4)).ValueOrDie();
    for (size_t i = 0; i < offsets.size(); ++i) {
      if (wide) {
        reinterpret_cast<int64_t*>(buffer->mutable_data())[i] = offsets[i];
      } else {
        reinterpret_cast<int32_t*>(buffer->mutable_data())[i] = static_cast<int32_t>(offsets[i]);
      }
    }
    data->buffers.push_back(std::move(buffer));
  }
  for (const auto& field : type->fields()) {
    RandomColumn child = options;
    if (items != n)
      child.longest_list = std::min<uint64_t>(options.longest_list, 4);  // lists of lists explode
    if (!field->nullable()) child.nulls = 0;
    data->child_data.push_back(RandomArray(field->type(), items, child, random));
  }
  return data;
}

inline std::shared_ptr<arrow::ArrayData> RandomArray(const std::shared_ptr<arrow::DataType>& type, int64_t n,
                                                     RandomColumn options, std::mt19937_64& random) {
  if (IsNested(*arrow::field("f", type))) return RandomNested(type, n, options, random);
  const LeafType leaf = LeafType::Of(type).ValueOrDie();
  if (leaf.kind == LeafType::Kind::kNull) return arrow::ArrayData::Make(type, n, {nullptr}, n);
  auto validity = options.nulls > 0 ? RandomBits(n, options.nulls, random) : nullptr;
  if (leaf.kind == LeafType::Kind::kVariable) {
    std::unique_ptr<arrow::ArrayBuilder> builder = arrow::MakeBuilder(type).ValueOrDie();
    std::string text;
    for (int64_t i = 0; i < n; ++i) {
      if (validity != nullptr && !arrow::bit_util::GetBit(validity->data(), i)) {
        (void)builder->AppendNull();
        continue;
      }
      text.resize(std::uniform_int_distribution<size_t>(0, static_cast<size_t>(options.longest))(random));
      for (char& c : text) c = static_cast<char>('a' + random() % 26);
      (void)(leaf.offset_bits == 64 ? static_cast<arrow::LargeBinaryBuilder&>(*builder).Append(text)
                                    : static_cast<arrow::BinaryBuilder&>(*builder).Append(text));
    }
    return builder->Finish().ValueOrDie()->data();
  }
  if (leaf.is_vector()) {
    const auto item = type->field(0)->type();
    auto data = arrow::ArrayData::Make(type, n, {std::move(validity)});
    data->child_data = {RandomArray(item, n * leaf.dims[0], options, random)};
    return data;
  }
  auto values = arrow::AllocateBuffer(arrow::bit_util::BytesForBits(n * leaf.bits)).ValueOrDie();
  for (int64_t i = 0; i < values->size(); ++i) values->mutable_data()[i] = static_cast<uint8_t>(random());
  if (options.small_values && arrow::is_integer(type->id()) && leaf.bits > 8) {
    for (int64_t i = 0; i < n; ++i) {
      std::fill_n(values->mutable_data() + i * leaf.bits / 8, leaf.bits / 8, uint8_t{0});
      values->mutable_data()[i * leaf.bits / 8] = static_cast<uint8_t>(random());
      values->mutable_data()[i * leaf.bits / 8 + 1] = static_cast<uint8_t>(random() % 8);
    }
  }
  return arrow::ArrayData::Make(type, n, {std::move(validity), std::move(values)});
}

/// One type of every kind that is not nested.
inline arrow::DataTypeVector LeafTypes() {
  using namespace arrow;
  return {boolean(),
          int8(),
          uint8(),
          int16(),
          uint16(),
          int32(),
          uint32(),
          int64(),
          uint64(),
          float16(),
          float32(),
          float64(),
          date32(),
          date64(),
          time32(TimeUnit::MILLI),
          time64(TimeUnit::NANO),
          timestamp(TimeUnit::MICRO),
          timestamp(TimeUnit::NANO, "UTC"),
          duration(TimeUnit::SECOND),
          decimal128(20, 3),
          decimal256(50, 2),
          fixed_size_binary(7),
          fixed_size_binary(300),
          utf8(),
          binary(),
          large_utf8(),
          large_binary(),
          null(),
          fixed_size_list(float32(), 3),
          fixed_size_list(float32(), 96),
          fixed_size_list(boolean(), 5),
          fixed_size_list(fixed_size_list(int16(), 2), 3)};
}

/// Nested types, each shape on its own and inside others. @param all: also those of version 2.2.
inline arrow::DataTypeVector NestedTypes(bool all) {
  using namespace arrow;
  const auto pair = struct_({field("a", int32()), field("b", utf8(), false)});
  DataTypeVector types{
      pair,
      list(int64()),
      list(boolean()),
      large_list(utf8()),
      list(list(int16())),
      list(field("item", struct_({field("x", list(utf8())), field("y", float64())}), false)),
      struct_({field("s", struct_({field("l", list(large_list(int8()))), field("f", float32())})),
               field("n", null())}),
      list(fixed_size_list(float32(), 3)),
      list(fixed_size_list(float32(), 70)),
      struct_({field("v", fixed_size_list(float32(), 70)), field("d", decimal128(20, 3))})};
  if (all) {
    types.push_back(map(utf8(), int32()));
    types.push_back(list(map(int64(), list(utf8()))));
    types.push_back(fixed_size_list(pair, 3));
    types.push_back(
        struct_({field("l", fixed_size_list(struct_({field("p", fixed_size_list(pair, 2))}), 2))}));
  }
  return types;
}

inline std::shared_ptr<arrow::RecordBatch> RandomBatch(const arrow::DataTypeVector& types, int64_t n,
                                                       RandomColumn options, std::mt19937_64& random) {
  arrow::FieldVector fields;
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (size_t i = 0; i < types.size(); ++i) {
    fields.push_back(arrow::field("c" + std::to_string(i), types[i]));
    columns.push_back(RandomArray(types[i], n, options, random));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), n, std::move(columns));
}

}  // namespace pilum::testing
