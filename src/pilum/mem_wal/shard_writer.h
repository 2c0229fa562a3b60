// SPDX-License-Identifier: Apache-2.0
//
// ShardWriter: rows in, durable and visible at once. Spec: 40-memwal-write.md §10 to §17.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/generation_writer.h"
#include "pilum/mem_wal/memtable.h"
#include "pilum/mem_wal/shard_manifest.h"
#include "pilum/mem_wal/shard_snapshot.h"
#include "pilum/mem_wal/shard_writer_config.h"
#include "pilum/mem_wal/wal_log.h"

namespace pilum {

/// The generations of a shard at one instant: those in memory, newest first, and the flushed ones. Each
/// generation is in exactly one of the two.
struct ShardView {
  Uuid shard_id;
  std::vector<std::shared_ptr<const MemTable>> memtables;  ///< the first one takes writes
  ShardSnapshot flushed{Uuid()};
};

struct ShardWriterStats {
  uint64_t put_count = 0;
  uint64_t put_nanoseconds = 0;  ///< waiting for and holding the writer's lock
  uint64_t wal_flush_count = 0;
  uint64_t wal_flush_bytes = 0;
  uint64_t wal_flush_nanoseconds = 0;
  uint64_t memtable_flush_count = 0;
  uint64_t memtable_flush_rows = 0;
  uint64_t memtable_flush_nanoseconds = 0;
};

struct MemTableStats {
  int64_t num_rows = 0;
  int64_t num_batches = 0;
  int64_t size_bytes = 0;
  uint64_t generation = 0;
  int64_t num_durable_batches = 0;
  int64_t num_pending_rows = 0;  ///< not in the log yet
  int64_t num_pending_bytes = 0;
};

/// The one writer of a shard. Opening claims the shard: an older writer fails at its next append
/// (kFencedWriter).
///
/// Threads: every method, any thread. A durable Put that finds nobody writing to the log writes what all
/// waiting puts have appended as one entry (group commit, as in LevelDB); there is no thread hop between a
/// lone Put and the disk. One background thread flushes frozen memtables in order; a second one writes the
/// log for writers that do not wait for it.
///
/// Promises
///   1. When a durable Put returns OK its rows are in the log under its final name, synced as `durability`
///   says, and visible to every later read through View().
///   2. Rows become visible batch by batch of a Put's list, never a part of a batch, and not before they are
///   durable where durable_write is on.
///   3. A failed log write (after retries) poisons the writer: that Put and all later calls return the error.
///   The rows of the failed Put stay invisible here; whether the next writer finds them in the log is
///   unknown.
///   4. Generations are published in order, each with exactly the log positions that it covers; a failed
///   flush is tried again, and the memtable stays readable meanwhile.
///   5. Destroying a writer that was not closed writes nothing: the next Open replays the log.
class ShardWriter {
 public:
  /// Claims and replays `shard_id` of a table with MemWAL, creating the shard if need be.
  ///
  /// Invalid: MemWAL is not initialised, no usable primary key. NotImplemented: maintained indexes other than
  /// BTrees, column types that cannot be written yet. kCorruptFile: the log or the manifest.
  static arrow::Result<std::shared_ptr<ShardWriter>> Open(std::shared_ptr<Dataset> dataset,
                                                          const Uuid& shard_id,
                                                          const ShardWriterConfig& config);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  const Uuid& shard_id() const { return manifests_.shard_id(); }
  uint64_t epoch() const { return epoch_; }
  const std::shared_ptr<Dataset>& dataset() const { return dataset_; }
  const ShardWriterConfig& config() const { return config_; }
  const PrimaryKey& primary_key() const { return key_; }

  /// Upserts rows: of several with one key the last is the newest. All batches enter together.
  ///
  /// Invalid, and nothing has changed: no batches, an empty batch, a schema that differs from the table's,
  /// null keys, text that is not UTF-8, nulls that the table's version cannot hold, more batches than a
  /// memtable holds. Waits while too much is unflushed; if that cannot be flushed again and again, its error
  /// is returned, and nothing has changed either.
  arrow::Status Put(const arrow::RecordBatchVector& batches);
  arrow::Status Put(std::shared_ptr<arrow::RecordBatch> batch);

  /// What a reader that starts now is to see. Cheap: a pointer that changes when a memtable is frozen or
  /// flushed.
  std::shared_ptr<const ShardView> View() const;

