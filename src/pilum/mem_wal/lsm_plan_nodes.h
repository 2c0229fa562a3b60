// SPDX-License-Identifier: Apache-2.0
//
// Plan nodes that read generations. Spec: 41-memwal-read.md §10.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/dataset/scanner.h"
#include "pilum/exec/execution_plan.h"
#include "pilum/mem_wal/generation_reader.h"
#include "pilum/mem_wal/lsm_source.h"
#include "pilum/mem_wal/memtable.h"

namespace pilum {

/// LanceRead: a scan of a dataset, planned before.
PlanPtr MakeDatasetScanPlan(std::shared_ptr<const Dataset> dataset, std::shared_ptr<Scanner> scanner);

/// The newest row of `memtable` below `row_end` that has the key `encoded`, as a slice of its batch, or null.
/// A memtable of a table without a primary key is searched row by row.
std::shared_ptr<arrow::RecordBatch> FindNewestRow(const MemTable& memtable, const PrimaryKey& primary_key,
                                                  std::string_view encoded, int64_t row_end);

/// BTreeIndexExec: FindNewestRow, all columns, or no row.
PlanPtr MakeMemTableLookupPlan(std::shared_ptr<const MemTable> memtable, int64_t row_end,
                               const PrimaryKey& primary_key, PrimaryKey::Scalars key);

/// Take by `_pk_index`: the newest live row of a flushed generation whose key is `key`, all its columns, or
/// no row.
PlanPtr MakeGenerationLookupPlan(std::shared_ptr<const GenerationReader> generation,
                                 std::shared_ptr<arrow::Schema> schema, PrimaryKey::Scalars key,
                                 std::shared_ptr<arrow::Scalar> index_value);

/// BloomFilterGuardExec: `child`, or without executing it nothing when the filter does not know `hash`.
PlanPtr MakeBloomFilterGuardPlan(PlanPtr child, std::shared_ptr<const SplitBlockBloomFilter> filter,
                                 uint64_t generation, uint64_t hash);

/// MemTableDedupScanExec: the rows below `row_end` that are the newest of their key and pass `filter` (bound
/// to the memtable's schema), all columns, in insert order. A newest row that fails hides its older ones.
PlanPtr MakeMemTableScanPlan(std::shared_ptr<const MemTable> memtable, int64_t row_end,
                             std::optional<arrow::compute::Expression> filter);

/// JsonTextExec: JSON as text; `child` itself if it has no JSON.
PlanPtr MakeJsonTextPlan(PlanPtr child);

/// MemtableGenTagExec: appends `_memtable_gen`.
PlanPtr MakeGenerationTagPlan(PlanPtr child, const LsmSource& source);

/// The keys of one generation, read when first asked for. Any thread.
class GenerationKeys {
 public:
  virtual ~GenerationKeys() = default;
  /// @param key PrimaryKey::Encode.
  virtual arrow::Result<bool> Contains(std::string_view key) = 0;
  virtual const std::string& name() const = 0;  ///< "gen3"
};
std::shared_ptr<GenerationKeys> MakeMemTableKeys(std::shared_ptr<const MemTable> memtable, int64_t row_end);
std::shared_ptr<GenerationKeys> MakeFlushedKeys(std::shared_ptr<const GenerationReader> generation,
                                                const PrimaryKey& key, uint64_t number);

/// PkBlockFilterExec: leaves out the rows whose key a newer generation holds, whatever it says about them.
PlanPtr MakeBlockFilterPlan(PlanPtr child, const PrimaryKey& key,
                            std::vector<std::shared_ptr<GenerationKeys>> newer);

}  // namespace pilum
