// SPDX-License-Identifier: Apache-2.0
//
// What does a chunk cost on its way into an Arrow array? Whole chunks of a page, encoding by encoding; a copy
// of the same bytes beside them. Bytes are those of the values.
#include "pilum/encoding/value_decoder.h"

#include <arrow/array.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "pilum/encoding/value_encoder.h"

namespace pilum {

namespace {

constexpr int64_t kValues = 64 * 1024;

void BM_Copy(benchmark::State& state) {
  constexpr size_t kChunk = 4096;  // bytes, those of a flat chunk of 64-bit values
  const std::string from(kValues * sizeof(int64_t), 'x');
  for (auto _ : state) {
    const auto to = arrow::AllocateBuffer(static_cast<int64_t>(from.size())).ValueOrDie();
    for (size_t at = 0; at < from.size(); at += kChunk) {
      std::memcpy(to->mutable_data() + at, from.data() + at, kChunk);
    }
    benchmark::DoNotOptimize(to->data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(from.size()));
}
BENCHMARK(BM_Copy);

/// 64-bit integers below 2^`width` that change every `run` values.
std::shared_ptr<arrow::Array> Integers(int width, int64_t run) {
  std::mt19937_64 random(1);
  std::vector<int64_t> values(kValues);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] =
        i % static_cast<size_t>(run) == 0 ? static_cast<int64_t>(random() >> (64 - width)) : values[i - 1];
  }
  return std::make_shared<arrow::Int64Array>(kValues, arrow::Buffer::FromVector(std::move(values)));
}

void Decode(benchmark::State& state, const arrow::Array& array, const EncodingOptions& options) {
  const LeafType type = LeafType::Of(array.type()).ValueOrDie();
  const auto encoded =
      EncodeFixedChunks(LeafValues::Of(*array.data(), arrow::default_memory_pool()).ValueOrDie(), options)
          .ValueOrDie();
  const auto decoder = ValueDecoder::Make(encoded.encoding, type, arrow::default_memory_pool()).ValueOrDie();
  for (auto _ : state) {
    auto builder = ColumnBuilder::Make(type, kValues, arrow::default_memory_pool()).ValueOrDie();
    for (const EncodedChunk& chunk : encoded.chunks) {
      ChunkBuffers buffers;
      std::ranges::copy(chunk.buffers, buffers.begin());
      const auto status = decoder->Append(buffers, chunk.num_values, 0, chunk.num_values, &builder);
      if (!status.ok()) status.Abort("Append");
    }
    benchmark::DoNotOptimize(builder.num_values());
  }
  state.SetBytesProcessed(state.iterations() * kValues * static_cast<int64_t>(sizeof(int64_t)));
}

void BM_Flat(benchmark::State& state) { Decode(state, *Integers(64, 1), {}); }
void BM_Bitpacked(benchmark::State& state) {
  Decode(state, *Integers(static_cast<int>(state.range(0)), 1), {});
}
void BM_Runs(benchmark::State& state) { Decode(state, *Integers(64, state.range(0)), {}); }
void BM_SplitLz4(benchmark::State& state) {
  EncodingOptions options;
  options.compression = EncodingOptions::Compression::kLz4;
  options.byte_stream_split = EncodingOptions::Choice::kOn;
  Decode(state, *Integers(20, 1), options);
}
BENCHMARK(BM_Flat);
BENCHMARK(BM_Bitpacked)->ArgName("width")->Arg(10)->Arg(40);
BENCHMARK(BM_Runs)->ArgName("length")->Arg(5)->Arg(100);
BENCHMARK(BM_SplitLz4);

}  // namespace

}  // namespace pilum
