// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/row_validation.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <limits>

namespace pilum {

namespace {

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::shared_ptr<arrow::Array>& column) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("v", column->type())}), column->length(),
                                  {column});
}

/// Some bytes as two values of a type of fixed width.
std::shared_ptr<arrow::Array> TwoValues(const std::shared_ptr<arrow::DataType>& type, char byte) {
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, 2,
      {nullptr, arrow::Buffer::FromString(std::string(static_cast<size_t>(2 * type->byte_width()), byte))}));
}

/// "ok" and two bytes that are no text.
template <typename Builder = arrow::StringBuilder>
std::shared_ptr<arrow::Array> BadText() {
  Builder builder;
  for (const char* text : {"ok", "\xff\xfe"}) EXPECT_TRUE(builder.Append(text).ok());
  return builder.Finish().ValueOrDie();
}

arrow::ArrayVector BadTexts() {
  return {BadText(), BadText<arrow::LargeStringBuilder>(), BadText<arrow::StringViewBuilder>()};
}

/// Two values as a column, and inside of everything that has children.
std::vector<std::shared_ptr<arrow::Array>> Around(const std::shared_ptr<arrow::Array>& values) {
  const auto structs = arrow::StructArray::Make({values}, {"s"}).ValueOrDie();
  const auto offsets = arrow::Buffer::FromVector(std::vector<int32_t>{0, 2});
  const auto keys = TwoValues(arrow::int8(), 1);
  const auto list = [&](const std::shared_ptr<arrow::Array>& items) {
    return std::make_shared<arrow::ListArray>(arrow::list(items->type()), 1, offsets, items);
  };
  return {
      values,
      structs,
      list(values),
      list(structs),
      arrow::FixedSizeListArray::FromArrays(values, 2).ValueOrDie(),
      std::make_shared<arrow::MapArray>(arrow::map(keys->type(), values->type()), 1, offsets, keys, values),
      arrow::DictionaryArray::FromArrays(arrow::dictionary(keys->type(), values->type()), keys, values)
          .ValueOrDie()};
}

}  // namespace

TEST(RowValidationTest, WhatValuesMeanIsNoStructure) {
  for (const auto& type :
       {arrow::decimal128(5, 2), arrow::decimal256(40, 2), arrow::time32(arrow::TimeUnit::SECOND),
        arrow::time64(arrow::TimeUnit::NANO), arrow::date64()}) {
    for (const auto& array : Around(TwoValues(type, '\x6f'))) {
      EXPECT_FALSE(BatchOf(array)->ValidateFull().ok()) << array->type()->ToString();
      EXPECT_TRUE(WithValidStructure(*BatchOf(array)).ok()) << array->type()->ToString();
    }
  }
  for (const auto& texts : BadTexts()) {
    for (const auto& array : Around(texts)) {
      EXPECT_TRUE(WithValidStructure(*BatchOf(array)).ok()) << array->type()->ToString();
    }
  }
}

TEST(RowValidationTest, WhatWouldLeaveABufferIsDamage) {
  for (const std::vector<int32_t>& offsets :
       {std::vector<int32_t>{0, 9, 4}, {0, 3, 2}, {-1, 2, 4}, {0, 2, std::numeric_limits<int32_t>::max()}}) {
    auto data = BadText()->data()->Copy();
    data->buffers[1] = arrow::Buffer::FromVector(offsets);
    for (const auto& array : {arrow::MakeArray(data),
                              std::static_pointer_cast<arrow::Array>(
                                  arrow::StructArray::Make({arrow::MakeArray(data)}, {"s"}).ValueOrDie())})
      EXPECT_FALSE(WithValidStructure(*BatchOf(array)).ok()) << offsets[1] << " " << offsets[2];
  }
  const auto words = BadText();
  for (const char key : {'\x02', '\xff'}) {
    const auto array = arrow::MakeArray([&] {
      auto data = TwoValues(arrow::int8(), key)->data()->Copy();
      data->type = arrow::dictionary(arrow::int8(), words->type());
      data->dictionary = words->data();
      return data;
    }());
    EXPECT_FALSE(WithValidStructure(*BatchOf(array)).ok()) << int{key};
  }
  const auto few = arrow::RecordBatch::Make(arrow::schema({arrow::field("v", words->type())}), 3, {words});
  EXPECT_FALSE(WithValidStructure(*few).ok());
}

TEST(RowValidationTest, TextIsUtf8AtAnyDepth) {
  for (const auto& texts : BadTexts()) {
    for (const auto& array : Around(texts)) {
      const auto status = ValidateText(*BatchOf(array));
      EXPECT_TRUE(status.IsInvalid()) << array->type()->ToString();
      EXPECT_NE(status.message().find("column `v`"), std::string::npos) << status;
      if (array->type_id() == arrow::Type::DICTIONARY) continue;  // the log has all of its words
      EXPECT_TRUE(ValidateText(*BatchOf(array)->Slice(0, 0)).ok()) << array->type()->ToString();
    }
  }
  for (const auto& array : Around(BadText<arrow::BinaryBuilder>()))
    EXPECT_TRUE(ValidateText(*BatchOf(array)).ok());
}

TEST(RowValidationTest, TextOutsideOfASliceIsNotLookedAt) {
  const auto good = BadText()->Slice(0, 1);
  EXPECT_TRUE(ValidateText(*BatchOf(good)).ok());
  const auto structs = arrow::StructArray::Make({BadText()}, {"s"}).ValueOrDie();
  EXPECT_TRUE(ValidateText(*BatchOf(structs->Slice(0, 1))).ok());
  EXPECT_FALSE(ValidateText(*BatchOf(structs->Slice(1, 1))).ok());
  const auto lists = arrow::FixedSizeListArray::FromArrays(BadText(), 1).ValueOrDie();
  EXPECT_TRUE(ValidateText(*BatchOf(lists->Slice(0, 1))).ok());
  EXPECT_FALSE(ValidateText(*BatchOf(lists->Slice(1, 1))).ok());
}

}  // namespace pilum
