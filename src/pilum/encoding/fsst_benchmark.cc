// SPDX-License-Identifier: Apache-2.0
//
// FSST of a page of strings: learning the table, encoding, decoding. Bytes are those of the text.
#include "pilum/encoding/fsst.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <benchmark/benchmark.h>

#include <random>

#include "pilum/encoding/fsst_encoder.h"

namespace pilum {

namespace {

constexpr int64_t kTextBytes = 4 << 20;

const char* const kWords[] = {"the",   "of",     "and",   "to",      "that",    "was",    "with",
                              "which", "would",  "there", "been",    "could",   "people", "first",
                              "water", "little", "world", "between", "another", "under"};

/// 0: sentences. 1: links. 2: numbered keys.
std::string Text(int64_t kind, int64_t i, std::mt19937_64& random) {
  const auto word = [&] { return std::string(kWords[random() % std::size(kWords)]); };
  if (kind == 2) return "key/" + std::to_string(1'000'000'000 + i);
  if (kind == 1) {
    return "https://www." + word() + ".example/" + word() + "/" + std::to_string(random() % 100'000) +
           "?q=" + word();
  }
  std::string text = word();
  for (uint64_t n = 3 + random() % 20; n > 0; --n) text += " " + word();
  return text;
}

struct Page {
  std::shared_ptr<arrow::Array> array;
  LeafValues values;
  int64_t text_bytes;
};

Page MakePage(int64_t kind) {
  std::mt19937_64 random(1);
  arrow::StringBuilder builder;
  for (int64_t i = 0; builder.value_data_length() < kTextBytes; ++i) {
    if (!builder.Append(Text(kind, i, random)).ok()) std::abort();
  }
  Page page;
  page.text_bytes = builder.value_data_length();
  page.array = builder.Finish().ValueOrDie();
  page.values = LeafValues::Of(*page.array->data(), arrow::default_memory_pool()).ValueOrDie();
  return page;
}

void BM_Train(benchmark::State& state) {
  const Page page = MakePage(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(FsstEncoder::Train(page.values));
}

void BM_Encode(benchmark::State& state) {
  const Page page = MakePage(state.range(0));
  const FsstEncoder encoder = FsstEncoder::Train(page.values);
  std::vector<int64_t> offsets;
  for (auto _ : state) benchmark::DoNotOptimize(encoder.EncodeAll(page.values, &offsets).ValueOrDie());
  state.SetBytesProcessed(state.iterations() * page.text_bytes);
  state.counters["ratio"] = static_cast<double>(page.text_bytes) / static_cast<double>(offsets.back());
}

void BM_Decode(benchmark::State& state) {
  const Page page = MakePage(state.range(0));
  const FsstEncoder encoder = FsstEncoder::Train(page.values);
  std::vector<int64_t> offsets;
  const auto codes = encoder.EncodeAll(page.values, &offsets).ValueOrDie();
  const std::string table = encoder.Table();
  const auto decoder =
      FsstDecoder::Parse({reinterpret_cast<const uint8_t*>(table.data()), table.size()}).ValueOrDie();
  arrow::BufferBuilder text;
  for (auto _ : state) {
    text.Rewind(0);
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
      const auto size = static_cast<size_t>(offsets[i + 1] - offsets[i]);
      if (!decoder.Decode({codes->data() + offsets[i], size}, &text).ok()) std::abort();
    }
    benchmark::DoNotOptimize(text.data());
  }
  if (text.length() != page.text_bytes) std::abort();
  state.SetBytesProcessed(state.iterations() * page.text_bytes);
}

BENCHMARK(BM_Train)->ArgName("kind")->DenseRange(0, 2)->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_Encode)->ArgName("kind")->DenseRange(0, 2)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Decode)->ArgName("kind")->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace pilum
