// SPDX-License-Identifier: Apache-2.0
//
// A memtable as a small Lance table. Spec: 40-memwal-write.md §15.
#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <vector>

#include "pilum/file/format_version.h"
#include "pilum/io/object_store.h"
#include "pilum/mem_wal/memtable.h"

namespace pilum {

/// An index of the base table that generations have as well.
struct MaintainedIndex {
  std::string name;
  std::string column;
};

struct GenerationOptions {
  FormatVersion data_version = kStableFormatVersion;
  std::vector<MaintainedIndex> maintained_indexes;  ///< BTrees
  Durability durability = Durability::kPowerLoss;
};

/// Whether a column of `type` can have such an index: NotImplemented.
arrow::Status CheckCanBeMaintained(const MaintainedIndex& index, const std::shared_ptr<arrow::DataType>& type,
                                   FormatVersion version);

/// Writes all rows of `memtable`, which is frozen and fully indexed, into a new folder below
/// `shard_directory`: the rows in insert order, a deletion vector over those that a newer one hides, the
/// maintained indexes, bloom_filter.bin and
/// `_pk_index`. Nobody sees the folder until a shard manifest names it; after an error it is garbage.
/// @return the folder's name.
arrow::Result<std::string> WriteGeneration(const StoreLocation& table, const std::string& shard_directory,
                                           const MemTable& memtable, const GenerationOptions& options);

}  // namespace pilum
