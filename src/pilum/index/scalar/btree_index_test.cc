// SPDX-License-Identifier: Apache-2.0
#include "pilum/index/scalar/btree_index.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using Ids = std::vector<uint64_t>;

/// Pairs of value i * 2 / repeats and id i, after `nulls` null values with ids behind all others.
std::shared_ptr<arrow::RecordBatch> EvenNumbers(int64_t n, int64_t repeats, int64_t nulls) {
  arrow::Int64Builder values;
  arrow::UInt64Builder ids;
  for (int64_t i = 0; i < nulls; ++i) {
    EXPECT_TRUE(values.AppendNull().ok() && ids.Append(static_cast<uint64_t>(n + i)).ok());
  }
  for (int64_t i = 0; i < n; ++i) {
    EXPECT_TRUE(values.Append(i / repeats * 2).ok() && ids.Append(static_cast<uint64_t>(i)).ok());
  }
  const auto schema =
      arrow::schema({arrow::field("values", arrow::int64()), arrow::field("ids", arrow::uint64(), false)});
  return arrow::RecordBatch::Make(schema, n + nulls,
                                  {values.Finish().ValueOrDie(), ids.Finish().ValueOrDie()});
}

class BTreeIndexTest : public ::testing::Test {
 protected:
  std::shared_ptr<BTreeIndex> Write(const arrow::RecordBatchVector& batches, int64_t page_rows) {
    BTreeWriteOptions options;
    options.page_rows = page_rows;
    const auto type = batches.empty() ? arrow::int64() : batches[0]->column(0)->type();
    EXPECT_TRUE(WriteBTreeIndex(*store_, type, batches, options).ok());
    return BTreeIndex::Open(store_).ValueOrDie();
  }
  static Ids Find(BTreeIndex& index, int64_t value) {
    return index.Lookup(arrow::Int64Scalar(value)).ValueOrDie();
  }

  std::shared_ptr<StoreCounter> counter_ = std::make_shared<StoreCounter>();
  std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore();
  std::shared_ptr<ObjectStore> store_ = ObserveStore(memory_, counter_);
};

}  // namespace

TEST_F(BTreeIndexTest, FindsEveryValueAndNoOther) {
  const auto index = Write({EvenNumbers(1000, 1, 10)}, 64);
  EXPECT_EQ(index->num_pages(), 16);
  for (int64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(Find(*index, i * 2), (Ids{static_cast<uint64_t>(i)}));
    ASSERT_EQ(Find(*index, i * 2 + 1), Ids{});
  }
  EXPECT_EQ(Find(*index, -1), Ids{});
  EXPECT_EQ(Find(*index, 5000), Ids{});
}

TEST_F(BTreeIndexTest, RepeatedValuesCrossPageBorders) {
  const auto index = Write({EvenNumbers(100, 25, 3)}, 8);
  for (uint64_t k = 0; k < 4; ++k) {
    Ids expected;
    for (uint64_t i = 0; i < 25; ++i) expected.push_back(k * 25 + i);
    EXPECT_EQ(Find(*index, static_cast<int64_t>(k) * 2), expected);
  }
}

TEST_F(BTreeIndexTest, BatchesNeedNotBePages) {
  const auto all = EvenNumbers(100, 1, 0);
  const auto index = Write({all->Slice(0, 33), all->Slice(33, 1), all->Slice(34)}, 10);
  for (int64_t i = 0; i < 100; ++i) ASSERT_EQ(Find(*index, i * 2), (Ids{static_cast<uint64_t>(i)}));
}

TEST_F(BTreeIndexTest, NullsAndEmptyIndexesMatchNothing) {
  const auto nulls = Write({EvenNumbers(0, 1, 20)}, 8);
  EXPECT_EQ(Find(*nulls, 0), Ids{});
  EXPECT_EQ(nulls->Lookup(*arrow::MakeNullScalar(arrow::int64())).ValueOrDie(), Ids{});
  const auto empty = Write({}, 8);
  EXPECT_EQ(empty->num_pages(), 0);
  EXPECT_EQ(Find(*empty, 0), Ids{});
}

