// SPDX-License-Identifier: Apache-2.0
//
// ColumnReader: the pages of one column of a file. Spec: 10-file.md §2.4.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pilum/file/format_version.h"
#include "pilum/file/page_reader.h"
#include "pilum/io/object_store.h"

namespace pilum {

/// Immutable once open but for tables of its pages, which are read when a page is read for the first time.
/// Any thread.
class ColumnReader {
 public:
  /// What one page contributes to a read.
  struct Part {
    PageReader* page;
    std::vector<RowRange> rows;  // of the page
    size_t num_tables = 0;       // that this read brings
    size_t num_buffers = 0;      // of the plan
  };

  /// Parses `metadata` (a ColumnMetadata message, at `metadata_range` of the file). The pages must hold
  /// `num_rows` rows of the table. Reads nothing.
  static arrow::Result<std::shared_ptr<ColumnReader>> Open(const ReadableObject& object,
                                                           ByteRange metadata_range,
                                                           std::span<const uint8_t> metadata,
                                                           FormatVersion version, const LeafColumn& column,
                                                           int64_t num_rows);

  /// Whether it was opened like this.
  bool Is(const LeafColumn& column, int64_t num_rows) const {
    return num_rows_ == num_rows && column_.SameAs(column);
  }
  const LeafColumn& column() const { return column_; }
  /// About what the column keeps in memory.
  int64_t memory_bytes() const { return memory_bytes_; }

  /// The pages that hold `rows` (ascending, disjoint, inside the column).
  std::vector<Part> Find(std::span<const RowRange> rows) const;
  /// The bytes that pages of `parts` want to keep in memory and have not read yet; none, mostly.
  static void AppendTables(std::span<Part> parts, std::vector<ByteRange>* bytes);
  /// Gives them to the pages; takes them off the front of `buffers`. Returns by how much memory_bytes() grew.
  arrow::Result<int64_t> InitTables(std::span<const Part> parts, Buffers* buffers);
  /// The bytes that the parts need, whose tables are there.
  static void Plan(std::span<Part> parts, std::vector<ByteRange>* bytes);
  /// Appends the rows of a plan; takes the buffers of its parts off the front of `buffers`.
  static arrow::Status Decode(std::span<const Part> parts, Buffers* buffers, ColumnBuilder* out);
  /// The same for a nested column: one piece per page.
  static arrow::Result<std::vector<NestedPiece>> DecodeNested(std::span<const Part> parts, Buffers* buffers);

 private:
  ColumnReader() = default;

  LeafColumn column_;
  int64_t num_rows_ = 0;
  int64_t page_rows_per_row_ = 1;
  std::atomic<int64_t> memory_bytes_ = 0;
  std::vector<std::unique_ptr<PageReader>> pages_;
  std::vector<int64_t> first_rows_;  // of each page, and the row behind the last; in rows of pages
};

/// What one read needs of one column of the file.
struct ColumnPlan {
  std::shared_ptr<ColumnReader> column;  // keeps the pages of the parts alive
  std::vector<ColumnReader::Part> parts;
};

}  // namespace pilum
