// SPDX-License-Identifier: Apache-2.0
//
// LeafValues: the bytes of an Arrow array as encoders want them.
#pragma once

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pilum/encoding/leaf_type.h"

namespace pilum {

/// A view of an array that starts at value 0, whatever the array's offset. Validity of the values themselves
/// is not here but in Levels. Holds the buffers it points to.
struct LeafValues {
  LeafType type;
  int64_t length = 0;

  // kFixed, and the keys of kDictionary
  const uint8_t* values = nullptr;
  int64_t first_bit = 0;  ///< of the first value when `type.bits` is not a multiple of 8; else 0
  /// Validity of the items of each dimension of a vector; data null if all are valid.
  struct ItemValidity {
    const uint8_t* bitmap = nullptr;
    int64_t offset = 0;
  };
  std::vector<ItemValidity> item_validity;

  // kVariable: text of value i is bytes[offsets[i] .. offsets[i + 1]].
  std::vector<int64_t> offsets;
  const uint8_t* bytes = nullptr;

  std::shared_ptr<const LeafValues> entries;  ///< kDictionary: without nulls
  std::vector<LeafValues> fields;             ///< kRow: `length` values of each child

  std::vector<std::shared_ptr<arrow::Buffer>> holds;

  std::span<const uint8_t> Text(int64_t i) const {
    const size_t at = static_cast<size_t>(i);
    return {bytes + offsets[at], static_cast<size_t>(offsets[at + 1] - offsets[at])};
  }
  /// Bytes of all values, offsets included: what budgets of pages and dictionaries are measured against.
  int64_t DataSize() const;
  /// Bytes of the longest value. Booleans count nothing, however many make a vector.
  int64_t LongestValue() const;

  /// For kDictionary, keys of null rows become 0. A struct is a packed one.
  static arrow::Result<LeafValues> Of(const arrow::ArrayData& array, arrow::MemoryPool* pool);
  /// The rows of a packed struct, whose children have no nulls under valid rows.
  static arrow::Result<LeafValues> OfPacked(const arrow::ArrayData& array, arrow::MemoryPool* pool);
  /// `n` unsigned integers of sizeof(T) bytes.
  template <typename T>
  static LeafValues OfIntegers(std::vector<T> integers);
};

}  // namespace pilum
