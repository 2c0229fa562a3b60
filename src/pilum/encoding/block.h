// SPDX-License-Identifier: Apache-2.0
//
// Block encodings: one buffer, a number of values known from outside. Levels and dictionaries are stored so.
// Spec: 11-encodings.md §8.1 (column "block"), §8.2, §8.4, §8.6, §8.8, §8.10.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "pilum/encoding/bitpacking.h"
#include "pilum/encoding/column_builder.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// Writes `n` values of `bits` (8, 16, 32, 64, or any number when stored flat: 1 gives a bitmap) to `out`.
/// Invalid for damaged input, NotImplemented for encodings that blocks do not have.
arrow::Status DecodeFixedBlock(const lance::encodings21::CompressiveEncoding& encoding,
                               std::span<const uint8_t> block, int64_t n, int64_t bits, uint8_t* out,
                               arrow::MemoryPool* pool);

/// Levels [begin, begin + count) of a block of `n`. A few levels of a packed or flat block cost a few loads.
arrow::Status DecodeLevels(const lance::encodings21::CompressiveEncoding& encoding,
                           std::span<const uint8_t> block, int64_t n, int64_t begin, int64_t count,
                           uint16_t* out, arrow::MemoryPool* pool);

/// Appends `n` strings.
arrow::Status DecodeVariableBlock(const lance::encodings21::CompressiveEncoding& encoding,
                                  std::span<const uint8_t> block, int64_t n, ColumnBuilder* out,
                                  arrow::MemoryPool* pool);

/// Bytes of the out-of-line bit-packing of `n` values to `width` bits.
template <typename T>
int64_t PackedOutOfLineBytes(int64_t n, int width) {
  const int64_t tail = n % kBitpackingUnit, per_unit = PackedWords<T>(width);
  return (n / kBitpackingUnit * per_unit + std::min(tail, per_unit)) * static_cast<int64_t>(sizeof(T));
}

/// Appends the out-of-line bit-packing of `n` values of at most `width` bits; T is uint8_t to uint64_t.
template <typename T>
void PackOutOfLine(const T* values, int64_t n, int width, std::string* out);

}  // namespace pilum
