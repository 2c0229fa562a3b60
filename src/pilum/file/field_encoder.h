// SPDX-License-Identifier: Apache-2.0
//
// FieldEncoder: rows of one field to pages of its columns. Spec: 10-file.md §4, §5; 11-encodings.md §9.
#pragma once

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "pilum/encoding/encoding_options.h"
#include "pilum/encoding/level_builder.h"
#include "pilum/encoding/nesting.h"
#include "pilum/encoding/page_encoder.h"
#include "pilum/file/format_version.h"
#include "pilum_proto/file2.pb.h"

namespace pilum {

/// A page with all but its place in the file.
struct EncodedColumnPage {
  size_t column;  ///< of the field
  std::vector<PageBuffer> buffers;
  lance::file::v2::ColumnMetadata::Page page;
};

/// What some rows of a field became.
struct EncodedField {
  std::vector<EncodedColumnPage> pages;  ///< in the order they have in the file
  /// Version 2.0, per column: rows of a struct, whose column says no more.
  std::vector<int64_t> num_structs;
};

/// Encodes without knowing the file, so that many threads can do it. Immutable; any thread.
class FieldEncoder {
 public:
  /// A column of the file.
  struct Column {
    LeafColumn leaf;
    EncodingOptions options;
  };

  /// NotImplemented for types the version cannot hold.
  static arrow::Result<FieldEncoder> Make(const std::shared_ptr<arrow::Field>& field, FormatVersion version,
                                          arrow::MemoryPool* pool);

  const std::shared_ptr<arrow::Field>& field() const { return field_; }
  /// In the order they have in the file.
  const std::vector<Column>& columns() const { return columns_; }

  /// @param array rows of the field: one page of each column, or more where the levels are too many for one.
  /// @param first_row of them in the file.
  arrow::Result<EncodedField> Encode(std::shared_ptr<arrow::ArrayData> array, int64_t first_row) const;

  PageFormat format() const { return {version_ >= FormatVersion::k2_2}; }

 private:
  FieldEncoder(std::shared_ptr<arrow::Field> field, FormatVersion version, arrow::MemoryPool* pool)
      : field_(std::move(field)), version_(version), pool_(pool) {}

  /// Rows as one array, and the number of the first in the file.
  struct Rows {
    std::shared_ptr<arrow::ArrayData> array;
    int64_t first_row;
  };

  arrow::Status AddColumnsV2_0(const std::shared_ptr<arrow::Field>& field);
  arrow::Status EncodeFlat(const Rows& rows, size_t column, EncodedField* out) const;
  /// Pages of the columns from `*next` on, which are those of `array`.
  arrow::Status EncodeNestedV2_0(const std::shared_ptr<arrow::ArrayData>& array, size_t* next,
                                 EncodedField* out) const;
  /// Leaf `column` of the rows, on more than one page if its levels are too many.
  arrow::Status EncodeLeaf(const Rows& rows, const LeafArray& leaf, size_t column, EncodedField* out) const;
  arrow::Status EncodeLeafPage(const LeafArray& leaf, int64_t num_rows, int64_t first_row, size_t column,
                               EncodedField* out) const;
  arrow::Status EncodeEmptyStructs(const LeafArray& leaf, int64_t num_rows, int64_t first_row, size_t column,
                                   EncodedField* out) const;

  std::shared_ptr<arrow::Field> field_;
  FormatVersion version_;
  arrow::MemoryPool* pool_;
  std::vector<Column> columns_;
};

}  // namespace pilum
