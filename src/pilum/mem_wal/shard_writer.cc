// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/shard_writer.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "pilum/mem_wal/conform_batch.h"
#include "pilum/mem_wal/row_validation.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kLogRetries = 3;
constexpr milliseconds kFirstLogRetry(50);
constexpr int kFlushRetries = 3;  // that a put waits for
constexpr milliseconds kFirstFlushRetry(500);
constexpr milliseconds kLastFlushRetry(600'000);

uint64_t NanosecondsSince(Clock::time_point start) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

/// To the standard error stream: the output is the program's. Whoever registers a logger "pilum" gets it
/// instead.
spdlog::logger& Log() {
  static const auto logger = spdlog::get("pilum") ? spdlog::get("pilum") : spdlog::stderr_color_mt("pilum");
  return *logger;
}

/// What a wait can be told: it counts nanoseconds, and larger numbers would overflow.
milliseconds Bounded(milliseconds interval) {
  return std::min<milliseconds>(interval, std::chrono::hours(24));
}

}  // namespace

ShardWriter::ShardWriter(std::shared_ptr<Dataset> dataset, const Uuid& shard_id,
                         const ShardWriterConfig& config, PrimaryKey key)
    : dataset_(std::move(dataset)),
      config_(config),
      key_(std::move(key)),
      manifests_(dataset_->store(), shard_id, config.durability),
      shard_directory_(ShardDirectory(shard_id)),
      flushed_(shard_id) {}

ShardWriter::~ShardWriter() {
  {
    Lock lock(mutex_);
    stop_ = true;
    closed_ = true;
  }
  flush_work_.notify_all();
  flush_done_.notify_all();
  log_work_.notify_all();
  if (flusher_.joinable()) flusher_.join();
  if (logger_.joinable()) logger_.join();
}

// ---- put ----

arrow::Status ShardWriter::Put(std::shared_ptr<arrow::RecordBatch> batch) {
  return Put(arrow::RecordBatchVector{std::move(batch)});
}

arrow::Status ShardWriter::Put(const arrow::RecordBatchVector& batches) {
  if (batches.empty()) return arrow::Status::Invalid("Cannot write an empty list of batches");
  arrow::RecordBatchVector conformed;
  conformed.reserve(batches.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    if (batches[i]->num_rows() == 0) return arrow::Status::Invalid("Batch ", i, " is empty");
    auto batch =
        ConformToSchema(batches[i], dataset_->lance_schema()->arrow(), generation_options_.data_version);
    if (!batch.ok()) return Annotate(batch.status(), "Batch " + std::to_string(i) + " ");
    ARROW_RETURN_NOT_OK(key_.ColumnsOf(**batch).status());
    const auto text = ValidateText(**batch);
    if (!text.ok()) return Annotate(text, "Batch " + std::to_string(i) + " ");
    conformed.push_back(*std::move(batch));
  }
  const auto start = Clock::now();
  Lock lock(mutex_);
  ARROW_RETURN_NOT_OK(WaitForRoom(lock));
  std::shared_ptr<Slot> slot;
  int64_t end = 0;
  ARROW_RETURN_NOT_OK(AppendLocked(conformed, &slot, &end));
  ++stats_.put_count;
  stats_.put_nanoseconds += NanosecondsSince(start);
  if (config_.durable_write) return WaitDurable(lock, *slot, end);
  log_work_.notify_one();
  return arrow::Status::OK();
}

arrow::Status ShardWriter::CheckUsable() const {
  if (!poison_.ok()) return poison_;
  if (closed_) return arrow::Status::IOError("ShardWriter is already closed");
  return arrow::Status::OK();
}

int64_t ShardWriter::UnflushedBytesLocked() const {
  int64_t bytes = active_->table->size_bytes();
  for (const auto& slot : frozen_) bytes += slot->table->size_bytes();
  return bytes;
}

int64_t ShardWriter::PendingBytesLocked() const {
  int64_t bytes = active_->pending_bytes();
  for (const auto& slot : frozen_) bytes += slot->pending_bytes();
  return bytes;
}

