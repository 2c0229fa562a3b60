// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_scan.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "pilum/file/file_writer.h"
#include "pilum/file/random_batch.h"
#include "pilum/file/scan_pieces.h"
#include "pilum/file/test_files.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"

namespace pilum {

namespace {

/// `times` times the same `rows` rows of `text`, in a file of its own.
std::shared_ptr<FileReader> FileOfEqualStrings(const std::shared_ptr<arrow::DataType>& type,
                                               const std::string& text, int64_t rows, int64_t times) {
  auto builder = arrow::MakeBuilder(type).ValueOrDie();
  const auto scalar = arrow::MakeScalar(type, arrow::Buffer::FromString(text)).ValueOrDie();
  EXPECT_TRUE(builder->AppendScalar(*scalar, rows).ok());
  const auto schema = arrow::schema({arrow::field("s", type)});
  const auto batch = arrow::RecordBatch::Make(schema, rows, {builder->Finish().ValueOrDie()});
  auto store = MakeMemoryStore();
  FileWriterOptions options;
  options.version = FormatVersion::k2_2;
  options.page_bytes = int64_t{64} << 20;
  auto writer = FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(),
                                 Schema::FromArrow(*schema).ValueOrDie(), options)
                    .ValueOrDie();
  for (int64_t i = 0; i < times; ++i) EXPECT_TRUE(writer->Write(*batch).ok());
  EXPECT_TRUE(writer->Finish().ok());
  return FileReader::Open(store->Open("f").ValueOrDie()).ValueOrDie();
}

TEST(FileScanTest, MoreThanTwoGigabytesOfStringsAreScannedAndNotOneArray) {
  const std::string text(60'000, 'x');
  constexpr int64_t kRows = 600, kTimes = 64;  // 2.3 GB, in the file a constant for each page
  const auto file = FileOfEqualStrings(arrow::utf8(), text, kRows, kTimes);
  EXPECT_LT(file->num_bytes(), 4 << 20);
  const auto whole =
      file->ReadRange(file->WholeFile(), 0, kRows * kTimes, arrow::default_memory_pool()).status();
  EXPECT_TRUE(whole.IsCapacityError()) << whole;
  EXPECT_NE(whole.message().find("'s'"), std::string::npos) << whole;
  const auto reader = ScanFile(file, file->WholeFile(), 0, kRows * kTimes, 100).ValueOrDie();
  int64_t rows = 0;
  for (;;) {
    const auto batch = reader->Next().ValueOrDie();
    if (batch == nullptr) break;
    ASSERT_LE(batch->num_rows(), 100);
    const auto& strings = static_cast<const arrow::StringArray&>(*batch->column(0));
    ASSERT_EQ(strings.GetView(0), text);
    ASSERT_EQ(strings.GetView(batch->num_rows() - 1), text);
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, kRows * kTimes);
}

TEST(FileScanTest, NoRowsAreNoBatch) {
  const auto file = FileOfEqualStrings(arrow::utf8(), "x", 10, 1);
  const auto reader = ScanFile(file, file->WholeFile(), 3, 3, 100).ValueOrDie();
  EXPECT_EQ(reader->Next().ValueOrDie(), nullptr);
  EXPECT_TRUE(ScanFile(file, file->WholeFile(), 3, 11, 100).status().IsIndexError());
  EXPECT_TRUE(ScanFile(file, file->WholeFile(), 0, 10, 0).status().IsInvalid());
}

/// Fails every read after the first `allowed`.
class FailingReads final : public StoreObserver {
 public:
  explicit FailingReads(int allowed) : left_(allowed) {}
  arrow::Status Before(const StoreRequest& request) override {
    if (request.operation != StoreOperation::kRead || left_-- > 0) return arrow::Status::OK();
    return arrow::Status::IOError("the disk is gone");
  }

 private:
  std::atomic<int> left_;
};

/// A scan of `rows` numbers, many parts of them, through `observer`.
std::shared_ptr<arrow::RecordBatchReader> ScanNumbers(int64_t rows, std::shared_ptr<StoreObserver> observer) {
  std::mt19937_64 random(9);
  const auto batch = testing::RandomBatch({arrow::int64()}, rows, {0, 1, false}, random);
  const auto store = ObserveStore(MakeMemoryStore(), std::move(observer));
  EXPECT_TRUE(testing::WriteFile(store.get(), "f", *batch, {}, rows).ok());
  const auto file = testing::OpenFile(store.get(), "f").ValueOrDie();
  return ScanFile(file, file->WholeFile(), 0, rows, 1000).ValueOrDie();
}

TEST(FileScanTest, AScanThatIsDroppedReadsNoMore) {
  const auto counter = std::make_shared<StoreCounter>();
  auto reader = ScanNumbers(5'000'000, counter);
  ASSERT_EQ(reader->Next().ValueOrDie()->num_rows(), 1000);
  reader.reset();
  const int64_t reads = counter->num_reads();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(counter->num_reads(), reads);
  auto closed = ScanNumbers(5'000'000, counter);
  ASSERT_TRUE(closed->Next().ok());
  ASSERT_TRUE(closed->Close().ok());
  EXPECT_EQ(closed->Next().ValueOrDie(), nullptr);
}

TEST(FileScanTest, AReadThatFailsEndsTheScanWithItsError) {
  const auto reader = ScanNumbers(5'000'000, std::make_shared<FailingReads>(6));
  arrow::Status status;
  int64_t rows = 0;
  while (status.ok()) {
    const auto batch = reader->Next();
    status = batch.status();
    if (status.ok()) {
      ASSERT_NE(*batch, nullptr) << "the scan ended without an error after " << rows << " rows";
      rows += (*batch)->num_rows();
    }
  }
  EXPECT_TRUE(status.IsIOError()) << status;
  EXPECT_LT(rows, 5'000'000);
}

TEST(ScanPiecesTest, RowsThatAreTooManyAreReadInHalves) {
  const auto schema = arrow::schema({arrow::field("row", arrow::int64())});
  std::vector<int64_t> sizes;
  const auto read = [&](int64_t limit) {
    return [&, limit](int64_t begin, int64_t end) -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
      if (end - begin > limit) return arrow::Status::CapacityError("too many");
      arrow::Int64Builder builder;
      for (int64_t row = begin; row < end; ++row) ARROW_RETURN_NOT_OK(builder.Append(row));
      ARROW_ASSIGN_OR_RAISE(auto rows, builder.Finish());
      return arrow::RecordBatch::Make(schema, end - begin, {std::move(rows)});
    };
  };
  int64_t next = 5;
  for (const auto& piece : ReadInPieces(5, 105, read(13)).ValueOrDie()) {
    const auto& rows = static_cast<const arrow::Int64Array&>(*piece->column(0));
    for (int64_t i = 0; i < rows.length(); ++i) ASSERT_EQ(rows.Value(i), next++);
  }
  EXPECT_EQ(next, 105);
  EXPECT_EQ(ReadInPieces(0, 10, read(10)).ValueOrDie().size(), 1u);
  EXPECT_TRUE(ReadInPieces(0, 10, read(0)).status().IsCapacityError());
}

TEST(ScanPiecesTest, PartsHaveFewerRowsTheMoreTheyDecodeTo) {
  const auto rows = [](const std::shared_ptr<arrow::DataType>& type, int64_t row_bytes) {
    return ScanPartRows(*arrow::schema({arrow::field("c", type)}), row_bytes);
  };
  EXPECT_EQ(rows(arrow::int8(), 1), 1 << 18);
  EXPECT_LE(rows(arrow::fixed_size_list(arrow::float32(), 1000), 1) * 4000, kScanPartBytes);
  EXPECT_EQ(rows(arrow::utf8(), 1), 1 << 16);
  EXPECT_LE(rows(arrow::utf8(), 10'000) * 10'000, kScanPartBytes);
  EXPECT_EQ(rows(arrow::utf8(), int64_t{1} << 40), 1);
}

}  // namespace

}  // namespace pilum
