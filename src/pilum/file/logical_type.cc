// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/logical_type.h"

#include <arrow/util/key_value_metadata.h>

#include <charconv>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "pilum/encoding/extension_storage.h"
#include "pilum/encoding/nesting.h"

namespace pilum {

namespace {

using arrow::TimeUnit;
using arrow::Type;

const std::map<std::string, std::shared_ptr<arrow::DataType>, std::less<>>& FixedNames() {
  static const auto* names = new std::map<std::string, std::shared_ptr<arrow::DataType>, std::less<>>{
      {"null", arrow::null()},
      {"bool", arrow::boolean()},
      {"int8", arrow::int8()},
      {"int16", arrow::int16()},
      {"int32", arrow::int32()},
      {"int64", arrow::int64()},
      {"uint8", arrow::uint8()},
      {"uint16", arrow::uint16()},
      {"uint32", arrow::uint32()},
      {"uint64", arrow::uint64()},
      {"halffloat", arrow::float16()},
      {"float", arrow::float32()},
      {"double", arrow::float64()},
      {"string", arrow::utf8()},
      {"large_string", arrow::large_utf8()},
      {"binary", arrow::binary()},
      {"large_binary", arrow::large_binary()},
      {"date32:day", arrow::date32()},
      {"date64:ms", arrow::date64()},
      {"time32:s", arrow::time32(TimeUnit::SECOND)},
      {"time32:ms", arrow::time32(TimeUnit::MILLI)},
      {"time64:us", arrow::time64(TimeUnit::MICRO)},
      {"time64:ns", arrow::time64(TimeUnit::NANO)},
      {"duration:s", arrow::duration(TimeUnit::SECOND)},
      {"duration:ms", arrow::duration(TimeUnit::MILLI)},
      {"duration:us", arrow::duration(TimeUnit::MICRO)},
      {"duration:ns", arrow::duration(TimeUnit::NANO)},
  };
  return *names;
}

const char* UnitName(TimeUnit::type unit) {
  switch (unit) {
    case TimeUnit::SECOND:
      return "s";
    case TimeUnit::MILLI:
      return "ms";
    case TimeUnit::MICRO:
      return "us";
    case TimeUnit::NANO:
      return "ns";
  }
  return "";
}

std::optional<TimeUnit::type> ParseUnit(std::string_view name) {
  for (auto unit : TimeUnit::values()) {
    if (name == UnitName(unit)) return unit;
  }
  return std::nullopt;
}

std::optional<int32_t> ParseInt(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

arrow::Status Unsupported(std::string_view name) {
  return arrow::Status::Invalid("Unsupported logical type: '", name, "'");
}

arrow::Result<std::shared_ptr<arrow::DataType>> ParseDecimal(std::string_view name,
                                                             const std::vector<std::string_view>& parts) {
  if (parts.size() != 4) return Unsupported(name);
  const auto precision = ParseInt(parts[2]), scale = ParseInt(parts[3]);
  if (!precision || !scale) return Unsupported(name);
  if (parts[1] == "128") return arrow::Decimal128Type::Make(*precision, *scale);
  if (parts[1] == "256") return arrow::Decimal256Type::Make(*precision, *scale);
  return Unsupported(name);
}

arrow::Result<std::shared_ptr<arrow::DataType>> ParseDictionary(std::string_view name,
                                                                const std::vector<std::string_view>& parts) {
  if (parts.size() != 4) return Unsupported(name);
  ARROW_ASSIGN_OR_RAISE(auto values, ParseLogicalType(parts[1]));
  ARROW_ASSIGN_OR_RAISE(auto indices, ParseLogicalType(parts[2]));
  return arrow::DictionaryType::Make(indices, values);
}

/// The one extension type that logical types know, of items of vectors.
constexpr char kBfloat16[] = "lance.bfloat16";

bool IsBfloat16(const arrow::Field& field) {
  return field.type()->Equals(*arrow::fixed_size_binary(2)) &&
         GetMetadata(field, kExtensionNameMetadata) == kBfloat16;
}

/// Whether a vector's item has a form on disk: fixed-width values, nulls, and vectors of them.
bool IsVectorItem(const arrow::DataType& type) {
  if (type.id() == Type::FIXED_SIZE_LIST) {
    return IsVectorItem(*static_cast<const arrow::FixedSizeListType&>(type).value_type());
  }
  return type.id() == Type::NA || type.id() == Type::BOOL ||
         (arrow::is_fixed_width(type.id()) && type.id() != Type::DICTIONARY);
}

arrow::Result<std::shared_ptr<arrow::DataType>> ParseFixedSizeList(std::string_view name) {
  constexpr std::string_view kPrefix = "fixed_size_list:";
  const size_t last = name.rfind(':');
  if (last <= kPrefix.size()) return Unsupported(name);
  const auto size = ParseInt(name.substr(last + 1));
  if (!size || *size <= 0)
    return arrow::Status::Invalid("'", name, "': the dimension must be a positive integer");
  const auto item_name = name.substr(kPrefix.size(), last - kPrefix.size());
  if (item_name == kBfloat16) {
    const auto metadata =
        arrow::key_value_metadata({kExtensionNameMetadata, kExtensionDataMetadata}, {kBfloat16, ""});
    return arrow::fixed_size_list(arrow::field("item", arrow::fixed_size_binary(2))->WithMetadata(metadata),
                                  *size);
  }
  ARROW_ASSIGN_OR_RAISE(auto item, ParseLogicalType(item_name));
  if (!IsVectorItem(*item)) return Unsupported(name);
  return arrow::fixed_size_list(arrow::field("item", item), *size);
}

arrow::Result<std::string> FixedSizeListName(const arrow::Field& field) {
  const auto& type = static_cast<const arrow::FixedSizeListType&>(*field.type());
  if (type.list_size() <= 0) {
    return arrow::Status::Invalid(
        "Column '", field.name(),
        "' contains a FixedSizeList with dimension 0; dimension must be a positive integer");
  }
  if (type.value_type()->id() == Type::STRUCT)
    return "fixed_size_list:struct:" + std::to_string(type.list_size());
  if (!IsVectorItem(*type.value_type())) {
    return arrow::Status::NotImplemented("Column '", field.name(), "': vectors of ",
                                         type.value_type()->ToString(), " have no form on disk");
  }
  const auto item = type.value_field()->WithName(field.name());  // errors name the column
  std::string item_name = kBfloat16;
  if (!IsBfloat16(*item)) {
    ARROW_ASSIGN_OR_RAISE(item_name, LogicalTypeOf(*item));
  }
  return "fixed_size_list:" + item_name + ":" + std::to_string(type.list_size());
}

}  // namespace

std::shared_ptr<arrow::DataType> StoredType(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case Type::STRING_VIEW:
      return arrow::utf8();
    case Type::BINARY_VIEW:
      return arrow::binary();
    case Type::STRUCT:
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST:
    case Type::MAP:
      break;
    default:
      return type;
  }
  arrow::FieldVector children;
  for (const auto& child : type->fields()) {
    const auto stored = StoredType(child->type());
    children.push_back(stored == child->type() ? child : child->WithType(stored));
  }
  return children == type->fields() ? type : WithChildren(*type, std::move(children));
}

arrow::Result<std::string> LogicalTypeOf(const arrow::Field& field) {
  const auto type = StoredType(field.type());
  for (const auto& [name, known] : FixedNames()) {
    if (known->Equals(*type)) return name;
  }
  const auto nested_name = [&](const char* list) {
    const bool of_struct = type->field(0)->type()->id() == Type::STRUCT;
    return std::string(list) + (of_struct ? ".struct" : "");
  };
  switch (type->id()) {
    case Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(*type);
      return std::string("timestamp:") + UnitName(timestamp.unit()) + ":" +
             (timestamp.timezone().empty() ? "-" : timestamp.timezone());
    }
    case Type::DECIMAL128:
    case Type::DECIMAL256: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
      return "decimal:" + std::to_string(decimal.bit_width()) + ":" + std::to_string(decimal.precision()) +
             ":" + std::to_string(decimal.scale());
    }
    case Type::FIXED_SIZE_BINARY: {
      const int32_t width = static_cast<const arrow::FixedSizeBinaryType&>(*type).byte_width();
      if (width <= 0)
        return arrow::Status::Invalid("Column '", field.name(), "': FixedSizeBinary of 0 bytes");
      return "fixed_size_binary:" + std::to_string(width);
    }
    case Type::FIXED_SIZE_LIST:
      return FixedSizeListName(field);
    case Type::STRUCT:
      return std::string("struct");
    case Type::MAP:
      return std::string("map");
    case Type::LIST:
      return nested_name("list");
    case Type::LARGE_LIST:
      return nested_name("large_list");
    case Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
      ARROW_ASSIGN_OR_RAISE(auto values, LogicalTypeOf(*field.WithType(dictionary.value_type())));
      ARROW_ASSIGN_OR_RAISE(auto indices, LogicalTypeOf(*field.WithType(dictionary.index_type())));
      if (values.find(':') != std::string::npos) {
        return arrow::Status::NotImplemented("Column '", field.name(), "': dictionaries of ", values,
                                             " cannot be read back");
      }
      return "dict:" + values + ":" + indices + ":false";
    }
    default:
      return arrow::Status::NotImplemented("Column '", field.name(),
                                           "': Unsupported data type: ", type->ToString());
  }
}

