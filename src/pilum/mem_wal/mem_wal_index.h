// SPDX-License-Identifier: Apache-2.0
//
// What a table says about its MemWAL. Spec: 40-memwal-write.md §5, 41-memwal-read.md §17.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/shard_snapshot.h"
#include "pilum/mem_wal/shard_writer_config.h"
#include "pilum/util/uuid.h"
#include "pilum_proto/table.pb.h"

namespace pilum {

/// The MemWAL configuration and merge progress recorded in this version, or none if it was never initialised.
arrow::Result<std::optional<lance::table::MemWalIndexDetails>> MemWalIndexDetails(const Dataset& dataset);

/// Highest generation of each shard whose rows are in this version of the base table.
arrow::Result<std::map<Uuid, uint64_t>> MergedGenerations(const Dataset& dataset);

/// The shards in storage, ascending. Other folders and files are no shards.
arrow::Result<std::vector<Uuid>> ListMemWalLatestShardIds(const Dataset& dataset);

/// The flushed generations of a shard as its latest manifest lists them, or none if there is no such shard.
arrow::Result<std::optional<ShardSnapshot>> ReadShardSnapshot(const Dataset& dataset, const Uuid& shard_id);

/// The built-in writer options changed by the table's `writer_config_defaults`.
arrow::Result<ShardWriterConfig> DefaultShardWriterConfig(const Dataset& dataset);

/// Makes a table ready for ShardWriters by one commit. Nothing happens until Execute.
class InitializeMemWalBuilder {
 public:
  explicit InitializeMemWalBuilder(std::shared_ptr<Dataset> dataset);

  /// How rows are to be spread over shards; the last call wins, none is manual.
  InitializeMemWalBuilder& Unsharded();
  InitializeMemWalBuilder& BucketSharding(std::string column, uint32_t num_buckets);
  InitializeMemWalBuilder& IdentitySharding(std::string column);

  /// Names of indexes of the table that generations are to have as well.
  InitializeMemWalBuilder& MaintainedIndexes(std::vector<std::string> names);
  /// Records all options of `config`; AddWriterConfigDefault one by its key. Later calls win.
  InitializeMemWalBuilder& WriterConfigDefaults(const ShardWriterConfig& config);
  InitializeMemWalBuilder& AddWriterConfigDefault(std::string key, std::string value);

  /// Takes over shards that an earlier MemWAL of the table has left: their rows are live again. Without this
  /// they are an error.
  InitializeMemWalBuilder& AdoptExistingShards();

  /// Invalid: bad sharding, an index that does not exist, MemWAL is initialised already.
  /// @return the new version.
  arrow::Result<std::shared_ptr<Dataset>> Execute();

 private:
  struct Sharding {
    std::string transform;
    std::string column;
    uint32_t num_buckets = 0;
  };
  arrow::Status AddSharding(lance::table::MemWalIndexDetails* details) const;

  const std::shared_ptr<Dataset> dataset_;
  std::optional<Sharding> sharding_;
  std::vector<std::string> maintained_indexes_;
  std::map<std::string, std::string> writer_config_defaults_;
  bool adopt_existing_shards_ = false;
};

}  // namespace pilum
