// SPDX-License-Identifier: Apache-2.0
//
// MemTable: the rows of one generation while they are in memory. Spec: 40-memwal-write.md §13, 41 §4, §5.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pilum/file/schema.h"
#include "pilum/mem_wal/arena_skiplist.h"
#include "pilum/mem_wal/batch_store.h"
#include "pilum/mem_wal/primary_key.h"
#include "pilum/table/deletion_vector.h"
#include "pilum/util/split_block_bloom_filter.h"

namespace pilum {

/// Rows of one generation: batches in insert order, the primary key index over them, and the key bloom
/// filter. The *position* of a row is its number in insert order, from 0; of two rows with one key the larger
/// position is newer.
///
/// Threads: Append by one writer at a time (under the shard's lock); Index and SetDurable by one thread at a
/// time, which may be another; everything const by any thread, without locks, as long as it holds the
/// memtable. Invariants
///   1. num_indexed() <= num_batches(), num_durable() <= num_batches(); all three only grow and count
///   exclusively.
///   2. A batch is visible when it is indexed and, where asked for, durable: num_visible() is the smaller of
///   the two,
///      computed when read, so that neither can leave a stale minimum behind.
///   3. A visible batch is in the key index whole.
class MemTable {
 public:
  struct Options {
    int64_t max_batches = 8000;
    bool visible_when_durable = true;  ///< false: when indexed
  };

  MemTable(uint64_t generation, std::shared_ptr<const Schema> schema, PrimaryKey key, const Options& options);
  MemTable(const MemTable&) = delete;
  MemTable& operator=(const MemTable&) = delete;

  // ---- the writer's side ----

  /// Publishes all batches at once; they have schema() and no null keys. False: fewer free slots than
  /// batches, nothing changed.
  bool Append(std::span<const std::shared_ptr<arrow::RecordBatch>> batches) {
    return batches_.Append(batches);
  }
  /// Puts batches [num_indexed, end) into the key index and the bloom filter, then raises num_indexed.
  arrow::Status Index(int64_t end);
  void SetDurable(int64_t end) { num_durable_.store(end, std::memory_order_release); }

  // ---- the readers' side ----

  uint64_t generation() const { return generation_; }
  const std::shared_ptr<const Schema>& schema() const { return schema_; }
  const PrimaryKey& primary_key() const { return key_; }
  const BatchStore& batches() const { return batches_; }
  int64_t num_batches() const { return batches_.num_batches(); }
  int64_t num_rows() const { return batches_.NumRowsOf(num_batches()); }
  /// Batches, index and filter.
  int64_t size_bytes() const {
    return batches_.NumBytesOf(num_batches()) + index_.size_bytes() + kBloomFilterBytes;
  }
  int64_t num_indexed() const { return num_indexed_.load(std::memory_order_acquire); }
  int64_t num_durable() const { return num_durable_.load(std::memory_order_acquire); }
  int64_t num_visible() const;
  /// Rows of the visible batches: the exclusive bound of positions a reader that starts now may see.
  int64_t visible_rows() const { return batches_.NumRowsOf(num_visible()); }

  /// Position of the newest row below `row_end` with this key (PrimaryKey::Encode), or none.
  std::optional<int64_t> FindNewest(std::string_view key, int64_t row_end) const;
  /// One row as a slice of its batch.
  std::shared_ptr<arrow::RecordBatch> Row(int64_t position) const;
  /// Positions below `row_end` of the rows that are the newest of their key, ascending. Without a key: all.
  std::vector<int64_t> NewestRows(int64_t row_end) const;

  // ---- the flush's side: what is indexed ----

  /// Positions of the rows that a newer one of the same key hides.
  DeletionVector SupersededRows() const;
  /// (key value or encoded tuple, row position) of all rows in (key, position) order: what `_pk_index` holds.
  arrow::Result<arrow::RecordBatchVector> SortedKeys(int64_t rows_per_batch) const;
  const SplitBlockBloomFilter& bloom_filter() const { return bloom_filter_; }

 private:
  static constexpr int64_t kBloomFilterBytes = 32768;

  const uint64_t generation_;
  const std::shared_ptr<const Schema> schema_;
  const PrimaryKey key_;
  const bool visible_when_durable_;
  BatchStore batches_;
  ArenaSkipList index_;
  SplitBlockBloomFilter bloom_filter_{kBloomFilterBytes};
  std::atomic<int64_t> num_indexed_{0};
  std::atomic<int64_t> num_durable_{0};
};

}  // namespace pilum
