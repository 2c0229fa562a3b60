// SPDX-License-Identifier: Apache-2.0
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "pilum/encoding/bitpacking.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/encoding/value_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kMaxChunkValues = 4096;
constexpr int64_t kChunkBytes = 8186;  // of values, so that a chunk with its header stays near 8 KiB
constexpr int64_t kMaxRun = 255;
constexpr int64_t kMinCompressedBytes = 4096;  // below this General does not pay
constexpr int64_t kEntropySample = 64;
constexpr double kMaxSplitEntropy = 4.0;  // bits per byte position: below it byte-stream split pays

template <typename T>
T ValueAt(const LeafValues& values, int64_t i) {
  return LoadLE<T>(values.values + i * static_cast<int64_t>(sizeof(T)));
}

// ---- Flat -----------------------------------------------------------------------------------------------

/// Values of a chunk of flat values: the largest power of two that stays in the budget.
int64_t FlatChunkValues(const LeafValues& values) {
  int64_t bits = values.type.bits;
  for (size_t i = 0; i < values.type.dims.size(); ++i) {
    if (values.item_validity[i].bitmap != nullptr)
      bits += arrow::bit_util::RoundUpToMultipleOf8(values.type.ItemsThrough(i));
  }
  int64_t count = values.type.bits % 8 == 0 ? 2 : 8;
  while (2 * count * bits / 8 < kChunkBytes && 2 * count <= kMaxChunkValues) count *= 2;
  return count;
}

EncodedValues EncodeFlat(const LeafValues& values) {
  EncodedValues encoded;
  encoded.encoding = FlatEncoding(values);
  for (const auto& validity : values.item_validity) encoded.num_buffers += validity.bitmap != nullptr;
  const int64_t per_chunk = FlatChunkValues(values);
  for (int64_t begin = 0; begin < values.length; begin += per_chunk) {
    EncodedChunk chunk{std::min(per_chunk, values.length - begin), {}};
    for (size_t level = 0; level < values.item_validity.size(); ++level) {
      if (values.item_validity[level].bitmap != nullptr) {
        chunk.buffers.push_back(encoded.Keep(ItemBits(values, level, begin, chunk.num_values)));
      }
    }
    const auto view = FlatView(values, begin, chunk.num_values);
    chunk.buffers.push_back(view ? *view : encoded.Keep(FlatBytes(values, begin, chunk.num_values)));
    encoded.chunks.push_back(std::move(chunk));
  }
  return encoded;
}

// ---- Bit-packing ----------------------------------------------------------------------------------------

/// Bits that the widest of `count` values needs.
template <typename T>
int WidthOf(const LeafValues& values, int64_t begin, int64_t count) {
  T any = 0;
  for (int64_t i = begin; i < begin + count; ++i) any |= ValueAt<T>(values, i);
  return std::bit_width(any);
}

template <typename T>
int64_t PackedBytes(const LeafValues& values) {
  int64_t words = 0;
  for (int64_t begin = 0; begin < values.length; begin += kBitpackingUnit) {
    const int64_t count = std::min<int64_t>(kBitpackingUnit, values.length - begin);
    words += 1 + PackedWords<T>(WidthOf<T>(values, begin, count));
  }
  return words * static_cast<int64_t>(sizeof(T));
}

template <typename T>
EncodedValues EncodeBitpacked(const LeafValues& values) {
  EncodedValues encoded;
  encoded.encoding.mutable_inline_bitpacking()->set_uncompressed_bits_per_value(8 * sizeof(T));
  std::array<T, kBitpackingUnit> unit;
  std::array<T, kBitpackingUnit + 1> packed;
  for (int64_t begin = 0; begin < values.length; begin += kBitpackingUnit) {
    const int64_t count = std::min<int64_t>(kBitpackingUnit, values.length - begin);
    unit.fill(0);
    std::memcpy(unit.data(), values.values + begin * static_cast<int64_t>(sizeof(T)),
                static_cast<size_t>(count) * sizeof(T));
    const int width = WidthOf<T>(values, begin, count);
    packed[0] = static_cast<T>(width);
    Pack<T>(unit.data(), width, packed.data() + 1);
    std::string bytes(reinterpret_cast<const char*>(packed.data()),
                      static_cast<size_t>(1 + PackedWords<T>(width)) * sizeof(T));
    encoded.chunks.push_back({count, {encoded.Keep(std::move(bytes))}});
  }
  return encoded;
}

