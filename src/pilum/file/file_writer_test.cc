// SPDX-License-Identifier: Apache-2.0
//
// What the writer makes of batches: pages, memory, the encodings of each version. That it is read back is
// file_round_trip_test.cc's.
#include "pilum/file/file_writer.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/thread_pool.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "pilum/file/random_batch.h"
#include "pilum/file/test_files.h"
#include "pilum/io/memory_store.h"

namespace pilum {

using testing::ExpectEqual;
using testing::ExpectRoundTrip;
using testing::OpenFile;
using testing::RandomBatch;
using testing::WriteFile;

namespace {

TEST(FileWriterTest, ColumnsGatherNoMoreThanAFewPagesTogether) {
  constexpr int64_t kRows = 1000, kBatches = 20;
  for (const int64_t num_columns : {5, 10, 40}) {
    std::mt19937_64 random(14);
    const std::vector<std::shared_ptr<arrow::DataType>> types(static_cast<size_t>(num_columns),
                                                              arrow::uint64());
    auto store = MakeMemoryStore();
    FileWriterOptions options;
    options.page_bytes = 100'000;  // 12,500 rows
    options.pending_bytes = 300'000;
    const auto batch = RandomBatch(types, kBatches * kRows, {0, 0, false}, random);
    auto writer = FileWriter::Make(*store->Create("f", Durability::kProcessCrash),
                                   *Schema::FromArrow(*batch->schema()), options)
                      .ValueOrDie();
    // A sixteenth of a page for each column, or what was asked for if that is more.
    const int64_t gathered =
        std::max(options.pending_bytes, num_columns * (options.page_bytes / 16 + kRows * 8));
    for (int64_t i = 0; i < kBatches; ++i) {
      ASSERT_TRUE(writer->Write(*batch->Slice(i * kRows, kRows)).ok());
      const int64_t given = (i + 1) * kRows * num_columns * 8;
      EXPECT_TRUE(writer->HasBytes(given - gathered).ValueOrDie());
      EXPECT_FALSE(writer->HasBytes(given + given / 10 + 10'000).ValueOrDie());
    }
    ASSERT_TRUE(writer->Finish().ok());
    auto reader = OpenFile(store.get(), "f").ValueOrDie();
    ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, kBatches * kRows, arrow::default_memory_pool()),
                *batch);
    const auto description = *reader->Describe();
    const size_t fewest = kBatches * kRows * 8 / options.page_bytes;
    for (const auto& column : description.columns) {
      EXPECT_GE(column.pages.size(), fewest);
      EXPECT_LE(column.pages.size(), 16 * fewest + 4) << num_columns;
    }
  }
}

TEST(FileWriterTest, HalfAPageInOneArrayIsAPage) {
  std::mt19937_64 random(18);
  FileWriterOptions options;
  options.page_bytes = 80'000;  // 10,000 rows
  for (const auto& [rows, batches, pages] : {std::tuple{5000, 6, 6u}, {4999, 4, 2u}, {10'000, 2, 2u}}) {
    const auto batch = RandomBatch({arrow::uint64()}, rows * batches, {0, 0, false}, random);
    auto store = MakeMemoryStore();
    auto writer = FileWriter::Make(*store->Create("f", Durability::kProcessCrash),
                                   *Schema::FromArrow(*batch->schema()), options)
                      .ValueOrDie();
    for (int i = 0; i < batches; ++i) ASSERT_TRUE(writer->Write(*batch->Slice(i * rows, rows)).ok());
    ASSERT_TRUE(writer->Finish().ok());
    const auto reader = OpenFile(store.get(), "f").ValueOrDie();
    ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, rows * batches, arrow::default_memory_pool()),
                *batch);
    EXPECT_EQ((*reader->Describe()).columns[0].pages.size(), pages) << rows;
  }
}

TEST(FileWriterTest, RowsThatWaitForTheirPageHoldNoBatch) {
  std::mt19937_64 random(15);
  auto store = MakeMemoryStore();
  const auto schema = arrow::schema({arrow::field("n", arrow::int32()), arrow::field("s", arrow::utf8())});
  auto writer =
      FileWriter::Make(*store->Create("f", Durability::kProcessCrash), *Schema::FromArrow(*schema), {})
          .ValueOrDie();
  arrow::RecordBatchVector batches;
  for (int i = 0; i < 4; ++i) {
    batches.push_back(RandomBatch({arrow::int32(), arrow::utf8()}, 100, {0.2, 9, true}, random));
    auto batch = arrow::RecordBatch::Make(schema, 100, batches.back()->columns());
    ASSERT_TRUE(writer->Write(*batch).ok());
    const auto held = [&](int at) {
      return batches[static_cast<size_t>(at)]->column(1)->data()->buffers[2].use_count();
    };
    if (i > 0) {
      EXPECT_EQ(held(i - 1), 1) << i;
    }
  }
  ASSERT_TRUE(writer->Finish().ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  const auto all = *arrow::ConcatenateRecordBatches(batches);
  ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 400, arrow::default_memory_pool()), *all);
}

TEST(FileWriterTest, ColumnsAreFoundByNameAndOthersAreLeftOut) {
  std::mt19937_64 random(16);
  const auto batch =
      RandomBatch({arrow::int32(), arrow::utf8(), arrow::float64()}, 100, {0.2, 9, true}, random);
  const auto schema = arrow::schema({batch->schema()->field(2), batch->schema()->field(0)});
  auto store = MakeMemoryStore();
  auto writer =
      FileWriter::Make(*store->Create("f", Durability::kProcessCrash), *Schema::FromArrow(*schema), {})
          .ValueOrDie();
  ASSERT_TRUE(writer->Write(*batch).ok());
  ASSERT_TRUE(writer->Finish().ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 100, arrow::default_memory_pool()),
              *arrow::RecordBatch::Make(schema, 100, arrow::ArrayVector{batch->column(2), batch->column(0)}));
}

