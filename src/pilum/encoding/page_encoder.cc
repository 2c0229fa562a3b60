// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/page_encoder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "pilum/encoding/dictionary_encoder.h"
#include "pilum/encoding/value_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kWideValue = 256;  // bytes from which full-zip is used
constexpr size_t kMaxInlineConstant = 32;
constexpr int64_t kNoValue = -1;

std::shared_ptr<arrow::Buffer> LevelBuffer(const std::vector<uint16_t>& levels) {
  return arrow::Buffer::FromString(
      std::string(reinterpret_cast<const char*>(levels.data()), levels.size() * sizeof(uint16_t)));
}

/// The u16 levels of a page that is all null: raw in 2.1, packed in 2.2.
std::shared_ptr<arrow::Buffer> PackedLevels(const std::vector<uint16_t>& levels,
                                            enc::CompressiveEncoding* encoding) {
  const int64_t end = static_cast<int64_t>(levels.size());
  const LevelEncoder encoder(levels, {&end, 1}, /*allow_runs=*/true);
  std::string block;
  encoder.Append(levels, &block);
  *encoding = encoder.encoding();
  return arrow::Buffer::FromString(std::move(block));
}

/// The Arrow buffers of one value: their number, their lengths, their bytes.
std::string ScalarBuffer(const LeafValues& values, int64_t i) {
  std::string bytes;
  if (values.type.kind != LeafType::Kind::kVariable) {
    const std::string value = FlatBytes(values, i, 1);
    AppendLE<uint32_t>(&bytes, 1);
    AppendLE<uint32_t>(&bytes, static_cast<uint32_t>(value.size()));
    return bytes + value;
  }
  const auto text = values.Text(i);
  const bool wide = values.type.offset_bits == 64;
  AppendLE<uint32_t>(&bytes, 2);
  AppendLE<uint32_t>(&bytes, wide ? 16 : 8);
  AppendLE<uint32_t>(&bytes, static_cast<uint32_t>(text.size()));
  for (const uint64_t offset : {uint64_t{0}, uint64_t{text.size()}}) {
    bytes.append(reinterpret_cast<const char*>(&offset), wide ? 8 : 4);
  }
  if (!text.empty()) bytes.append(reinterpret_cast<const char*>(text.data()), text.size());
  return bytes;
}

bool SameValue(const LeafValues& values, int64_t a, int64_t b) {
  if (values.type.kind == LeafType::Kind::kVariable) {
    const auto left = values.Text(a), right = values.Text(b);
    return left.size() == right.size() &&
           (left.empty() || std::memcmp(left.data(), right.data(), left.size()) == 0);
  }
  if (values.type.bits % 8 == 0 && values.first_bit == 0) {
    const int64_t width = values.type.bits / 8;
    return std::memcmp(values.values + a * width, values.values + b * width, static_cast<size_t>(width)) == 0;
  }
  return FlatBytes(values, a, 1) == FlatBytes(values, b, 1);
}

/// What the values of the valid slots have in common.
struct Uniform {
  int64_t first_valid = kNoValue;
  bool all_equal = true;
};

Uniform Compare(const LeafValues& values, const Levels& levels, bool compare_values) {
  Uniform uniform;
  const uint16_t max_visible = levels.max_visible();
  int64_t value = 0;
  for (int64_t slot = 0; slot < levels.num_slots; ++slot) {
    const uint16_t level = levels.Definition(slot);
    if (level > max_visible) continue;
    const int64_t i = value++;
    if (level != 0) continue;
    if (uniform.first_valid == kNoValue) {
      uniform.first_valid = i;
      if (!compare_values) break;
    } else if (!SameValue(values, uniform.first_valid, i)) {
      uniform.all_equal = false;
      break;
    }
  }
  return uniform;
}

/// A nullable layer outside of a list: 8.0.0 misreads full-zip pages of such columns.
bool HasNullableAroundList(const Levels& levels) {
  bool inside = true;
  for (const auto layer : levels.layers) {
    if (IsListLayer(layer)) inside = false;
    if (!inside && layer == enc::REPDEF_NULLABLE_ITEM) return true;
  }
  return false;
}

bool UseFullZip(const LeafValues& values, const Levels& levels, const EncodingOptions& options) {
  using Structure = EncodingOptions::Structure;
  if (values.type.is_packed()) return values.type.kind == LeafType::Kind::kRow;
  if (HasNullableAroundList(levels) || options.structure == Structure::kMiniBlock) return false;
  const bool null_items = std::ranges::any_of(
      values.item_validity, [](const auto& validity) { return validity.bitmap != nullptr; });
  if (null_items && values.type.item_bits == 1) return false;               // no release reads them
  if (levels.TooManyForChunks() && values.type.bits % 8 == 0) return true;  // one row; see level splitting
  return options.structure == Structure::kFullZip || values.LongestValue() >= kWideValue;
}