// ---- Run lengths ----------------------------------------------------------------------------------------

template <typename T>
int64_t CountRuns(const LeafValues& values) {
  int64_t runs = values.length > 0 ? 1 : 0;
  for (int64_t i = 1; i < values.length; ++i) runs += ValueAt<T>(values, i) != ValueAt<T>(values, i - 1);
  return runs;
}

/// How many of the values from `begin` make a chunk: the most within the budget, a power of two or all.
template <typename T>
int64_t RunChunkValues(const LeafValues& values, int64_t begin) {
  const int64_t left = std::min(values.length - begin, kMaxChunkValues);
  int64_t runs = 0, run = 0, best = std::min<int64_t>(left, 2);
  for (int64_t n = 1; n <= left; ++n) {
    const int64_t i = begin + n - 1;
    const bool same = n > 1 && run < kMaxRun && ValueAt<T>(values, i) == ValueAt<T>(values, i - 1);
    run = same ? run + 1 : 1;
    runs += !same;
    if (runs * static_cast<int64_t>(sizeof(T) + 1) > kChunkBytes) break;
    if (std::has_single_bit(static_cast<uint64_t>(n)) || begin + n == values.length) best = std::max(best, n);
  }
  return best;
}

template <typename T>
EncodedValues EncodeRuns(const LeafValues& values) {
  EncodedValues encoded;
  encoded.num_buffers = 2;
  encoded.encoding.mutable_rle()->mutable_values()->mutable_flat()->set_bits_per_value(8 * sizeof(T));
  encoded.encoding.mutable_rle()->mutable_run_lengths()->mutable_flat()->set_bits_per_value(8);
  for (int64_t begin = 0; begin < values.length;) {
    const int64_t count = RunChunkValues<T>(values, begin), end = begin + count;
    std::string run_values, lengths;
    while (begin < end) {
      const T value = ValueAt<T>(values, begin);
      int64_t run = 1;
      while (begin + run < end && run < kMaxRun && ValueAt<T>(values, begin + run) == value) ++run;
      AppendLE<T>(&run_values, value);
      lengths.push_back(static_cast<char>(run));
      begin += run;
    }
    encoded.chunks.push_back(
        {count, {encoded.Keep(std::move(run_values)), encoded.Keep(std::move(lengths))}});
  }
  return encoded;
}

// ---- Byte-stream split ----------------------------------------------------------------------------------

template <typename T>
EncodedValues EncodeByteStreamSplit(const LeafValues& values) {
  constexpr int64_t kPerChunk = sizeof(T) == 4 ? 1024 : 512;
  EncodedValues encoded;
  encoded.encoding.mutable_byte_stream_split()->mutable_values()->mutable_flat()->set_bits_per_value(
      8 * sizeof(T));
  for (int64_t begin = 0; begin < values.length; begin += kPerChunk) {
    const size_t n = static_cast<size_t>(std::min(kPerChunk, values.length - begin));
    const uint8_t* from = values.values + begin * static_cast<int64_t>(sizeof(T));
    std::string bytes(n * sizeof(T), '\0');
    for (size_t i = 0; i < n; ++i) {
      for (size_t byte = 0; byte < sizeof(T); ++byte) {
        bytes[byte * n + i] = static_cast<char>(from[i * sizeof(T) + byte]);
      }
    }
    encoded.chunks.push_back({static_cast<int64_t>(n), {encoded.Keep(std::move(bytes))}});
  }
  return encoded;
}

