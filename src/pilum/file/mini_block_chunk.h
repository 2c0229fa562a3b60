// SPDX-License-Identifier: Apache-2.0
//
// The chunks of a mini-block page: the table that says where they are, and the parts of one. Spec:
// 11-encodings.md §4.1, §4.2.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <span>
#include <vector>

#include "pilum/encoding/value_decoder.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// The last chunk that begins at `value` or before, from chunk `from` on, which does; cheap if it is near.
/// @param begins of each chunk, ascending, and the end of the last
size_t FindChunk(const std::vector<int64_t>& begins, int64_t value, size_t from);

/// One entry per chunk and one behind the last.
struct ChunkTable {
  std::vector<int64_t> first_values;  ///< number of the chunk's first value in the page
  std::vector<int64_t> offsets;       ///< in the chunk data

  size_t num_chunks() const { return offsets.size() - 1; }
  int64_t NumValues(size_t chunk) const { return first_values[chunk + 1] - first_values[chunk]; }
  int64_t NumBytes(size_t chunk) const { return offsets[chunk + 1] - offsets[chunk]; }

  /// Invalid when the chunks do not hold `num_values` values or do not fit `data_bytes`.
  static arrow::Result<ChunkTable> Parse(std::span<const uint8_t> words, bool large, int64_t num_values,
                                         int64_t data_bytes);
};

/// The parts of one chunk, without padding.
struct MiniBlockChunk {
  /// Where the buffer begins in a chunk of one buffer without levels.
  static constexpr int64_t kOnlyBufferOffset = 8;

  int64_t num_levels = 0;
  std::span<const uint8_t> repetition;
  std::span<const uint8_t> definition;
  ChunkBuffers values;

  static arrow::Result<MiniBlockChunk> Parse(const lance::encodings21::MiniBlockLayout& layout,
                                             size_t num_buffers, std::span<const uint8_t> bytes);
};

}  // namespace pilum
