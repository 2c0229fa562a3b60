// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/scanner.h"

#include <arrow/compute/api.h>
#include <arrow/util/byte_size.h>
#include <gtest/gtest.h>

#include "pilum/dataset/index_search.h"
#include "pilum/dataset/test_tables.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using Values = std::vector<int64_t>;

Values Range(int64_t begin, int64_t end) {
  Values values;
  for (int64_t i = begin; i < end; ++i) values.push_back(i);
  return values;
}

class ScannerTest : public DatasetTest {
 protected:
  static Values Scan(const std::shared_ptr<Dataset>& dataset, const ScanOptions& options) {
    return ValuesOf(dataset->NewScan(options).ValueOrDie()->ToTable().ValueOrDie());
  }
  static ScanOptions Where(const std::string& filter) {
    ScanOptions options;
    options.filter = filter;
    return options;
  }
};

}  // namespace

TEST_F(ScannerTest, RowsComeInManifestOrderInBatchesOfAtMostTheSize) {
  const auto dataset = Create(1000, 150);
  ScanOptions options;
  options.batch_size = 64;
  const auto reader = dataset->NewScan(options).ValueOrDie()->ToReader().ValueOrDie();
  Values values;
  while (const auto batch = reader->Next().ValueOrDie()) {
    EXPECT_LE(batch->num_rows(), 64);
    EXPECT_GT(batch->num_rows(), 0);
    const auto table = arrow::Table::FromRecordBatches({batch}).ValueOrDie();
    for (const int64_t value : ValuesOf(table)) values.push_back(value);
  }
  EXPECT_EQ(values, Range(0, 1000));
}

TEST_F(ScannerTest, BatchesMayBeCutByTheirBytes) {
  const auto dataset = Create(1000, 500);
  ScanOptions options;
  options.batch_size = 10;  // does not count
  const auto row_bytes = [&] {
    const auto table = dataset->NewScan(options).ValueOrDie()->ToTable().ValueOrDie();
    return arrow::util::ReferencedBufferSize(*table).ValueOrDie() / 1000;
  }();
  for (const int64_t rows : {1, 100, 5000}) {
    options.batch_size_bytes = rows * row_bytes;
    const auto reader = dataset->NewScan(options).ValueOrDie()->ToReader().ValueOrDie();
    int64_t num_rows = 0, largest = 0;
    while (const auto batch = reader->Next().ValueOrDie()) {
      largest = std::max(largest, batch->num_rows());
      num_rows += batch->num_rows();
    }
    EXPECT_EQ(num_rows, 1000);
    EXPECT_NEAR(static_cast<double>(largest), static_cast<double>(std::min<int64_t>(rows, 500)),
                0.2 * static_cast<double>(rows));
  }
  options.batch_size_bytes = -1;
  EXPECT_TRUE(dataset->NewScan(options).status().IsInvalid());
}

TEST_F(ScannerTest, OnlyTheColumnsOfAPartOfAStructAreRead) {
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    arrow::Int64Builder x;
    arrow::StringBuilder y;
    for (int64_t i = 0; i < 2000; ++i)
      ASSERT_TRUE(x.Append(i).ok() && y.Append(std::string(500, static_cast<char>('a' + i % 26))).ok());
    const auto rows = arrow::StructArray::Make({x.Finish().ValueOrDie(), y.Finish().ValueOrDie()},
                                               std::vector<std::string>{"x", "y"})
                          .ValueOrDie();
    WriteOptions write;
    write.data_storage_version = version;
    write.mode = WriteMode::kOverwrite;
    const auto dataset =
        Write({arrow::RecordBatch::Make(arrow::schema({arrow::field("s", rows->type())}), 2000, {rows})},
              write)
            .ValueOrDie();
    ScanOptions options;
    options.columns = std::vector<std::string>{"s.x"};
    const auto scanner = dataset->NewScan(options).ValueOrDie();
    ASSERT_TRUE(dataset->TakeAddresses(std::vector<uint64_t>{0}).ok());  // opens the file
    counter_->Reset();
    const auto table = scanner->ToTable().ValueOrDie();
    EXPECT_EQ(table->schema()->field(0)->name(), "s.x");
    EXPECT_EQ(ValuesOf(table->RenameColumns({"a"}).ValueOrDie()), Range(0, 2000));
    EXPECT_LT(counter_->bytes_read(), 2000 * 8 + 4096) << "the text has a million bytes";
    const auto taken = dataset->TakeAddresses(std::vector<uint64_t>{7}, {"s.x"}).ValueOrDie();
    EXPECT_EQ(taken->schema()->field(0)->type()->num_fields(), 1);
  }
}

