// SPDX-License-Identifier: Apache-2.0
#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>
#include <gtest/gtest.h>

#include <random>

#include "pilum/dataset/live_rows.h"
#include "pilum/dataset/test_tables.h"

namespace pilum {

namespace {

using Values = std::vector<int64_t>;

class TakeTest : public DatasetTest {
 protected:
  static Values Take(const std::shared_ptr<Dataset>& dataset, const Values& rows) {
    return ValuesOf(dataset->Take(rows).ValueOrDie());
  }
};

}  // namespace

TEST_F(TakeTest, OrderAndRepeatsAreKept) {
  const auto dataset = Create(100, 30);
  const Values rows = {99, 0, 30, 29, 30, 61, 0};
  EXPECT_EQ(Take(dataset, rows), rows);
  EXPECT_EQ(Take(dataset, {}), Values{});
  EXPECT_EQ(dataset->Take(Values{5}, {"s", "_rowid"}).ValueOrDie()->ColumnNames(),
            (std::vector<std::string>{"s", "_rowid"}));
}

TEST_F(TakeTest, PositionsCountLiveRows) {
  auto dataset = Delete(Create(40, 10), 0, {0, 4});
  dataset = Delete(dataset, 2, {9});
  EXPECT_EQ(Take(dataset, {0, 2, 3, 7, 8, 36}), (Values{1, 3, 5, 9, 10, 39}));
  EXPECT_TRUE(dataset->Take(Values{37}).status().IsIndexError());
  EXPECT_TRUE(dataset->Take(Values{-1}).status().IsIndexError());
}

TEST_F(TakeTest, AddressesOfDeletedRowsAreDropped) {
  const auto dataset = Delete(Create(20, 10), 1, {3});
  const std::vector<uint64_t> addresses = {(uint64_t{1} << 32) + 4, 2, (uint64_t{1} << 32) + 3, 2};
  const auto rows = dataset->TakeAddresses(addresses).ValueOrDie();
  EXPECT_EQ(ValuesOf(arrow::Table::FromRecordBatches({rows}).ValueOrDie()), (Values{14, 2, 2}));
  for (const uint64_t nowhere : {uint64_t{5} << 32, uint64_t{10}}) {
    EXPECT_TRUE(dataset->TakeAddresses({&nowhere, 1}).status().IsIndexError()) << nowhere;
  }
}

TEST_F(TakeTest, OneRowOfAnOpenFileIsOneRequestAColumn) {
  const auto dataset = Create(10'000, 10'000);
  EXPECT_EQ(Take(dataset, {77}), (Values{77}));  // opens the file and the columns
  counter_->Reset();
  EXPECT_EQ(Take(dataset, {8000}), (Values{8000}));
  EXPECT_LE(counter_->num_reads(), 2);
  EXPECT_EQ(counter_->num_requests(StoreOperation::kOpen), 0);
}

TEST_F(TakeTest, LargeTakesAreSharedOutAndGiveTheSame) {
  auto dataset = Delete(Create(4000, 900), 1, {0, 1, 2, 500});
  const Values live = ValuesOf(dataset->NewScan({}).ValueOrDie()->ToTable().ValueOrDie());
  std::mt19937_64 random(9);
  Values rows, expected;
  for (int i = 0; i < 3000; ++i) {
    rows.push_back(static_cast<int64_t>(random() % live.size()));
    expected.push_back(live[static_cast<size_t>(rows.back())]);
  }
  EXPECT_EQ(Take(dataset, rows), expected);
  const auto on_the_pool =
      arrow::internal::GetCpuThreadPool()->Submit([&] { return Take(dataset, rows); }).ValueOrDie();
  EXPECT_EQ(on_the_pool.result().ValueOrDie(), expected) << "a thread of the pool does not wait for the pool";
  faults_->Fail(StoreOperation::kRead, "", 1, FaultInjector::When::kBefore);
  EXPECT_TRUE(dataset->Take(rows).status().IsIOError());
  EXPECT_EQ(Take(dataset, rows), expected);
}

TEST_F(TakeTest, LiveRowsAreFoundForAnyDeletions) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 50; ++round) {
    DeletionVector deleted;
    std::vector<int64_t> live;
    for (uint32_t row = 0; row < 200; ++row) {
      if (random() % 100 < static_cast<uint64_t>(round * 2)) {
        deleted.add(row);
      } else {
        live.push_back(row);
      }
    }
    for (size_t rank = 0; rank < live.size(); ++rank) {
      ASSERT_EQ(OffsetOfLiveRow(&deleted, static_cast<int64_t>(rank)), live[rank]) << round;
    }
  }
  EXPECT_EQ(OffsetOfLiveRow(nullptr, 7), 7);
}

}  // namespace pilum
