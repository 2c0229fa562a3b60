// SPDX-License-Identifier: Apache-2.0
//
// What FileWriter writes, FileReader reads; damage of any byte is an error or other values, never a crash.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <arrow/util/thread_pool.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <random>

#include "pilum/file/column_metadata.h"
#include "pilum/file/file_reader.h"
#include "pilum/file/file_writer.h"
#include "pilum/file/footer.h"
#include "pilum/file/random_batch.h"
#include "pilum/file/test_files.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

using testing::ExpectEqual;
using testing::ExpectRoundTrip;
using testing::LeafTypes;
using testing::NestedTypes;
using testing::OpenFile;
using testing::RandomBatch;
using testing::RandomColumn;
using testing::WriteFile;

namespace {

/// A choice of rows of `batch`, by the slow way.
std::shared_ptr<arrow::RecordBatch> Rows(const arrow::RecordBatch& batch, const std::vector<int64_t>& rows) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> slices;
  for (const int64_t row : rows) slices.push_back(batch.Slice(row, 1));
  return arrow::Table::FromRecordBatches(batch.schema(), slices)
      .ValueOrDie()
      ->CombineChunksToBatch()
      .ValueOrDie();
}

struct Case {
  FormatVersion version;
  double nulls;
  int64_t rows;
  int64_t longest;
};

class FileRoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(FileRoundTrip, ScansRangesAndTakesGiveTheRowsThatWereWritten) {
  const Case& param = GetParam();
  std::mt19937_64 random(param.rows + static_cast<int64_t>(param.version));
  const auto batch = RandomBatch(LeafTypes(), param.rows, {param.nulls, param.longest, true}, random);
  auto store = MakeMemoryStore();
  FileWriterOptions options;
  options.version = param.version;
  options.page_bytes = 40'000;  // several pages
  ASSERT_TRUE(WriteFile(store.get(), "f.lance", *batch, options, 700).ok());
  auto reader = OpenFile(store.get(), "f.lance");
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_EQ((*reader)->version(), param.version);
  EXPECT_EQ((*reader)->num_rows(), param.rows);
  const auto projection = (*reader)->WholeFile();
  auto all = (*reader)->ReadRange(projection, 0, param.rows, arrow::default_memory_pool());
  ASSERT_TRUE(all.ok()) << all.status().ToString();
  ExpectEqual(**all, *batch);
  for (int i = 0; i < 5; ++i) {
    const int64_t begin = static_cast<int64_t>(random() % static_cast<uint64_t>(param.rows));
    const int64_t end =
        begin + static_cast<int64_t>(random() % static_cast<uint64_t>(param.rows - begin + 1));
    auto range = (*reader)->ReadRange(projection, begin, end, arrow::default_memory_pool());
    ASSERT_TRUE(range.ok()) << range.status().ToString();
    ExpectEqual(**range, *batch->Slice(begin, end - begin));
    std::vector<int64_t> rows;
    for (int64_t row = begin % 7; row < param.rows; row += 1 + static_cast<int64_t>(random() % 97))
      rows.push_back(row);
    auto taken = (*reader)->Take(projection, rows, arrow::default_memory_pool());
    ASSERT_TRUE(taken.ok()) << taken.status().ToString();
    ExpectEqual(**taken, *Rows(*batch, rows));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Versions, FileRoundTrip,
    ::testing::Values(Case{FormatVersion::k2_1, 0.2, 5000, 20}, Case{FormatVersion::k2_1, 0.0, 5000, 20},
                      Case{FormatVersion::k2_1, 1.0, 3000, 20}, Case{FormatVersion::k2_1, 0.1, 1, 20},
                      Case{FormatVersion::k2_1, 0.1, 1024, 600}, Case{FormatVersion::k2_2, 0.2, 4097, 20},
                      Case{FormatVersion::k2_2, 0.0, 1025, 700}, Case{FormatVersion::k2_0, 0.2, 3000, 20},
                      Case{FormatVersion::k2_0, 0.0, 1023, 300}, Case{FormatVersion::k2_0, 1.0, 300, 20}));

TEST(FileRoundTripTest, AFileWithoutRowsHasItsSchema) {
  auto store = MakeMemoryStore();
  std::mt19937_64 random(1);
  const auto batch = RandomBatch(LeafTypes(), 0, {}, random);
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, {}, 1).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  EXPECT_EQ(reader->num_rows(), 0);
  EXPECT_TRUE(reader->schema()->arrow()->Equals(*batch->schema()));
  EXPECT_EQ(
      reader->ReadRange(reader->WholeFile(), 0, 0, arrow::default_memory_pool()).ValueOrDie()->num_rows(), 0);
  EXPECT_TRUE(
      reader->ReadRange(reader->WholeFile(), 0, 1, arrow::default_memory_pool()).status().IsIndexError());
}

TEST(FileRoundTripTest, GlobalBuffersAndSchemaMetadataComeBack) {
  auto store = MakeMemoryStore();
  std::mt19937_64 random(2);
  const auto batch = RandomBatch({arrow::int32()}, 10, {}, random);
  auto schema = Schema::FromArrow(*batch->schema()).ValueOrDie();
  auto writer =
      FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(), schema).ValueOrDie();
  EXPECT_EQ(writer->AddGlobalBuffer(AsSpan("hello")).ValueOrDie(), 1);
  ASSERT_TRUE(writer->Write(*batch).ok());
  EXPECT_EQ(writer->AddGlobalBuffer(AsSpan("world")).ValueOrDie(), 2);
  writer->AddSchemaMetadata("key", "value");
  EXPECT_EQ(writer->Finish().ValueOrDie().num_rows, 10);
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  EXPECT_EQ(AsStringView(*reader->ReadGlobalBuffer(1).ValueOrDie()), "hello");
  EXPECT_EQ(AsStringView(*reader->ReadGlobalBuffer(2).ValueOrDie()), "world");
  EXPECT_TRUE(reader->ReadGlobalBuffer(3).status().IsInvalid());
  EXPECT_EQ(reader->schema()->arrow()->metadata()->Get("key").ValueOrDie(), "value");
}

