// SPDX-License-Identifier: Apache-2.0
//
// The list "PL" of spec 41 §22, and what Pilum promises beyond it.
#include "pilum/mem_wal/lsm_point_lookup_planner.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "pilum/index/scalar/btree_index.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/mem_wal/test_rows.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using Planner = std::shared_ptr<LsmPointLookupPlanner>;
using Scalars = PrimaryKey::Scalars;

Scalars Key(int64_t id) { return {arrow::MakeScalar(id)}; }

class PointLookupTest : public MemWalTest {
 protected:
  void SetUp() override { CreateTable({{1, "base1"}, {2, "base2"}, {3, "base3"}}); }

  LsmDataSourceCollector Sources(std::vector<ShardSnapshot> snapshots = {}) {
    return {dataset_, std::move(snapshots)};
  }
  LsmDataSourceCollector FreshOnly(std::vector<ShardSnapshot> snapshots = {}) {
    return LsmDataSourceCollector::WithoutBaseTable(dataset_->location(), std::move(snapshots));
  }
  Planner Plan(LsmDataSourceCollector sources) {
    return LsmPointLookupPlanner::Make(std::move(sources), {}, dataset_->lance_schema()).ValueOrDie();
  }
  /// One generation of these rows.
  void Flush(const std::vector<std::pair<int64_t, std::string>>& rows, const Uuid& shard = kShard) {
    const auto writer = OpenWriter(shard);
    ASSERT_TRUE(writer->Put(Rows(rows)).ok());
    ASSERT_TRUE(writer->Close().ok());
  }
  /// Batches in memory, indexed and visible.
  std::shared_ptr<MemTable> Memory(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                   uint64_t generation = 9) {
    auto memtable = std::make_shared<MemTable>(generation, dataset_->lance_schema(),
                                               PrimaryKey::Make(*dataset_->lance_schema()).ValueOrDie(),
                                               MemTable::Options());
    EXPECT_TRUE(memtable->Append(batches));
    EXPECT_TRUE(memtable->Index(memtable->num_batches()).ok());
    memtable->SetDurable(memtable->num_batches());
    return memtable;
  }

  static std::string Value(const std::shared_ptr<arrow::RecordBatch>& row) {
    if (row == nullptr) return "none";
    EXPECT_EQ(row->num_rows(), 1);
    return row->GetColumnByName("v")->GetScalar(0).ValueOrDie()->ToString();
  }
  static std::string Find(const Planner& planner, int64_t id) {
    return Value(planner->Lookup(Key(id)).ValueOrDie());
  }
  static std::shared_ptr<arrow::Table> RunPlan(const Planner& planner, int64_t id,
                                               const LsmPointLookupPlanner::Columns& columns = {}) {
    return planner->PlanLookup(Key(id), columns).ValueOrDie()->ToTable().ValueOrDie();
  }
};

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_F(PointLookupTest, ABasePlanHasALimit) {
  const auto text = Plan(Sources())->PlanLookup(Key(1)).ValueOrDie()->Explain();
  EXPECT_TRUE(text.starts_with("GlobalLimitExec: skip=0, fetch=1\n")) << text;
  EXPECT_TRUE(Contains(text, "LanceRead: uri=table/data")) << text;
}

TEST_F(PointLookupTest, SeveralSourcesAreCoalescedOverLimits) {
  Flush({{2, "gen2"}});
  const auto text = Plan(Sources({Snapshot()}))->PlanLookup(Key(2)).ValueOrDie()->Explain();
  EXPECT_TRUE(
      text.starts_with("CoalesceFirstExec: inputs=2\n  BloomFilterGuardExec: gen=1, "
                       "pk_hash=15623206842279745299\n    GlobalLimitExec: skip=0, fetch=1\n"))
      << text;
  EXPECT_TRUE(Contains(text, "by=_pk_index")) << text;
}

TEST_F(PointLookupTest, AFilterMayBelongToNoSource) {
  const auto planner = Plan(Sources());
  planner->WithBloomFilter(kShard, 7, SplitBlockBloomFilter(32));
  const auto plan = planner->PlanLookup(Key(1)).ValueOrDie();
  EXPECT_NE(plan->schema()->GetFieldByName("id"), nullptr);
  EXPECT_EQ(Find(planner, 1), "base1");
}