void ShardWriter::PoisonLocked(const arrow::Status& status) {
  if (!poison_.ok()) return;
  poison_ = status;
  wal_done_.notify_all();
  flush_done_.notify_all();
}

arrow::Status ShardWriter::WaitForRoom(Lock& lock) {
  ARROW_RETURN_NOT_OK(CheckUsable());
  while (UnflushedBytesLocked() >= config_.max_unflushed_memtable_bytes) {
    if (frozen_.empty()) {
      if (active_->table->num_rows() == 0) break;  // an empty memtable alone is over the limit
      FreezeLocked();
    }
    if (flush_failures_ > kFlushRetries && !flush_error_.ok()) {
      retry_flush_now_ = true;  // a later put finds room if the cause has gone
      flush_work_.notify_all();
      return Annotate(flush_error_,
                      "put into shard " + shard_id().ToString() + " waits for a flush that fails: ");
    }
    if (flush_done_.wait_for(lock, Bounded(config_.backpressure_log_interval)) == std::cv_status::timeout) {
      Log().warn("shard {}: put waits for a flush, {} bytes are unflushed", shard_id().ToString(),
                 UnflushedBytesLocked());
    }
    ARROW_RETURN_NOT_OK(CheckUsable());
  }
  return arrow::Status::OK();
}

arrow::Status ShardWriter::AppendLocked(const arrow::RecordBatchVector& batches, std::shared_ptr<Slot>* slot,
                                        int64_t* end) {
  if (!active_->table->Append(batches)) {
    if (static_cast<int64_t>(batches.size()) > config_.max_memtable_batches) {
      return arrow::Status::Invalid(batches.size(), " batches in one put, a memtable holds ",
                                    config_.max_memtable_batches);
    }
    FreezeLocked();
    active_->table->Append(batches);
  }
  *slot = active_;
  *end = active_->table->num_batches();
  if (const auto status = active_->table->Index(*end); !status.ok()) {
    PoisonLocked(status);
    return status;
  }
  if (IsFullLocked()) FreezeLocked();
  return arrow::Status::OK();
}

std::shared_ptr<ShardWriter::Slot> ShardWriter::NewSlot(uint64_t generation, int64_t max_batches) const {
  MemTable::Options options;
  options.max_batches = max_batches;
  options.visible_when_durable = config_.durable_write;
  auto slot = std::make_shared<Slot>();
  slot->table = std::make_shared<MemTable>(generation, dataset_->lance_schema(), key_, options);
  return slot;
}

bool ShardWriter::IsFullLocked() const {
  return active_->table->num_batches() >= config_.max_memtable_batches ||
         active_->table->size_bytes() >= config_.max_memtable_size;
}

void ShardWriter::FreezeLocked() {
  auto next = NewSlot(active_->table->generation() + 1, config_.max_memtable_batches);
  frozen_.push_back(std::move(active_));
  active_ = std::move(next);
  PublishViewLocked();
  flush_work_.notify_one();
}

void ShardWriter::PublishViewLocked() {
  auto view = std::make_shared<ShardView>();
  view->shard_id = shard_id();
  view->memtables.push_back(active_->table);
  for (auto it = frozen_.rbegin(); it != frozen_.rend(); ++it) view->memtables.push_back((*it)->table);
  view->flushed = flushed_;
  view->flushed.with_current_generation(active_->table->generation());
  std::lock_guard lock(view_mutex_);
  view_ = std::move(view);
}

std::shared_ptr<const ShardView> ShardWriter::View() const {
  std::lock_guard lock(view_mutex_);
  return view_;
}

// ---- the log ----

std::shared_ptr<ShardWriter::Slot> ShardWriter::OldestPendingLocked() const {
  for (const auto& slot : frozen_) {
    if (slot->num_pending() > 0) return slot;
  }
  return active_->num_pending() > 0 ? active_ : nullptr;
}

arrow::Status ShardWriter::WaitDurable(Lock& lock, const Slot& slot, int64_t end) {
  while (slot.table->num_durable() < end) {
    ARROW_RETURN_NOT_OK(poison_);
    if (wal_busy_) {
      wal_done_.wait(lock);
    } else {
      ARROW_RETURN_NOT_OK(WriteEntry(lock));
    }
  }
  return arrow::Status::OK();
}

