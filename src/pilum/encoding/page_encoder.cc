// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/page_encoder.h"

#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include "pilum/encoding/bitpacking.h"
#include "pilum/encoding/block.h"
#include "pilum/encoding/leaf_values.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kWideValue = 256;  // bytes from which full-zip is used
constexpr int64_t kMaxChunkValues = 4096;
constexpr int64_t kFixedChunkBytes = 8186;  // of values, so that a chunk with its header stays near 8 KiB
constexpr int64_t kStringChunkBytes = 4096;
constexpr int64_t kMaxSmallChunk = 32 << 10;  // what 12 bits of 8-byte words can say
constexpr int64_t kMaxLargeChunk = int64_t{1} << 31;
constexpr char kChunkPadding = '\xFE';
constexpr char kStringPadding = 'H';
constexpr int kLevelWidth = 1;  // one layer: valid or null

std::shared_ptr<arrow::Buffer> ToBuffer(std::string bytes) {
  return arrow::Buffer::FromString(std::move(bytes));
}

int64_t Pad(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/// Assembles chunks: header, levels, value buffers, each padded to 8 bytes.
class ChunkWriter {
 public:
  ChunkWriter(const LeafValues& values, PageFormat format) : values_(values), format_(format) {}

  /// Adds the next `count` values with these value buffers.
  arrow::Status Add(int64_t count, std::span<const std::string> buffers, bool last) {
    const size_t start = data_.size();
    std::string levels;
    const bool nullable = !values_.levels.empty();
    if (nullable) PackLevels(values_.levels.data() + done_, count, kLevelWidth, &levels);
    AppendLE<uint16_t>(&data_, static_cast<uint16_t>(nullable ? count : 0));
    if (nullable) AppendLE<uint16_t>(&data_, static_cast<uint16_t>(levels.size()));
    for (const std::string& buffer : buffers) {
      if (format_.large_chunks) {
        AppendLE<uint32_t>(&data_, static_cast<uint32_t>(buffer.size()));
      } else {
        AppendLE<uint16_t>(&data_, static_cast<uint16_t>(buffer.size()));
      }
    }
    PadTo8();
    if (nullable) AppendPadded(levels);
    for (const std::string& buffer : buffers) AppendPadded(buffer);
    const int64_t size = static_cast<int64_t>(data_.size() - start);
    if (size > (format_.large_chunks ? kMaxLargeChunk : kMaxSmallChunk)) {
      return arrow::Status::Invalid("a chunk of ", count, " values takes ", size, " bytes");
    }
    const uint32_t log = last ? 0 : static_cast<uint32_t>(std::countr_zero(static_cast<uint64_t>(count)));
    const uint32_t word = static_cast<uint32_t>(size / 8 - 1) << 4 | log;
    if (format_.large_chunks) {
      AppendLE<uint32_t>(&words_, word);
    } else {
      AppendLE<uint16_t>(&words_, static_cast<uint16_t>(word));
    }
    done_ += count;
    return arrow::Status::OK();
  }

  /// The page; `value_compression` says how the value buffers were made.
  EncodedPage Finish(enc::CompressiveEncoding value_compression, size_t num_buffers) {
    EncodedPage page;
    auto* layout = page.layout.mutable_mini_block_layout();
    const bool nullable = !values_.levels.empty();
    if (nullable) {
      auto* packing = layout->mutable_def_compression()->mutable_out_of_line_bitpacking();
      packing->set_uncompressed_bits_per_value(16);
      packing->mutable_values()->mutable_flat()->set_bits_per_value(kLevelWidth);
    }
    *layout->mutable_value_compression() = std::move(value_compression);
    layout->add_layers(nullable ? enc::REPDEF_NULLABLE_ITEM : enc::REPDEF_ALL_VALID_ITEM);
    layout->set_num_buffers(num_buffers);
    layout->set_num_items(static_cast<uint64_t>(values_.length));
    layout->set_has_large_chunk(format_.large_chunks);
    page.buffers = {ToBuffer(std::move(words_)), ToBuffer(std::move(data_))};
    return page;
  }

 private:
  void PadTo8() { data_.append(static_cast<size_t>(-static_cast<int64_t>(data_.size()) & 7), kChunkPadding); }
  void AppendPadded(const std::string& buffer) {
    data_.append(buffer);
    PadTo8();
  }

  const LeafValues& values_;
  const PageFormat format_;
  int64_t done_ = 0;
  std::string words_;
  std::string data_;
};

// ---- Fixed width
// -----------------------------------------------------------------------------------------------

/// Values [begin, begin + count) as a buffer that starts with the first of them.
std::string FixedBytes(const LeafValues& values, int64_t begin, int64_t count) {
  const int64_t bits = values.type.bits;
  std::string bytes(static_cast<size_t>(arrow::bit_util::BytesForBits(count * bits)), '\0');
  if (values.first_bit == 0 && begin * bits % 8 == 0 && count * bits % 8 == 0) {
    if (!bytes.empty()) std::memcpy(bytes.data(), values.values + begin * bits / 8, bytes.size());
  } else {
    arrow::internal::CopyBitmap(values.values, values.first_bit + begin * bits, count * bits,
                                reinterpret_cast<uint8_t*>(bytes.data()), 0);
  }
  return bytes;
}

/// Validity bits of the items of values [begin, begin + count) at dimension `level`.
std::string ItemBits(const LeafValues& values, size_t level, int64_t begin, int64_t count) {
  const auto& validity = values.item_validity[level];
  const int64_t items = values.type.ItemsThrough(level);
  std::string bits(static_cast<size_t>(arrow::bit_util::BytesForBits(count * items)), '\0');
  arrow::internal::CopyBitmap(validity.bitmap, validity.offset + begin * items, count * items,
                              reinterpret_cast<uint8_t*>(bits.data()), 0);
  return bits;
}

/// The message for flat values of the column's type: FixedSizeList for each dimension, then Flat.
enc::CompressiveEncoding FlatEncoding(const LeafValues& values) {
  enc::CompressiveEncoding encoding;
  auto* level = &encoding;
  for (size_t i = 0; i < values.type.dims.size(); ++i) {
    auto* list = level->mutable_fixed_size_list();
    list->set_items_per_value(static_cast<uint64_t>(values.type.dims[i]));
    list->set_has_validity(values.item_validity[i].bitmap != nullptr);
    level = list->mutable_values();
  }
  level->mutable_flat()->set_bits_per_value(static_cast<uint64_t>(values.type.item_bits));
  return encoding;
}

/// Values of a chunk of flat values: the largest power of two that stays in the budget.
int64_t FlatChunkValues(const LeafValues& values) {
  int64_t bits = values.type.bits;
  for (size_t i = 0; i < values.type.dims.size(); ++i) {
    if (values.item_validity[i].bitmap != nullptr) bits += Pad(values.type.ItemsThrough(i), 8);
  }
  int64_t count = values.type.bits % 8 == 0 ? 2 : 8;
  while (2 * count * bits / 8 < kFixedChunkBytes && 2 * count <= kMaxChunkValues) count *= 2;
  return count;
}

arrow::Result<EncodedPage> EncodeFlat(const LeafValues& values, PageFormat format) {
  const int64_t per_chunk = FlatChunkValues(values);
  ChunkWriter chunks(values, format);
  std::vector<std::string> buffers;
  size_t num_buffers = 1;
  for (const auto& validity : values.item_validity) num_buffers += validity.bitmap != nullptr;
  for (int64_t begin = 0; begin < values.length; begin += per_chunk) {
    const int64_t count = std::min(per_chunk, values.length - begin);
    buffers.clear();
    for (size_t level = 0; level < values.item_validity.size(); ++level) {
      if (values.item_validity[level].bitmap != nullptr)
        buffers.push_back(ItemBits(values, level, begin, count));
    }
    buffers.push_back(FixedBytes(values, begin, count));
    ARROW_RETURN_NOT_OK(chunks.Add(count, buffers, begin + count == values.length));
  }
  return chunks.Finish(FlatEncoding(values), num_buffers);
}

/// Bits that the widest of `count` values needs.
template <typename T>
int WidthOf(const uint8_t* from, int64_t count) {
  T any = 0;
  for (int64_t i = 0; i < count; ++i) any |= LoadLE<T>(from + i * static_cast<int64_t>(sizeof(T)));
  return std::bit_width(any);
}

template <typename T>
int64_t PackedBytes(const LeafValues& values) {
  int64_t words = 0;
  for (int64_t begin = 0; begin < values.length; begin += kBitpackingUnit) {
    const int64_t count = std::min<int64_t>(kBitpackingUnit, values.length - begin);
    words += 1 + PackedWords<T>(WidthOf<T>(values.values + begin * static_cast<int64_t>(sizeof(T)), count));
  }
  return words * static_cast<int64_t>(sizeof(T));
}

template <typename T>
arrow::Result<EncodedPage> EncodeBitpacked(const LeafValues& values, PageFormat format) {
  ChunkWriter chunks(values, format);
  std::array<T, kBitpackingUnit> unit;
  for (int64_t begin = 0; begin < values.length; begin += kBitpackingUnit) {
    const int64_t count = std::min<int64_t>(kBitpackingUnit, values.length - begin);
    const uint8_t* from = values.values + begin * static_cast<int64_t>(sizeof(T));
    unit.fill(0);
    std::memcpy(unit.data(), from, static_cast<size_t>(count) * sizeof(T));
    const int width = WidthOf<T>(from, count);
    std::array<T, kBitpackingUnit + 1> packed;
    packed[0] = static_cast<T>(width);
    Pack<T>(unit.data(), width, packed.data() + 1);
    const std::string buffer(reinterpret_cast<const char*>(packed.data()),
                             static_cast<size_t>(1 + PackedWords<T>(width)) * sizeof(T));
    ARROW_RETURN_NOT_OK(chunks.Add(count, {&buffer, 1}, begin + count == values.length));
  }
  enc::CompressiveEncoding encoding;
  encoding.mutable_inline_bitpacking()->set_uncompressed_bits_per_value(8 * sizeof(T));
  return chunks.Finish(std::move(encoding), 1);
}

template <typename T>
arrow::Result<EncodedPage> EncodeInteger(const LeafValues& values, PageFormat format) {
  if (PackedBytes<T>(values) < values.length * static_cast<int64_t>(sizeof(T))) {
    return EncodeBitpacked<T>(values, format);
  }
  return EncodeFlat(values, format);
}

arrow::Result<EncodedPage> EncodeFixedMiniBlock(const LeafValues& values, PageFormat format) {
  if (!values.type.is_vector() && values.first_bit == 0) {
    switch (values.type.bits) {
      case 8:
        return EncodeInteger<uint8_t>(values, format);
      case 16:
        return EncodeInteger<uint16_t>(values, format);
      case 32:
        return EncodeInteger<uint32_t>(values, format);
      case 64:
        return EncodeInteger<uint64_t>(values, format);
      default:
        break;
    }
  }
  return EncodeFlat(values, format);
}

/// Layers, control words and counts, which all full-zip pages share.
enc::FullZipLayout* FullZip(const LeafValues& values, EncodedPage* page) {
  auto* layout = page->layout.mutable_full_zip_layout();
  const bool nullable = !values.levels.empty();
  layout->set_bits_def(nullable ? kLevelWidth : 0);
  layout->set_num_items(static_cast<uint32_t>(values.length));
  layout->set_num_visible_items(static_cast<uint32_t>(values.length));
  layout->add_layers(nullable ? enc::REPDEF_NULLABLE_ITEM : enc::REPDEF_ALL_VALID_ITEM);
  return layout;
}

arrow::Result<EncodedPage> EncodeFixedFullZip(const LeafValues& values) {
  std::string data;
  int64_t value_bytes = values.type.bits / 8;
  for (size_t level = 0; level < values.item_validity.size(); ++level) {
    if (values.item_validity[level].bitmap != nullptr)
      value_bytes += (values.type.ItemsThrough(level) + 7) / 8;
  }
  const bool nullable = !values.levels.empty();
  data.reserve(static_cast<size_t>(values.length * (value_bytes + nullable)));
  const bool plain = !nullable && value_bytes == values.type.bits / 8;
  if (plain)
    data.assign(reinterpret_cast<const char*>(values.values),
                static_cast<size_t>(values.length * value_bytes));
  for (int64_t i = 0; i < values.length && !plain; ++i) {
    if (nullable) data.push_back(static_cast<char>(values.levels[static_cast<size_t>(i)]));
    for (size_t level = 0; level < values.item_validity.size(); ++level) {
      if (values.item_validity[level].bitmap != nullptr) data.append(ItemBits(values, level, i, 1));
    }
    data.append(reinterpret_cast<const char*>(values.values) + i * values.type.bits / 8,
                static_cast<size_t>(values.type.bits / 8));
  }
  EncodedPage page;
  auto* layout = FullZip(values, &page);
  layout->set_bits_per_value(static_cast<uint32_t>(value_bytes * 8));
  *layout->mutable_value_compression() = FlatEncoding(values);
  page.buffers = {ToBuffer(std::move(data))};
  return page;
}

// ---- Variable width
// --------------------------------------------------------------------------------------------

enc::CompressiveEncoding VariableEncoding(const LeafValues& values) {
  enc::CompressiveEncoding encoding;
  encoding.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
      static_cast<uint64_t>(values.type.offset_bits));
  return encoding;
}

