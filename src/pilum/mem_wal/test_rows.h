// SPDX-License-Identifier: Apache-2.0
//
// A table of (id: int64 primary key, v: string) with MemWAL in a store that counts and fails, for tests.
#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pilum/dataset/dataset.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/mem_wal/lsm_scanner.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_writer.h"

namespace pilum {

inline const Uuid kShard = *Uuid::Parse("11111111-2222-4333-8444-555555555555");
inline const Uuid kOtherShard = *Uuid::Parse("99999999-2222-4333-8444-555555555555");

inline std::shared_ptr<arrow::Schema> RowSchema() {
  const auto key = arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}});
  return arrow::schema({arrow::field("id", arrow::int64(), false, key), arrow::field("v", arrow::utf8())});
}

inline std::shared_ptr<arrow::RecordBatch> Rows(const std::vector<std::pair<int64_t, std::string>>& rows) {
  arrow::Int64Builder ids;
  arrow::StringBuilder values;
  for (const auto& [id, value] : rows) EXPECT_TRUE(ids.Append(id).ok() && values.Append(value).ok());
  return arrow::RecordBatch::Make(RowSchema(), static_cast<int64_t>(rows.size()),
                                  {ids.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
}

/// Column "id" to column "v"; fails on a repeated id.
inline std::map<int64_t, std::string> ToMap(const std::shared_ptr<arrow::Table>& table) {
  std::map<int64_t, std::string> rows;
  const auto combined = table->CombineChunksToBatch().ValueOrDie();
  const auto& ids = static_cast<const arrow::Int64Array&>(*combined->GetColumnByName("id"));
  const auto& values = static_cast<const arrow::StringArray&>(*combined->GetColumnByName("v"));
  for (int64_t i = 0; i < combined->num_rows(); ++i) {
    EXPECT_TRUE(rows.emplace(ids.Value(i), values.GetString(i)).second) << "id " << ids.Value(i) << " twice";
  }
  return rows;
}

class MemWalTest : public ::testing::Test {
 protected:
  void SetUp() override { CreateTable({}); }

  void CreateTable(const std::vector<std::pair<int64_t, std::string>>& rows) {
    store_ = ObserveStore(ObserveStore(MakeMemoryStore(), faults_), counter_);
    arrow::RecordBatchVector batches;
    if (!rows.empty()) batches.push_back(Rows(rows));
    auto reader = arrow::RecordBatchReader::Make(batches, RowSchema()).ValueOrDie();
    dataset_ = Dataset::Write(std::move(reader), StoreLocation{store_, "table"}).ValueOrDie();
    dataset_ = InitializeMemWalBuilder(dataset_).Unsharded().Execute().ValueOrDie();
  }

  std::shared_ptr<ShardWriter> OpenWriter(const Uuid& shard = kShard) {
    auto writer = ShardWriter::Open(dataset_, shard, config_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return writer.ok() ? *writer : nullptr;
  }
  ShardSnapshot Snapshot(const Uuid& shard = kShard) {
    return ReadShardSnapshot(*dataset_, shard).ValueOrDie().value();
  }
  std::vector<FlushedGeneration> Flushed() { return Snapshot().flushed_generations(); }
  /// The base table and the flushed generations.
  std::map<int64_t, std::string> ScanSnapshot() {
    LsmDataSourceCollector sources(dataset_, {Snapshot()});
    return ToMap(LsmScanner::Make(std::move(sources), {}, dataset_->lance_schema())
                     .ValueOrDie()
                     ->ToTable()
                     .ValueOrDie());
  }

  std::shared_ptr<FaultInjector> faults_ = std::make_shared<FaultInjector>();
  std::shared_ptr<StoreCounter> counter_ = std::make_shared<StoreCounter>();
  std::shared_ptr<ObjectStore> store_;
  std::shared_ptr<Dataset> dataset_;
  ShardWriterConfig config_;
};

}  // namespace pilum
