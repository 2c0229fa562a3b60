// SPDX-License-Identifier: Apache-2.0
//
// ShardWriter::Open: claim, fence, replay. Spec: 40-memwal-write.md §10, §11.
#include "pilum/file/file_writer.h"
#include "pilum/io/memory_store.h"
#include "pilum/mem_wal/conform_batch.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_writer.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

/// Column types that cannot be flushed later must not be accepted now.
arrow::Status CheckCanBeFlushed(const std::shared_ptr<const Schema>& schema, FormatVersion version) {
  ARROW_ASSIGN_OR_RAISE(auto sink, MakeMemoryStore()->Create("probe", Durability::kProcessCrash));
  FileWriterOptions options;
  options.version = version;
  return FileWriter::Make(std::move(sink), schema, options).status();
}

arrow::Result<std::vector<MaintainedIndex>> ResolveMaintained(
    const Dataset& dataset, const lance::table::MemWalIndexDetails& details) {
  std::vector<MaintainedIndex> indexes;
  for (const std::string& name : details.maintained_indexes()) {
    const auto* index = dataset.manifest().FindIndex(name);
    if (index == nullptr)
      return arrow::Status::Invalid("Index '", name, "' from maintained_indexes not found on dataset");
    const std::string& type = index->index_details().type_url();
    if (type.ends_with("InvertedIndexDetails") || type.ends_with("VectorIndexDetails")) {
      return arrow::Status::NotImplemented("maintaining the index '", name, "' of type ", type,
                                           " while rows stream in");
    }
    if (!type.ends_with("BTreeIndexDetails")) {
      return arrow::Status::Invalid("Unsupported index type for MemWAL: ", type, " of index '", name, "'");
    }
    const SchemaField* field =
        index->fields_size() == 1 ? dataset.lance_schema()->FindFieldById(index->fields(0)) : nullptr;
    if (field == nullptr) return arrow::Status::Invalid("index '", name, "' is on no column of the table");
    if (field != dataset.lance_schema()->FindField(field->name())) {
      return arrow::Status::NotImplemented("maintaining the index '", name, "' on the nested column '",
                                           field->name(), "'");
    }
    indexes.push_back({name, field->name()});
    ARROW_RETURN_NOT_OK(
        CheckCanBeMaintained(indexes.back(), field->arrow->type(), dataset.manifest().data_version));
  }
  return indexes;
}

}  // namespace

arrow::Result<std::shared_ptr<ShardWriter>> ShardWriter::Open(std::shared_ptr<Dataset> dataset,
                                                              const Uuid& shard_id,
                                                              const ShardWriterConfig& config) {
  ARROW_RETURN_NOT_OK(config.Validate());
  ARROW_ASSIGN_OR_RAISE(const auto details, MemWalIndexDetails(*dataset));
  if (!details) {
    return arrow::Status::Invalid(
        "MemWAL is not initialized on this dataset. Call initialize_mem_wal() first.");
  }
  ARROW_ASSIGN_OR_RAISE(auto indexes, ResolveMaintained(*dataset, *details));
  ARROW_ASSIGN_OR_RAISE(auto key, PrimaryKey::Make(*dataset->lance_schema()));
  ARROW_RETURN_NOT_OK(CheckCanBeFlushed(dataset->lance_schema(), dataset->manifest().data_version));
  std::shared_ptr<ShardWriter> writer(new ShardWriter(std::move(dataset), shard_id, config, std::move(key)));
  writer->generation_options_ = {writer->dataset_->manifest().data_version, std::move(indexes),
                                 config.durability};
  ARROW_RETURN_NOT_OK(writer->Start());
  return writer;
}

arrow::Status ShardWriter::Start() {
  ARROW_ASSIGN_OR_RAISE(const auto claimed, manifests_.Claim(config_.shard_spec_id));
  epoch_ = claimed.writer_epoch();
  flushed_ = ShardManifestStore::ToSnapshot(claimed, shard_id());
  active_ = NewSlot(claimed.current_generation(), config_.max_memtable_batches);
  ARROW_RETURN_NOT_OK(Replay(claimed.replay_after_wal_entry_position()));
  PublishViewLocked();
  flusher_ = std::thread([this] { FlushLoop(); });
  if (!config_.durable_write) logger_ = std::thread([this] { LogLoop(); });
  return arrow::Status::OK();
}

