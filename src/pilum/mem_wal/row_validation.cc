// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/row_validation.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <memory>
#include <utility>

#include "pilum/encoding/hidden_values.h"
#include "pilum/encoding/nesting.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using arrow::internal::checked_cast;

/// The type with the same buffers in which any bytes are values. Invalid for nested types that no table has.
arrow::Result<std::shared_ptr<arrow::DataType>> WithoutMeaning(const std::shared_ptr<arrow::DataType>& type) {
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
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::MAP:
    case arrow::Type::STRUCT: {
      arrow::FieldVector children;
      for (const auto& child : type->fields()) {
        ARROW_ASSIGN_OR_RAISE(const auto without, WithoutMeaning(child->type()));
        children.push_back(child->WithType(without));
      }
      return WithChildren(*type, std::move(children));
    }
    case arrow::Type::DICTIONARY:
      return checked_cast<const arrow::DictionaryType&>(*type).index_type();
    case arrow::Type::EXTENSION:
      return WithoutMeaning(checked_cast<const arrow::ExtensionType&>(*type).storage_type());
    default:
      if (type->num_fields() > 0) return arrow::Status::Invalid("a column of type ", type->ToString());
      return type;
  }
}

/// `data` as a value of `type`, which is WithoutMeaning of its own; dictionaries go to a list of their own.
std::shared_ptr<arrow::ArrayData> View(const arrow::ArrayData& data,
                                       const std::shared_ptr<arrow::DataType>& type,
                                       arrow::ArrayDataVector* dictionaries) {
  auto view = data.Copy();
  view->type = type;
  if (data.dictionary != nullptr) dictionaries->push_back(data.dictionary);
  view->dictionary = nullptr;
  for (size_t i = 0; i < view->child_data.size(); ++i) {
    view->child_data[i] = View(*data.child_data[i], type->field(static_cast<int>(i))->type(), dictionaries);
  }
  return view;
}

/// The text of nulls, too: Rust's Arrow looks at it.
template <typename Text>
arrow::Status ValidateAllText(const arrow::Array& array) {
  auto all = array.data()->Copy();
  all->buffers[0] = nullptr;
  all->null_count = 0;
  return Text(all).ValidateUTF8();
}

arrow::Status ValidateColumnText(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
      return ValidateAllText<arrow::StringArray>(array);
    case arrow::Type::LARGE_STRING:
      return ValidateAllText<arrow::LargeStringArray>(array);
    case arrow::Type::STRING_VIEW:
      return checked_cast<const arrow::StringViewArray&>(array).ValidateUTF8();
    case arrow::Type::DICTIONARY:
      return ValidateColumnText(*checked_cast<const arrow::DictionaryArray&>(array).dictionary());
    case arrow::Type::EXTENSION:
      return ValidateColumnText(*checked_cast<const arrow::ExtensionArray&>(array).storage());
    default:
      for (size_t i = 0; i < array.data()->child_data.size(); ++i)
        ARROW_RETURN_NOT_OK(ValidateColumnText(*arrow::MakeArray(ChildRows(*array.data(), i))));
      return arrow::Status::OK();
  }
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithValidStructure(const arrow::RecordBatch& batch) {
  arrow::FieldVector fields;
  arrow::ArrayDataVector columns, dictionaries;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = batch.schema()->field(i);
    ARROW_ASSIGN_OR_RAISE(const auto type, WithoutMeaning(field->type()));
    fields.push_back(field->WithType(type));
    columns.push_back(View(*batch.column_data(i), type, &dictionaries));
  }
  ARROW_RETURN_NOT_OK(
      arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(), std::move(columns))
          ->ValidateFull());
  while (!dictionaries.empty()) {
    const auto dictionary = std::move(dictionaries.back());
    dictionaries.pop_back();
    ARROW_ASSIGN_OR_RAISE(const auto type, WithoutMeaning(dictionary->type));
    ARROW_RETURN_NOT_OK(arrow::MakeArray(View(*dictionary, type, &dictionaries))->ValidateFull());
  }
  arrow::ArrayVector valid;
  for (const auto& column : batch.columns()) {
    ARROW_ASSIGN_OR_RAISE(valid.emplace_back(), WithoutHiddenValues(column, arrow::default_memory_pool()));
  }
  return arrow::RecordBatch::Make(batch.schema(), batch.num_rows(), std::move(valid));
}

arrow::Status ValidateText(const arrow::RecordBatch& batch) {
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto status = ValidateColumnText(*batch.column(i));
    if (!status.ok()) return Annotate(status, "column `" + batch.column_name(i) + "`: ");
  }
  return arrow::Status::OK();
}

}  // namespace pilum
