// SPDX-License-Identifier: Apache-2.0
//
// Lookups by key: in the memtable of a writer, in a flushed generation, in the base table.
#include <arrow/api.h>
#include <arrow/compute/initialize.h>
#include <benchmark/benchmark.h>

#include <filesystem>
#include <random>

#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/lsm_point_lookup_planner.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_writer.h"

namespace pilum {

namespace {

constexpr int64_t kKeysPerTier = 20'000;

std::string KeyText(int64_t i) { return "key/" + std::to_string(100'000'000 + i); }

std::shared_ptr<arrow::RecordBatch> MakeRows(int64_t begin, int64_t end) {
  const auto key = arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}});
  const auto schema =
      arrow::schema({arrow::field("key", arrow::utf8(), false, key), arrow::field("count", arrow::int64()),
                     arrow::field("text", arrow::utf8())});
  arrow::StringBuilder keys, texts;
  arrow::Int64Builder counts;
  for (int64_t i = begin; i < end; ++i) {
    (void)keys.Append(KeyText(i));
    (void)counts.Append(i * 7);
    (void)texts.Append("row number " + std::to_string(i));
  }
  return arrow::RecordBatch::Make(
      schema, end - begin,
      {keys.Finish().ValueOrDie(), counts.Finish().ValueOrDie(), texts.Finish().ValueOrDie()});
}

/// Keys [0, n) in the base, [n, 2n) in a generation, [2n, 3n) in memory.
struct Tiers {
  Tiers() {
    (void)arrow::compute::Initialize();
    const std::string path = std::filesystem::temp_directory_path() / "pilum_point_lookup_benchmark";
    std::filesystem::remove_all(path);
    auto reader = arrow::RecordBatchReader::Make({MakeRows(0, kKeysPerTier)}).ValueOrDie();
    auto dataset = Dataset::Write(std::move(reader), path).ValueOrDie();
    dataset = InitializeMemWalBuilder(dataset).Unsharded().Execute().ValueOrDie();
    writer = ShardWriter::Open(dataset, Uuid::Random(), {}).ValueOrDie();
    (void)writer->Put(MakeRows(kKeysPerTier, 2 * kKeysPerTier));
    (void)writer->ForceSealActive();
    (void)writer->WaitForFlushDrain();
    (void)writer->Put(MakeRows(2 * kKeysPerTier, 3 * kKeysPerTier));
    LsmDataSourceCollector sources(dataset, {});
    sources.WithWriter(writer);
    planner = LsmPointLookupPlanner::Make(std::move(sources), {}, dataset->lance_schema()).ValueOrDie();
  }
  std::shared_ptr<ShardWriter> writer;
  std::shared_ptr<LsmPointLookupPlanner> planner;
};

/// The argument is the tier: 0 base (a scan, there is no index), 1 generation, 2 memory.
void BM_Lookup(benchmark::State& state) {
  static const Tiers tiers;
  std::mt19937_64 random(1);
  std::vector<PrimaryKey::Scalars> keys;
  for (int i = 0; i < 4096; ++i) {
    const auto number = static_cast<int64_t>(random() % kKeysPerTier) + state.range(0) * kKeysPerTier;
    keys.push_back({std::make_shared<arrow::StringScalar>(KeyText(number))});
  }
  size_t next = 0;
  for (auto _ : state) {
    auto row = tiers.planner->Lookup(keys[next++ % keys.size()]);
    if (!row.ok() || *row == nullptr) state.SkipWithError("not found");
    benchmark::DoNotOptimize(row);
  }
}
BENCHMARK(BM_Lookup)->Arg(2)->Arg(1)->Arg(0);

}  // namespace

}  // namespace pilum
