// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/lsm_scanner.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "pilum/mem_wal/test_rows.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using Map = std::map<int64_t, std::string>;

/// Base 1 to 5, generation 1 with 3 and 4, generation 2 with 4, 5 and 6, in memory 5, 6 and 7.
class LsmScannerTest : public MemWalTest {
 protected:
  void SetUp() override {
    CreateTable({{1, "base"}, {2, "base"}, {3, "base"}, {4, "base"}, {5, "base"}});
    writer_ = OpenWriter();
    Put({{3, "gen1"}, {4, "gen1"}});
    Flush();
    Put({{4, "gen2"}, {5, "gen2"}, {6, "gen2"}});
    Flush();
    Put({{5, "active"}, {6, "active"}, {7, "active"}});
  }
  void Put(const std::vector<std::pair<int64_t, std::string>>& rows) {
    ASSERT_TRUE(writer_->Put(Rows(rows)).ok());
  }
  void Flush() { ASSERT_TRUE(writer_->ForceSealActive().ok() && writer_->WaitForFlushDrain().ok()); }

  std::shared_ptr<LsmScanner> Scanner() {
    LsmDataSourceCollector sources(dataset_, {});
    sources.WithWriter(writer_);
    return LsmScanner::Make(std::move(sources), {}, dataset_->lance_schema()).ValueOrDie();
  }
  std::shared_ptr<LsmScanner> FreshOnly() {
    auto sources = LsmDataSourceCollector::WithoutBaseTable(dataset_->location(), {});
    sources.WithWriter(writer_);
    return LsmScanner::Make(std::move(sources), {}, dataset_->lance_schema()).ValueOrDie();
  }
  static Map Rowset(LsmScanner& scanner) { return ToMap(scanner.ToTable().ValueOrDie()); }

  std::shared_ptr<ShardWriter> writer_;
};

const Map kAll = {{1, "base"},   {2, "base"},   {3, "gen1"},  {4, "gen2"},
                  {5, "active"}, {6, "active"}, {7, "active"}};

}  // namespace

TEST_F(LsmScannerTest, EachKeyIsThereOnceInItsNewestVersion) {
  EXPECT_EQ(Rowset(*Scanner()), kAll);
  EXPECT_EQ(Scanner()->CountRows().ValueOrDie(), 7);
}

