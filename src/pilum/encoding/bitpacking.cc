// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/bitpacking.h"

#include <algorithm>

#include "pilum/util/little_endian.h"
#include "pilum/util/target_clones.h"

namespace pilum {

namespace {

/// Reverses three bits: the order in which the groups of rows follow each other.
constexpr int kReversed[8] = {0, 4, 2, 6, 1, 5, 3, 7};

template <typename T>
constexpr int kBits = 8 * static_cast<int>(sizeof(T));
template <typename T>
constexpr int kLanes = kBitpackingUnit / kBits<T>;

template <typename T>
constexpr T LowBits(int width) {
  return width == kBits<T> ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << width) - 1);
}

/// The first bit, in its lane, of value `index`.
template <typename T>
constexpr int FirstBit(int width, int index) {
  const int group = kReversed[(index % 128 - index % kLanes<T>) / 16];
  return (8 * group + index / 128) * width;
}

/// Index of the value in lane 0 of `row`; the other lanes follow it.
constexpr int FirstOfRow(int row) { return kReversed[row / 8] * 16 + (row % 8) * 128; }

// One loop over lanes per row with a shift that is the same for all: every clone vectorises it to its own
// registers. The instantiations are spelled out because GCC clones functions, not templates.
template <typename T>
[[gnu::always_inline]] inline void UnpackRows(const T* packed, int width, T* out) {
  const T mask = LowBits<T>(width);
  for (int row = 0; row < kBits<T>; ++row) {
    const int bit = row * width;
    const int shift = bit % kBits<T>;
    const T* low = packed + kLanes<T> * (bit / kBits<T>);
    T* to = out + FirstOfRow(row);
    if (shift + width <= kBits<T>) {
      for (int lane = 0; lane < kLanes<T>; ++lane) to[lane] = static_cast<T>(low[lane] >> shift) & mask;
    } else {
      const T* high = low + kLanes<T>;
      const int rest = kBits<T> - shift;
      for (int lane = 0; lane < kLanes<T>; ++lane) {
        to[lane] = static_cast<T>((low[lane] >> shift) | (high[lane] << rest)) & mask;
      }
    }
  }
}

template <typename T>
[[gnu::always_inline]] inline void PackRows(const T* values, int width, T* packed) {
  const T mask = LowBits<T>(width);
  std::fill_n(packed, PackedWords<T>(width), T{0});
  for (int row = 0; row < kBits<T>; ++row) {
    const int bit = row * width;
    const int shift = bit % kBits<T>;
    T* low = packed + kLanes<T> * (bit / kBits<T>);
    const T* from = values + FirstOfRow(row);
    for (int lane = 0; lane < kLanes<T>; ++lane) low[lane] |= static_cast<T>((from[lane] & mask) << shift);
    if (shift + width > kBits<T>) {
      T* high = low + kLanes<T>;
      const int rest = kBits<T> - shift;
      for (int lane = 0; lane < kLanes<T>; ++lane) high[lane] |= static_cast<T>((from[lane] & mask) >> rest);
    }
  }
}

#define PILUM_BITPACKING(T)                                                                                 \
  PILUM_CLONES void UnpackClones(const T* packed, int width, T* out) { UnpackRows<T>(packed, width, out); } \
  PILUM_CLONES void PackClones(const T* values, int width, T* packed) { PackRows<T>(values, width, packed); }
PILUM_BITPACKING(uint8_t)
PILUM_BITPACKING(uint16_t)
PILUM_BITPACKING(uint32_t)
PILUM_BITPACKING(uint64_t)
#undef PILUM_BITPACKING

}  // namespace

template <typename T>
void Unpack(const T* packed, int width, T* out) {
  if (width == 0) {
    std::fill_n(out, kBitpackingUnit, T{0});
  } else {
    UnpackClones(packed, width, out);
  }
}

template <typename T>
void Pack(const T* values, int width, T* packed) {
  if (width > 0) PackClones(values, width, packed);
}

template <typename T>
PackedWordRange WordsOf(int width, int index) {
  if (width == 0) return {};
  const int bit = FirstBit<T>(width, index);
  return {kLanes<T> * (bit / kBits<T>)+index % kLanes<T>,
          bit % kBits<T> + width > kBits<T> ? kLanes<T> + 1 : 1};
}

template <typename T>
T UnpackFrom(const uint8_t* words, int width, int index) {
  if (width == 0) return 0;
  const int shift = FirstBit<T>(width, index) % kBits<T>;
  T value = static_cast<T>(LoadLE<T>(words) >> shift);
  if (shift + width > kBits<T>) {
    value |= static_cast<T>(LoadLE<T>(words + kLanes<T> * sizeof(T)) << (kBits<T> - shift));
  }
  return value & LowBits<T>(width);
}

template <typename T>
T UnpackOne(const T* packed, int width, int index) {
  return UnpackFrom<T>(reinterpret_cast<const uint8_t*>(packed + WordsOf<T>(width, index).first), width,
                       index);
}

template <typename T>
void UnpackScalar(const T* packed, int width, T* out) {
  for (int i = 0; i < kBitpackingUnit; ++i) out[i] = UnpackOne(packed, width, i);
}

#define PILUM_INSTANTIATE(T)                          \
  template void Unpack<T>(const T*, int, T*);         \
  template void Pack<T>(const T*, int, T*);           \
  template T UnpackOne<T>(const T*, int, int);        \
  template PackedWordRange WordsOf<T>(int, int);      \
  template T UnpackFrom<T>(const uint8_t*, int, int); \
  template void UnpackScalar<T>(const T*, int, T*);
PILUM_INSTANTIATE(uint8_t)
PILUM_INSTANTIATE(uint16_t)
PILUM_INSTANTIATE(uint32_t)
PILUM_INSTANTIATE(uint64_t)
#undef PILUM_INSTANTIATE

}  // namespace pilum
