// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/mem_wal_index.h"

#include <algorithm>

#include "pilum/mem_wal/shard_manifest.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/util/error.h"

namespace pilum {

arrow::Result<std::optional<lance::table::MemWalIndexDetails>> MemWalIndexDetails(const Dataset& dataset) {
  const auto* index = dataset.manifest().FindIndex(kMemWalIndexName);
  if (index == nullptr) return std::nullopt;
  const auto& any = index->index_details();
  if (!any.type_url().ends_with("MemWalIndexDetails")) {
    return arrow::Status::Invalid("index ", kMemWalIndexName, " of ", dataset.uri(), " has details of type '",
                                  any.type_url(), "'");
  }
  lance::table::MemWalIndexDetails details;
  if (!details.ParseFromString(any.value())) {
    return CorruptFile(dataset.uri(), -1,
                       "the details of index " + std::string(kMemWalIndexName) + " do not parse");
  }
  return details;
}

arrow::Result<std::map<Uuid, uint64_t>> MergedGenerations(const Dataset& dataset) {
  std::map<Uuid, uint64_t> merged;
  ARROW_ASSIGN_OR_RAISE(const auto details, MemWalIndexDetails(dataset));
  if (!details) return merged;
  for (const auto& generation : details->merged_generations()) {
    const auto shard = Uuid::FromBytes(generation.shard_id().uuid());
    if (!shard) return CorruptFile(dataset.uri(), -1, "a merged generation without a shard id");
    merged[*shard] = std::max(merged[*shard], generation.generation());
  }
  return merged;
}

arrow::Result<std::vector<Uuid>> ListMemWalLatestShardIds(const Dataset& dataset) {
  ARROW_ASSIGN_OR_RAISE(const Listing listing, dataset.store()->List(kMemWalDirectory));
  std::vector<Uuid> shards;
  for (const std::string& name : listing.directories) {
    if (const auto shard = Uuid::Parse(name)) shards.push_back(*shard);
  }
  std::sort(shards.begin(), shards.end());
  return shards;
}

arrow::Result<std::optional<ShardSnapshot>> ReadShardSnapshot(const Dataset& dataset, const Uuid& shard_id) {
  const ShardManifestStore manifests(dataset.store(), shard_id, Durability::kProcessCrash);
  ARROW_ASSIGN_OR_RAISE(const auto latest, manifests.ReadLatest());
  if (!latest) return std::nullopt;
  return ShardManifestStore::ToSnapshot(*latest, shard_id);
}

arrow::Result<ShardWriterConfig> DefaultShardWriterConfig(const Dataset& dataset) {
  ShardWriterConfig config;
  ARROW_ASSIGN_OR_RAISE(const auto details, MemWalIndexDetails(dataset));
  if (!details) return config;
  for (const auto& [key, value] : details->writer_config_defaults())
    ARROW_RETURN_NOT_OK(config.Set(key, value));
  return config;
}

}  // namespace pilum
