// SPDX-License-Identifier: Apache-2.0
//
// Lookups in a BTree of a million keys whose pages are in the cache.
#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include <random>

#include "pilum/index/scalar/btree_index.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

constexpr int64_t kRows = 1'000'000;

std::string KeyText(int64_t i) { return "key/" + std::to_string(10'000'000 + i); }

std::shared_ptr<BTreeIndex> MakeIndex() {
  arrow::StringBuilder values;
  arrow::UInt64Builder ids;
  for (int64_t i = 0; i < kRows; ++i) {
    (void)values.Append(KeyText(i));
    (void)ids.Append(static_cast<uint64_t>(i));
  }
  const auto schema =
      arrow::schema({arrow::field("values", arrow::utf8()), arrow::field("ids", arrow::uint64(), false)});
  const auto batch =
      arrow::RecordBatch::Make(schema, kRows, {values.Finish().ValueOrDie(), ids.Finish().ValueOrDie()});
  auto store = MakeMemoryStore();
  (void)WriteBTreeIndex(*store, arrow::utf8(), {batch}, {});
  return BTreeIndex::Open(store).ValueOrDie();
}

void BM_Lookup(benchmark::State& state) {
  const auto index = MakeIndex();
  std::mt19937_64 random(1);
  std::vector<std::shared_ptr<arrow::StringScalar>> keys;
  for (int i = 0; i < 1024; ++i) {
    keys.push_back(std::make_shared<arrow::StringScalar>(KeyText(static_cast<int64_t>(random() % kRows))));
    (void)index->Lookup(*keys.back());
  }
  size_t next = 0;
  for (auto _ : state) {
    auto found = index->Lookup(*keys[next++ % keys.size()]);
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK(BM_Lookup);

}  // namespace

}  // namespace pilum