TEST(FileRoundTripTest, AnAbandonedFileLeavesNothing) {
  auto store = MakeMemoryStore();
  std::mt19937_64 random(3);
  const auto batch = RandomBatch({arrow::int32()}, 10, {}, random);
  {
    auto schema = Schema::FromArrow(*batch->schema()).ValueOrDie();
    auto writer =
        FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(), schema).ValueOrDie();
    ASSERT_TRUE(writer->Write(*batch).ok());
  }
  EXPECT_FALSE(store->Exists("f").ValueOrDie());
}

TEST(FileRoundTripTest, WrongBatchesNameTheColumn) {
  auto store = MakeMemoryStore();
  auto schema =
      Schema::FromArrow(*arrow::schema({arrow::field("a", arrow::int32(), /*nullable=*/false)})).ValueOrDie();
  auto writer =
      FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(), schema).ValueOrDie();
  std::mt19937_64 random(4);
  const auto nulls =
      RandomBatch({arrow::int32()}, 100, {0.5, 1, true}, random)->RenameColumns({"a"}).ValueOrDie();
  EXPECT_THAT(writer->Write(*nulls).message(), ::testing::HasSubstr("The field `a` contained null values"));
  const auto other = RandomBatch({arrow::utf8()}, 1, {0, 1, true}, random)->RenameColumns({"a"}).ValueOrDie();
  EXPECT_TRUE(writer->Write(*other).IsTypeError());
  const auto missing = RandomBatch({arrow::int32()}, 1, {0, 1, true}, random);
  EXPECT_THAT(writer->Write(*missing).message(), ::testing::HasSubstr("missing the column `a`"));
}

arrow::Status MakeWriter(const std::shared_ptr<arrow::DataType>& type, FormatVersion version) {
  auto store = MakeMemoryStore();
  ARROW_ASSIGN_OR_RAISE(auto schema, Schema::FromArrow(*arrow::schema({arrow::field("tags", type)})));
  ARROW_ASSIGN_OR_RAISE(auto sink, store->Create("f", Durability::kProcessCrash));
  FileWriterOptions options;
  options.version = version;
  return FileWriter::Make(std::move(sink), schema, options).status();
}

TEST(FileRoundTripTest, TypesThatAVersionDoesNotHoldAreRefusedByName) {
  const auto map = arrow::map(arrow::utf8(), arrow::int32());
  EXPECT_TRUE(MakeWriter(map, FormatVersion::k2_2).ok());
  for (const auto& [type, version] :
       {std::pair{arrow::list(map), FormatVersion::k2_0},
        {map, FormatVersion::k2_1},
        {arrow::map(arrow::utf8(), arrow::int32(), /*keys_sorted=*/true), FormatVersion::k2_2},
        {arrow::list(arrow::fixed_size_list(arrow::struct_({arrow::field("a", arrow::int8())}), 2)),
         FormatVersion::k2_1}}) {
    const auto status = MakeWriter(type, version);
    EXPECT_TRUE(status.IsNotImplemented()) << type->ToString() << " " << status.ToString();
    EXPECT_THAT(status.message(), ::testing::HasSubstr("Column '"));
  }
}

struct NestedCase {
  FormatVersion version;
  double nulls;
  int64_t rows;
  uint64_t longest_list;
  double empty_lists;
};

class NestedRoundTrip : public ::testing::TestWithParam<NestedCase> {};

