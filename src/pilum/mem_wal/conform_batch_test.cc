// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/conform_batch.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace pilum {

namespace {

std::shared_ptr<arrow::Field> Logged(const std::string& name, const char* id = nullptr) {
  return arrow::field(name, arrow::int64(), true,
                      id == nullptr ? nullptr : arrow::key_value_metadata({{kFieldIdMetadata, id}}));
}

/// One row: 10, 11, 12, ...
std::shared_ptr<arrow::RecordBatch> Row(const arrow::FieldVector& fields) {
  arrow::ArrayVector columns;
  for (size_t i = 0; i < fields.size(); ++i) {
    columns.push_back(
        arrow::json::ArrayFromJSONString(arrow::int64(), "[" + std::to_string(10 + i) + "]").ValueOrDie());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), 1, std::move(columns));
}

/// Table of a (id 0), b (id 1).
std::shared_ptr<const Schema> Table(bool b_may_be_null = true) {
  return Schema::FromArrow(*arrow::schema({arrow::field("a", arrow::int64()),
                                           arrow::field("b", arrow::int64(), b_may_be_null)}))
      .ValueOrDie();
}

std::string Conformed(const arrow::FieldVector& fields, const Schema& table = *Table()) {
  const auto batch = ConformFromLog(Row(fields), table);
  if (!batch.ok()) return batch.status().message();
  EXPECT_TRUE((*batch)->schema()->Equals(*table.arrow()));
  std::string values;
  for (const auto& column : (*batch)->columns())
    values += column->GetScalar(0).ValueOrDie()->ToString() + " ";
  return values;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST(ConformBatchTest, ColumnsOfTheLogAreMatchedByNameInAnyOrder) {
  EXPECT_EQ(Conformed({Logged("a"), Logged("b")}), "10 11 ");
  EXPECT_EQ(Conformed({Logged("b"), Logged("a")}), "11 10 ");
}

TEST(ConformBatchTest, ColumnsThatWereAddedOrDroppedSinceAreNullOrLeftOut) {
  EXPECT_EQ(Conformed({Logged("a")}), "10 null ");
  EXPECT_EQ(Conformed({Logged("a"), Logged("b"), Logged("old")}), "10 11 ");
  EXPECT_TRUE(Contains(Conformed({Logged("a")}, *Table(/*b_may_be_null=*/false)), "`b`"));
}

// As release 14 records them.
TEST(ConformBatchTest, FieldIdsSayWhichColumnWasRenamed) {
  EXPECT_EQ(Conformed({Logged("a", "0"), Logged("renamed", "1")}), "10 11 ");
  EXPECT_EQ(Conformed({Logged("b", "0"), Logged("a", "1")}), "10 11 ") << "the names were swapped";
  EXPECT_EQ(Conformed({Logged("a", "0"), Logged("b", "7")}), "10 null ")
      << "dropped, and another one added as b";
}

TEST(ConformBatchTest, WithoutFieldIdsARenamedColumnIsAnErrorNotNull) {
  const std::string message = Conformed({Logged("a"), Logged("was_b")});
  EXPECT_TRUE(Contains(message, "`was_b`") && Contains(message, "`b`")) << message;
}

TEST(ConformBatchTest, RowsThatAreNoDeletionsLoseTheirMark) {
  const auto with_mark = [](const char* json) {
    const auto row = Row({Logged("a", "0"), Logged("b", "1")});
    return row
        ->AddColumn(2, arrow::field("_tombstone", arrow::boolean(), false),
                    arrow::json::ArrayFromJSONString(arrow::boolean(), json).ValueOrDie())
        .ValueOrDie();
  };
  EXPECT_EQ(ConformFromLog(with_mark("[false]"), *Table()).ValueOrDie()->num_columns(), 2);
  EXPECT_TRUE(ConformFromLog(with_mark("[true]"), *Table()).status().IsNotImplemented());
}

TEST(ConformBatchTest, OtherTypesAndNullsAreNamed) {
  const auto text =
      arrow::RecordBatch::Make(arrow::schema({Logged("a"), arrow::field("b", arrow::utf8())}), 1,
                               {Row({Logged("a")})->column(0),
                                arrow::json::ArrayFromJSONString(arrow::utf8(), "[\"x\"]").ValueOrDie()});
  const auto status = ConformFromLog(text, *Table()).status();
  EXPECT_TRUE(status.IsInvalid() && Contains(status.message(), "`b` has type string")) << status;
  const auto null =
      arrow::RecordBatch::Make(arrow::schema({Logged("a"), Logged("b")}), 1,
                               {Row({Logged("a")})->column(0),
                                arrow::json::ArrayFromJSONString(arrow::int64(), "[null]").ValueOrDie()});
  EXPECT_TRUE(Contains(ConformFromLog(null, *Table(false)).status().message(), "`b`"));
  EXPECT_TRUE(ConformToSchema(null, Table(false)->arrow(), kStableFormatVersion).status().IsInvalid());
  EXPECT_TRUE(ConformToSchema(null, Table()->arrow(), kStableFormatVersion).ok());
}

// A generation could not be written with them.
TEST(ConformBatchTest, NullsDeepInsideAreFoundWhenRowsArePut) {
  const auto item = arrow::field("item", arrow::int64(), /*nullable=*/false);
  const auto with_nulls =
      arrow::json::ArrayFromJSONString(arrow::list(arrow::int64()), "[[1, null]]").ValueOrDie();
  const auto lists = arrow::ListArray(arrow::list(item), 1, with_nulls->data()->buffers[1],
                                      static_cast<const arrow::ListArray&>(*with_nulls).values());
  const auto schema = arrow::schema({arrow::field("l", lists.type())});
  const auto batch = arrow::RecordBatch::Make(schema, 1, {arrow::MakeArray(lists.data())});
  const auto status = ConformToSchema(batch, schema, kStableFormatVersion).status();
  EXPECT_TRUE(status.IsInvalid() && Contains(status.message(), "`item` contained null values")) << status;
}

// Another engine may have logged them.
TEST(ConformBatchTest, NullStructsOfVersion2_0ArePutNowhereButReadFromTheLog) {
  const auto type = arrow::struct_({arrow::field("a", arrow::int64())});
  const auto schema = arrow::schema({arrow::field("s", type)});
  const auto batch = arrow::RecordBatch::Make(
      schema, 2, {arrow::json::ArrayFromJSONString(type, R"([{"a": 1}, null])").ValueOrDie()});
  const auto status = ConformToSchema(batch, schema, FormatVersion::k2_0).status();
  EXPECT_TRUE(status.IsInvalid() && Contains(status.message(), "`s` contains null values")) << status;
  EXPECT_TRUE(ConformToSchema(batch->Slice(0, 1), schema, FormatVersion::k2_0).ok());
  EXPECT_TRUE(ConformToSchema(batch, schema, FormatVersion::k2_1).ok());
  EXPECT_TRUE(ConformFromLog(batch, *Schema::FromArrow(*schema).ValueOrDie()).ok());
}

}  // namespace pilum
