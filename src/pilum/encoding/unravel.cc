// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/unravel.h"

#include <algorithm>

#include "pilum/encoding/level_counts.h"
#include "pilum/util/little_endian.h"
#include "pilum/util/target_clones.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

PILUM_CLONES uint16_t Highest(const uint16_t* levels, size_t n) {
  uint16_t highest = 0;
  for (size_t i = 0; i < n; ++i) highest = std::max(highest, levels[i]);
  return highest;
}

/// Whether a slot that continues a list has a level from `lowest` on.
PILUM_CLONES bool AnyContinuesAbove(const uint16_t* repetition, const uint16_t* definition, size_t n,
                                    uint16_t lowest) {
  uint16_t any = 0;
  for (size_t i = 0; i < n; ++i)
    any = static_cast<uint16_t>(any | ((repetition[i] == 0) & (definition[i] >= lowest)));
  return any != 0;
}

/// Appends a bit for each byte, which is 0 or 1.
arrow::Status AppendBits(const std::vector<uint8_t>& bytes, arrow::TypedBufferBuilder<bool>* out) {
  std::vector<uint8_t> bits;
  bits.reserve(bytes.size() / 8 + 1);
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {  // the product has byte k as its bit 56 + k
    bits.push_back(static_cast<uint8_t>(LoadLE<uint64_t>(&bytes[i]) * 0x0102040810204080 >> 56));
  }
  bits.push_back(0);
  for (size_t k = 0; i + k < bytes.size(); ++k) bits.back() |= static_cast<uint8_t>(bytes[i + k] << k);
  const auto n = static_cast<int64_t>(bytes.size());
  ARROW_RETURN_NOT_OK(out->Reserve(n));
  out->UnsafeAppend(bits.data(), 0, n);
  return arrow::Status::OK();
}

}  // namespace

struct Unraveler::PageLayers {
  explicit PageLayers(const Levels& levels)
      : kinds(levels.layers), num_lists(levels.num_lists()), masked_from(kinds.size()) {
    for (const auto kind : kinds) num_levels = static_cast<uint16_t>(num_levels + LevelsOf(kind));
    uint16_t base = num_levels, from = static_cast<uint16_t>(num_levels + 1);
    for (size_t layer = kinds.size(); layer-- > 0;) {
      masked_from[layer] = from;
      base = static_cast<uint16_t>(base - LevelsOf(kinds[layer]));
      if (IsListLayer(kinds[layer])) from = static_cast<uint16_t>(base + 1);
    }
  }

  /// Whether a slot of this level is no element of `layer`: a list around it is null or empty, or something
  /// around that is null.
  bool Masked(uint16_t level, size_t layer) const { return level >= masked_from[layer]; }

  const std::vector<enc::RepDefLayer>& kinds;
  const int num_lists;
  uint16_t num_levels = 0;            // beside 0
  std::vector<uint16_t> masked_from;  // of each layer: the lowest level that masks it
};

Unraveler::Unraveler(std::vector<NestingLayer> layers, arrow::MemoryPool* pool) : layers_(std::move(layers)) {
  for (size_t i = 0; i < layers_.size(); ++i) outputs_.emplace_back(pool);
}

arrow::Status Unraveler::CheckLevels(const Levels& levels, const PageLayers& page) const {
  if (levels.layers.size() != layers_.size()) {
    return arrow::Status::Invalid("a page with ", levels.layers.size(), " layers in a column of ",
                                  layers_.size());
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (IsListLayer(levels.layers[i]) != (layers_[i].kind == NestingLayer::Kind::kList)) {
      return arrow::Status::Invalid("layer ", i, " of a page is of kind ",
                                    static_cast<int>(levels.layers[i]));
    }
  }
  const uint16_t repetition = Highest(levels.repetition.data(), levels.repetition.size());
  const uint16_t definition = Highest(levels.definition.data(), levels.definition.size());
  if (definition > page.num_levels || repetition > page.num_lists) {
    return arrow::Status::Invalid("levels up to ", repetition, " and ", definition, " where ", page.num_lists,
                                  " and ", page.num_levels, " are the highest");
  }
  if (page.num_lists > 0 && levels.num_slots > 0 && levels.Repetition(0) != page.num_lists) {
    return arrow::Status::Invalid("the first slot begins no row");
  }
  return arrow::Status::OK();
}

