// SPDX-License-Identifier: Apache-2.0
//
// The file of test_legacy_file.h, and what pylance reads from it.
#include "pilum/file/legacy_file_reader.h"

#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <google/protobuf/stubs/logging.h>

#include <string>
#include <vector>

#include "pilum/file/file_writer.h"
#include "pilum/file/test_legacy_file.h"
#include "pilum/io/memory_store.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

using testing::LegacyFileBytes;

namespace {

// Where things are in it.
constexpr size_t kStringOffsets = 2;  // i64 each, of "s" in the first batch
constexpr size_t kListOffsets = 69;   // i64 each, of "l" in the first batch
constexpr size_t kKeys = 159;         // of "d" in the first batch
constexpr size_t kPageTable = 306;    // entries of field 0, batch 0 and 1; field 1, ...
constexpr size_t kMetadata = 1554;

std::shared_ptr<arrow::Schema> FileSchema() {
  return arrow::schema(
      {arrow::field("b", arrow::boolean()), arrow::field("s", arrow::utf8()),
       arrow::field("r", arrow::binary(), false), arrow::field("l", arrow::large_list(arrow::int16())),
       arrow::field("st", arrow::struct_({arrow::field("x", arrow::int32()),
                                          arrow::field("y", arrow::list(arrow::utf8()))})),
       arrow::field("d", arrow::dictionary(arrow::int8(), arrow::utf8())),
       arrow::field("f", arrow::fixed_size_list(arrow::boolean(), 3)), arrow::field("n", arrow::null())});
}

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type, std::string_view text) {
  return arrow::json::ArrayFromJSONString(type, text).ValueOrDie();
}

/// What is left of the rows: nulls were written as zeros, empty strings and empty lists.
std::shared_ptr<arrow::RecordBatch> FileRows() {
  const auto schema = FileSchema();
  const auto type = [&](int i) { return schema->field(i)->type(); };
  return arrow::RecordBatch::Make(
      schema, 5,
      arrow::ArrayVector{
          Json(type(0), "[true, false, false, true, true]"), Json(type(1), R"(["a", null, null, "dd", "e"])"),
          Json(type(2), R"(["", "x", "yz", "", "w"])"), Json(type(3), "[[1, 2], [], [], [3], [4, 5, 6]]"),
          Json(type(4),
               R"([{"x": 1, "y": ["p", "q"]}, {"x": 0, "y": []}, {"x": 3, "y": []}, {"x": 0, "y": ["r"]},
                            {"x": 5, "y": [null, "t"]}])"),
          arrow::DictionaryArray::FromArrays(type(5), Json(arrow::int8(), "[1, 0, 0, 1, 0]"),
                                             Json(arrow::utf8(), R"(["no", "yes"])"))
              .ValueOrDie(),
          Json(type(6),
               "[[true, false, true], [false, false, false], [false, true, true], [true, true, true], "
               "[false, false, true]]"),
          Json(type(7), "[null, null, null, null, null]")});
}

arrow::Result<std::shared_ptr<FileReader>> OpenBytes(const std::string& bytes) {
  auto store = MakeMemoryStore();
  ARROW_RETURN_NOT_OK(store->Put("old.lance", AsSpan(bytes), Durability::kProcessCrash));
  ARROW_ASSIGN_OR_RAISE(auto object, store->Open("old.lance"));
  return FileReader::Open(std::move(object));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadAll(const std::string& bytes) {
  ARROW_ASSIGN_OR_RAISE(auto reader, OpenBytes(bytes));
  return reader->ReadRange(reader->WholeFile(), 0, reader->num_rows(), arrow::default_memory_pool());
}

void ExpectEqual(const arrow::RecordBatch& got, const arrow::RecordBatch& want) {
  ASSERT_TRUE(got.ValidateFull().ok()) << got.ValidateFull().ToString();
  EXPECT_TRUE(got.Equals(want, /*check_metadata=*/true)) << got.ToString() << want.ToString();
}

TEST(LegacyFileReaderTest, AFileOfPylanceReadsAsItDoesThere) {
  const auto reader = OpenBytes(LegacyFileBytes()).ValueOrDie();
  EXPECT_EQ(reader->version(), FormatVersion::kLegacy);
  EXPECT_EQ(reader->num_rows(), 5);
  EXPECT_EQ(reader->num_columns(), 12);
  EXPECT_TRUE(reader->schema()->arrow()->Equals(*FileSchema()));
  ExpectEqual(*ReadAll(LegacyFileBytes()).ValueOrDie(), *FileRows());
}

TEST(LegacyFileReaderTest, EveryRangeIsASliceOfTheWhole) {
  const auto reader = OpenBytes(LegacyFileBytes()).ValueOrDie();
  const auto projection = reader->WholeFile();
  for (int64_t begin = 0; begin <= 5; ++begin) {
    for (int64_t end = begin; end <= 5; ++end) {
      const auto rows = reader->ReadRange(projection, begin, end, arrow::default_memory_pool());
      ASSERT_TRUE(rows.ok()) << rows.status();
      ExpectEqual(**rows, *FileRows()->Slice(begin, end - begin));
    }
  }
  EXPECT_TRUE(reader->ReadRange(projection, 0, 6, arrow::default_memory_pool()).status().IsIndexError());
}

TEST(LegacyFileReaderTest, EveryChoiceOfRowsCanBeTaken) {
  const auto reader = OpenBytes(LegacyFileBytes()).ValueOrDie();
  for (unsigned choice = 0; choice < 32; ++choice) {
    std::vector<int64_t> rows;
    arrow::RecordBatchVector want;
    for (int64_t row = 0; row < 5; ++row) {
      if ((choice >> row & 1) == 0) continue;
      rows.push_back(row);
      want.push_back(FileRows()->Slice(row, 1));
    }
    const auto taken = reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool());
    ASSERT_TRUE(taken.ok()) << taken.status();
    ExpectEqual(**taken, *arrow::Table::FromRecordBatches(FileSchema(), want)
                              .ValueOrDie()
                              ->CombineChunksToBatch()
                              .ValueOrDie());
  }
}

