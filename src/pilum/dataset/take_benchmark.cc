// SPDX-License-Identifier: Apache-2.0
//
// One row of a table of a million, files open and pages in the operating system's cache.
#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include <filesystem>
#include <random>

#include "pilum/dataset/dataset.h"

namespace pilum {

namespace {

constexpr int64_t kRows = 1'000'000;

std::shared_ptr<Dataset> MakeTable() {
  arrow::Int64Builder counts;
  arrow::DoubleBuilder scores;
  arrow::StringBuilder texts;
  std::mt19937_64 random(1);
  for (int64_t i = 0; i < kRows; ++i) {
    (void)counts.Append(static_cast<int64_t>(random() >> 20));
    (void)scores.Append(static_cast<double>(random()) / 3);
    (void)texts.Append("text " + std::to_string(i % 977) + " of row " + std::to_string(i));
  }
  const auto schema =
      arrow::schema({arrow::field("count", arrow::int64()), arrow::field("score", arrow::float64()),
                     arrow::field("text", arrow::utf8())});
  const auto batch = arrow::RecordBatch::Make(
      schema, kRows,
      {counts.Finish().ValueOrDie(), scores.Finish().ValueOrDie(), texts.Finish().ValueOrDie()});
  const std::string path = std::filesystem::temp_directory_path() / "pilum_take_benchmark";
  std::filesystem::remove_all(path);
  return Dataset::Write(arrow::RecordBatchReader::Make({batch}).ValueOrDie(), path).ValueOrDie();
}

void BM_TakeRows(benchmark::State& state) {
  static const auto dataset = MakeTable();
  std::mt19937_64 random(2);
  std::vector<int64_t> rows(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    for (auto& row : rows) row = static_cast<int64_t>(random() % kRows);
    auto table = dataset->Take(rows);
    if (!table.ok()) state.SkipWithError(table.status().message().c_str());
    benchmark::DoNotOptimize(table);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_TakeRows)->Arg(1)->Arg(1000);

}  // namespace

}  // namespace pilum
