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

/// Refuses nested types that no table has.
arrow::Status CheckType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::MAP:
    case arrow::Type::STRUCT:
      for (const auto& child : type.fields()) ARROW_RETURN_NOT_OK(CheckType(*child->type()));
      return arrow::Status::OK();
    case arrow::Type::DICTIONARY:
      return CheckType(*checked_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::EXTENSION:
      return CheckType(*checked_cast<const arrow::ExtensionType&>(type).storage_type());
    default:
      if (type.num_fields() == 0) return arrow::Status::OK();
      return arrow::Status::Invalid("a column of type ", type.ToString());
  }
}

/// The type with the same buffers in which any bytes are values.
std::shared_ptr<arrow::DataType> WithoutMeaning(const std::shared_ptr<arrow::DataType>& type) {
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
      for (const auto& child : type->fields())
        children.push_back(child->WithType(WithoutMeaning(child->type())));
      return WithChildren(*type, std::move(children));
    }
    case arrow::Type::DICTIONARY:
      return checked_cast<const arrow::DictionaryType&>(*type).index_type();
    case arrow::Type::EXTENSION:
      return WithoutMeaning(checked_cast<const arrow::ExtensionType&>(*type).storage_type());
    default:
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
  for (auto& child : view->child_data) child = View(*child, WithoutMeaning(child->type), dictionaries);
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

arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithValidStructure(const arrow::RecordBatch& batch) {
  for (const auto& field : batch.schema()->fields()) ARROW_RETURN_NOT_OK(CheckType(*field->type()));
  arrow::FieldVector fields;
  arrow::ArrayDataVector columns, dictionaries;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = batch.schema()->field(i);
    fields.push_back(field->WithType(WithoutMeaning(field->type())));
    columns.push_back(View(*batch.column_data(i), fields.back()->type(), &dictionaries));
  }
  ARROW_RETURN_NOT_OK(
      arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(), std::move(columns))
          ->ValidateFull());
  while (!dictionaries.empty()) {
    const auto dictionary = std::move(dictionaries.back());
    dictionaries.pop_back();
    const auto view = View(*dictionary, WithoutMeaning(dictionary->type), &dictionaries);
    ARROW_RETURN_NOT_OK(arrow::MakeArray(view)->ValidateFull());
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
