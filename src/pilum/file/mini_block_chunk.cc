// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/mini_block_chunk.h"

#include <arrow/util/bit_util.h>

#include <algorithm>
#include <array>

#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

constexpr int64_t kMaxChunkValues = 1 << 20;  // far beyond what any writer puts in a chunk

}  // namespace

arrow::Result<ChunkTable> ChunkTable::Parse(std::span<const uint8_t> words, bool large, int64_t num_values,
                                            int64_t data_bytes) {
  const size_t width = large ? 4 : 2;
  if (words.size() % width != 0) return arrow::Status::Invalid("half a chunk word");
  const size_t n = words.size() / width;
  ChunkTable table;
  table.first_values.reserve(n + 1);
  table.offsets.reserve(n + 1);
  int64_t value = 0, offset = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t word = large ? LoadLE<uint32_t>(&words[4 * i]) : LoadLE<uint16_t>(&words[2 * i]);
    table.first_values.push_back(value);
    table.offsets.push_back(offset);
    const int log = static_cast<int>(word & 15);
    const bool last = i + 1 == n;
    const int64_t rest = num_values - value, count = last ? rest : int64_t{1} << log;
    if (rest <= 0 || count > rest || count > kMaxChunkValues ||
        (last ? log != 0 && count != int64_t{1} << log : log == 0)) {
      return arrow::Status::Invalid("chunk ", i, " of ", n, " does not add up to the page's ", num_values,
                                    " values");
    }
    value += count;
    offset += (int64_t{word >> 4} + 1) * 8;
  }
  table.first_values.push_back(value);
  table.offsets.push_back(offset);
  if (value != num_values || offset > data_bytes) {
    return arrow::Status::Invalid("chunks of ", value, " values and ", offset, " bytes in a page of ",
                                  num_values, " and ", data_bytes);
  }
  return table;
}

size_t FindChunk(const std::vector<int64_t>& begins, int64_t value, size_t from) {
  const size_t num_chunks = begins.size() - 1;
  size_t step = 1;
  while (from + step < num_chunks && begins[from + step] <= value) {
    from += step;
    step *= 2;
  }
  const auto first = begins.begin() + static_cast<int64_t>(from);
  const auto last = begins.begin() + static_cast<int64_t>(std::min(from + step, num_chunks));
  return static_cast<size_t>(std::upper_bound(first, last, value) - begins.begin()) - 1;
}

arrow::Result<MiniBlockChunk> MiniBlockChunk::Parse(const lance::encodings21::MiniBlockLayout& layout,
                                                    size_t num_buffers, std::span<const uint8_t> bytes) {
  LittleEndianCursor cursor(bytes);
  MiniBlockChunk chunk;
  chunk.num_levels = cursor.U16();
  const int64_t repetition_bytes = layout.has_rep_compression() ? cursor.U16() : 0;
  const int64_t definition_bytes = layout.has_def_compression() ? cursor.U16() : 0;
  std::array<int64_t, std::tuple_size_v<ChunkBuffers>> sizes;
  if (num_buffers > sizes.size()) {
    return arrow::Status::NotImplemented("chunks of ", num_buffers, " buffers");
  }
  for (size_t i = 0; i < num_buffers; ++i) sizes[i] = layout.has_large_chunk() ? cursor.U32() : cursor.U16();
  int64_t at = arrow::bit_util::RoundUpToMultipleOf8(static_cast<int64_t>(cursor.position()));
  const auto take = [&](int64_t size) -> arrow::Result<std::span<const uint8_t>> {
    if (!cursor.ok() || at > static_cast<int64_t>(bytes.size()) ||
        size > static_cast<int64_t>(bytes.size()) - at) {
      return arrow::Status::Invalid("a chunk of ", bytes.size(), " bytes with a buffer of ", size,
                                    " bytes at ", at);
    }
    const auto part = bytes.subspan(static_cast<size_t>(at), static_cast<size_t>(size));
    at = arrow::bit_util::RoundUpToMultipleOf8(at + size);
    return part;
  };
  if (layout.has_rep_compression()) {
    ARROW_ASSIGN_OR_RAISE(chunk.repetition, take(repetition_bytes));
  }
  if (layout.has_def_compression()) {
    ARROW_ASSIGN_OR_RAISE(chunk.definition, take(definition_bytes));
  }
  for (size_t i = 0; i < num_buffers; ++i) {
    ARROW_ASSIGN_OR_RAISE(chunk.values[i], take(sizes[i]));
  }
  return chunk;
}

}  // namespace pilum