  /// Freezes the active memtable if it has rows; WaitForFlushDrain returns when all frozen ones are
  /// generations, or with the error that keeps one from it.
  arrow::Status ForceSealActive();
  arrow::Status WaitForFlushDrain();
  /// OK while nobody else has claimed the shard.
  arrow::Status CheckFenced() const { return manifests_.CheckFenced(epoch_); }

  /// Writes the log, flushes all rows into generations and stops. The first error of any of it; again: OK.
  arrow::Status Close();

  ShardWriterStats stats() const;
  MemTableStats memtable_stats() const;

 private:
  /// A memtable and how much of it the log holds.
  struct Slot {
    std::shared_ptr<MemTable> table;
    uint64_t last_wal_position = 0;  ///< of the newest entry with rows of it
    int64_t num_pending() const { return table->num_batches() - table->num_durable(); }
    int64_t pending_bytes() const {
      return table->batches().NumBytesOf(table->num_batches()) -
             table->batches().NumBytesOf(table->num_durable());
    }
  };
  using Lock = std::unique_lock<std::mutex>;

  ShardWriter(std::shared_ptr<Dataset> dataset, const Uuid& shard_id, const ShardWriterConfig& config,
              PrimaryKey key);

  arrow::Status Start();
  arrow::Status Replay(uint64_t replay_after);
  arrow::Status ReplayEntry(uint64_t position, const WalEntry& entry);
  arrow::Status CheckLog(const WalReader& log, uint64_t replay_after, uint64_t tip) const;

  arrow::Status CheckUsable() const;      // REQUIRES: mutex_
  arrow::Status WaitForRoom(Lock& lock);  // backpressure
  arrow::Status AppendLocked(const arrow::RecordBatchVector& batches, std::shared_ptr<Slot>* slot,
                             int64_t* end);
  std::shared_ptr<Slot> NewSlot(uint64_t generation, int64_t max_batches) const;
  bool IsFullLocked() const;
  void FreezeLocked();
  void PublishViewLocked();
  int64_t UnflushedBytesLocked() const;
  int64_t PendingBytesLocked() const;  // not in the log yet

  std::shared_ptr<Slot> OldestPendingLocked() const;
  /// Writes one log entry. REQUIRES: lock held, !wal_busy_.
  arrow::Status WriteEntry(Lock& lock);
  arrow::Result<uint64_t> AppendWithRetries(const std::shared_ptr<arrow::Buffer>& bytes);
  /// Until `slot`'s first `end` batches are in the log.
  arrow::Status WaitDurable(Lock& lock, const Slot& slot, int64_t end);

  void FlushLoop();
  void LogLoop();
  struct Flush {
    ShardSnapshot flushed{Uuid()};  ///< with the new generation
    uint64_t nanoseconds = 0;
  };
  arrow::Result<Flush> FlushOne(const Slot& slot) const;
  /// The oldest frozen memtable is a generation now: readers go from one to the other at once.
  void RetireOldestLocked(Flush flush);
  /// Ends the writer with `status`, unless it has ended already.
  void PoisonLocked(const arrow::Status& status);

  const std::shared_ptr<Dataset> dataset_;
  const ShardWriterConfig config_;
  const PrimaryKey key_;
  const ShardManifestStore manifests_;
  const std::string shard_directory_;
  GenerationOptions generation_options_;
  uint64_t epoch_ = 0;
  std::unique_ptr<WalAppender> appender_;  // by whoever set wal_busy_

  mutable std::mutex mutex_;
  std::condition_variable wal_done_;    // an entry was written, or the writer is poisoned
  std::condition_variable flush_work_;  // a memtable was frozen, or stop
  std::condition_variable flush_done_;  // a generation was published or a flush has failed
  std::condition_variable log_work_;    // rows for the log of a writer that does not wait, or stop
  // GUARDED_BY(mutex_) from here on.
  std::shared_ptr<Slot> active_;
  std::deque<std::shared_ptr<Slot>> frozen_;  // oldest first
  ShardSnapshot flushed_;
  bool wal_busy_ = false;
  bool closed_ = false;
  bool stop_ = false;
  bool retry_flush_now_ = false;  // somebody waits for a flush that pauses after an error
  arrow::Status poison_;          // why the writer accepts nothing any more
  arrow::Status flush_error_;     // of the last attempt; OK again after the next one that succeeds
  int flush_failures_ = 0;        // attempts since then
  ShardWriterStats stats_;

  mutable std::mutex view_mutex_;          // alone, so that readers do not wait for Put
  std::shared_ptr<const ShardView> view_;  // GUARDED_BY(view_mutex_)

  std::thread flusher_;
  std::thread logger_;
};

}  // namespace pilum