TEST_F(ScannerTest, DeletedRowsAreLeftOut) {
  auto dataset = Create(40, 10);
  dataset = Delete(dataset, 1, {0, 1, 2, 9});
  dataset = Delete(dataset, 3, {5});
  Values expected = Range(0, 10);
  for (const int64_t i : {13, 14, 15, 16, 17, 18}) expected.push_back(i);
  for (const int64_t i : Range(20, 40)) {
    if (i != 35) expected.push_back(i);
  }
  EXPECT_EQ(Scan(dataset, {}), expected);
  EXPECT_EQ(dataset->CountRows().ValueOrDie(), 35);
  EXPECT_EQ(dataset->CountRows("a >= 10 AND a < 20").ValueOrDie(), 6);
  EXPECT_EQ(Scan(dataset, Where("a IN (12, 13, 35, 36)")), (Values{13, 36}));
}

TEST_F(ScannerTest, LimitAndOffsetCountLiveRows) {
  const auto dataset = Delete(Create(40, 10), 0, {0, 1, 2});
  for (const auto& [offset, limit] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 3}, {5, 4}, {7, 1}, {6, 30}, {36, 9}, {37, 5}, {90, 1}, {3, 0}}) {
    ScanOptions options;
    options.offset = offset;
    options.limit = limit;
    const int64_t begin = std::min<int64_t>(offset + 3, 40), end = std::min<int64_t>(begin + limit, 40);
    EXPECT_EQ(Scan(dataset, options), Range(begin, end)) << offset << " " << limit;
    options.filter = "a >= 0";
    EXPECT_EQ(Scan(dataset, options), Range(begin, end)) << offset << " " << limit << " with a filter";
  }
}

TEST_F(ScannerTest, ALimitReadsOnlyTheFragmentsItNeeds) {
  const auto dataset = Create(1000, 100);
  ScanOptions options;
  options.limit = 5;
  counter_->Reset();
  EXPECT_EQ(Scan(dataset, options), Range(0, 5));
  EXPECT_EQ(counter_->num_requests(StoreOperation::kOpen), 1);
}

TEST_F(ScannerTest, ColumnsOfAFilterNeedNotBeInTheResult) {
  const auto dataset = Create(100, 30);
  ScanOptions options = Where("s = 's42' OR a = 7");
  options.columns = {{"a"}};
  const auto table = dataset->NewScan(options).ValueOrDie()->ToTable().ValueOrDie();
  EXPECT_EQ(table->ColumnNames(), std::vector<std::string>{"a"});
  EXPECT_EQ(ValuesOf(table), (Values{7, 42}));
  options.columns = {{"s", "_rowid", "a"}};
  const auto ordered = dataset->NewScan(options).ValueOrDie()->ToTable().ValueOrDie();
  EXPECT_EQ(ordered->ColumnNames(), (std::vector<std::string>{"s", "_rowid", "a"}));
  EXPECT_EQ(ordered->column(1)->GetScalar(1).ValueOrDie()->ToString(),
            std::to_string((uint64_t{1} << 32) + 12));
}

TEST_F(ScannerTest, DenseAndSparseFiltersGiveTheSameRows) {
  const auto dataset = Delete(Create(5000, 5000), 0, {0, 17, 4999});
  for (const char* filter : {"a % 2 = 1", "a % 500 = 1", "a < 4000", "s IS NULL", "a = 3", "false", "true"}) {
    const auto all = dataset->NewScan({}).ValueOrDie()->ToTable().ValueOrDie();
    const auto found = dataset->NewScan(Where(filter)).ValueOrDie()->ToTable().ValueOrDie();
    Values expected;
    for (const int64_t a : ValuesOf(all)) {
      const std::string f = filter;
      const bool passes = f == "true" || (f == "a % 2 = 1" && a % 2 == 1) ||
                          (f == "a % 500 = 1" && a % 500 == 1) || (f == "a < 4000" && a < 4000) ||
                          (f == "s IS NULL" && a % 4 == 3) || (f == "a = 3" && a == 3);
      if (passes) expected.push_back(a);
    }
    EXPECT_EQ(ValuesOf(found), expected) << filter;
    EXPECT_TRUE(found->ValidateFull().ok());
  }
}

