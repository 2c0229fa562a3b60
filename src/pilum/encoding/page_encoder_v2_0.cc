// SPDX-License-Identifier: Apache-2.0
//
// Pages of version 2.0, which indexes are written in. Spec: 10-file.md §9.
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pilum/encoding/dictionary_encoder.h"
#include "pilum/encoding/fsst_encoder.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/encoding/leaf_values.h"
#include "pilum/encoding/page_encoder.h"
#include "pilum/encoding/value_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

constexpr int64_t kDictionaryThreshold = 100;  // rows at least, distinct strings at most

void SetFlat(uint64_t bits, uint32_t buffer, v2_0::ArrayEncoding* encoding) {
  encoding->mutable_flat()->set_bits_per_value(bits);
  encoding->mutable_flat()->mutable_buffer()->set_buffer_index(buffer);
}

std::shared_ptr<arrow::Buffer> CopyBits(const uint8_t* bits, int64_t offset, int64_t n) {
  std::string bytes(static_cast<size_t>(arrow::bit_util::BytesForBits(n)), '\0');
  arrow::internal::CopyBitmap(bits, offset, n, reinterpret_cast<uint8_t*>(bytes.data()), 0);
  return arrow::Buffer::FromString(std::move(bytes));
}

using Buffers = std::vector<PageBuffer>;

