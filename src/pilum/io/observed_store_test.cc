// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/observed_store.h"

#include <gtest/gtest.h>

#include "pilum/io/memory_store.h"

namespace pilum {

TEST(StoreCounterTest, CountsRequestsAfterCoalescing) {
  auto counter = std::make_shared<StoreCounter>();
  auto store = ObserveStore(MakeMemoryStore(), counter);
  ASSERT_TRUE(store->Put("x", AsSpan(std::string(100'000, 'x')), Durability::kProcessCrash).ok());
  auto object = store->Open("x").ValueOrDie();
  ASSERT_TRUE(object->ReadMany(std::vector<ByteRange>{{0, 10}, {100, 10}, {50'000, 10}}).ok());
  EXPECT_EQ(counter->num_requests(StoreOperation::kPut), 1);
  EXPECT_EQ(counter->num_reads(), 2);
  EXPECT_EQ(counter->bytes_read(), 110 + 10);
  ASSERT_TRUE(store->Get("x").ok());
  EXPECT_EQ(counter->num_reads(), 3);
  EXPECT_EQ(counter->bytes_read(), 120 + 100'000);
  counter->Reset();
  EXPECT_EQ(counter->num_reads(), 0);
}

TEST(StoreCounterTest, FailedRequestsDoNotCount) {
  auto counter = std::make_shared<StoreCounter>();
  auto store = ObserveStore(MakeMemoryStore(), counter);
  EXPECT_FALSE(store->Get("missing").ok());
  EXPECT_EQ(counter->num_reads(), 0);
}

TEST(FaultInjectorTest, FailsBeforeOrAfterTheEffect) {
  auto faults = std::make_shared<FaultInjector>();
  auto store = ObserveStore(MakeMemoryStore(), faults);
  faults->Fail(StoreOperation::kPutIfAbsent, "wal/", 1, FaultInjector::When::kBefore);
  EXPECT_TRUE(store->PutIfAbsent("data/1", AsSpan("1"), Durability::kPowerLoss).ok()) << "another path";
  EXPECT_TRUE(store->PutIfAbsent("wal/1", AsSpan("1"), Durability::kPowerLoss).IsIOError());
  EXPECT_FALSE(store->Exists("wal/1").ValueOrDie());
  EXPECT_TRUE(store->PutIfAbsent("wal/1", AsSpan("1"), Durability::kPowerLoss).ok()) << "one time only";

  faults->Fail(StoreOperation::kPutIfAbsent, "wal/", 1, FaultInjector::When::kAfter);
  EXPECT_TRUE(store->PutIfAbsent("wal/2", AsSpan("2"), Durability::kPowerLoss).IsIOError());
  EXPECT_TRUE(store->Exists("wal/2").ValueOrDie()) << "the answer was lost, the effect was not";
}

TEST(FaultInjectorTest, HealForgetsTheRules) {
  auto faults = std::make_shared<FaultInjector>();
  auto store = ObserveStore(MakeMemoryStore(), faults);
  faults->Fail(StoreOperation::kList, "", 100, FaultInjector::When::kBefore);
  EXPECT_FALSE(store->List("").ok());
  faults->Heal();
  EXPECT_TRUE(store->List("").ok());
}

}  // namespace pilum
