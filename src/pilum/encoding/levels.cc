// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/levels.h"

#include <arrow/type.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "pilum/encoding/block.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kMaxRun = 255;
constexpr int64_t kMaxChunkSlots = 65535;
constexpr int64_t kLevelBits = 131'072;    // of the levels of a chunk, half of what a chunk of 2.1 can be
constexpr int64_t kMaxChunkBytes = 65535;  // of the levels of a chunk, counted in 16 bits
constexpr int64_t kRunHeader = 8;
constexpr int64_t kRunBytes = 3;  // a level and a length

/// Calls `f(level, length)` for each run of at most 255 equal levels.
template <typename F>
void ForEachRun(std::span<const uint16_t> levels, F&& f) {
  for (size_t begin = 0; begin < levels.size();) {
    size_t end = begin + 1;
    while (end < levels.size() && levels[end] == levels[begin] && end - begin < kMaxRun) ++end;
    f(levels[begin], static_cast<uint8_t>(end - begin));
    begin = end;
  }
}

/// Slots that a page may have if some have no value.
int64_t CrowdedSlots(const Levels& levels) {
  if (levels.repetition.empty() || levels.definition.empty()) return std::numeric_limits<int64_t>::max();
  int highest = 0;
  for (const auto layer : levels.layers) highest += LevelsOf(layer);
  const int bits = std::bit_width(static_cast<uint32_t>(levels.num_lists())) +
                   std::bit_width(static_cast<uint32_t>(highest));
  return std::min<int64_t>(kLevelBits / bits, kMaxChunkSlots);
}

/// The key of a valid row of a dictionary array.
int64_t KeyAt(const arrow::ArrayData& array, int64_t i) {
  const auto& type = static_cast<const arrow::DictionaryType&>(*array.type);
  switch (type.bit_width()) {
    case 8:
      return array.GetValues<uint8_t>(1)[i];
    case 16:
      return array.GetValues<uint16_t>(1)[i];
    case 32:
      return array.GetValues<uint32_t>(1)[i];
    default:
      return array.GetValues<int64_t>(1)[i];
  }
}

}  // namespace

int LevelsOf(enc::RepDefLayer layer) {
  switch (layer) {
    case enc::REPDEF_NULLABLE_ITEM:
    case enc::REPDEF_NULLABLE_LIST:
    case enc::REPDEF_EMPTYABLE_LIST:
      return 1;
    case enc::REPDEF_NULL_AND_EMPTY_LIST:
      return 2;
    default:
      return 0;
  }
}

bool IsListLayer(enc::RepDefLayer layer) {
  return layer == enc::REPDEF_ALL_VALID_LIST || layer == enc::REPDEF_NULLABLE_LIST ||
         layer == enc::REPDEF_EMPTYABLE_LIST || layer == enc::REPDEF_NULL_AND_EMPTY_LIST;
}

bool IsNullValue(const arrow::ArrayData& array, int64_t i) {
  if (array.type->id() == arrow::Type::NA || array.IsNull(i)) return true;
  return array.dictionary != nullptr && array.dictionary->GetNullCount() > 0 &&
         array.dictionary->IsNull(KeyAt(array, i));
}

bool MayHaveNullValues(const arrow::ArrayData& array) {
  return array.type->id() == arrow::Type::NA || array.GetNullCount() > 0 ||
         (array.dictionary != nullptr && array.dictionary->GetNullCount() > 0);
}

Levels Levels::OfLeaf(const arrow::ArrayData& array) {
  Levels levels;
  levels.num_slots = array.length;
  levels.layers = {enc::REPDEF_ALL_VALID_ITEM};
  if (!MayHaveNullValues(array)) return levels;
  levels.definition.resize(static_cast<size_t>(array.length));
  uint16_t highest = 0;
  for (int64_t i = 0; i < array.length; ++i) {
    const uint16_t level = IsNullValue(array, i) ? 1 : 0;
    levels.definition[static_cast<size_t>(i)] = level;
    highest |= level;
  }
  if (highest == 0) {
    levels.definition.clear();
  } else {
    levels.layers = {enc::REPDEF_NULLABLE_ITEM};
  }
  return levels;
}

int Levels::num_lists() const {
  return static_cast<int>(std::count_if(layers.begin(), layers.end(), IsListLayer));
}

uint16_t Levels::max_visible() const {
  int levels = 0;
  for (const auto layer : layers) {
    if (IsListLayer(layer)) break;
    levels += LevelsOf(layer);
  }
  return static_cast<uint16_t>(levels);
}

std::vector<Levels::Range> Levels::CutForChunks() const {
  const int64_t budget = CrowdedSlots(*this);
  const uint16_t visible = max_visible();
  const uint16_t row_begins = static_cast<uint16_t>(num_lists());
  const uint16_t* const repetitions = repetition.data();
  const uint16_t* const definitions = definition.data();
  std::vector<Range> ranges(1);
  if (repetition.empty() || definition.empty()) {  // never too many
    const auto rows = std::count(repetition.begin(), repetition.end(), row_begins);
    ranges[0] = {repetition.empty() ? num_slots : rows, num_slots, num_slots};
    return ranges;
  }
  for (int64_t slot = 0; slot < num_slots;) {
    Range row{.rows = 1};
    do {
      row.values += definitions[slot] <= visible;
      ++row.slots;
      ++slot;
    } while (slot < num_slots && repetitions[slot] != row_begins);
    Range* page = &ranges.back();
    const bool crowded = page->slots > page->values || row.slots > row.values;
    if (page->rows > 0 && crowded && page->slots + row.slots > budget) page = &ranges.emplace_back();
    page->rows += row.rows;
    page->slots += row.slots;
    page->values += row.values;
  }
  return ranges;
}

