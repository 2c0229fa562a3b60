// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/sql_parser.h"

#include <algorithm>
#include <utility>

#include "pilum/expr/sql_lexer.h"

namespace pilum {

namespace {

constexpr int kMaxDepth = 200;

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// Recursive descent, one method per precedence level, loosest first.
class Parser {
 public:
  Parser(std::string_view sql, std::vector<SqlToken> tokens) : sql_(sql), tokens_(std::move(tokens)) {}

  arrow::Result<SqlNode> Run() {
    ARROW_ASSIGN_OR_RAISE(auto node, Or());
    if (Now().kind != SqlToken::kEnd) return Unexpected("the end of the filter");
    return node;
  }

 private:
  const SqlToken& Now() const { return tokens_[at_]; }
  const SqlToken& Ahead(size_t n) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }

  bool TakeSymbol(std::string_view symbol) {
    if (!Now().IsSymbol(symbol)) return false;
    ++at_;
    return true;
  }
  bool TakeKeyword(std::string_view keyword) {
    if (!Now().IsKeyword(keyword)) return false;
    ++at_;
    return true;
  }
  arrow::Status Unexpected(std::string_view wanted) const {
    const std::string found = Now().kind == SqlToken::kEnd ? "the end" : "'" + Now().text + "'";
    return SqlError(sql_, Now().position, "expected " + std::string(wanted) + ", found " + found);
  }
  arrow::Status ExpectSymbol(std::string_view symbol) {
    if (TakeSymbol(symbol)) return arrow::Status::OK();
    return Unexpected("'" + std::string(symbol) + "'");
  }

  static SqlNode Make(SqlNode::Kind kind, size_t position, std::string text,
                      std::vector<SqlNode> operands = {}) {
    SqlNode node;
    node.kind = kind;
    node.position = position;
    node.text = std::move(text);
    node.operands = std::move(operands);
    return node;
  }

  arrow::Result<SqlNode> Or() {
    ARROW_ASSIGN_OR_RAISE(auto first, And());
    if (!Now().IsKeyword("OR")) return first;
    SqlNode all = Make(SqlNode::kBinary, Now().position, "or", One(std::move(first)));
    while (TakeKeyword("OR")) {
      ARROW_ASSIGN_OR_RAISE(all.operands.emplace_back(), And());
    }
    return all;
  }

  arrow::Result<SqlNode> And() {
    ARROW_ASSIGN_OR_RAISE(auto first, Not());
    if (!Now().IsKeyword("AND")) return first;
    SqlNode all = Make(SqlNode::kBinary, Now().position, "and", One(std::move(first)));
    while (TakeKeyword("AND")) {
      ARROW_ASSIGN_OR_RAISE(all.operands.emplace_back(), Not());
    }
    return all;
  }

  arrow::Result<SqlNode> Not() {
    const size_t position = Now().position;
    if (!TakeKeyword("NOT") && !TakeSymbol("~")) return Predicate();
    if (++depth_ > kMaxDepth) return TooDeep();
    ARROW_ASSIGN_OR_RAISE(auto operand, Not());
    --depth_;
    return Make(SqlNode::kUnary, position, "not", One(std::move(operand)));
  }

  /// A value, and what compares it.
  arrow::Result<SqlNode> Predicate() {
    ARROW_ASSIGN_OR_RAISE(auto left, Sum());
    for (int predicates = 0;; ++predicates) {
      if (predicates > kMaxDepth) return TooDeep();
      const SqlToken& token = Now();
      if (token.kind == SqlToken::kSymbol && IsComparison(token.text)) {
        ++at_;
        ARROW_ASSIGN_OR_RAISE(auto right, Sum());
        const std::string op = token.text == "==" ? "=" : token.text == "<>" ? "!=" : token.text;
        left = Make(SqlNode::kBinary, token.position, op, Pair(std::move(left), std::move(right)));
      } else if (token.IsKeyword("IS")) {
        ARROW_ASSIGN_OR_RAISE(left, Is(std::move(left)));
      } else if (token.IsKeyword("NOT") || token.IsKeyword("IN") || token.IsKeyword("BETWEEN") ||
                 token.IsKeyword("LIKE") || token.IsKeyword("ILIKE")) {
        ARROW_ASSIGN_OR_RAISE(left, Membership(std::move(left)));
      } else {
        return left;
      }
    }
  }

  static bool IsComparison(std::string_view op) {
    return op == "=" || op == "==" || op == "!=" || op == "<>" || op == "<" || op == "<=" || op == ">" ||
           op == ">=";
  }

  arrow::Result<SqlNode> Is(SqlNode value) {
    const size_t position = Now().position;
    ++at_;
    const bool negated = TakeKeyword("NOT");
    SqlNode node;
    if (TakeKeyword("NULL")) {
      node = Make(SqlNode::kIsNull, position, "", One(std::move(value)));
    } else if (Now().IsKeyword("TRUE") || Now().IsKeyword("FALSE")) {
      node = Make(SqlNode::kIsBoolean, position, Lower(Now().text), One(std::move(value)));
      ++at_;
    } else {
      return Unexpected("NULL, TRUE or FALSE");
    }
    node.negated = negated;
    return node;
  }

