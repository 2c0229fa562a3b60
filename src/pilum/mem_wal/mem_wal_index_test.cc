// SPDX-License-Identifier: Apache-2.0
//
// The list "API" of spec 41 §22, but for writers, which have their own tests.
#include "pilum/mem_wal/mem_wal_index.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <limits>

#include "pilum/io/memory_store.h"
#include "pilum/mem_wal/shard_writer.h"
#include "pilum/mem_wal/test_rows.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

class MemWalIndexTest : public ::testing::Test {
 protected:
  std::shared_ptr<Dataset> Create() {
    const auto schema =
        arrow::schema({arrow::field("id", arrow::int64()), arrow::field("s", arrow::utf8()),
                       arrow::field("f", arrow::float64()), arrow::field("b", arrow::binary())});
    auto reader = arrow::RecordBatchReader::Make({}, schema).ValueOrDie();
    return Dataset::Write(std::move(reader), StoreLocation{MakeMemoryStore(), "table"}).ValueOrDie();
  }
  lance::table::MemWalIndexDetails Details(InitializeMemWalBuilder& builder) {
    return MemWalIndexDetails(*builder.Execute().ValueOrDie()).ValueOrDie().value();
  }
  static std::string Failure(InitializeMemWalBuilder& builder) {
    const auto status = builder.Execute().status();
    EXPECT_TRUE(status.IsInvalid()) << status;
    return status.message();
  }
};

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_F(MemWalIndexTest, ATableHasNoneBeforeItIsInitialised) {
  EXPECT_FALSE(MemWalIndexDetails(*Create()).ValueOrDie().has_value());
}

TEST_F(MemWalIndexTest, ManualShardingRecordsNothing) {
  InitializeMemWalBuilder builder(Create());
  EXPECT_EQ(Details(builder).SerializeAsString(), "");
}

TEST_F(MemWalIndexTest, TheEntryIsASystemIndex) {
  const auto dataset = InitializeMemWalBuilder(Create()).Execute().ValueOrDie();
  EXPECT_EQ(dataset->version(), 2);
  const auto* index = dataset->manifest().FindIndex(kMemWalIndexName);
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->fields_size(), 0);
  EXPECT_EQ(index->dataset_version(), 1);
  EXPECT_TRUE(index->has_index_version());
  EXPECT_EQ(index->index_details().type_url(), "/lance.table.MemWalIndexDetails");
}

TEST_F(MemWalIndexTest, BucketDetailsAreTheBytesOfTheFormat) {
  InitializeMemWalBuilder builder(Create());
  builder.BucketSharding("id", 16);
  const std::string expected(
      "\x10\x10\x3a\x31\x08\x01\x12\x2d\x0a\x06"
      "bucket\x12\x01\x00\x1a\x06"
      "bucket\x2a\x05int32\x32\x11\x0a\x0bnum_buckets\x12\x02"
      "16",
      53);
  EXPECT_EQ(Details(builder).SerializeAsString(), expected);
}

TEST_F(MemWalIndexTest, UnshardedAndIdentity) {
  InitializeMemWalBuilder unsharded(Create());
  unsharded.BucketSharding("id", 4).Unsharded();  // the last call wins
  const auto one = Details(unsharded);
  EXPECT_EQ(one.num_shards(), 1);
  EXPECT_EQ(one.sharding_specs(0).fields(0).transform(), "unsharded");
  InitializeMemWalBuilder identity(Create());
  identity.IdentitySharding("s");
  const auto many = Details(identity);
  EXPECT_EQ(many.num_shards(), 0);
  EXPECT_EQ(many.sharding_specs(0).fields(0).result_type(), "utf8");
  EXPECT_EQ(many.sharding_specs(0).fields(0).source_ids(0), 1);
}

TEST_F(MemWalIndexTest, BadShardingIsRefused) {
  for (const uint32_t buckets : {0u, 1025u}) {
    InitializeMemWalBuilder builder(Create());
    builder.BucketSharding("id", buckets);
    EXPECT_TRUE(
        Contains(Failure(builder), "num_buckets must be in [1, 1024], got " + std::to_string(buckets)));
  }
  InitializeMemWalBuilder missing(Create());
  missing.BucketSharding("zz", 4);
  EXPECT_TRUE(Contains(Failure(missing), "'zz' not found on the dataset"));
  InitializeMemWalBuilder binary(Create());
  binary.BucketSharding("b", 4);
  EXPECT_TRUE(Contains(Failure(binary), "cannot be used as a shard key"));
  InitializeMemWalBuilder floating(Create());
  floating.IdentitySharding("f");
  EXPECT_TRUE(Contains(Failure(floating), "cannot be used as a shard key"));
}

TEST_F(MemWalIndexTest, MaintainedIndexesMustExist) {
  InitializeMemWalBuilder builder(Create());
  builder.MaintainedIndexes({"nope_idx"});
  EXPECT_TRUE(Contains(Failure(builder), "Index 'nope_idx' not found on dataset"));
}

TEST_F(MemWalIndexTest, ATableIsInitialisedOnce) {
  const auto dataset = InitializeMemWalBuilder(Create()).Execute().ValueOrDie();
  InitializeMemWalBuilder again(dataset);
  EXPECT_TRUE(Contains(Failure(again), "already initialized"));
}

