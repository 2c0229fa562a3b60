// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/memtable.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <string>

namespace pilum {

MemTable::MemTable(uint64_t generation, std::shared_ptr<const Schema> schema, PrimaryKey key,
                   const Options& options)
    : generation_(generation),
      schema_(std::move(schema)),
      key_(std::move(key)),
      visible_when_durable_(options.visible_when_durable),
      batches_(options.max_batches) {}

arrow::Status MemTable::Index(int64_t end) {
  std::string key;
  for (int64_t i = num_indexed(); i < end; ++i) {
    const BatchStore::Slot& slot = batches_[i];
    ARROW_ASSIGN_OR_RAISE(const auto columns, key_.ColumnsOf(*slot.batch));
    for (int64_t row = 0; row < slot.batch->num_rows(); ++row) {
      bloom_filter_.Insert(key_.BloomHash(columns, row));
      if (key_.empty()) continue;
      key.clear();
      key_.Encode(columns, row, &key);
      index_.Insert(key, static_cast<uint64_t>(slot.row_offset + row));
    }
  }
  num_indexed_.store(std::max(end, num_indexed()), std::memory_order_release);
  return arrow::Status::OK();
}

int64_t MemTable::num_visible() const {
  return visible_when_durable_ ? std::min(num_indexed(), num_durable()) : num_indexed();
}

std::optional<int64_t> MemTable::FindNewest(std::string_view key, int64_t row_end) const {
  uint64_t position = 0;
  if (!index_.FindLast(key, static_cast<uint64_t>(row_end), &position)) return std::nullopt;
  return static_cast<int64_t>(position);
}

std::shared_ptr<arrow::RecordBatch> MemTable::Row(int64_t position) const {
  const BatchStore::Slot& slot = batches_[batches_.FindBatch(position)];
  return slot.batch->Slice(position - slot.row_offset, 1);
}

std::vector<int64_t> MemTable::NewestRows(int64_t row_end) const {
  std::vector<int64_t> rows;
  if (key_.empty()) {
    rows.resize(static_cast<size_t>(row_end));
    for (int64_t row = 0; row < row_end; ++row) rows[static_cast<size_t>(row)] = row;
    return rows;
  }
  std::string_view last;
  for (ArenaSkipList::Iterator it(index_); it.Valid(); it.Next()) {
    const auto entry = it.Get();
    if (entry.position >= static_cast<uint64_t>(row_end)) continue;
    if (!rows.empty() && entry.key == last) {
      rows.back() = static_cast<int64_t>(entry.position);
    } else {
      rows.push_back(static_cast<int64_t>(entry.position));
      last = entry.key;
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

DeletionVector MemTable::SupersededRows() const {
  DeletionVector superseded;
  std::optional<ArenaSkipList::Entry> last;
  for (ArenaSkipList::Iterator it(index_); it.Valid(); it.Next()) {
    const auto entry = it.Get();
    if (last && last->key == entry.key) superseded.add(static_cast<uint32_t>(last->position));
    last = entry;
  }
  return superseded;
}

arrow::Result<arrow::RecordBatchVector> MemTable::SortedKeys(int64_t rows_per_batch) const {
  const auto schema = arrow::schema(
      {arrow::field("values", key_.index_type()), arrow::field("ids", arrow::uint64(), /*nullable=*/false)});
  ARROW_ASSIGN_OR_RAISE(auto values, arrow::MakeBuilder(key_.index_type()));
  arrow::UInt64Builder ids;
  arrow::RecordBatchVector sorted;
  const auto finish = [&]() -> arrow::Status {
    arrow::ArrayVector columns(2);
    ARROW_RETURN_NOT_OK(values->Finish(&columns[0]));
    ARROW_RETURN_NOT_OK(ids.Finish(&columns[1]));
    const int64_t rows = columns[0]->length();
    if (rows > 0) sorted.push_back(arrow::RecordBatch::Make(schema, rows, std::move(columns)));
    return arrow::Status::OK();
  };
  for (ArenaSkipList::Iterator it(index_); it.Valid(); it.Next()) {
    const auto entry = it.Get();
    ARROW_RETURN_NOT_OK(key_.AppendIndexValue(entry.key, values.get()));
    ARROW_RETURN_NOT_OK(ids.Append(entry.position));
    if (ids.length() == rows_per_batch) ARROW_RETURN_NOT_OK(finish());
  }
  ARROW_RETURN_NOT_OK(finish());
  return sorted;
}

}  // namespace pilum
