// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/status.h>

#include <memory>
#include <vector>

#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/generation_reader.h"
#include "pilum/mem_wal/shard_snapshot.h"

namespace pilum {

/// Opens every generation that `snapshots` list, with the session of `dataset`, and each of its indexes once,
/// so that the first lookups find them open. A pure cache operation; the first error ends it. Spec:
/// 41-memwal-read.md §12.
/// @param cache that of the planners to be warmed; null: only the session is.
arrow::Status PrewarmMemWal(const Dataset& dataset, const std::vector<ShardSnapshot>& snapshots,
                            std::shared_ptr<FlushedMemTableCache> cache);

}  // namespace pilum
