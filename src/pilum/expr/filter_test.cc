// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/filter.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace pilum {

namespace {

namespace cp = arrow::compute;

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("a", arrow::int64()), arrow::field("i8", arrow::int8()),
                        arrow::field("f", arrow::float32()), arrow::field("s", arrow::utf8()),
                        arrow::field("b", arrow::boolean()), arrow::field("d", arrow::date32()),
                        arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                        arrow::field("bin", arrow::fixed_size_binary(2)),
                        arrow::field("n", arrow::decimal128(10, 2)), arrow::field("Upper", arrow::int64())});
}

std::shared_ptr<arrow::RecordBatch> TestRows() {
  const char* kRows = R"([
    {"a": 0, "i8": 1, "f": 0.5, "s": "zero", "b": true, "d": 0, "t": 0, "bin": "ab", "n": "1.00", "Upper": 7},
    {"a": 1, "i8": -2, "f": -1.5, "s": "One", "b": false, "d": 15706, "t": 1000000, "bin": "cd", "n": "2.50", "Upper": 8},
    {"a": 2, "i8": null, "f": null, "s": null, "b": null, "d": null, "t": null, "bin": null, "n": null, "Upper": null},
    {"a": null, "i8": 4, "f": 4.0, "s": "a%b", "b": true, "d": 3, "t": 3, "bin": "ef", "n": "4.00", "Upper": 9}])";
  auto rows =
      arrow::json::ChunkedArrayFromJSONString(arrow::struct_(TestSchema()->fields()), {kRows}).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(rows->chunk(0)).ValueOrDie();
}

/// Positions of the rows that pass.
std::vector<int64_t> Passing(const std::string& sql) {
  const auto filter = ParseFilter(sql, *TestSchema());
  if (!filter.ok()) {
    ADD_FAILURE() << sql << ": " << filter.status();
    return {};
  }
  const auto mask = cp::ExecuteScalarExpression(*filter, cp::ExecBatch(*TestRows()));
  if (!mask.ok()) {
    ADD_FAILURE() << sql << ": " << mask.status();
    return {};
  }
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < 4; ++i) {
    const auto scalar = mask->is_scalar() ? mask->scalar() : mask->make_array()->GetScalar(i).ValueOrDie();
    if (scalar->is_valid && static_cast<const arrow::BooleanScalar&>(*scalar).value) rows.push_back(i);
  }
  return rows;
}

using Rows = std::vector<int64_t>;

}  // namespace

TEST(FilterTest, ComparisonsLeaveNullsOut) {
  EXPECT_EQ(Passing("a >= 1"), (Rows{1, 2}));
  EXPECT_EQ(Passing("1 <= a"), (Rows{1, 2}));
  EXPECT_EQ(Passing("NOT a >= 1"), (Rows{0}));
  EXPECT_EQ(Passing("s != 'One'"), (Rows{0, 3}));
  EXPECT_EQ(Passing("a = NULL"), Rows{});
  EXPECT_EQ(Passing("a IS NULL OR i8 IS NULL"), (Rows{2, 3}));
  EXPECT_EQ(Passing("s IS NOT NULL"), (Rows{0, 1, 3}));
}

TEST(FilterTest, LiteralsTakeTheColumnsType) {
  EXPECT_EQ(Passing("i8 = -2"), (Rows{1}));
  EXPECT_EQ(Passing("f > 0.1"), (Rows{0, 3}));
  EXPECT_EQ(Passing("f = 4"), (Rows{3}));
  EXPECT_EQ(Passing("n = 2.5"), (Rows{1}));
  EXPECT_EQ(Passing("n >= 2"), (Rows{1, 3}));
  EXPECT_EQ(Passing("bin = X'6364'"), (Rows{1}));
  EXPECT_EQ(Passing("d = date '2013-01-01'"), (Rows{1}));
  EXPECT_EQ(Passing("t < timestamp '1970-01-01 00:00:01'"), (Rows{0, 3}));
}

TEST(FilterTest, LiteralsThatDoNotFitAreRefused) {
  for (const char* sql : {"a = 'x'", "a = 1.5", "i8 = 300", "s = 5", "b = 1", "bin = X'00'", "d = 'x'",
                          "a IN ('x')", "a BETWEEN 1 AND 'x'"}) {
    EXPECT_TRUE(ParseFilter(sql, *TestSchema()).status().IsInvalid()) << sql;
  }
}

TEST(FilterTest, InFollowsThreeValuedLogic) {
  EXPECT_EQ(Passing("a IN (1, 2, 77)"), (Rows{1, 2}));
  EXPECT_EQ(Passing("a NOT IN (1)"), (Rows{0, 2}));
  EXPECT_EQ(Passing("a NOT IN (1, NULL)"), Rows{});
  EXPECT_EQ(Passing("a IN (1, NULL)"), (Rows{1}));
}

