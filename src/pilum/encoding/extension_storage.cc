// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/extension_storage.h"

#include <arrow/array/util.h>
#include <arrow/extension_type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pilum/encoding/nesting.h"

namespace pilum {

namespace {

using arrow::internal::checked_cast;
using TypePtr = std::shared_ptr<arrow::DataType>;

TypePtr StorageType(const TypePtr& type);

arrow::FieldVector StorageFields(const arrow::FieldVector& fields) {
  arrow::FieldVector stored;
  for (const auto& field : fields) stored.push_back(StorageField(field));
  return stored;
}

/// `type` with storage types for its children.
TypePtr WithStorageChildren(const TypePtr& type) {
  if (type->id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = checked_cast<const arrow::DictionaryType&>(*type);
    const auto values = StorageType(dictionary.value_type());
    if (values == dictionary.value_type()) return type;
    return arrow::dictionary(dictionary.index_type(), values, dictionary.ordered());
  }
  switch (type->id()) {
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::MAP: {
      auto fields = StorageFields(type->fields());
      return fields == type->fields() ? type : WithChildren(*type, std::move(fields));
    }
    default:
      return type;  // others are refused where types are checked
  }
}

TypePtr StorageType(const TypePtr& type) {
  if (type->id() != arrow::Type::EXTENSION) return WithStorageChildren(type);
  return StorageType(checked_cast<const arrow::ExtensionType&>(*type).storage_type());
}

std::shared_ptr<arrow::Schema> StorageSchema(const std::shared_ptr<arrow::Schema>& schema) {
  auto fields = StorageFields(schema->fields());
  if (fields == schema->fields()) return schema;
  return arrow::schema(std::move(fields), schema->metadata());
}

/// The same buffers as `type`, which is StorageType of the array's.
std::shared_ptr<arrow::ArrayData> Retyped(const arrow::ArrayData& data, const TypePtr& type) {
  if (data.type == type) return data.Copy();
  auto copy = data.Copy();
  copy->type = type;
  for (size_t i = 0; i < copy->child_data.size(); ++i) {
    copy->child_data[i] = Retyped(*copy->child_data[i], type->field(static_cast<int>(i))->type());
  }
  if (copy->dictionary != nullptr) {
    copy->dictionary =
        Retyped(*copy->dictionary, checked_cast<const arrow::DictionaryType&>(*type).value_type());
  }
  return copy;
}

class StorageReaderImpl final : public arrow::RecordBatchReader {
 public:
  StorageReaderImpl(std::shared_ptr<arrow::RecordBatchReader> reader, std::shared_ptr<arrow::Schema> schema)
      : reader_(std::move(reader)), schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(reader_->ReadNext(batch));
    if (*batch != nullptr) *batch = StorageBatch(*batch);
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return reader_->Close(); }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> reader_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

std::optional<std::string> GetMetadata(const arrow::Field& field, const std::string& key) {
  if (field.metadata() == nullptr) return std::nullopt;
  auto value = field.metadata()->Get(key);
  if (!value.ok()) return std::nullopt;
  return value.MoveValueUnsafe();
}

std::shared_ptr<arrow::Field> StorageField(const std::shared_ptr<arrow::Field>& field) {
  const auto type = StorageType(field->type());
  if (type == field->type()) return field;
  if (field->type()->id() != arrow::Type::EXTENSION) return field->WithType(type);
  const auto& extension = checked_cast<const arrow::ExtensionType&>(*field->type());
  auto metadata =
      field->metadata() == nullptr ? std::make_shared<arrow::KeyValueMetadata>() : field->metadata()->Copy();
  metadata->Append(kExtensionNameMetadata, extension.extension_name());
  metadata->Append(kExtensionDataMetadata, extension.Serialize());
  return field->WithType(type)->WithMetadata(std::move(metadata));
}

std::shared_ptr<arrow::Array> StorageArray(const std::shared_ptr<arrow::Array>& array) {
  const auto type = StorageType(array->type());
  return type == array->type() ? array : arrow::MakeArray(Retyped(*array->data(), type));
}

std::shared_ptr<arrow::RecordBatch> StorageBatch(const std::shared_ptr<arrow::RecordBatch>& batch) {
  auto schema = StorageSchema(batch->schema());
  if (schema == batch->schema()) return batch;
  arrow::ArrayVector columns;
  for (const auto& column : batch->columns()) columns.push_back(StorageArray(column));
  return arrow::RecordBatch::Make(std::move(schema), batch->num_rows(), std::move(columns));
}

std::shared_ptr<arrow::RecordBatchReader> StorageReader(std::shared_ptr<arrow::RecordBatchReader> reader) {
  auto schema = StorageSchema(reader->schema());
  if (schema == reader->schema()) return reader;
  return std::make_shared<StorageReaderImpl>(std::move(reader), std::move(schema));
}

}  // namespace pilum
