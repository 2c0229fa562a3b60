// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/memtable.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

namespace pilum {

namespace {

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema(
      {arrow::field("id", arrow::int64(), false,
                    arrow::key_value_metadata({{"lance-schema:unenforced-primary-key", "true"}})),
       arrow::field("v", arrow::utf8())});
}

std::shared_ptr<arrow::RecordBatch> Rows(const std::vector<std::pair<int64_t, std::string>>& rows) {
  arrow::Int64Builder ids;
  arrow::StringBuilder values;
  for (const auto& [id, value] : rows) EXPECT_TRUE(ids.Append(id).ok() && values.Append(value).ok());
  return arrow::RecordBatch::Make(TestSchema(), static_cast<int64_t>(rows.size()),
                                  {ids.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
}

std::unique_ptr<MemTable> MakeTable(const MemTable::Options& options = {}) {
  const auto schema = Schema::FromArrow(*TestSchema()).ValueOrDie();
  return std::make_unique<MemTable>(1, schema, PrimaryKey::Make(*schema).ValueOrDie(), options);
}

bool Append(MemTable& table, std::shared_ptr<arrow::RecordBatch> batch) {
  const std::vector<std::shared_ptr<arrow::RecordBatch>> batches = {std::move(batch)};
  return table.Append(batches);
}

std::string KeyOf(const MemTable& table, int64_t id) {
  std::string key;
  table.primary_key().Encode(PrimaryKey::Scalars{std::make_shared<arrow::Int64Scalar>(id)}, &key);
  return key;
}

}  // namespace

TEST(MemTableTest, ABatchIsVisibleWhenIndexedAndDurable) {
  const auto table = MakeTable();
  ASSERT_TRUE(Append(*table, Rows({{1, "a"}, {2, "b"}})));
  ASSERT_TRUE(Append(*table, Rows({{3, "c"}})));
  EXPECT_EQ(table->num_visible(), 0) << "nothing is visible by itself, not even the first batch";
  ASSERT_TRUE(table->Index(1).ok());
  EXPECT_EQ(table->num_visible(), 0);
  table->SetDurable(2);
  EXPECT_EQ(table->num_visible(), 1);
  EXPECT_EQ(table->visible_rows(), 2);
  ASSERT_TRUE(table->Index(2).ok());
  EXPECT_EQ(table->visible_rows(), 3);
}

TEST(MemTableTest, WithoutDurabilityIndexedIsVisible) {
  MemTable::Options options;
  options.visible_when_durable = false;
  const auto table = MakeTable(options);
  ASSERT_TRUE(Append(*table, Rows({{1, "a"}})));
  ASSERT_TRUE(table->Index(1).ok());
  EXPECT_EQ(table->visible_rows(), 1);
}

TEST(MemTableTest, FindsTheNewestVisibleVersion) {
  const auto table = MakeTable();
  ASSERT_TRUE(Append(*table, Rows({{1, "a"}, {2, "b"}, {1, "a2"}})));
  ASSERT_TRUE(Append(*table, Rows({{1, "a3"}})));
  ASSERT_TRUE(table->Index(2).ok());
  EXPECT_EQ(table->FindNewest(KeyOf(*table, 1), 4), 3);
  EXPECT_EQ(table->FindNewest(KeyOf(*table, 1), 3), 2);
  EXPECT_EQ(table->FindNewest(KeyOf(*table, 1), 1), 0);
  EXPECT_EQ(table->FindNewest(KeyOf(*table, 2), 1), std::nullopt);
  EXPECT_EQ(table->FindNewest(KeyOf(*table, 9), 4), std::nullopt);
  EXPECT_TRUE(table->Row(3)->Equals(*Rows({{1, "a3"}})));
  EXPECT_TRUE(table->Row(1)->Equals(*Rows({{2, "b"}})));
  EXPECT_EQ(table->NewestRows(4), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(table->NewestRows(3), (std::vector<int64_t>{1, 2}));
}

TEST(MemTableTest, AFullTableTakesAllOrNothing) {
  MemTable::Options options;
  options.max_batches = 2;
  const auto table = MakeTable(options);
  ASSERT_TRUE(Append(*table, Rows({{1, "a"}})));
  const std::vector<std::shared_ptr<arrow::RecordBatch>> two = {Rows({{2, "b"}}), Rows({{3, "c"}})};
  EXPECT_FALSE(table->Append(two));
  EXPECT_EQ(table->num_batches(), 1);
  EXPECT_TRUE(Append(*table, Rows({{2, "b"}})));
  EXPECT_FALSE(Append(*table, Rows({{3, "c"}})));
}

TEST(MemTableTest, TheFlushGetsSortedKeysAndHiddenRows) {
  const auto table = MakeTable();
  ASSERT_TRUE(Append(*table, Rows({{3, "D"}, {7, "H"}})));
  ASSERT_TRUE(Append(*table, Rows({{7, "H2"}, {3, "D2"}, {9, ""}})));
  ASSERT_TRUE(table->Index(2).ok());
  const auto sorted = table->SortedKeys(3).ValueOrDie();
  ASSERT_EQ(sorted.size(), 2);
  std::vector<std::pair<int64_t, uint64_t>> entries;
  for (const auto& batch : sorted) {
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      entries.emplace_back(static_cast<const arrow::Int64Array&>(*batch->column(0)).Value(i),
                           static_cast<const arrow::UInt64Array&>(*batch->column(1)).Value(i));
    }
  }
  EXPECT_EQ(entries, (std::vector<std::pair<int64_t, uint64_t>>{{3, 0}, {3, 3}, {7, 1}, {7, 2}, {9, 4}}));
  DeletionVector hidden;
  hidden.add(0u);
  hidden.add(1u);
  EXPECT_TRUE(table->SupersededRows() == hidden);
  EXPECT_TRUE(table->bloom_filter().MightContain(1108061491956506173u)) << "the hash of key 9";
}

TEST(MemTableTest, ReadersSeeWholeBatchesAndTheNewestOfThem) {
  const auto table = MakeTable();
  constexpr int64_t kKeys = 50, kBatches = 3000;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    std::mt19937_64 random(3);
    while (!stop) {
      const int64_t end = table->visible_rows();
      const int64_t id = static_cast<int64_t>(random() % kKeys);
      const auto found = table->FindNewest(KeyOf(*table, id), end);
      // Batch b holds key b % kKeys twice: the newest is its second row.
      const int64_t batches = end / 2;
      const int64_t newest = batches > id ? (id + (batches - 1 - id) / kKeys * kKeys) * 2 + 1 : -1;
      if (end % 2 != 0 || found.value_or(-1) != newest) ++wrong;
    }
  });
  for (int64_t b = 0; b < kBatches; ++b) {
    ASSERT_TRUE(Append(*table, Rows({{b % kKeys, "old"}, {b % kKeys, "new"}})));
    ASSERT_TRUE(table->Index(b + 1).ok());
    table->SetDurable(b + 1);
  }
  stop = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace pilum
