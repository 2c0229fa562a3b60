// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/sharding.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace pilum {

namespace {

std::shared_ptr<arrow::Array> Values(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

class ShardingTest : public ::testing::Test {
 protected:
  /// A batch and a spec of one field over it.
  ShardingTest() {
    const auto inner = arrow::struct_({arrow::field("x", arrow::int32())});
    const auto arrow_schema = arrow::schema(
        {arrow::field("id", arrow::int32()), arrow::field("s", arrow::utf8()), arrow::field("st", inner)});
    schema_ = Schema::FromArrow(*arrow_schema).ValueOrDie();
    batch_ = arrow::RecordBatch::Make(
        arrow_schema, 4,
        {Values(arrow::int32(), "[1, 2, null, 3]"), Values(arrow::utf8(), R"(["a", "b", null, "c"])"),
         Values(inner, R"([{"x": 1}, {"x": 2}, null, {"x": 3}])")});
    field_ = spec_.add_fields();
    field_->set_field_id("bucket");
    field_->set_transform("bucket");
    (*field_->mutable_parameters())["num_buckets"] = "8";
    field_->add_source_ids(0);
  }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Evaluate() {
    return EvaluateShardingSpec(batch_, spec_, *schema_);
  }
  std::string Error() {
    const auto status = Evaluate().status();
    EXPECT_TRUE(status.IsInvalid()) << status;
    return status.message();
  }

  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  lance::table::ShardingSpec spec_;
  lance::table::ShardingField* field_;
};

}  // namespace

TEST(ShardingHashTest, WordsAndBytesHashAsInSpark) {
  EXPECT_EQ(internal::HashInt32(0), 0x2362f9deU);
  EXPECT_EQ(internal::HashInt32(1), 0xfbf1402aU);
  EXPECT_EQ(internal::HashInt32(static_cast<uint32_t>(-1)), 0x76293b50U);
  EXPECT_EQ(internal::HashInt32(34), 0x8d09b903U);
  EXPECT_EQ(internal::HashInt64(0), 0x63852afcU);
  EXPECT_EQ(internal::HashInt64(1), 0x53075d44U);
  EXPECT_EQ(internal::HashInt64(static_cast<uint64_t>(-1)), 0x627564e8U);
  EXPECT_EQ(internal::HashInt64(34), 0x783ca153U);
  EXPECT_EQ(internal::HashBytes(""), 0U);
  EXPECT_EQ(internal::HashBytes("a"), 0x2b038801U);
  EXPECT_EQ(internal::HashBytes("abc"), 0xcd632798U);
  EXPECT_EQ(internal::HashBytes("abcd"), 0x43ed676aU);
  EXPECT_EQ(internal::HashBytes("iceberg"), 0x45e6c4f4U);
  EXPECT_EQ(internal::HashBytes("\xc3\xa9"), 0xf6d63f31U);
}

// What pylance 8.0.0 computes for these values, with enough buckets to see the whole hash.
TEST(ShardingHashTest, EveryTypeIsBucketedAsByPylance) {
  struct Case {
    std::shared_ptr<arrow::DataType> type;
    std::string values;
    std::string buckets;
  };
  const std::vector<Case> cases = {
      {arrow::boolean(), "[true, false, null]", "[2079408170, 593689054, 0]"},
      {arrow::int8(), "[-128, -1, 7, null]", "[827911477, 1982413648, 1343918321, 0]"},
      {arrow::int16(), "[-32768, -1, 300]", "[1312058845, 1982413648, 1345262160]"},
      {arrow::int32(), "[-2147483648, -1, 1, 34, null]", "[429184916, 1982413648, 2079408170, 218740995, 0]"},
      {arrow::int64(), "[-9223372036854775808, -1, 1, 34, null, 1099511627776]",
       "[1366273829, 1651860712, 1392991556, 2017239379, 0, 703999778]"},
      {arrow::uint8(), "[255, 1]", "[1815112793, 2079408170]"},
      {arrow::uint16(), "[65535, 1]", "[161193326, 2079408170]"},
      {arrow::uint32(), "[4294967295, 1]", "[1982413648, 2079408170]"},
      {arrow::uint64(), "[18446744073709551615, 1]", "[1651860712, 1392991556]"},
      {arrow::float32(), "[0.0, -0.0, NaN, 1.5, -2.25, Inf]",
       "[593689054, 593689054, 1927335251, 376679366, 1281675565, 1118670520]"},
      {arrow::float64(), "[0.0, -0.0, NaN, 1.5, -2.25, Inf]",
       "[1669671676, 1669671676, 1428788237, 1887077339, 521450829, 420913893]"},
      {arrow::date32(), "[-1, 19000]", "[1982413648, 1885413836]"},
      {arrow::time32(arrow::TimeUnit::SECOND), "[1, 86399]", "[2079408170, 722449817]"},
      {arrow::time64(arrow::TimeUnit::NANO), "[1, 86399000000000]", "[1392991556, 411953657]"},
      {arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[-1, 1700000000000000]", "[1651860712, 1446306449]"},
      {arrow::utf8(), R"(["", "a", "abc", "abcd", "iceberg", "é", null])",
       "[0, 721651713, 1298343832, 1139631978, 1172751604, 1993752369, 0]"},
      {arrow::large_utf8(), R"(["", "iceberg", "éé€"])", "[0, 1172751604, 471799524]"}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.type->ToString());
    const auto buckets = internal::ComputeBuckets(*Values(c.type, c.values), 2147483647).ValueOrDie();
    EXPECT_TRUE(buckets->Equals(Values(arrow::int32(), c.buckets))) << buckets->ToString();
  }
}

TEST(ShardingHashTest, OtherTypesCannotBeBucketed) {
  for (const auto& type : {arrow::date64(), arrow::binary(), arrow::float16(), arrow::null()}) {
    const auto values = arrow::MakeArrayOfNull(type, 1).ValueOrDie();
    EXPECT_TRUE(internal::ComputeBuckets(*values, 4).status().IsInvalid()) << type->ToString();
  }
}

TEST_F(ShardingTest, ABucketColumnHasTheNameOfItsFieldAndNoNulls) {
  const auto keys = Evaluate().ValueOrDie();
  ASSERT_EQ(keys->num_columns(), 1);
  EXPECT_TRUE(keys->schema()->field(0)->Equals(arrow::field("bucket", arrow::int32(), false)));
  EXPECT_TRUE(keys->column(0)->Equals(Values(arrow::int32(), "[2, 7, 0, 1]"))) << keys->ToString();
}

TEST_F(ShardingTest, SlicesAreReadFromTheirOffset) {
  batch_ = batch_->Slice(1, 2);
  EXPECT_TRUE(Evaluate().ValueOrDie()->column(0)->Equals(Values(arrow::int32(), "[7, 0]")));
}

TEST_F(ShardingTest, IdentityIsTheSourceItself) {
  field_->set_transform("identity");
  field_->set_source_ids(0, 1);
  const auto keys = Evaluate().ValueOrDie();
  EXPECT_TRUE(keys->column(0)->Equals(batch_->column(1)));
  EXPECT_TRUE(keys->schema()->field(0)->nullable());
}

TEST_F(ShardingTest, UnshardedIsZeroWithoutASource) {
  field_->set_transform("unsharded");
  field_->clear_source_ids();
  EXPECT_TRUE(Evaluate().ValueOrDie()->column(0)->Equals(Values(arrow::int32(), "[0, 0, 0, 0]")));
}

TEST_F(ShardingTest, NestedSourcesAreFoundThroughTheirStructs) {
  field_->set_source_ids(0, 3);
  EXPECT_TRUE(Evaluate().ValueOrDie()->column(0)->Equals(Values(arrow::int32(), "[2, 7, 0, 1]")))
      << "a value in a null struct is null";
  const auto flat = arrow::schema({arrow::field("st.x", arrow::int32())});
  batch_ = arrow::RecordBatch::Make(flat, 1, {Values(arrow::int32(), "[3]")});
  EXPECT_TRUE(Evaluate().ValueOrDie()->column(0)->Equals(Values(arrow::int32(), "[1]")));
}

TEST_F(ShardingTest, AColumnParameterWinsUnlessItIsBlank) {
  (*field_->mutable_parameters())["column"] = "s";
  EXPECT_TRUE(Evaluate().ValueOrDie()->column(0)->Slice(0, 3)->Equals(Values(arrow::int32(), "[1, 5, 0]")));
  (*field_->mutable_parameters())["column"] = "  ";
  EXPECT_TRUE(Evaluate().ValueOrDie()->column(0)->Equals(Values(arrow::int32(), "[2, 7, 0, 1]")));
}

TEST_F(ShardingTest, ErrorsNameTheFieldAndTheReason) {
  for (const char* bad : {"0", "-1", "x", "", "8x", "2147483648"}) {
    (*field_->mutable_parameters())["num_buckets"] = bad;
    EXPECT_EQ(Error(),
              "sharding field 'bucket': num_buckets is '" + std::string(bad) + "' and not a positive int32");
  }
  field_->mutable_parameters()->erase("num_buckets");
  EXPECT_EQ(Error(), "sharding field 'bucket': no parameter num_buckets");
  field_->set_source_ids(0, 77);
  EXPECT_EQ(Error(), "sharding field 'bucket': the table has no field with the source id 77");
  field_->clear_source_ids();
  EXPECT_EQ(Error(), "sharding field 'bucket': no source column");
  (*field_->mutable_parameters())["column"] = "id.x";
  EXPECT_EQ(Error(), "sharding field 'bucket': column 'id.x' not found in batch");
  field_->set_transform("expression");
  EXPECT_EQ(Error(), "sharding field 'bucket': unsupported transform 'expression'");
  spec_.clear_fields();
  EXPECT_EQ(Error(), "sharding spec 0 has no fields");
}

}  // namespace pilum