TEST_P(NestedRoundTrip, ScansRangesAndTakesGiveTheRowsThatWereWritten) {
  const NestedCase& param = GetParam();
  std::mt19937_64 random(param.rows);
  RandomColumn column{param.nulls, 12, true, param.longest_list, param.empty_lists};
  for (const auto& type : NestedTypes(param.version == FormatVersion::k2_2)) {
    const auto batch = RandomBatch({arrow::int32(), type}, param.rows, column, random);
    auto store = MakeMemoryStore();
    FileWriterOptions options;
    options.version = param.version;
    options.page_bytes = 100'000;
    const auto written = WriteFile(store.get(), "f", *batch, options, 1 + param.rows / 3);
    ASSERT_TRUE(written.ok()) << type->ToString() << " " << written.ToString();
    auto reader = OpenFile(store.get(), "f").ValueOrDie();
    const auto projection = reader->WholeFile();
    auto all = reader->ReadRange(projection, 0, param.rows, arrow::default_memory_pool());
    ASSERT_TRUE(all.ok()) << type->ToString() << " " << all.status().ToString();
    ExpectEqual(**all, *batch);
    for (int round = 0; round < 4; ++round) {
      const int64_t begin = static_cast<int64_t>(random() % static_cast<uint64_t>(param.rows));
      const int64_t end =
          begin + static_cast<int64_t>(random() % static_cast<uint64_t>(param.rows - begin + 1));
      auto range = reader->ReadRange(projection, begin, end, arrow::default_memory_pool());
      ASSERT_TRUE(range.ok()) << type->ToString() << " " << range.status().ToString();
      ExpectEqual(**range, *batch->Slice(begin, end - begin));
      std::vector<int64_t> rows;
      for (int64_t row = begin % 7; row < param.rows; row += 1 + static_cast<int64_t>(random() % 97))
        rows.push_back(row);
      auto taken = reader->Take(projection, rows, arrow::default_memory_pool());
      ASSERT_TRUE(taken.ok()) << type->ToString() << " " << taken.status().ToString();
      if (!rows.empty()) ExpectEqual(**taken, *Rows(*batch, rows));  // no rows have no batches to join
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, NestedRoundTrip,
                         ::testing::Values(NestedCase{FormatVersion::k2_1, 0, 700, 4, 0},
                                           NestedCase{FormatVersion::k2_1, 0.2, 700, 4, 0.2},
                                           NestedCase{FormatVersion::k2_1, 1, 300, 4, 0},
                                           NestedCase{FormatVersion::k2_1, 0.1, 30, 3000, 0.3},
                                           NestedCase{FormatVersion::k2_1, 0.1, 1, 4, 0},
                                           NestedCase{FormatVersion::k2_2, 0.2, 700, 4, 0.2},
                                           NestedCase{FormatVersion::k2_0, 0, 700, 4, 0.2},
                                           NestedCase{FormatVersion::k2_2, 0, 500, 4, 1},
                                           NestedCase{FormatVersion::k2_2, 0.3, 40, 900, 0.1}));

TEST(FileRoundTripTest, OneLargeBatchBecomesManyPages) {
  std::mt19937_64 random(13);
  const auto batch =
      RandomBatch({arrow::uint64(), arrow::list(arrow::utf8())}, 50'000, {0, 20, false}, random);
  auto store = MakeMemoryStore();
  FileWriterOptions options;
  options.page_bytes = 50'000;
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, options, 50'000).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  const auto object = store->Open("f").ValueOrDie();
  const auto tail = FileTail::Read(object.get()).ValueOrDie();
  const auto metadata = ParseColumnMetadata(AsSpan(*tail.Slice(tail.columns[0]))).ValueOrDie();
  EXPECT_GE(metadata.pages_size(), 7);  // of 400,000 bytes
  ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 50'000, arrow::default_memory_pool()), *batch);
}

TEST(FileRoundTripTest, ListsOfVersion2_0KeepTheirNulls) {
  std::mt19937_64 random(11);
  for (const auto& type :
       {arrow::list(arrow::int64()), arrow::large_list(arrow::utf8()), arrow::list(arrow::boolean()),
        arrow::list(arrow::list(arrow::list(arrow::int16())))}) {
    const auto batch = RandomBatch({type}, 900, {0.3, 12, true, 5, 0.2}, random);
    auto store = MakeMemoryStore();
    FileWriterOptions options;
    options.version = FormatVersion::k2_0;
    options.page_bytes = 5'000;
    ASSERT_TRUE(WriteFile(store.get(), "f", *batch, options, 100).ok());
    auto reader = OpenFile(store.get(), "f").ValueOrDie();
    auto all = reader->ReadRange(reader->WholeFile(), 0, 900, arrow::default_memory_pool());
    ASSERT_TRUE(all.ok()) << type->ToString() << " " << all.status().ToString();
    ExpectEqual(**all, *batch);
    const std::vector<int64_t> rows{0, 3, 4, 99, 100, 101, 555, 899};
    ExpectEqual(**reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()), *Rows(*batch, rows));
  }
}

std::shared_ptr<arrow::RecordBatch> PackedBatch(double nulls, double child_nulls,
                                                const arrow::DataTypeVector& types = {
                                                    arrow::int32(), arrow::fixed_size_binary(5)}) {
  std::mt19937_64 random(14);
  const auto batch = RandomBatch(types, 2500, {child_nulls, 40, false}, random);
  const auto validity = nulls > 0 ? testing::RandomBits(2500, nulls, random) : nullptr;
  const auto packed = std::make_shared<arrow::StructArray>(arrow::struct_(batch->schema()->fields()), 2500,
                                                           batch->columns(), validity);
  const auto metadata = arrow::key_value_metadata({"packed"}, {"true"});
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("p", packed->type(), /*nullable=*/true, metadata)}), 2500, {packed});
}

TEST(FileRoundTripTest, PackedStructsAreOneColumn) {
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    const auto batch = PackedBatch(version == FormatVersion::k2_0 ? 0 : 0.3, 0);
    auto store = MakeMemoryStore();
    FileWriterOptions options;
    options.version = version;
    options.page_bytes = 9'000;
    ASSERT_TRUE(WriteFile(store.get(), "f", *batch, options, 700).ok());
    auto reader = OpenFile(store.get(), "f").ValueOrDie();
    EXPECT_EQ(reader->num_columns(), 1);
    ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 2500, arrow::default_memory_pool()), *batch);
    const std::vector<int64_t> rows{0, 3, 4, 1024, 2499};
    ExpectEqual(**reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()), *Rows(*batch, rows));
  }
}

/// The packed structs of a file that are at the end of `paths`, through a list or not.
std::shared_ptr<arrow::StructArray> ReadPacked(FileReader* reader, const std::vector<std::string>& paths) {
  const auto projection = FileProjection::Make(*reader->schema(), reader->version(), paths).ValueOrDie();
  const auto rows =
      reader->ReadRange(projection, 0, reader->num_rows(), arrow::default_memory_pool()).ValueOrDie();
  EXPECT_TRUE(rows->ValidateFull().ok());
  auto array = rows->column(0);
  if (array->type_id() == arrow::Type::LIST) array = static_cast<const arrow::ListArray&>(*array).values();
  return std::static_pointer_cast<arrow::StructArray>(array);
}

