// SPDX-License-Identifier: Apache-2.0
//
// From a nested array to its leaves: their values, and the levels that say how they nest. Spec:
// 11-encodings.md §3.4, §16 (P1, P2).
#pragma once

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>
#include <vector>

#include "pilum/encoding/levels.h"

namespace pilum {

/// A leaf of a nested array: one value per visible slot.
struct LeafArray {
  std::shared_ptr<arrow::ArrayData> values;
  Levels levels;
};

/// The leaves of `array`, a column of `field`, in the order of LeafColumn::Of. Items of null lists are
/// dropped.
///
/// Which layers are nullable is what the array shows, but outside of a list what the field says: readers of
/// 8.0.0 need it to be the same in every page of a column.
arrow::Result<std::vector<LeafArray>> BuildLevels(const std::shared_ptr<arrow::ArrayData>& array,
                                                  const arrow::Field& field, arrow::MemoryPool* pool);

}  // namespace pilum
