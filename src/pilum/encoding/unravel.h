// SPDX-License-Identifier: Apache-2.0
//
// Unraveler: from the levels of a column back to the validity and offsets of every layer. Spec:
// 11-encodings.md §3.5.
#pragma once

#include <arrow/buffer_builder.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "pilum/encoding/levels.h"
#include "pilum/encoding/nesting.h"

namespace pilum {

/// One layer of the rows of a batch.
struct UnraveledLayer {
  int64_t length = 0;
  int64_t null_count = 0;
  std::shared_ptr<arrow::Buffer> validity;  ///< null: all valid
  std::vector<int64_t> offsets;             ///< lists: length + 1, from 0
};

/// Takes the levels page by page, since pages may differ in which layers are nullable; gives whole layers.
/// One thread.
class Unraveler {
 public:
  Unraveler(std::vector<NestingLayer> layers, arrow::MemoryPool* pool);

  /// The levels of some rows of one page. Invalid when they contradict the layers or themselves.
  arrow::Status Append(const Levels& levels);

  /// From the leaf outwards. The length of the first is the number of values.
  arrow::Result<std::vector<UnraveledLayer>> Finish();

 private:
  /// The slots of a page, as far as the layers inside have left them.
  struct Slots {
    std::vector<uint16_t> repetition;  // empty: no lists
    std::vector<uint16_t> definition;
  };
  struct Output {
    explicit Output(arrow::MemoryPool* pool) : validity(pool) {}
    arrow::TypedBufferBuilder<bool> validity;
    std::vector<int64_t> offsets{0};
  };
  /// What the layers of one page say about levels.
  struct PageLayers;

  arrow::Status CheckLevels(const Levels& levels, const PageLayers& page) const;
  arrow::Status DropItems(const PageLayers& page, size_t layer, Slots* slots) const;
  arrow::Status AppendItems(const PageLayers& page, size_t layer, uint16_t base, Slots* slots);
  arrow::Status AppendLists(const PageLayers& page, size_t layer, uint16_t base, Slots* slots);

  const std::vector<NestingLayer> layers_;
  std::vector<Output> outputs_;
};

}  // namespace pilum
