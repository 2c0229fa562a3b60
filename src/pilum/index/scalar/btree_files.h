// SPDX-License-Identifier: Apache-2.0
//
// Names inside a BTree index. Spec: 30-scalar-index.md §2.1, §2.2.
#pragma once

namespace pilum {

inline constexpr char kBTreePageFile[] = "page_data.lance";
inline constexpr char kBTreeLookupFile[] = "page_lookup.lance";
inline constexpr char kBTreePageRowsKey[] = "batch_size";
inline constexpr char kBTreeRangePartitionedKey[] = "range_partitioned";

}  // namespace pilum
