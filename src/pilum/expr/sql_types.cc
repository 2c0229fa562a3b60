// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/sql_types.h"

#include <arrow/type_traits.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <map>

namespace pilum {

namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr int kMaxPrecision = 38;

TypePtr TimestampType(int digits) {
  switch (digits) {
    case 0:
      return arrow::timestamp(arrow::TimeUnit::SECOND);
    case 3:
      return arrow::timestamp(arrow::TimeUnit::MILLI);
    case 6:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case 9:
      return arrow::timestamp(arrow::TimeUnit::NANO);
    default:
      return nullptr;
  }
}

TypePtr CommonInteger(const TypePtr& a, const TypePtr& b) {
  const int width_a = a->bit_width(), width_b = b->bit_width();
  if (arrow::is_signed_integer(a->id()) == arrow::is_signed_integer(b->id()))
    return width_a >= width_b ? a : b;
  const TypePtr& is_signed = arrow::is_signed_integer(a->id()) ? a : b;
  const int width_unsigned = arrow::is_signed_integer(a->id()) ? width_b : width_a;
  if (width_unsigned < is_signed->bit_width()) return is_signed;
  switch (width_unsigned) {
    case 8:
      return arrow::int16();
    case 16:
      return arrow::int32();
    case 32:
      return arrow::int64();
    default:
      return arrow::decimal128(20, 0);
  }
}

TypePtr CommonDecimal(const arrow::DataType& a, const arrow::DataType& b) {
  const auto& x = static_cast<const arrow::DecimalType&>(a);
  const auto& y = static_cast<const arrow::DecimalType&>(b);
  const int scale = std::max(x.scale(), y.scale());
  const int precision = scale + std::max(x.precision() - x.scale(), y.precision() - y.scale());
  if (a.id() == arrow::Type::DECIMAL256 || b.id() == arrow::Type::DECIMAL256)
    return arrow::decimal256(std::min(precision, arrow::Decimal256Type::kMaxPrecision), scale);
  return arrow::decimal128(std::min(precision, kMaxPrecision), scale);
}

TypePtr CommonNumber(const TypePtr& a, const TypePtr& b) {
  const bool float_a = arrow::is_floating(a->id()), float_b = arrow::is_floating(b->id());
  if (float_a && float_b) return a->bit_width() >= b->bit_width() ? a : b;
  if (arrow::is_decimal(a->id()) || arrow::is_decimal(b->id())) {
    if (float_a || float_b) return arrow::float64();
    return CommonDecimal(*DecimalOf(a), *DecimalOf(b));
  }
  if (float_a || float_b) return float_a ? a : b;
  return CommonInteger(a, b);
}

/// Dates meet timestamps at midnight, timestamps of two units in the finer one. The zone is the left one's,
/// if it has one.
TypePtr CommonTime(const TypePtr& a, const TypePtr& b) {
  const bool timestamp_a = a->id() == arrow::Type::TIMESTAMP, timestamp_b = b->id() == arrow::Type::TIMESTAMP;
  if (!timestamp_a && !timestamp_b) return arrow::date64();
  if (timestamp_a != timestamp_b) return timestamp_a ? a : b;
  const auto& x = static_cast<const arrow::TimestampType&>(*a);
  const auto& y = static_cast<const arrow::TimestampType&>(*b);
  return arrow::timestamp(std::max(x.unit(), y.unit()), x.timezone().empty() ? y.timezone() : x.timezone());
}

bool IsTime(const arrow::DataType& type) {
  return arrow::is_date(type.id()) || type.id() == arrow::Type::TIMESTAMP;
}

bool IsUtf8(const arrow::DataType& type) {
  return arrow::is_string(type.id()) || type.id() == arrow::Type::STRING_VIEW;
}

}  // namespace

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_numeric(type.id()) || arrow::is_decimal(type.id());
}

bool IsText(const arrow::DataType& type) {
  return arrow::is_base_binary_like(type.id()) || arrow::is_binary_view_like(type);
}

