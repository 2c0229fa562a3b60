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

#include "pilum/encoding/json_column.h"
#include "pilum/encoding/nesting.h"
#include "pilum/util/error.h"

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

TypePtr BelowExtensions(TypePtr type) {
  while (type->id() == arrow::Type::EXTENSION)
    type = checked_cast<const arrow::ExtensionType&>(*type).storage_type();
  return type;
}

TypePtr StorageType(const TypePtr& type) { return WithStorageChildren(BelowExtensions(type)); }

std::shared_ptr<arrow::Schema> StorageSchema(const std::shared_ptr<arrow::Schema>& schema) {
  auto fields = StorageFields(schema->fields());
  if (fields == schema->fields()) return schema;
  return arrow::schema(std::move(fields), schema->metadata());
}

/// The values of `data` as `type`, which is the storage type of its own. The buffers are the same but for
/// JSON.
arrow::Result<std::shared_ptr<arrow::ArrayData>> Retyped(const arrow::ArrayData& data, const TypePtr& type) {
  if (data.type == type) return data.Copy();
  auto copy = data.Copy();
  copy->type = type;
  if (type->id() == arrow::Type::LARGE_BINARY) {
    copy->type = BelowExtensions(data.type);
    return copy->type->id() == type->id() ? copy : JsonbFromText(*copy, arrow::default_memory_pool());
  }
  for (size_t i = 0; i < copy->child_data.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(copy->child_data[i],
                          Retyped(*copy->child_data[i], type->field(static_cast<int>(i))->type()));
  }
  if (copy->dictionary != nullptr) {
    ARROW_ASSIGN_OR_RAISE(
        copy->dictionary,
        Retyped(*copy->dictionary, checked_cast<const arrow::DictionaryType&>(*type).value_type()));
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
    if (*batch == nullptr) return arrow::Status::OK();
    return StorageBatch(*batch).Value(batch);
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
  auto stored = field;
  if (type != field->type()) {
    stored = field->WithType(type);
    if (field->type()->id() == arrow::Type::EXTENSION) {
      const auto& extension = checked_cast<const arrow::ExtensionType&>(*field->type());
      auto metadata = field->metadata() == nullptr ? std::make_shared<arrow::KeyValueMetadata>()
                                                   : field->metadata()->Copy();
      metadata->Append(kExtensionNameMetadata, extension.extension_name());
      metadata->Append(kExtensionDataMetadata, extension.Serialize());
      stored = stored->WithMetadata(std::move(metadata));
    }
  }
  return IsJsonText(*stored) ? JsonbField(*stored) : stored;
}

arrow::Result<std::shared_ptr<arrow::Array>> StorageArray(const std::shared_ptr<arrow::Array>& array,
                                                          const std::shared_ptr<arrow::Field>& field) {
  const auto type = StorageField(field)->type();
  if (type == field->type()) return array;
  auto stored = Retyped(*array->data(), type);
  if (!stored.ok()) return Annotate(stored.status(), "Column '" + field->name() + "': ");
  return arrow::MakeArray(*std::move(stored));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> StorageBatch(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  auto schema = StorageSchema(batch->schema());
  if (schema == batch->schema()) return batch;
  arrow::ArrayVector columns;
  for (int i = 0; i < batch->num_columns(); ++i) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), StorageArray(batch->column(i), batch->schema()->field(i)));
  }
  return arrow::RecordBatch::Make(std::move(schema), batch->num_rows(), std::move(columns));
}

std::shared_ptr<arrow::RecordBatchReader> StorageReader(std::shared_ptr<arrow::RecordBatchReader> reader) {
  auto schema = StorageSchema(reader->schema());
  if (schema == reader->schema()) return reader;
  return std::make_shared<StorageReaderImpl>(std::move(reader), std::move(schema));
}

}  // namespace pilum
