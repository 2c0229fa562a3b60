// SPDX-License-Identifier: Apache-2.0
#include "pilum/expr/sql_parser.h"

#include <gtest/gtest.h>

namespace pilum {

namespace {

/// The tree as a Lisp form.
std::string Show(const SqlNode& node) {
  static constexpr const char* kNames[] = {"col",     "str",   "bytes", "num",    "bool", "null",
                                           "typed",   "unary", "bin",   "isnull", "is",   "in",
                                           "between", "like",  "cast",  "call"};
  std::string text = "(" + std::string(kNames[node.kind]) + (node.negated ? "!" : "");
  if (!node.text.empty()) text += " " + node.text;
  for (const auto& operand : node.operands) text += " " + Show(operand);
  return text + ")";
}

std::string Parse(std::string_view sql) {
  const auto tree = ParseSqlCondition(sql);
  return tree.ok() ? Show(*tree) : tree.status().ToString();
}

}  // namespace

TEST(SqlParserTest, PrecedenceIsThatOfSql) {
  EXPECT_EQ(Parse("a = 1 or b = 2 and not c = 3"),
            "(bin or (bin = (col a) (num 1)) (bin and (bin = (col b) (num 2)) (unary not (bin = (col c) (num "
            "3)))))");
  EXPECT_EQ(
      Parse("a + 2 * -b < 3 - 1 - 1"),
      "(bin < (bin + (col a) (bin * (num 2) (unary - (col b)))) (bin - (bin - (num 3) (num 1)) (num 1)))");
  EXPECT_EQ(Parse("(a or b) and c"), "(bin and (bin or (col a) (col b)) (col c))");
}

TEST(SqlParserTest, PredicatesKnowTheirNegation) {
  EXPECT_EQ(Parse("a is not null"), "(isnull! (col a))");
  EXPECT_EQ(Parse("a IS FALSE"), "(is false (col a))");
  EXPECT_EQ(Parse("a not in (1, 'x')"), "(in! (col a) (num 1) (str x))");
  EXPECT_EQ(Parse("a between 1 and 2 and b"), "(bin and (between (col a) (num 1) (num 2)) (col b))");
  EXPECT_EQ(Parse("a not ilike 'x!%' escape '!'"), "(like! ilike (col a) (str x!%) (str !))");
}

TEST(SqlParserTest, LiteralsAndNames) {
  EXPECT_EQ(Parse("`a b` = \"it's\""), "(bin = (col a b) (str it's))");
  EXPECT_EQ(Parse("a = 'it''s'"), "(bin = (col a) (str it's))");
  EXPECT_EQ(Parse("a = -1.5e3"), "(bin = (col a) (num -1.5e3))");
  EXPECT_EQ(Parse("a = X'0aFF'"), "(bin = (col a) (bytes \n\xff))");
  EXPECT_EQ(Parse("d < date '2013-01-01'"), "(bin < (col d) (typed date (str 2013-01-01)))");
  EXPECT_EQ(Parse("cast(a as decimal(10, 2)) = b::bigint"),
            "(bin = (cast decimal(10,2) (col a)) (cast bigint (col b)))");
  EXPECT_EQ(Parse("s.x.y = lower(t)"), "(bin = (col s (col x) (col y)) (call lower (col t)))");
  EXPECT_EQ(Parse("date = 3"), "(bin = (col date) (num 3))") << "a column may be called date";
}

TEST(SqlParserTest, ErrorsSayWhere) {
  for (const auto& [sql, position] :
       std::vector<std::pair<std::string, std::string>>{{"a = = 1", "position 4"},
                                                        {"a = 'x", "position 4"},
                                                        {"(a = 1", "position 6"},
                                                        {"a = 1 b", "position 6"},
                                                        {"", "position 0"},
                                                        {"a is 5", "position 5"},
                                                        {"a ? b", "position 2"},
                                                        {"a = 1x", "position 4"},
                                                        {"a in ()", "position 6"},
                                                        {"X'0'", "position 0"},
                                                        {"a = 1 and", "position 9"}}) {
    const auto status = ParseSqlCondition(sql).status();
    EXPECT_TRUE(status.IsInvalid()) << sql;
    EXPECT_NE(status.message().find(position), std::string::npos) << sql << ": " << status;
  }
}

TEST(SqlParserTest, NestingIsBounded) {
  EXPECT_TRUE(ParseSqlCondition(std::string(100'000, '(')).status().IsInvalid());
  std::string chain = "a";
  for (int i = 0; i < 100'000; ++i) chain += "+a";
  EXPECT_TRUE(ParseSqlCondition(chain).status().IsInvalid());
  std::string many = "a = 0";
  for (int i = 0; i < 10'000; ++i) many += " or a = " + std::to_string(i);
  EXPECT_TRUE(ParseSqlCondition(many).ok()) << "long lists of alternatives are usual";
}

}  // namespace pilum
