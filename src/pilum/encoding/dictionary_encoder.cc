// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/dictionary_encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <string_view>

#include "pilum/encoding/block.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/encoding/value_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kMinValues = 100;
constexpr int64_t kMaxDistinct = 100'000;
constexpr int64_t kSampleFrom = 1024;  // fewer values are looked at all
constexpr int64_t kSampleBlocks = 32;
constexpr int64_t kSampleBlock = 128;
constexpr double kMaxSampleDistinct = 0.98;

std::string_view BytesOf(const LeafValues& values, int64_t i) {
  if (values.type.kind == LeafType::Kind::kVariable) {
    const auto text = values.Text(i);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }
  const size_t width = static_cast<size_t>(values.type.bits / 8);
  return {reinterpret_cast<const char*>(values.values) + static_cast<size_t>(i) * width, width};
}

/// Numbers distinct values in the order in which they come. Open addressing over their hashes.
class ValueSet {
 public:
  explicit ValueSet(const LeafValues& values) : values_(values), slots_(1024) {}

  /// The number of value `i`.
  uint32_t Add(int64_t i) {
    const std::string_view bytes = BytesOf(values_, i);
    const uint64_t hash = std::hash<std::string_view>()(bytes);
    for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[at];
      if (slot.number_plus_one == 0) {
        positions_.push_back(i);
        const uint32_t number = static_cast<uint32_t>(positions_.size()) - 1;
        slot = {hash, number + 1};
        if (2 * positions_.size() > slots_.size()) Grow();
        return number;
      }
      if (slot.hash == hash && BytesOf(values_, positions_[slot.number_plus_one - 1]) == bytes) {
        return slot.number_plus_one - 1;
      }
    }
  }

  const std::vector<int64_t>& positions() const { return positions_; }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t number_plus_one = 0;
  };

  void Grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number_plus_one == 0) continue;
      size_t at = slot.hash & (slots_.size() - 1);
      while (slots_[at].number_plus_one != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  const LeafValues& values_;
  std::vector<Slot> slots_;
  std::vector<int64_t> positions_;
};

/// Whether a sample says that there are too many distinct values.
bool SampleIsDistinct(const LeafValues& values, int64_t limit) {
  if (values.length < kSampleFrom) return false;
  const int64_t block = std::min(kSampleBlock, values.length / kSampleBlocks);
  ValueSet set(values);
  for (int64_t i = 0; i < kSampleBlocks; ++i) {
    const int64_t begin = values.length / kSampleBlocks * i;
    for (int64_t k = begin; k < begin + block; ++k) set.Add(k);
  }
  const double share =
      static_cast<double>(set.positions().size()) / static_cast<double>(kSampleBlocks * block);
  return share >= kMaxSampleDistinct ||
         std::ceil(share * static_cast<double>(values.length)) > static_cast<double>(limit);
}

std::span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <typename Offset>
std::string StringBlock(const LeafValues& values) {
  std::string block;
  const size_t start = 2 * sizeof(Offset) + static_cast<size_t>(values.length + 1) * sizeof(Offset);
  AppendLE<Offset>(&block, 8 * sizeof(Offset));
  AppendLE<Offset>(&block, static_cast<Offset>(start));
  for (const int64_t offset : values.offsets)
    AppendLE<Offset>(&block, static_cast<Offset>(offset - values.offsets[0]));
  const size_t text = static_cast<size_t>(values.offsets.back() - values.offsets[0]);
  if (text > 0) block.append(reinterpret_cast<const char*>(values.bytes) + values.offsets[0], text);
  return block;
}

template <typename T>
std::optional<EncodedDictionary> PackIntegers(const LeafValues& entries) {
  std::vector<T> values(static_cast<size_t>(entries.length));
  T any = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = LoadLE<T>(entries.values + sizeof(T) * i);
    any |= values[i];
  }
  const int width = std::bit_width(any);
  if (width == 0 || width == 8 * sizeof(T)) return std::nullopt;
  EncodedDictionary dictionary;
  auto* packing = dictionary.encoding.mutable_out_of_line_bitpacking();
  packing->set_uncompressed_bits_per_value(8 * sizeof(T));
  packing->mutable_values()->mutable_flat()->set_bits_per_value(static_cast<uint64_t>(width));
  PackOutOfLine(values.data(), entries.length, width, &dictionary.block);
  return dictionary;
}