  /// [NOT] IN, BETWEEN, LIKE, ILIKE.
  arrow::Result<SqlNode> Membership(SqlNode value) {
    const size_t position = Now().position;
    const bool negated = TakeKeyword("NOT");
    SqlNode node;
    if (TakeKeyword("IN")) {
      ARROW_RETURN_NOT_OK(ExpectSymbol("("));
      std::vector<SqlNode> operands = One(std::move(value));
      do {
        ARROW_ASSIGN_OR_RAISE(operands.emplace_back(), Sum());
      } while (TakeSymbol(","));
      ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
      node = Make(SqlNode::kIn, position, "", std::move(operands));
    } else if (TakeKeyword("BETWEEN")) {
      ARROW_ASSIGN_OR_RAISE(auto low, Sum());
      if (!TakeKeyword("AND")) return Unexpected("AND");
      ARROW_ASSIGN_OR_RAISE(auto high, Sum());
      node = Make(SqlNode::kBetween, position, "", Pair(std::move(value), std::move(low)));
      node.operands.push_back(std::move(high));
    } else if (Now().IsKeyword("LIKE") || Now().IsKeyword("ILIKE")) {
      const std::string kind = Lower(Now().text);
      ++at_;
      ARROW_ASSIGN_OR_RAISE(auto pattern, Sum());
      node = Make(SqlNode::kLike, position, kind, Pair(std::move(value), std::move(pattern)));
      if (TakeKeyword("ESCAPE")) {
        ARROW_ASSIGN_OR_RAISE(node.operands.emplace_back(), Sum());
      }
    } else {
      return Unexpected("IN, BETWEEN or LIKE");
    }
    node.negated = negated;
    return node;
  }

  arrow::Result<SqlNode> Sum() {
    ARROW_ASSIGN_OR_RAISE(auto left, Product());
    for (int terms = 1; Now().IsSymbol("+") || Now().IsSymbol("-") || Now().IsSymbol("||"); ++terms) {
      if (terms > kMaxDepth) return TooDeep();
      const SqlToken& token = Now();
      ++at_;
      ARROW_ASSIGN_OR_RAISE(auto right, Product());
      left = Make(SqlNode::kBinary, token.position, token.text, Pair(std::move(left), std::move(right)));
    }
    return left;
  }

  arrow::Result<SqlNode> Product() {
    ARROW_ASSIGN_OR_RAISE(auto left, Unary());
    for (int terms = 1; Now().IsSymbol("*") || Now().IsSymbol("/") || Now().IsSymbol("%"); ++terms) {
      if (terms > kMaxDepth) return TooDeep();
      const SqlToken& token = Now();
      ++at_;
      ARROW_ASSIGN_OR_RAISE(auto right, Unary());
      left = Make(SqlNode::kBinary, token.position, token.text, Pair(std::move(left), std::move(right)));
    }
    return left;
  }

  arrow::Result<SqlNode> Unary() {
    if (Now().IsSymbol("-") || Now().IsSymbol("+")) {
      const SqlToken& token = Now();
      ++at_;
      if (++depth_ > kMaxDepth) return TooDeep();
      ARROW_ASSIGN_OR_RAISE(auto operand, Unary());
      --depth_;
      if (token.text == "+") return operand;
      if (operand.kind == SqlNode::kNumber && operand.text[0] != '-') {
        operand.text.insert(0, 1, '-');
        return operand;
      }
      return Make(SqlNode::kUnary, token.position, "-", One(std::move(operand)));
    }
    ARROW_ASSIGN_OR_RAISE(auto node, Primary());
    while (Now().IsSymbol("::")) {
      const size_t position = Now().position;
      ++at_;
      ARROW_ASSIGN_OR_RAISE(auto type, TypeName());
      node = Make(SqlNode::kCast, position, std::move(type), One(std::move(node)));
    }
    return node;
  }

  arrow::Result<SqlNode> Primary() {
    const SqlToken& token = Now();
    switch (token.kind) {
      case SqlToken::kString:
        ++at_;
        return Make(SqlNode::kString, token.position, token.text);
      case SqlToken::kBytes:
        ++at_;
        return Make(SqlNode::kBytes, token.position, token.text);
      case SqlToken::kNumber:
        ++at_;
        return Make(SqlNode::kNumber, token.position, token.text);
      case SqlToken::kIdentifier:
        return Column();
      case SqlToken::kWord:
        return Word();
      default:
        break;
    }
    if (!TakeSymbol("(")) return Unexpected("an expression");
    if (++depth_ > kMaxDepth) return TooDeep();
    ARROW_ASSIGN_OR_RAISE(auto node, Or());
    --depth_;
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
    return node;
  }

