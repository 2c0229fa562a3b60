// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pilum/dataset/blob.h"
#include "pilum/file/file_projection.h"
#include "pilum/file/format_version.h"
#include "pilum/file/schema.h"

namespace pilum {

/// How a read shows what is asked for by a path into a nested column, such as "s.x".
enum class NestedNames {
  kFlat,    ///< scans: as a column of that name, null where the struct is
  kPruned,  ///< takes: as the nested column with only the children asked for
};

/// The columns a read produces, in order: fields of the table or parts of them, and system columns.
/// Immutable; any thread.
class Projection {
 public:
  /// What is read, once, however many outputs it has.
  struct Column {
    enum Kind { kField, kRowId, kRowAddress };
    Kind kind = kField;
    /// kField: a top-level field of the table, without the children that nobody asks for.
    std::shared_ptr<arrow::Field> field;
    /// kField: what to read from a data file, blobs as descriptions or, those of version 1, as bytes.
    std::shared_ptr<arrow::Field> stored;
    std::shared_ptr<arrow::Field> shown;  ///< `field` as a read shows it
    bool wants_blob_bytes = false;        ///< `stored` has descriptions whose values are to be read
    /// kField: ids of the nodes of the field that own a column of a data file, in column order.
    std::vector<int32_t> column_ids;
    std::map<int32_t, FileProjection::PackedPart> packed_parts;  ///< by id
  };
  /// A column of the result.
  struct Output {
    size_t column = 0;      ///< it is this one,
    std::vector<int> path;  ///< or what these children of it, one below the other, lead to
  };

  /// @param version of the table's data files. @param blobs what to show of blob columns.
  /// @param names of columns, paths into nested ones, `_rowid`, `_rowaddr`. Invalid for an unknown or
  /// repeated name, and for a flat one inside a list; NotImplemented for the other system columns.
  static arrow::Result<std::shared_ptr<const Projection>> Make(
      std::shared_ptr<const Schema> table, FormatVersion version, const std::vector<std::string>& names,
      BlobHandling blobs = BlobHandling::kDescriptions, NestedNames nested = NestedNames::kPruned);
  /// All fields of the table.
  static arrow::Result<std::shared_ptr<const Projection>> All(
      std::shared_ptr<const Schema> table, FormatVersion version,
      BlobHandling blobs = BlobHandling::kDescriptions);

  /// `field` as a read shows it.
  static std::shared_ptr<arrow::Field> Shown(const std::shared_ptr<arrow::Field>& field, BlobHandling blobs);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// As users see it: JSON is text.
  const std::shared_ptr<arrow::Schema>& shown_schema() const { return shown_schema_; }
  const std::vector<Column>& columns() const { return columns_; }
  /// One for each field of the schema.
  const std::vector<Output>& outputs() const { return outputs_; }
  bool Has(const std::string& name) const { return schema_->GetFieldIndex(name) >= 0; }

 private:
  std::vector<Column> columns_;
  std::vector<Output> outputs_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::Schema> shown_schema_;
};

}  // namespace pilum
