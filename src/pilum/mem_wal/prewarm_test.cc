// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/prewarm.h"

#include <gtest/gtest.h>

#include "pilum/mem_wal/lsm_point_lookup_planner.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/mem_wal/test_rows.h"
#include "pilum/util/error.h"

namespace pilum {

using PrewarmTest = MemWalTest;

TEST_F(PrewarmTest, ThePlannersCacheThenHoldsTheGeneration) {
  const auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}})).ok() && writer->Close().ok());
  const auto cache = std::make_shared<FlushedMemTableCache>();
  ASSERT_TRUE(PrewarmMemWal(*dataset_, {Snapshot()}, cache).ok());
  EXPECT_TRUE(cache->Contains(ShardDirectory(kShard) + "/" + Flushed()[0].path));
  const auto planner = LsmPointLookupPlanner::Make(LsmDataSourceCollector(dataset_, {Snapshot()}), {},
                                                   dataset_->lance_schema())
                           .ValueOrDie();
  planner->WithFlushedCache(cache);
  counter_->Reset();
  ASSERT_NE(planner->Lookup({arrow::MakeScalar(int64_t{1})}).ValueOrDie(), nullptr);
  EXPECT_EQ(counter_->num_requests(StoreOperation::kList), 0) << "no dataset was opened";
}

TEST_F(PrewarmTest, NothingToWarmIsNothingToDo) {
  counter_->Reset();
  ASSERT_TRUE(PrewarmMemWal(*dataset_, {}, nullptr).ok());
  ASSERT_TRUE(PrewarmMemWal(*dataset_, {ShardSnapshot(kShard)}, nullptr).ok());
  EXPECT_EQ(counter_->num_reads(), 0);
}

TEST_F(PrewarmTest, AMissingGenerationIsNamed) {
  ShardSnapshot snapshot(kShard);
  snapshot.with_flushed_generation(1, "nowhere_gen_1");
  EXPECT_TRUE(HasErrorKind(PrewarmMemWal(*dataset_, {snapshot}, nullptr), ErrorKind::kDatasetNotFound));
}

}  // namespace pilum