TEST_F(PointLookupTest, TheFilterNamesTheKeyColumn) {
  EXPECT_TRUE(Contains(Plan(Sources())->PlanLookup(Key(1)).ValueOrDie()->Explain(), "id == 1"));
}

TEST_F(PointLookupTest, WithoutABaseOnlyGenerationsAreRead) {
  Flush({{7, "gen7"}});
  const auto planner = Plan(FreshOnly({Snapshot()}));
  const auto text = planner->PlanLookup(Key(7)).ValueOrDie()->Explain();
  EXPECT_TRUE(Contains(text, "_gen_1") && !Contains(text, "uri=table/data")) << text;
  EXPECT_EQ(RunPlan(planner, 7)->num_rows(), 1);
  EXPECT_EQ(RunPlan(planner, 1)->num_rows(), 0);
  EXPECT_EQ(Find(planner, 7), "gen7");
  EXPECT_EQ(Find(planner, 1), "none");
}

TEST_F(PointLookupTest, ColumnsComeInTheOrderAskedForWithSystemColumns) {
  const auto planner = Plan(Sources());
  const std::vector<std::string> columns = {"id", "_rowaddr", "v", "_rowoffset"};
  const auto row = RunPlan(planner, 2, columns);
  ASSERT_EQ(row->num_rows(), 1);
  EXPECT_EQ(row->ColumnNames(), columns);
  EXPECT_EQ(row->column(1)->GetScalar(0).ValueOrDie()->ToString(), "1");
  EXPECT_FALSE(row->column(3)->GetScalar(0).ValueOrDie()->is_valid);
  const auto looked_up = planner->Lookup(Key(2), columns).ValueOrDie();
  EXPECT_TRUE(looked_up->Equals(*row->CombineChunksToBatch().ValueOrDie()));
}

TEST_F(PointLookupTest, RowAddressesOfFreshRowsAreNull) {
  Flush({{2, "gen2"}});
  const auto row = Plan(Sources({Snapshot()}))
                       ->Lookup(Key(2), std::vector<std::string>{"_rowaddr", "_rowid", "v"})
                       .ValueOrDie();
  EXPECT_EQ(row->schema()->field_names(), (std::vector<std::string>{"_rowaddr", "_rowid", "v", "id"}));
  EXPECT_TRUE(row->column(0)->IsNull(0) && row->column(1)->IsNull(0));
  EXPECT_EQ(Value(row), "gen2");
}

TEST_F(PointLookupTest, NoSourcesGiveAnEmptyPlanWithTheColumns) {
  const auto plan = Plan(FreshOnly())
                        ->PlanLookup(Key(1), std::vector<std::string>{"id", "_rowaddr", "v", "_rowid"})
                        .ValueOrDie();
  EXPECT_EQ(plan->schema()->field_names(), (std::vector<std::string>{"id", "_rowaddr", "v", "_rowid"}));
  EXPECT_EQ(plan->Explain(), "EmptyExec\n");
  EXPECT_EQ(plan->ToTable().ValueOrDie()->num_rows(), 0);
}

TEST_F(PointLookupTest, OfTwoBatchesInMemoryTheNewerWins) {
  auto sources = Sources();
  sources.WithInMemoryMemTables(kShard, {Memory({Rows({{2, "old"}}), Rows({{2, "new"}})})});
  const auto planner = Plan(std::move(sources));
  const auto rows = RunPlan(planner, 2);
  ASSERT_EQ(rows->num_rows(), 1);
  EXPECT_EQ(ToMap(rows).at(2), "new");
  EXPECT_TRUE(
      Contains(planner->PlanLookup(Key(2)).ValueOrDie()->Explain(), "BTreeIndexExec: predicate=id = 2"));
}

TEST_F(PointLookupTest, TheKeyIndexAloneFindsTheNewestInMemory) {
  auto sources = FreshOnly();
  sources.WithInMemoryMemTables(kShard, {Memory({Rows({{2, "a"}, {2, "b"}}), Rows({{5, "c"}})})});
  const auto planner = Plan(std::move(sources));
  EXPECT_EQ(Find(planner, 2), "b");
  EXPECT_EQ(Find(planner, 5), "c");
  EXPECT_EQ(Find(planner, 6), "none");
}

