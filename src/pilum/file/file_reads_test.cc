// SPDX-License-Identifier: Apache-2.0
//
// How many requests and bytes reads cost: the least that each layout allows.
#include <arrow/array.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "pilum/file/random_batch.h"
#include "pilum/file/test_files.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"

namespace pilum {

using testing::ExpectEqual;
using testing::OpenFile;
using testing::RandomBatch;
using testing::WriteFile;

namespace {

TEST(FileReadsTest, TakingOneRowReadsOneChunkPerColumn) {
  auto counter = std::make_shared<StoreCounter>();
  auto store = ObserveStore(MakeMemoryStore(), counter);
  std::mt19937_64 random(5);
  const auto batch = RandomBatch({arrow::int64(), arrow::fixed_size_list(arrow::float32(), 96)}, 20'000,
                                 {0, 1, true}, random);
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, {}, 20'000).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  const std::vector<int64_t> rows{12'345};
  (void)reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool())
      .ValueOrDie();  // opens the columns
  counter->Reset();
  ExpectEqual(*reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()).ValueOrDie(),
              *batch->Slice(12'345, 1));
  EXPECT_LE(counter->num_reads(), 2);
  EXPECT_LE(counter->bytes_read(), 2048 + 96 * 4);
}

TEST(FileReadsTest, TakingOneRowOfPackedOrPlainValuesReadsOnlyTheRow) {
  std::mt19937_64 random(6);
  const auto batch = RandomBatch({arrow::int64(), arrow::fixed_size_list(arrow::float32(), 32)}, 20'000,
                                 {0, 1, true}, random);
  auto counter = std::make_shared<StoreCounter>();
  auto store = ObserveStore(MakeMemoryStore(), counter);
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, {}, 20'000).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  for (const int64_t row : {0, 1023, 12'345, 19'999}) {
    const std::vector<int64_t> rows{row};
    (void)reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()).ValueOrDie();
    counter->Reset();
    ExpectEqual(*reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()).ValueOrDie(),
                *batch->Slice(row, 1));
    EXPECT_EQ(counter->num_reads(), 2);
    EXPECT_LE(counter->bytes_read(), 17 * 8 + 32 * 4);
  }
}

/// What it costs to take `rows` of a column, which ascend.
struct Cost {
  int64_t first_reads = 0;  ///< with the column not opened yet
  int64_t reads = 0;
  int64_t bytes = 0;
};

Cost CostOf(const std::shared_ptr<arrow::DataType>& type, testing::RandomColumn column, int64_t num_rows,
            const std::vector<int64_t>& rows) {
  std::mt19937_64 random(7);
  const auto batch = RandomBatch({type}, num_rows, column, random);
  auto counter = std::make_shared<StoreCounter>();
  auto store = ObserveStore(MakeMemoryStore(), counter);
  EXPECT_TRUE(WriteFile(store.get(), "f", *batch, {}, num_rows).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  Cost cost;
  for (int64_t* reads : {&cost.first_reads, &cost.reads}) {
    counter->Reset();
    const auto taken = reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()).ValueOrDie();
    *reads = counter->num_reads();
    cost.bytes = counter->bytes_read();
    for (size_t i = 0; i < rows.size(); ++i)
      ExpectEqual(*taken->Slice(static_cast<int64_t>(i), 1), *batch->Slice(rows[i], 1));
  }
  return cost;
}

/// 40 rows, so far apart that no two reads become one.
std::vector<int64_t> FarApart(int64_t num_rows) {
  std::mt19937_64 random(8);
  std::vector<int64_t> rows;
  const int64_t step = num_rows / 40;
  for (int64_t i = 0; i < 40; ++i) rows.push_back(i * step + static_cast<int64_t>(random() % 7));
  return rows;
}

TEST(FileReadsTest, RowsOfAFullZipPageOfFixedWidthAreOneReadEachAndNoIndex) {
  const auto cost =
      CostOf(arrow::fixed_size_list(arrow::float32(), 96), {0, 1, true}, 30'000, FarApart(30'000));
  EXPECT_EQ(cost.reads, 40);
  EXPECT_EQ(cost.bytes, 40 * 96 * 4);
  EXPECT_LE(cost.first_reads, 41);
}

TEST(FileReadsTest, RowsOfAFullZipPageWithAnIndexAreOneReadEachOnceTheIndexIsKnown) {
  const auto strings = CostOf(arrow::utf8(), {0.1, 2000, true}, 20'000, FarApart(20'000));
  EXPECT_LE(strings.reads, 40);
  EXPECT_LE(strings.bytes, 40 * 2010);
  EXPECT_LE(strings.first_reads, 42);
  const auto lists = CostOf(arrow::list(arrow::fixed_size_list(arrow::float32(), 96)), {0.1, 0, true}, 20'000,
                            FarApart(20'000));
  EXPECT_LE(lists.reads, 40);
  EXPECT_LE(lists.first_reads, 42);
}

TEST(FileReadsTest, TheIndexOfAPageIsReadWithItsFirstRowAndKept) {
  constexpr int64_t kRows = 20'000;  // 20 MB in pages of 8
  std::mt19937_64 random(9);
  const auto batch = RandomBatch({arrow::utf8()}, kRows, {0, 2000, true}, random);
  auto counter = std::make_shared<StoreCounter>();
  auto store = ObserveStore(MakeMemoryStore(), counter);
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, {}, 1000).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  const int64_t opened = reader->memory_bytes();
  const auto bytes_of = [&](int64_t row, int64_t reads) {
    counter->Reset();
    const std::vector<int64_t> rows{row};
    ExpectEqual(*reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()).ValueOrDie(),
                *batch->Slice(row, 1));
    EXPECT_EQ(counter->num_reads(), reads) << row;
    return counter->bytes_read();
  };
  EXPECT_LE(bytes_of(0, 2), kRows / 2 * 4 + 2010);  // not the indexes of all rows
  const int64_t one_page = reader->memory_bytes();
  EXPECT_GT(one_page, opened);
  EXPECT_LE(bytes_of(1, 1), 2010);
  EXPECT_EQ(reader->memory_bytes(), one_page);
  EXPECT_LE(bytes_of(kRows - 1, 2), kRows / 2 * 4 + 2010);
  EXPECT_GT(reader->memory_bytes(), one_page);
}

