// SPDX-License-Identifier: Apache-2.0
#include "pilum/exec/plan_nodes.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace pilum {

namespace {

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("a", arrow::int64()), arrow::field("s", arrow::utf8())});
}

std::shared_ptr<arrow::RecordBatch> Rows(const std::string& json) {
  const auto rows =
      arrow::json::ArrayFromJSONString(arrow::struct_(TestSchema()->fields()), json).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
}

PlanPtr Source(const std::string& json) { return MakeBatchPlan(Rows(json)); }

std::string RowsOf(const ExecutionPlan& plan) {
  const auto table = plan.ToTable();
  if (!table.ok()) return table.status().ToString();
  std::string text;
  for (int64_t row = 0; row < (*table)->num_rows(); ++row) {
    for (int i = 0; i < (*table)->num_columns(); ++i) {
      text += (i == 0 ? "" : ",") + (*table)->column(i)->GetScalar(row).ValueOrDie()->ToString();
    }
    text += ";";
  }
  return text;
}

constexpr char kThree[] = R"([{"a": 1, "s": "x"}, {"a": 2, "s": "y"}, {"a": 3, "s": "z"}])";
constexpr char kOne[] = R"([{"a": 9, "s": "n"}])";

/// Fails when it is executed.
class Trap final : public ExecutionPlan {
 public:
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Execute() const override {
    return arrow::Status::IOError("executed");
  }
  std::string Describe() const override { return "Trap"; }

 private:
  const std::shared_ptr<arrow::Schema> schema_ = TestSchema();
};

}  // namespace

TEST(PlanNodesTest, LimitsSkipThenFetch) {
  EXPECT_EQ(RowsOf(*MakeLimitPlan(Source(kThree), 0, 2)), "1,x;2,y;");
  EXPECT_EQ(RowsOf(*MakeLimitPlan(Source(kThree), 1, 1)), "2,y;");
  EXPECT_EQ(RowsOf(*MakeLimitPlan(Source(kThree), 2, std::nullopt)), "3,z;");
  EXPECT_EQ(RowsOf(*MakeLimitPlan(Source(kThree), 5, 2)), "");
  EXPECT_EQ(RowsOf(*MakeLimitPlan(Source(kThree), 0, 0)), "");
  EXPECT_EQ(RowsOf(*MakeLimitPlan(MakeUnionPlan({Source(kThree), Source(kOne)}), 2, 2)), "3,z;9,n;");
}

TEST(PlanNodesTest, ProjectionsReorderAndFillWithNulls) {
  const auto schema =
      arrow::schema({arrow::field("s", arrow::utf8()), arrow::field("_rowid", arrow::uint64()),
                     arrow::field("a", arrow::int64())});
  EXPECT_EQ(RowsOf(*MakeProjectionPlan(Source(kOne), schema)), "n,null,9;");
  EXPECT_EQ(RowsOf(*MakeProjectionPlan(Source(kOne), schema, {"a"})), "n,null,null;");
}

TEST(PlanNodesTest, TheFirstInputWithRowsWins) {
  const auto empty = MakeEmptyPlan(TestSchema());
  EXPECT_EQ(RowsOf(*MakeCoalesceFirstPlan({empty, Source(kThree), Source(kOne)})), "1,x;2,y;3,z;");
  EXPECT_EQ(RowsOf(*MakeCoalesceFirstPlan({Source(kOne), std::make_shared<Trap>()})), "9,n;")
      << "later inputs are not executed";
  EXPECT_EQ(RowsOf(*MakeCoalesceFirstPlan({empty, empty})), "");
  EXPECT_EQ(RowsOf(*MakeCoalesceFirstPlan({empty, std::make_shared<Trap>()})), "IOError: executed");
}

TEST(PlanNodesTest, PlansRunAgainWithEqualResults) {
  const auto plan = MakeLimitPlan(MakeCoalesceFirstPlan({MakeEmptyPlan(TestSchema()), Source(kThree)}), 0, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(RowsOf(*plan), "1,x;");
}

TEST(PlanNodesTest, TreesArePrintable) {
  const auto plan = MakeCoalesceFirstPlan(
      {MakeLimitPlan(Source(kOne), 0, 1), MakeUnionPlan({Source(kOne), MakeEmptyPlan(TestSchema())})});
  EXPECT_EQ(plan->Explain(),
            "CoalesceFirstExec: inputs=2\n"
            "  GlobalLimitExec: skip=0, fetch=1\n"
            "    OneShotStream: columns=[a, s]\n"
            "  CoalescePartitionsExec\n"
            "    UnionExec\n"
            "      OneShotStream: columns=[a, s]\n"
            "      EmptyExec\n");
}

}  // namespace pilum
