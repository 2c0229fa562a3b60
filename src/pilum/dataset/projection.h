// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "pilum/dataset/blob.h"
#include "pilum/file/format_version.h"
#include "pilum/file/schema.h"

namespace pilum {

/// The columns a read produces, in order: fields of the table and system columns. Immutable; any thread.
class Projection {
 public:
  struct Column {
    enum Kind { kField, kRowId, kRowAddress };
    Kind kind = kField;
    const SchemaField* field = nullptr;  ///< kField: a top-level field of the table's schema
    /// kField: what to read from a data file, blobs as descriptions or, those of version 1, as bytes.
    std::shared_ptr<arrow::Field> stored;
    bool wants_blob_bytes = false;  ///< `stored` has descriptions whose values are to be read
    /// kField: ids of the nodes of the field that own a column of a data file, in column order.
    std::vector<int32_t> column_ids;
  };

  /// @param version of the table's data files. @param blobs what to show of blob columns.
  /// @param names top-level columns and `_rowid`, `_rowaddr`. Invalid for an unknown or repeated name,
  /// NotImplemented
  ///   for the other system columns.
  static arrow::Result<std::shared_ptr<const Projection>> Make(
      std::shared_ptr<const Schema> table, FormatVersion version, const std::vector<std::string>& names,
      BlobHandling blobs = BlobHandling::kDescriptions);
  /// All fields of the table.
  static arrow::Result<std::shared_ptr<const Projection>> All(
      std::shared_ptr<const Schema> table, FormatVersion version,
      BlobHandling blobs = BlobHandling::kDescriptions);

  /// `field` as a read shows it.
  static std::shared_ptr<arrow::Field> Shown(const std::shared_ptr<arrow::Field>& field, BlobHandling blobs);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  const std::vector<Column>& columns() const { return columns_; }
  bool Has(const std::string& name) const { return schema_->GetFieldIndex(name) >= 0; }

 private:
  std::shared_ptr<const Schema> table_;  // owns the fields
  std::vector<Column> columns_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace pilum