/// Every two of the children of `batch`, whose only column is a packed struct, or a list of them.
void ExpectPartsOfTheWhole(const arrow::RecordBatch& batch, FormatVersion version) {
  auto store = MakeMemoryStore();
  FileWriterOptions options;
  options.version = version;
  options.page_bytes = 9'000;
  ASSERT_TRUE(WriteFile(store.get(), "f", batch, options, 700).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  const auto field = batch.schema()->field(0);
  const auto whole = ReadPacked(reader.get(), {field->name()});
  const std::string around = field->type()->id() == arrow::Type::LIST ? "l.p." : "p.";
  for (int i = 0; i < whole->num_fields(); ++i) {
    for (int j = i; j < whole->num_fields(); ++j) {
      std::vector<std::string> paths{around + "c" + std::to_string(i)};
      if (j > i) paths.insert(paths.begin(), around + "c" + std::to_string(j));
      const auto part = ReadPacked(reader.get(), paths);
      EXPECT_EQ(part->num_fields(), j > i ? 2 : 1);
      EXPECT_EQ(part->null_count(), whole->null_count());
      for (const int child : {i, j}) {
        const std::string name = "c" + std::to_string(child);
        EXPECT_TRUE(part->GetFieldByName(name)->Equals(whole->GetFieldByName(name))) << name;
      }
    }
  }
}

TEST(FileRoundTripTest, PackedStructsOfVersion2_0HoldVectorsAndAreOfAnyLength) {
  const arrow::DataTypeVector types{arrow::int32(), arrow::fixed_size_list(arrow::int32(), 3),
                                    arrow::fixed_size_list(arrow::fixed_size_list(arrow::int8(), 2), 5),
                                    arrow::fixed_size_binary(300)};
  FileWriterOptions options;
  options.version = FormatVersion::k2_0;
  options.page_bytes = 90'000;
  auto store = MakeMemoryStore();
  const auto batch = PackedBatch(0, 0, types);
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, options, 700).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 2500, arrow::default_memory_pool()), *batch);
  const std::vector<int64_t> rows{0, 3, 4, 1024, 2499};
  ExpectEqual(**reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()), *Rows(*batch, rows));
  ExpectPartsOfTheWhole(*batch, FormatVersion::k2_0);

  options.version = FormatVersion::k2_1;
  EXPECT_TRUE(WriteFile(store.get(), "g", *batch, options, 700).IsNotImplemented());
}

/// @return what a file of version 2.2 says about a page of the only column.
std::string WriteAndReadPacked(const arrow::RecordBatch& batch) {
  auto store = MakeMemoryStore();
  FileWriterOptions options;
  options.version = FormatVersion::k2_2;
  options.page_bytes = 20'000;
  EXPECT_TRUE(WriteFile(store.get(), "f", batch, options, 700).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  EXPECT_EQ(reader->num_columns(), 1);
  const auto all = reader->ReadRange(reader->WholeFile(), 0, 2500, arrow::default_memory_pool());
  EXPECT_TRUE(all.ok()) << all.status();
  if (!all.ok()) return {};
  ExpectEqual(**all, batch);
  const std::vector<int64_t> rows{0, 3, 4, 1024, 2499};
  ExpectEqual(**reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()), *Rows(batch, rows));
  return reader->Describe().ValueOrDie().columns[0].pages[0].encoding;
}

TEST(FileRoundTripTest, OnlyStructsCanBePacked) {
  for (const auto& type : {arrow::list(arrow::int32()), arrow::map(arrow::int32(), arrow::int32())}) {
    const auto field = arrow::field("l", type, true, arrow::key_value_metadata({{"packed", "true"}}));
    const auto schema = Schema::FromArrow(*arrow::schema({field})).ValueOrDie();
    FileWriterOptions options;
    options.version = FormatVersion::k2_2;
    auto store = MakeMemoryStore();
    const auto status =
        FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(), schema, options)
            .status();
    EXPECT_TRUE(status.IsNotImplemented());
    EXPECT_THAT(status.message(), ::testing::HasSubstr("only structs can be packed"));
  }
}

TEST(FileRoundTripTest, AFailedWriterStaysFailed) {
  const auto faults = std::make_shared<FaultInjector>();
  const auto store = ObserveStore(MakeMemoryStore(), faults);
  std::mt19937_64 random(3);
  const auto batch = RandomBatch({arrow::int64()}, 10, {}, random);
  const auto schema = Schema::FromArrow(*batch->schema()).ValueOrDie();
  auto writer =
      FileWriter::Make(store->Create("f", Durability::kProcessCrash).ValueOrDie(), schema).ValueOrDie();
  ASSERT_TRUE(writer->Write(*batch).ok());
  faults->Fail(StoreOperation::kAppend, "f", 1, FaultInjector::When::kBefore);
  EXPECT_THAT(writer->AddGlobalBuffer(AsSpan("a")).status().message(),
              ::testing::HasSubstr("injected fault"));
  EXPECT_THAT(writer->AddGlobalBuffer(AsSpan("b")).status().message(),
              ::testing::HasSubstr("injected fault"));
  EXPECT_THAT(writer->Finish().status().message(), ::testing::HasSubstr("injected fault"));
}

TEST(FileRoundTripTest, PackedStructsWithStringsOrVectorsHaveRowsOfTheirOwnLengths) {
  for (const double nulls : {0.0, 0.3}) {
    const auto text =
        PackedBatch(nulls, 0, {arrow::int32(), arrow::utf8(), arrow::int64(), arrow::large_binary()});
    EXPECT_THAT(WriteAndReadPacked(*text), ::testing::HasSubstr("variable_packed_struct"));
    const auto vector = PackedBatch(nulls, 0, {arrow::fixed_size_list(arrow::float32(), 3), arrow::int16()});
    EXPECT_THAT(WriteAndReadPacked(*vector), ::testing::HasSubstr("variable_packed_struct"));
    const auto inner = arrow::struct_({arrow::field("x", arrow::int8()), arrow::field("y", arrow::utf8())});
    const auto nested = PackedBatch(nulls, 0, {inner, arrow::date32()});
    EXPECT_THAT(WriteAndReadPacked(*nested), ::testing::HasSubstr("variable_packed_struct"));
  }
}

