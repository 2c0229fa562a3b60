// SPDX-License-Identifier: Apache-2.0
//
// Where bytes lie in files that Pilum writes, and how many requests it takes to find them. Spec: 10-file.md
// §14.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "pilum/file/file_reader.h"
#include "pilum/file/file_writer.h"
#include "pilum/file/random_batch.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"

namespace pilum {

namespace {

constexpr FormatVersion kVersions[] = {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2};

/// A file "f" of `batch`, and of a global buffer behind it.
class FileLayoutTest : public ::testing::Test {
 protected:
  void Write(const arrow::RecordBatch& batch, FileWriterOptions options, std::string_view global = "global") {
    auto schema = Schema::FromArrow(*batch.schema()).ValueOrDie();
    auto writer =
        FileWriter::Make(store_->Create("f", Durability::kProcessCrash).ValueOrDie(), schema, options)
            .ValueOrDie();
    ASSERT_TRUE(writer->AddGlobalBuffer(AsSpan(global)).ok());
    const auto status = writer->Write(batch);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(writer->Finish().ok());
  }

  std::shared_ptr<FileReader> Open() {
    counter_->Reset();
    return FileReader::Open(store_->Open("f").ValueOrDie()).ValueOrDie();
  }

  const std::shared_ptr<StoreCounter> counter_ = std::make_shared<StoreCounter>();
  const std::shared_ptr<ObjectStore> store_ = ObserveStore(MakeMemoryStore(), counter_);
  std::mt19937_64 random_{3};
};

}  // namespace

TEST_F(FileLayoutTest, EveryBufferBeginsAtAMultipleOf64) {
  for (const FormatVersion version : kVersions) {
    auto types = testing::LeafTypes();
    types.push_back(arrow::list(arrow::utf8()));
    const auto batch = testing::RandomBatch(types, 700, {0.2, 400, false}, random_);
    FileWriterOptions options;
    options.version = version;
    options.page_bytes = 3'000;
    Write(*batch, options);
    const auto description = Open()->Describe().ValueOrDie();
    int64_t num_buffers = 0;
    for (const auto& column : description.columns) {
      for (const auto& page : column.pages) {
        for (const ByteRange& buffer : page.buffers) {
          EXPECT_EQ(buffer.offset % 64, 0) << page.encoding;
          ++num_buffers;
        }
      }
    }
    EXPECT_GT(num_buffers, 100);
    for (const ByteRange& buffer : description.global_buffers) EXPECT_EQ(buffer.offset % 64, 0);
  }
}

TEST_F(FileLayoutTest, AGlobalBufferNearTheEndIsThereOnceTheFileIsOpenOthersTakeOneRead) {
  const auto small = testing::RandomBatch({arrow::int64()}, 100, {0, 1, false}, random_);
  Write(*small, {});
  auto reader = Open();
  EXPECT_EQ(counter_->num_reads(), 1) << "the tail";
  EXPECT_EQ(AsStringView(*reader->ReadGlobalBuffer(1).ValueOrDie()), "global");
  EXPECT_EQ(counter_->num_reads(), 1);

  const auto large = testing::RandomBatch({arrow::int64()}, 100'000, {0, 1, false}, random_);
  Write(*large, {});
  reader = Open();
  EXPECT_EQ(counter_->num_reads(), 1);
  EXPECT_EQ(AsStringView(*reader->ReadGlobalBuffer(1).ValueOrDie()), "global");
  EXPECT_EQ(counter_->num_reads(), 2);
}

TEST_F(FileLayoutTest, AFileOfAThousandColumnsOpensWithTwoReads) {
  for (const FormatVersion version : kVersions) {
    const auto batch =
        testing::RandomBatch(arrow::DataTypeVector(1200, arrow::int32()), 3, {0.2, 1, true}, random_);
    FileWriterOptions options;
    options.version = version;
    Write(*batch, options);
    const auto reader = Open();
    EXPECT_LE(counter_->num_reads(), 2) << "the tail, and what of the metadata is in front of it";
    EXPECT_EQ(reader->num_columns(), 1200);
    const auto read = reader->ReadRange(reader->WholeFile(), 0, 3, arrow::default_memory_pool()).ValueOrDie();
    EXPECT_TRUE(read->Equals(*batch));
  }
}

TEST_F(FileLayoutTest, AStringLongerThanAPageIsAPage) {
  arrow::StringBuilder builder;
  for (const int size : {3, 2'000'000, 0, 70'000, 5}) {
    ASSERT_TRUE(builder.Append(std::string(static_cast<size_t>(size), 'x')).ok());
  }
  const auto text = builder.Finish().ValueOrDie();
  for (const FormatVersion version : kVersions) {
    FileWriterOptions options;
    options.version = version;
    options.page_bytes = 1'000;
    Write(*arrow::RecordBatch::Make(arrow::schema({arrow::field("t", text->type())}), 5, {text}), options);
    const auto reader = Open();
    const std::vector<int64_t> rows{0, 1, 4};
    const auto taken = reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()).ValueOrDie();
    const auto& strings = static_cast<const arrow::StringArray&>(*taken->column(0));
    EXPECT_EQ(strings.GetView(1), std::string(2'000'000, 'x'));
    EXPECT_EQ(strings.GetView(2), "xxxxx");
    EXPECT_EQ(
        reader->ReadRange(reader->WholeFile(), 2, 2, arrow::default_memory_pool()).ValueOrDie()->num_rows(),
        0);
  }
}

}  // namespace pilum