/// Shannon entropy of the bytes at each position of the first values, on average.
template <typename T>
double ByteEntropy(const LeafValues& values) {
  const int64_t n = std::min(values.length, kEntropySample);
  if (n == 0) return 0;
  double total = 0;
  for (size_t byte = 0; byte < sizeof(T); ++byte) {
    std::array<int, 256> counts{};
    for (int64_t i = 0; i < n; ++i)
      ++counts[values.values[i * static_cast<int64_t>(sizeof(T)) + static_cast<int64_t>(byte)]];
    for (const int count : counts) {
      if (count == 0) continue;
      const double share = count / static_cast<double>(n);
      total -= share * std::log2(share);
    }
  }
  return total / sizeof(T);
}

template <typename T>
bool UseByteStreamSplit(const LeafValues& values, const EncodingOptions& options) {
  if (sizeof(T) < 4 || !options.general()) return false;
  if (options.byte_stream_split != EncodingOptions::Choice::kAuto) {
    return options.byte_stream_split == EncodingOptions::Choice::kOn;
  }
  return ByteEntropy<T>(values) < kMaxSplitEntropy;
}

// ---- The choice -----------------------------------------------------------------------------------------

template <typename T>
bool UseRuns(const LeafValues& values, const EncodingOptions& options, int64_t packed_bytes) {
  const int64_t n = values.length, runs = CountRuns<T>(values);
  if (options.rle_threshold && static_cast<double>(runs) >= static_cast<double>(n) * *options.rle_threshold) {
    return false;
  }
  const int64_t bytes = std::min(runs + n / kMaxRun, n) * static_cast<int64_t>(sizeof(T) + 1);
  return bytes < n * static_cast<int64_t>(sizeof(T)) && packed_bytes >= bytes;
}

template <typename T>
EncodedValues EncodeIntegers(const LeafValues& values, const EncodingOptions& options) {
  if (options.compression == EncodingOptions::Compression::kNone) return EncodeFlat(values);
  if (UseByteStreamSplit<T>(values, options)) {
    if constexpr (sizeof(T) >= 4) return EncodeByteStreamSplit<T>(values);
  }
  const int64_t packed_bytes = PackedBytes<T>(values);
  if (UseRuns<T>(values, options, packed_bytes)) return EncodeRuns<T>(values);
  if (packed_bytes < values.length * static_cast<int64_t>(sizeof(T))) return EncodeBitpacked<T>(values);
  return EncodeFlat(values);
}

}  // namespace

std::span<const uint8_t> EncodedValues::Keep(std::string bytes) {
  const std::string& kept = storage.emplace_back(std::move(bytes));
  return {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()};
}

std::optional<std::span<const uint8_t>> FlatView(const LeafValues& values, int64_t begin, int64_t count) {
  const int64_t bits = values.type.bits;
  if (values.first_bit != 0 || begin * bits % 8 != 0 || count * bits % 8 != 0) return std::nullopt;
  return std::span(values.values + begin * bits / 8, static_cast<size_t>(count * bits / 8));
}

std::string FlatBytes(const LeafValues& values, int64_t begin, int64_t count) {
  if (const auto view = FlatView(values, begin, count)) return {view->begin(), view->end()};
  const int64_t bits = values.type.bits;
  std::string bytes(static_cast<size_t>(arrow::bit_util::BytesForBits(count * bits)), '\0');
  arrow::internal::CopyBitmap(values.values, values.first_bit + begin * bits, count * bits,
                              reinterpret_cast<uint8_t*>(bytes.data()), 0);
  return bytes;
}

std::shared_ptr<arrow::Buffer> FlatBuffer(const LeafValues& values) {
  if (const auto view = FlatView(values, 0, values.length)) {
    for (const auto& buffer : values.holds) {
      if (buffer == nullptr || view->data() < buffer->data()) continue;
      const int64_t offset = view->data() - buffer->data(), size = static_cast<int64_t>(view->size());
      if (offset + size <= buffer->size()) return arrow::SliceBuffer(buffer, offset, size);
    }
  }
  return arrow::Buffer::FromString(FlatBytes(values, 0, values.length));
}