TEST_F(PointLookupTest, AGenerationWithoutADeletionVectorGivesItsNewestCopy) {
  Flush({{2, "old"}, {2, "new"}});
  // As if it had been written without hiding the older copy.
  const auto folder = SubStore(store_, ShardDirectory(kShard) + "/" + Flushed()[0].path);
  const auto generation = Dataset::Open({folder, "g"}).ValueOrDie();
  Manifest bare = generation->manifest();
  bare.proto.mutable_fragments(0)->clear_deletion_file();
  ASSERT_TRUE(
      folder->Put(ManifestPath(1, ManifestNaming::kV2), AsSpan(bare.Serialize()), Durability::kProcessCrash)
          .ok());
  EXPECT_EQ(Find(Plan(Sources({Snapshot()})), 2), "new");
}

TEST_F(PointLookupTest, AMissInMemoryFallsBackToTheBase) {
  auto sources = Sources();
  sources.WithInMemoryMemTables(kShard, {Memory({Rows({{2, "memory"}})})});
  const auto planner = Plan(std::move(sources));
  EXPECT_EQ(Find(planner, 2), "memory");
  EXPECT_EQ(Find(planner, 3), "base3");
  EXPECT_EQ(Find(planner, 4), "none");
}

TEST_F(PointLookupTest, AHitInMemoryTouchesNoStore) {
  auto sources = Sources();
  sources.WithInMemoryMemTables(kShard, {Memory({Rows({{2, "memory"}})})});
  const auto planner = Plan(std::move(sources));
  counter_->Reset();
  EXPECT_EQ(Find(planner, 2), "memory");
  EXPECT_EQ(counter_->num_reads(), 0);
}

TEST_F(PointLookupTest, TheKeyIsAppendedToAProjection) {
  const auto planner = Plan(Sources());
  const auto row = planner->Lookup(Key(2), std::vector<std::string>{"v"}).ValueOrDie();
  EXPECT_EQ(row->schema()->field_names(), (std::vector<std::string>{"v", "id"}));
  EXPECT_EQ(Value(row), "base2");
  const auto keys_only = planner->Lookup(Key(2), std::vector<std::string>{}).ValueOrDie();
  EXPECT_EQ(keys_only->schema()->field_names(), (std::vector<std::string>{"id"}));
}

TEST_F(PointLookupTest, BadProjectionsAreErrors) {
  const auto planner = Plan(Sources());
  EXPECT_TRUE(planner->Lookup(Key(2), std::vector<std::string>{"zz"}).status().IsInvalid());
  EXPECT_TRUE(planner->PlanLookup(Key(2), std::vector<std::string>{"v", "v"}).status().IsInvalid());
  const auto row = planner->Lookup(Key(2), std::vector<std::string>{"v", "_distance"}).ValueOrDie();
  EXPECT_EQ(row->schema()->field_names(), (std::vector<std::string>{"v", "id"}));
}

TEST_F(PointLookupTest, ValuesOfOtherTypesAreCoerced) {
  Flush({{2, "gen2"}});
  auto sources = Sources({Snapshot()});
  sources.WithInMemoryMemTables(kShard, {Memory({Rows({{4, "memory"}})})});
  const auto planner = Plan(std::move(sources));
  const auto find = [&](std::shared_ptr<arrow::Scalar> value) {
    return Value(planner->Lookup({std::move(value)}).ValueOrDie());
  };
  EXPECT_EQ(find(arrow::MakeScalar(int32_t{2})), "gen2") << "coerced before it is hashed";
  EXPECT_EQ(find(arrow::MakeScalar(int8_t{4})), "memory");
  EXPECT_EQ(find(std::make_shared<arrow::StringScalar>("3")), "base3");
  EXPECT_EQ(find(std::make_shared<arrow::StringScalar>("x")), "none");
  EXPECT_EQ(find(arrow::MakeScalar(uint64_t{1} << 63)), "none");
  EXPECT_EQ(
      planner->PlanLookup({arrow::MakeScalar(int32_t{2})}).ValueOrDie()->ToTable().ValueOrDie()->num_rows(),
      1);
  for (const auto& [type, json] :
       {std::pair(arrow::list(arrow::int64()), "[[1]]"), std::pair(arrow::boolean(), "[true]"),
        std::pair(arrow::timestamp(arrow::TimeUnit::SECOND), "[1]")}) {
    const auto value = arrow::json::ArrayFromJSONString(type, json).ValueOrDie()->GetScalar(0).ValueOrDie();
    EXPECT_TRUE(planner->Lookup({value}).status().IsInvalid()) << *type;
    EXPECT_TRUE(planner->PlanLookup({value}).status().IsInvalid()) << *type;
  }
}

