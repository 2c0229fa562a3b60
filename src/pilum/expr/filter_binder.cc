// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/filter_binder.h"

#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <optional>

#include "pilum/expr/sql_lexer.h"

namespace pilum {

namespace {

namespace cp = arrow::compute;
using cp::Expression;
using TypePtr = std::shared_ptr<arrow::DataType>;

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool IsText(const arrow::DataType& type) {
  return arrow::is_base_binary_like(type.id()) || arrow::is_binary_view_like(type);
}

/// The value of a bound literal, or null.
std::shared_ptr<arrow::Scalar> LiteralOf(const Expression& expression) {
  const arrow::Datum* datum = expression.literal();
  return datum != nullptr && datum->is_scalar() ? datum->scalar() : nullptr;
}

/// Whether a literal of type `from` may stand beside a column of type `to`: numbers do not become text, nor
/// fractions integers.
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

arrow::Result<TypePtr> ParseTypeName(const SqlNode& cast, std::string_view sql) {
  static const std::map<std::string, TypePtr, std::less<>> kTypes = {
      {"tinyint", arrow::int8()},
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
      {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"datetime", arrow::timestamp(arrow::TimeUnit::MICRO)}};
  if (const auto it = kTypes.find(cast.text); it != kTypes.end()) return it->second;
  const size_t open = cast.text.find('(');
  if (open != std::string::npos) {
    const std::string name = cast.text.substr(0, open);
    int first = 0, second = 0;
    const char* end = cast.text.data() + cast.text.size();
    const auto parsed = std::from_chars(cast.text.data() + open + 1, end, first);
    if (parsed.ptr < end && *parsed.ptr == ',') std::from_chars(parsed.ptr + 1, end, second);
    if (name == "timestamp" || name == "datetime") {
      switch (first) {
        case 0:
          return arrow::timestamp(arrow::TimeUnit::SECOND);
        case 3:
          return arrow::timestamp(arrow::TimeUnit::MILLI);
        case 6:
          return arrow::timestamp(arrow::TimeUnit::MICRO);
        case 9:
          return arrow::timestamp(arrow::TimeUnit::NANO);
        default:
          break;
      }
    }
    if (name == "decimal" && first >= 1 && first <= 38) return arrow::decimal128(first, second);
  }
  return SqlError(sql, cast.position, "unknown type " + cast.text);
}

class Binder {
 public:
  Binder(const arrow::Schema& schema, std::string_view sql) : schema_(schema), sql_(sql) {}

  arrow::Result<Expression> Bind(const SqlNode& node) {
    switch (node.kind) {
      case SqlNode::kColumn:
        return Column(node);
      case SqlNode::kString:
        return Literal(std::make_shared<arrow::StringScalar>(node.text));
      case SqlNode::kBytes:
        return Literal(std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(node.text)));
      case SqlNode::kNumber:
        return Number(node);
      case SqlNode::kBoolean:
        return Literal(std::make_shared<arrow::BooleanScalar>(node.text == "true"));
      case SqlNode::kNull:
        return Literal(std::make_shared<arrow::NullScalar>());
      case SqlNode::kTyped:
        return Typed(node);
      case SqlNode::kUnary:
        return Unary(node);
      case SqlNode::kBinary:
        return Binary(node);
      case SqlNode::kIsNull: {
        ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
        return Finish(node.negated ? cp::is_valid(std::move(value)) : cp::is_null(std::move(value)), node);
      }
      case SqlNode::kIsBoolean:
        return IsBoolean(node);
      case SqlNode::kIn:
        return In(node);
      case SqlNode::kBetween:
        return Between(node);
      case SqlNode::kLike:
        return Like(node);
      case SqlNode::kCast:
        return Cast(node);
      case SqlNode::kCall:
        return Call(node);
    }
    return arrow::Status::Invalid("unknown node");
  }

 private:
  arrow::Status Error(const SqlNode& node, const std::string& what) const {
    return SqlError(sql_, node.position, what);
  }

  arrow::Result<Expression> Finish(Expression expression, const SqlNode& node) const {
    auto bound = expression.Bind(schema_);
    if (bound.ok()) return bound;
    return Error(node, bound.status().message());
  }

  arrow::Result<Expression> Literal(std::shared_ptr<arrow::Scalar> value) const {
    return cp::literal(arrow::Datum(std::move(value))).Bind(schema_);
  }

