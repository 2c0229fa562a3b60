// SPDX-License-Identifier: Apache-2.0
//
// Durable puts on the local disk (the temporary folder): rows per put, threads, and what "durable" means.
#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_writer.h"

namespace pilum {

namespace {

std::shared_ptr<arrow::Schema> RowSchema() {
  const auto key = arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}});
  return arrow::schema({arrow::field("id", arrow::int64(), false, key), arrow::field("v", arrow::utf8())});
}

std::shared_ptr<arrow::RecordBatch> Rows(int64_t first, int64_t num_rows) {
  arrow::Int64Builder ids;
  arrow::StringBuilder values;
  for (int64_t id = first; id < first + num_rows; ++id) {
    if (!ids.Append(id).ok() || !values.Append("value of " + std::to_string(id)).ok()) std::abort();
  }
  return arrow::RecordBatch::Make(RowSchema(), num_rows,
                                  {ids.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
}

/// The folder of all tables of this run, removed at its end only: for some seconds ext4 steps over each inode
/// that was just deleted when it looks for a free one, which would be measured.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() / ("pilum-benchmark-" + Uuid::Random().ToString())) {}
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string NewTable() { return (path_ / Uuid::Random().ToString()).string(); }

 private:
  const std::filesystem::path path_;
};
Folder folder;

/// A table with a writer that is not closed.
class Shard {
 public:
  explicit Shard(Durability durability) {
    auto empty = arrow::RecordBatchReader::Make({}, RowSchema()).ValueOrDie();
    const auto dataset = Dataset::Write(std::move(empty), folder.NewTable()).ValueOrDie();
    ShardWriterConfig config;
    config.durability = durability;
    writer_ =
        ShardWriter::Open(InitializeMemWalBuilder(dataset).Execute().ValueOrDie(), Uuid::Random(), config)
            .ValueOrDie();
  }
  ShardWriter& writer() { return *writer_; }

 private:
  std::shared_ptr<ShardWriter> writer_;
};

std::unique_ptr<Shard> shard;  // of the run; made and freed by thread 0
std::atomic<int64_t> next_id{0};

/// Ranges: rows per put, whether files are synced.
void BM_DurablePut(benchmark::State& state) {
  const int64_t num_rows = state.range(0);
  if (state.thread_index() == 0)
    shard = std::make_unique<Shard>(state.range(1) != 0 ? Durability::kPowerLoss : Durability::kProcessCrash);
  for (auto _ : state) {
    const auto status = shard->writer().Put(Rows(next_id.fetch_add(num_rows), num_rows));
    if (!status.ok()) state.SkipWithError(status.ToString().c_str());
  }
  state.SetItemsProcessed(state.iterations() * num_rows);
  if (state.thread_index() == 0) {
    const auto stats = shard->writer().stats();
    state.counters["puts_per_entry"] =
        static_cast<double>(stats.put_count) / static_cast<double>(stats.wal_flush_count);
    shard = nullptr;
  }
}
BENCHMARK(BM_DurablePut)
    ->ArgNames({"rows", "sync"})
    ->ArgsProduct({{1, 100, 1000}, {0, 1}})
    ->UseRealTime()
    ->Threads(1);
BENCHMARK(BM_DurablePut)->ArgNames({"rows", "sync"})->ArgsProduct({{1}, {0, 1}})->UseRealTime()->Threads(8);

}  // namespace

}  // namespace pilum
