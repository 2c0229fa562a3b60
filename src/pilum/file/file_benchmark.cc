// SPDX-License-Identifier: Apache-2.0
//
// Scan, take and write of a data file in memory, per kind of column. Bytes are those of the Arrow arrays.
#include <arrow/util/byte_size.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>

#include "pilum/file/file_reader.h"
#include "pilum/file/file_writer.h"
#include "pilum/file/random_batch.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

constexpr int64_t kRows = 200'000;

struct Kind {
  const char* name;
  std::shared_ptr<arrow::DataType> type;
  testing::RandomColumn column;
};

const std::vector<Kind>& Kinds() {
  static const auto* kinds = new std::vector<Kind>{
      {"int64_small", arrow::int64(), {0, 0, true}},
      {"int64_nullable", arrow::int64(), {0.2, 0, true}},
      {"float64", arrow::float64(), {0, 0, false}},
      {"bool", arrow::boolean(), {0, 0, true}},
      {"string", arrow::utf8(), {0, 24, true}},
      {"text", arrow::utf8(), {0, 600, true}},
      {"vector_128", arrow::fixed_size_list(arrow::float32(), 128), {0, 0, true}},
      {"list_int32", arrow::list(arrow::int32()), {0.1, 0, true}},
      {"struct",
       arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())}),
       {0.1, 12, true}}};
  return *kinds;
}

std::shared_ptr<arrow::RecordBatch> Batch(const Kind& kind) {
  std::mt19937_64 random(1);
  return testing::RandomBatch({kind.type}, kRows, kind.column, random);
}

void Write(ObjectStore* store, const arrow::RecordBatch& batch) {
  auto writer = FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(),
                                 Schema::FromArrow(*batch.schema()).ValueOrDie())
                    .ValueOrDie();
  if (const auto status = writer->Write(batch); !status.ok()) status.Abort("Write");
  (void)writer->Finish().ValueOrDie();
}

std::shared_ptr<FileReader> Open(ObjectStore* store) {
  return FileReader::Open(store->Open("f").ValueOrDie()).ValueOrDie();
}

void BM_Write(benchmark::State& state) {
  const Kind& kind = Kinds()[static_cast<size_t>(state.range(0))];
  const auto batch = Batch(kind);
  auto store = MakeMemoryStore();
  for (auto _ : state) Write(store.get(), *batch);
  state.SetLabel(kind.name);
  state.SetBytesProcessed(state.iterations() * arrow::util::ReferencedBufferSize(*batch).ValueOrDie());
}

void BM_Scan(benchmark::State& state) {
  const Kind& kind = Kinds()[static_cast<size_t>(state.range(0))];
  const auto batch = Batch(kind);
  auto store = MakeMemoryStore();
  Write(store.get(), *batch);
  auto reader = Open(store.get());
  for (auto _ : state) {
    for (int64_t row = 0; row < kRows; row += 8192) {
      benchmark::DoNotOptimize(
          reader
              ->ReadRange(reader->WholeFile(), row, std::min(kRows, row + 8192), arrow::default_memory_pool())
              .ValueOrDie());
    }
  }
  state.SetLabel(kind.name);
  state.SetBytesProcessed(state.iterations() * arrow::util::ReferencedBufferSize(*batch).ValueOrDie());
}

/// Some rows, far apart.
void BM_Take(benchmark::State& state) {
  const Kind& kind = Kinds()[static_cast<size_t>(state.range(0))];
  auto store = MakeMemoryStore();
  Write(store.get(), *Batch(kind));
  auto reader = Open(store.get());
  const auto projection = reader->WholeFile();
  std::mt19937_64 random(2);
  std::vector<int64_t> rows(static_cast<size_t>(state.range(1)));
  const int64_t step = kRows / state.range(1);
  for (auto _ : state) {
    int64_t at = 0;
    for (int64_t& row : rows)
      row = step * at++ + static_cast<int64_t>(random() % static_cast<uint64_t>(step));
    benchmark::DoNotOptimize(reader->Take(projection, rows, arrow::default_memory_pool()).ValueOrDie());
  }
  state.SetLabel(kind.name);
  state.SetItemsProcessed(state.iterations() * state.range(1));
}

BENCHMARK(BM_Write)->DenseRange(0, 8)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Scan)->DenseRange(0, 8)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Take)
    ->ArgsProduct({benchmark::CreateDenseRange(0, 8, 1), {1, 1000}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace

}  // namespace pilum
