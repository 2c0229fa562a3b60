// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/filter_binder.h"

#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "pilum/expr/sql_functions.h"
#include "pilum/expr/sql_lexer.h"
#include "pilum/expr/sql_types.h"

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

/// The value of a bound literal, or null.
std::shared_ptr<arrow::Scalar> LiteralOf(const Expression& expression) {
  const arrow::Datum* datum = expression.literal();
  return datum != nullptr && datum->is_scalar() ? datum->scalar() : nullptr;
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
  arrow::Status Unsupported(const SqlNode& node, const std::string& what) const {
    return arrow::Status::NotImplemented(Error(node, what).message());
  }

  arrow::Result<Expression> Finish(Expression expression, const SqlNode& node) const {
    auto bound = expression.Bind(schema_);
    if (bound.ok()) return bound;
    if (bound.status().IsNotImplemented()) return Unsupported(node, bound.status().message());
    return Error(node, bound.status().message());
  }

  arrow::Result<Expression> Literal(std::shared_ptr<arrow::Scalar> value) const {
    return cp::literal(arrow::Datum(std::move(value))).Bind(schema_);
  }
  arrow::Result<Expression> NullBoolean() const { return Literal(arrow::MakeNullScalar(arrow::boolean())); }

  /// `function` of `value`: a literal if `value` is one.
  arrow::Result<Expression> Apply(const char* function, const Expression& value, const SqlNode& node,
                                  const std::shared_ptr<cp::FunctionOptions>& options = nullptr) const {
    const auto literal = LiteralOf(value);
    if (literal == nullptr) return Finish(cp::call(function, {value}, options), node);
    auto result = cp::CallFunction(function, {arrow::Datum(literal)}, options.get());
    if (result.ok()) return Literal(result->scalar());
    if (result.status().IsNotImplemented()) return Unsupported(node, result.status().message());
    return Error(node, result.status().message());
  }

  /// `value` as `type`, or an error for each value the type does not hold. Integers become the nearest float.
  arrow::Result<Expression> CastTo(const TypePtr& type, const Expression& value, const SqlNode& node) const {
    const TypePtr from = value.type()->GetSharedPtr();
    if (from->Equals(*type)) return value;
    if (!MayRescale(*from, *type)) return Unsupported(node, Cannot("a cast", *from, *type));
    auto options = std::make_shared<cp::CastOptions>(cp::CastOptions::Safe(type));
    options->allow_float_truncate = arrow::is_integer(from->id()) && arrow::is_floating(type->id());
    Expression operand = value;
    const bool widens = arrow::is_integer(from->id()) && arrow::is_decimal(type->id());
    if (widens && !type->Equals(*DecimalOf(from))) {
      // Arrow wants room for every integer in the result: through a type that has it.
      ARROW_ASSIGN_OR_RAISE(operand, CastTo(DecimalOf(from), value, node));
    } else if (IsNaive(*from) && type->id() == arrow::Type::TIMESTAMP && !IsNaive(*type) && !IsUtc(*type)) {
      auto zone = std::make_shared<cp::AssumeTimezoneOptions>(
          static_cast<const arrow::TimestampType&>(*type).timezone());
      ARROW_ASSIGN_OR_RAISE(operand, Apply("assume_timezone", value, node, zone));
    }
    return Apply("cast", operand, node, options);
  }

  static std::string Cannot(const char* what, const arrow::DataType& a, const arrow::DataType& b) {
    return std::string(what) + " between " + a.ToString() + " and " + b.ToString();
  }

  static bool IsNaive(const arrow::DataType& type) {
    return type.id() == arrow::Type::TIMESTAMP &&
           static_cast<const arrow::TimestampType&>(type).timezone().empty();
  }
  static bool IsUtc(const arrow::DataType& type) {
    const std::string& zone = static_cast<const arrow::TimestampType&>(type).timezone();
    return zone == "UTC" || zone == "+00:00";
  }

  /// Casts both to the type in which they meet.
  arrow::Status Unify(Expression* left, Expression* right, const SqlNode& node) const {
    const auto common = CommonType(left->type()->GetSharedPtr(), right->type()->GetSharedPtr());
    if (common == nullptr) {
      return Unsupported(node, "values of types " + left->type()->ToString() + " and " +
                                   right->type()->ToString() + " beside each other");
    }
    ARROW_RETURN_NOT_OK(CastTo(common, *left, node).Value(left));
    return CastTo(common, *right, node).Value(right);
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
    ARROW_ASSIGN_OR_RAISE(
        auto column,
        Finish(cp::field_ref(path.size() == 1 ? path[0] : arrow::FieldRef(std::move(path))), node));
    if (column.type()->id() != arrow::Type::DICTIONARY) return column;
    // Its values are what conditions are about; Arrow's kernels compare no dictionaries.
    return CastTo(static_cast<const arrow::DictionaryType&>(*column.type()).value_type(), column, node);
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
    ARROW_ASSIGN_OR_RAISE(auto number, ParseNumber(node));
    if (number_type_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(number, Coerce(number, number_type_, node));
    }
    return Literal(std::move(number));
  }

  arrow::Result<std::shared_ptr<arrow::Scalar>> ParseNumber(const SqlNode& node) const {
    const char* begin = node.text.data();
    const char* end = begin + node.text.size();
    const auto parses = [&](auto* number) {
      const auto [at, error] = std::from_chars(begin, end, *number);
      return error == std::errc() && at == end;
    };
    int64_t integer = 0;
    uint64_t large = 0;
    double fraction = 0;
    if (parses(&integer)) return std::make_shared<arrow::Int64Scalar>(integer);
    if (parses(&large)) return std::make_shared<arrow::UInt64Scalar>(large);
    if (parses(&fraction)) return std::make_shared<arrow::DoubleScalar>(fraction);
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
    if (node.text != "-") {
      ARROW_ASSIGN_OR_RAISE(value, AsCondition(std::move(value), node));
      return Finish(cp::not_(std::move(value)), node);
    }
    const auto id = value.type()->id();
    if (arrow::is_unsigned_integer(id)) return Unsupported(node, "the negative of an unsigned integer");
    return Finish(cp::call("negate", {std::move(value)}), node);
  }

  /// `value` if it is a boolean; null as one.
  arrow::Result<Expression> AsCondition(Expression value, const SqlNode& node) const {
    const auto id = value.type()->id();
    if (id == arrow::Type::BOOL) return value;
    if (id == arrow::Type::NA) return NullBoolean();
    return Error(node, "a value of type " + value.type()->ToString() + " is no condition");
  }

  arrow::Result<Expression> Binary(const SqlNode& node) {
    if (node.text == "and" || node.text == "or") return Logical(node);
    ARROW_ASSIGN_OR_RAISE(auto left, Bind(node.operands[0]));
    static const std::map<std::string, const char*, std::less<>> kComparisons = {
        {"=", "equal"},       {"!=", "not_equal"}, {"<", "less"},
        {"<=", "less_equal"}, {">", "greater"},    {">=", "greater_equal"}};
    if (const auto it = kComparisons.find(node.text); it != kComparisons.end()) {
      ARROW_ASSIGN_OR_RAISE(auto right, BindBeside(left, node.operands[1]));
      return Compare(it->second, std::move(left), std::move(right), node);
    }
    ARROW_ASSIGN_OR_RAISE(auto right, Bind(node.operands[1]));
    return node.text == "||" ? Concat(std::move(left), std::move(right), node)
                             : Arithmetic(std::move(left), std::move(right), node);
  }

  /// Numbers in a calculation beside a column of fractions are fractions too: `x > 1 / 2`.
  arrow::Result<Expression> BindBeside(const Expression& column, const SqlNode& node) {
    const TypePtr type = column.type()->GetSharedPtr();
    const bool fractions = arrow::is_floating(type->id()) || arrow::is_decimal(type->id());
    if (column.field_ref() == nullptr || !fractions || node.kind != SqlNode::kBinary) return Bind(node);
    const TypePtr outer = std::exchange(number_type_, type);
    auto bound = Bind(node);
    number_type_ = outer;
    return bound;
  }

  arrow::Result<Expression> Concat(Expression left, Expression right, const SqlNode& node) const {
    for (Expression* side : {&left, &right}) {
      const auto id = side->type()->id();
      if (arrow::is_integer(id) || id == arrow::Type::BOOL || id == arrow::Type::NA) {
        ARROW_ASSIGN_OR_RAISE(*side, CastTo(arrow::utf8(), *side, node));
      }
    }
    return Finish(cp::call("binary_join_element_wise", {std::move(left), std::move(right), cp::literal("")}),
                  node);
  }

  /// Integers wrap around, division and its remainder truncate towards zero.
  arrow::Result<Expression> Arithmetic(Expression left, Expression right, const SqlNode& node) const {
    const auto takes = [](const arrow::DataType& type) {
      return IsNumber(type) || type.id() == arrow::Type::NA;
    };
    if (!takes(*left.type()) || !takes(*right.type()))
      return Unsupported(
          node, "'" + node.text + "' of " + left.type()->ToString() + " and " + right.type()->ToString());
    const auto common = CommonType(left.type()->GetSharedPtr(), right.type()->GetSharedPtr());
    const bool divides = node.text == "/" || node.text == "%";
    if (arrow::is_decimal(common->id())) {
      if (divides) return Unsupported(node, "division of decimals");
      if (!MayRescale(*left.type(), *right.type())) {
        return Unsupported(node, Cannot("arithmetic", *left.type(), *right.type()));
      }
      for (Expression* side : {&left, &right}) {
        const TypePtr type = side->type()->id() == arrow::Type::NA ? common : side->type()->GetSharedPtr();
        ARROW_ASSIGN_OR_RAISE(*side, CastTo(DecimalOf(type), *side, node));
      }
    } else {
      ARROW_RETURN_NOT_OK(Unify(&left, &right, node));
    }
    const char* divide = arrow::is_integer(common->id()) ? "divide_checked" : "divide";
    const char* function = node.text == "+"   ? "add"
                           : node.text == "-" ? "subtract"
                           : node.text == "*" ? "multiply"
                           : node.text == "/" ? divide
                                              : kRemainderFunction;
    auto result = Finish(cp::call(function, {std::move(left), std::move(right)}), node);
    // The result of decimals may need more digits than there are.
    if (!result.ok() && arrow::is_decimal(common->id())) return Unsupported(node, result.status().message());
    return result;
  }

  arrow::Result<Expression> Logical(const SqlNode& node) {
    std::vector<Expression> terms;
    for (const SqlNode& operand : node.operands) {
      ARROW_ASSIGN_OR_RAISE(auto term, Bind(operand));
      ARROW_ASSIGN_OR_RAISE(terms.emplace_back(), AsCondition(std::move(term), operand));
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

  /// `literal` in the type of the column it is compared with.
  arrow::Result<std::shared_ptr<arrow::Scalar>> Coerce(const std::shared_ptr<arrow::Scalar>& literal,
                                                       const TypePtr& type, const SqlNode& node) const {
    if (literal->type->Equals(*type)) return literal;
    if (!literal->is_valid) return arrow::MakeNullScalar(type);
    if (MayCoerce(*literal->type, *type)) {
      ARROW_ASSIGN_OR_RAISE(const auto expression, Literal(literal));
      const auto value = CastTo(type, expression, node);
      if (value.ok()) return LiteralOf(*value);
    }
    return Error(node, "Received literal " + literal->ToString() + " of type " + literal->type->ToString() +
                           " and could not convert to literal of type '" + type->ToString() + "'");
  }

  arrow::Result<Expression> Compare(const char* function, Expression left, Expression right,
                                    const SqlNode& node) const {
    ARROW_RETURN_NOT_OK(CoerceSide(&left, right, node));
    ARROW_RETURN_NOT_OK(CoerceSide(&right, left, node));
    ARROW_RETURN_NOT_OK(Unify(&left, &right, node));
    if (left.type()->id() == arrow::Type::NA) return NullBoolean();
    if (arrow::is_floating(left.type()->id()) && !IsPlainEquality(function, left, right)) {
      ARROW_ASSIGN_OR_RAISE(left, Apply(kTotalOrderFunction, left, node));
      ARROW_ASSIGN_OR_RAISE(right, Apply(kTotalOrderFunction, right, node));
    }
    return Finish(cp::call(function, {std::move(left), std::move(right)}), node);
  }

  /// Equality with a number that is neither zero nor NaN is the same in either order; an index answers it.
  static bool IsPlainEquality(std::string_view function, const Expression& left, const Expression& right) {
    if (function != "equal" && function != "not_equal") return false;
    for (const Expression* side : {&left, &right}) {
      const auto literal = LiteralOf(*side);
      if (literal == nullptr || !literal->is_valid) continue;
      const auto number = literal->CastTo(arrow::float64());
      const double value = number.ok() ? static_cast<const arrow::DoubleScalar&>(**number).value : 0;
      if (value != 0 && !std::isnan(value)) return true;
    }
    return false;
  }

  /// A column of dates becomes one of timestamps beside such a literal.
  static bool KeepsItsType(const arrow::Scalar& literal, const arrow::DataType& column) {
    return literal.type->id() == arrow::Type::TIMESTAMP && arrow::is_date(column.id());
  }

  /// Gives `side`, if it is a literal and `other` is a column, the column's type.
  arrow::Status CoerceSide(Expression* side, const Expression& other, const SqlNode& node) const {
    const auto literal = LiteralOf(*side);
    if (literal == nullptr || other.field_ref() == nullptr) return arrow::Status::OK();
    const TypePtr type = other.type()->GetSharedPtr();
    if (KeepsItsType(*literal, *type)) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto value, Coerce(literal, type, node));
    return Literal(std::move(value)).Value(side);
  }

  arrow::Result<Expression> IsBoolean(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    ARROW_ASSIGN_OR_RAISE(value, AsCondition(std::move(value), node));
    if (node.text == "false") value = cp::not_(std::move(value));
    Expression is = cp::call("coalesce", {std::move(value), cp::literal(false)});
    return Finish(node.negated ? cp::not_(std::move(is)) : std::move(is), node);
  }

  arrow::Result<Expression> In(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    arrow::ScalarVector elements;
    TypePtr type = value.type()->GetSharedPtr();
    const bool is_column = value.field_ref() != nullptr;
    for (size_t i = 1; i < node.operands.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const auto element, Bind(node.operands[i]));
      elements.push_back(LiteralOf(element));
      if (elements.back() == nullptr) return Unsupported(node.operands[i], "IN with other than literals");
      const bool decides = !is_column || KeepsItsType(*elements.back(), *type);
      const auto common = decides ? CommonType(type, elements.back()->type) : type;
      if (common != nullptr) type = common;
    }
    ARROW_ASSIGN_OR_RAISE(value, CastTo(type, value, node));
    if (type->id() == arrow::Type::NA) return NullBoolean();
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(type));
    for (size_t i = 0; i < elements.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const auto coerced, Coerce(elements[i], type, node.operands[i + 1]));
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
    ARROW_ASSIGN_OR_RAISE(auto low, BindBeside(value, node.operands[1]));
    ARROW_ASSIGN_OR_RAISE(auto high, BindBeside(value, node.operands[2]));
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
    return Unsupported(node, "other than a text literal");
  }

  arrow::Result<Expression> Like(const SqlNode& node) {
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    ARROW_ASSIGN_OR_RAISE(std::string pattern, TextOf(node.operands[1]));
    if (node.operands.size() > 2) {
      ARROW_ASSIGN_OR_RAISE(const std::string escape, TextOf(node.operands[2]));
      if (escape.size() != 1) return Error(node.operands[2], "ESCAPE takes one character");
      pattern = NormalizePattern(pattern, escape[0]);
    } else {
      pattern = NormalizePattern(pattern, '\\');
    }
    const cp::MatchSubstringOptions options(std::move(pattern), /*ignore_case=*/node.text == "ilike");
    Expression like = cp::call("match_like", {std::move(value)}, options);
    return Finish(node.negated ? cp::not_(std::move(like)) : std::move(like), node);
  }

  /// The pattern with backslashes before wildcards and backslashes that mean themselves, and nowhere else:
  /// what Arrow's kernel takes. `escape` makes the next character mean itself; at the end it means itself.
  static std::string NormalizePattern(const std::string& pattern, char escape) {
    std::string normal;
    for (size_t i = 0; i < pattern.size(); ++i) {
      const bool escapes = pattern[i] == escape && i + 1 < pattern.size();
      if (escapes) ++i;
      const bool is_wildcard = pattern[i] == '%' || pattern[i] == '_';
      if (pattern[i] == '\\' || (escapes && is_wildcard)) normal += '\\';
      normal += pattern[i];
    }
    return normal;
  }

  arrow::Result<Expression> Cast(const SqlNode& node) {
    if (node.negated) return Unsupported(node, "TRY_CAST");
    ARROW_ASSIGN_OR_RAISE(auto value, Bind(node.operands[0]));
    const TypePtr type = ParseSqlType(node.text);
    if (type == nullptr) return Error(node, "unknown type " + node.text);
    const auto from = value.type()->id();
    // Lance writes these otherwise than Arrow C++ does.
    if (IsText(*type) && (arrow::is_floating(from) || from == arrow::Type::TIMESTAMP))
      return Unsupported(node, "a cast of " + value.type()->ToString() + " to text");
    if (arrow::is_floating(from) && arrow::is_integer(type->id())) {
      ARROW_ASSIGN_OR_RAISE(value, Apply("trunc", value, node));
    }
    return CastTo(type, value, node);
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
                                                                          {"abs", "abs_checked"},
                                                                          {"floor", "floor"},
                                                                          {"ceil", "ceil"},
                                                                          {"sqrt", "sqrt"},
                                                                          {"is_valid", "is_valid"},
                                                                          {"isnan", "is_nan"},
                                                                          {"reverse", "utf8_reverse"}};
    if (const auto it = kSame.find(node.text); it != kSame.end()) {
      if (arguments.size() != 1) return Error(node, node.text + " takes one argument");
      if (node.text == "sqrt") {
        ARROW_ASSIGN_OR_RAISE(arguments[0], CastTo(arrow::float64(), arguments[0], node));
      }
      return Finish(cp::call(it->second, std::move(arguments)), node);
    }
    if (node.text == "coalesce") return Coalesce(std::move(arguments), node);
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

  arrow::Result<Expression> Coalesce(std::vector<Expression> arguments, const SqlNode& node) const {
    if (arguments.empty()) return Error(node, "coalesce takes at least one argument");
    TypePtr type = arguments[0].type()->GetSharedPtr();
    for (const Expression& argument : arguments) {
      type = CommonType(type, argument.type()->GetSharedPtr());
      if (type == nullptr) return Unsupported(node, "coalesce of values of different types");
    }
    for (Expression& argument : arguments) {
      ARROW_ASSIGN_OR_RAISE(argument, CastTo(type, argument, node));
    }
    return Finish(cp::call("coalesce", std::move(arguments)), node);
  }

  const arrow::Schema& schema_;
  const std::string_view sql_;
  TypePtr number_type_;  // of numbers in the calculation being bound; null: their own
};

}  // namespace

arrow::Result<Expression> BindCondition(const SqlNode& node, const arrow::Schema& schema,
                                        std::string_view sql) {
  ARROW_RETURN_NOT_OK(RegisterSqlFunctions());
  ARROW_ASSIGN_OR_RAISE(auto bound, Binder(schema, sql).Bind(node));
  if (bound.type()->id() == arrow::Type::BOOL) return bound;
  return SqlError(sql, node.position, "the filter does not return a boolean but " + bound.type()->ToString());
}

}  // namespace pilum
