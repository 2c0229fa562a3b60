// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/sql_lexer.h"

#include <algorithm>
#include <array>

namespace pilum {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c); }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char upper = Upper(c);
  return upper >= 'A' && upper <= 'F' ? upper - 'A' + 10 : -1;
}

constexpr std::array<std::string_view, 9> kLongSymbols = {
    "<=", ">=", "<>", "!=", "==", "||", "::", "->", "=>"};
constexpr std::string_view kShortSymbols = "=<>+-*/%(),.[]~";

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  arrow::Result<std::vector<SqlToken>> Run() {
    std::vector<SqlToken> tokens;
    do {
      ARROW_ASSIGN_OR_RAISE(auto token, Next());
      tokens.push_back(std::move(token));
    } while (tokens.back().kind != SqlToken::kEnd);
    return tokens;
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  arrow::Result<SqlToken> Next() {
    while (at_ < sql_.size() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r')) ++at_;
    const size_t start = at_;
    if (at_ == sql_.size()) return SqlToken{SqlToken::kEnd, "", start};
    const char c = Peek();
    if (c == '\'' || c == '"') return Quoted(c, SqlToken::kString);
    if (c == '`') return Quoted(c, SqlToken::kIdentifier);
    if (Upper(c) == 'X' && Peek(1) == '\'') return Bytes();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    if (IsWordStart(c)) {
      while (IsWord(Peek())) ++at_;
      return SqlToken{SqlToken::kWord, std::string(sql_.substr(start, at_ - start)), start};
    }
    return Symbol();
  }

  arrow::Result<SqlToken> Quoted(char quote, SqlToken::Kind kind) {
    SqlToken token{kind, "", at_++};
    for (; at_ < sql_.size(); ++at_) {
      if (Peek() != quote) {
        token.text.push_back(Peek());
      } else if (Peek(1) == quote) {  // doubled: itself
        token.text.push_back(quote);
        ++at_;
      } else {
        ++at_;
        return token;
      }
    }
    return SqlError(sql_, token.position, "quote without an end");
  }

  arrow::Result<SqlToken> Bytes() {
    const size_t start = at_++;
    ARROW_ASSIGN_OR_RAISE(const auto digits, Quoted('\'', SqlToken::kBytes));
    SqlToken token{SqlToken::kBytes, "", start};
    if (digits.text.size() % 2 != 0) return SqlError(sql_, start, "odd number of hexadecimal digits");
    for (size_t i = 0; i < digits.text.size(); i += 2) {
      const int high = HexValue(digits.text[i]), low = HexValue(digits.text[i + 1]);
      if (high < 0 || low < 0) return SqlError(sql_, start, "not a hexadecimal literal");
      token.text.push_back(static_cast<char>(high * 16 + low));
    }
    return token;
  }

  arrow::Result<SqlToken> Number() {
    const size_t start = at_;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.') ++at_;
    while (IsDigit(Peek())) ++at_;
    if (Upper(Peek()) == 'E') {
      const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 1 : 0;
      if (IsDigit(Peek(1 + sign))) {
        at_ += 1 + sign;
        while (IsDigit(Peek())) ++at_;
      }
    }
    if (IsWordStart(Peek())) return SqlError(sql_, start, "not a number");
    return SqlToken{SqlToken::kNumber, std::string(sql_.substr(start, at_ - start)), start};
  }

  arrow::Result<SqlToken> Symbol() {
    const size_t start = at_;
    const std::string_view two = sql_.substr(at_, 2);
    if (std::find(kLongSymbols.begin(), kLongSymbols.end(), two) != kLongSymbols.end()) {
      at_ += 2;
      return SqlToken{SqlToken::kSymbol, std::string(two), start};
    }
    if (kShortSymbols.find(Peek()) == std::string_view::npos)
      return SqlError(sql_, start, "unexpected character");
    ++at_;
    return SqlToken{SqlToken::kSymbol, std::string(sql_.substr(start, 1)), start};
  }

  const std::string_view sql_;
  size_t at_ = 0;
};

}  // namespace

bool SqlToken::IsKeyword(std::string_view keyword) const {
  return kind == kWord && std::equal(text.begin(), text.end(), keyword.begin(), keyword.end(),
                                     [](char a, char b) { return Upper(a) == b; });
}

arrow::Result<std::vector<SqlToken>> TokenizeSql(std::string_view sql) { return Lexer(sql).Run(); }

arrow::Status SqlError(std::string_view sql, size_t position, std::string_view what) {
  return arrow::Status::Invalid(what, " at position ", position, " of filter: ", sql);
}

}  // namespace pilum
