// SPDX-License-Identifier: Apache-2.0
#include "pilum/index/scalar/ordered_values.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pilum {

namespace {

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type, const std::string& text) {
  return arrow::json::ArrayFromJSONString(type, text).ValueOrDie();
}

/// Every value is found at its own place: [first of its equals, behind the last).
void ExpectSorted(const std::shared_ptr<arrow::Array>& values) {
  const auto ordered = OrderedValues::Make(values).ValueOrDie();
  for (int64_t i = 0; i < values->length(); ++i) {
    const auto scalar = values->GetScalar(i).ValueOrDie();
    if (!scalar->is_valid) continue;
    OrderedKey key;
    ASSERT_TRUE(ordered.MakeKey(*scalar, &key).ok());
    EXPECT_LE(ordered.LowerBound(key), i) << values->type()->ToString() << " " << scalar->ToString();
    EXPECT_GT(ordered.UpperBound(key), i) << values->type()->ToString() << " " << scalar->ToString();
    EXPECT_LE(ordered.UpperBound(key) - ordered.LowerBound(key), 2);
  }
}

}  // namespace

TEST(OrderedValuesTest, EveryTypeFollowsItsOrder) {
  for (const auto& type : {arrow::int8(), arrow::int16(), arrow::int32(), arrow::int64()}) {
    ExpectSorted(Json(type, "[null, null, -128, -1, 0, 0, 1, 127]"));
  }
  for (const auto& type : {arrow::uint8(), arrow::uint16(), arrow::uint32(), arrow::uint64()}) {
    ExpectSorted(Json(type, "[null, 0, 1, 1, 127, 128, 255]"));
  }
  ExpectSorted(Json(arrow::boolean(), "[null, false, false, true, true]"));
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::binary(), arrow::large_binary()}) {
    ExpectSorted(Json(type, R"([null, "", "a", "a", "aa", "b", "é"])"));
  }
  ExpectSorted(Json(arrow::fixed_size_binary(2), R"([null, "aa", "ab", "ba"])"));
  ExpectSorted(Json(arrow::decimal128(10, 2), R"([null, "-10.00", "-0.01", "0.00", "0.01", "99.99"])"));
  ExpectSorted(Json(arrow::decimal256(40, 2), R"([null, "-10.00", "-0.01", "0.00", "0.01", "99.99"])"));
  ExpectSorted(Json(arrow::date32(), "[null, -5, 0, 7]"));
  ExpectSorted(Json(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[null, -5, 0, 7]"));
  ExpectSorted(Json(arrow::duration(arrow::TimeUnit::MILLI), "[-5, 0, 7]"));
}

TEST(OrderedValuesTest, FloatsFollowTheTotalOrder) {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  arrow::DoubleBuilder doubles;
  ASSERT_TRUE(doubles.AppendNull().ok());
  ASSERT_TRUE(doubles.AppendValues(std::vector<double>{-nan, -inf, -5, -0.0, 0.0, 1, inf, nan}).ok());
  const auto values = doubles.Finish().ValueOrDie();
  const auto ordered = OrderedValues::Make(values).ValueOrDie();
  for (int64_t i = 1; i < values->length(); ++i) {
    OrderedKey key;
    ASSERT_TRUE(ordered.MakeKey(*values->GetScalar(i).ValueOrDie(), &key).ok());
    EXPECT_EQ(ordered.LowerBound(key), i);
    EXPECT_EQ(ordered.UpperBound(key), i + 1) << "-0.0 is not 0.0";
  }
  ExpectSorted(Json(arrow::float32(), "[null, -1.5, 0, 2.5]"));
}

TEST(OrderedValuesTest, KeysBetweenValuesHaveAnEmptyRange) {
  const auto ordered = OrderedValues::Make(Json(arrow::int32(), "[null, 2, 4, 4, 8]")).ValueOrDie();
  const std::vector<std::pair<int32_t, int64_t>> expected = {{1, 1}, {3, 2}, {5, 4}, {9, 5}};
  for (const auto& [value, position] : expected) {
    OrderedKey key;
    ASSERT_TRUE(ordered.MakeKey(arrow::Int32Scalar(value), &key).ok());
    EXPECT_EQ(ordered.LowerBound(key), position);
    EXPECT_EQ(ordered.UpperBound(key), position);
  }
}

TEST(OrderedValuesTest, SlicesAreReadAtTheirOffset) {
  ExpectSorted(Json(arrow::int32(), "[9, 9, 1, 2, 3]")->Slice(2));
  ExpectSorted(Json(arrow::utf8(), R"(["z", "a", "b"])")->Slice(1));
  ExpectSorted(Json(arrow::boolean(), "[true, false, true]")->Slice(1));
  ExpectSorted(Json(arrow::decimal128(10, 2), R"(["5.00", "-1.00", "2.00"])")->Slice(1));
}

TEST(OrderedValuesTest, WhatHasNoOrderIsRefused) {
  EXPECT_TRUE(OrderedValues::Make(Json(arrow::list(arrow::int32()), "[[1]]")).status().IsTypeError());
  EXPECT_TRUE(OrderedValues::Make(Json(arrow::int32(), "[1, null]")).status().IsInvalid());
  const auto ordered = OrderedValues::Make(Json(arrow::int32(), "[1]")).ValueOrDie();
  OrderedKey key;
  EXPECT_TRUE(ordered.MakeKey(arrow::Int64Scalar(1), &key).IsTypeError());
  EXPECT_TRUE(ordered.MakeKey(*arrow::MakeNullScalar(arrow::int32()), &key).IsTypeError());
}

}  // namespace pilum