TEST_F(ScannerTest, FiltersMayNameRowIdsAndBeExpressions) {
  const auto dataset = Create(20, 10);
  EXPECT_EQ(Scan(dataset, Where("_rowid = 4294967299")), (Values{13}));
  EXPECT_EQ(Scan(dataset, Where("_rowaddr < 2")), (Values{0, 1}));
  ScanOptions options = Where("a > 3");
  options.filter_expression =
      arrow::compute::less(arrow::compute::field_ref("a"), arrow::compute::literal(int64_t{6}));
  EXPECT_EQ(Scan(dataset, options), (Values{4, 5})) << "both have to pass";
}

TEST_F(ScannerTest, BadOptionsAreErrorsOfThePlan) {
  const auto dataset = Create(5, 5);
  for (const auto& columns : std::vector<std::vector<std::string>>{{"zz"}, {"a", "a"}}) {
    ScanOptions options;
    options.columns = columns;
    EXPECT_TRUE(dataset->NewScan(options).status().IsInvalid());
  }
  EXPECT_TRUE(dataset->NewScan(Where("a = ")).status().IsInvalid());
  EXPECT_TRUE(dataset->NewScan(Where("zz = 1")).status().IsInvalid());
  ScanOptions limit;
  limit.limit = -1;
  EXPECT_TRUE(dataset->NewScan(limit).status().IsInvalid());
  ScanOptions fragments;
  fragments.fragment_ids = {{77}};
  EXPECT_TRUE(dataset->NewScan(fragments).status().IsInvalid());
}

TEST_F(ScannerTest, ScannersRunAgainWithEqualResults) {
  const auto scanner = Create(100, 10)->NewScan(Where("a > 50")).ValueOrDie();
  EXPECT_TRUE(scanner->ToTable().ValueOrDie()->Equals(*scanner->ToTable().ValueOrDie()));
  EXPECT_EQ(scanner->CountRows().ValueOrDie(), 49);
}

TEST_F(ScannerTest, AnIndexAnswersWhatAScanAnswers) {
  auto dataset = AddIndex(Create(400, 100), 4);
  dataset = Append(Sequence(400, 420)).ValueOrDie();  // not covered
  dataset = Delete(dataset, 1, {5, 6});
  for (const char* filter : {"a = 105", "a = 107", "a IN (3, 106, 107, 399, 410, 999)", "a = 410", "a = 999",
                             "a = 8 AND s = 's8'", "a = 8 AND s = 'x'", "a IN (NULL)"}) {
    auto options = Where(filter);
    const auto scanner = dataset->NewScan(options).ValueOrDie();
    EXPECT_NE(scanner->Explain().find("@a_idx(BTree)"), std::string::npos) << filter;
    options.use_scalar_index = false;
    const auto scan = dataset->NewScan(options).ValueOrDie();
    EXPECT_EQ(scan->Explain().find("@a_idx"), std::string::npos);
    EXPECT_EQ(ValuesOf(scanner->ToTable().ValueOrDie()), ValuesOf(scan->ToTable().ValueOrDie())) << filter;
  }
  EXPECT_EQ(dataset->NewScan(Where("a > 5")).ValueOrDie()->Explain().find("@a_idx"), std::string::npos);
}

TEST_F(ScannerTest, AnIndexThatNamesOtherRowsThanThereAreIsReported) {
  auto dataset = AddIndex(Create(100, 100), 1);
  auto manifest = std::make_shared<Manifest>(dataset->manifest());
  manifest->proto.mutable_fragments(0)->set_physical_rows(50);
  const auto broken = Dataset::FromManifest(dataset->location(), manifest, nullptr);
  EXPECT_FALSE(broken->NewScan(Where("a = 70")).ValueOrDie()->ToTable().ok());
}

TEST_F(ScannerTest, AMissingDataFileIsNamed) {
  const auto dataset = Create(10, 10);
  const std::string path = "data/" + dataset->manifest().fragments()[0].files(0).path();
  ASSERT_TRUE(location_.store->Delete(path).ok());
  const auto status = dataset->NewScan({}).ValueOrDie()->ToTable().status();
  EXPECT_TRUE(IsNotFound(status)) << status;
  EXPECT_NE(status.message().find(path), std::string::npos) << status;
}

TEST_F(ScannerTest, AFileWithOtherRowsThanTheManifestSaysIsDamage) {
  const auto dataset = Create(10, 10);
  auto manifest = std::make_shared<Manifest>(dataset->manifest());
  manifest->proto.mutable_fragments(0)->set_physical_rows(11);
  const auto status = Dataset::FromManifest(dataset->location(), manifest, nullptr)
                          ->NewScan({})
                          .ValueOrDie()
                          ->ToTable()
                          .status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
}

}  // namespace pilum
