// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/sharding.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

constexpr char kColumnParameter[] = "column";
constexpr char kNumBucketsParameter[] = "num_buckets";

uint32_t MixKey(uint32_t key) { return std::rotl(key * 0xcc9e2d51U, 15) * 0x1b873593U; }
uint32_t MixHash(uint32_t hash, uint32_t key) { return std::rotl(hash ^ MixKey(key), 13) * 5U + 0xe6546b64U; }
uint32_t Finish(uint32_t hash, uint32_t length) {
  hash ^= length;
  hash ^= hash >> 16;
  hash *= 0x85ebca6bU;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35U;
  return hash ^ (hash >> 16);
}

/// One NaN and one zero.
template <typename Bits, typename Float>
Bits CanonicalBits(Float value) {
  if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();
  if (value == 0) value = 0;
  return std::bit_cast<Bits>(value);
}

uint32_t HashValue(bool value) { return internal::HashInt32(value ? 1 : 0); }
uint32_t HashValue(float value) { return internal::HashInt32(CanonicalBits<uint32_t>(value)); }
uint32_t HashValue(double value) { return internal::HashInt64(CanonicalBits<uint64_t>(value)); }
uint32_t HashValue(std::string_view value) { return internal::HashBytes(value); }
template <std::integral Integer>
uint32_t HashValue(Integer value) {
  if constexpr (sizeof(Integer) == 8) return internal::HashInt64(static_cast<uint64_t>(value));
  return internal::HashInt32(static_cast<uint32_t>(value));  // sign extended where it has a sign
}

template <typename ArrayType>
arrow::Result<std::shared_ptr<arrow::Array>> BucketsOf(const arrow::Array& array, int32_t num_buckets) {
  const auto& values = static_cast<const ArrayType&>(array);
  arrow::Int32Builder buckets;
  ARROW_RETURN_NOT_OK(buckets.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    const uint32_t hash = values.IsNull(i) ? 0 : HashValue(values.GetView(i));
    buckets.UnsafeAppend(static_cast<int32_t>(hash & 0x7fffffffU) % num_buckets);
  }
  return buckets.Finish();
}

/// Dotted names down to the field with `id`, or empty.
std::string PathOfField(const std::vector<SchemaField>& fields, int32_t id) {
  for (const SchemaField& field : fields) {
    if (field.id == id) return field.name();
    if (const std::string rest = PathOfField(field.children, id); !rest.empty())
      return field.name() + "." + rest;
  }
  return {};
}

/// The column of that name, or the one a dotted path leads to through structs; null if there is none. A value
/// in a struct that is null is null.
arrow::Result<std::shared_ptr<arrow::Array>> FindColumn(const arrow::RecordBatch& batch,
                                                        const std::string& path) {
  if (auto column = batch.GetColumnByName(path)) return column;
  size_t dot = path.find('.');
  auto column = batch.GetColumnByName(path.substr(0, dot));
  while (dot != std::string::npos && column != nullptr) {
    if (column->type_id() != arrow::Type::STRUCT) return nullptr;
    const size_t start = dot + 1;
    dot = path.find('.', start);
    const auto& parent = static_cast<const arrow::StructArray&>(*column);
    const int child = parent.struct_type()->GetFieldIndex(path.substr(start, dot - start));
    if (child < 0) return nullptr;
    ARROW_ASSIGN_OR_RAISE(column, parent.GetFlattenedField(child));
  }
  return column;
}

arrow::Result<std::string> SourcePath(const lance::table::ShardingField& field, const Schema& schema) {
  const auto parameter = field.parameters().find(kColumnParameter);
  if (parameter != field.parameters().end() &&
      parameter->second.find_first_not_of(" \t\r\n") != std::string::npos) {
    return parameter->second;
  }
  if (field.source_ids().empty()) return arrow::Status::Invalid("no source column");
  std::string path = PathOfField(schema.fields(), field.source_ids(0));
  if (path.empty())
    return arrow::Status::Invalid("the table has no field with the source id ", field.source_ids(0));
  return path;
}

arrow::Result<int32_t> NumBuckets(const lance::table::ShardingField& field) {
  const auto parameter = field.parameters().find(kNumBucketsParameter);
  if (parameter == field.parameters().end())
    return arrow::Status::Invalid("no parameter ", kNumBucketsParameter);
  const std::string& text = parameter->second;
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) {
    return arrow::Status::Invalid(kNumBucketsParameter, " is '", text, "' and not a positive int32");
  }
  return number;
}

