// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "pilum/file/file_reader.h"
#include "pilum/index/scalar/btree_index.h"
#include "pilum/table/deletion_vector.h"
#include "pilum/util/lru_cache.h"

namespace pilum {

struct SessionOptions {
  int64_t metadata_cache_bytes = int64_t{1} << 30;  ///< open files, deletion vectors
  int64_t index_cache_bytes = int64_t{6} << 30;     ///< open indexes and their pages
};

/// Caches shared by datasets, bounded in bytes. Keys are full paths: files are immutable. Any thread.
class Session {
 public:
  explicit Session(const SessionOptions& options = {})
      : files(options.metadata_cache_bytes),
        deletions(options.metadata_cache_bytes),
        indexes(options.index_cache_bytes) {}

  struct OpenFile {
    std::shared_ptr<FileReader> reader;
  };
  struct OpenIndex {
    std::shared_ptr<BTreeIndex> index;
  };
  LruCache<OpenFile> files;
  LruCache<DeletionVector> deletions;
  LruCache<OpenIndex> indexes;
};

}  // namespace pilum
