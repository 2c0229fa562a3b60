// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/primary_key.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/type_traits.h>

#include <algorithm>

#include "pilum/util/little_endian.h"
#include "pilum/util/siphash.h"

namespace pilum {

namespace {

/// A key value without its type: integers sign- or zero-extended, the rest as bytes.
struct KeyValue {
  uint64_t number = 0;
  std::string_view bytes;
};

bool IsSigned(arrow::Type::type id) { return arrow::is_signed_integer(id); }
bool IsNumber(arrow::Type::type id) { return arrow::is_integer(id); }
bool CanBeKey(arrow::Type::type id) {
  return IsNumber(id) || id == arrow::Type::BOOL || arrow::is_base_binary_like(id);
}

template <typename T>
uint64_t Extend(const arrow::Array& array, int64_t row) {
  return static_cast<uint64_t>(static_cast<const arrow::NumericArray<T>&>(array).Value(row));
}

KeyValue ValueAt(const arrow::Array& array, int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INT8:
      return {Extend<arrow::Int8Type>(array, row), {}};
    case arrow::Type::INT16:
      return {Extend<arrow::Int16Type>(array, row), {}};
    case arrow::Type::INT32:
      return {Extend<arrow::Int32Type>(array, row), {}};
    case arrow::Type::INT64:
      return {Extend<arrow::Int64Type>(array, row), {}};
    case arrow::Type::UINT8:
      return {Extend<arrow::UInt8Type>(array, row), {}};
    case arrow::Type::UINT16:
      return {Extend<arrow::UInt16Type>(array, row), {}};
    case arrow::Type::UINT32:
      return {Extend<arrow::UInt32Type>(array, row), {}};
    case arrow::Type::UINT64:
      return {Extend<arrow::UInt64Type>(array, row), {}};
    case arrow::Type::BOOL:
      return {static_cast<const arrow::BooleanArray&>(array).Value(row) ? uint64_t{1} : 0, {}};
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return {0, static_cast<const arrow::LargeBinaryArray&>(array).GetView(row)};
    default:
      return {0, static_cast<const arrow::BinaryArray&>(array).GetView(row)};
  }
}

template <typename T>
uint64_t Extend(const arrow::Scalar& scalar) {
  return static_cast<uint64_t>(static_cast<const typename arrow::TypeTraits<T>::ScalarType&>(scalar).value);
}

KeyValue ValueOf(const arrow::Scalar& scalar) {
  switch (scalar.type->id()) {
    case arrow::Type::INT8:
      return {Extend<arrow::Int8Type>(scalar), {}};
    case arrow::Type::INT16:
      return {Extend<arrow::Int16Type>(scalar), {}};
    case arrow::Type::INT32:
      return {Extend<arrow::Int32Type>(scalar), {}};
    case arrow::Type::INT64:
      return {Extend<arrow::Int64Type>(scalar), {}};
    case arrow::Type::UINT8:
      return {Extend<arrow::UInt8Type>(scalar), {}};
    case arrow::Type::UINT16:
      return {Extend<arrow::UInt16Type>(scalar), {}};
    case arrow::Type::UINT32:
      return {Extend<arrow::UInt32Type>(scalar), {}};
    case arrow::Type::UINT64:
      return {Extend<arrow::UInt64Type>(scalar), {}};
    case arrow::Type::BOOL:
      return {static_cast<const arrow::BooleanScalar&>(scalar).value ? uint64_t{1} : 0, {}};
    default:
      return {0, static_cast<const arrow::BaseBinaryScalar&>(scalar).view()};
  }
}

void AppendBigEndian(uint64_t value, std::string* key) {
  for (int shift = 56; shift >= 0; shift -= 8) key->push_back(static_cast<char>(value >> shift));
}

constexpr uint64_t kSignBit = uint64_t{1} << 63;

void AppendFixed(arrow::Type::type id, uint64_t number, std::string* key) {
  if (id == arrow::Type::BOOL) {
    key->push_back(static_cast<char>(number));
  } else {
    AppendBigEndian(IsSigned(id) ? number ^ kSignBit : number, key);
  }
}

/// One value of the tuple encoding: not null, then the value; strings with their zero bytes escaped and an
/// end.
void AppendTupleValue(arrow::Type::type id, const KeyValue& value, std::string* key) {
  key->push_back('\x01');
  if (!arrow::is_base_binary_like(id)) return AppendFixed(id, value.number, key);
  for (const char c : value.bytes) {
    key->push_back(c);
    if (c == '\0') key->push_back('\xff');
  }
  key->append(2, '\0');
}

template <typename GetValue>
void AppendKey(const arrow::FieldVector& fields, const GetValue& get, std::string* key) {
  if (fields.size() == 1) {
    const auto id = fields[0]->type()->id();
    const KeyValue value = get(0);
    if (arrow::is_base_binary_like(id)) {
      key->append(value.bytes);
    } else {
      AppendFixed(id, value.number, key);
    }
    return;
  }
  for (size_t i = 0; i < fields.size(); ++i) AppendTupleValue(fields[i]->type()->id(), get(i), key);
}

template <typename GetValue>
uint64_t HashKey(const arrow::FieldVector& fields, const GetValue& get) {
  std::string bytes;
  for (size_t i = 0; i < fields.size(); ++i) {
    bytes.push_back('\0');  // not null
    const KeyValue value = get(i);
    switch (fields[i]->type()->id()) {
      case arrow::Type::INT32:
        AppendLE<uint32_t>(&bytes, static_cast<uint32_t>(value.number));
        break;
      case arrow::Type::INT64:
        AppendLE<uint64_t>(&bytes, value.number);
        break;
      case arrow::Type::STRING:
        bytes.append(value.bytes);
        bytes.push_back('\xff');
        break;
      case arrow::Type::BINARY:
        AppendLE<uint64_t>(&bytes, value.bytes.size());
        bytes.append(value.bytes);
        break;
      default:  // upstream's writer hashes nothing more
        break;
    }
  }
  return SipHash13(bytes);
}

bool IsHashedByValue(arrow::Type::type id) {
  return id == arrow::Type::INT32 || id == arrow::Type::INT64 || id == arrow::Type::STRING ||
         id == arrow::Type::BINARY;
}

/// Undoes AppendFixed.
uint64_t ReadBigEndian(std::string_view key) {
  uint64_t value = 0;
  for (const char c : key) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

/// Whether a value of `type` may equal a key: texts may always, numbers but for booleans.
bool IsComparable(const arrow::DataType& type, arrow::Type::type key) {
  const auto id = type.id();
  if (id == arrow::Type::DICTIONARY)
    return IsComparable(*static_cast<const arrow::DictionaryType&>(type).value_type(), key);
  if (id == arrow::Type::BOOL) return key == arrow::Type::BOOL;
  if (arrow::is_numeric(id) || arrow::is_decimal(id)) return key != arrow::Type::BOOL;
  return arrow::is_base_binary_like(id) || arrow::is_binary_view_like(id) ||
         id == arrow::Type::FIXED_SIZE_BINARY;
}

std::string JoinNames(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

template <typename T>
arrow::Status AppendNumber(uint64_t number, arrow::ArrayBuilder* builder) {
  return static_cast<typename arrow::TypeTraits<T>::BuilderType*>(builder)->Append(
      static_cast<typename T::c_type>(number));
}

}  // namespace

arrow::Result<PrimaryKey> PrimaryKey::Make(const Schema& schema) {
  std::vector<std::string> names;
  for (const SchemaField* field : schema.PrimaryKey()) names.push_back(field->name());
  return Make(*schema.arrow(), names);
}

arrow::Result<PrimaryKey> PrimaryKey::Make(const arrow::Schema& schema,
                                           const std::vector<std::string>& columns) {
  PrimaryKey key;
  for (const std::string& name : columns) {
    auto field = schema.GetFieldByName(name);
    if (std::count(columns.begin(), columns.end(), name) > 1)
      return arrow::Status::Invalid("Primary key column '", name, "' is named twice");
    if (field == nullptr)
      return arrow::Status::Invalid("Primary key column '", name, "' not found in schema");
    if (!CanBeKey(field->type()->id())) {
      return arrow::Status::Invalid(
          "Primary key column '", name, "' has unsupported type ", field->type()->ToString(),
          "; supported types: integers, boolean, string, large_string, binary, large_binary");
    }
    key.bloom_filter_is_usable_ &= IsHashedByValue(field->type()->id());
    key.fields_.push_back(std::move(field));
  }
  key.index_type_ = key.fields_.size() == 1 ? key.fields_[0]->type() : arrow::binary();
  return key;
}

arrow::Result<PrimaryKey> PrimaryKey::ForRead(const Schema& schema, const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto key, Make(schema));
  if (columns.empty()) return key;
  if (key.empty()) return Make(*schema.arrow(), columns);
  if (key.names() != columns) {
    return arrow::Status::Invalid("[", JoinNames(columns), "] is not the table's primary key [",
                                  JoinNames(key.names()), "]");
  }
  return key;
}

std::vector<std::string> PrimaryKey::names() const {
  std::vector<std::string> names;
  for (const auto& field : fields_) names.push_back(field->name());
  return names;
}

arrow::Result<std::optional<PrimaryKey::Scalars>> PrimaryKey::Coerce(const Scalars& values) const {
  if (values.size() != fields_.size()) {
    return arrow::Status::Invalid("Expected ", fields_.size(), " primary key values, got ", values.size());
  }
  Scalars coerced;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto& type = fields_[i]->type();
    if (!values[i]->is_valid) return std::nullopt;
    if (values[i]->type->Equals(*type)) {
      coerced.push_back(values[i]);
      continue;
    }
    if (!IsComparable(*values[i]->type, type->id())) {
      return arrow::Status::Invalid("a value of type ", values[i]->type->ToString(),
                                    " is no key for column '", fields_[i]->name(), "' of type ",
                                    type->ToString());
    }
    auto cast = arrow::compute::Cast(arrow::Datum(values[i]), type, arrow::compute::CastOptions::Safe(type));
    if (!cast.ok()) return std::nullopt;
    coerced.push_back(cast->scalar());
  }
  return coerced;
}