TEST_F(PointLookupTest, ANullKeyMatchesNothing) {
  const auto planner = Plan(Sources());
  EXPECT_EQ(planner->Lookup({arrow::MakeNullScalar(arrow::int64())}).ValueOrDie(), nullptr);
  EXPECT_EQ(planner->PlanLookup({arrow::MakeNullScalar(arrow::int64())})
                .ValueOrDie()
                ->ToTable()
                .ValueOrDie()
                ->num_rows(),
            0);
}

TEST_F(PointLookupTest, TheNumberOfValuesMustFitTheKey) {
  const auto planner = Plan(Sources());
  EXPECT_TRUE(planner->Lookup({}).status().IsInvalid());
  EXPECT_TRUE(planner->PlanLookup({}).status().IsInvalid());
  EXPECT_TRUE(planner->Lookup({Key(1)[0], Key(2)[0]}).status().IsInvalid());
}

TEST_F(PointLookupTest, ATableWithoutAKeyIsRefused) {
  const auto schema = Schema::FromArrow(*arrow::schema({arrow::field("a", arrow::int64())})).ValueOrDie();
  EXPECT_TRUE(LsmPointLookupPlanner::Make(Sources(), {}, schema).status().IsInvalid());
  EXPECT_TRUE(LsmPointLookupPlanner::Make(Sources(), {"a"}, schema).ok()) << "columns may be named";
  EXPECT_TRUE(LsmPointLookupPlanner::Make(Sources(), {"zz"}, schema).status().IsInvalid());
}

TEST_F(PointLookupTest, ManyKeysGiveTheHitsInOrder) {
  auto sources = Sources();
  sources.WithInMemoryMemTables(kShard, {Memory({Rows({{2, "m2"}}), Rows({{2, "m2b"}, {8, "m8"}})})});
  const auto planner = Plan(std::move(sources));
  const auto rows = planner->LookupMany({Key(8), Key(77), Key(3), Key(2)}).ValueOrDie();
  ASSERT_EQ(rows->num_rows(), 3);
  EXPECT_EQ(
      rows->column(1)->ToString(),
      arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["m8", "base3", "m2b"])").ValueOrDie()->ToString());
  const auto none = planner->LookupMany({}).ValueOrDie();
  EXPECT_EQ(none->num_rows(), 0);
  EXPECT_NE(none->schema()->GetFieldByName("id"), nullptr);
  EXPECT_EQ(planner->LookupMany({Key(2), Key(2)}).ValueOrDie()->num_rows(), 2);
  EXPECT_EQ(
      planner->LookupMany({Key(2)}, std::vector<std::string>{"v"}).ValueOrDie()->schema()->field_names(),
      (std::vector<std::string>{"v", "id"}));
}

TEST_F(PointLookupTest, APlanOfManyKeysHoldsTheirRows) {
  const auto plan = Plan(Sources())->PlanPointLookup({Key(1), Key(3)}).ValueOrDie();
  EXPECT_EQ(plan->Explain(), "OneShotStream: columns=[id, v]\n");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(plan->ToTable().ValueOrDie()->num_rows(), 2);
}

TEST_F(PointLookupTest, PlansRunAgainWithEqualResults) {
  Flush({{2, "gen1"}});
  Flush({{2, "gen2"}});
  const auto plan = Plan(Sources({Snapshot()}))->PlanLookup(Key(2)).ValueOrDie();
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(ToMap(plan->ToTable().ValueOrDie()).at(2), "gen2") << "never an older version";
}

TEST_F(PointLookupTest, ALookupInAGenerationReadsItsIndexAndOneRow) {
  std::vector<std::pair<int64_t, std::string>> rows;
  for (int64_t i = 0; i < 5000; ++i) rows.emplace_back(i * 2, std::to_string(i));
  Flush(rows);
  const auto planner = Plan(FreshOnly({Snapshot()}));
  EXPECT_EQ(Find(planner, 0), "0");  // opens what is kept open
  counter_->Reset();
  EXPECT_EQ(Find(planner, 4000), "2000");
  EXPECT_LE(counter_->num_reads(), 2) << "a row of two columns; the index page is in memory";
  counter_->Reset();
  EXPECT_EQ(Find(planner, 9999), "none");
  EXPECT_EQ(counter_->num_reads(), 0) << "not in the index page";
}

