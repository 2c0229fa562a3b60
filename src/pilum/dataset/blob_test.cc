// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/blob.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pilum/dataset/test_tables.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using ::testing::HasSubstr;
using Values = std::vector<std::optional<std::string>>;

constexpr char kInlineThreshold[] = "lance-encoding:blob-inline-size-threshold";
constexpr char kDedicatedThreshold[] = "lance-encoding:blob-dedicated-size-threshold";

/// A column "b" of blobs of version 2, values of up to 10 bytes inline, of up to 20 packed.
std::shared_ptr<arrow::RecordBatch> BlobBatch(const Values& values,
                                              const std::string& inline_threshold = "10") {
  arrow::LargeBinaryBuilder data;
  arrow::StringBuilder uri;
  for (const auto& value : values) {
    EXPECT_TRUE((value ? data.Append(*value) : data.AppendNull()).ok());
    EXPECT_TRUE(uri.AppendNull().ok());
  }
  const auto column = arrow::StructArray::Make({data.Finish().ValueOrDie(), uri.Finish().ValueOrDie()},
                                               std::vector<std::string>{"data", "uri"})
                          .ValueOrDie();
  const auto metadata =
      arrow::key_value_metadata({"ARROW:extension:name", kInlineThreshold, kDedicatedThreshold},
                                {kBlobV2Extension, inline_threshold, "20"});
  const auto field = arrow::field("b", column->type(), /*nullable=*/true, metadata);
  return arrow::RecordBatch::Make(arrow::schema({field}), column->length(), {column});
}

Values Take(const Dataset& dataset, std::vector<uint64_t> addresses) {
  Values values;
  for (const auto& row : dataset.TakeBlobs("b", addresses).ValueOrDie()) {
    values.push_back(std::nullopt);
    if (row.blob) values.back() = row.blob->Read(0, row.blob->size()).ValueOrDie()->ToString();
  }
  return values;
}

const Values kValues{
    "short", std::nullopt, "", std::string(15, 'p'), std::string(30, 'd'), std::string(16, 'q')};

}  // namespace

class BlobTest : public DatasetTest {
 protected:
  arrow::Result<std::shared_ptr<Dataset>> WriteBlobs(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                     WriteMode mode = WriteMode::kCreate) {
    WriteOptions options;
    options.mode = mode;
    options.data_storage_version = FormatVersion::k2_2;
    return Write({batch}, options);
  }
  /// Paths of the sidecars, of all data files.
  std::vector<std::string> Sidecars() {
    std::vector<std::string> paths;
    for (const auto& folder : location_.store->List("data").ValueOrDie().directories) {
      for (const auto& object : location_.store->List("data/" + folder).ValueOrDie().objects)
        paths.push_back("data/" + folder + "/" + object.name);
    }
    return paths;
  }
};

TEST_F(BlobTest, ValuesGoByTheirSizes) {
  const auto dataset = WriteBlobs(BlobBatch(kValues)).ValueOrDie();
  const auto table = dataset->NewScan({}).ValueOrDie()->ToTable().ValueOrDie();
  const auto& rows = static_cast<const arrow::StructArray&>(*table->column(0)->chunk(0));
  const auto& kinds = static_cast<const arrow::UInt8Array&>(*rows.field(0));
  const auto& ids = static_cast<const arrow::UInt32Array&>(*rows.field(3));
  EXPECT_TRUE(rows.IsNull(1));
  const std::vector<std::pair<int, int>> expected{{0, 0}, {0, 0}, {0, 0}, {1, 1}, {2, 2}, {1, 1}};
  for (int64_t row = 0; row < 6; ++row) {
    EXPECT_EQ(std::pair(int{kinds.Value(row)}, static_cast<int>(ids.Value(row))),
              expected[static_cast<size_t>(row)])
        << row;
  }
  EXPECT_EQ(Sidecars().size(), 2);
  EXPECT_EQ(Take(*dataset, {5, 4, 3, 2, 1, 0}), Values(kValues.rbegin(), kValues.rend()));
}