void PrimaryKey::Encode(const arrow::ArrayVector& columns, int64_t row, std::string* key) const {
  AppendKey(fields_, [&](size_t i) { return ValueAt(*columns[i], row); }, key);
}

void PrimaryKey::Encode(const Scalars& values, std::string* key) const {
  AppendKey(fields_, [&](size_t i) { return ValueOf(*values[i]); }, key);
}

uint64_t PrimaryKey::BloomHash(const arrow::ArrayVector& columns, int64_t row) const {
  return HashKey(fields_, [&](size_t i) { return ValueAt(*columns[i], row); });
}

uint64_t PrimaryKey::BloomHash(const Scalars& values) const {
  return HashKey(fields_, [&](size_t i) { return ValueOf(*values[i]); });
}

arrow::Result<arrow::ArrayVector> PrimaryKey::ColumnsOf(const arrow::RecordBatch& batch) const {
  arrow::ArrayVector columns;
  for (const auto& field : fields_) {
    auto column = batch.GetColumnByName(field->name());
    if (column == nullptr || !column->type()->Equals(*field->type())) {
      return arrow::Status::Invalid("no primary key column '", field->name(), "' of type ",
                                    field->type()->ToString(), " in ", batch.schema()->ToString());
    }
    if (column->null_count() > 0)
      return arrow::Status::Invalid("Primary key column '", field->name(), "' contains null values");
    columns.push_back(std::move(column));
  }
  return columns;
}