/// How many of the values from `begin` make a chunk: a power of two that stays near the budget, or the rest.
int64_t StringChunkValues(const LeafValues& values, int64_t begin) {
  const int64_t width = values.type.offset_bits / 8, left = values.length - begin;
  const auto bytes = [&](int64_t n) {
    return values.offsets[static_cast<size_t>(begin + n)] - values.offsets[static_cast<size_t>(begin)] +
           (n + 1) * width;
  };
  if (left <= 1) return left;
  int64_t n = 2;
  while (2 * n <= left && 2 * n <= kMaxChunkValues / 2 && bytes(2 * n) <= kStringChunkBytes) n *= 2;
  return left < 2 * n && left <= kMaxChunkValues && bytes(left) <= kStringChunkBytes ? left : n;
}

/// Offsets from the start of the buffer, the text, padding to whole offsets.
template <typename Offset>
std::string StringBuffer(const LeafValues& values, int64_t begin, int64_t count) {
  const int64_t first = values.offsets[static_cast<size_t>(begin)];
  const int64_t text = values.offsets[static_cast<size_t>(begin + count)] - first;
  const int64_t table = (count + 1) * static_cast<int64_t>(sizeof(Offset));
  std::string buffer(static_cast<size_t>(Pad(table + text, sizeof(Offset))), kStringPadding);
  for (int64_t i = 0; i <= count; ++i) {
    StoreLE(buffer.data() + i * static_cast<int64_t>(sizeof(Offset)),
            static_cast<Offset>(values.offsets[static_cast<size_t>(begin + i)] - first + table));
  }
  if (text > 0) std::memcpy(buffer.data() + table, values.bytes + first, static_cast<size_t>(text));
  return buffer;
}