TEST_F(LsmScannerTest, ThePlanShowsSourcesAndBlocks) {
  const auto text = Scanner()->WithRowAddress().WithMemtableGen().CreatePlan().ValueOrDie()->Explain();
  for (const char* part : {"CoalescePartitionsExec\n  UnionExec\n", "MemtableGenTagExec: gen=gen3",
                           "MemTableDedupScanExec: gen=gen3", "PkBlockFilterExec: pk_cols=[id], gens=[gen3]",
                           "PkBlockFilterExec: pk_cols=[id], gens=[gen3, gen2, gen1]",
                           "MemtableGenTagExec: gen=base", "_gen_2/data"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST_F(LsmScannerTest, AnOlderVersionDoesNotPassForANewerOneThatFails) {
  auto scanner = Scanner();
  ASSERT_TRUE(scanner->Filter("v = 'base'").ok());
  EXPECT_EQ(Rowset(*scanner), (Map{{1, "base"}, {2, "base"}}));
  ASSERT_TRUE(scanner->Filter("v = 'gen2'").ok());
  EXPECT_EQ(Rowset(*scanner), (Map{{4, "gen2"}}));
  Put({{7, "newer"}});
  ASSERT_TRUE(scanner->Filter("v = 'active'").ok());
  EXPECT_EQ(Rowset(*scanner), (Map{{5, "active"}, {6, "active"}})) << "also inside one memtable";
}

TEST_F(LsmScannerTest, FiltersOnTheKey) {
  auto scanner = Scanner();
  ASSERT_TRUE(scanner->Filter("id > 4").ok());
  EXPECT_EQ(Rowset(*scanner), (Map{{5, "active"}, {6, "active"}, {7, "active"}}));
  ASSERT_TRUE(scanner->Filter("id IN (4, 4, 1)").ok());
  EXPECT_EQ(Rowset(*scanner), (Map{{1, "base"}, {4, "gen2"}}));
}

TEST_F(LsmScannerTest, BadFiltersAndColumnsAreErrors) {
  auto scanner = Scanner();
  EXPECT_TRUE(scanner->Filter("zz = 1").IsInvalid());
  const auto status = scanner->Filter("_rowaddr = 1");
  EXPECT_TRUE(status.IsInvalid() && status.message().find("_rowaddr") != std::string::npos) << status;
  EXPECT_TRUE(scanner->Project({"zz"}).ToTable().status().IsInvalid());
  EXPECT_TRUE(Scanner()->Limit(-1).ToTable().status().IsInvalid());
}

TEST_F(LsmScannerTest, ProjectionsHaveTheKey) {
  EXPECT_EQ(Scanner()->Project({"id"}).ToTable().ValueOrDie()->ColumnNames(),
            (std::vector<std::string>{"id"}));
  const auto table = Scanner()->Project({"v"}).ToTable().ValueOrDie();
  EXPECT_EQ(table->ColumnNames(), (std::vector<std::string>{"v", "id"}));
  EXPECT_EQ(table->num_rows(), 7);
}

TEST_F(LsmScannerTest, LimitAndOffset) {
  EXPECT_EQ(Scanner()->Limit(3).ToTable().ValueOrDie()->num_rows(), 3);
  EXPECT_EQ(Scanner()->Limit(100, 5).ToTable().ValueOrDie()->num_rows(), 2);
  EXPECT_EQ(Scanner()->Limit(0).ToTable().ValueOrDie()->num_rows(), 0);
}

TEST_F(LsmScannerTest, RowAddressesAreThoseOfTheBase) {
  const auto table = Scanner()->Project({"_rowaddr", "id", "_rowid", "_rowoffset"}).ToTable().ValueOrDie();
  EXPECT_EQ(table->ColumnNames(), (std::vector<std::string>{"_rowaddr", "id", "_rowid", "_rowoffset"}));
  EXPECT_EQ(table->column(0)->null_count(), 5);
  EXPECT_EQ(table->column(2)->null_count(), 7) << "as upstream";
  EXPECT_EQ(table->column(3)->null_count(), 7);
  const auto appended = Scanner()->Project({"v"}).WithRowAddress().ToTable().ValueOrDie();
  EXPECT_EQ(appended->ColumnNames(), (std::vector<std::string>{"v", "id", "_rowaddr"}));
}

TEST_F(LsmScannerTest, GenerationsAreTagged) {
  const auto table = Scanner()->WithMemtableGen().ToTable().ValueOrDie()->CombineChunksToBatch().ValueOrDie();
  EXPECT_FALSE(table->schema()->GetFieldByName("_memtable_gen")->nullable());
  const auto& ids = static_cast<const arrow::Int64Array&>(*table->GetColumnByName("id"));
  const auto& generations = static_cast<const arrow::UInt64Array&>(*table->GetColumnByName("_memtable_gen"));
  std::map<int64_t, uint64_t> found;
  for (int64_t i = 0; i < table->num_rows(); ++i) found[ids.Value(i)] = generations.Value(i);
  EXPECT_EQ(found, (std::map<int64_t, uint64_t>{{1, 0}, {2, 0}, {3, 1}, {4, 2}, {5, 3}, {6, 3}, {7, 3}}));
}

TEST_F(LsmScannerTest, WithoutTheBaseOnlyFreshRows) {
  EXPECT_EQ(Rowset(*FreshOnly()).size(), 5);
  auto filtered = FreshOnly();
  ASSERT_TRUE(filtered->Filter("id > 3").ok());
  EXPECT_EQ(Rowset(*filtered).size(), 4);
}

TEST_F(LsmScannerTest, NothingAtAllKeepsTheColumns) {
  auto sources = LsmDataSourceCollector::WithoutBaseTable(dataset_->location(), {});
  const auto scanner = LsmScanner::Make(std::move(sources), {}, dataset_->lance_schema()).ValueOrDie();
  const auto table = scanner->Project({"v", "_rowaddr"}).WithMemtableGen().ToTable().ValueOrDie();
  EXPECT_EQ(table->num_rows(), 0);
  EXPECT_EQ(table->ColumnNames(), (std::vector<std::string>{"v", "_rowaddr", "id", "_memtable_gen"}));
}

TEST_F(LsmScannerTest, AGenerationInMemoryAndOnDiskIsReadOnce) {
  const auto view = writer_->View();
  Flush();
  // The old view still holds generation 3 in memory, the snapshot lists it as flushed.
  LsmDataSourceCollector sources(dataset_, {Snapshot()});
  sources.WithInMemoryMemTables(kShard, view->memtables);
  EXPECT_EQ(sources.num_sources(), 5);
  EXPECT_EQ(sources.Collect().ValueOrDie().size(), 4);
  EXPECT_EQ(Rowset(*LsmScanner::Make(std::move(sources), {}, dataset_->lance_schema()).ValueOrDie()), kAll);
}

TEST_F(LsmScannerTest, ShardsDoNotHideEachOther) {
  const auto other = OpenWriter(kOtherShard);
  ASSERT_TRUE(other->Put(Rows({{100, "other"}})).ok());
  ASSERT_TRUE(other->Close().ok());
  LsmDataSourceCollector sources(dataset_, {Snapshot(kOtherShard)});
  sources.WithWriter(writer_);
  auto expected = kAll;
  expected[100] = "other";
  EXPECT_EQ(Rowset(*LsmScanner::Make(std::move(sources), {}, dataset_->lance_schema()).ValueOrDie()),
            expected);
}

TEST_F(LsmScannerTest, ARunningReadIsOfOneInstant) {
  const auto plan = Scanner()->CreatePlan().ValueOrDie();
  Put({{1, "late"}, {8, "late"}});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ToMap(plan->ToTable().ValueOrDie()), kAll) << "and may be run again";
  EXPECT_EQ(Rowset(*Scanner()).at(1), "late");
}

// Of release 14. The rows that stand for deletions have nulls; without a look at the mark they would be rows.
TEST_F(LsmScannerTest, GenerationsWithDeletionsAreRefusedAndThoseWithoutAreRead) {
  const auto with_mark = [&](bool deleted) {
    const auto mark = arrow::MakeArrayFromScalar(arrow::BooleanScalar(deleted), 1).ValueOrDie();
    const auto field = arrow::field("_tombstone", arrow::boolean(), false);
    const auto rows = Rows({{2, "marked"}})->AddColumn(2, field, mark).ValueOrDie();
    ShardSnapshot snapshot(kOtherShard);
    const std::string folder = deleted ? "00000000_gen_1" : "11111111_gen_1";
    snapshot.with_flushed_generation(1, folder);
    const std::string path = "_mem_wal/" + kOtherShard.ToString() + "/" + folder;
    EXPECT_TRUE(Dataset::Write(arrow::RecordBatchReader::Make({rows}, rows->schema()).ValueOrDie(),
                               StoreLocation{SubStore(store_, path), path})
                    .ok());
    return LsmScanner::Make(LsmDataSourceCollector(dataset_, {snapshot}), {}, dataset_->lance_schema())
        .ValueOrDie()
        ->ToTable();
  };
  EXPECT_EQ(ToMap(with_mark(false).ValueOrDie()).at(2), "marked");
  const auto status = with_mark(true).status();
  EXPECT_TRUE(status.IsNotImplemented() && status.message().find("00000000_gen_1") != std::string::npos)
      << status;
}

TEST_F(LsmScannerTest, AMissingGenerationIsNamed) {
  ShardSnapshot snapshot(kShard);
  snapshot.with_flushed_generation(77, "nowhere_gen_77");
  const auto scanner =
      LsmScanner::Make(LsmDataSourceCollector(dataset_, {snapshot}), {}, dataset_->lance_schema())
          .ValueOrDie();
  const auto status = scanner->ToTable().status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kDatasetNotFound)) << status;
  EXPECT_NE(status.message().find("nowhere_gen_77"), std::string::npos) << status;
}

}  // namespace pilum
