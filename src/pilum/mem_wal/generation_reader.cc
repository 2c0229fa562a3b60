// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/generation_reader.h"

#include "pilum/dataset/scanner.h"
#include "pilum/mem_wal/conform_batch.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

/// Whether `_pk_index` has every row of the generation.
arrow::Result<bool> IsComplete(const Dataset& generation, BTreeIndex& index) {
  if (HasWholeIndexes(generation)) return true;
  const auto* fragment = generation.manifest().FindFragment(0);
  if (fragment == nullptr) return true;
  ARROW_ASSIGN_OR_RAISE(const auto ids, index.AllIds());
  return ids.size() == fragment->physical_rows() &&
         (ids.empty() || ids.back() + 1 == fragment->physical_rows());
}

/// NotImplemented if rows of the generation are deletions.
arrow::Status CheckHasNoDeletions(const Dataset& generation) {
  const SchemaField* mark = generation.lance_schema()->FindField(kTombstoneColumn);
  if (mark == nullptr || mark->arrow->type()->id() != arrow::Type::BOOL) return arrow::Status::OK();
  ScanOptions options;
  options.columns = std::vector<std::string>{kTombstoneColumn};
  options.filter_expression = arrow::compute::field_ref(kTombstoneColumn);
  options.limit = 1;
  ARROW_ASSIGN_OR_RAISE(const auto scanner, generation.NewScan(options));
  ARROW_ASSIGN_OR_RAISE(const auto marked, scanner->ToTable());
  if (marked->num_rows() == 0) return arrow::Status::OK();
  return arrow::Status::NotImplemented("deletions in the generation ", generation.uri());
}

}  // namespace

bool HasWholeIndexes(const Dataset& generation) {
  return generation.manifest().proto.writer_version().library() == kLibraryName;
}

arrow::Result<std::shared_ptr<const GenerationReader>> GenerationReader::Open(
    const StoreLocation& table, const std::string& path, const std::shared_ptr<Session>& session) {
  const StoreLocation location{SubStore(table.store, path), JoinPath(table.uri, path)};
  std::shared_ptr<GenerationReader> reader(new GenerationReader());
  OpenOptions options;
  options.session = session;
  ARROW_ASSIGN_OR_RAISE(reader->dataset_, Dataset::Open(location, options));
  ARROW_RETURN_NOT_OK(CheckHasNoDeletions(*reader->dataset_));
  if (reader->dataset_->lance_schema()->PrimaryKey().empty()) return reader;
  const auto bloom = location.store->Get(kBloomFilterFile);
  if (bloom.ok()) {
    SplitBlockBloomFilter filter(SplitBlockBloomFilter::kBlockBytes);
    if (!SplitBlockBloomFilter::FromBytes(AsSpan(**bloom), &filter)) {
      return CorruptFile(location.store->Describe(kBloomFilterFile), 0,
                         "a bloom filter of " + std::to_string((*bloom)->size()) + " bytes");
    }
    reader->bloom_filter_ = std::move(filter);
  } else if (!IsNotFound(bloom.status())) {
    return bloom.status();
  }
  auto index = reader->dataset_->session()->OpenBTree(location, kPkIndexDirectory);
  if (index.ok()) {
    ARROW_ASSIGN_OR_RAISE(const bool complete, IsComplete(*reader->dataset_, **index));
    if (complete) reader->pk_index_ = *std::move(index);
  } else if (!IsNotFound(index.status())) {
    return index.status();
  }
  return reader;
}

arrow::Result<std::optional<uint64_t>> GenerationReader::FindNewest(const arrow::Scalar& value) const {
  ARROW_ASSIGN_OR_RAISE(const auto ids, pk_index_->Lookup(value));
  if (ids.empty()) return std::nullopt;
  const auto* fragment = dataset_->manifest().FindFragment(0);
  if (fragment == nullptr) return std::nullopt;  // all rows are deleted
  ARROW_ASSIGN_OR_RAISE(const auto deleted,
                        dataset_->session()->OpenDeletions(dataset_->location(), *fragment));
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {  // the largest position is the newest
    if (*id >= fragment->physical_rows()) {
      return CorruptFile(
          dataset_->uri() + "/" + kPkIndexDirectory, -1,
          "row " + std::to_string(*id) + " of a generation of " + std::to_string(fragment->physical_rows()));
    }
    if (deleted == nullptr || !deleted->contains(static_cast<uint32_t>(*id))) return *id;
  }
  return std::nullopt;
}

arrow::Result<std::shared_ptr<const GenerationReader>> FlushedMemTableCache::GetOrOpen(
    const StoreLocation& table, const std::string& path, const std::shared_ptr<Session>& session) {
  if (auto reader = readers_.Get(path)) return reader;
  ARROW_ASSIGN_OR_RAISE(auto reader, GenerationReader::Open(table, path, session));
  readers_.Put(path, reader, 1);
  return reader;
}

}  // namespace pilum
