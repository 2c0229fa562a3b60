// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "pilum/encoding/fsst_encoder.h"
#include "pilum/encoding/value_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kMaxChunkValues = 2048;      // of all chunks but the last
constexpr int64_t kMaxLastChunkValues = 4095;  // of that
constexpr char kPadding = 'H';
constexpr int64_t kFsstMinBytes = 32 << 10;  // less text does not pay for a symbol table
constexpr int64_t kFsstMinLongest = 5;

/// How many of the values from `begin` make a chunk: a power of two that stays near the budget, or the rest.
int64_t ChunkValues(const std::vector<int64_t>& offsets, int64_t begin, int64_t width, int64_t budget) {
  const int64_t left = static_cast<int64_t>(offsets.size()) - 1 - begin;
  const auto bytes = [&](int64_t n) {
    return offsets[static_cast<size_t>(begin + n)] - offsets[static_cast<size_t>(begin)] + (n + 1) * width;
  };
  if (left <= 1) return left;
  int64_t n = 2;
  while (2 * n <= left && 2 * n <= kMaxChunkValues && bytes(2 * n) <= budget) n *= 2;
  return left < 2 * n && left <= kMaxLastChunkValues && bytes(left) <= budget ? left : n;
}

/// Offsets from the start of the buffer, the text, padding to whole offsets.
template <typename Offset>
std::string ChunkBuffer(const std::vector<int64_t>& offsets, const uint8_t* bytes, int64_t begin,
                        int64_t count) {
  constexpr int64_t kWidth = sizeof(Offset);
  const int64_t first = offsets[static_cast<size_t>(begin)];
  const int64_t text = offsets[static_cast<size_t>(begin + count)] - first;
  const int64_t table = (count + 1) * kWidth;
  std::string buffer(static_cast<size_t>((table + text + kWidth - 1) / kWidth * kWidth), kPadding);
  for (int64_t i = 0; i <= count; ++i) {
    StoreLE(buffer.data() + i * kWidth,
            static_cast<Offset>(offsets[static_cast<size_t>(begin + i)] - first + table));
  }
  if (text > 0) std::memcpy(buffer.data() + table, bytes + first, static_cast<size_t>(text));
  return buffer;
}

void AppendChunks(const std::vector<int64_t>& offsets, const uint8_t* bytes, int offset_bits, int64_t budget,
                  EncodedValues* encoded) {
  const int64_t n = static_cast<int64_t>(offsets.size()) - 1;
  for (int64_t begin = 0; begin < n;) {
    const int64_t count = ChunkValues(offsets, begin, offset_bits / 8, budget);
    auto buffer = offset_bits == 64 ? ChunkBuffer<uint64_t>(offsets, bytes, begin, count)
                                    : ChunkBuffer<uint32_t>(offsets, bytes, begin, count);
    encoded->chunks.push_back({count, {encoded->Keep(std::move(buffer))}});
    begin += count;
  }
}

}  // namespace

bool UseFsst(const LeafValues& values, const EncodingOptions& options) {
  if (options.compression == EncodingOptions::Compression::kFsst) return true;
  const auto id = values.type.type->id();
  return options.compression == EncodingOptions::Compression::kDefault && id != arrow::Type::BINARY &&
         id != arrow::Type::LARGE_BINARY && values.LongestValue() >= kFsstMinLongest &&
         values.DataSize() >= kFsstMinBytes;
}

arrow::Result<EncodedValues> EncodeStringChunks(const LeafValues& values, const EncodingOptions& options) {
  EncodedValues encoded;
  encoded.encoding.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
      static_cast<uint64_t>(values.type.offset_bits));
  if (UseFsst(values, options)) {
    const FsstEncoder encoder = FsstEncoder::Train(values);
    std::vector<int64_t> offsets;
    ARROW_ASSIGN_OR_RAISE(const auto codes, encoder.EncodeAll(values, &offsets));
    AppendChunks(offsets, codes->data(), values.type.offset_bits, options.string_chunk_bytes, &encoded);
    encoded.encoding = encoder.Wrap(std::move(encoded.encoding));
    return encoded;
  }
  AppendChunks(values.offsets, values.bytes, values.type.offset_bits, options.string_chunk_bytes, &encoded);
  ARROW_RETURN_NOT_OK(CompressChunks(options, &encoded));
  return encoded;
}

}  // namespace pilum