TEST_F(PointLookupTest, ABloomFilterKeepsFromReadingTheIndex) {
  Flush({{2, "gen2"}});
  const auto planner = Plan(FreshOnly({Snapshot()}));
  EXPECT_EQ(Find(planner, 2), "gen2");
  planner->WithBloomFilter(kShard, 1, SplitBlockBloomFilter(32));  // knows nothing
  EXPECT_EQ(Find(planner, 2), "none");
}

TEST_F(PointLookupTest, FiltersBelongToAShardAndAGeneration) {
  Flush({{2, "shard"}});
  Flush({{4, "other"}}, kOtherShard);
  const auto planner = Plan(FreshOnly({Snapshot(), Snapshot(kOtherShard)}));
  planner->WithBloomFilter(kShard, 1, SplitBlockBloomFilter(32));
  EXPECT_EQ(Find(planner, 4), "other") << "the same generation number of another shard";
}

TEST_F(PointLookupTest, AMissingSidecarIsNoError) {
  Flush({{2, "gen2"}, {5, "gen5"}});
  const std::string folder = ShardDirectory(kShard) + "/" + Flushed()[0].path + "/";
  ASSERT_TRUE(store_->Delete(folder + "_pk_index/page_lookup.lance").ok());
  ASSERT_TRUE(store_->Delete(folder + "bloom_filter.bin").ok());
  const auto planner = Plan(Sources({Snapshot()}));
  EXPECT_EQ(Find(planner, 2), "gen2");
  EXPECT_EQ(Find(planner, 1), "base1");
  EXPECT_EQ(ToMap(RunPlan(planner, 5)).at(5), "gen5");
}

// Upstream 8.0.0 writes such indexes after a rotation: a key that is in the data only was found in an older
// generation.
TEST_F(PointLookupTest, AnIndexThatLacksRowsIsLeftAside) {
  Flush({{2, "old"}, {5, "old"}});
  Flush({{2, "new"}, {5, "new"}});
  const auto folder = SubStore(store_, ShardDirectory(kShard) + "/" + Flushed()[1].path);
  Manifest upstreams = Dataset::Open({folder, "g"}).ValueOrDie()->manifest();
  upstreams.proto.mutable_writer_version()->set_library("lance");
  ASSERT_TRUE(folder
                  ->Put(ManifestPath(1, ManifestNaming::kV2), AsSpan(upstreams.Serialize()),
                        Durability::kProcessCrash)
                  .ok());
  EXPECT_EQ(Find(Plan(Sources({Snapshot()})), 5), "new") << "a whole index is used, whoever wrote it";
  const auto schema =
      arrow::schema({arrow::field("values", arrow::int64()), arrow::field("ids", arrow::uint64(), false)});
  const auto half =
      arrow::RecordBatch::Make(schema, 1,
                               {arrow::json::ArrayFromJSONString(arrow::int64(), "[2]").ValueOrDie(),
                                arrow::json::ArrayFromJSONString(arrow::uint64(), "[0]").ValueOrDie()});
  BTreeWriteOptions options;
  options.version = FormatVersion::k2_0;
  ASSERT_TRUE(WriteBTreeIndex(*SubStore(folder, "_pk_index"), arrow::int64(), {half}, options).ok());
  dataset_ = Dataset::Open(dataset_->location()).ValueOrDie();  // its session knows the old index
  const auto planner = Plan(Sources({Snapshot()}));
  EXPECT_EQ(Find(planner, 2), "new");
  EXPECT_EQ(Find(planner, 5), "new");
  EXPECT_EQ(ToMap(RunPlan(planner, 5)).at(5), "new");
}

TEST_F(PointLookupTest, DamagedSidecarsAreNamed) {
  Flush({{2, "gen2"}});
  const std::string folder = ShardDirectory(kShard) + "/" + Flushed()[0].path + "/";
  ASSERT_TRUE(store_->Put(folder + "bloom_filter.bin", AsSpan("short"), Durability::kProcessCrash).ok());
  const auto status = Plan(Sources({Snapshot()}))->Lookup(Key(2)).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_TRUE(Contains(status.message(), "bloom_filter.bin")) << status;
}

