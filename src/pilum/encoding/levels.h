// SPDX-License-Identifier: Apache-2.0
//
// Levels: how the slots of a page nest, as numbers beside the values. Spec: 11-encodings.md §3.
#pragma once

#include <arrow/array/data.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// A slot is a value of the leaf (visible), or stands for an empty list, a null list or anything null above a
/// list (invisible). Definition levels say what is null: 0 nothing, then numbers from the leaf outwards.
/// Repetition levels say which list begins at the slot: the outermost has the highest number, 0 continues.
struct Levels {
  int64_t num_slots = 0;
  std::vector<uint16_t> repetition;                     ///< empty: no lists
  std::vector<uint16_t> definition;                     ///< empty: no layer is nullable or emptyable, all 0
  std::vector<lance::encodings21::RepDefLayer> layers;  ///< inner-most first

  /// Levels of a column that is not nested: one layer, nullable iff there is a null.
  static Levels OfLeaf(const arrow::ArrayData& array);

  int num_lists() const;
  /// Slots with a level up to this one are visible.
  uint16_t max_visible() const;

  /// Consecutive rows: their number, that of their slots and of their values.
  struct Range {
    int64_t rows = 0;
    int64_t slots = 0;
    int64_t values = 0;
  };
  /// All rows, cut where slots without a value would crowd around few values, more than a mini-block chunk
  /// can hold. A range of one row may still have too many. Spec §9.1.
  std::vector<Range> CutForChunks() const;
  /// Whether this is such a row, or rows that were not cut.
  bool TooManyForChunks() const;
  /// The same slots, without the kinds of nulls and empty lists that none of them has.
  Levels OnlyUsed() const;
  /// Levels of the slots from `begin` on, whole rows, with the same layers.
  Levels Slice(int64_t begin, int64_t num_slots) const;

  /// Appends the slots [begin, end) of `from`, which has the same layers and kinds of levels.
  void AppendSlots(const Levels& from, int64_t begin, int64_t end);

  uint16_t Definition(int64_t slot) const {
    return definition.empty() ? uint16_t{0} : definition[static_cast<size_t>(slot)];
  }
  uint16_t Repetition(int64_t slot) const {
    return repetition.empty() ? uint16_t{0} : repetition[static_cast<size_t>(slot)];
  }
};

/// Whether row `i` is null, be it that its key points to an entry that is.
bool IsNullValue(const arrow::ArrayData& array, int64_t i);
/// False only if IsNullValue is false for every row.
bool MayHaveNullValues(const arrow::ArrayData& array);

/// Definition levels that a layer uses: 0, 1 or 2.
int LevelsOf(lance::encodings21::RepDefLayer layer);
bool IsListLayer(lance::encodings21::RepDefLayer layer);

/// How the levels of one page are stored: the encoding that is smallest for all of them, applied to each
/// chunk. Spec §9.6.
class LevelEncoder {
 public:
  /// @param chunk_ends where the chunks of the page end, in slots; the last is the number of levels.
  /// @param allow_runs whether the format version has run-length levels.
  LevelEncoder(std::span<const uint16_t> levels, std::span<const int64_t> chunk_ends, bool allow_runs);

  const lance::encodings21::CompressiveEncoding& encoding() const { return encoding_; }
  /// Appends the block of `levels`.
  void Append(std::span<const uint16_t> levels, std::string* out) const;

 private:
  bool runs_ = false;
  int width_ = 1;
  lance::encodings21::CompressiveEncoding encoding_;
};

}  // namespace pilum