/// Compresses `text` as the options ask, and says so in `flat`.
arrow::Result<std::string> CompressText(std::string text, const EncodingOptions& options, v2_0::Flat* flat) {
  if (!options.general()) return text;
  const bool lz4 = options.compression == EncodingOptions::Compression::kLz4;
  flat->mutable_compression()->set_scheme(lz4 ? "lz4" : "zstd");
  if (options.compression_level) flat->mutable_compression()->set_level(*options.compression_level);
  return Compress(
      lz4 ? lance::encodings21::COMPRESSION_ALGORITHM_LZ4 : lance::encodings21::COMPRESSION_ALGORITHM_ZSTD,
      options.compression_level, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

/// Ends of the strings, where a null's is moved past the text; then the text.
arrow::Status AppendStrings(const LeafValues& values, const Levels& levels, const EncodingOptions& options,
                            Buffers* buffers, v2_0::ArrayEncoding* encoding) {
  auto* binary = encoding->mutable_binary();
  const uint32_t buffer = static_cast<uint32_t>(buffers->size());
  SetFlat(64, buffer, binary->mutable_indices()->mutable_nullable()->mutable_no_nulls()->mutable_values());
  SetFlat(8, buffer + 1, binary->mutable_bytes());
  const int64_t first = values.offsets.front(), text = values.offsets.back() - first;
  const uint64_t adjustment = static_cast<uint64_t>(text) + 1;
  binary->set_null_adjustment(adjustment);
  std::string ends;
  for (int64_t i = 0; i < values.length; ++i) {
    AppendLE<uint64_t>(&ends, static_cast<uint64_t>(values.offsets[static_cast<size_t>(i) + 1] - first) +
                                  (levels.Definition(i) != 0 ? adjustment : 0));
  }
  std::string bytes;
  if (text > 0) bytes.assign(reinterpret_cast<const char*>(values.bytes + first), static_cast<size_t>(text));
  ARROW_ASSIGN_OR_RAISE(bytes,
                        CompressText(std::move(bytes), options, binary->mutable_bytes()->mutable_flat()));
  buffers->push_back(arrow::Buffer::FromString(std::move(ends)));
  buffers->push_back(arrow::Buffer::FromString(std::move(bytes)));
  return arrow::Status::OK();
}

/// Codes of the strings. Only for strings with 32-bit offsets: no release reads others.
arrow::Result<EncodedPageV2_0> EncodeFsst(const LeafValues& values, const Levels& levels) {
  const FsstEncoder encoder = FsstEncoder::Train(values);
  LeafValues encoded;
  encoded.type = values.type;
  encoded.length = values.length;
  ARROW_ASSIGN_OR_RAISE(const auto codes, encoder.EncodeAll(values, &encoded.offsets));
  encoded.bytes = codes->data();
  EncodedPageV2_0 page;
  page.encoding.mutable_fsst()->set_symbol_table(encoder.Table());
  ARROW_RETURN_NOT_OK(
      AppendStrings(encoded, levels, {}, &page.buffers, page.encoding.mutable_fsst()->mutable_binary()));
  return page;
}

/// Strings with few distinct values: indices from 1, where 0 is null. None if there are too many.
arrow::Result<std::optional<EncodedPageV2_0>> EncodeRepeatedStrings(const LeafValues& values,
                                                                    const Levels& levels,
                                                                    const EncodingOptions& options) {
  if (values.length < kDictionaryThreshold) return std::nullopt;
  std::string indices;
  std::vector<int64_t> positions;
  std::unordered_map<std::string_view, char> seen;
  for (int64_t i = 0; i < values.length; ++i) {
    if (levels.Definition(i) != 0) {
      indices.push_back(0);
      continue;
    }
    const auto text = values.Text(i);
    const auto [it, added] = seen.try_emplace({reinterpret_cast<const char*>(text.data()), text.size()},
                                              static_cast<char>(seen.size() + 1));
    if (added) positions.push_back(i);
    if (static_cast<int64_t>(positions.size()) >= kDictionaryThreshold) return std::nullopt;
    indices.push_back(it->second);
  }
  EncodedPageV2_0 page;
  auto* dictionary = page.encoding.mutable_dictionary();
  SetFlat(8, 0, dictionary->mutable_indices()->mutable_nullable()->mutable_no_nulls()->mutable_values());
  Levels entry_levels;
  if (positions.empty()) {  // only nulls: one entry, a null, which no index points to
    positions.push_back(0);
    entry_levels.definition = {1};
  }
  dictionary->set_num_dictionary_items(static_cast<uint32_t>(positions.size()));
  page.buffers.push_back(arrow::Buffer::FromString(std::move(indices)));
  std::string storage;
  const LeafValues entries = ValuesAt(values, positions, &storage);
  ARROW_RETURN_NOT_OK(
      AppendStrings(entries, entry_levels, options, &page.buffers, dictionary->mutable_items()));
  return page;
}

arrow::Result<EncodedPageV2_0> EncodeStrings(const LeafValues& values, const Levels& levels,
                                             const EncodingOptions& options) {
  if (values.type.type->id() == arrow::Type::STRING) {
    ARROW_ASSIGN_OR_RAISE(auto repeated, EncodeRepeatedStrings(values, levels, options));
    if (repeated) return *std::move(repeated);
  }
  if (options.compression == EncodingOptions::Compression::kFsst && values.type.offset_bits == 32) {
    return EncodeFsst(values, levels);
  }
  EncodedPageV2_0 page;
  ARROW_RETURN_NOT_OK(AppendStrings(values, levels, options, &page.buffers, &page.encoding));
  return page;
}

/// Bitmaps of rows and items, then the values; appended to `buffers`.
void AppendFixed(const LeafValues& values, const Levels& levels, Buffers* buffers,
                 v2_0::ArrayEncoding* level) {
  const auto wrap = [&](std::shared_ptr<arrow::Buffer> validity) {
    if (validity == nullptr) {
      level = level->mutable_nullable()->mutable_no_nulls()->mutable_values();
      return;
    }
    auto* some = level->mutable_nullable()->mutable_some_nulls();
    SetFlat(1, static_cast<uint32_t>(buffers->size()), some->mutable_validity());
    buffers->push_back(std::move(validity));
    level = some->mutable_values();
  };
  std::shared_ptr<arrow::Buffer> rows;
  if (!levels.definition.empty()) {
    std::string bits(static_cast<size_t>(arrow::bit_util::BytesForBits(values.length)), '\0');
    for (int64_t i = 0; i < values.length; ++i) {
      arrow::bit_util::SetBitTo(reinterpret_cast<uint8_t*>(bits.data()), i, levels.Definition(i) == 0);
    }
    rows = arrow::Buffer::FromString(std::move(bits));
  }
  wrap(std::move(rows));
  for (size_t i = 0; i < values.type.dims.size(); ++i) {
    level->mutable_fixed_size_list()->set_dimension(static_cast<uint32_t>(values.type.dims[i]));
    level = level->mutable_fixed_size_list()->mutable_items();
    if (values.type.is_vector_of_nulls() && i + 1 == values.type.dims.size()) {
      level->mutable_nullable()->mutable_all_nulls();
      return;
    }
    const auto& validity = values.item_validity[i];
    wrap(validity.bitmap == nullptr
             ? nullptr
             : CopyBits(validity.bitmap, validity.offset, values.length * values.type.ItemsThrough(i)));
  }
  SetFlat(static_cast<uint64_t>(values.type.item_bits), static_cast<uint32_t>(buffers->size()), level);
  buffers->push_back(CopyBits(values.values, values.first_bit, values.length * values.type.bits));
}

/// Keys into the entries, among which the nulls are kept.
arrow::Result<EncodedPageV2_0> EncodeKeys(const arrow::ArrayData& array, const EncodingOptions& options,
                                          arrow::MemoryPool* pool) {
  auto entries = arrow::MakeArray(array.dictionary);
  int64_t null_entry = -1;
  if (MayHaveNullValues(array) || entries->length() == 0) {
    ARROW_ASSIGN_OR_RAISE(auto null, arrow::MakeArrayOfNull(entries->type(), 1, pool));
    null_entry = entries->length();
    ARROW_ASSIGN_OR_RAISE(entries, arrow::Concatenate({entries, null}, pool));
  }
  ARROW_ASSIGN_OR_RAISE(const LeafValues keys, LeafValues::Of(array, pool));
  const int64_t key_bytes = keys.type.bits / 8;
  const bool fits = key_bytes > 1 || null_entry < 128;
  const int64_t width = fits && (key_bytes > 2 || null_entry < 32768) ? key_bytes : 4;
  std::string indices;
  for (int64_t i = 0; i < keys.length; ++i) {
    uint64_t key = 0;
    if (IsNullValue(array, i)) {
      key = static_cast<uint64_t>(null_entry);
    } else {
      std::memcpy(&key, keys.values + i * key_bytes, static_cast<size_t>(key_bytes));
    }
    indices.append(reinterpret_cast<const char*>(&key), static_cast<size_t>(width));
  }
  EncodedPageV2_0 page;
  auto* dictionary = page.encoding.mutable_dictionary();
  SetFlat(static_cast<uint64_t>(8 * width), 0,
          dictionary->mutable_indices()->mutable_nullable()->mutable_no_nulls()->mutable_values());
  dictionary->set_num_dictionary_items(static_cast<uint32_t>(entries->length()));
  page.buffers.push_back(arrow::Buffer::FromString(std::move(indices)));
  ARROW_ASSIGN_OR_RAISE(const LeafValues values, LeafValues::Of(*entries->data(), pool));
  const Levels levels = Levels::OfLeaf(*entries->data());
  if (values.type.kind == LeafType::Kind::kVariable) {
    ARROW_RETURN_NOT_OK(AppendStrings(values, levels, options, &page.buffers, dictionary->mutable_items()));
  } else {
    AppendFixed(values, levels, &page.buffers, dictionary->mutable_items());
  }
  return page;
}

/// Packed structs with vectors.
arrow::Result<EncodedPageV2_0> EncodeRows(const LeafValues& values) {
  EncodedPageV2_0 page;
  auto* packed = page.encoding.mutable_packed_struct();
  packed->mutable_buffer();
  for (const LeafValues& field : values.fields) {
    auto* level = packed->add_inner()->mutable_nullable()->mutable_no_nulls()->mutable_values();
    for (size_t i = 0; i < field.type.dims.size(); ++i) {
      if (field.item_validity[i].bitmap != nullptr) {
        return arrow::Status::Invalid(
            "files of version 2.0 cannot hold vectors with nulls in packed structs");
      }
      level->mutable_fixed_size_list()->set_dimension(static_cast<uint32_t>(field.type.dims[i]));
      level = level->mutable_fixed_size_list()
                  ->mutable_items()
                  ->mutable_nullable()
                  ->mutable_no_nulls()
                  ->mutable_values();
    }
    SetFlat(static_cast<uint64_t>(field.type.item_bits), 0, level);
  }
  std::string rows;
  for (int64_t i = 0; i < values.length; ++i) {
    for (const LeafValues& field : values.fields) rows.append(FlatBytes(field, i, 1));
  }
  page.buffers.push_back(arrow::Buffer::FromString(std::move(rows)));
  return page;
}

}  // namespace

arrow::Result<EncodedPageV2_0> EncodePageV2_0(const arrow::ArrayData& array, const EncodingOptions& options,
                                              arrow::MemoryPool* pool) {
  if (array.dictionary != nullptr) return EncodeKeys(array, options, pool);
  ARROW_ASSIGN_OR_RAISE(const LeafValues values, LeafValues::Of(array, pool));
  const Levels levels = Levels::OfLeaf(array);
  if (values.type.kind == LeafType::Kind::kVariable) return EncodeStrings(values, levels, options);
  EncodedPageV2_0 page;
  if (values.type.is_packed()) {
    if (!levels.definition.empty()) {
      return arrow::Status::Invalid("files of version 2.0 cannot hold null packed structs");
    }
    if (values.type.kind == LeafType::Kind::kRow) return EncodeRows(values);
    auto* packed = page.encoding.mutable_packed_struct();
    for (const int64_t bits : values.type.packed_bits) {
      SetFlat(static_cast<uint64_t>(bits), 0,
              packed->add_inner()->mutable_nullable()->mutable_no_nulls()->mutable_values());
    }
    packed->mutable_buffer();
    page.buffers.push_back(CopyBits(values.values, 0, values.length * values.type.bits));
    return page;
  }
  if (values.type.kind == LeafType::Kind::kNull || array.GetNullCount() == array.length) {
    page.encoding.mutable_nullable()->mutable_all_nulls();
  } else {
    AppendFixed(values, levels, &page.buffers, &page.encoding);
  }
  return page;
}

}  // namespace pilum