arrow::Status PrimaryKey::AppendIndexValue(std::string_view key, arrow::ArrayBuilder* builder) const {
  const uint64_t number = ReadBigEndian(key.substr(0, 8));
  switch (index_type_->id()) {
    case arrow::Type::INT8:
      return AppendNumber<arrow::Int8Type>(number ^ kSignBit, builder);
    case arrow::Type::INT16:
      return AppendNumber<arrow::Int16Type>(number ^ kSignBit, builder);
    case arrow::Type::INT32:
      return AppendNumber<arrow::Int32Type>(number ^ kSignBit, builder);
    case arrow::Type::INT64:
      return AppendNumber<arrow::Int64Type>(number ^ kSignBit, builder);
    case arrow::Type::UINT8:
      return AppendNumber<arrow::UInt8Type>(number, builder);
    case arrow::Type::UINT16:
      return AppendNumber<arrow::UInt16Type>(number, builder);
    case arrow::Type::UINT32:
      return AppendNumber<arrow::UInt32Type>(number, builder);
    case arrow::Type::UINT64:
      return AppendNumber<arrow::UInt64Type>(number, builder);
    case arrow::Type::BOOL:
      return static_cast<arrow::BooleanBuilder*>(builder)->Append(number != 0);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return static_cast<arrow::LargeBinaryBuilder*>(builder)->Append(key);
    default:
      return static_cast<arrow::BinaryBuilder*>(builder)->Append(key);
  }
}

}  // namespace pilum
