// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>

#include "pilum/file/file_reader.h"
#include "pilum/index/scalar/btree_index.h"
#include "pilum/io/object_store.h"
#include "pilum/table/deletion_vector.h"
#include "pilum/util/lru_cache.h"

namespace pilum {

struct SessionOptions {
  int64_t metadata_cache_bytes = int64_t{1} << 30;  ///< open files, deletion vectors
  int64_t index_cache_bytes = int64_t{6} << 30;     ///< open indexes and their pages
};

/// Open files, deletion vectors and indexes, shared by the datasets that are opened with it; least recently
/// used out first. Files never change under their names, so nothing here goes stale. Any thread.
class Session {
 public:
  explicit Session(const SessionOptions& options = {})
      : files_(options.metadata_cache_bytes),
        deletions_(options.metadata_cache_bytes),
        indexes_(options.index_cache_bytes) {}

  /// About what the cache of open files holds. What readers have come to keep counts once they are asked for
  /// again.
  int64_t open_file_bytes() const { return files_.size_bytes(); }

  /// The data file `path` of the table at `location`. @param size from the manifest, 0 or less if unknown.
  arrow::Result<std::shared_ptr<FileReader>> OpenFile(const StoreLocation& location, const std::string& path,
                                                      int64_t size);
  /// Null if `fragment` has none.
  arrow::Result<std::shared_ptr<const DeletionVector>> OpenDeletions(
      const StoreLocation& location, const lance::table::DataFragment& fragment);
  /// The BTree in the folder `directory` of the table.
  arrow::Result<std::shared_ptr<BTreeIndex>> OpenBTree(const StoreLocation& location,
                                                       const std::string& directory);

 private:
  struct File {
    std::shared_ptr<FileReader> reader;
    int64_t cost;  // when it was put into the cache
  };
  struct Index {
    std::shared_ptr<BTreeIndex> index;
  };
  void Keep(const std::string& key, const std::shared_ptr<FileReader>& reader);

  LruCache<File> files_;
  LruCache<DeletionVector> deletions_;
  LruCache<Index> indexes_;
};

}  // namespace pilum
