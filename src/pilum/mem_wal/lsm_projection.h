// SPDX-License-Identifier: Apache-2.0
//
// The columns of a read over all generations. Spec: 41-memwal-read.md §11.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/mem_wal/primary_key.h"

namespace pilum {

/// Columns asked for, then the key columns that were not. Immutable; any thread.
class LsmProjection {
 public:
  /// @param columns none: all of `schema`. System columns may be named; "_distance" is dropped. Invalid for
  /// unknown
  ///   ("No field named ...") and repeated ("Duplicate column name: ...") columns.
  static arrow::Result<LsmProjection> Make(const std::shared_ptr<arrow::Schema>& schema,
                                           const PrimaryKey& key,
                                           const std::optional<std::vector<std::string>>& columns);

  /// Of the rows in plans; JSON is JSONB, system columns are nullable uint64.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  /// The table's columns among them, in order.
  const std::vector<std::string>& table_columns() const { return table_columns_; }
  bool has_system_columns() const {
    return table_columns_.size() < static_cast<size_t>(schema_->num_fields());
  }
  bool Has(const std::string& name) const { return schema_->GetFieldIndex(name) >= 0; }

  /// Rows of one source under schema(): columns by name, those `batch` does not have null.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Apply(
      const std::shared_ptr<arrow::RecordBatch>& batch) const;

  /// Of the rows a caller gets: JSON is text.
  const std::shared_ptr<arrow::Schema>& shown_schema() const { return shown_schema_; }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Show(
      const std::shared_ptr<arrow::RecordBatch>& batch) const;

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::Schema> shown_schema_;
  std::vector<std::string> table_columns_;
};

}  // namespace pilum
