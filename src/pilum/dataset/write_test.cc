// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "pilum/dataset/test_tables.h"
#include "pilum/util/error.h"

namespace pilum {

using WriteTest = DatasetTest;

TEST_F(WriteTest, CutsRowsIntoFilesAcrossBatches) {
  WriteOptions options;
  options.max_rows_per_file = 30;
  const auto dataset = Write({Sequence(0, 20), Sequence(20, 75), Sequence(75, 100)}, options).ValueOrDie();
  ASSERT_EQ(dataset->manifest().fragments().size(), 4);
  for (int i = 0; i < 4; ++i) {
    const auto& fragment = dataset->manifest().fragments()[i];
    EXPECT_EQ(fragment.id(), i);
    EXPECT_EQ(fragment.physical_rows(), i < 3 ? 30 : 10);
    EXPECT_GT(fragment.files(0).file_size_bytes(), 0);
  }
  EXPECT_EQ(NumDataFiles(), 4);
  EXPECT_EQ(dataset->CountRows().ValueOrDie(), 100);
}

TEST_F(WriteTest, CreateAppendOverwriteMakeVersions) {
  ASSERT_TRUE(Write({Sequence(0, 10)}).ok());
  EXPECT_TRUE(HasErrorKind(Write({Sequence(0, 1)}).status(), ErrorKind::kDatasetAlreadyExists));
  EXPECT_EQ(Append(Sequence(10, 15)).ValueOrDie()->CountRows().ValueOrDie(), 15);
  WriteOptions overwrite;
  overwrite.mode = WriteMode::kOverwrite;
  overwrite.data_storage_version = FormatVersion::k2_2;
  const auto last = Write({Sequence(0, 3)}, overwrite).ValueOrDie();
  EXPECT_EQ(last->version(), 3);
  EXPECT_EQ(last->manifest().data_version, FormatVersion::k2_2);
  EXPECT_EQ(last->Versions().ValueOrDie().size(), 3);
  EXPECT_EQ(last->Checkout(2).ValueOrDie()->CountRows().ValueOrDie(), 15);
  EXPECT_TRUE(HasErrorKind(last->Checkout(9).status(), ErrorKind::kVersionNotFound));
}

TEST_F(WriteTest, AnEmptyStreamCommitsToo) {
  const auto dataset = Write({}).ValueOrDie();
  EXPECT_EQ(dataset->version(), 1);
  EXPECT_EQ(dataset->CountRows().ValueOrDie(), 0);
  EXPECT_TRUE(dataset->schema()->Equals(*TableSchema()));
  EXPECT_EQ(dataset->NewScan({}).ValueOrDie()->ToTable().ValueOrDie()->num_rows(), 0);
}

TEST_F(WriteTest, AppendsMatchColumnsByName) {
  ASSERT_TRUE(Write({Sequence(0, 2)}).ok());
  const auto rows = Sequence(2, 4);
  const auto swapped = arrow::schema({TableSchema()->field(1), TableSchema()->field(0)});
  ASSERT_TRUE(Append(arrow::RecordBatch::Make(swapped, 2, {rows->column(1), rows->column(0)})).ok());
  const auto only_a =
      arrow::RecordBatch::Make(arrow::schema({TableSchema()->field(0)}), 2, {Sequence(4, 6)->column(0)});
  const auto dataset = Append(only_a).ValueOrDie();
  const auto table = dataset->NewScan({}).ValueOrDie()->ToTable().ValueOrDie();
  EXPECT_EQ(ValuesOf(table), (std::vector<int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(table->column(1)->GetScalar(2).ValueOrDie()->ToString(), "s2");
  EXPECT_FALSE(table->column(1)->GetScalar(4).ValueOrDie()->is_valid) << "a column the file does not have";
}

TEST_F(WriteTest, OtherSchemasAreRefusedByColumn) {
  ASSERT_TRUE(Write({Sequence(0, 2)}).ok());
  const auto extra = arrow::RecordBatch::Make(arrow::schema({arrow::field("x", arrow::int64())}), 2,
                                              {Sequence(0, 2)->column(0)});
  auto status = Append(extra).status();
  EXPECT_TRUE(status.IsInvalid() && status.message().find("unexpected=[x]") != std::string::npos) << status;
  const auto other = arrow::RecordBatch::Make(arrow::schema({arrow::field("a", arrow::utf8())}), 2,
                                              {Sequence(0, 2)->column(1)});
  status = Append(other).status();
  EXPECT_TRUE(status.IsInvalid() && status.message().find("`a` should have type int64") != std::string::npos)
      << status;
  EXPECT_EQ(NumDataFiles(), 1);
}

TEST_F(WriteTest, AFailedWriteLeavesNoFiles) {
  ASSERT_TRUE(Write({Sequence(0, 2)}).ok());
  WriteOptions options;
  options.mode = WriteMode::kAppend;
  options.max_rows_per_file = 10;
  faults_->Fail(StoreOperation::kClose, "data/", 1, FaultInjector::When::kBefore,
                arrow::Status::IOError("No space left on device"));
  EXPECT_TRUE(Write({Sequence(0, 35)}, options).status().IsIOError());
  EXPECT_EQ(NumDataFiles(), 1);
  EXPECT_EQ(Dataset::Open(location_).ValueOrDie()->version(), 1);
}

TEST_F(WriteTest, NullsInAColumnThatMustNotHaveThemAreNamed) {
  const auto schema = arrow::schema({arrow::field("a", arrow::int64(), /*nullable=*/false)});
  const auto batch =
      arrow::RecordBatch::Make(schema, 1, {arrow::MakeArrayOfNull(arrow::int64(), 1).ValueOrDie()});
  const auto status = Write({batch}).status();
  EXPECT_TRUE(status.IsInvalid() && status.message().find("`a`") != std::string::npos) << status;
  EXPECT_EQ(NumDataFiles(), 0);
}

TEST_F(WriteTest, FilesOfACommitThatNeverCameToItsLastWriteAreDeleted) {
  ASSERT_TRUE(Write({Sequence(0, 2)}).ok());
  faults_->Fail(StoreOperation::kPut, "_transactions/", 1, FaultInjector::When::kBefore,
                arrow::Status::IOError("No space left on device"));
  EXPECT_TRUE(Append(Sequence(2, 4)).status().IsIOError());
  EXPECT_EQ(NumDataFiles(), 1);
}

TEST_F(WriteTest, FilesOfACommitWithoutAnAnswerAreKept) {
  ASSERT_TRUE(Write({Sequence(0, 2)}).ok());
  faults_->Fail(StoreOperation::kPutIfAbsent, "_versions/", 1, FaultInjector::When::kAfter);
  EXPECT_FALSE(Append(Sequence(2, 4)).ok()) << "the answer is lost, the version is there";
  EXPECT_EQ(
      Dataset::Open(location_).ValueOrDie()->NewScan({}).ValueOrDie()->ToTable().ValueOrDie()->num_rows(), 4);
}

TEST_F(WriteTest, ConcurrentAppendsAllLand) {
  ASSERT_TRUE(Write({Sequence(0, 1)}).ok());
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        if (!Append(Sequence(100 * t + 10 * i, 100 * t + 10 * i + 10)).ok()) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Dataset::Open(location_).ValueOrDie()->CountRows().ValueOrDie(), 201);
}

TEST_F(WriteTest, MissingTablesAreNamed) {
  const auto status = Dataset::Open(StoreLocation{MakeMemoryStore(), "nowhere"}).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kDatasetNotFound)) << status;
}

}  // namespace pilum
