// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

#include <arrow/table.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "events.h"
#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/lsm_point_lookup_planner.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_writer.h"

namespace departure_board {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kEventsPerPut = 16;
constexpr int64_t kRowsPerFile = 100'000;

int64_t NanosecondsSince(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

/// The only shard of the board, new if there is none.
arrow::Result<pilum::Uuid> ShardOf(const pilum::Dataset& dataset) {
  ARROW_ASSIGN_OR_RAISE(const auto shards, pilum::ListMemWalLatestShardIds(dataset));
  return shards.empty() ? pilum::Uuid::Random() : shards[0];
}

/// Looks flights up until told to stop.
class Spectator {
 public:
  Spectator(const EventLog& events, std::vector<std::string> base_keys,
            std::shared_ptr<const pilum::ShardWriter> writer,
            std::shared_ptr<pilum::LsmPointLookupPlanner> planner, SharedBoard* board)
      : events_(events),
        base_keys_(std::move(base_keys)),
        writer_(std::move(writer)),
        planner_(std::move(planner)),
        board_(*board) {}

  arrow::Status Run(const std::atomic<bool>& stop) {
    std::mt19937_64 random(2013);
    while (!stop.load()) {
      const uint64_t acknowledged = board_.num_acknowledged.load();
      if (acknowledged > 0) ARROW_RETURN_NOT_OK(LookUpDecember(random() % acknowledged));
      if (random() % 16 == 0) ARROW_RETURN_NOT_OK(LookUpBase(base_keys_[random() % base_keys_.size()]));
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> LookUp(std::string_view key, int64_t* nanoseconds) {
    const pilum::PrimaryKey::Scalars value = {std::make_shared<arrow::StringScalar>(std::string(key))};
    const auto start = Clock::now();
    auto row = planner_->Lookup(value);
    *nanoseconds = NanosecondsSince(start);
    return row;
  }

  /// Whether the key was in memory when it was looked up; the memtables may change meanwhile, so about.
  Tier TierOf(std::string_view key) const {
    std::string encoded;
    writer_->primary_key().Encode({std::make_shared<arrow::StringScalar>(std::string(key))}, &encoded);
    for (const auto& memtable : writer_->View()->memtables) {
      if (memtable->FindNewest(encoded, memtable->visible_rows())) return kMemTable;
    }
    return kGeneration;
  }

  /// The row must be the newest version that was acknowledged before the lookup, or one that was put since.
  arrow::Status LookUpDecember(uint64_t event) {
    const Tier tier = TierOf(events_.key(event));
    const uint64_t before = board_.num_acknowledged.load();
    int64_t nanoseconds = 0;
    ARROW_ASSIGN_OR_RAISE(const auto row, LookUp(events_.key(event), &nanoseconds));
    const uint64_t after = board_.num_issued.load();
    board_.lookups[tier].Add(nanoseconds);
    if (row == nullptr) {
      ++board_.missing;
      return arrow::Status::OK();
    }
    const auto& versions = events_.EventsOfFlight(event);
    const auto oldest = std::prev(std::lower_bound(versions.begin(), versions.end(), before));
    const auto newest = std::prev(std::lower_bound(versions.begin(), versions.end(), after));
    bool found = false;
    for (auto version = oldest; version <= newest; ++version) found |= IsVersion(*row, *version);
    if (found) return arrow::Status::OK();
    const bool older =
        std::any_of(versions.begin(), oldest, [&](uint64_t version) { return IsVersion(*row, version); });
    ++(older ? board_.stale : board_.invented);
    return arrow::Status::OK();
  }

  bool IsVersion(const arrow::RecordBatch& row, uint64_t event) const {
    return row.Slice(0, 1)->Equals(*events_.Slice(event, 1), /*check_metadata=*/false);
  }

  arrow::Status LookUpBase(const std::string& key) {
    int64_t nanoseconds = 0;
    ARROW_ASSIGN_OR_RAISE(const auto row, LookUp(key, &nanoseconds));
    board_.lookups[kBase].Add(nanoseconds);
    if (row == nullptr) ++board_.missing;
    return arrow::Status::OK();
  }

  const EventLog& events_;
  const std::vector<std::string> base_keys_;
  const std::shared_ptr<const pilum::ShardWriter> writer_;
  const std::shared_ptr<pilum::LsmPointLookupPlanner> planner_;
  SharedBoard& board_;
};

/// A thousand keys of the base table, spread over it.
arrow::Result<std::vector<std::string>> SampleBaseKeys(const std::string& data_directory) {
  ARROW_ASSIGN_OR_RAISE(const auto base, ReadTable(data_directory, "base.arrow"));
  const auto column = base->GetColumnByName("key");
  std::vector<std::string> keys;
  for (int64_t row = 0; row < column->length(); row += std::max<int64_t>(column->length() / 1000, 1)) {
    ARROW_ASSIGN_OR_RAISE(const auto key, column->GetScalar(row));
    keys.push_back(key->ToString());
  }
  return keys;
}

arrow::Status PutEvents(const EventLog& events, pilum::ShardWriter* writer, SharedBoard* board) {
  while (board->num_acknowledged < events.size()) {
    const uint64_t begin = board->num_acknowledged;
    const uint64_t count = std::min(kEventsPerPut, events.size() - begin);
    board->num_issued = begin + count;
    const auto start = Clock::now();
    ARROW_RETURN_NOT_OK(writer->Put(events.Slice(begin, count)));
    board->puts.Add(NanosecondsSince(start));
    board->num_acknowledged = begin + count;
    board->num_generations = writer->View()->flushed.flushed_generations().size();
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status LoadBaseTable(const std::string& data_directory, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(const auto base, ReadTable(data_directory, "base.arrow"));
  pilum::WriteOptions options;
  options.max_rows_per_file = kRowsPerFile;
  const auto start = Clock::now();
  ARROW_ASSIGN_OR_RAISE(
      const auto dataset,
      pilum::Dataset::Write(std::make_shared<arrow::TableBatchReader>(base), table, options));
  const double seconds = static_cast<double>(NanosecondsSince(start)) / 1e9;
  pilum::ShardWriterConfig config;
  config.max_memtable_size = int64_t{4} << 20;  // small, so that the board shows flushes
  ARROW_RETURN_NOT_OK(
      pilum::InitializeMemWalBuilder(dataset).Unsharded().WriterConfigDefaults(config).Execute().status());
  std::printf("  %lld rows in %d fragments, %.2f s, %.0f rows/s\n", static_cast<long long>(base->num_rows()),
              dataset->manifest().fragments().size(), seconds,
              static_cast<double>(base->num_rows()) / seconds);
  return arrow::Status::OK();
}

arrow::Status StreamEvents(const std::string& data_directory, const std::string& table, SharedBoard* board) {
  ARROW_ASSIGN_OR_RAISE(const EventLog events, EventLog::Load(data_directory));
  ARROW_ASSIGN_OR_RAISE(auto base_keys, SampleBaseKeys(data_directory));
  ARROW_ASSIGN_OR_RAISE(const auto dataset, pilum::Dataset::Open(table));
  ARROW_ASSIGN_OR_RAISE(const auto shard, ShardOf(*dataset));
  ARROW_ASSIGN_OR_RAISE(const auto config, pilum::DefaultShardWriterConfig(*dataset));
  ARROW_ASSIGN_OR_RAISE(const auto writer, pilum::ShardWriter::Open(dataset, shard, config));
  pilum::LsmDataSourceCollector sources(dataset, {});
  sources.WithWriter(writer);
  ARROW_ASSIGN_OR_RAISE(auto planner,
                        pilum::LsmPointLookupPlanner::Make(std::move(sources), {}, dataset->lance_schema()));

  std::atomic<bool> stop{false};
  arrow::Status spectated;
  Spectator spectator(events, std::move(base_keys), writer, std::move(planner), board);
  std::thread thread([&] { spectated = spectator.Run(stop); });
  const auto put = PutEvents(events, writer.get(), board);
  stop = true;
  thread.join();
  ARROW_RETURN_NOT_OK(put);
  ARROW_RETURN_NOT_OK(spectated);
  ARROW_RETURN_NOT_OK(writer->Close());
  board->num_generations = writer->View()->flushed.flushed_generations().size();
  board->wal_bytes += writer->stats().wal_flush_bytes;
  return arrow::Status::OK();
}

}  // namespace departure_board