TEST(FileRoundTripTest, PackedStructsWithStringsNeedVersion2_2) {
  const auto batch = PackedBatch(0, 0, {arrow::int32(), arrow::utf8()});
  const auto status = WriteFile(MakeMemoryStore().get(), "f", *batch, {}, 2500);
  EXPECT_TRUE(status.IsNotImplemented());
  EXPECT_THAT(status.message(), ::testing::HasSubstr("need version 2.2"));
}

TEST(FileRoundTripTest, APartOfAPackedStructIsThatOfTheWhole) {
  const arrow::DataTypeVector fixed{arrow::int32(), arrow::fixed_size_binary(5), arrow::int64()};
  const arrow::DataTypeVector rows{arrow::utf8(), arrow::fixed_size_list(arrow::int16(), 3), arrow::int32(),
                                   arrow::struct_({arrow::field("x", arrow::binary())})};
  for (const auto& [version, types, nulls] :
       {std::tuple{FormatVersion::k2_0, fixed, 0.0}, std::tuple{FormatVersion::k2_1, fixed, 0.3},
        std::tuple{FormatVersion::k2_2, fixed, 0.3}, std::tuple{FormatVersion::k2_2, rows, 0.3}}) {
    const auto packed = PackedBatch(nulls, 0, types);
    ExpectPartsOfTheWhole(*packed, version);
    arrow::Int32Builder ends;
    ASSERT_TRUE(ends.AppendValues({0, 3, 3, 2500}).ok());
    const auto lists = arrow::ListArray::FromArrays(arrow::list(packed->schema()->field(0)),
                                                    *ends.Finish().ValueOrDie(), *packed->column(0))
                           .ValueOrDie();
    ExpectPartsOfTheWhole(
        *arrow::RecordBatch::Make(arrow::schema({arrow::field("l", lists->type())}), 3, {lists}), version);
  }
}

TEST(FileRoundTripTest, VectorsOfBooleansWithNullItemsAreNotZippedWhateverIsAsked) {
  std::mt19937_64 random(14);
  auto batch = RandomBatch({arrow::fixed_size_list(arrow::boolean(), 8)}, 900, {0.2, 0, false}, random);
  const auto metadata = arrow::key_value_metadata({{"lance-encoding:structural-encoding", "fullzip"}});
  const auto field = batch->schema()->field(0)->WithMetadata(metadata);
  batch = arrow::RecordBatch::Make(arrow::schema({field}), 900, batch->columns());
  auto store = MakeMemoryStore();
  ASSERT_TRUE(WriteFile(store.get(), "f", *batch, {}, 900).ok());
  auto reader = OpenFile(store.get(), "f").ValueOrDie();
  EXPECT_THAT(reader->Describe().ValueOrDie().columns[0].pages[0].encoding,
              ::testing::HasSubstr("mini_block"));
  ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 900, arrow::default_memory_pool()), *batch);
}

TEST(FileRoundTripTest, PackedStructsHaveNoPlaceForNullsOfTheirChildren) {
  const auto status = WriteFile(MakeMemoryStore().get(), "f", *PackedBatch(0, 0.1), {}, 2500);
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), ::testing::HasSubstr("of a packed struct contains null values"));
}

TEST(FileRoundTripTest, BlobsLieOutsideOfTheirPages) {
  arrow::LargeBinaryBuilder builder;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(i % 7 == 3 ? builder.AppendNull().ok()
                           : builder.Append(std::string(i % 5 * 1000u, 'b')).ok());
  }
  const auto field = arrow::field("blob", arrow::large_binary(), /*nullable=*/true,
                                  arrow::key_value_metadata({"lance-encoding:blob"}, {"true"}));
  const auto batch = arrow::RecordBatch::Make(arrow::schema({field}), 60, {*builder.Finish()});
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1}) {
    auto counter = std::make_shared<StoreCounter>();
    auto store = ObserveStore(MakeMemoryStore(), counter);
    FileWriterOptions options;
    options.version = version;
    options.page_bytes = 30'000;
    ASSERT_TRUE(WriteFile(store.get(), "f", *batch, options, 20).ok());
    auto reader = OpenFile(store.get(), "f").ValueOrDie();
    ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 60, arrow::default_memory_pool()), *batch);
    counter->Reset();
    const std::vector<int64_t> rows{31};
    ExpectEqual(**reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()), *Rows(*batch, rows));
    EXPECT_LE(counter->bytes_read(), 1000);
  }
  FileWriterOptions options;
  options.version = FormatVersion::k2_2;
  EXPECT_TRUE(WriteFile(MakeMemoryStore().get(), "f", *batch, options, 60).IsNotImplemented());
}

TEST(FileRoundTripTest, StructNullsAreRefusedInVersion2_0) {
  std::mt19937_64 random(12);
  const auto batch =
      RandomBatch({arrow::struct_({arrow::field("a", arrow::int32())})}, 50, {0.5, 12, true}, random);
  FileWriterOptions options;
  options.version = FormatVersion::k2_0;
  const auto status = WriteFile(MakeMemoryStore().get(), "f", *batch, options, 50);
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), ::testing::HasSubstr("The struct field `c0` contains"));
}

TEST(FileRoundTripTest, MillionsOfEmptyListsAroundFewValuesAreSplitIntoPages) {
  arrow::ListBuilder builder(arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>());
  auto* items = static_cast<arrow::Int32Builder*>(builder.value_builder());
  for (int i = 0; i < 300'000; ++i) {
    ASSERT_TRUE(i % 1000 == 7 ? builder.AppendNull().ok() : builder.Append().ok());
    if (i % 5000 == 1) {
      ASSERT_TRUE(items->Append(i).ok());
    }
  }
  const auto lists = *builder.Finish();
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("l", lists->type())}), 300'000, {lists});
  for (const auto version : {FormatVersion::k2_1, FormatVersion::k2_2}) {
    ExpectRoundTrip(*batch, version);
  }
}