arrow::Status Unraveler::Append(const Levels& levels) {
  const PageLayers page(levels);
  ARROW_RETURN_NOT_OK(CheckLevels(levels, page));
  Slots slots{levels.repetition, levels.definition};
  if (slots.definition.empty()) slots.definition.resize(static_cast<size_t>(levels.num_slots));
  uint16_t base = 0;
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    ARROW_RETURN_NOT_OK(IsListLayer(page.kinds[layer]) ? AppendLists(page, layer, base, &slots)
                                                       : AppendItems(page, layer, base, &slots));
    base = static_cast<uint16_t>(base + LevelsOf(page.kinds[layer]));
  }
  return arrow::Status::OK();
}

/// The slots of the items of a fixed-size list stand for the list: leaves one for each.
arrow::Status Unraveler::DropItems(const PageLayers& page, size_t layer, Slots* slots) const {
  const int64_t dimension = layers_[layer].dimension;
  size_t kept = 0;
  int64_t items = 0;
  for (size_t slot = 0; slot < slots->definition.size(); ++slot) {
    const bool masked = page.Masked(slots->definition[slot], layer);
    if (masked || items % dimension == 0) {
      slots->definition[kept] = slots->definition[slot];
      if (!slots->repetition.empty()) slots->repetition[kept] = slots->repetition[slot];
      ++kept;
    }
    if (!masked) ++items;
  }
  if (items % dimension != 0) return arrow::Status::Invalid(items, " items in lists of ", dimension);
  slots->definition.resize(kept);
  if (!slots->repetition.empty()) slots->repetition.resize(kept);
  return arrow::Status::OK();
}

arrow::Status Unraveler::AppendItems(const PageLayers& page, size_t layer, uint16_t base, Slots* slots) {
  if (layers_[layer].dimension > 1) ARROW_RETURN_NOT_OK(DropItems(page, layer, slots));
  auto& validity = outputs_[layer].validity;
  const auto& definition = slots->definition;
  const uint16_t masked_from = page.masked_from[layer];
  if (page.kinds[layer] != enc::REPDEF_NULLABLE_ITEM) {
    return validity.Append(CountAtMost(definition, static_cast<uint16_t>(masked_from - 1)), true);
  }
  std::vector<uint8_t> valid(definition.size());
  size_t n = 0;
  for (const uint16_t level : definition) {
    valid[n] = level <= base;
    n += level < masked_from;
  }
  valid.resize(n);
  return AppendBits(valid, &validity);
}

arrow::Status Unraveler::AppendLists(const PageLayers& page, size_t layer, uint16_t base, Slots* slots) {
  const auto kind = page.kinds[layer];
  const bool nullable = kind == enc::REPDEF_NULLABLE_LIST || kind == enc::REPDEF_NULL_AND_EMPTY_LIST;
  const int null_level = nullable ? base + 1 : -1;
  const int highest = base + LevelsOf(kind);
  auto& [repetition, definition] = *slots;
  const size_t n = definition.size();
  if (AnyContinuesAbove(repetition.data(), definition.data(), n, static_cast<uint16_t>(base + 1)))
    return arrow::Status::Invalid("items of a list that is null or empty");
  Output& out = outputs_[layer];
  std::vector<uint8_t> valid;
  int64_t end = out.offsets.back();  // of the items so far
  size_t kept = 0;
  bool has_items = false;  // the list that began last
  for (size_t i = 0; i < n;) {
    if (repetition[i] != 0) {  // a list begins
      const uint16_t level = definition[i];
      repetition[kept] = static_cast<uint16_t>(repetition[i] - 1);
      definition[kept++] = level;
      ++i;
      has_items = level <= base;
      if (!page.Masked(level, layer)) {
        valid.push_back(level != null_level && level <= highest);
        end += has_items;
        out.offsets.push_back(end);
      }
    }
    const size_t first = i;
    while (i < n && repetition[i] == 0) ++i;
    if (i > first && !has_items) return arrow::Status::Invalid("items of a list that is null or empty");
    end += static_cast<int64_t>(i - first);
    out.offsets.back() = end;
  }
  repetition.resize(kept);
  definition.resize(kept);
  return AppendBits(valid, &out.validity);
}

arrow::Result<std::vector<UnraveledLayer>> Unraveler::Finish() {
  std::vector<UnraveledLayer> layers;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    UnraveledLayer layer;
    layer.length = outputs_[i].validity.length();
    layer.null_count = outputs_[i].validity.false_count();
    if (layer.null_count > 0) {
      ARROW_ASSIGN_OR_RAISE(layer.validity, outputs_[i].validity.Finish());
    }
    if (layers_[i].kind == NestingLayer::Kind::kList) layer.offsets = std::move(outputs_[i].offsets);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace pilum