TEST(LegacyFileReaderTest, ColumnsAreFoundByFieldId) {
  const auto reader = OpenBytes(LegacyFileBytes()).ValueOrDie();
  const FileProjection projection{arrow::schema({FileSchema()->field(5), FileSchema()->field(0)}), {9, 0}};
  const auto rows = reader->ReadRange(projection, 1, 4, arrow::default_memory_pool()).ValueOrDie();
  EXPECT_TRUE(rows->column(0)->Equals(FileRows()->column(5)->Slice(1, 3)));
  EXPECT_TRUE(rows->column(1)->Equals(FileRows()->column(0)->Slice(1, 3)));
  const FileProjection unknown{arrow::schema({FileSchema()->field(0)}), {12}};
  EXPECT_TRUE(reader->ReadRange(unknown, 0, 5, arrow::default_memory_pool()).status().IsInvalid());
}

TEST(LegacyFileReaderTest, AFieldOfAStructIsReadWithoutItsNeighbours) {
  const auto reader = OpenBytes(LegacyFileBytes()).ValueOrDie();
  const auto projection =
      FileProjection::Make(*reader->schema(), reader->version(), {"st.y", "b"}).ValueOrDie();
  EXPECT_EQ(projection.column_indices, (std::vector<int32_t>{5, 7, 8, 0}));
  const auto rows = reader->ReadRange(projection, 0, 5, arrow::default_memory_pool()).ValueOrDie();
  EXPECT_TRUE(rows->column(0)->Equals(*Json(projection.schema->field(0)->type(),
                                            R"([{"y": ["p", "q"]}, {"y": []}, {"y": []}, {"y": ["r"]},
                                                {"y": [null, "t"]}])")));
  EXPECT_TRUE(rows->column(1)->Equals(FileRows()->column(0)));
}

TEST(LegacyFileReaderTest, AnEmptyStringIsANullWhereTheColumnMayHoldOne) {
  const auto reader = OpenBytes(LegacyFileBytes()).ValueOrDie();
  const FileProjection projection{arrow::schema({arrow::field("r", arrow::binary(), true)}), {2}};
  const auto rows = reader->ReadRange(projection, 0, 5, arrow::default_memory_pool()).ValueOrDie();
  EXPECT_TRUE(rows->column(0)->Equals(*Json(arrow::binary(), R"([null, "x", "yz", null, "w"])")));
}

TEST(LegacyFileReaderTest, OlderMinorVersionsAreTheSameFormat) {
  for (const char minor : {0, 1}) {
    std::string bytes = LegacyFileBytes();
    bytes[bytes.size() - 6] = minor;
    ExpectEqual(*ReadAll(bytes).ValueOrDie(), *FileRows());
  }
}

TEST(LegacyFileReaderTest, ItHasNoGlobalBuffersAndIsNotWritten) {
  const auto reader = OpenBytes(LegacyFileBytes()).ValueOrDie();
  EXPECT_TRUE(reader->ReadGlobalBuffer(0).status().IsInvalid());
  EXPECT_TRUE(reader->Describe().status().IsNotImplemented());
  auto store = MakeMemoryStore();
  FileWriterOptions options;
  options.version = FormatVersion::kLegacy;
  const auto writer =
      FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(), reader->schema(), options);
  EXPECT_TRUE(writer.status().IsNotImplemented());
  EXPECT_THAT(writer.status().message(), ::testing::HasSubstr("0.1"));
}

