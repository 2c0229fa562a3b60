// SPDX-License-Identifier: Apache-2.0
//
// LsmPointLookupPlanner: the newest row of a key. Spec: 41-memwal-read.md §9.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/scalar.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pilum/exec/execution_plan.h"
#include "pilum/mem_wal/generation_reader.h"
#include "pilum/mem_wal/lsm_projection.h"
#include "pilum/mem_wal/lsm_source.h"

namespace pilum {

/// Finds rows by primary key in memtables, flushed generations and the base table, newest first.
///
/// Lookup is a cascade without a plan: skip list of each memtable; of each generation the bloom filter, then
/// `_pk_index`, then one row; then the base by its BTree on the key or, without one, a scan. It stays on the
/// caller's thread but for that scan, takes no lock that a writer holds, and in a memtable allocates only its
/// result. PlanLookup gives the same answer as a plan that can be printed.
///
/// Threads: the With... methods before the first read; everything else any thread.
class LsmPointLookupPlanner {
 public:
  using Scalars = PrimaryKey::Scalars;
  using Columns = std::optional<std::vector<std::string>>;
  /// Called with the path of each generation as it is opened.
  using GenerationWarmer = std::function<void(const std::string& path)>;

  /// @param pk_columns empty: the primary key of the schema; a schema without one takes any columns. Invalid
  /// for others than a primary key that there is, for none at all, and for types that cannot be a key.
  static arrow::Result<std::shared_ptr<LsmPointLookupPlanner>> Make(
      LsmDataSourceCollector collector, const std::vector<std::string>& pk_columns,
      std::shared_ptr<const Schema> base_schema);

  /// Where open files and indexes are kept; the base table's session if there is one.
  LsmPointLookupPlanner& WithSession(std::shared_ptr<Session> session);
  /// Open generations to share with other planners; without it the planner keeps its own.
  LsmPointLookupPlanner& WithFlushedCache(std::shared_ptr<FlushedMemTableCache> cache);
  LsmPointLookupPlanner& WithWarmer(GenerationWarmer warmer);
  /// A filter for a generation, instead of the one in its folder. Used only where the key's types can be told
  /// apart by it (PrimaryKey::bloom_filter_is_usable). A generation that is no source may have one.
  LsmPointLookupPlanner& WithBloomFilter(const Uuid& shard_id, uint64_t generation,
                                         SplitBlockBloomFilter filter);
  LsmPointLookupPlanner& WithBloomFilters(
      std::vector<std::pair<std::pair<Uuid, uint64_t>, SplitBlockBloomFilter>> filters);

  const PrimaryKey& primary_key() const { return key_; }
  const std::shared_ptr<const Schema>& base_schema() const { return schema_; }

  /// @param values one per key column, in key order, of any type that can become the column's: others match
  /// nothing.
  /// @param columns of the result, which has the key columns in any case; system columns may be named and are
  /// null but for
  ///   `_rowid` and `_rowaddr` of rows of the base table. None: all.
  arrow::Result<PlanPtr> PlanLookup(const Scalars& values, const Columns& columns = std::nullopt) const;

  /// The row as a batch of one, or null.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Lookup(const Scalars& values,
                                                            const Columns& columns = std::nullopt) const;
  /// The same into columns that were resolved before.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Lookup(const Scalars& values,
                                                            const LsmProjection& projection) const;
  arrow::Result<LsmProjection> NewProjection(const Columns& columns) const;

  /// The rows of those keys that have one, in the order of `keys`; a repeated key gives a repeated row.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> LookupMany(const std::vector<Scalars>& keys,
                                                                const Columns& columns = std::nullopt) const;
  /// Runs LookupMany now and wraps the rows as a plan.
  arrow::Result<PlanPtr> PlanPointLookup(const std::vector<Scalars>& keys,
                                         const Columns& columns = std::nullopt) const;

 private:
  LsmPointLookupPlanner(LsmDataSourceCollector collector, PrimaryKey key,
                        std::shared_ptr<const Schema> schema, LsmProjection all);

  arrow::Result<std::shared_ptr<const GenerationReader>> OpenGeneration(const std::string& path) const;
  const SplitBlockBloomFilter* FilterOf(const LsmSource& source, const GenerationReader* reader) const;
  /// The value to look for in `_pk_index`.
  std::shared_ptr<arrow::Scalar> IndexValue(const Scalars& key, std::string_view encoded) const;
  /// Key columns equal to `key`.
  arrow::compute::Expression KeyFilter(const Scalars& key) const;

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> LookupOnDisk(const Scalars& key,
                                                                  std::string_view encoded,
                                                                  const LsmProjection& projection) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> LookupFlushed(const LsmSource& source,
                                                                   const Scalars& key,
                                                                   const arrow::Scalar& index_value,
                                                                   uint64_t bloom_hash,
                                                                   const LsmProjection& projection) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> LookupBase(const Scalars& key,
                                                                const LsmProjection& projection) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ScanFirst(
      const Dataset& dataset, const Scalars& key, const LsmProjection& projection, bool is_base,
      std::optional<std::vector<uint64_t>> fragments) const;
  arrow::Result<PlanPtr> PlanSource(const LsmSource& source, const Scalars& key, std::string_view encoded,
                                    const LsmProjection& projection) const;

  LsmDataSourceCollector collector_;
  const PrimaryKey key_;
  const std::shared_ptr<const Schema> schema_;
  const LsmProjection all_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<FlushedMemTableCache> cache_;
  GenerationWarmer warmer_;
  std::map<std::pair<Uuid, uint64_t>, SplitBlockBloomFilter> bloom_filters_;
};

}  // namespace pilum
