// SPDX-License-Identifier: Apache-2.0
//
// What a read over a table with MemWAL reads. Spec: 41-memwal-read.md §1 to §3.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/memtable.h"
#include "pilum/mem_wal/shard_snapshot.h"

namespace pilum {

class ShardWriter;

/// Rows of one generation of one shard, or the base table (generation 0, no shard).
struct LsmSource {
  enum Kind { kBaseTable, kFlushed, kMemTable };
  Kind kind = kBaseTable;
  uint64_t generation = 0;
  std::optional<Uuid> shard_id;
  std::shared_ptr<const Dataset> base;       ///< kBaseTable
  std::string path;                          ///< kFlushed: folder relative to the table
  std::shared_ptr<const MemTable> memtable;  ///< kMemTable

  /// "base" or "gen3".
  std::string GenerationName() const;
};

using MemTables = std::vector<std::shared_ptr<const MemTable>>;

/// Gathers the sources of reads: the base table, the flushed generations that snapshots list, memtables, and
/// writers whose memtables and generations are looked up at every read.
///
/// A generation is left out where the base version has it merged already, and where the same generation is in
/// memory: each is read once. Not thread safe while it is being built; then any thread.
class LsmDataSourceCollector {
 public:
  /// Reads the base table too.
  LsmDataSourceCollector(std::shared_ptr<const Dataset> base, std::vector<ShardSnapshot> snapshots);
  /// Only what is not in the base table. @param table where the base table would be.
  static LsmDataSourceCollector WithoutBaseTable(StoreLocation table, std::vector<ShardSnapshot> snapshots);

  /// The memtables of a shard, replacing those given before for it; order does not matter.
  void WithInMemoryMemTables(const Uuid& shard_id, MemTables memtables);
  /// Everything `writer` holds, as of each read. Snapshots of its shard are not needed and are ignored.
  void WithWriter(std::shared_ptr<const ShardWriter> writer);

  const std::shared_ptr<const Dataset>& base_table() const { return base_; }
  const StoreLocation& location() const { return location_; }
  const std::vector<ShardSnapshot>& shard_snapshots() const { return snapshots_; }

  /// The sources as of now, newest generation first, the base last. Invalid: a generation 0, which is the
  /// base's number.
  arrow::Result<std::vector<LsmSource>> Collect() const;
  /// The memtables as of now, those of one shard newest first.
  arrow::Status CollectMemTables(MemTables* memtables) const;
  /// Base, listed generations and memtables, before any is left out.
  int64_t num_sources() const;

 private:
  LsmDataSourceCollector() = default;

  using MergedMap = std::map<Uuid, uint64_t>;

  bool IsMerged(const Uuid& shard_id, uint64_t generation) const;  // REQUIRES: merged_.ok()

  std::shared_ptr<const Dataset> base_;
  arrow::Result<MergedMap> merged_ = MergedMap();  // of base_, which never changes
  StoreLocation location_;
  std::vector<ShardSnapshot> snapshots_;
  std::map<Uuid, MemTables> memtables_;
  std::vector<std::shared_ptr<const ShardWriter>> writers_;
};

}  // namespace pilum