TEST_F(BlobTest, ScansShowBytesIfAskedFor) {
  const auto dataset = WriteBlobs(BlobBatch(kValues)).ValueOrDie();
  ScanOptions options;
  options.blob_handling = BlobHandling::kBinary;
  options.filter = "b is not null";
  const auto table = dataset->NewScan(options).ValueOrDie()->ToTable().ValueOrDie();
  ASSERT_EQ(table->num_rows(), 5);
  const auto& bytes = static_cast<const arrow::LargeBinaryArray&>(*table->column(0)->chunk(0));
  EXPECT_EQ(bytes.GetView(0), "short");
  EXPECT_EQ(bytes.GetView(1), "");
  EXPECT_EQ(bytes.GetView(3), std::string(30, 'd'));
}

TEST_F(BlobTest, TakingReadsNoValue) {
  const Values values(50, std::string(5000, 'x'));
  const auto dataset = WriteBlobs(BlobBatch(values, "6000")).ValueOrDie();
  ASSERT_TRUE(dataset->TakeBlobs("b", std::vector<uint64_t>{3}).ok());  // opens the file
  counter_->Reset();
  const auto found = dataset->TakeBlobs("b", std::vector<uint64_t>{3, 7}).ValueOrDie();
  EXPECT_LT(counter_->bytes_read(), 1000);
  counter_->Reset();
  EXPECT_EQ(found[1].blob->Read(10, 20).ValueOrDie()->size(), 20);
  EXPECT_EQ(counter_->bytes_read(), 20);
  EXPECT_TRUE(found[1].blob->Read(4990, 20).status().IsIndexError());
}

// Names below the top level may repeat; a path names the first.
TEST_F(BlobTest, ChildrenOfTheSameNameAreToldApart) {
  const auto one = BlobBatch({"one", std::nullopt}), two = BlobBatch({"two", "2"});
  const auto field = one->schema()->field(0);
  const auto rows =
      arrow::StructArray::Make({one->column(0), two->column(0)}, arrow::FieldVector{field, field})
          .ValueOrDie();
  const auto dataset =
      WriteBlobs(arrow::RecordBatch::Make(arrow::schema({arrow::field("s", rows->type())}), 2, {rows}))
          .ValueOrDie();
  const auto found = dataset->TakeBlobs("s.b", std::vector<uint64_t>{0, 1}).ValueOrDie();
  EXPECT_EQ(found[0].blob->Read(0, 3).ValueOrDie()->ToString(), "one");
  EXPECT_FALSE(found[1].blob.has_value());
  EXPECT_TRUE(dataset->TakeBlobs("s", std::vector<uint64_t>{0}).status().IsInvalid());
  EXPECT_TRUE(dataset->TakeBlobs("s.", std::vector<uint64_t>{0}).status().IsKeyError());
}

TEST_F(BlobTest, AWriteThatFailsLeavesNothing) {
  for (const auto operation : {StoreOperation::kCreate, StoreOperation::kAppend, StoreOperation::kClose}) {
    for (const char* part : {"10000000", "01000000"}) {  // the pack and the dedicated file
      faults_->Fail(operation, part, 1, FaultInjector::When::kBefore);
      EXPECT_THAT(WriteBlobs(BlobBatch(kValues)).status().message(), HasSubstr("injected fault"));
      faults_->Heal();
      EXPECT_EQ(Sidecars(), std::vector<std::string>()) << part;
      EXPECT_EQ(NumDataFiles(), 0);
    }
  }
  ASSERT_TRUE(WriteBlobs(BlobBatch(kValues)).ok());
}

TEST_F(BlobTest, AMissingSidecarIsNamed) {
  const auto dataset = WriteBlobs(BlobBatch(kValues)).ValueOrDie();
  const std::string pack = Sidecars()[1];
  ASSERT_THAT(pack, HasSubstr("/10000000000000000000000000000000.blob"));
  ASSERT_TRUE(location_.store->Delete(pack).ok());
  ScanOptions options;
  options.blob_handling = BlobHandling::kBinary;
  const auto status = dataset->NewScan(options).ValueOrDie()->ToTable().status();
  EXPECT_TRUE(IsNotFound(status));
  EXPECT_THAT(status.message(), HasSubstr(pack));
  EXPECT_TRUE(dataset->NewScan({}).ValueOrDie()->ToTable().ok());  // descriptions need no sidecar
}