  arrow::Result<Expression> Column(const SqlNode& node) const {
    ARROW_ASSIGN_OR_RAISE(auto name, Resolve(node, schema_.fields()));
    std::vector<arrow::FieldRef> path = {arrow::FieldRef(name->name())};
    std::shared_ptr<arrow::Field> at = name;
    for (const SqlNode& step : node.operands) {
      if (at->type()->id() != arrow::Type::STRUCT) return Error(step, at->name() + " has no fields");
      ARROW_ASSIGN_OR_RAISE(at, Resolve(step, at->type()->fields()));
      path.emplace_back(at->name());
    }
    return Finish(cp::field_ref(path.size() == 1 ? path[0] : arrow::FieldRef(std::move(path))), node);
  }

  arrow::Result<std::shared_ptr<arrow::Field>> Resolve(const SqlNode& node,
                                                       const arrow::FieldVector& fields) const {
    for (const auto& field : fields) {
      if (field->name() == node.text) return field;
    }
    for (const auto& field : fields) {
      if (!node.quoted && EqualsIgnoringCase(field->name(), node.text)) return field;
    }
    std::string names;
    for (const auto& field : fields) names += (names.empty() ? "" : ", ") + field->name();
    return Error(node, "No field named " + node.text + ". Valid fields are " + names + ",");
  }

  arrow::Result<Expression> Number(const SqlNode& node) const {
    int64_t integer = 0;
    const char* end = node.text.data() + node.text.size();
    if (const auto [at, error] = std::from_chars(node.text.data(), end, integer);
        error == std::errc() && at == end) {
      return Literal(std::make_shared<arrow::Int64Scalar>(integer));
    }
    uint64_t large = 0;
    if (const auto [at, error] = std::from_chars(node.text.data(), end, large);
        error == std::errc() && at == end) {
      return Literal(std::make_shared<arrow::UInt64Scalar>(large));
    }
    double number = 0;
    if (const auto [at, error] = std::from_chars(node.text.data(), end, number);
        error == std::errc() && at == end) {
      return Literal(std::make_shared<arrow::DoubleScalar>(number));
    }
    return Error(node, "not a number: " + node.text);
  }

  arrow::Result<Expression> Typed(const SqlNode& node) const {
    const TypePtr type = node.text == "date" ? arrow::date32() : arrow::timestamp(arrow::TimeUnit::MICRO);
    const std::string& text = node.operands[0].text;
    auto value = arrow::Scalar::Parse(type, text);
    if (!value.ok()) return Error(node, "not a " + node.text + ": '" + text + "'");
    return Literal(*std::move(value));
  }

  arrow::Result<Expression> Unary(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    if (node.text == "-") return Finish(cp::call("negate", {std::move(value)}), node);
    ARROW_RETURN_NOT_OK(CheckBoolean(value, node));
    return Finish(cp::not_(std::move(value)), node);
  }

  arrow::Status CheckBoolean(const Expression& value, const SqlNode& node) const {
    const auto id = value.type()->id();
    if (id == arrow::Type::BOOL || id == arrow::Type::NA) return arrow::Status::OK();
    return Error(node, "a value of type " + value.type()->ToString() + " is no condition");
  }

  arrow::Result<Expression> Binary(const SqlNode& node) {
    if (node.text == "and" || node.text == "or") return Logical(node);
    ARROW_ASSIGN_OR_RAISE(auto left, Bind(node.operands[0]));
    ARROW_ASSIGN_OR_RAISE(auto right, Bind(node.operands[1]));
    static const std::map<std::string, const char*, std::less<>> kComparisons = {
        {"=", "equal"},       {"!=", "not_equal"}, {"<", "less"},
        {"<=", "less_equal"}, {">", "greater"},    {">=", "greater_equal"}};
    if (const auto it = kComparisons.find(node.text); it != kComparisons.end()) {
      return Compare(it->second, std::move(left), std::move(right), node);
    }
    if (node.text == "||") {
      return Finish(
          cp::call("binary_join_element_wise", {std::move(left), std::move(right), cp::literal("")}), node);
    }
    if (node.text == "%") {  // truncated towards zero, as in SQL
      const Expression whole = cp::call("multiply", {cp::call("divide", {left, right}), right});
      return Finish(cp::call("subtract", {left, whole}), node);
    }
    const char* function = node.text == "+"   ? "add"
                           : node.text == "-" ? "subtract"
                           : node.text == "*" ? "multiply"
                                              : "divide";
    return Finish(cp::call(function, {std::move(left), std::move(right)}), node);
  }

