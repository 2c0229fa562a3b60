// SPDX-License-Identifier: Apache-2.0
//
// The log of one shard: entries at positions 1, 2, 3, ... Spec: 40-memwal-write.md §8.
#pragma once

#include <arrow/buffer.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/io/object_store.h"
#include "pilum/mem_wal/shard_manifest.h"
#include "pilum/mem_wal/wal_entry.h"

namespace pilum {

/// Reads a log. Holds no state; any thread.
class WalReader {
 public:
  WalReader(std::shared_ptr<ObjectStore> table, const Uuid& shard_id);

  /// None if there is no entry at `position`.
  arrow::Result<std::optional<WalEntry>> Read(uint64_t position) const;
  /// Positions of all entries, ascending. Files with other names are no entries.
  arrow::Result<std::vector<uint64_t>> List() const;
  /// The first position above `after` without an entry.
  arrow::Result<uint64_t> FindTip(uint64_t after) const;

  std::string PathOf(uint64_t position) const;

 private:
  const std::shared_ptr<ObjectStore> table_;
  const std::string directory_;
};

/// Appends entries for one writer epoch. One thread at a time.
class WalAppender {
 public:
  /// @param next the position to try first.
  WalAppender(std::shared_ptr<ObjectStore> table, const ShardManifestStore* manifests, uint64_t epoch,
              uint64_t next, Durability durability);

  /// Writes `bytes` at the next free position and returns it. Where another has written there first:
  /// kFencedWriter if a higher epoch owns the shard. After any other error the outcome is unknown; a repeated
  /// call with the same bytes finds them if they are there.
  arrow::Result<uint64_t> Append(const std::shared_ptr<arrow::Buffer>& bytes);

  uint64_t next_position() const { return next_; }

 private:
  arrow::Result<bool> IsOurs(const std::string& path, const arrow::Buffer& bytes) const;

  const std::shared_ptr<ObjectStore> table_;
  const WalReader reader_;
  const ShardManifestStore* const manifests_;
  const uint64_t epoch_;
  const Durability durability_;
  uint64_t next_;
  bool outcome_unknown_ = false;  // of the last attempt at next_
};

}  // namespace pilum