arrow::Result<std::shared_ptr<arrow::DataType>> ParseLogicalType(std::string_view name) {
  if (const auto it = FixedNames().find(name); it != FixedNames().end()) return it->second;
  if (name == "blob" || name == "json") return arrow::large_binary();
  if (name == "struct" || name == "map" || name == "list" || name == "list.struct" || name == "large_list" ||
      name == "large_list.struct" || name.starts_with("fixed_size_list:struct:")) {
    return arrow::Status::NotImplemented("Nested type '", name, "' is not supported yet");
  }
  const auto parts = Split(name);
  if (parts[0] == "timestamp" && parts.size() >= 3) {
    const auto unit = ParseUnit(parts[1]);
    if (!unit) return Unsupported(name);
    const auto zone = name.substr(static_cast<size_t>(parts[2].data() - name.data()));  // may contain ':'
    return arrow::timestamp(*unit, zone == "-" ? "" : std::string(zone));
  }
  if (parts[0] == "decimal") return ParseDecimal(name, parts);
  if (parts[0] == "dict") return ParseDictionary(name, parts);
  if (parts[0] == "fixed_size_list") return ParseFixedSizeList(name);
  if (parts[0] == "fixed_size_binary" && parts.size() == 2) {
    const auto width = ParseInt(parts[1]);
    if (!width || *width <= 0) return Unsupported(name);
    return arrow::fixed_size_binary(*width);
  }
  return Unsupported(name);
}

}  // namespace pilum