TEST_F(PointLookupTest, OpenGenerationsAreShared) {
  Flush({{2, "gen2"}});
  const auto cache = std::make_shared<FlushedMemTableCache>();
  std::vector<std::string> warmed;
  const auto first = Plan(Sources({Snapshot()}));
  first->WithFlushedCache(cache)
      .WithSession(std::make_shared<Session>())
      .WithWarmer([&](const std::string& path) { warmed.push_back(path); });
  EXPECT_EQ(Find(first, 2), "gen2");
  const std::string path = ShardDirectory(kShard) + "/" + Flushed()[0].path;
  EXPECT_EQ(warmed, std::vector<std::string>{path});
  EXPECT_TRUE(cache->Contains(path));
  const auto second = Plan(Sources({Snapshot()}));
  second->WithFlushedCache(cache);
  counter_->Reset();
  EXPECT_EQ(Find(second, 2), "gen2");
  EXPECT_LE(counter_->num_reads(), 2);
  cache->RetainPaths([](std::string_view) { return false; });
  EXPECT_FALSE(cache->Contains(path));
}

TEST_F(PointLookupTest, CompositeKeysAreFoundEverywhere) {
  const auto position = [](const char* n) {
    return arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}, {kPrimaryKeyPositionMetadata, n}});
  };
  const auto schema = arrow::schema({arrow::field("b", arrow::utf8(), false, position("2")),
                                     arrow::field("v", arrow::int64()),
                                     arrow::field("a", arrow::int32(), false, position("1"))});
  const auto rows = [&](const std::string& json) {
    const auto array = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json).ValueOrDie();
    return arrow::RecordBatch::Make(schema, array->length(),
                                    arrow::RecordBatch::FromStructArray(array).ValueOrDie()->columns());
  };
  auto reader = arrow::RecordBatchReader::Make(
                    {rows(R"([{"a": 1, "b": "x", "v": 1}, {"a": 1, "b": "y", "v": 2}])")}, schema)
                    .ValueOrDie();
  auto dataset = Dataset::Write(reader, StoreLocation{MakeMemoryStore(), "t"}).ValueOrDie();
  dataset = InitializeMemWalBuilder(dataset).Execute().ValueOrDie();
  auto writer = ShardWriter::Open(dataset, kShard, {}).ValueOrDie();
  ASSERT_TRUE(writer->Put(rows(R"([{"a": 1, "b": "x", "v": 3}, {"a": 2, "b": "x", "v": 4}])")).ok());
  ASSERT_TRUE(writer->ForceSealActive().ok() && writer->WaitForFlushDrain().ok());
  ASSERT_TRUE(writer->Put(rows(R"([{"a": 2, "b": "x", "v": 5}])")).ok());
  LsmDataSourceCollector sources(dataset, {});
  sources.WithWriter(writer);
  const auto planner =
      LsmPointLookupPlanner::Make(std::move(sources), {}, dataset->lance_schema()).ValueOrDie();
  EXPECT_EQ(planner->primary_key().names(), (std::vector<std::string>{"a", "b"}));
  const auto find = [&](int32_t a, const std::string& b) {
    const Scalars key = {arrow::MakeScalar(a), std::make_shared<arrow::StringScalar>(b)};
    const auto row = planner->Lookup(key).ValueOrDie();
    const auto planned = planner->PlanLookup(key).ValueOrDie()->ToTable().ValueOrDie();
    EXPECT_EQ(planned->num_rows(), row == nullptr ? 0 : 1);
    if (row == nullptr) return int64_t{-1};
    EXPECT_TRUE(planned->CombineChunksToBatch().ValueOrDie()->Equals(*row));
    return static_cast<const arrow::Int64Array&>(*row->GetColumnByName("v")).Value(0);
  };
  EXPECT_EQ(find(1, "x"), 3);
  EXPECT_EQ(find(1, "y"), 2);
  EXPECT_EQ(find(2, "x"), 5);
  EXPECT_EQ(find(2, "y"), -1);
}