arrow::Result<EncodedPage> EncodeVariableMiniBlock(const LeafValues& values, PageFormat format) {
  ChunkWriter chunks(values, format);
  for (int64_t begin = 0; begin < values.length;) {
    const int64_t count = StringChunkValues(values, begin);
    const std::string buffer = values.type.offset_bits == 64 ? StringBuffer<uint64_t>(values, begin, count)
                                                             : StringBuffer<uint32_t>(values, begin, count);
    ARROW_RETURN_NOT_OK(chunks.Add(count, {&buffer, 1}, begin + count == values.length));
    begin += count;
  }
  return chunks.Finish(VariableEncoding(values), 1);
}

/// `offsets` in the smallest width that holds the last.
std::string IndexBytes(const std::vector<uint64_t>& offsets) {
  const uint64_t last = offsets.back();
  const size_t width = last <= 0xFF ? 1 : last <= 0xFFFF ? 2 : last <= 0xFFFFFFFF ? 4 : 8;
  std::string bytes(offsets.size() * width, '\0');
  for (size_t i = 0; i < offsets.size(); ++i) std::memcpy(bytes.data() + i * width, &offsets[i], width);
  return bytes;
}

arrow::Result<EncodedPage> EncodeVariableFullZip(const LeafValues& values) {
  const bool nullable = !values.levels.empty(), wide = values.type.offset_bits == 64;
  std::string data;
  const size_t text = static_cast<size_t>(values.offsets.back() - values.offsets.front());
  data.reserve(text + static_cast<size_t>(values.length) * (wide ? 9 : 5));
  std::vector<uint64_t> index;
  index.reserve(static_cast<size_t>(values.length) + 1);
  for (int64_t i = 0; i < values.length; ++i) {
    index.push_back(data.size());
    const uint16_t level = nullable ? values.levels[static_cast<size_t>(i)] : 0;
    if (nullable) data.push_back(static_cast<char>(level));
    if (level != 0) continue;
    const auto value = values.Text(i);
    if (wide) {
      AppendLE<uint64_t>(&data, value.size());
    } else {
      AppendLE<uint32_t>(&data, static_cast<uint32_t>(value.size()));
    }
    data.append(reinterpret_cast<const char*>(value.data()), value.size());
  }
  index.push_back(data.size());
  EncodedPage page;
  auto* layout = FullZip(values, &page);
  layout->set_bits_per_offset(static_cast<uint32_t>(values.type.offset_bits));
  *layout->mutable_value_compression() = VariableEncoding(values);
  page.buffers = {ToBuffer(std::move(data)), ToBuffer(IndexBytes(index))};
  return page;
}