arrow::Result<std::shared_ptr<arrow::Array>> EvaluateField(const arrow::RecordBatch& batch,
                                                           const lance::table::ShardingField& field,
                                                           const Schema& schema) {
  const std::string& transform = field.transform();
  if (transform == "unsharded") return arrow::MakeArrayFromScalar(arrow::Int32Scalar(0), batch.num_rows());
  if (transform != "bucket" && transform != "identity")
    return arrow::Status::Invalid("unsupported transform '", transform, "'");
  ARROW_ASSIGN_OR_RAISE(const std::string path, SourcePath(field, schema));
  ARROW_ASSIGN_OR_RAISE(auto column, FindColumn(batch, path));
  if (column == nullptr) return arrow::Status::Invalid("column '", path, "' not found in batch");
  if (transform == "identity") return column;
  ARROW_ASSIGN_OR_RAISE(const int32_t num_buckets, NumBuckets(field));
  return internal::ComputeBuckets(*column, num_buckets);
}

}  // namespace

namespace internal {

uint32_t HashInt32(uint32_t value) { return Finish(MixHash(0, value), 4); }

uint32_t HashInt64(uint64_t value) {
  return Finish(MixHash(MixHash(0, static_cast<uint32_t>(value)), static_cast<uint32_t>(value >> 32)), 8);
}

uint32_t HashBytes(std::string_view bytes) {
  uint32_t hash = 0;
  const size_t words_end = bytes.size() / 4 * 4;
  for (size_t i = 0; i < words_end; i += 4) hash = MixHash(hash, LoadLE<uint32_t>(bytes.data() + i));
  for (size_t i = words_end; i < bytes.size(); ++i)
    hash = MixHash(hash, static_cast<uint32_t>(static_cast<int8_t>(bytes[i])));
  return Finish(hash, static_cast<uint32_t>(bytes.size()));
}

arrow::Result<std::shared_ptr<arrow::Array>> ComputeBuckets(const arrow::Array& values, int32_t num_buckets) {
  switch (values.type_id()) {
    case arrow::Type::BOOL:
      return BucketsOf<arrow::BooleanArray>(values, num_buckets);
    case arrow::Type::INT8:
      return BucketsOf<arrow::Int8Array>(values, num_buckets);
    case arrow::Type::INT16:
      return BucketsOf<arrow::Int16Array>(values, num_buckets);
    case arrow::Type::INT32:
      return BucketsOf<arrow::Int32Array>(values, num_buckets);
    case arrow::Type::INT64:
      return BucketsOf<arrow::Int64Array>(values, num_buckets);
    case arrow::Type::UINT8:
      return BucketsOf<arrow::UInt8Array>(values, num_buckets);
    case arrow::Type::UINT16:
      return BucketsOf<arrow::UInt16Array>(values, num_buckets);
    case arrow::Type::UINT32:
      return BucketsOf<arrow::UInt32Array>(values, num_buckets);
    case arrow::Type::UINT64:
      return BucketsOf<arrow::UInt64Array>(values, num_buckets);
    case arrow::Type::FLOAT:
      return BucketsOf<arrow::FloatArray>(values, num_buckets);
    case arrow::Type::DOUBLE:
      return BucketsOf<arrow::DoubleArray>(values, num_buckets);
    case arrow::Type::DATE32:
      return BucketsOf<arrow::Date32Array>(values, num_buckets);
    case arrow::Type::TIME32:
      return BucketsOf<arrow::Time32Array>(values, num_buckets);
    case arrow::Type::TIME64:
      return BucketsOf<arrow::Time64Array>(values, num_buckets);
    case arrow::Type::TIMESTAMP:
      return BucketsOf<arrow::TimestampArray>(values, num_buckets);
    case arrow::Type::STRING:
      return BucketsOf<arrow::StringArray>(values, num_buckets);
    case arrow::Type::LARGE_STRING:
      return BucketsOf<arrow::LargeStringArray>(values, num_buckets);
    default:
      return arrow::Status::Invalid("values of type ", values.type()->ToString(), " cannot be bucketed");
  }
}

}  // namespace internal

arrow::Result<std::shared_ptr<arrow::RecordBatch>> EvaluateShardingSpec(
    const std::shared_ptr<arrow::RecordBatch>& batch, const lance::table::ShardingSpec& spec,
    const Schema& schema) {
  if (spec.fields().empty())
    return arrow::Status::Invalid("sharding spec ", spec.spec_id(), " has no fields");
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const auto& field : spec.fields()) {
    auto column = EvaluateField(*batch, field, schema);
    if (!column.ok()) return Annotate(column.status(), "sharding field '" + field.field_id() + "': ");
    fields.push_back(arrow::field(field.field_id(), (*column)->type(), (*column)->null_count() > 0));
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch->num_rows(), std::move(columns));
}

}  // namespace pilum