  arrow::Result<Expression> Logical(const SqlNode& node) {
    std::vector<Expression> terms;
    for (const SqlNode& operand : node.operands) {
      ARROW_ASSIGN_OR_RAISE(terms.emplace_back(), Bind(operand));
      ARROW_RETURN_NOT_OK(CheckBoolean(terms.back(), operand));
    }
    while (terms.size() > 1) {  // a balanced tree: its depth is the logarithm of the number of terms
      std::vector<Expression> halved;
      for (size_t i = 0; i + 1 < terms.size(); i += 2) {
        halved.push_back(node.text == "and" ? cp::and_(terms[i], terms[i + 1])
                                            : cp::or_(terms[i], terms[i + 1]));
      }
      if (terms.size() % 2 != 0) halved.push_back(terms.back());
      terms = std::move(halved);
    }
    return Finish(std::move(terms[0]), node);
  }

  /// `literal` in the type of what it is compared with.
  arrow::Result<std::shared_ptr<arrow::Scalar>> Coerce(const std::shared_ptr<arrow::Scalar>& literal,
                                                       const TypePtr& type, const SqlNode& node) const {
    if (literal->type->Equals(*type)) return literal;
    if (!literal->is_valid) return arrow::MakeNullScalar(type);
    if (MayCoerce(*literal->type, *type)) {
      arrow::Datum from(literal);
      if (arrow::is_integer(literal->type->id()) && arrow::is_decimal(type->id())) {
        // Arrow wants room for every int64 in the result: through a type that has it.
        const auto wide = arrow::decimal256(76, static_cast<const arrow::DecimalType&>(*type).scale());
        ARROW_ASSIGN_OR_RAISE(from, cp::Cast(from, wide));
      }
      auto value = cp::Cast(from, type, cp::CastOptions::Safe(type));
      if (value.ok()) return value->scalar();
    }
    return Error(node, "Received literal " + literal->ToString() + " of type " + literal->type->ToString() +
                           " and could not convert to literal of type '" + type->ToString() + "'");
  }

  arrow::Result<Expression> Compare(const char* function, Expression left, Expression right,
                                    const SqlNode& node) const {
    ARROW_RETURN_NOT_OK(CoerceSide(&left, right, node));
    ARROW_RETURN_NOT_OK(CoerceSide(&right, left, node));
    return Finish(cp::call(function, {std::move(left), std::move(right)}), node);
  }

  /// Gives `side`, if it is a literal and `other` is a column, the column's type.
  arrow::Status CoerceSide(Expression* side, const Expression& other, const SqlNode& node) const {
    const auto literal = LiteralOf(*side);
    if (literal == nullptr || other.field_ref() == nullptr) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto value, Coerce(literal, other.type()->GetSharedPtr(), node));
    return Literal(std::move(value)).Value(side);
  }

  arrow::Result<Expression> IsBoolean(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    ARROW_RETURN_NOT_OK(CheckBoolean(value, node));
    if (node.text == "false") value = cp::not_(std::move(value));
    Expression is = cp::call("coalesce", {std::move(value), cp::literal(false)});
    return Finish(node.negated ? cp::not_(std::move(is)) : std::move(is), node);
  }

