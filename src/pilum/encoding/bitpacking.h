// SPDX-License-Identifier: Apache-2.0
//
// FastLanes bit-packing: units of 1024 values of `width` bits in T-bit words, transposed into 1024 / |T|
// lanes so that one shift serves a whole vector register. Each lane is a little-endian bit stream of its own;
// the words of the lanes are interleaved. Spec: 11-encodings.md §8.5; Afroozeh and Boncz, "The FastLanes
// Compression Layout", VLDB 2023.
#pragma once

#include <cstdint>

namespace pilum {

inline constexpr int kBitpackingUnit = 1024;  ///< values in a unit

/// Words of a packed unit.
template <typename T>
constexpr int64_t PackedWords(int width) {
  return int64_t{kBitpackingUnit} * width / (8 * static_cast<int>(sizeof(T)));
}

// T is uint8_t, uint16_t, uint32_t or uint64_t; 0 <= width <= bits of T.

/// Reads PackedWords<T>(width) words, writes 1024 values.
template <typename T>
void Unpack(const T* packed, int width, T* out);

/// Reads 1024 values, of which only the low `width` bits count; writes PackedWords<T>(width) words.
template <typename T>
void Pack(const T* values, int width, T* packed);

/// Value `index` of a packed unit; reads one or two words.
template <typename T>
T UnpackOne(const T* packed, int width, int index);

/// The words [first, first + count) of a packed unit around one value: it has the first and the last of them.
struct PackedWordRange {
  int64_t first = 0;
  int64_t count = 0;  ///< 0 when the width is
};
template <typename T>
PackedWordRange WordsOf(int width, int index);
/// Value `index` from the bytes of these words, which need not be aligned.
template <typename T>
T UnpackFrom(const uint8_t* words, int width, int index);

/// The definition of Unpack, value by value: what tests hold the fast one against.
template <typename T>
void UnpackScalar(const T* packed, int width, T* out);

}  // namespace pilum
