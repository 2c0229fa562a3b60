// SPDX-License-Identifier: Apache-2.0
//
// Where a shard's files lie, relative to the table. Spec: 40-memwal-write.md §2.
#pragma once

#include <string>

#include "pilum/util/uuid.h"

namespace pilum {

inline constexpr char kMemWalDirectory[] = "_mem_wal";
inline constexpr char kPkIndexDirectory[] = "_pk_index";
inline constexpr char kBloomFilterFile[] = "bloom_filter.bin";

inline std::string ShardDirectory(const Uuid& shard_id) {
  return std::string(kMemWalDirectory) + "/" + shard_id.ToString();
}

}  // namespace pilum