TypePtr DecimalOf(const TypePtr& type) {
  if (!arrow::is_integer(type->id())) return type;
  switch (type->bit_width()) {
    case 8:
      return arrow::decimal128(3, 0);
    case 16:
      return arrow::decimal128(5, 0);
    case 32:
      return arrow::decimal128(10, 0);
    default:
      return arrow::decimal128(20, 0);
  }
}

bool MayRescale(const arrow::DataType& from, const arrow::DataType& to) {
  int limit = arrow::Decimal256Type::kMaxPrecision;
  const auto scale_of = [&](const arrow::DataType& type) {
    if (!arrow::is_decimal(type.id())) return 0;
    if (type.id() == arrow::Type::DECIMAL128) limit = kMaxPrecision;
    return static_cast<const arrow::DecimalType&>(type).scale();
  };
  const int a = scale_of(from), b = scale_of(to);
  return std::max({std::abs(a), std::abs(b), std::abs(a - b)}) <= limit;
}

bool MayCoerce(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == arrow::Type::NA) return true;
  const bool to_number = arrow::is_floating(to.id()) || arrow::is_decimal(to.id());
  if (arrow::is_integer(from.id())) return arrow::is_integer(to.id()) || to_number;
  if (arrow::is_floating(from.id())) return to_number;
  if (IsText(from)) return IsText(to) || to.id() == arrow::Type::FIXED_SIZE_BINARY;
  if (arrow::is_date(from.id())) return arrow::is_date(to.id()) || to.id() == arrow::Type::TIMESTAMP;
  if (from.id() == arrow::Type::TIMESTAMP) return to.id() == arrow::Type::TIMESTAMP;
  return false;
}

TypePtr CommonType(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b) || b->id() == arrow::Type::NA) return a;
  if (a->id() == arrow::Type::NA) return b;
  if (IsNumber(*a) && IsNumber(*b)) return CommonNumber(a, b);
  if (IsTime(*a) && IsTime(*b)) return CommonTime(a, b);
  if (IsUtf8(*a) && IsUtf8(*b)) return arrow::large_utf8();
  if (arrow::is_base_binary_like(a->id()) && arrow::is_base_binary_like(b->id()) && !IsUtf8(*a) &&
      !IsUtf8(*b))
    return arrow::large_binary();
  return nullptr;
}

TypePtr ParseSqlType(const std::string& name) {
  static const std::map<std::string, TypePtr, std::less<>> kTypes = {{"tinyint", arrow::int8()},
                                                                     {"smallint", arrow::int16()},
                                                                     {"int", arrow::int32()},
                                                                     {"integer", arrow::int32()},
                                                                     {"bigint", arrow::int64()},
                                                                     {"tinyint unsigned", arrow::uint8()},
                                                                     {"smallint unsigned", arrow::uint16()},
                                                                     {"int unsigned", arrow::uint32()},
                                                                     {"bigint unsigned", arrow::uint64()},
                                                                     {"float", arrow::float32()},
                                                                     {"real", arrow::float32()},
                                                                     {"double", arrow::float64()},
                                                                     {"string", arrow::utf8()},
                                                                     {"varchar", arrow::utf8()},
                                                                     {"text", arrow::utf8()},
                                                                     {"binary", arrow::binary()},
                                                                     {"boolean", arrow::boolean()},
                                                                     {"bool", arrow::boolean()},
                                                                     {"date", arrow::date32()},
                                                                     {"timestamp", TimestampType(6)},
                                                                     {"datetime", TimestampType(6)}};
  if (const auto it = kTypes.find(name); it != kTypes.end()) return it->second;
  const size_t open = name.find('(');
  if (open == std::string::npos) return nullptr;
  const std::string base = name.substr(0, open);
  int first = 0, second = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + open + 1, end, first);
  if (parsed.ptr < end && *parsed.ptr == ',') std::from_chars(parsed.ptr + 1, end, second);
  if (base == "timestamp" || base == "datetime") return TimestampType(first);
  if (base == "decimal" && first >= 1 && first <= kMaxPrecision) return arrow::decimal128(first, second);
  return nullptr;
}

}  // namespace pilum
