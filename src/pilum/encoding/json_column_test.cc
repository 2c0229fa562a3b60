// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/json_column.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include "pilum/encoding/extension_storage.h"

namespace pilum {

namespace {

std::shared_ptr<arrow::Field> TextField(const std::string& name,
                                        const std::shared_ptr<arrow::DataType>& type = arrow::utf8()) {
  return arrow::field(name, type)
      ->WithMetadata(arrow::key_value_metadata({kExtensionNameMetadata}, {kJsonTextExtension}));
}

std::shared_ptr<arrow::RecordBatch> Batch(const std::shared_ptr<arrow::Schema>& schema,
                                          const std::string& rows) {
  const auto array = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), rows).ValueOrDie();
  return arrow::RecordBatch::Make(schema, array->length(),
                                  static_cast<const arrow::StructArray&>(*array).fields());
}

TEST(JsonColumnTest, TextIsStoredAsBinaryAndShownAsText) {
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int32()), TextField("j"),
                     TextField("large", arrow::large_utf8()), TextField("view", arrow::utf8_view()),
                     arrow::field("s", arrow::struct_({TextField("x"), TextField("y")})),
                     arrow::field("l", arrow::list(TextField("item")))});
  const auto batch = Batch(schema, R"([
      {"id": 1, "j": "{\"b\": 1, \"a\":2}", "large": "[1, 2]", "view": "\"a long string of the view\"",
       "s": {"x": "1", "y": null}, "l": ["true", null, " 2 "]},
      {"id": 2, "j": null, "large": null, "view": null, "s": null, "l": null},
      {"id": 3, "j": "", "large": "null", "view": "0", "s": {"x": "[]", "y": "{}"}, "l": []}])");
  for (const auto& rows : {batch, batch->Slice(1), batch->Slice(2, 0)}) {
    const auto stored = StorageBatch(rows).ValueOrDie();
    ASSERT_TRUE(stored->ValidateFull().ok());
    EXPECT_TRUE(stored->schema()->field(1)->type()->Equals(arrow::large_binary()));
    EXPECT_EQ(GetMetadata(*stored->schema()->field(1), kExtensionNameMetadata), kJsonbExtension);
    const auto shown =
        WithJsonText(stored, WithJsonText(stored->schema()), arrow::default_memory_pool()).ValueOrDie();
    ASSERT_TRUE(shown->ValidateFull().ok()) << shown->ValidateFull();
    const auto shown_schema = arrow::schema({schema->field(0), TextField("j"), TextField("large"),
                                             TextField("view"), schema->field(4), schema->field(5)});
    EXPECT_TRUE(shown->schema()->Equals(*shown_schema, /*check_metadata=*/true))
        << shown->schema()->ToString(true);
    const auto expected = Batch(shown_schema, R"([
        {"id": 1, "j": "{\"a\":2,\"b\":1}", "large": "[1,2]", "view": "\"a long string of the view\"",
         "s": {"x": "1", "y": null}, "l": ["true", null, "2"]},
        {"id": 2, "j": null, "large": null, "view": null, "s": null, "l": null},
        {"id": 3, "j": "null", "large": "null", "view": "0", "s": {"x": "[]", "y": "{}"}, "l": []}])");
    EXPECT_TRUE(
        shown->Equals(*expected->Slice(3 - (rows->num_rows() == 0 ? 0 : rows->num_rows()), rows->num_rows())))
        << shown->ToString();
  }
}

TEST(JsonColumnTest, OtherColumnsAreNotTouched) {
  const auto schema = arrow::schema({arrow::field("id", arrow::int32()), arrow::field("t", arrow::utf8()),
                                     arrow::field("b", arrow::large_binary())});
  const auto batch = Batch(schema, R"([{"id": 1, "t": "x", "b": "{}"}])");
  EXPECT_EQ(StorageBatch(batch).ValueOrDie(), batch);
  EXPECT_EQ(WithJsonText(schema), schema);
  EXPECT_EQ(WithJsonText(batch, schema, arrow::default_memory_pool()).ValueOrDie(), batch);
}

TEST(JsonColumnTest, ErrorsNameColumnAndValue) {
  const auto batch = Batch(arrow::schema({TextField("doc")}), R"([{"doc": "1"}, {"doc": "{1}"}])");
  const auto status = StorageBatch(batch).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_NE(status.message().find("Column 'doc': value 1: not JSON: "), std::string::npos) << status;
}

TEST(JsonColumnTest, StoredTextIsShownAndOtherBytesAreAnError) {
  const auto stored = arrow::schema({JsonbField(*TextField("j"))});
  const auto shown = WithJsonText(stored);
  const auto show = [&](const std::string& rows) {
    return WithJsonText(Batch(stored, rows), shown, arrow::default_memory_pool());
  };
  const auto text = show(R"([{"j": "[1, {\"a\": 2}]"}, {"j": ""}])").ValueOrDie();
  EXPECT_TRUE(text->column(0)->Equals(
      *arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["[1,{\"a\":2}]", "null"])").ValueOrDie()));
  const auto status = show(R"([{"j": "junk"}])").status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_NE(status.message().find("Column 'j': value 0: not JSONB: "), std::string::npos) << status;
}

}  // namespace

}  // namespace pilum