  /// A constant, a typed literal, a cast, a function or a column.
  arrow::Result<SqlNode> Word() {
    const SqlToken& token = Now();
    if (token.IsKeyword("TRUE") || token.IsKeyword("FALSE")) {
      ++at_;
      return Make(SqlNode::kBoolean, token.position, Lower(token.text));
    }
    if (token.IsKeyword("NULL")) {
      ++at_;
      return Make(SqlNode::kNull, token.position, "");
    }
    if ((token.IsKeyword("CAST") || token.IsKeyword("TRY_CAST")) && Ahead(1).IsSymbol("(")) return Cast();
    if (Ahead(1).kind == SqlToken::kString && (token.IsKeyword("DATE") || token.IsKeyword("TIMESTAMP"))) {
      auto text = Make(SqlNode::kString, Ahead(1).position, Ahead(1).text);
      at_ += 2;
      return Make(SqlNode::kTyped, token.position, Lower(token.text), One(std::move(text)));
    }
    if (token.IsKeyword("CASE") || token.IsKeyword("SELECT") || token.IsKeyword("EXISTS")) {
      return arrow::Status::NotImplemented("'", token.text, "' is not supported in filters: ", sql_);
    }
    for (const char* reserved : {"AND", "OR", "NOT", "IN", "IS", "LIKE", "BETWEEN"}) {
      if (token.IsKeyword(reserved)) return Unexpected("an expression");
    }
    return Ahead(1).IsSymbol("(") ? Call() : Column();
  }

  arrow::Result<SqlNode> Call() {
    const SqlToken& name = Now();
    at_ += 2;
    SqlNode call = Make(SqlNode::kCall, name.position, Lower(name.text));
    if (++depth_ > kMaxDepth) return TooDeep();
    if (!Now().IsSymbol(")")) {
      do {
        ARROW_ASSIGN_OR_RAISE(call.operands.emplace_back(), Or());
      } while (TakeSymbol(","));
    }
    --depth_;
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
    return call;
  }

  arrow::Result<SqlNode> Cast() {
    const SqlToken& name = Now();
    at_ += 2;
    if (++depth_ > kMaxDepth) return TooDeep();
    ARROW_ASSIGN_OR_RAISE(auto operand, Or());
    --depth_;
    if (!TakeKeyword("AS")) return Unexpected("AS");
    ARROW_ASSIGN_OR_RAISE(auto type, TypeName());
    ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
    SqlNode cast = Make(SqlNode::kCast, name.position, std::move(type), One(std::move(operand)));
    cast.negated = name.IsKeyword("TRY_CAST");
    return cast;
  }

  /// Words and numbers in parentheses: "bigint unsigned", "decimal(10,2)".
  arrow::Result<std::string> TypeName() {
    if (Now().kind != SqlToken::kWord) return Unexpected("a type");
    std::string type = Lower(Now().text);
    ++at_;
    if (TakeKeyword("UNSIGNED")) type += " unsigned";
    if (TakeSymbol("(")) {
      type += "(";
      do {
        if (Now().kind != SqlToken::kNumber) return Unexpected("a number");
        type += (type.back() == '(' ? "" : ",") + Now().text;
        ++at_;
      } while (TakeSymbol(","));
      ARROW_RETURN_NOT_OK(ExpectSymbol(")"));
      type += ")";
    }
    return type;
  }

  arrow::Result<SqlNode> Column() {
    SqlNode column = Make(SqlNode::kColumn, Now().position, Now().text);
    column.quoted = Now().kind == SqlToken::kIdentifier;
    ++at_;
    while (TakeSymbol(".")) {
      if (Now().kind != SqlToken::kWord && Now().kind != SqlToken::kIdentifier) return Unexpected("a name");
      SqlNode step = Make(SqlNode::kColumn, Now().position, Now().text);
      step.quoted = Now().kind == SqlToken::kIdentifier;
      column.operands.push_back(std::move(step));
      ++at_;
    }
    return column;
  }

  arrow::Status TooDeep() const { return SqlError(sql_, Now().position, "more than 200 levels or terms"); }

  static std::vector<SqlNode> One(SqlNode a) {
    std::vector<SqlNode> nodes;
    nodes.push_back(std::move(a));
    return nodes;
  }
  static std::vector<SqlNode> Pair(SqlNode a, SqlNode b) {
    std::vector<SqlNode> nodes = One(std::move(a));
    nodes.push_back(std::move(b));
    return nodes;
  }

  const std::string_view sql_;
  const std::vector<SqlToken> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

arrow::Result<SqlNode> ParseSqlCondition(std::string_view sql) {
  ARROW_ASSIGN_OR_RAISE(auto tokens, TokenizeSql(sql));
  return Parser(sql, std::move(tokens)).Run();
}

}  // namespace pilum
