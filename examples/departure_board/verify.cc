// SPDX-License-Identifier: Apache-2.0
#include <arrow/compute/api.h>

#include <cstdio>
#include <unordered_map>

#include "events.h"
#include "pilum/dataset/dataset.h"
#include "pilum/mem_wal/lsm_scanner.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "stream.h"

namespace departure_board {

namespace {

arrow::Result<std::shared_ptr<arrow::Table>> SortedByKey(const std::shared_ptr<arrow::Table>& table) {
  ARROW_ASSIGN_OR_RAISE(
      const auto order,
      arrow::compute::SortIndices(table, arrow::compute::SortOptions({arrow::compute::SortKey("key")})));
  ARROW_ASSIGN_OR_RAISE(const auto sorted, arrow::compute::Take(table, order));
  return sorted.table()->CombineChunks();
}

struct Verdict {
  int64_t lost = 0, stale = 0, invented = 0;
};

/// Walks two tables sorted by key side by side.
arrow::Result<Verdict> Compare(const arrow::Table& found, const arrow::Table& truth) {
  Verdict verdict;
  const auto key = [](const arrow::Table& table, int64_t row) {
    return static_cast<const arrow::StringArray&>(*table.GetColumnByName("key")->chunk(0)).GetView(row);
  };
  int64_t i = 0, j = 0;
  while (i < found.num_rows() || j < truth.num_rows()) {
    if (j == truth.num_rows() || (i < found.num_rows() && key(found, i) < key(truth, j))) {
      ++verdict.invented;
      ++i;
    } else if (i == found.num_rows() || key(truth, j) < key(found, i)) {
      ++verdict.lost;
      ++j;
    } else {
      for (int column = 0; column < truth.num_columns(); ++column) {
        const auto other = found.GetColumnByName(truth.field(column)->name());
        if (other == nullptr) return arrow::Status::Invalid("no column ", truth.field(column)->name());
        if (!truth.column(column)->chunk(0)->RangeEquals(*other->chunk(0), j, j + 1, i)) {
          ++verdict.stale;
          break;
        }
      }
      ++i;
      ++j;
    }
  }
  return verdict;
}

}  // namespace

arrow::Status VerifyBoard(const std::string& data_directory, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(const auto dataset, pilum::Dataset::Open(table));
  std::vector<pilum::ShardSnapshot> snapshots;
  ARROW_ASSIGN_OR_RAISE(const auto shards, pilum::ListMemWalLatestShardIds(*dataset));
  for (const auto& shard : shards) {
    ARROW_ASSIGN_OR_RAISE(auto snapshot, pilum::ReadShardSnapshot(*dataset, shard));
    if (snapshot) snapshots.push_back(*std::move(snapshot));
  }
  ARROW_ASSIGN_OR_RAISE(const auto scanner,
                        pilum::LsmScanner::Make(pilum::LsmDataSourceCollector(dataset, snapshots), {},
                                                dataset->lance_schema()));
  ARROW_ASSIGN_OR_RAISE(const auto rows, scanner->ToTable());
  ARROW_ASSIGN_OR_RAISE(const auto truth, ReadTable(data_directory, "truth.arrow"));
  ARROW_ASSIGN_OR_RAISE(const auto found_sorted, SortedByKey(rows));
  ARROW_ASSIGN_OR_RAISE(const auto truth_sorted, SortedByKey(truth));
  ARROW_ASSIGN_OR_RAISE(const Verdict verdict, Compare(*found_sorted, *truth_sorted));
  std::printf("  against the truth of plain pandas, %lld rows: %lld lost, %lld stale, %lld invented\n",
              static_cast<long long>(truth->num_rows()), static_cast<long long>(verdict.lost),
              static_cast<long long>(verdict.stale), static_cast<long long>(verdict.invented));
  if (verdict.lost + verdict.stale + verdict.invented > 0)
    return arrow::Status::Invalid("the board is wrong");
  return arrow::Status::OK();
}

}  // namespace departure_board