TEST_F(BTreeIndexTest, EntriesWrittenTwiceCountOnce) {
  const auto schema =
      arrow::schema({arrow::field("values", arrow::utf8()), arrow::field("ids", arrow::uint64(), false)});
  const auto batch = arrow::RecordBatch::Make(
      schema, 4,
      {arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a", "a", "b", "b"])").ValueOrDie(),
       arrow::json::ArrayFromJSONString(arrow::uint64(), "[7, 7, 1, 2]").ValueOrDie()});
  const auto index = Write({batch}, 4096);
  EXPECT_EQ(index->Lookup(arrow::StringScalar("a")).ValueOrDie(), (Ids{7}));
  EXPECT_EQ(index->Lookup(arrow::StringScalar("b")).ValueOrDie(), (Ids{1, 2}));
}

TEST_F(BTreeIndexTest, ALookupReadsOnePageAndKeepsIt) {
  const auto index = Write({EvenNumbers(100'000, 1, 0)}, 1000);
  EXPECT_EQ(Find(*index, 0).size(), 1);  // opens the page file
  counter_->Reset();
  EXPECT_EQ(Find(*index, 100'000).size(), 1);
  EXPECT_LE(counter_->num_reads(), 2) << "values and ids of one page";
  counter_->Reset();
  EXPECT_EQ(Find(*index, 100'002).size(), 1);
  EXPECT_EQ(Find(*index, 100'001).size(), 0);
  EXPECT_EQ(counter_->num_reads(), 0);
}

TEST_F(BTreeIndexTest, ManyValuesReadEachPageOnce) {
  const auto index = Write({EvenNumbers(10'000, 1, 0)}, 1000);
  EXPECT_EQ(Find(*index, 0).size(), 1);
  counter_->Reset();
  const auto values =
      arrow::json::ArrayFromJSONString(arrow::int64(), "[4000, 4002, null, 4001, 4000, 14000]").ValueOrDie();
  const auto found = index->LookupMany(*values).ValueOrDie();
  EXPECT_EQ(found, (std::vector<Ids>{{2000}, {2001}, {}, {}, {2000}, {7000}}));
  EXPECT_LE(counter_->num_reads(), 4);
}

TEST_F(BTreeIndexTest, AllIdsAreThereOnceInOrder) {
  Ids expected(107);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = i;
  EXPECT_EQ(Write({EvenNumbers(100, 3, 7)}, 16)->AllIds().ValueOrDie(), expected);
  EXPECT_EQ(Write({}, 16)->AllIds().ValueOrDie(), Ids{});
}

TEST_F(BTreeIndexTest, AnotherTypeIsAnError) {
  const auto index = Write({EvenNumbers(10, 1, 0)}, 4);
  EXPECT_TRUE(index->Lookup(arrow::Int32Scalar(2)).status().IsTypeError());
}

TEST_F(BTreeIndexTest, MissingAndDamagedFilesAreNamed) {
  EXPECT_TRUE(IsNotFound(BTreeIndex::Open(store_).status()));
  Write({EvenNumbers(10, 1, 0)}, 4);
  const std::string pages(AsStringView(*memory_->Get("page_data.lance").ValueOrDie()));
  ASSERT_TRUE(memory_->Put("page_data.lance", AsSpan(pages.substr(0, 30)), Durability::kProcessCrash).ok());
  auto status = BTreeIndex::Open(store_).ValueOrDie()->Lookup(arrow::Int64Scalar(2)).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_NE(status.message().find("page_data.lance"), std::string::npos) << status;
  ASSERT_TRUE(memory_->Put("page_lookup.lance", AsSpan(pages), Durability::kProcessCrash).ok());
  status = BTreeIndex::Open(store_).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
}

TEST_F(BTreeIndexTest, FewerRowsThanPagesIsDamage) {
  Write({EvenNumbers(10, 1, 0)}, 4);
  const auto lookup = memory_->Get("page_lookup.lance").ValueOrDie();
  Write({EvenNumbers(4, 1, 0)}, 4);
  ASSERT_TRUE(memory_->Put("page_lookup.lance", AsSpan(*lookup), Durability::kProcessCrash).ok());
  const auto status = BTreeIndex::Open(store_).ValueOrDie()->Lookup(arrow::Int64Scalar(18)).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
}

}  // namespace pilum