TEST(FileReadsTest, TablesThatCouldNotBeReadAreReadAgain) {
  std::mt19937_64 random(11);
  const auto batch =
      RandomBatch({arrow::utf8(), arrow::list(arrow::int32())}, 3000, {0.1, 900, true}, random);
  auto faults = std::make_shared<FaultInjector>();
  auto store = ObserveStore(MakeMemoryStore(), faults);
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, {}, 3000).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  faults->Fail(StoreOperation::kRead, "f", 1, FaultInjector::When::kBefore);
  const std::vector<int64_t> rows{7, 2999};
  const auto take = [&] { return reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()); };
  EXPECT_TRUE(take().status().IsIOError());
  for (size_t i = 0; i < rows.size(); ++i) {
    ExpectEqual(*take().ValueOrDie()->Slice(static_cast<int64_t>(i), 1), *batch->Slice(rows[i], 1));
  }
}

/// The file "f" with the last buffer of the last page of its first column, an index, all ones.
void DamageLastIndex(ObjectStore* store) {
  const auto reader = OpenFile(store, "f").ValueOrDie();
  const ByteRange index = (*reader->Describe()).columns[0].pages.back().buffers.back();
  std::string bytes = store->Get("f").ValueOrDie()->ToString();
  std::fill_n(bytes.begin() + index.offset, index.length, '\xFF');
  ASSERT_TRUE(store->Put("f", AsSpan(bytes), Durability::kProcessCrash).ok());
}

TEST(FileReadsTest, ADamagedTableIsAnErrorEachTimeAndOtherPagesAreRead) {
  for (const auto& type : {arrow::utf8(), arrow::list(arrow::int32())}) {
    std::mt19937_64 random(12);
    const auto batch = RandomBatch({type}, 2000, {0.1, 900, true}, random);
    auto store = MakeMemoryStore();
    FileWriterOptions options;
    options.page_bytes = 5'000;
    ASSERT_TRUE(WriteFile(store.get(), "f", *batch, options, 500).ok());
    DamageLastIndex(store.get());
    auto reader = OpenFile(store.get(), "f").ValueOrDie();
    for (int round = 0; round < 3; ++round) {
      const auto last = reader->ReadRange(reader->WholeFile(), 1999, 2000, arrow::default_memory_pool());
      ASSERT_TRUE(last.status().IsIOError()) << type->ToString() << last.status().ToString();
      EXPECT_NE(last.status().message().find("f"), std::string::npos);
      ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 100, arrow::default_memory_pool()),
                  *batch->Slice(0, 100));
    }
  }
}

TEST(FileReadsTest, NestedColumnsOfVersion2_0ReadTheirTablesOnce) {
  std::mt19937_64 random(10);
  const auto batch = RandomBatch({arrow::list(arrow::utf8())}, 5000, {0.1, 30, true}, random);
  auto counter = std::make_shared<StoreCounter>();
  auto store = ObserveStore(MakeMemoryStore(), counter);
  FileWriterOptions options;
  options.version = FormatVersion::k2_0;
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, options, 5000).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  const auto& lists = static_cast<const arrow::ListArray&>(*batch->column(0));
  int64_t row = 3000;
  while (lists.IsNull(row) || lists.value_length(row) == 0) ++row;  // one that has items
  const std::vector<int64_t> rows{row};
  int64_t bytes[2];
  for (int64_t& read : bytes) {
    counter->Reset();
    ExpectEqual(*reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()).ValueOrDie(),
                *batch->Slice(row, 1));
    read = counter->bytes_read();
  }
  EXPECT_GT(bytes[0], 5000 * 8);  // where each string ends
  EXPECT_LT(bytes[1], 1000);
}

TEST(FileReadsTest, RowsOfMiniBlockPagesAreOneReadForEachChunkAtMost) {
  constexpr int64_t kRows = 200'000;
  const auto far = CostOf(arrow::int64(), {0.1, 0, true}, kRows, FarApart(kRows));
  EXPECT_LE(far.reads, 40);
  EXPECT_LE(far.bytes, 40 * 9000);  // chunks of 1024 values with a level each
  std::vector<int64_t> close(500);  // all in the chunks of the first 1500 rows
  for (size_t i = 0; i < close.size(); ++i) close[i] = static_cast<int64_t>(3 * i);
  const auto dense = CostOf(arrow::int64(), {0.1, 0, true}, kRows, close);
  EXPECT_LE(dense.reads, 2);
  EXPECT_LE(dense.bytes, 2 * 9000);
  const auto lists = CostOf(arrow::list(arrow::int64()), {0.1, 0, true}, kRows, FarApart(kRows));
  EXPECT_LE(lists.reads, 40);
  EXPECT_LE(lists.bytes, 80 * 9500);  // a row may lie in two
}

}  // namespace

}  // namespace pilum
