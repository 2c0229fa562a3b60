// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/unravel.h"

#include <algorithm>

namespace pilum {

namespace enc = lance::encodings21;

struct Unraveler::PageLayers {
  explicit PageLayers(const Levels& levels) : kinds(levels.layers), num_lists(levels.num_lists()) {
    owner.push_back(-1);
    for (size_t layer = 0; layer < kinds.size(); ++layer) {
      owner.insert(owner.end(), static_cast<size_t>(LevelsOf(kinds[layer])), static_cast<int>(layer));
      if (IsListLayer(kinds[layer])) lists.push_back(static_cast<int>(layer));
    }
  }

  /// Whether a slot of this level is no element of `layer`: a list around it is null or empty, or something
  /// around that is null.
  bool Masked(uint16_t level, size_t layer) const {
    const auto list = std::upper_bound(lists.begin(), lists.end(), static_cast<int>(layer));
    return list != lists.end() && *list <= owner[level];
  }

  const std::vector<enc::RepDefLayer>& kinds;
  const int num_lists;
  std::vector<int> owner;  // of each level: the layer that has it
  std::vector<int> lists;  // layers, ascending
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
  for (int64_t slot = 0; slot < levels.num_slots; ++slot) {
    if (levels.Definition(slot) >= page.owner.size() || levels.Repetition(slot) > page.num_lists) {
      return arrow::Status::Invalid("slot ", slot, " has the levels ", levels.Repetition(slot), " and ",
                                    levels.Definition(slot));
    }
  }
  if (page.num_lists > 0 && levels.num_slots > 0 && levels.Repetition(0) != page.num_lists) {
    return arrow::Status::Invalid("the first slot begins no row");
  }
  return arrow::Status::OK();
}

arrow::Status Unraveler::Append(const Levels& levels) {
  const PageLayers page(levels);
  ARROW_RETURN_NOT_OK(CheckLevels(levels, page));
  std::vector<Slot> slots(static_cast<size_t>(levels.num_slots));
  for (size_t i = 0; i < slots.size(); ++i) {
    slots[i] = {levels.Repetition(static_cast<int64_t>(i)), levels.Definition(static_cast<int64_t>(i))};
  }
  uint16_t base = 0;
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    ARROW_RETURN_NOT_OK(IsListLayer(page.kinds[layer]) ? AppendLists(page, layer, base, &slots)
                                                       : AppendItems(page, layer, base, &slots));
    base = static_cast<uint16_t>(base + LevelsOf(page.kinds[layer]));
  }
  return arrow::Status::OK();
}

arrow::Status Unraveler::AppendItems(const PageLayers& page, size_t layer, uint16_t base,
                                     std::vector<Slot>* slots) {
  const int64_t dimension = layers_[layer].dimension;
  if (dimension > 1) {  // the slots of a row's items stand for the row
    size_t kept = 0;
    int64_t items = 0;
    for (const Slot slot : *slots) {
      const bool masked = page.Masked(slot.definition, layer);
      if (masked || items % dimension == 0) (*slots)[kept++] = slot;
      if (!masked) ++items;
    }
    if (items % dimension != 0) {
      return arrow::Status::Invalid(items, " items in lists of ", dimension);
    }
    slots->resize(kept);
  }
  auto& validity = outputs_[layer].validity;
  const bool nullable = page.kinds[layer] == enc::REPDEF_NULLABLE_ITEM;
  ARROW_RETURN_NOT_OK(validity.Reserve(static_cast<int64_t>(slots->size())));
  for (const Slot slot : *slots) {
    if (!page.Masked(slot.definition, layer)) validity.UnsafeAppend(!nullable || slot.definition <= base);
  }
  return arrow::Status::OK();
}

arrow::Status Unraveler::AppendLists(const PageLayers& page, size_t layer, uint16_t base,
                                     std::vector<Slot>* slots) {
  const auto kind = page.kinds[layer];
  const bool nullable = kind == enc::REPDEF_NULLABLE_LIST || kind == enc::REPDEF_NULL_AND_EMPTY_LIST;
  const bool emptyable = kind == enc::REPDEF_EMPTYABLE_LIST || kind == enc::REPDEF_NULL_AND_EMPTY_LIST;
  const int null_level = nullable ? base + 1 : -1;
  const int empty_level = emptyable ? base + 1 + nullable : -1;
  const int highest = base + LevelsOf(kind);
  Output& out = outputs_[layer];
  ARROW_RETURN_NOT_OK(out.validity.Reserve(static_cast<int64_t>(slots->size())));
  int64_t end = out.offsets.back();  // of the items so far
  size_t kept = 0;
  for (const Slot slot : *slots) {
    if (slot.repetition == 0) {
      if (page.Masked(slot.definition, layer)) return arrow::Status::Invalid("a null list with items");
      ++end;
      out.offsets.back() = end;
      continue;
    }
    (*slots)[kept++] = {static_cast<uint16_t>(slot.repetition - 1), slot.definition};
    if (page.Masked(slot.definition, layer)) continue;
    const bool null = slot.definition == null_level || slot.definition > highest;
    const bool empty = slot.definition == empty_level;
    out.validity.UnsafeAppend(!null);
    if (!null && !empty) ++end;
    out.offsets.push_back(end);
  }
  slots->resize(kept);
  return arrow::Status::OK();
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
