// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/json_column.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/builder_binary.h>
#include <arrow/util/key_value_metadata.h>
#include <arrow/visit_data_inline.h>

#include "pilum/encoding/extension_storage.h"
#include "pilum/encoding/jsonb_decoder.h"
#include "pilum/encoding/jsonb_encoder.h"
#include "pilum/encoding/nesting.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;
using FieldPtr = std::shared_ptr<arrow::Field>;

FieldPtr WithExtensionName(const arrow::Field& field, const char* name,
                           const std::shared_ptr<arrow::DataType>& type) {
  auto metadata = field.metadata()->Copy();
  (void)metadata->Set(kExtensionNameMetadata, name);  // cannot fail
  return field.WithType(type)->WithMetadata(std::move(metadata));
}

/// Appends to `to`, a builder, for each value of `data` what `convert` appends to a string.
template <typename ArrowType, typename Builder, typename Convert>
arrow::Status ConvertValues(const arrow::ArrayData& data, const Convert& convert, Builder* to) {
  std::string buffer;
  int64_t i = 0;
  return arrow::VisitArraySpanInline<ArrowType>(
      data,
      [&](std::string_view value) {
        buffer.clear();
        const auto status = convert(value, &buffer);
        if (!status.ok()) return Annotate(status, "value " + std::to_string(i) + ": ");
        ++i;
        return to->Append(buffer);
      },
      [&] {
        ++i;
        return to->AppendNull();
      });
}

arrow::Result<ArrayDataPtr> TextFromJsonb(const arrow::ArrayData& jsonb, arrow::MemoryPool* pool) {
  JsonbEncoder encoder;
  std::string reparsed;
  const auto convert = [&](std::string_view value, std::string* text) {
    if (value.empty()) {
      text->append("null");
      return arrow::Status::OK();
    }
    const auto status = AppendJsonText(value, text);
    if (status.ok()) return status;
    text->clear();
    reparsed.clear();
    return encoder.Append(value, &reparsed).ok() ? AppendJsonText(reparsed, text) : status;
  };
  arrow::StringBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(jsonb.length));
  ARROW_RETURN_NOT_OK(ConvertValues<arrow::LargeBinaryType>(jsonb, convert, &builder));
  ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
  return array->data();
}

bool IsJsonb(const arrow::Field& field) {
  return field.type()->id() == arrow::Type::LARGE_BINARY &&
         GetMetadata(field, kExtensionNameMetadata) == kJsonbExtension;
}

FieldPtr ShownField(const FieldPtr& field) {
  if (IsJsonb(*field)) return WithExtensionName(*field, kJsonTextExtension, arrow::utf8());
  if (field->type()->num_fields() == 0) return field;
  arrow::FieldVector children;
  for (const auto& child : field->type()->fields()) children.push_back(ShownField(child));
  if (children == field->type()->fields()) return field;
  return field->WithType(WithChildren(*field->type(), std::move(children)));
}

/// `data`, values of `stored`, as values of `shown`.
arrow::Result<ArrayDataPtr> Show(const ArrayDataPtr& data, const FieldPtr& stored, const FieldPtr& shown,
                                 arrow::MemoryPool* pool) {
  if (shown == stored) return data;
  if (IsJsonb(*stored)) return TextFromJsonb(*data, pool);
  auto copy = data->Copy();
  copy->type = shown->type();
  for (size_t i = 0; i < copy->child_data.size(); ++i) {
    const int child = static_cast<int>(i);
    ARROW_ASSIGN_OR_RAISE(copy->child_data[i], Show(data->child_data[i], stored->type()->field(child),
                                                    shown->type()->field(child), pool));
  }
  return copy;
}

}  // namespace

bool IsJsonText(const arrow::Field& field) {
  return GetMetadata(field, kExtensionNameMetadata) == kJsonTextExtension &&
         (arrow::is_string(field.type()->id()) || field.type()->id() == arrow::Type::STRING_VIEW);
}

FieldPtr JsonbField(const arrow::Field& text) {
  return WithExtensionName(text, kJsonbExtension, arrow::large_binary());
}

arrow::Result<ArrayDataPtr> JsonbFromText(const arrow::ArrayData& text, arrow::MemoryPool* pool) {
  JsonbEncoder encoder;
  const auto convert = [&](std::string_view value, std::string* to) { return encoder.Append(value, to); };
  arrow::LargeBinaryBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(text.length));
  switch (text.type->id()) {
    case arrow::Type::STRING:
      ARROW_RETURN_NOT_OK(ConvertValues<arrow::StringType>(text, convert, &builder));
      break;
    case arrow::Type::LARGE_STRING:
      ARROW_RETURN_NOT_OK(ConvertValues<arrow::LargeStringType>(text, convert, &builder));
      break;
    case arrow::Type::STRING_VIEW:
      ARROW_RETURN_NOT_OK(ConvertValues<arrow::StringViewType>(text, convert, &builder));
      break;
    default:
      return arrow::Status::TypeError("JSON of type ", text.type->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
  return array->data();
}

std::shared_ptr<arrow::Schema> WithJsonText(const std::shared_ptr<arrow::Schema>& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) fields.push_back(ShownField(field));
  if (fields == schema->fields()) return schema;
  return arrow::schema(std::move(fields), schema->metadata());
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithJsonText(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Schema>& shown,
    arrow::MemoryPool* pool) {
  if (shown == batch->schema()) return batch;
  std::vector<ArrayDataPtr> columns;
  for (int i = 0; i < batch->num_columns(); ++i) {
    auto column = Show(batch->column_data(i), batch->schema()->field(i), shown->field(i), pool);
    if (!column.ok()) return Annotate(column.status(), "Column '" + shown->field(i)->name() + "': ");
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(shown, batch->num_rows(), std::move(columns));
}

}  // namespace pilum