arrow::Status ShardWriter::WriteEntry(Lock& lock) {
  const auto slot = OldestPendingLocked();
  if (slot == nullptr) return arrow::Status::OK();
  wal_busy_ = true;
  const int64_t begin = slot->table->num_durable(), end = slot->table->num_batches();
  lock.unlock();
  const auto start = Clock::now();
  arrow::RecordBatchVector batches;
  for (int64_t i = begin; i < end; ++i) batches.push_back(slot->table->batches()[i].batch);
  int64_t bytes = 0;
  const auto written = [&]() -> arrow::Result<uint64_t> {
    ARROW_ASSIGN_OR_RAISE(const auto entry, SerializeWalEntry(batches, epoch_));
    bytes = entry->size();
    return AppendWithRetries(entry);
  }();
  lock.lock();
  wal_busy_ = false;
  if (written.ok()) {
    slot->last_wal_position = *written;
    slot->table->SetDurable(end);
    ++stats_.wal_flush_count;
    stats_.wal_flush_bytes += static_cast<uint64_t>(bytes);
    stats_.wal_flush_nanoseconds += NanosecondsSince(start);
  } else {
    PoisonLocked(
        Annotate(written.status(), "the log of shard " + shard_id().ToString() + " cannot be written: "));
  }
  wal_done_.notify_all();
  return poison_;
}