/// The error of reading the file with an i64 put at `at`.
arrow::Status ReadWith(size_t at, int64_t value) {
  std::string bytes = LegacyFileBytes();
  StoreLE<int64_t>(&bytes[at], value);
  return ReadAll(bytes).status();
}

void ExpectDamage(const arrow::Status& status, std::string_view what, int64_t offset) {
  ASSERT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_THAT(status.message(), ::testing::HasSubstr("old.lance"));
  EXPECT_THAT(status.message(), ::testing::HasSubstr(what));
  EXPECT_EQ(static_cast<const ErrorDetail&>(*status.detail()).offset(), offset);
}

TEST(LegacyFileReaderTest, DamageIsReportedWithFileAndOffset) {
  const size_t table_of_s = kPageTable + 32;  // behind two batches of "b"
  ExpectDamage(ReadWith(table_of_s, 1 << 20), "leaves the file", 1 << 20);
  ExpectDamage(ReadWith(table_of_s, -8), "leaves the file", -8);
  ExpectDamage(ReadWith(table_of_s + 8, INT64_MAX), "leaves the file", 2);
  ExpectDamage(ReadWith(table_of_s + 8, -1), "of a page of 0", 2);
  ExpectDamage(ReadWith(table_of_s + 8, 2), "0 to 4 of a page of 3", 2);
  ExpectDamage(ReadWith(kStringOffsets + 8, 0), "a text", kStringOffsets + 8);
  ExpectDamage(ReadWith(kStringOffsets + 24, 1 << 20), "a text", kStringOffsets + 24);
  ExpectDamage(ReadWith(kListOffsets + 8, 3), "a list", kListOffsets + 16);
  ExpectDamage(ReadWith(kListOffsets + 8, INT64_MIN), "a list", kListOffsets + 8);
  ExpectDamage(ReadWith(kListOffsets + 24, int64_t{1} << 40), "a list", kListOffsets + 24);
  std::string bytes = LegacyFileBytes();
  ExpectDamage(ReadWith(bytes.size() - 16, -1), "metadata outside", -1);
  ExpectDamage(ReadWith(bytes.size() - 16, INT64_MAX), "metadata outside", INT64_MAX);
  bytes[kKeys + 1] = 2;
  ExpectDamage(ReadAll(bytes).status(), "a key", kKeys + 1);
  bytes[kKeys + 1] = -1;
  ExpectDamage(ReadAll(bytes).status(), "a key", kKeys + 1);
  bytes = LegacyFileBytes();
  StoreLE<uint32_t>(&bytes[kMetadata], UINT32_MAX);
  ExpectDamage(ReadAll(bytes).status(), "leaves the file", kMetadata);
}

TEST(LegacyFileReaderTest, ATruncatedFileDoesNotOpen) {
  const std::string bytes = LegacyFileBytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto status = OpenBytes(bytes.substr(0, size)).status();
    EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << size << " " << status;
  }
}

TEST(LegacyFileReaderTest, AFileWithoutItsBeginningIsDamageOrOtherValues) {
  const std::string bytes = LegacyFileBytes();
  for (size_t size = 0; size < bytes.size(); ++size) (void)ReadAll(bytes.substr(size));
}

TEST(LegacyFileReaderTest, AnyFlippedBitIsAnErrorOrOtherValues) {
  google::protobuf::SetLogHandler(nullptr);  // it has a lot to say about damaged messages
  std::string bytes = LegacyFileBytes();
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 7) {
    const auto flip = [&] { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8)); };
    flip();
    const auto reader = OpenBytes(bytes);
    if (reader.ok()) {
      const int64_t n = std::min<int64_t>((*reader)->num_rows(), 1'000'000);
      const auto rows = (*reader)->ReadRange((*reader)->WholeFile(), 0, n, arrow::default_memory_pool());
      if (rows.ok()) {
        EXPECT_TRUE((*rows)->Validate().ok()) << bit;
      }
      const std::vector<int64_t> last{n - 1};
      if (n > 0) (void)(*reader)->Take((*reader)->WholeFile(), last, arrow::default_memory_pool());
    }
    flip();
  }
}

}  // namespace
}  // namespace pilum