std::string ItemBits(const LeafValues& values, size_t level, int64_t begin, int64_t count) {
  const auto& validity = values.item_validity[level];
  const int64_t items = values.type.ItemsThrough(level);
  std::string bits(static_cast<size_t>(arrow::bit_util::BytesForBits(count * items)), '\0');
  arrow::internal::CopyBitmap(validity.bitmap, validity.offset + begin * items, count * items,
                              reinterpret_cast<uint8_t*>(bits.data()), 0);
  return bits;
}

enc::CompressiveEncoding FlatEncoding(const LeafValues& values) {
  enc::CompressiveEncoding encoding;
  auto* level = &encoding;
  if (values.type.is_packed()) {
    for (const int64_t bits : values.type.packed_bits) {
      level->mutable_packed_struct()->add_bits_per_value(static_cast<uint64_t>(bits));
    }
    level = level->mutable_packed_struct()->mutable_values();
  }
  if (values.type.is_vector_of_nulls()) {
    encoding.mutable_constant();  // stands for the vector
    return encoding;
  }
  for (size_t i = 0; i < values.type.dims.size(); ++i) {
    auto* list = level->mutable_fixed_size_list();
    list->set_items_per_value(static_cast<uint64_t>(values.type.dims[i]));
    list->set_has_validity(values.item_validity[i].bitmap != nullptr);
    level = list->mutable_values();
  }
  level->mutable_flat()->set_bits_per_value(static_cast<uint64_t>(values.type.item_bits));
  return encoding;
}

arrow::Status CompressChunks(const EncodingOptions& options, EncodedValues* values) {
  if (!options.general()) return arrow::Status::OK();
  const auto scheme = options.compression == EncodingOptions::Compression::kLz4
                          ? enc::COMPRESSION_ALGORITHM_LZ4
                          : enc::COMPRESSION_ALGORITHM_ZSTD;
  size_t before = 0, after = 0;
  for (const EncodedChunk& chunk : values->chunks) before += chunk.buffers[0].size();
  if (before < kMinCompressedBytes) return arrow::Status::OK();
  std::vector<std::string> compressed;
  for (const EncodedChunk& chunk : values->chunks) {
    ARROW_ASSIGN_OR_RAISE(auto block, Compress(scheme, options.compression_level, chunk.buffers[0]));
    after += block.size();
    compressed.push_back(std::move(block));
  }
  if (after >= before) return arrow::Status::OK();
  for (size_t i = 0; i < compressed.size(); ++i) {
    values->chunks[i].buffers[0] = values->Keep(std::move(compressed[i]));
  }
  enc::CompressiveEncoding general;
  general.mutable_general()->mutable_compression()->set_scheme(scheme);
  if (options.compression_level) {
    general.mutable_general()->mutable_compression()->set_level(*options.compression_level);
  }
  *general.mutable_general()->mutable_values() = std::move(values->encoding);
  values->encoding = std::move(general);
  return arrow::Status::OK();
}

arrow::Result<EncodedValues> EncodeFixedChunks(const LeafValues& values, const EncodingOptions& options) {
  if (values.type.is_vector() || values.type.is_packed()) return EncodeFlat(values);
  EncodedValues encoded;
  switch (values.type.bits) {
    case 8:
      encoded = EncodeIntegers<uint8_t>(values, options);
      break;
    case 16:
      encoded = EncodeIntegers<uint16_t>(values, options);
      break;
    case 32:
      encoded = EncodeIntegers<uint32_t>(values, options);
      break;
    case 64:
      encoded = EncodeIntegers<uint64_t>(values, options);
      break;
    default:
      encoded = EncodeFlat(values);
      break;
  }
  ARROW_RETURN_NOT_OK(CompressChunks(options, &encoded));
  return encoded;
}

}  // namespace pilum