arrow::Status ShardWriter::Replay(uint64_t replay_after) {
  const WalReader log(dataset_->store(), shard_id());
  ARROW_ASSIGN_OR_RAISE(const uint64_t tip, log.FindTip(replay_after));
  ARROW_RETURN_NOT_OK(CheckLog(log, replay_after, tip));
  appender_ = std::make_unique<WalAppender>(dataset_->store(), &manifests_, epoch_, tip, config_.durability);
  if (epoch_ > 1) {
    // Before the replay: what the old writer got in below it is replayed, what it appends later collides.
    ARROW_ASSIGN_OR_RAISE(const auto sentinel, SerializeFenceSentinel(epoch_));
    ARROW_RETURN_NOT_OK(appender_->Append(sentinel).status());
  }
  uint64_t position = replay_after + 1;
  for (;; ++position) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, log.Read(position));
    if (!entry) break;
    if (entry->writer_epoch > epoch_) {
      return MakeError(arrow::StatusCode::IOError, ErrorKind::kFencedWriter,
                       "WAL replay aborted: " + dataset_->store()->Describe(log.PathOf(position)) +
                           " has epoch " + std::to_string(entry->writer_epoch) + ", writer of epoch " +
                           std::to_string(epoch_) + " was fenced during open");
    }
    if (const auto status = ReplayEntry(position, *entry); !status.ok()) {
      return Annotate(status, "replaying " + dataset_->store()->Describe(log.PathOf(position)) + ": ");
    }
  }
  appender_ =
      std::make_unique<WalAppender>(dataset_->store(), &manifests_, epoch_, position, config_.durability);
  return arrow::Status::OK();
}

arrow::Status ShardWriter::ReplayEntry(uint64_t position, const WalEntry& entry) {
  arrow::RecordBatchVector batches;
  for (const auto& batch : entry.batches) {
    if (batch->num_rows() == 0) continue;
    ARROW_ASSIGN_OR_RAISE(batches.emplace_back(), ConformFromLog(batch, *dataset_->lance_schema()));
    ARROW_RETURN_NOT_OK(key_.ColumnsOf(*batches.back()).status());
  }
  if (batches.empty()) {  // a sentinel
    active_->last_wal_position = position;
    return arrow::Status::OK();
  }
  // An entry is never split over two memtables: a generation covers whole entries.
  const auto flush_active = [&]() -> arrow::Status {
    FreezeLocked();
    ARROW_ASSIGN_OR_RAISE(auto flushed, FlushOne(*frozen_.front()));
    RetireOldestLocked(std::move(flushed));
    return arrow::Status::OK();
  };
  if (!active_->table->Append(batches)) {
    if (active_->table->num_batches() > 0) ARROW_RETURN_NOT_OK(flush_active());
    if (!active_->table->Append(batches)) {  // written by a writer with room for more batches
      active_ = NewSlot(active_->table->generation(), static_cast<int64_t>(batches.size()));
      active_->table->Append(batches);
    }
  }
  const int64_t end = active_->table->num_batches();
  ARROW_RETURN_NOT_OK(active_->table->Index(end));
  active_->table->SetDurable(end);
  active_->last_wal_position = position;
  return IsFullLocked() ? flush_active() : arrow::Status::OK();
}

arrow::Status ShardWriter::CheckLog(const WalReader& log, uint64_t replay_after, uint64_t tip) const {
  ARROW_ASSIGN_OR_RAISE(const auto positions, log.List());
  // Entries that are flushed may have been deleted, but then all of them.
  if (!positions.empty() && positions.back() < replay_after) {
    return CorruptFile(dataset_->store()->Describe(shard_directory_ + "/manifest"), -1,
                       "the log entries up to " + std::to_string(replay_after) +
                           " are said to be flushed, but the log ends at " +
                           std::to_string(positions.back()));
  }
  for (auto it = std::upper_bound(positions.begin(), positions.end(), tip); it != positions.end(); ++it) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, log.Read(*it));
    if (entry && !entry->batches.empty()) {
      return CorruptFile(
          dataset_->store()->Describe(log.PathOf(*it)), 0,
          "the log holds rows at position " + std::to_string(*it) + " but nothing at " + std::to_string(tip));
    }
  }
  return arrow::Status::OK();
}

}  // namespace pilum