/// Rows of a struct with a list of `num_lists` lists each, all empty but the first; -1 is a null struct.
std::shared_ptr<arrow::RecordBatch> StructsOfEmptyLists(const std::vector<int>& num_lists) {
  auto ints = std::make_shared<arrow::Int32Builder>();
  auto inner = std::make_shared<arrow::ListBuilder>(arrow::default_memory_pool(), ints);
  auto outer = std::make_shared<arrow::ListBuilder>(arrow::default_memory_pool(), inner);
  arrow::StructBuilder structs(arrow::struct_({arrow::field("l", outer->type())}),
                               arrow::default_memory_pool(), {outer});
  for (const int n : num_lists) {
    EXPECT_TRUE(n < 0 ? structs.AppendNull().ok() : structs.Append().ok() && outer->Append().ok());
    for (int i = 0; i < n; ++i) {
      EXPECT_TRUE(inner->Append().ok());
      if (i == 0) {
        EXPECT_TRUE(ints->Append(n).ok());
      }
    }
  }
  const auto array = *structs.Finish();
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("s", array->type())}), array->length(),
                                  {array});
}

TEST(FileRoundTripTest, OneRowOfManyEmptyListsInAStructHasAPageOfItsOwn) {
  const auto batch = StructsOfEmptyLists({3, 1, -1, 70'000, 0, 2, -1});
  for (const auto version : {FormatVersion::k2_1, FormatVersion::k2_2}) {
    const auto reader = ExpectRoundTrip(*batch, version);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ((*reader->Describe()).columns[0].pages.size(), 3);
    ExpectEqual(**reader->ReadRange(reader->WholeFile(), 3, 4, arrow::default_memory_pool()),
                *batch->Slice(3, 1));
  }
}

/// Vectors of nulls, some of them null if `nulls`.
std::shared_ptr<arrow::Array> NullVectors(std::shared_ptr<arrow::DataType> item, int64_t n, bool nulls) {
  const auto type = arrow::fixed_size_list(std::move(item), 3);
  const auto vectors = *arrow::MakeArrayOfNull(type, n);
  auto data = vectors->data()->Copy();
  arrow::TypedBufferBuilder<bool> valid;
  for (int64_t i = 0; i < n; ++i) EXPECT_TRUE(valid.Append(!nulls || i % 3 != 1).ok());
  data->buffers[0] = *valid.Finish();
  data->null_count = arrow::kUnknownNullCount;
  if (data->child_data[0]->type->id() == arrow::Type::FIXED_SIZE_LIST) {
    data->child_data[0] = data->child_data[0]->Copy();
    data->child_data[0]->buffers[0] = nullptr;
    data->child_data[0]->null_count = 0;
  }
  return arrow::MakeArray(data);
}

TEST(FileRoundTripTest, RepeatedValuesAmongTooManyLevelsHaveNoDictionary) {
  auto strings = std::make_shared<arrow::StringBuilder>();
  auto inner = std::make_shared<arrow::ListBuilder>(arrow::default_memory_pool(), strings);
  arrow::ListBuilder outer(arrow::default_memory_pool(), inner);
  ASSERT_TRUE(outer.Append().ok());
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(inner->Append().ok());
    const std::string text = i % 1000 == 0 ? "a string of 20 bytes" : "another one";
    ASSERT_TRUE(i % 500 != 0 || strings->Append(text).ok());
  }
  const auto array = *outer.Finish();
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("l", array->type())}), 1, {array});
  for (const auto version : {FormatVersion::k2_1, FormatVersion::k2_2}) {
    ExpectRoundTrip(*batch, version);
  }
}

TEST(FileRoundTripTest, VectorsOfNullsAreLevelsOnly) {
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    for (const bool nulls : {false, true}) {
      const auto vectors = NullVectors(arrow::null(), 1000, nulls);
      const auto in_struct = *arrow::StructArray::Make({vectors}, std::vector<std::string>{"v"});
      arrow::Int32Builder ends;
      for (int32_t end = 0; end <= 1000; end += 1) ASSERT_TRUE(ends.Append(end < 500 ? end / 2 : end).ok());
      const auto lists = *arrow::ListArray::FromArrays(**ends.Finish(), *vectors);
      const auto batch = arrow::RecordBatch::Make(
          arrow::schema({arrow::field("v", vectors->type()), arrow::field("s", in_struct->type()),
                         arrow::field("l", lists->type())}),
          1000, arrow::ArrayVector{vectors, in_struct, lists});
      auto store = MakeMemoryStore();
      FileWriterOptions options;
      options.version = version;
      const auto written = WriteFile(store.get(), "f", *batch, options, 300);
      ASSERT_TRUE(written.ok()) << written.ToString();
      auto reader = OpenFile(store.get(), "f").ValueOrDie();
      ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 1000, arrow::default_memory_pool()), *batch);
      const std::vector<int64_t> rows{1, 2, 700};
      ExpectEqual(**reader->Take(reader->WholeFile(), rows, arrow::default_memory_pool()),
                  *Rows(*batch, rows));
    }
  }
}