// The generation's own index and filter are of its own key: of none here, so that they know no value.
TEST_F(PointLookupTest, ColumnsThatAreNotTheTablesKeyAreFoundWithoutItsIndexes) {
  const auto schema = arrow::schema({arrow::field("id", arrow::int64()), arrow::field("v", arrow::utf8())});
  const auto rows = [&](const std::vector<std::pair<int64_t, std::string>>& values) {
    return arrow::RecordBatch::Make(schema, static_cast<int64_t>(values.size()), Rows(values)->columns());
  };
  auto reader = arrow::RecordBatchReader::Make({rows({{1, "base1"}})}, schema).ValueOrDie();
  dataset_ = Dataset::Write(std::move(reader), StoreLocation{MakeMemoryStore(), "t"}).ValueOrDie();
  dataset_ = InitializeMemWalBuilder(dataset_).Execute().ValueOrDie();
  const auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(rows({{2, "flushed2"}, {3, "flushed3"}})).ok());
  ASSERT_TRUE(writer->ForceSealActive().ok() && writer->WaitForFlushDrain().ok());
  ASSERT_TRUE(writer->Put(rows({{3, "older"}, {3, "memory3"}, {4, "memory4"}})).ok());
  auto sources = Sources();
  sources.WithWriter(writer);
  const auto planner =
      LsmPointLookupPlanner::Make(std::move(sources), {"id"}, dataset_->lance_schema()).ValueOrDie();
  const std::map<int64_t, std::string> expected = {
      {1, "base1"}, {2, "flushed2"}, {3, "memory3"}, {4, "memory4"}};
  for (const auto& [id, value] : expected) {
    EXPECT_EQ(Find(planner, id), value);
    EXPECT_EQ(ToMap(RunPlan(planner, id)).at(id), value);
  }
  EXPECT_EQ(Find(planner, 5), "none");
  EXPECT_EQ(RunPlan(planner, 5)->num_rows(), 0);
}

TEST_F(PointLookupTest, AnotherKeyThanTheTablesIsRefused) {
  const auto make = [&](const std::vector<std::string>& columns) {
    return LsmPointLookupPlanner::Make(Sources(), columns, dataset_->lance_schema()).status();
  };
  EXPECT_TRUE(make({"id"}).ok());
  EXPECT_TRUE(make({"v"}).IsInvalid()) << "the versions of one row differ in it: an older one would be found";
  EXPECT_TRUE(make({"id", "v"}).IsInvalid());
  EXPECT_TRUE(make({"id", "id"}).IsInvalid());
}

TEST_F(PointLookupTest, AMemtableThatTheBaseHasMergedIsNotReadInsteadOfIt) {
  auto manifest = std::make_shared<Manifest>(dataset_->manifest());
  lance::table::MemWalIndexDetails details;
  auto* merged = details.add_merged_generations();
  merged->mutable_shard_id()->set_uuid(std::string(kShard.AsBytes()));
  merged->set_generation(9);
  for (auto& index : *manifest->indexes.mutable_indices()) {
    if (index.name() == kMemWalIndexName)
      index.mutable_index_details()->set_value(details.SerializeAsString());
  }
  dataset_ = Dataset::FromManifest(dataset_->location(), manifest, std::make_shared<Session>());
  auto sources = Sources();
  sources.WithInMemoryMemTables(kShard,
                                {Memory({Rows({{2, "merged"}})}, 9), Memory({Rows({{3, "fresh"}})}, 10)});
  const auto planner = Plan(std::move(sources));
  EXPECT_EQ(ToMap(RunPlan(planner, 2)).at(2), "base2");
  EXPECT_EQ(Find(planner, 2), "base2") << "as the plan";
  EXPECT_EQ(Find(planner, 3), "fresh");
}

TEST_F(PointLookupTest, GenerationZeroIsTheBaseTables) {
  ShardSnapshot snapshot(kShard);
  snapshot.with_flushed_generation(0, "abcdef01_gen_0");
  const auto status = Plan(Sources({snapshot}))->Lookup(Key(1)).status();
  EXPECT_TRUE(status.IsInvalid() && Contains(status.message(), "abcdef01_gen_0")) << status;
  auto sources = Sources();
  sources.WithInMemoryMemTables(kShard, {Memory({Rows({{2, "memory"}})}, 0)});
  EXPECT_TRUE(Plan(std::move(sources))->PlanLookup(Key(2)).status().IsInvalid());
}

