// SPDX-License-Identifier: Apache-2.0
//
// Scanner: filtered, projected rows of a Dataset. Spec: 20-table.md §12.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/table.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/dataset/blob.h"

namespace pilum {

inline constexpr char kRowIdColumn[] = "_rowid";
inline constexpr char kRowAddressColumn[] = "_rowaddr";
inline constexpr char kRowOffsetColumn[] = "_rowoffset";
inline constexpr char kCreatedAtVersionColumn[] = "_row_created_at_version";
inline constexpr char kLastUpdatedAtVersionColumn[] = "_row_last_updated_at_version";
bool IsSystemColumn(std::string_view name);

/// Defaults are those of pylance 8.0.0.
struct ScanOptions {
  std::optional<std::vector<std::string>> columns;  ///< none: all; system columns may be named
  std::string filter;                               ///< SQL, empty: all rows; null counts as false
  /// The same as an expression over the table's columns; rows have to pass both.
  std::optional<arrow::compute::Expression> filter_expression;
  std::optional<int64_t> limit;
  std::optional<int64_t> offset;
  int64_t batch_size = 8192;
  std::optional<int64_t> batch_size_bytes;  ///< batches of about so many bytes, however many rows
  bool with_row_id = false;                 ///< appends `_rowid`
  bool with_row_address = false;            ///< appends `_rowaddr`
  bool scan_in_order = true;
  /// Answer `column = literal` and IN by a BTree index of the table where there is one.
  bool use_scalar_index = true;
  std::optional<std::vector<uint64_t>> fragment_ids;  ///< none: all
  BlobHandling blob_handling = BlobHandling::kDescriptions;
  bool json_as_text = true;  ///< false: JSONB, as filters see it in any case
};

/// A planned scan. Immutable: ToReader may be called again and starts over with equal results.
class Scanner {
 public:
  virtual ~Scanner() = default;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  /// Batches in manifest order, at most batch_size rows or about batch_size_bytes, empty ones left out. Pages
  /// are decoded ahead on Arrow's CPU pool; small scans stay on the caller's thread.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ToReader() const = 0;
  virtual arrow::Result<std::shared_ptr<arrow::Table>> ToTable() const = 0;
  virtual arrow::Result<int64_t> CountRows() const = 0;
  virtual std::string Explain() const = 0;
};

}  // namespace pilum
