// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/lsm_source.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/mem_wal/shard_writer.h"

namespace pilum {

namespace {

void SortNewestFirst(MemTables* memtables) {
  std::sort(memtables->begin(), memtables->end(),
            [](const auto& a, const auto& b) { return a->generation() > b->generation(); });
}

}  // namespace

std::string LsmSource::GenerationName() const {
  return kind == kBaseTable ? "base" : "gen" + std::to_string(generation);
}

LsmDataSourceCollector::LsmDataSourceCollector(std::shared_ptr<const Dataset> base,
                                               std::vector<ShardSnapshot> snapshots)
    : base_(std::move(base)),
      merged_(MergedGenerations(*base_)),
      location_(base_->location()),
      snapshots_(std::move(snapshots)) {}

LsmDataSourceCollector LsmDataSourceCollector::WithoutBaseTable(StoreLocation table,
                                                                std::vector<ShardSnapshot> snapshots) {
  LsmDataSourceCollector collector;
  collector.location_ = std::move(table);
  collector.snapshots_ = std::move(snapshots);
  return collector;
}

void LsmDataSourceCollector::WithInMemoryMemTables(const Uuid& shard_id, MemTables memtables) {
  SortNewestFirst(&memtables);
  memtables_[shard_id] = std::move(memtables);
}

void LsmDataSourceCollector::WithWriter(std::shared_ptr<const ShardWriter> writer) {
  writers_.push_back(std::move(writer));
}

bool LsmDataSourceCollector::IsMerged(const Uuid& shard_id, uint64_t generation) const {
  const auto it = merged_->find(shard_id);
  return it != merged_->end() && generation <= it->second;
}

arrow::Status LsmDataSourceCollector::CollectMemTables(MemTables* memtables) const {
  ARROW_RETURN_NOT_OK(merged_.status());
  const auto add = [&](const Uuid& shard, const MemTables& tables) {
    std::copy_if(tables.begin(), tables.end(), std::back_inserter(*memtables),
                 [&](const auto& table) { return !IsMerged(shard, table->generation()); });
  };
  for (const auto& writer : writers_) {
    const auto view = writer->View();
    add(view->shard_id, view->memtables);
  }
  for (const auto& [shard, tables] : memtables_) add(shard, tables);
  return arrow::Status::OK();
}

arrow::Result<std::vector<LsmSource>> LsmDataSourceCollector::Collect() const {
  ARROW_RETURN_NOT_OK(merged_.status());
  std::vector<LsmSource> sources;
  std::set<std::pair<Uuid, uint64_t>> seen;
  const auto add_memtables = [&](const Uuid& shard, const MemTables& tables) {
    for (const auto& table : tables) {
      if (IsMerged(shard, table->generation()) || !seen.insert({shard, table->generation()}).second) continue;
      sources.push_back({LsmSource::kMemTable, table->generation(), shard, nullptr, "", table});
    }
  };
  std::set<Uuid> written;
  const auto add_flushed = [&](const ShardSnapshot& snapshot) {
    for (const FlushedGeneration& flushed : snapshot.flushed_generations()) {
      if (IsMerged(snapshot.shard_id(), flushed.generation)) continue;
      if (!seen.insert({snapshot.shard_id(), flushed.generation}).second) continue;
      sources.push_back({LsmSource::kFlushed, flushed.generation, snapshot.shard_id(), nullptr,
                         JoinPath(ShardDirectory(snapshot.shard_id()), flushed.path), nullptr});
    }
  };
  // Memory first: a generation that is in both is read there. A view holds each of its generations once.
  for (const auto& writer : writers_) {
    const auto view = writer->View();
    written.insert(view->shard_id);
    add_memtables(view->shard_id, view->memtables);
    add_flushed(view->flushed);
  }
  for (const auto& [shard, tables] : memtables_) add_memtables(shard, tables);
  for (const ShardSnapshot& snapshot : snapshots_) {
    if (!written.contains(snapshot.shard_id())) add_flushed(snapshot);
  }
  for (const LsmSource& source : sources) {
    if (source.generation == 0) {
      return arrow::Status::Invalid("generation 0 of shard ", source.shard_id->ToString(), " ('", source.path,
                                    "'): generations count from 1, 0 is the base table");
    }
  }
  std::stable_sort(sources.begin(), sources.end(),
                   [](const LsmSource& a, const LsmSource& b) { return a.generation > b.generation; });
  if (base_ != nullptr) sources.push_back({LsmSource::kBaseTable, 0, std::nullopt, base_, "", nullptr});
  return sources;
}

int64_t LsmDataSourceCollector::num_sources() const {
  size_t count = base_ == nullptr ? 0 : 1;
  for (const auto& writer : writers_) {
    const auto view = writer->View();
    count += view->memtables.size() + view->flushed.flushed_generations().size();
  }
  for (const auto& [shard, tables] : memtables_) count += tables.size();
  for (const ShardSnapshot& snapshot : snapshots_) count += snapshot.flushed_generations().size();
  return static_cast<int64_t>(count);
}

}  // namespace pilum