TEST(FilterTest, BooleansAndLogic) {
  EXPECT_EQ(Passing("b"), (Rows{0, 3}));
  EXPECT_EQ(Passing("NOT b"), (Rows{1}));
  EXPECT_EQ(Passing("b IS NOT TRUE"), (Rows{1, 2}));
  EXPECT_EQ(Passing("b IS FALSE"), (Rows{1}));
  EXPECT_EQ(Passing("b OR a = 2"), (Rows{0, 2, 3}));
  EXPECT_EQ(Passing("true"), (Rows{0, 1, 2, 3}));
  EXPECT_EQ(Passing("b = true"), (Rows{0, 3}));
}

TEST(FilterTest, ArithmeticAndRanges) {
  EXPECT_EQ(Passing("a + 1 = 2"), (Rows{1}));
  EXPECT_EQ(Passing("a % 2 = 0"), (Rows{0, 2}));
  EXPECT_EQ(Passing("-a * 2 < -3"), (Rows{2}));
  EXPECT_EQ(Passing("a BETWEEN 1 AND 5"), (Rows{1, 2}));
  EXPECT_EQ(Passing("a NOT BETWEEN 1 AND 5"), (Rows{0}));
}

TEST(FilterTest, Text) {
  EXPECT_EQ(Passing("s LIKE '%e%'"), (Rows{0, 1}));
  EXPECT_EQ(Passing("s LIKE 'o_e'"), Rows{});
  EXPECT_EQ(Passing("s ILIKE 'o_e'"), (Rows{1}));
  EXPECT_EQ(Passing("s LIKE 'a!%b' ESCAPE '!'"), (Rows{3}));
  EXPECT_EQ(Passing("s NOT LIKE 'a%'"), (Rows{0, 1}));
  EXPECT_EQ(Passing("lower(s) = 'one'"), (Rows{1}));
  EXPECT_EQ(Passing("length(s) = 3"), (Rows{1, 3}));
  EXPECT_EQ(Passing("s || 'x' = 'zerox'"), (Rows{0}));
  EXPECT_EQ(Passing("starts_with(s, 'ze') OR contains(s, '%')"), (Rows{0, 3}));
  EXPECT_EQ(Passing("coalesce(s, 'none') = 'none'"), (Rows{2}));
  EXPECT_EQ(Passing("cast(a as string) = '1'"), (Rows{1}));
}

TEST(FilterTest, NamesMatchExactlyFirst) {
  EXPECT_EQ(Passing("upper = 8"), (Rows{1}));
  EXPECT_EQ(Passing("`Upper` = 8"), (Rows{1}));
  EXPECT_TRUE(ParseFilter("`upper` = 8", *TestSchema()).status().IsInvalid());
  const auto status = ParseFilter("zz = 1", *TestSchema()).status();
  EXPECT_NE(status.message().find("No field named zz"), std::string::npos) << status;
}

TEST(FilterTest, WhatIsNoConditionIsRefused) {
  for (const char* sql : {"a", "a + 1", "s AND b", "NOT a", "'x'"}) {
    EXPECT_TRUE(ParseFilter(sql, *TestSchema()).status().IsInvalid()) << sql;
  }
  EXPECT_TRUE(ParseFilter("CASE WHEN b THEN 1 END = 1", *TestSchema()).status().IsNotImplemented());
  EXPECT_TRUE(ParseFilter("nosuch(a) = 1", *TestSchema()).status().IsNotImplemented());
}

TEST(FilterTest, ColumnsAndPointPredicates) {
  const auto filter =
      ParseFilter("a = 3 AND s IN ('x', NULL, 'y') AND f > 1 AND a < 9", *TestSchema()).ValueOrDie();
  auto columns = ColumnsOf(filter);
  std::sort(columns.begin(), columns.end());
  EXPECT_EQ(columns, (std::vector<std::string>{"a", "f", "s"}));
  const auto conjuncts = Conjuncts(filter);
  ASSERT_EQ(conjuncts.size(), 4);
  const auto equal = AsPointPredicate(conjuncts[0]);
  ASSERT_TRUE(equal.has_value());
  EXPECT_EQ(equal->column, "a");
  EXPECT_EQ(equal->values->ToString(),
            arrow::json::ArrayFromJSONString(arrow::int64(), "[3]").ValueOrDie()->ToString());
  const auto in = AsPointPredicate(conjuncts[1]);
  ASSERT_TRUE(in.has_value());
  EXPECT_EQ(in->values->length(), 2);
  EXPECT_FALSE(AsPointPredicate(conjuncts[2]).has_value());
}

}  // namespace pilum
