// SPDX-License-Identifier: Apache-2.0
//
// Nested columns of version 2.0: every node of a type has a column of its own. Those of lists hold where the
// items of each row end, those of structs nothing; items are rows of the columns below. Spec: 10-file.md
// §9.4, §9.5.
#pragma once

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "pilum/file/column_reader.h"
#include "pilum/file/file_projection.h"
#include "pilum/file/footer.h"
#include "pilum/file/page_reader.h"
#include "pilum/io/object_store.h"
#include "pilum_proto/encodings_v2_0.pb.h"

namespace pilum {

/// Reads fields of a projection of one file. Each list takes a round of reads of its own: where items are,
/// only the ends say. Any thread.
class NestedReaderV2_0 {
 public:
  /// The pages of a column of `num_rows` that hold `rows`, with their tables.
  using FindRows = std::function<arrow::Result<ColumnPlan>(int32_t column, const LeafColumn& leaf,
                                                           int64_t num_rows, std::span<const RowRange> rows)>;

  NestedReaderV2_0(ReadableObject* object, const FileTail& tail, const FileProjection& projection,
                   FindRows find, arrow::MemoryPool* pool)
      : object_(object), tail_(tail), projection_(projection), find_(std::move(find)), pool_(pool) {}

  /// Rows `rows` (ascending, disjoint) of a field whose columns hold `num_rows`. Takes the columns of the
  /// field off the front of `columns`.
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Read(const std::shared_ptr<arrow::Field>& field,
                                                        int64_t num_rows, std::span<const RowRange> rows,
                                                        std::span<const int32_t>* columns) const;

 private:
  /// The lists of some rows.
  struct Lists {
    std::vector<int64_t> offsets{0};
    std::vector<bool> valid;
    int64_t null_count = 0;
    std::vector<RowRange> items;  // of the column below
    int64_t num_items = 0;        // all that the column below holds

    /// Adds a list of these items. Those of a null list are not read: a writer may leave anything there.
    void Append(RowRange list, bool is_valid) {
      valid.push_back(is_valid);
      null_count += !is_valid;
      if (!is_valid) list.end = list.begin;
      offsets.push_back(offsets.back() + list.size());
      if (list.size() == 0) return;
      if (!items.empty() && items.back().end == list.begin) {
        items.back().end = list.end;
      } else {
        items.push_back(list);
      }
    }
  };

  /// The next column, which the file has.
  arrow::Result<int32_t> TakeColumn(std::span<const int32_t>* columns) const;
  ByteRange MetadataOf(int32_t column) const { return tail_.columns[static_cast<size_t>(column)]; }
  arrow::Result<Lists> ReadLists(ByteRange column, int64_t num_rows, std::span<const RowRange> rows) const;
  arrow::Result<std::shared_ptr<arrow::ArrayData>> ReadLeaf(const std::shared_ptr<arrow::Field>& field,
                                                            int32_t column, int64_t num_rows,
                                                            std::span<const RowRange> rows) const;

  ReadableObject* const object_;
  const FileTail& tail_;
  const FileProjection& projection_;
  const FindRows find_;
  arrow::MemoryPool* const pool_;
};

/// The page of a list column, and the items it spans, those of null lists included.
struct EncodedListsV2_0 {
  std::shared_ptr<arrow::Buffer> ends;
  lance::encodings::ArrayEncoding encoding;
  std::shared_ptr<arrow::ArrayData> items;
};

/// For a list or a large list.
EncodedListsV2_0 EncodeListsV2_0(const arrow::ArrayData& array);

}  // namespace pilum
