// SPDX-License-Identifier: Apache-2.0
//
// Any values of any width: packing and unpacking agree with each other, with their definition, and out of
// line.
#include "pilum/encoding/bitpacking.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "pilum/encoding/block.h"
#include "pilum/fuzz_target.h"

namespace pilum {

namespace {

using Bytes = std::span<const uint8_t>;

/// Values of `width` bits, repeated to fill a unit.
template <typename T>
std::vector<T> Unit(Bytes bytes, int width) {
  std::vector<T> values(kBitpackingUnit, 0);
  const size_t n = std::min(bytes.size() / sizeof(T), values.size());
  if (n > 0) std::memcpy(values.data(), bytes.data(), n * sizeof(T));
  const T mask = width == 0
                     ? T{0}
                     : static_cast<T>(static_cast<T>(~T{0}) >> (8 * sizeof(T) - static_cast<size_t>(width)));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>(n == 0 ? 0 : values[i % n]) & mask;
  }
  return values;
}

template <typename T>
void FuzzUnit(int width, Bytes bytes) {
  const auto values = Unit<T>(bytes, width);
  std::vector<T> packed(static_cast<size_t>(PackedWords<T>(width)));
  Pack<T>(values.data(), width, packed.data());
  std::vector<T> unpacked(values.size()), scalar(values.size());
  Unpack<T>(packed.data(), width, unpacked.data());
  UnpackScalar<T>(packed.data(), width, scalar.data());
  Require(unpacked == values, "values come back");
  Require(scalar == values, "the definition agrees");
  for (int i = 0; i < kBitpackingUnit; i += 7) {
    Require(UnpackOne<T>(packed.data(), width, i) == values[static_cast<size_t>(i)], "one value comes back");
  }
  std::vector<T> again(packed.size());
  Pack<T>(unpacked.data(), width, again.data());
  Require(again == packed, "words come back");
}

template <typename T>
void FuzzOutOfLine(int width, Bytes bytes) {
  auto values = Unit<T>(bytes, width);
  values.insert(values.end(), values.begin(),
                values.begin() + static_cast<int64_t>(bytes.size() % kBitpackingUnit));
  std::string block;
  PackOutOfLine<T>(values.data(), static_cast<int64_t>(values.size()), width, &block);
  lance::encodings21::CompressiveEncoding encoding;
  auto* packed = encoding.mutable_out_of_line_bitpacking();
  packed->set_uncompressed_bits_per_value(8 * sizeof(T));
  packed->mutable_values()->mutable_flat()->set_bits_per_value(static_cast<uint64_t>(width));
  std::vector<T> decoded(values.size());
  Require(DecodeFixedBlock(encoding, ExactBytes(block), static_cast<int64_t>(values.size()), 8 * sizeof(T),
                           reinterpret_cast<uint8_t*>(decoded.data()), arrow::default_memory_pool()),
          "packed values decode");
  Require(decoded == values, "values come back out of line");
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const char log_bytes : {0, 1, 2, 3}) {
    for (const char width : {1, 3, 8}) seeds.push_back(std::string{log_bytes, width} + "0123456789abcdefghi");
  }
  return seeds;
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return -1;
  const int log_bytes = data[0] % 4, width = data[1] % ((8 << log_bytes) + 1);
  const std::span<const uint8_t> bytes(data + 2, size - 2);
  switch (log_bytes) {
    case 0:
      pilum::FuzzUnit<uint8_t>(width, bytes);
      break;
    case 1:
      pilum::FuzzUnit<uint16_t>(width, bytes);
      pilum::FuzzOutOfLine<uint16_t>(width, bytes);
      break;
    case 2:
      pilum::FuzzUnit<uint32_t>(width, bytes);
      break;
    default:
      pilum::FuzzUnit<uint64_t>(width, bytes);
      pilum::FuzzOutOfLine<uint64_t>(width, bytes);
  }
  return 0;
}
