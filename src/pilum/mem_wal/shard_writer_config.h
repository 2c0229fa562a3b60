// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "pilum/io/object_store.h"

namespace pilum {

/// How a ShardWriter works. Names and defaults are upstream's (spec 40 §9); `durability` is ours.
struct ShardWriterConfig {
  using Milliseconds = std::chrono::milliseconds;

  uint32_t shard_spec_id = 0;  ///< recorded when the shard is created
  /// Put returns when its rows are in the log. False: when they are in memory; the log follows within
  /// max_wal_flush_interval.
  bool durable_write = true;
  bool sync_indexed_write = true;  ///< no effect: rows are always indexed within Put
  int64_t max_wal_buffer_size =
      int64_t{10} << 20;  ///< bytes that are written to the log before the interval ends; 0: none
  std::optional<Milliseconds> max_wal_flush_interval = Milliseconds(100);
  int64_t max_memtable_size = int64_t{256} << 20;  ///< bytes at which a memtable is flushed
  int64_t max_memtable_rows = 100'000;             ///< no effect without vector indexes, as upstream
  int64_t max_memtable_batches = 8'000;            ///< batches at which a memtable is flushed
  int64_t manifest_scan_batch_size = 2;  ///< no effect: the latest manifest is found by its hint or a list
  /// Bytes of memtables at which Put waits for a flush.
  int64_t max_unflushed_memtable_bytes = int64_t{1} << 30;
  Milliseconds backpressure_log_interval = Milliseconds(30'000);
  int64_t async_index_buffer_rows = 10'000;                               ///< no effect
  Milliseconds async_index_interval = Milliseconds(1'000);                ///< no effect
  std::optional<Milliseconds> stats_log_interval = Milliseconds(60'000);  ///< no effect
  bool enable_memtable = true;                                            ///< false is NotImplemented

  /// What "in the log" means on local files. kProcessCrash is upstream's weaker promise.
  Durability durability = Durability::kPowerLoss;

  /// Sets the option with upstream's key from its text: `true`, decimal numbers, milliseconds. Unknown keys
  /// are ignored, as tables may carry options of later versions. Invalid names the key and the value.
  arrow::Status Set(const std::string& key, const std::string& value);
  /// All options that a table records, as text.
  std::map<std::string, std::string> ToStrings() const;
  arrow::Status Validate() const;
};

}  // namespace pilum
