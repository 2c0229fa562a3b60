// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/row_validation.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <memory>
#include <utility>

#include "pilum/util/error.h"

namespace pilum {

namespace {

using arrow::internal::checked_cast;

/// The type with the same buffers in which any bytes are values.
std::shared_ptr<arrow::DataType> WithoutMeaning(const std::shared_ptr<arrow::DataType>& type) {
  const auto child = [&](int i) { return type->field(i)->WithType(WithoutMeaning(type->field(i)->type())); };
  switch (type->id()) {
    case arrow::Type::STRING:
      return arrow::binary();
    case arrow::Type::LARGE_STRING:
      return arrow::large_binary();
    case arrow::Type::STRING_VIEW:
      return arrow::binary_view();
    case arrow::Type::TIME32:
      return arrow::int32();
    case arrow::Type::TIME64:
    case arrow::Type::DATE64:
      return arrow::int64();
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return arrow::fixed_size_binary(checked_cast<const arrow::DecimalType&>(*type).byte_width());
    case arrow::Type::LIST:
      return arrow::list(child(0));
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(child(0));
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(child(0),
                                    checked_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(child(0));
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (int i = 0; i < type->num_fields(); ++i) fields.push_back(child(i));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = checked_cast<const arrow::DictionaryType&>(*type);
      return arrow::dictionary(dictionary.index_type(), WithoutMeaning(dictionary.value_type()));
    }
    case arrow::Type::EXTENSION:
      return WithoutMeaning(checked_cast<const arrow::ExtensionType&>(*type).storage_type());
    default:
      return type;
  }
}

/// `data` as a value of `type`, which is WithoutMeaning of its own.
std::shared_ptr<arrow::ArrayData> View(const arrow::ArrayData& data,
                                       const std::shared_ptr<arrow::DataType>& type) {
  auto view = data.Copy();
  view->type = type;
  if (data.dictionary != nullptr)
    view->dictionary = View(*data.dictionary, WithoutMeaning(data.dictionary->type));
  for (auto& child : view->child_data) child = View(*child, WithoutMeaning(child->type));
  return view;
}

arrow::Status ValidateColumnText(const arrow::Array& array);

template <typename List>
arrow::Status ValidateItemText(const arrow::Array& array) {
  const auto& list = checked_cast<const List&>(array);
  if (list.length() == 0) return arrow::Status::OK();  // and may have no offsets
  const int64_t begin = list.value_offset(0);
  return ValidateColumnText(*list.values()->Slice(begin, list.value_offset(list.length()) - begin));
}

arrow::Status ValidateColumnText(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
      return checked_cast<const arrow::StringArray&>(array).ValidateUTF8();
    case arrow::Type::LARGE_STRING:
      return checked_cast<const arrow::LargeStringArray&>(array).ValidateUTF8();
    case arrow::Type::STRING_VIEW:
      return checked_cast<const arrow::StringViewArray&>(array).ValidateUTF8();
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return ValidateItemText<arrow::ListArray>(array);
    case arrow::Type::LARGE_LIST:
      return ValidateItemText<arrow::LargeListArray>(array);
    case arrow::Type::FIXED_SIZE_LIST:
      return ValidateItemText<arrow::FixedSizeListArray>(array);
    case arrow::Type::STRUCT:
      for (const auto& child : checked_cast<const arrow::StructArray&>(array).fields())
        ARROW_RETURN_NOT_OK(ValidateColumnText(*child));
      return arrow::Status::OK();
    case arrow::Type::DICTIONARY:
      return ValidateColumnText(*checked_cast<const arrow::DictionaryArray&>(array).dictionary());
    case arrow::Type::EXTENSION:
      return ValidateColumnText(*checked_cast<const arrow::ExtensionArray&>(array).storage());
    default:
      return arrow::Status::OK();
  }
}

}  // namespace

arrow::Status ValidateStructure(const arrow::RecordBatch& batch) {
  arrow::FieldVector fields;
  arrow::ArrayDataVector columns;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = batch.schema()->field(i);
    fields.push_back(field->WithType(WithoutMeaning(field->type())));
    columns.push_back(View(*batch.column_data(i), fields.back()->type()));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(), std::move(columns))
      ->ValidateFull();
}

arrow::Status ValidateText(const arrow::RecordBatch& batch) {
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto status = ValidateColumnText(*batch.column(i));
    if (!status.ok()) return Annotate(status, "column `" + batch.column_name(i) + "`: ");
  }
  return arrow::Status::OK();
}

}  // namespace pilum
