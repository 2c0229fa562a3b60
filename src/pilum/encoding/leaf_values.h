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

/// A view of an array that starts at value 0, whatever the array's offset. Holds the buffers it points to.
struct LeafValues {
  LeafType type;
  int64_t length = 0;
  int64_t null_count = 0;
  std::vector<uint16_t> levels;  ///< definition levels, 1 = null; empty without nulls

  // kFixed
  const uint8_t* values = nullptr;
  int64_t first_bit = 0;  ///< of the first value when `type.bits` is not a multiple of 8; else 0
  /// Validity of the items of each dimension of a vector; data null if all are valid.
  struct ItemValidity {
    const uint8_t* bitmap = nullptr;
    int64_t offset = 0;
  };
  std::vector<ItemValidity> item_validity;

  // kVariable: text of value i is bytes[offsets[i] .. offsets[i + 1]]; nulls are empty.
  std::vector<int64_t> offsets;
  const uint8_t* bytes = nullptr;

  std::vector<std::shared_ptr<arrow::Buffer>> holds;

  std::span<const uint8_t> Text(int64_t i) const {
    const size_t at = static_cast<size_t>(i);
    return {bytes + offsets[at], static_cast<size_t>(offsets[at + 1] - offsets[at])};
  }

  static arrow::Result<LeafValues> Of(const arrow::ArrayData& array, arrow::MemoryPool* pool);
};

}  // namespace pilum
