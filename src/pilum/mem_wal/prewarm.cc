// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/prewarm.h"

#include "pilum/dataset/index_search.h"
#include "pilum/mem_wal/shard_paths.h"

namespace pilum {

arrow::Status PrewarmMemWal(const Dataset& dataset, const std::vector<ShardSnapshot>& snapshots,
                            std::shared_ptr<FlushedMemTableCache> cache) {
  if (cache == nullptr) cache = std::make_shared<FlushedMemTableCache>();
  for (const ShardSnapshot& snapshot : snapshots) {
    for (const FlushedGeneration& flushed : snapshot.flushed_generations()) {
      const std::string path = JoinPath(ShardDirectory(snapshot.shard_id()), flushed.path);
      ARROW_ASSIGN_OR_RAISE(const auto generation,
                            cache->GetOrOpen(dataset.location(), path, dataset.session()));
      const Dataset& table = *generation->dataset();
      for (const SchemaField& field : table.lance_schema()->fields()) {
        for (const auto* segment : BTreeSegmentsOn(table.manifest(), field.id)) {
          ARROW_RETURN_NOT_OK(OpenSegment(*table.session(), table.location(), *segment).status());
        }
      }
    }
  }
  return arrow::Status::OK();
}

}  // namespace pilum
