// SPDX-License-Identifier: Apache-2.0
#include "cli/mem_wal_commands.h"

#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_manifest.h"
#include "pilum/mem_wal/wal_log.h"

namespace pilum::cli {

namespace {

void PrintDetails(const lance::table::MemWalIndexDetails& details, std::ostream& out) {
  out << "shards planned  " << details.num_shards() << '\n';
  for (const auto& spec : details.sharding_specs()) {
    for (const auto& field : spec.fields()) out << "sharding        " << field.transform() << '\n';
  }
  for (const auto& name : details.maintained_indexes()) out << "maintained      " << name << '\n';
}

arrow::Status PrintGenerations(const ShardSnapshot& snapshot, std::ostream& out) {
  out << snapshot.shard_id().ToString();
  for (const auto& flushed : snapshot.flushed_generations())
    out << ' ' << flushed.generation << '=' << flushed.path;
  out << '\n';
  return arrow::Status::OK();
}

arrow::Status PrintShard(const Dataset& dataset, const Uuid& shard, uint64_t merged, bool generations_only,
                         std::ostream& out) {
  const ShardManifestStore manifests(dataset.store(), shard, Durability::kProcessCrash);
  ARROW_ASSIGN_OR_RAISE(const auto manifest, manifests.ReadLatest());
  if (!manifest) return arrow::Status::OK();
  const ShardSnapshot snapshot = ShardManifestStore::ToSnapshot(*manifest, shard);
  if (generations_only) return PrintGenerations(snapshot, out);
  const uint64_t replay_after = manifest->replay_after_wal_entry_position();
  ARROW_ASSIGN_OR_RAISE(const uint64_t tip, WalReader(dataset.store(), shard).FindTip(replay_after));
  out << "shard           " << shard.ToString() << '\n'
      << "  epoch         " << manifest->writer_epoch() << " (manifest version " << manifest->version()
      << ")\n"
      << "  generation    " << manifest->current_generation() << " takes writes\n"
      << "  log           " << tip - replay_after - 1 << " entries to replay after position " << replay_after
      << '\n';
  for (const auto& flushed : snapshot.flushed_generations()) {
    out << "  flushed       " << flushed.generation << " in " << flushed.path
        << (flushed.generation <= merged ? ", merged into the base table" : "") << '\n';
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status MemWalStatus(const TableArguments& table, bool generations_only, std::ostream& out) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, Open(table));
  ARROW_ASSIGN_OR_RAISE(const auto details, MemWalIndexDetails(*dataset));
  if (!details) {
    if (!generations_only) out << "MemWAL is not initialised\n";
    return arrow::Status::OK();
  }
  if (!generations_only) PrintDetails(*details, out);
  ARROW_ASSIGN_OR_RAISE(auto merged, MergedGenerations(*dataset));
  ARROW_ASSIGN_OR_RAISE(const auto shards, ListMemWalLatestShardIds(*dataset));
  for (const Uuid& shard : shards) {
    ARROW_RETURN_NOT_OK(PrintShard(*dataset, shard, merged[shard], generations_only, out));
  }
  return arrow::Status::OK();
}

}  // namespace pilum::cli
