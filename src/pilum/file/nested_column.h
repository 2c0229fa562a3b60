// SPDX-License-Identifier: Apache-2.0
//
// Puts the leaves of a nested column together again. Spec: 11-encodings.md §3.5.
#pragma once

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>
#include <vector>

#include "pilum/encoding/nesting.h"
#include "pilum/file/page_reader.h"

namespace pilum {

/// One leaf of a batch: what each page gave, in order.
struct NestedLeaf {
  LeafColumn column;
  std::vector<NestedPiece> pieces;
};

/// The array of `num_rows` rows of `field` from its leaves, in the order of LeafColumn::Of. Invalid when the
/// leaves disagree about the shape, or their levels contradict themselves.
arrow::Result<std::shared_ptr<arrow::ArrayData>> AssembleNested(const arrow::Field& field, int64_t num_rows,
                                                                std::vector<NestedLeaf> leaves,
                                                                arrow::MemoryPool* pool);

/// The offsets of a list, large list or map, as its type has them. CapacityError when 32 bits do not hold
/// them.
arrow::Result<std::shared_ptr<arrow::Buffer>> ListOffsets(const arrow::Field& field,
                                                          const std::vector<int64_t>& offsets,
                                                          arrow::MemoryPool* pool);

}  // namespace pilum
