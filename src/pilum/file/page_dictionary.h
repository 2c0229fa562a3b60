// SPDX-License-Identifier: Apache-2.0
//
// PageDictionary: the distinct values of a mini-block page. Spec: 11-encodings.md §4.6, §8.14.
#pragma once

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>

#include "pilum/encoding/column_builder.h"
#include "pilum/encoding/leaf_type.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// Immutable; any thread.
class PageDictionary {
 public:
  /// Decodes the `n` entries of a page of a column of `type`: values of that type, or the entries of a
  /// dictionary type. Invalid for damaged bytes.
  static arrow::Result<PageDictionary> Decode(const lance::encodings21::CompressiveEncoding& encoding,
                                              std::span<const uint8_t> block, uint64_t n,
                                              const LeafType& type, arrow::MemoryPool* pool);
  /// The type of the indices that `values` encodes: an unsigned integer of any width.
  static arrow::Result<LeafType> IndexType(const lance::encodings21::CompressiveEncoding& values);

  /// Appends the entry of every index, or its key when the column is a dictionary. Invalid for an index that
  /// is too large, unless its row is null (`levels` not 0; null: no row is).
  arrow::Status Gather(const arrow::ArrayData& indices, const uint16_t* levels, ColumnBuilder* out) const;

 private:
  explicit PageDictionary(std::shared_ptr<arrow::ArrayData> entries) : entries_(std::move(entries)) {}

  std::shared_ptr<arrow::ArrayData> entries_;  // without nulls
};

}  // namespace pilum
