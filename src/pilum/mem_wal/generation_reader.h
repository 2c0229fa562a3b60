// SPDX-License-Identifier: Apache-2.0
//
// A flushed generation, open for lookups. Spec: 41-memwal-read.md §6.4, §7, §12.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/primary_key.h"
#include "pilum/util/lru_cache.h"
#include "pilum/util/split_block_bloom_filter.h"

namespace pilum {

/// Whether the indexes of a generation have all its rows for sure. Upstream 8.0.0 leaves out those of batches
/// that it never indexed (spec 40, defect 3); its own lookups scan.
bool HasWholeIndexes(const Dataset& generation);

/// The table of a generation with its bloom filter and `_pk_index`, which one without a primary key does not
/// have (upstream's filter of such a one knows no value). Immutable; any thread.
class GenerationReader {
 public:
  /// @param path folder of the generation relative to the table. A missing bloom filter or `_pk_index` is
  /// tolerated. NotImplemented: rows that are deletions (release 14).
  static arrow::Result<std::shared_ptr<const GenerationReader>> Open(const StoreLocation& table,
                                                                     const std::string& path,
                                                                     const std::shared_ptr<Session>& session);

  const std::shared_ptr<Dataset>& dataset() const { return dataset_; }
  bool has_pk_index() const { return pk_index_ != nullptr; }

  /// False: no row of this generation has the key. @param hash PrimaryKey::BloomHash of a key whose filter is
  /// usable.
  bool MightContain(uint64_t hash) const { return !bloom_filter_ || bloom_filter_->MightContain(hash); }

  /// Null if there is no filter.
  const SplitBlockBloomFilter* bloom_filter() const { return bloom_filter_ ? &*bloom_filter_ : nullptr; }

  /// Address of the newest live row whose `_pk_index` value is `value`, or none. REQUIRES: has_pk_index().
  arrow::Result<std::optional<uint64_t>> FindNewest(const arrow::Scalar& value) const;

 private:
  GenerationReader() = default;

  std::shared_ptr<Dataset> dataset_;
  std::optional<SplitBlockBloomFilter> bloom_filter_;
  std::shared_ptr<BTreeIndex> pk_index_;
};

/// Open generations by path, least recently used out first. A path is never used again, so none goes stale.
/// Any thread.
class FlushedMemTableCache {
 public:
  explicit FlushedMemTableCache(int64_t max_entries = 1024) : readers_(max_entries) {}

  /// An error is not kept. Of concurrent first calls each may open; one result is kept.
  arrow::Result<std::shared_ptr<const GenerationReader>> GetOrOpen(const StoreLocation& table,
                                                                   const std::string& path,
                                                                   const std::shared_ptr<Session>& session);
  /// Drops the generations whose path `keep` refuses.
  void RetainPaths(const std::function<bool(std::string_view)>& keep) { readers_.Retain(keep); }
  bool Contains(const std::string& path) { return readers_.Get(path) != nullptr; }

 private:
  LruCache<GenerationReader> readers_;
};

}  // namespace pilum