TEST_F(MemWalIndexTest, TwoThatInitialiseAtOnceDoNotBothWin) {
  const auto dataset = Create();
  ASSERT_TRUE(InitializeMemWalBuilder(dataset).Execute().ok());
  const auto status = InitializeMemWalBuilder(dataset).Execute().status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kRetryableCommitConflict)) << status;
}

TEST_F(MemWalIndexTest, DefaultsAreRecordedAsText) {
  InitializeMemWalBuilder builder(Create());
  ShardWriterConfig config;
  config.durable_write = false;
  config.stats_log_interval.reset();
  builder.WriterConfigDefaults(config).AddWriterConfigDefault("max_memtable_size", "7");
  const auto defaults = Details(builder).writer_config_defaults();
  EXPECT_EQ(defaults.at("durable_write"), "false");
  EXPECT_EQ(defaults.at("max_wal_flush_interval_ms"), "100");
  EXPECT_EQ(defaults.at("max_memtable_size"), "7");
  EXPECT_FALSE(defaults.contains("stats_log_interval_ms"));
}

TEST_F(MemWalIndexTest, BadOptionsAreNamed) {
  ShardWriterConfig config;
  const auto status = config.Set("max_memtable_size", "many");
  EXPECT_TRUE(status.IsInvalid() && Contains(status.message(), "max_memtable_size") &&
              Contains(status.message(), "many"))
      << status;
  EXPECT_TRUE(config.Set("durable_write", "yes").IsInvalid());
  EXPECT_TRUE(config.Set("unknown", "x").ok());
  EXPECT_TRUE(config.Set("max_memtable_size", "-1").IsInvalid());
  ASSERT_TRUE(config.Set("max_memtable_size", "18446744073709551615").ok()) << "as other writers record it";
  EXPECT_EQ(config.max_memtable_size, std::numeric_limits<int64_t>::max());
}

TEST_F(MemWalIndexTest, AnIntervalOfZeroIsAtOnceForTheLogAndNeverForStatistics) {
  ShardWriterConfig config;
  ASSERT_TRUE(config.Set("max_wal_flush_interval_ms", "0").ok());
  ASSERT_TRUE(config.Set("stats_log_interval_ms", "0").ok());
  const auto recorded = config.ToStrings();
  EXPECT_EQ(recorded.at("max_wal_flush_interval_ms"), "0");
  EXPECT_FALSE(recorded.contains("stats_log_interval_ms"));
}

TEST_F(MemWalIndexTest, ShardsAreTheFoldersNamedByUuids) {
  const auto dataset = InitializeMemWalBuilder(Create()).Execute().ValueOrDie();
  EXPECT_TRUE(ListMemWalLatestShardIds(*dataset).ValueOrDie().empty());
  for (const char* path :
       {"_mem_wal/99999999-2222-4333-8444-555555555555/x", "_mem_wal/11111111-2222-4333-8444-555555555555/x",
        "_mem_wal/not-a-uuid/x", "_mem_wal/22222222-2222-4333-8444-555555555555"}) {
    ASSERT_TRUE(dataset->store()->Put(path, AsSpan("x"), Durability::kProcessCrash).ok());
  }
  EXPECT_EQ(ListMemWalLatestShardIds(*dataset).ValueOrDie(), (std::vector<Uuid>{kShard, kOtherShard}));
  EXPECT_FALSE(ReadShardSnapshot(*dataset, kShard).ValueOrDie().has_value()) << "a folder without a manifest";
}

// Defect 15: shards of an earlier MemWAL came back to life.
TEST_F(MemWalIndexTest, LeftoverShardsHaveToBeAdopted) {
  const auto dataset = Create();
  ASSERT_TRUE(dataset->store()
                  ->Put("_mem_wal/" + kShard.ToString() + "/x", AsSpan("x"), Durability::kProcessCrash)
                  .ok());
  InitializeMemWalBuilder builder(dataset);
  EXPECT_TRUE(Contains(Failure(builder), "adopt"));
  EXPECT_TRUE(InitializeMemWalBuilder(dataset).AdoptExistingShards().Execute().ok());
}

TEST_F(MemWalIndexTest, DetailsThatDoNotParseAreNamed) {
  const auto dataset = InitializeMemWalBuilder(Create()).Execute().ValueOrDie();
  auto manifest = std::make_shared<Manifest>(dataset->manifest());
  manifest->indexes.mutable_indices(0)->mutable_index_details()->set_value("\xff\xff");
  EXPECT_TRUE(HasErrorKind(
      MemWalIndexDetails(*Dataset::FromManifest(dataset->location(), manifest, nullptr)).status(),
      ErrorKind::kCorruptFile));
  manifest->indexes.mutable_indices(0)->mutable_index_details()->set_type_url(
      "/lance.table.BTreeIndexDetails");
  EXPECT_TRUE(MemWalIndexDetails(*Dataset::FromManifest(dataset->location(), manifest, nullptr))
                  .status()
                  .IsInvalid());
}

}  // namespace pilum