/// Entries without their leading zeros. None if they have none.
std::optional<EncodedDictionary> PackEntries(const LeafValues& entries) {
  if (entries.type.kind != LeafType::Kind::kFixed || entries.type.is_vector()) return std::nullopt;
  switch (entries.type.bits) {
    case 8:
      return PackIntegers<uint8_t>(entries);
    case 16:
      return PackIntegers<uint16_t>(entries);
    case 32:
      return PackIntegers<uint32_t>(entries);
    case 64:
      return PackIntegers<uint64_t>(entries);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<DistinctValues> FindDistinct(const LeafValues& values, const EncodingOptions& options,
                                           bool wide_integers) {
  const bool strings = values.type.kind == LeafType::Kind::kVariable;
  const bool fixed = values.type.kind == LeafType::Kind::kFixed && !values.type.is_vector() &&
                     !values.type.is_packed() &&
                     (values.type.bits == 128 || (wide_integers && values.type.bits == 64));
  if ((!strings && !fixed) || values.length < kMinValues) return std::nullopt;
  const int64_t limit = std::min(values.length / options.dictionary_divisor, kMaxDistinct);
  if (limit == 0 || SampleIsDistinct(values, limit)) return std::nullopt;
  const auto budget =
      static_cast<int64_t>(static_cast<double>(values.DataSize()) * options.dictionary_size_ratio);
  const int64_t per_entry = strings ? values.type.offset_bits / 8 : 0;
  ValueSet set(values);
  DistinctValues distinct;
  distinct.indices.reserve(static_cast<size_t>(values.length));
  int64_t bytes = per_entry;
  for (int64_t i = 0; i < values.length; ++i) {
    const size_t before = set.positions().size();
    distinct.indices.push_back(set.Add(i));
    if (set.positions().size() > before) bytes += static_cast<int64_t>(BytesOf(values, i).size()) + per_entry;
    if (static_cast<int64_t>(set.positions().size()) > limit || bytes + 4 * (i + 1) > budget)
      return std::nullopt;
  }
  distinct.positions = set.positions();
  return distinct;
}

LeafValues ValuesAt(const LeafValues& values, const std::vector<int64_t>& positions, std::string* storage) {
  LeafValues chosen;
  chosen.type = values.type;
  chosen.length = static_cast<int64_t>(positions.size());
  chosen.offsets = {0};
  for (const int64_t i : positions) {
    storage->append(BytesOf(values, i));
    chosen.offsets.push_back(static_cast<int64_t>(storage->size()));
  }
  chosen.bytes = chosen.values = reinterpret_cast<const uint8_t*>(storage->data());
  return chosen;
}

arrow::Result<EncodedDictionary> EncodeDictionary(const LeafValues& entries, const EncodingOptions& options,
                                                  bool compress) {
  EncodedDictionary dictionary;
  if (entries.type.kind == LeafType::Kind::kVariable) {
    const bool wide = entries.type.offset_bits == 64;
    dictionary.block = wide ? StringBlock<uint64_t>(entries) : StringBlock<uint32_t>(entries);
    dictionary.encoding.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
        static_cast<uint64_t>(entries.type.offset_bits));
  } else {
    dictionary.block = FlatBytes(entries, 0, entries.length);
    dictionary.encoding = FlatEncoding(entries);
  }
  std::optional<EncodedDictionary> packed = PackEntries(entries);
  if (packed && packed->block.size() >= dictionary.block.size()) packed.reset();
  using Compression = EncodingOptions::Compression;
  if (!compress || options.dictionary_compression == Compression::kNone) {
    return packed ? *std::move(packed) : std::move(dictionary);
  }
  const auto scheme = options.dictionary_compression == Compression::kZstd ? enc::COMPRESSION_ALGORITHM_ZSTD
                                                                           : enc::COMPRESSION_ALGORITHM_LZ4;
  ARROW_ASSIGN_OR_RAISE(auto block,
                        Compress(scheme, options.dictionary_compression_level, AsBytes(dictionary.block)));
  if (packed && packed->block.size() <= block.size()) return *std::move(packed);
  if (block.size() >= dictionary.block.size()) return dictionary;
  enc::CompressiveEncoding general;
  general.mutable_general()->mutable_compression()->set_scheme(scheme);
  if (options.dictionary_compression_level) {
    general.mutable_general()->mutable_compression()->set_level(*options.dictionary_compression_level);
  }
  *general.mutable_general()->mutable_values() = std::move(dictionary.encoding);
  return EncodedDictionary{std::move(general), std::move(block)};
}

}  // namespace pilum
