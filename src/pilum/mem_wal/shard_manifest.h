// SPDX-License-Identifier: Apache-2.0
//
// A shard's manifest: who may write it, what is flushed, where replay begins. Spec: 40-memwal-write.md §7.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "pilum/io/object_store.h"
#include "pilum/mem_wal/shard_snapshot.h"
#include "pilum/util/uuid.h"
#include "pilum_proto/table.pb.h"

namespace pilum {

/// The versions of one shard's manifest. A version is an immutable file; the next number goes to whoever
/// creates it first. Holds no state; any thread.
///
/// Fencing: a writer owns the shard while the latest version holds its epoch. Claim writes a version with the
/// next epoch; from then on Update and CheckFenced of the old owner fail with kFencedWriter.
class ShardManifestStore {
 public:
  /// @param table the table's store.
  ShardManifestStore(std::shared_ptr<ObjectStore> table, const Uuid& shard_id, Durability durability);

  const Uuid& shard_id() const { return shard_id_; }

  /// None: the shard does not exist. A damaged manifest is kCorruptFile with its path.
  arrow::Result<std::optional<lance::table::ShardManifest>> ReadLatest() const;
  arrow::Result<std::optional<lance::table::ShardManifest>> Read(uint64_t version) const;

  /// Creates the shard without an owner (epoch 0) and records which rows it is for.
  /// @param field_values by field_id of the sharding spec: the raw little-endian bytes of the value. Where
  /// the shard exists: its manifest if spec and values are the same, else AlreadyExists.
  arrow::Result<lance::table::ShardManifest> Initialize(
      uint32_t spec_id, const std::map<std::string, std::string>& field_values) const;

  /// Takes the shard over, creating it with `spec_id` if need be. @return the manifest that holds our epoch.
  arrow::Result<lance::table::ShardManifest> Claim(uint32_t spec_id) const;

  /// Writes the version after the latest, as `change` makes it, again and again until the number is ours.
  /// Unknown fields of the latest are kept.
  arrow::Result<lance::table::ShardManifest> Update(
      uint64_t epoch, const std::function<void(lance::table::ShardManifest*)>& change) const;
  /// OK while the latest manifest holds no higher epoch.
  arrow::Status CheckFenced(uint64_t epoch) const;

  static ShardSnapshot ToSnapshot(const lance::table::ShardManifest& manifest, const Uuid& shard_id);

 private:
  std::string PathOf(uint64_t version) const;
  arrow::Result<uint64_t> FindLatest() const;
  /// AlreadyExists if the version is taken.
  arrow::Status Write(const lance::table::ShardManifest& manifest) const;
  arrow::Status Fenced(uint64_t epoch, uint64_t stored) const;

  const std::shared_ptr<ObjectStore> table_;
  const Uuid shard_id_;
  const std::string directory_;
  const Durability durability_;
};

}  // namespace pilum