// Its filter has the values of four types only; of others it must not be asked.
TEST_F(PointLookupTest, KeysOfEveryTypeAreFoundInEverySource) {
  const std::string numbers = "[1, 2, 3, 100]", texts = R"(["", "a", "b\u0000c", "zz"])";
  std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>> types = {
      {arrow::utf8(), texts},
      {arrow::large_utf8(), texts},
      {arrow::binary(), texts},
      {arrow::large_binary(), texts}};
  for (const auto& type : arrow::IntTypes()) types.emplace_back(type, numbers);
  for (const auto& [type, json] : types) {
    SCOPED_TRACE(type->ToString());
    const auto schema =
        arrow::schema({RowSchema()->field(0)->WithType(type), arrow::field("v", arrow::utf8())});
    const auto keys = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
    const auto rows = [&](int64_t begin, int64_t length, const std::string& value) {
      const auto column = arrow::MakeArrayFromScalar(arrow::StringScalar(value), length).ValueOrDie();
      return arrow::RecordBatch::Make(schema, length, {keys->Slice(begin, length), column});
    };
    auto reader = arrow::RecordBatchReader::Make({rows(0, 3, "base")}, schema).ValueOrDie();
    dataset_ = Dataset::Write(std::move(reader), StoreLocation{MakeMemoryStore(), "t"}).ValueOrDie();
    dataset_ = InitializeMemWalBuilder(dataset_).Execute().ValueOrDie();
    const auto writer = OpenWriter();
    ASSERT_TRUE(writer->Put(rows(1, 2, "flushed")).ok());
    ASSERT_TRUE(writer->ForceSealActive().ok() && writer->WaitForFlushDrain().ok());
    ASSERT_TRUE(writer->Put(rows(2, 1, "memory")).ok());
    auto sources = Sources();
    sources.WithWriter(writer);
    const auto planner = Plan(std::move(sources));
    const std::vector<std::string> expected = {"base", "flushed", "memory", "none"};
    for (size_t i = 0; i < expected.size(); ++i) {
      const Scalars key = {keys->GetScalar(static_cast<int64_t>(i)).ValueOrDie()};
      EXPECT_EQ(Value(planner->Lookup(key).ValueOrDie()), expected[i]) << i;
      const auto planned = planner->PlanLookup(key).ValueOrDie()->ToTable().ValueOrDie();
      EXPECT_EQ(planned->num_rows() == 0 ? "none" : Value(planned->CombineChunksToBatch().ValueOrDie()),
                expected[i]);
    }
    if (arrow::is_integer(type->id())) {
      EXPECT_EQ(Find(planner, 2), "flushed") << "an int64 literal, as SQL has them";
      EXPECT_EQ(Find(planner, int64_t{1} << 62), "none");
    }
  }
}

TEST_F(PointLookupTest, LookupAgreesWithThePlanForRandomHistories) {
  std::mt19937_64 random(17);
  config_.max_memtable_batches = 6;
  for (int round = 0; round < 6; ++round) {
    CreateTable({{1, "base"}, {5, "base"}, {9, "base"}});
    const auto writer = OpenWriter();
    LsmDataSourceCollector sources(dataset_, {});
    sources.WithWriter(writer);
    const auto planner = Plan(std::move(sources));
    std::map<int64_t, std::string> model = {{1, "base"}, {5, "base"}, {9, "base"}};
    for (int put = 0; put < 25; ++put) {
      std::vector<std::pair<int64_t, std::string>> rows;
      for (uint64_t i = 0; i <= random() % 4; ++i) {
        rows.emplace_back(static_cast<int64_t>(random() % 12), std::to_string(put) + "." + std::to_string(i));
        model[rows.back().first] = rows.back().second;
      }
      ASSERT_TRUE(writer->Put(Rows(rows)).ok());
      if (random() % 8 == 0) {
        ASSERT_TRUE(writer->WaitForFlushDrain().ok());
      }
      for (int64_t id = 0; id < 13; ++id) {
        const std::string expected = model.contains(id) ? model[id] : "none";
        ASSERT_EQ(Find(planner, id), expected);
        const auto planned = ToMap(RunPlan(planner, id));
        ASSERT_EQ(planned.empty() ? "none" : planned.at(id), expected);
      }
    }
  }
}

}  // namespace pilum