/// The array with each of its buffers `shift` bytes off any alignment.
std::shared_ptr<arrow::ArrayData> Misaligned(const arrow::ArrayData& data, int64_t shift) {
  auto copy = data.Copy();
  for (auto& buffer : copy->buffers) {
    if (buffer == nullptr) continue;
    std::shared_ptr<arrow::Buffer> moved = *arrow::AllocateBuffer(buffer->size() + shift);
    std::memcpy(moved->mutable_data() + shift, buffer->data(), static_cast<size_t>(buffer->size()));
    buffer = arrow::SliceBuffer(moved, shift);
  }
  for (auto& child : copy->child_data) child = Misaligned(*child, shift);
  return copy;
}

TEST(FileWriterTest, BuffersNeedNoAlignment) {
  std::mt19937_64 random(17);
  for (const auto& type :
       {arrow::int16(), arrow::int64(), arrow::float64(), arrow::decimal128(20, 3), arrow::utf8(),
        arrow::large_binary(), arrow::list(arrow::int32()), arrow::fixed_size_list(arrow::float32(), 96)}) {
    const auto batch = RandomBatch({type}, 3000, {0.1, 30, true}, random);
    const auto array = arrow::MakeArray(Misaligned(*batch->column(0)->data(), 1));
    const auto odd = arrow::RecordBatch::Make(batch->schema(), 3000, {array});
    for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
      ExpectRoundTrip(*odd, version);
    }
  }
}

TEST(FileWriterTest, StringsOfVersion2_0HaveADictionaryIfFewerThan100AreDistinct) {
  for (const auto& [rows, distinct, dictionary] :
       {std::tuple{99, 5, false}, {100, 5, true}, {1000, 99, true}, {1000, 100, false}}) {
    arrow::StringBuilder strings;
    for (int i = 0; i < rows; ++i) ASSERT_TRUE(strings.Append("value " + std::to_string(i % distinct)).ok());
    const auto array = *strings.Finish();
    const auto batch =
        arrow::RecordBatch::Make(arrow::schema({arrow::field("s", arrow::utf8())}), rows, {array});
    const auto reader = ExpectRoundTrip(*batch, FormatVersion::k2_0);
    ASSERT_NE(reader, nullptr);
    const std::string encoding = (*reader->Describe()).columns[0].pages[0].encoding;
    EXPECT_EQ(encoding.find("dictionary") != std::string::npos, dictionary) << rows << " " << distinct;
  }
}

TEST(FileWriterTest, Version2_1HasNoEncodingsOfVersion2_2) {
  arrow::Int64Builder constant, runs;
  arrow::BooleanBuilder nulls;
  for (int64_t i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(constant.Append(7).ok() && runs.Append(i / 5000 * 1'000'000'007).ok());
    ASSERT_TRUE(i < 10'000 ? nulls.AppendNull().ok() : nulls.Append(i % 2 == 0).ok());
  }
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("c", arrow::int64()), arrow::field("r", arrow::int64()),
                     arrow::field("n", arrow::boolean())}),
      20'000, arrow::ArrayVector{*constant.Finish(), *runs.Finish(), *nulls.Finish()});
  for (const auto version : {FormatVersion::k2_1, FormatVersion::k2_2}) {
    const auto reader = ExpectRoundTrip(*batch, version);
    ASSERT_NE(reader, nullptr);
    const auto description = *reader->Describe();
    const bool v2_2 = version == FormatVersion::k2_2;
    const auto has = [&](size_t column, const char* what) {
      return description.columns[column].pages[0].encoding.find(what) != std::string::npos;
    };
    EXPECT_EQ(has(0, "inline_value"), v2_2);
    EXPECT_EQ(has(1, "has_large_chunk: true"), v2_2);
    EXPECT_EQ(has(2, "has_large_chunk: true"), v2_2);
    if (!v2_2) {
      EXPECT_FALSE(has(2, "rle")) << description.columns[2].pages[0].encoding;  // levels in runs
    }
  }
}

}  // namespace

}  // namespace pilum
