// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/prewarm.h"

#include <gtest/gtest.h>

#include "pilum/dataset/index_search.h"
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

TEST_F(PrewarmTest, TheIndexesOfAGenerationAreOpenedToo) {
  auto manifest = std::make_shared<Manifest>(dataset_->manifest());
  lance::table::MemWalIndexDetails details;
  details.add_maintained_indexes("v_idx");
  manifest->indexes.mutable_indices(0)->mutable_index_details()->set_value(details.SerializeAsString());
  auto* index = manifest->indexes.add_indices();
  index->set_name("v_idx");
  index->add_fields(1);
  index->mutable_index_details()->set_type_url("/lance.table.BTreeIndexDetails");
  dataset_ = Dataset::FromManifest(dataset_->location(), manifest, std::make_shared<Session>());
  const auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}, {2, "b"}})).ok() && writer->Close().ok());
  ASSERT_TRUE(PrewarmMemWal(*dataset_, {Snapshot()}, nullptr).ok());
  OpenOptions options;
  options.session = dataset_->session();
  const std::string path = ShardDirectory(kShard) + "/" + Flushed()[0].path;
  const auto generation =
      Dataset::Open({SubStore(store_, path), JoinPath(dataset_->location().uri, path)}, options).ValueOrDie();
  const auto segments = BTreeSegmentsOn(generation->manifest(), 1);
  ASSERT_EQ(segments.size(), 1);
  counter_->Reset();
  ASSERT_TRUE(OpenSegment(*generation->session(), generation->location(), *segments[0]).ok());
  EXPECT_EQ(counter_->num_requests(StoreOperation::kOpen) + counter_->num_reads(), 0) << "it is open already";
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
