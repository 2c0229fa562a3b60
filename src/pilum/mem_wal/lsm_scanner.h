// SPDX-License-Identifier: Apache-2.0
//
// LsmScanner: all rows, each key once. Spec: 41-memwal-read.md §8.
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

#include "pilum/exec/execution_plan.h"
#include "pilum/mem_wal/generation_reader.h"
#include "pilum/mem_wal/lsm_projection.h"
#include "pilum/mem_wal/lsm_source.h"
#include "pilum/mem_wal/primary_key.h"

namespace pilum {

class GenerationKeys;

/// Scans the base table, flushed generations and memtables as one table in which of several rows with a key
/// only the newest is seen. A builder: set options, then read. Every read captures the sources anew, once, so
/// that within one read all of it is of one instant. One thread at a time; readers and plans it makes are
/// independent of it.
class LsmScanner {
 public:
  /// @param pk_columns as for LsmPointLookupPlanner::Make.
  static arrow::Result<std::shared_ptr<LsmScanner>> Make(LsmDataSourceCollector collector,
                                                         const std::vector<std::string>& pk_columns,
                                                         std::shared_ptr<const Schema> base_schema);

  LsmScanner& WithSession(std::shared_ptr<Session> session);
  LsmScanner& WithFlushedCache(std::shared_ptr<FlushedMemTableCache> cache);

  /// The key columns are in the result in any case, after these.
  LsmScanner& Project(std::vector<std::string> columns);
  /// SQL over the table's columns; parsed at once: Invalid.
  arrow::Status Filter(const std::string& sql);
  LsmScanner& Limit(int64_t limit, std::optional<int64_t> offset = std::nullopt);
  LsmScanner& WithRowAddress();   ///< appends `_rowaddr`: real for rows of the base table, else null
  LsmScanner& WithMemtableGen();  ///< appends `_memtable_gen`: 0 for rows of the base table

  arrow::Result<PlanPtr> CreatePlan() const;
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ToReader() const;
  arrow::Result<std::shared_ptr<arrow::Table>> ToTable() const;
  arrow::Result<int64_t> CountRows() const;

 private:
  LsmScanner(LsmDataSourceCollector collector, PrimaryKey key, std::shared_ptr<const Schema> schema);

  /// A source with what the read latched of it.
  struct Input {
    LsmSource source;
    int64_t visible_rows = 0;                            // memtables
    std::shared_ptr<const GenerationReader> generation;  // flushed ones
    std::shared_ptr<GenerationKeys> keys;                // of all but the base
  };
  arrow::Result<std::vector<Input>> CaptureInputs() const;
  arrow::Result<PlanPtr> PlanInput(const Input& input, const LsmProjection& projection,
                                   std::vector<std::shared_ptr<GenerationKeys>> newer) const;
  arrow::Result<PlanPtr> ScanDataset(const std::shared_ptr<const Dataset>& dataset,
                                     const LsmProjection& projection, bool is_base) const;
  arrow::Result<LsmProjection> MakeProjection() const;

  LsmDataSourceCollector collector_;
  const PrimaryKey key_;
  const std::shared_ptr<const Schema> schema_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<FlushedMemTableCache> cache_;
  std::optional<std::vector<std::string>> columns_;
  std::optional<arrow::compute::Expression> filter_;
  std::optional<int64_t> limit_;
  int64_t offset_ = 0;
  bool with_row_address_ = false;
  bool with_memtable_gen_ = false;
};

}  // namespace pilum
