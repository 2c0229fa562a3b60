// SPDX-License-Identifier: Apache-2.0
//
// How the values of an Arrow type lie in memory, as far as encodings care. Spec: 11-encodings.md §2.
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace pilum {

/// The shape of one leaf column. A value.
struct LeafType {
  enum class Kind : uint8_t {
    kNull,        ///< no bytes at all: nulls, and structs without fields
    kFixed,       ///< `bits` per value; vectors (fixed-size lists of primitives) included
    kVariable,    ///< bytes between offsets of `offset_bits`
    kDictionary,  ///< keys of `bits`, positions in a list of `entries`
    kRow,         ///< values of `fields` side by side: a packed struct whose rows differ in length
  };

  Kind kind = Kind::kNull;
  std::shared_ptr<arrow::DataType> type;
  int64_t bits = 0;           ///< kFixed: one value, all dimensions included; kDictionary: one key
  int64_t item_bits = 0;      ///< kFixed: one item of a vector, 0 of nulls; equal to `bits` for scalars
  std::vector<int64_t> dims;  ///< sizes of the dimensions of a vector, outermost first; empty for scalars
  int offset_bits = 0;        ///< kVariable: 32 or 64
  std::vector<int64_t> packed_bits;     ///< kFixed: of each child of a packed struct; empty for all else
  std::vector<size_t> packed_children;  ///< of a packed struct: which are wanted, ascending; those of `type`
  std::shared_ptr<const LeafType> entries;  ///< kDictionary: strings or fixed-width values
  std::vector<LeafType> fields;             ///< kRow: of each child; kFixed, kVariable or kRow

  bool is_vector() const { return !dims.empty(); }
  /// Vectors of type null have items but no bytes.
  bool is_vector_of_nulls() const { return is_vector() && item_bits == 0; }
  bool is_packed() const { return !packed_bits.empty() || kind == Kind::kRow; }
  /// Whether values are an array of `bits` each: kFixed, and the keys of kDictionary.
  bool has_fixed_width() const { return kind == Kind::kFixed || kind == Kind::kDictionary; }
  /// Items below level `level` in one value: the product of dims[0..level].
  int64_t ItemsThrough(size_t level) const;

  /// NotImplemented, naming the type, for nested types and dictionaries of them.
  static arrow::Result<LeafType> Of(const std::shared_ptr<arrow::DataType>& type);
  /// A struct whose rows are the bytes of its children side by side (§8.12): kFixed if these are all of plain
  /// fixed width, else kRow (§8.13). NotImplemented, naming the child's type, for booleans, lists,
  /// dictionaries, nulls and structs of fixed width.
  static arrow::Result<LeafType> OfPacked(const std::shared_ptr<arrow::DataType>& type);
  /// Some children of a packed struct whose rows hold all of `type`. @param children their positions,
  /// ascending.
  static arrow::Result<LeafType> OfPackedPart(const std::shared_ptr<arrow::DataType>& type,
                                              std::vector<size_t> children);
};

}  // namespace pilum