  arrow::Result<Expression> In(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    const TypePtr type = value.type()->GetSharedPtr();
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type));
    for (size_t i = 1; i < node.operands.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const auto element, Bind(node.operands[i]));
      const auto literal = LiteralOf(element);
      if (literal == nullptr) return arrow::Status::NotImplemented("IN with other than literals: ", sql_);
      ARROW_ASSIGN_OR_RAISE(const auto coerced, Coerce(literal, type, node.operands[i]));
      ARROW_RETURN_NOT_OK(builder->AppendScalar(*coerced));
    }
    ARROW_ASSIGN_OR_RAISE(auto set, builder->Finish());
    // Null where the value is null, and where it is not found and the list has a null: unknown in SQL.
    const cp::SetLookupOptions options(std::move(set), cp::SetLookupOptions::INCONCLUSIVE);
    Expression in = cp::call("is_in", {std::move(value)}, options);
    return Finish(node.negated ? cp::not_(std::move(in)) : std::move(in), node);
  }

  arrow::Result<Expression> Between(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(const auto value, Bind(node.operands[0]));
    ARROW_ASSIGN_OR_RAISE(auto low, Bind(node.operands[1]));
    ARROW_ASSIGN_OR_RAISE(auto high, Bind(node.operands[2]));
    ARROW_ASSIGN_OR_RAISE(auto above, Compare("greater_equal", value, std::move(low), node));
    ARROW_ASSIGN_OR_RAISE(auto below, Compare("less_equal", value, std::move(high), node));
    Expression between = cp::and_(std::move(above), std::move(below));
    return Finish(node.negated ? cp::not_(std::move(between)) : std::move(between), node);
  }

  arrow::Result<std::string> TextOf(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(const auto bound, Bind(node));
    const auto literal = LiteralOf(bound);
    if (literal != nullptr && literal->is_valid && literal->type->id() == arrow::Type::STRING) {
      return static_cast<const arrow::StringScalar&>(*literal).value->ToString();
    }
    return Error(node, "expected a text literal");
  }

  arrow::Result<Expression> Like(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    ARROW_ASSIGN_OR_RAISE(std::string pattern, TextOf(node.operands[1]));
    if (node.operands.size() > 2) {
      ARROW_ASSIGN_OR_RAISE(const std::string escape, TextOf(node.operands[2]));
      if (escape.size() != 1) return Error(node.operands[2], "ESCAPE takes one character");
      pattern = WithBackslashes(pattern, escape[0]);
    }
    const cp::MatchSubstringOptions options(std::move(pattern), /*ignore_case=*/node.text == "ilike");
    Expression like = cp::call("match_like", {std::move(value)}, options);
    return Finish(node.negated ? cp::not_(std::move(like)) : std::move(like), node);
  }

  /// Arrow's kernel escapes by a backslash.
  static std::string WithBackslashes(const std::string& pattern, char escape) {
    std::string translated;
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i] == escape && i + 1 < pattern.size()) {
        translated += '\\';
        translated += pattern[++i];
      } else {
        if (pattern[i] == '\\') translated += '\\';
        translated += pattern[i];
      }
    }
    return translated;
  }

  arrow::Result<Expression> Cast(const SqlNode& node) {
    if (node.negated) return arrow::Status::NotImplemented("TRY_CAST: ", sql_);
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    ARROW_ASSIGN_OR_RAISE(const auto type, ParseTypeName(node, sql_));
    if (const auto literal = LiteralOf(value)) {
      auto cast = cp::Cast(arrow::Datum(literal), type, cp::CastOptions::Safe(type));
      if (!cast.ok()) return Error(node, cast.status().message());
      return Literal(cast->scalar());
    }
    return Finish(cp::call("cast", {std::move(value)}, cp::CastOptions::Safe(type)), node);
  }

  arrow::Result<Expression> Call(const SqlNode& node) {
    std::vector<Expression> arguments;
    for (const SqlNode& operand : node.operands) {
      ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), Bind(operand));
    }
    static const std::map<std::string, const char*, std::less<>> kSame = {{"lower", "utf8_lower"},
                                                                          {"upper", "utf8_upper"},
                                                                          {"length", "utf8_length"},
                                                                          {"char_length", "utf8_length"},
                                                                          {"octet_length", "binary_length"},
                                                                          {"abs", "abs"},
                                                                          {"floor", "floor"},
                                                                          {"ceil", "ceil"},
                                                                          {"sqrt", "sqrt"},
                                                                          {"is_valid", "is_valid"},
                                                                          {"isnan", "is_nan"},
                                                                          {"reverse", "utf8_reverse"}};
    if (const auto it = kSame.find(node.text); it != kSame.end()) {
      if (arguments.size() != 1) return Error(node, node.text + " takes one argument");
      return Finish(cp::call(it->second, std::move(arguments)), node);
    }
    if (node.text == "coalesce") return Finish(cp::call("coalesce", std::move(arguments)), node);
    static const std::map<std::string, const char*, std::less<>> kMatchers = {
        {"starts_with", "starts_with"},
        {"ends_with", "ends_with"},
        {"contains", "match_substring"},
        {"regexp_match", "match_substring_regex"},
        {"regexp_like", "match_substring_regex"}};
    if (const auto it = kMatchers.find(node.text); it != kMatchers.end()) {
      if (arguments.size() != 2) return Error(node, node.text + " takes two arguments");
      ARROW_ASSIGN_OR_RAISE(auto pattern, TextOf(node.operands[1]));
      return Finish(
          cp::call(it->second, {std::move(arguments[0])}, cp::MatchSubstringOptions(std::move(pattern))),
          node);
    }
    return arrow::Status::NotImplemented("function ", node.text, " in filters: ", sql_);
  }

  const arrow::Schema& schema_;
  const std::string_view sql_;
};

}  // namespace

arrow::Result<Expression> BindCondition(const SqlNode& node, const arrow::Schema& schema,
                                        std::string_view sql) {
  ARROW_ASSIGN_OR_RAISE(auto bound, Binder(schema, sql).Bind(node));
  const auto id = bound.type()->id();
  if (id == arrow::Type::BOOL) return bound;
  if (id == arrow::Type::NA)
    return cp::literal(arrow::Datum(arrow::MakeNullScalar(arrow::boolean()))).Bind(schema);
  return SqlError(sql, node.position, "the filter does not return a boolean but " + bound.type()->ToString());
}

}  // namespace pilum
