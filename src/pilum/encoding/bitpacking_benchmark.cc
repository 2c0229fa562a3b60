// SPDX-License-Identifier: Apache-2.0
//
// How fast are values unpacked and packed, by the width of the type and that of the values? Bytes are those
// of the values. The goal is 4 GB/s of unpacked values on one core.
#include "pilum/encoding/bitpacking.h"

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

namespace pilum {

namespace {

template <typename T>
std::vector<T> Random(size_t n) {
  std::mt19937_64 random(1);
  std::vector<T> values(n);
  for (T& value : values) value = static_cast<T>(random());
  return values;
}

template <typename T>
void CountBytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * kBitpackingUnit * static_cast<int64_t>(sizeof(T)));
}

template <typename T>
void BM_Unpack(benchmark::State& state) {
  const int width = static_cast<int>(state.range(0));
  const auto packed = Random<T>(static_cast<size_t>(PackedWords<T>(width)));
  std::vector<T> values(kBitpackingUnit);
  for (auto _ : state) {
    Unpack<T>(packed.data(), width, values.data());
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  }
  CountBytes<T>(state);
}

template <typename T>
void BM_Pack(benchmark::State& state) {
  const int width = static_cast<int>(state.range(0));
  const auto values = Random<T>(kBitpackingUnit);
  std::vector<T> packed(static_cast<size_t>(PackedWords<T>(width)));
  for (auto _ : state) {
    Pack<T>(values.data(), width, packed.data());
    benchmark::DoNotOptimize(packed.data());
    benchmark::ClobberMemory();
  }
  CountBytes<T>(state);
}

BENCHMARK(BM_Unpack<uint8_t>)->ArgName("width")->Arg(1)->Arg(5)->Arg(7);
BENCHMARK(BM_Unpack<uint16_t>)->ArgName("width")->Arg(1)->Arg(7)->Arg(13);
BENCHMARK(BM_Unpack<uint32_t>)->ArgName("width")->Arg(1)->Arg(10)->Arg(17)->Arg(31);
BENCHMARK(BM_Unpack<uint64_t>)->ArgName("width")->Arg(1)->Arg(10)->Arg(40)->Arg(63);
BENCHMARK(BM_Pack<uint8_t>)->ArgName("width")->Arg(5);
BENCHMARK(BM_Pack<uint16_t>)->ArgName("width")->Arg(7);
BENCHMARK(BM_Pack<uint32_t>)->ArgName("width")->Arg(10)->Arg(17);
BENCHMARK(BM_Pack<uint64_t>)->ArgName("width")->Arg(10)->Arg(40);

}  // namespace

}  // namespace pilum