TEST(FileRoundTripTest, VectorsOfVectorsOfNullsHaveAFormInVersion2_0Only) {
  const auto vectors = NullVectors(arrow::fixed_size_list(arrow::null(), 2), 100, true);
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("v", vectors->type())}), 100, {vectors});
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    auto store = MakeMemoryStore();
    FileWriterOptions options;
    options.version = version;
    const auto written = WriteFile(store.get(), "f", *batch, options, 100);
    if (version != FormatVersion::k2_0) {
      EXPECT_TRUE(written.IsNotImplemented()) << written.ToString();
      continue;
    }
    ASSERT_TRUE(written.ok()) << written.ToString();
    auto reader = OpenFile(store.get(), "f").ValueOrDie();
    ExpectEqual(**reader->ReadRange(reader->WholeFile(), 0, 100, arrow::default_memory_pool()), *batch);
  }
}

std::shared_ptr<arrow::Array> NullableInts() {
  arrow::Int32Builder builder;
  EXPECT_TRUE(builder.Append(1).ok() && builder.AppendNull().ok() && builder.Append(3).ok());
  return *builder.Finish();
}

TEST(FileRoundTripTest, ANullItemOfANonNullableFieldIsRefusedUnlessItsParentIsNull) {
  const auto item = arrow::field("item", arrow::int32(), /*nullable=*/false);
  const auto type = arrow::struct_({item});
  const auto child = NullableInts();
  const auto write = [&](std::vector<bool> valid) {
    arrow::BooleanBuilder bits;
    for (const bool bit : valid) EXPECT_TRUE(bits.Append(bit).ok());
    const auto array = std::make_shared<arrow::StructArray>(type, 3, arrow::ArrayVector{child},
                                                            (*bits.Finish())->data()->buffers[1]);
    const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("s", type)}), 3, {array});
    return WriteFile(MakeMemoryStore().get(), "f", *batch, {}, 3);
  };
  EXPECT_TRUE(write({true, false, true}).ok());
  EXPECT_THAT(write({true, true, true}).message(),
              ::testing::HasSubstr("The field `item` contained null values"));
}