/// Vectors of nulls: rows of levels only. 8.0.0 reads them if the innermost layer is nullable (§8.11).
arrow::Result<EncodedPage> EncodeNullVectors(const LeafValues& values, Levels levels,
                                             const EncodingOptions& options) {
  if (values.type.dims.size() > 1 || HasNullableAroundList(levels)) {
    return arrow::Status::NotImplemented(
        "vectors of nulls in vectors, or below a null outside of a list, have no form that all readers know");
  }
  if (levels.layers[0] == enc::REPDEF_ALL_VALID_ITEM) {
    levels.layers[0] = enc::REPDEF_NULLABLE_ITEM;  // takes level 1; those of outer layers move up
    levels.definition.resize(static_cast<size_t>(levels.num_slots));
    for (uint16_t& level : levels.definition) level = static_cast<uint16_t>(level == 0 ? 0 : level + 1);
  }
  return EncodeFullZipPage(values, levels, options);
}

}  // namespace

arrow::Result<EncodedPage> EncodeConstantPage(const LeafValues& values, int64_t value, const Levels& levels,
                                              PageFormat format) {
  EncodedPage page;
  auto* layout = page.layout.mutable_constant_layout();
  for (const auto layer : levels.layers) layout->add_layers(layer);
  const bool only_nulls = value == kNoValue;
  if (!only_nulls) {
    const bool flat = values.type.kind == LeafType::Kind::kFixed;
    const std::string bytes = flat ? FlatBytes(values, value, 1) : "";
    if (flat && bytes.size() <= kMaxInlineConstant) {
      layout->set_inline_value(bytes);
    } else {
      page.buffers.push_back(arrow::Buffer::FromString(ScalarBuffer(values, value)));
    }
  }
  // Every row null and nothing around it needs no levels.
  if (only_nulls && levels.layers.size() == 1) return page;
  if (levels.repetition.empty() && levels.definition.empty()) return page;
  if (!only_nulls || !format.v2_2) {
    page.buffers.push_back(LevelBuffer(levels.repetition));
    page.buffers.push_back(LevelBuffer(levels.definition));
    return page;
  }
  const auto add = [&](const std::vector<uint16_t>& all, auto encoding) {
    page.buffers.push_back(all.empty() ? LevelBuffer(all) : PackedLevels(all, encoding()));
  };
  add(levels.repetition, [&] { return layout->mutable_rep_compression(); });
  add(levels.definition, [&] { return layout->mutable_def_compression(); });
  layout->set_num_rep_values(levels.repetition.size());
  layout->set_num_def_values(levels.definition.size());
  return page;
}

arrow::Result<EncodedPage> EncodePage(const LeafValues& values, const Levels& levels,
                                      const EncodingOptions& options, PageFormat format) {
  if (levels.num_slots == 0) return arrow::Status::Invalid("a page without rows");
  if (levels.num_slots > std::numeric_limits<uint32_t>::max()) {
    return arrow::Status::Invalid("a page of 2^32 slots");
  }
  const bool scalar =
      values.type.kind != LeafType::Kind::kDictionary && !values.type.is_vector() && !values.type.is_packed();
  const Uniform uniform = Compare(values, levels, format.v2_2 && scalar);
  if (uniform.first_valid == kNoValue) return EncodeConstantPage(values, kNoValue, levels, format);
  if (format.v2_2 && scalar && uniform.all_equal) {
    return EncodeConstantPage(values, uniform.first_valid, levels, format);
  }
  if (values.type.is_vector_of_nulls()) return EncodeNullVectors(values, levels, options);
  if (values.type.kind == LeafType::Kind::kDictionary) {
    return EncodeDictionaryPage(values, *values.entries, levels, options, format);
  }
  // Levels that no chunk has room for go to full-zip, if values can.
  const bool crowded = levels.TooManyForChunks() && UseFullZip(values, levels, options);
  if (auto distinct = crowded ? std::nullopt : FindDistinct(values, options, format.v2_2)) {
    std::string storage;
    const LeafValues entries = ValuesAt(values, distinct->positions, &storage);
    return EncodeDictionaryPage(LeafValues::OfIntegers(std::move(distinct->indices)), entries, levels,
                                options, format);
  }
  if (UseFullZip(values, levels, options)) return EncodeFullZipPage(values, levels, options);
  return EncodeMiniBlockPage(values, levels, options, format);
}

arrow::Result<EncodedPage> EncodePage(const arrow::ArrayData& array, const EncodingOptions& options,
                                      PageFormat format, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const LeafValues values, LeafValues::Of(array, pool));
  return EncodePage(values, Levels::OfLeaf(array), options, format);
}

}  // namespace pilum
