// SPDX-License-Identifier: Apache-2.0
//
// Pages of version 0.1: plain values, with nothing but a position and a length to find them by. What they
// are, only the type of their field tells; nulls are not among them. Spec: 10-file.md §10.
//
//   fixed width    position -> values side by side (booleans: bits; vectors: their items)
//   strings        position -> length + 1 i64: where in the file each text begins, and the last one ends
//   dictionary     position -> keys; the entries lie elsewhere in the file, as a page of their own
//   lists          position -> i32 or i64 offsets into the page of the items, one more than lists
//   null           no bytes
#pragma once

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "pilum/encoding/leaf_type.h"
#include "pilum/file/row_range.h"
#include "pilum/io/object_store.h"

namespace pilum {

/// Rows of one page. The reader checks that page and rows fit the file and each other.
struct LegacyPart {
  int64_t position = 0;  ///< of the page in the file
  int64_t length = 0;    ///< values of the page; for lists their offsets
  RowRange rows;         ///< not empty
};

/// Lists as offsets, and the items of each part in the page below.
struct LegacyLists {
  std::vector<int64_t> offsets{0};
  std::vector<RowRange> items;
};

/// Reads pages of one file. Bytes are untrusted: damage is IOError (kCorruptFile). Nothing is cached; any
/// thread.
class LegacyPageReader {
 public:
  LegacyPageReader(ReadableObject* object, arrow::MemoryPool* pool) : object_(object), pool_(pool) {}

  /// The rows of all parts, one after another. @param nullable whether an empty string is a null: a null is
  /// stored as one, and that is all that is left of it. @param entries for dictionaries.
  arrow::Result<std::shared_ptr<arrow::ArrayData>> ReadLeaf(const LeafType& type, bool nullable,
                                                            const std::shared_ptr<arrow::ArrayData>& entries,
                                                            std::span<const LegacyPart> parts) const;

  /// @param offset_bits 32 or 64.
  arrow::Result<LegacyLists> ReadLists(int offset_bits, std::span<const LegacyPart> parts) const;

 private:
  arrow::Status Corrupt(int64_t offset, std::string_view what) const;
  arrow::Result<ByteRange> BytesOf(const LegacyPart& part, int64_t bits) const;
  arrow::Result<RangeBytes> Read(const std::vector<ByteRange>& ranges) const;
  arrow::Result<std::shared_ptr<arrow::ArrayData>> ReadFixed(const LeafType& type,
                                                             const std::shared_ptr<arrow::ArrayData>& entries,
                                                             std::span<const LegacyPart> parts) const;
  arrow::Result<std::shared_ptr<arrow::ArrayData>> ReadStrings(const LeafType& type, bool nullable,
                                                               std::span<const LegacyPart> parts) const;

  ReadableObject* const object_;
  arrow::MemoryPool* const pool_;
};

}  // namespace pilum