bool Levels::TooManyForChunks() const {
  if (num_slots <= CrowdedSlots(*this)) return false;
  const uint16_t visible = max_visible();
  const auto values =
      std::count_if(definition.begin(), definition.end(), [&](uint16_t level) { return level <= visible; });
  return values > 0 && values < num_slots;
}

Levels Levels::OnlyUsed() const {
  int highest = 0;
  for (const auto layer : layers) highest += LevelsOf(layer);
  std::vector<bool> used(static_cast<size_t>(highest) + 1);
  for (const uint16_t level : definition) used[level] = true;
  std::vector<uint16_t> renumbered(used.size());
  uint16_t next = 1;
  for (size_t level = 1; level < used.size(); ++level) {
    if (used[level]) renumbered[level] = next++;
  }
  Levels result = *this;
  size_t level = 1;
  for (auto& layer : result.layers) {
    const bool list = IsListLayer(layer);
    const bool null = (layer == enc::REPDEF_NULLABLE_ITEM || layer == enc::REPDEF_NULLABLE_LIST ||
                       layer == enc::REPDEF_NULL_AND_EMPTY_LIST) &&
                      used[level++];
    const bool empty =
        (layer == enc::REPDEF_EMPTYABLE_LIST || layer == enc::REPDEF_NULL_AND_EMPTY_LIST) && used[level++];
    layer = !list           ? (null ? enc::REPDEF_NULLABLE_ITEM : enc::REPDEF_ALL_VALID_ITEM)
            : null && empty ? enc::REPDEF_NULL_AND_EMPTY_LIST
            : null          ? enc::REPDEF_NULLABLE_LIST
            : empty         ? enc::REPDEF_EMPTYABLE_LIST
                            : enc::REPDEF_ALL_VALID_LIST;
  }
  if (next == 1) result.definition.clear();
  for (uint16_t& definition_level : result.definition) definition_level = renumbered[definition_level];
  return result;
}

Levels Levels::Slice(int64_t begin, int64_t count) const {
  Levels slice;
  slice.layers = layers;
  slice.AppendSlots(*this, begin, begin + count);
  return slice;
}

void Levels::AppendSlots(const Levels& from, int64_t begin, int64_t end) {
  const auto append = [&](const std::vector<uint16_t>& source, std::vector<uint16_t>* to) {
    if (!source.empty()) to->insert(to->end(), source.begin() + begin, source.begin() + end);
  };
  append(from.repetition, &repetition);
  append(from.definition, &definition);
  num_slots += end - begin;
}

LevelEncoder::LevelEncoder(std::span<const uint16_t> levels, std::span<const int64_t> chunk_ends,
                           bool allow_runs) {
  if (levels.empty()) return;  // and nothing to append
  uint16_t highest = 0;
  for (const uint16_t level : levels) highest = std::max(highest, level);
  width_ = std::max(1, static_cast<int>(std::bit_width(highest)));
  if (allow_runs) {
    int64_t packed_bytes = 0, run_bytes = 0, longest = 0, begin = 0;
    for (const int64_t end : chunk_ends) {
      const auto chunk = levels.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
      int64_t runs = 0;
      ForEachRun(chunk, [&](uint16_t, uint8_t) { ++runs; });
      packed_bytes += PackedOutOfLineBytes<uint16_t>(end - begin, width_);
      run_bytes += kRunHeader + kRunBytes * runs;
      longest = std::max(longest, kRunHeader + kRunBytes * runs);
      begin = end;
    }
    // A page of one block, which may have any length, has no chunk words; of one chunk it is short enough.
    runs_ = run_bytes < packed_bytes && (chunk_ends.size() == 1 || longest <= kMaxChunkBytes);
  }
  if (runs_) {
    encoding_.mutable_rle()->mutable_values()->mutable_flat()->set_bits_per_value(16);
    encoding_.mutable_rle()->mutable_run_lengths()->mutable_flat()->set_bits_per_value(8);
  } else {
    auto* packing = encoding_.mutable_out_of_line_bitpacking();
    packing->set_uncompressed_bits_per_value(16);
    packing->mutable_values()->mutable_flat()->set_bits_per_value(static_cast<uint64_t>(width_));
  }
}

void LevelEncoder::Append(std::span<const uint16_t> levels, std::string* out) const {
  if (!runs_) {
    PackOutOfLine(levels.data(), static_cast<int64_t>(levels.size()), width_, out);
    return;
  }
  std::string values, lengths;
  ForEachRun(levels, [&](uint16_t level, uint8_t length) {
    AppendLE<uint16_t>(&values, level);
    lengths.push_back(static_cast<char>(length));
  });
  AppendLE<uint64_t>(out, values.size());
  out->append(values).append(lengths);
}

}  // namespace pilum