int64_t LongestValue(const LeafValues& values) {
  // As upstream counts: booleans are narrow however many make a vector.
  if (values.type.kind == LeafType::Kind::kFixed)
    return values.type.item_bits / 8 * values.type.bits / values.type.item_bits;
  int64_t longest = 0;
  for (int64_t i = 0; i < values.length; ++i) {
    longest = std::max(longest, static_cast<int64_t>(values.Text(i).size()));
  }
  return longest;
}

EncodedPage AllNullPage() {
  EncodedPage page;
  page.layout.mutable_constant_layout()->add_layers(enc::REPDEF_NULLABLE_ITEM);
  return page;
}

}  // namespace

arrow::Result<EncodedPage> EncodePage(const arrow::ArrayData& array, PageFormat format,
                                      arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const LeafValues values, LeafValues::Of(array, pool));
  if (values.length == 0) return arrow::Status::Invalid("a page without rows");
  if (values.length > std::numeric_limits<uint32_t>::max())
    return arrow::Status::Invalid("a page of 2^32 rows");
  if (values.null_count == values.length) return AllNullPage();
  const bool wide = LongestValue(values) >= kWideValue;
  if (values.type.kind == LeafType::Kind::kVariable) {
    return wide ? EncodeVariableFullZip(values) : EncodeVariableMiniBlock(values, format);
  }
  return wide ? EncodeFixedFullZip(values) : EncodeFixedMiniBlock(values, format);
}

}  // namespace pilum