arrow::Result<uint64_t> ShardWriter::AppendWithRetries(const std::shared_ptr<arrow::Buffer>& bytes) {
  auto pause = kFirstLogRetry;
  for (int attempt = 0;; ++attempt) {
    auto position = appender_->Append(bytes);
    if (position.ok() || attempt == kLogRetries || HasErrorKind(position.status(), ErrorKind::kFencedWriter))
      return position;
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

void ShardWriter::LogLoop() {
  Lock lock(mutex_);
  while (!stop_) {
    const auto has_work = [&] { return stop_ || (poison_.ok() && OldestPendingLocked() != nullptr); };
    log_work_.wait(lock, has_work);
    // Rows wait for others, but no longer than the interval and no more bytes than the buffer.
    const auto is_due = [&] {
      return stop_ || closed_ ||
             (config_.max_wal_buffer_size > 0 && PendingBytesLocked() >= config_.max_wal_buffer_size);
    };
    if (config_.max_wal_flush_interval) {
      log_work_.wait_for(lock, Bounded(*config_.max_wal_flush_interval), is_due);
    } else {
      log_work_.wait(lock, is_due);
    }
    while (!stop_ && !wal_busy_ && poison_.ok() && OldestPendingLocked() != nullptr) (void)WriteEntry(lock);
    if (wal_busy_) wal_done_.wait(lock);
  }
}

// ---- the flush ----

arrow::Result<ShardWriter::Flush> ShardWriter::FlushOne(const Slot& slot) const {
  const auto start = Clock::now();
  ARROW_RETURN_NOT_OK(manifests_.CheckFenced(epoch_));
  const StoreLocation& location = dataset_->location();
  ARROW_ASSIGN_OR_RAISE(const std::string folder,
                        WriteGeneration(location, shard_directory_, *slot.table, generation_options_));
  const uint64_t generation = slot.table->generation();
  ARROW_ASSIGN_OR_RAISE(
      const auto manifest, manifests_.Update(epoch_, [&](lance::table::ShardManifest* next) {
        if (next->current_generation() > generation) return;  // an attempt whose answer was lost did it
        auto* flushed = next->add_flushed_generations();
        flushed->set_generation(generation);
        flushed->set_path(folder);
        const uint64_t covered = std::max(slot.last_wal_position, next->replay_after_wal_entry_position());
        next->set_replay_after_wal_entry_position(covered);
        next->set_wal_entry_position_last_seen(std::max(covered, next->wal_entry_position_last_seen()));
        next->set_current_generation(std::max(generation + 1, next->current_generation()));
      }));
  return Flush{ShardManifestStore::ToSnapshot(manifest, shard_id()), NanosecondsSince(start)};
}

void ShardWriter::RetireOldestLocked(Flush flush) {
  flushed_ = std::move(flush.flushed);
  ++stats_.memtable_flush_count;
  stats_.memtable_flush_rows += static_cast<uint64_t>(frozen_.front()->table->num_rows());
  stats_.memtable_flush_nanoseconds += flush.nanoseconds;
  frozen_.pop_front();
  PublishViewLocked();
  flush_done_.notify_all();
}

void ShardWriter::FlushLoop() {
  Lock lock(mutex_);
  auto pause = kFirstFlushRetry;
  for (;;) {
    flush_work_.wait(lock, [&] { return stop_ || (!frozen_.empty() && poison_.ok()); });
    if (stop_) return;
    auto slot = frozen_.front();
    if (!WaitDurable(lock, *slot, slot->table->num_batches()).ok()) continue;  // poisoned
    lock.unlock();
    auto flush = FlushOne(*slot);
    lock.lock();
    flush_error_ = flush.status();
    if (flush.ok()) {
      pause = kFirstFlushRetry;
      flush_failures_ = 0;
      RetireOldestLocked(*std::move(flush));
      // Perhaps the last reference to the rows. Whoever made them may want locks of its own (Python's) to
      // free them.
      lock.unlock();
      slot = nullptr;
      lock.lock();
      continue;
    }
    ++flush_failures_;
    if (HasErrorKind(flush_error_, ErrorKind::kFencedWriter)) PoisonLocked(flush_error_);
    Log().warn("shard {}: flush of generation {} failed: {}", shard_id().ToString(),
               slot->table->generation(), flush_error_.message());
    flush_done_.notify_all();
    flush_work_.wait_for(lock, pause, [&] { return stop_ || retry_flush_now_; });
    retry_flush_now_ = false;
    pause = std::min(pause * 2, kLastFlushRetry);
  }
}

arrow::Status ShardWriter::ForceSealActive() {
  ARROW_RETURN_NOT_OK(CheckFenced());
  Lock lock(mutex_);
  ARROW_RETURN_NOT_OK(CheckUsable());
  if (active_->table->num_rows() > 0) FreezeLocked();
  return arrow::Status::OK();
}

arrow::Status ShardWriter::WaitForFlushDrain() {
  Lock lock(mutex_);
  flush_error_ = arrow::Status::OK();
  retry_flush_now_ = true;
  flush_work_.notify_all();
  flush_done_.wait(lock, [&] { return frozen_.empty() || !poison_.ok() || !flush_error_.ok() || stop_; });
  if (frozen_.empty()) return arrow::Status::OK();
  if (!poison_.ok()) return poison_;
  return flush_error_.ok() ? arrow::Status::Cancelled("the writer is being destroyed") : flush_error_;
}

arrow::Status ShardWriter::Close() {
  arrow::Status result;
  {
    Lock lock(mutex_);
    if (closed_) return arrow::Status::OK();
    closed_ = true;
    result = WaitDurable(lock, *active_, active_->table->num_batches());
    if (result.ok() && active_->table->num_rows() > 0) FreezeLocked();
  }
  if (result.ok()) result = WaitForFlushDrain();
  {
    Lock lock(mutex_);
    stop_ = true;
  }
  flush_work_.notify_all();
  log_work_.notify_all();
  if (flusher_.joinable()) flusher_.join();
  if (logger_.joinable()) logger_.join();
  return result;
}

// ---- statistics ----

ShardWriterStats ShardWriter::stats() const {
  Lock lock(mutex_);
  return stats_;
}

MemTableStats ShardWriter::memtable_stats() const {
  Lock lock(mutex_);
  const MemTable& table = *active_->table;
  MemTableStats stats;
  stats.generation = table.generation();
  stats.num_batches = table.num_batches();
  stats.num_rows = table.num_rows();
  stats.size_bytes = stats.num_rows == 0 && closed_ ? 0 : table.size_bytes();
  stats.num_durable_batches = table.num_durable();
  stats.num_pending_bytes = active_->pending_bytes();
  stats.num_pending_rows = stats.num_rows - table.batches().NumRowsOf(stats.num_durable_batches);
  return stats;
}

}  // namespace pilum
