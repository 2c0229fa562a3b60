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

namespace pilum::testing {

struct RandomColumn {
  double nulls = 0.2;        ///< share of null rows and of null items of vectors
  int64_t longest = 20;      ///< strings have up to this many bytes
  bool small_values = true;  ///< integers below 2^11 instead of any bits
};

inline std::shared_ptr<arrow::Buffer> RandomBits(int64_t n, double zeros, std::mt19937_64& random) {
  auto buffer = arrow::AllocateBuffer(arrow::bit_util::BytesForBits(n)).ValueOrDie();
  std::fill_n(buffer->mutable_data(), buffer->size(), uint8_t{0});
  std::bernoulli_distribution bit(1 - zeros);
  for (int64_t i = 0; i < n; ++i) arrow::bit_util::SetBitTo(buffer->mutable_data(), i, bit(random));
  return buffer;
}

inline std::shared_ptr<arrow::ArrayData> RandomArray(const std::shared_ptr<arrow::DataType>& type, int64_t n,
                                                     RandomColumn options, std::mt19937_64& random) {
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