TEST_F(BlobTest, ATruncatedSidecarIsDamage) {
  const auto dataset = WriteBlobs(BlobBatch(kValues)).ValueOrDie();
  const std::string pack = Sidecars()[1];
  ASSERT_TRUE(location_.store->Put(pack, AsSpan("short"), Durability::kProcessCrash).ok());
  const auto found = dataset->TakeBlobs("b", std::vector<uint64_t>{3}).ValueOrDie();
  const auto status = found[0].blob->Read(0, 15).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile));
  EXPECT_THAT(status.message(), HasSubstr(pack));
}

TEST_F(BlobTest, DescriptionsAreNotTrusted) {
  const auto dataset = Create(1, 1);
  BlobLocator locator(dataset->location(), dataset->manifest());
  struct Case {
    uint8_t kind;
    uint64_t position, size;
    uint32_t id;
    const char* uri;
    const char* message;
  };
  const Case cases[] = {{9, 0, 0, 0, "", "Unknown blob kind 9"},
                        {0, ~uint64_t{0}, 5, 0, "", "a blob of 5 bytes at 18446744073709551615"},
                        {1, 5, ~uint64_t{0} - 3, 1, "", "bytes at 5"},
                        {2, 0, uint64_t{1} << 63, 1, "", "a blob of 9223372036854775808"},
                        {3, 0, 0, 7, "x", "the unknown base path 7"}};
  for (const Case& c : cases) {
    arrow::ArrayVector children(5);
    arrow::UInt8Builder kind;
    arrow::UInt64Builder position, size;
    arrow::UInt32Builder id;
    arrow::StringBuilder uri;
    ASSERT_TRUE(kind.Append(c.kind).ok() && position.Append(c.position).ok() && size.Append(c.size).ok() &&
                id.Append(c.id).ok() && uri.Append(c.uri).ok());
    ASSERT_TRUE(kind.Finish(&children[0]).ok() && position.Finish(&children[1]).ok() &&
                size.Finish(&children[2]).ok() && id.Finish(&children[3]).ok() &&
                uri.Finish(&children[4]).ok());
    const arrow::StructArray row(BlobV2DescriptionType(), 1, children);
    const auto status = locator.Locate(row, 0, "f.lance").status();
    EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << c.message;
    EXPECT_THAT(status.message(), HasSubstr(c.message));
    EXPECT_THAT(status.message(), HasSubstr("data/f.lance"));
  }
}

TEST_F(BlobTest, WhatIsNoBlobColumnIsRefused) {
  const auto dataset = Create(1, 1);
  const std::vector<uint64_t> rows{0};
  EXPECT_THAT(dataset->TakeBlobs("a", rows).status().message(),
              HasSubstr("the column 'a' is not a blob column"));
  EXPECT_TRUE(dataset->TakeBlobs("zz", rows).status().IsKeyError());
}

TEST_F(BlobTest, ThresholdsAreNumbers) {
  const auto status = WriteBlobs(BlobBatch({"x"}, "many")).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("blob-inline-size-threshold=\"many\""));
}

TEST_F(BlobTest, BlobsOfVersion2NeedFilesOfVersion2_2) {
  const auto status = Write({BlobBatch({"x"})}).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("Blob v2 requires file version >= 2.2 (got 2.1)"));
}

TEST(BlobSidecarPathTest, IsTheReversedBitsOfTheId) {
  EXPECT_EQ(BlobSidecarPath("0101ab.lance", 1), "data/0101ab/10000000000000000000000000000000.blob");
  EXPECT_EQ(BlobSidecarPath("0101ab.lance", 6), "data/0101ab/01100000000000000000000000000000.blob");
}

}  // namespace pilum