TEST(FileRoundTripTest, TheBytesDoNotDependOnTheNumberOfThreads) {
  const int capacity = arrow::GetCpuThreadPoolCapacity();
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    std::mt19937_64 random(7);
    auto types = LeafTypes();
    const auto nested = NestedTypes(/*all=*/version == FormatVersion::k2_2);
    if (version > FormatVersion::k2_0) types.insert(types.end(), nested.begin(), nested.end());
    const auto batch = RandomBatch(types, 40'000, {0.1, 30, true}, random);
    std::vector<std::string> files;
    for (const int threads : {1, 4, 4}) {
      ASSERT_TRUE(arrow::SetCpuThreadPoolCapacity(threads).ok());
      auto store = MakeMemoryStore();
      FileWriterOptions options;
      options.version = version;
      options.page_bytes = 300'000;  // large enough to be encoded on the pool
      const auto status = WriteFile(store.get(), "f", *batch, options, 7'000);
      ASSERT_TRUE(status.ok()) << status;
      files.push_back(store->Get("f").ValueOrDie()->ToString());
    }
    EXPECT_EQ(files[0], files[1]);
    EXPECT_EQ(files[1], files[2]);
    EXPECT_GT(files[0].size(), 1'000'000);
  }
  ASSERT_TRUE(arrow::SetCpuThreadPoolCapacity(capacity).ok());
}

/// Opens and reads everything; whatever happens must be a status.
void ReadDamaged(ObjectStore* store, const std::string& path) {
  auto reader = OpenFile(store, path);
  if (!reader.ok()) return;
  const int64_t n = (*reader)->num_rows();
  if (n > 1'000'000) return;  // a claim that no page backs; columns refuse it
  auto batch = (*reader)->ReadRange((*reader)->WholeFile(), 0, n, arrow::default_memory_pool());
  if (batch.ok()) (void)(*batch)->Validate();
  const std::vector<int64_t> rows{n / 2};
  if (n > 0) (void)(*reader)->Take((*reader)->WholeFile(), rows, arrow::default_memory_pool());
}

class DamagedFile : public ::testing::TestWithParam<FormatVersion> {
 protected:
  void SetUp() override {
    google::protobuf::SetLogHandler(nullptr);  // it has a lot to say about damaged messages
    std::mt19937_64 random(6);
    const auto batch = RandomBatch({arrow::boolean(), arrow::int32(), arrow::utf8(), arrow::large_binary(),
                                    arrow::fixed_size_list(arrow::float32(), 70)},
                                   64, {0.2, 300, true}, random);
    Write(*batch);
  }

  void Write(const arrow::RecordBatch& batch) {
    FileWriterOptions options;
    options.version = GetParam();
    ASSERT_TRUE(WriteFile(store_.get(), "f", batch, options, 64).ok());
    bytes_ = std::string(AsStringView(*store_->Get("f").ValueOrDie()));
  }

  void FlipBits(std::mt19937_64& random) {
    for (size_t at = 0; at < bytes_.size(); at += 1 + random() % 7) {
      std::string damaged = bytes_;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
      Read(damaged);
    }
  }

  void Read(const std::string& bytes) {
    ASSERT_TRUE(store_->Put("damaged", AsSpan(bytes), Durability::kProcessCrash).ok());
    ReadDamaged(store_.get(), "damaged");
  }

  std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  std::string bytes_;
};

TEST_P(DamagedFile, AnyFlippedBitIsAnErrorOrOtherValues) {
  std::mt19937_64 random(7);
  FlipBits(random);
}

TEST_P(DamagedFile, AnyFlippedBitOfANestedColumnIsAnErrorOrOtherValues) {
  std::mt19937_64 random(8);
  const double nulls = GetParam() == FormatVersion::k2_0 ? 0 : 0.2;  // structs of 2.0 have none
  for (const auto& type : NestedTypes(GetParam() == FormatVersion::k2_2)) {
    Write(*RandomBatch({type}, 40, {nulls, 20, true}, random));
    FlipBits(random);
  }
}

TEST_P(DamagedFile, ATruncatedFileDoesNotOpen) {
  for (size_t size = 0; size < bytes_.size(); ++size) {
    ASSERT_TRUE(store_->Put("damaged", AsSpan(bytes_.substr(0, size)), Durability::kProcessCrash).ok());
    const auto status = OpenFile(store_.get(), "damaged").status();
    EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << size << " " << status.ToString();
    EXPECT_THAT(status.message(), ::testing::HasSubstr("damaged"));
  }
}

/// A file of one column `c`, its bytes, and where its pages are.
struct SmallFile {
  std::string bytes;
  FileDescription description;

  static SmallFile Of(const std::shared_ptr<arrow::Array>& column) {
    const auto store = MakeMemoryStore();
    const auto schema = arrow::schema({arrow::field("c", column->type())});
    const auto batch = arrow::RecordBatch::Make(schema, column->length(), {column});
    EXPECT_TRUE(WriteFile(store.get(), "f", *batch, {}, batch->num_rows()).ok());
    return {store->Get("f").ValueOrDie()->ToString(),
            OpenFile(store.get(), "f").ValueOrDie()->Describe().ValueOrDie()};
  }
  const std::vector<ByteRange>& Buffers(size_t column) const {
    return description.columns[column].pages[0].buffers;
  }
  arrow::Status Read(int64_t begin, int64_t end) const {
    const auto store = MakeMemoryStore();
    EXPECT_TRUE(store->Put("f", AsSpan(bytes), Durability::kProcessCrash).ok());
    const auto reader = OpenFile(store.get(), "f").ValueOrDie();
    return reader->ReadRange(reader->WholeFile(), begin, end, arrow::default_memory_pool()).status();
  }
};

std::shared_ptr<arrow::Array> Lists(const std::shared_ptr<arrow::Array>& items,
                                    std::vector<int32_t> offsets) {
  const auto n = static_cast<int64_t>(offsets.size()) - 1;
  return std::make_shared<arrow::ListArray>(arrow::list(items->type()), n,
                                            arrow::Buffer::FromVector(std::move(offsets)), items);
}

TEST(DamagedFileTest, ARowOfAFullZipPageThatDoesNotBeginWhereItsIndexSaysIsFoundHoweverItIsRead) {
  std::mt19937_64 random(1);
  const auto type = arrow::fixed_size_list(arrow::float32(), 70);  // 280 bytes, and a byte of levels
  SmallFile file =
      SmallFile::Of(Lists(arrow::MakeArray(testing::RandomArray(type, 4, {0, 1, true}, random)), {0, 2, 4}));
  const auto& buffers = file.Buffers(0);
  ASSERT_EQ(buffers.size(), 2);
  ASSERT_EQ(buffers[1].length, 3 * 2);  // where the rows begin, and the end
  const int64_t slot = buffers[0].length / 4;
  StoreLE(file.bytes.data() + buffers[1].offset + 2, static_cast<uint16_t>(slot));  // instead of 2 * slot
  EXPECT_TRUE(HasErrorKind(file.Read(0, 2), ErrorKind::kCorruptFile)) << file.Read(0, 2);
  EXPECT_TRUE(HasErrorKind(file.Read(1, 2), ErrorKind::kCorruptFile)) << file.Read(1, 2);
}

TEST(DamagedFileTest, AChunkThatEndsInAnotherRowThanItsIndexSaysIsFoundHoweverItIsRead) {
  std::mt19937_64 random(1);
  std::vector<int32_t> offsets;
  for (int32_t i = 0; i <= 3000; ++i) offsets.push_back(i);
  SmallFile file = SmallFile::Of(
      Lists(arrow::MakeArray(testing::RandomArray(arrow::int64(), 3000, {0, 1, true}, random)), offsets));
  const ByteRange index = file.Buffers(0).back();
  ASSERT_EQ(index.length, 3 * 16);  // rows that end in each chunk, and slots behind them
  uint8_t* at = reinterpret_cast<uint8_t*>(file.bytes.data()) + index.offset;
  StoreLE(at, LoadLE<uint64_t>(at) - 1);
  StoreLE(at + 16, LoadLE<uint64_t>(at + 16) + 1);
  EXPECT_TRUE(HasErrorKind(file.Read(0, 3000), ErrorKind::kCorruptFile)) << file.Read(0, 3000);
  EXPECT_TRUE(HasErrorKind(file.Read(5, 6), ErrorKind::kCorruptFile)) << file.Read(5, 6);
}

TEST(DamagedFileTest, ChildrenOfAStructThatAreInOtherListsThanTheirNeighboursAreFound) {
  std::mt19937_64 random(1);
  const auto type = arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("y", arrow::int32())});
  const auto items = arrow::MakeArray(testing::RandomArray(type, 4, {0, 1, true}, random));
  SmallFile file = SmallFile::Of(Lists(items, {0, 1, 4}));
  const SmallFile other = SmallFile::Of(Lists(items, {0, 3, 4}));
  ASSERT_EQ(file.bytes.size(), other.bytes.size());
  EXPECT_TRUE(file.Read(0, 2).ok());
  for (const ByteRange& buffer : file.Buffers(1)) {
    other.bytes.copy(file.bytes.data() + buffer.offset, static_cast<size_t>(buffer.length),
                     static_cast<size_t>(buffer.offset));
  }
  EXPECT_TRUE(HasErrorKind(file.Read(0, 2), ErrorKind::kCorruptFile)) << file.Read(0, 2);
}

INSTANTIATE_TEST_SUITE_P(Versions, DamagedFile,
                         ::testing::Values(FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2));

}  // namespace
}  // namespace pilum
