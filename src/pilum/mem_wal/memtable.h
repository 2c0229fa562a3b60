// SPDX-License-Identifier: Apache-2.0
//
// MemTable: the rows of one generation while they are in memory. Spec: 40-memwal-write.md §13, 41 §4, §5.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pilum/file/schema.h"
#include "pilum/mem_wal/batch_store.h"
#include "pilum/mem_wal/primary_key.h"
#include "pilum/util/split_block_bloom_filter.h"

namespace pilum {

class PkIndex;

/// Rows of one generation: batches in insert order, the primary key index over them, and the key bloom
/// filter.
///
/// Threads: Append, Index and the watermarks' setters by one writer at a time (the shard's write lock, or its
/// WAL thread for Index and SetDurable); everything const by any thread, without locks, as long as it holds
/// the memtable. Invariants
///   1. num_indexed() <= num_batches(), num_durable() <= num_batches(); all three only grow and count
///   exclusively.
///   2. A batch is visible when it is indexed and, for a durable writer, durable:
///      num_visible() = min(num_indexed, requires_durable ? num_durable : num_batches), computed when read.
///   3. A visible batch is in the key index whole.
class MemTable {
 public:
  struct Options {
    int64_t max_batches = 8000;
    bool visible_when_durable = true;
  };
  /// @param schema that of every batch. Its primary key may be empty: then there is no key index and no
  /// dedup.
  static arrow::Result<std::shared_ptr<MemTable>> Make(uint64_t generation,
                                                       std::shared_ptr<const Schema> schema,
                                                       const Options& options);
  virtual ~MemTable() = default;

  // ---- the writer's side ----

  /// Publishes all batches at once. False: fewer free slots than batches, nothing changed.
  virtual bool Append(std::span<const std::shared_ptr<arrow::RecordBatch>> batches) = 0;
  /// Puts batches [num_indexed, end) into the key index and the bloom filter, then raises num_indexed.
  virtual arrow::Status Index(int64_t end) = 0;
  virtual void SetDurable(int64_t end) = 0;

  // ---- the readers' side ----

  virtual uint64_t generation() const = 0;
  virtual const std::shared_ptr<const Schema>& schema() const = 0;
  virtual const PrimaryKey& primary_key() const = 0;  ///< columns, encodings, hash
  virtual const BatchStore& batches() const = 0;
  virtual int64_t num_batches() const = 0;
  virtual int64_t num_rows() const = 0;
  virtual int64_t estimated_bytes() const = 0;
  virtual int64_t num_indexed() const = 0;
  virtual int64_t num_durable() const = 0;
  virtual int64_t num_visible() const = 0;
  /// Rows of the first `num_batches` batches: the exclusive row bound of a snapshot taken as num_visible().
  virtual int64_t NumRowsOf(int64_t num_batches) const = 0;

  /// Position of the newest row below `row_end` with this key, or none. @param key
  /// PrimaryKey::EncodeScalar/EncodeRow.
  virtual std::optional<int64_t> FindNewest(std::string_view key, int64_t row_end) const = 0;
  /// One row as a zero-copy slice of its batch.
  virtual std::shared_ptr<arrow::RecordBatch> Row(int64_t position) const = 0;

  /// (key value or encoded tuple, row position) of all indexed rows in (key, position) order: what
  /// `_pk_index` holds.
  virtual arrow::Result<arrow::RecordBatchVector> SortedKeys(int64_t rows_per_batch) const = 0;
  /// The bytes of bloom_filter.bin for the indexed rows, as upstream's writer fills them (40 §13.7).
  virtual const SplitBlockBloomFilter& bloom_filter() const = 0;
};

}  // namespace pilum
