// SPDX-License-Identifier: Apache-2.0
//
// Text to JSONB and back. Bytes in these tests are those pylance 8.0.0 wrote for the same text.
#include <arrow/util/string.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "pilum/encoding/jsonb_decoder.h"
#include "pilum/encoding/jsonb_encoder.h"

namespace pilum {

namespace {

std::string Hex(std::string_view bytes) { return arrow::HexEncode(bytes); }

arrow::Result<std::string> Encode(std::string_view text) {
  std::string jsonb;
  ARROW_RETURN_NOT_OK(JsonbEncoder().Append(text, &jsonb));
  return jsonb;
}

arrow::Result<std::string> Decode(std::string_view jsonb) {
  std::string text;
  ARROW_RETURN_NOT_OK(AppendJsonText(jsonb, &text));
  return text;
}

std::string Normal(std::string_view text) { return Decode(Encode(text).ValueOrDie()).ValueOrDie(); }

TEST(JsonbTest, BytesAreUpstreams) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"b":1,"a":[1,-2,3.5,true,false,null,"x\u00e9\n"],"c":{}})",
       "40000003100000011000000110000001500000312000000250000004616263800000072000000220000002200000094000000"
       "0300000"
       "000000000010000004500140FE60400C00000000000078C3A90A500140000000"},
      {"1", "20000000200000025001"},
      {R"("s")", "200000001000000173"},
      {"[]", "80000000"},
      {"null", "2000000000000000"},
      {"", "2000000000000000"},
      {"128", "20000000200000025080"},
      {"-129", "200000002000000340FF7F"},
      {"300", "200000002000000350012C"},
      {"1e10", "2000000020000009604202A05F20000000"},
      {"1.0", "2000000020000009603FF0000000000000"},
      {"12345678901234567890", "200000002000000950AB54A98CEB1F0AD2"},
      {"123456789012345678901234567890", "20000000200000096045F8EE90FF6C373E"},
      {"0.1", "2000000020000009603FB999999999999A"},
      {"-0", "200000002000000100"},
      {"NaN", "200000002000000110"},
      {"Infinity", "200000002000000120"},
      {R"(  { "z" : 1 , "y":"\/" } )", "4000000210000001100000011000000120000002797A2F5001"},
  };
  for (const auto& [text, hex] : cases) EXPECT_EQ(Hex(Encode(text).ValueOrDie()), hex) << text;
}

TEST(JsonbTest, TextIsUpstreams) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1e15", "1000000000000000.0"},
      {"1e16", "1e+16"},
      {"123456789012345680.5", "1.2345678901234568e+17"},
      {"0.001", "0.001"},
      {"0.00001", "0.00001"},
      {"0.000001", "1e-6"},
      {"1.5e-5", "0.000015"},
      {"1e-10", "1e-10"},
      {"1e100", "1e+100"},
      {"-2.5", "-2.5"},
      {"5e-324", "5e-324"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"-0.0", "-0.0"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"-9223372036854775809", "-9.223372036854776e+18"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "1.8446744073709552e+19"},
      {"1234567890123456.7", "1234567890123456.8"},
      {"-1e-5", "-0.00001"},
      {"[NaN, Infinity, -Infinity]", "[null,null,null]"},
      {R"("\u0000\u0001\b\t\n\u000b\f\r\u001f\u007f\u2028 \" \\ / < '")",
       "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\x7f\xe2\x80\xa8 \\\" \\\\ / < '\""},
      {"\"\xc2\x80\\u0000\"", "\"\xc2\x80\\u0000\""},
      {R"({"bb":1,"a":2,"":3,"é":4,"B":5,"a\u0000":6})", R"({"":3,"B":5,"a":2,"a\u0000":6,"bb":1,"é":4})"},
      {R"({"o": {"y": [], "x": [[], {}]}, "n": [1, {"k": "v"}]})",
       R"({"n":[1,{"k":"v"}],"o":{"x":[[],{}],"y":[]}})"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Normal(text), expected) << text;
}

TEST(JsonbTest, OtherTextIsRefused) {
  for (const char* text :
       {"{",           "[1,]",        "{a:1}",           "{'a':1}",  "1 2",      R"("\q")",
        R"("\ud800")", R"("\udd33")", R"({"\udd33":1})", "-",        "1.",       ".5",
        "+1",          "tRUE",        "[1,,2]",          "\"a\nb\"", "\"\xff\"", R"({"a":1,"b":2,"a":3})",
        "1e400",       "nul"}) {
    std::string to = "before";
    const auto status = JsonbEncoder().Append(text, &to);
    EXPECT_TRUE(status.IsInvalid()) << text << ": " << status;
    EXPECT_EQ(to, "before");
  }
  EXPECT_TRUE(Encode(std::string_view("1\0", 2)).status().IsInvalid());
  EXPECT_NE(Encode("[1,}").status().message().find("At byte 3"), std::string::npos);
}

TEST(JsonbTest, AnEncoderGoesOnAfterAnError) {
  JsonbEncoder encoder;
  std::string to;
  EXPECT_TRUE(encoder.Append(R"([{"a": [1, )", &to).IsInvalid());
  ASSERT_TRUE(encoder.Append("[true]", &to).ok());
  EXPECT_EQ(Decode(to).ValueOrDie(), "[true]");
}

TEST(JsonbTest, NestingHasALimitWhereItIsWritten) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_EQ(Normal(nested(kMaxJsonDepth)), nested(kMaxJsonDepth));
  EXPECT_TRUE(Encode(nested(kMaxJsonDepth + 1)).status().IsInvalid());
  // Deeper values of other writers are read.
  std::string jsonb;
  const auto append = [&](uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) jsonb.push_back(static_cast<char>(word >> shift));
  };
  for (uint32_t inside = 99'999; inside > 0; --inside) {
    append(0x80000001);
    append(0x50000000 + 4 + 8 * (inside - 1));
  }
  append(0x80000000);
  EXPECT_EQ(Decode(jsonb).ValueOrDie(), nested(100'000));
}

TEST(JsonbTest, DoublesAreExact) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    char text[64];
    const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
    const std::string shown = Normal(std::string_view(text, static_cast<size_t>(end - text)));
    double back = 0;
    std::from_chars(shown.data(), shown.data() + shown.size(), back);
    ASSERT_EQ(std::bit_cast<uint64_t>(back), std::bit_cast<uint64_t>(value)) << shown;
  }
}

TEST(JsonbTest, ZerosMayHaveAnyExponent) {
  for (const char* text : {"0e-30", "0e300", "0.0e-25", "0.00000000000000000000000", "0e-400", "1e-400"}) {
    EXPECT_EQ(Normal(text), "0.0") << text;
    EXPECT_EQ(Normal(std::string("-") + text), "-0.0") << text;
  }
  EXPECT_EQ(Normal("[0e-30,{\"a\":-0E-106}, 3.5]"), R"([0.0,{"a":-0.0},3.5])");
}

TEST(JsonbTest, NumbersBeyondTheLargestAreInfinite) {
  for (const char* large : {"1.7976931348623159e308", "-1.7976931348623159e308", "10e308", "123456789e301"})
    EXPECT_TRUE(Encode(large).status().IsInvalid()) << large;
  for (const char* small : {"1e-400", "0.1234567890e-2147483639", "1e-99999999999", "0.00001e-320"})
    EXPECT_EQ(Encode(small).ValueOrDie(), Encode("0.0").ValueOrDie()) << small;
  EXPECT_EQ(Encode("-1e-400").ValueOrDie(), Encode("-0.0").ValueOrDie());
}

TEST(JsonbTest, DamagedBytesAreErrors) {
  const std::string good = Encode(R"({"b":[1,-2,3.5,true,null,"x"],"a":{"k":"v"}})").ValueOrDie();
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Decode(good.substr(0, size)).ok()) << size;
  EXPECT_FALSE(Decode(good + "x").ok());
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {  // an error or another value
    std::string other = good;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << bit % 8));
    if (const auto text = Decode(other); text.ok()) {
      EXPECT_TRUE(Encode(*text).ok() || Encode(*text).status().message().find("repeats") != std::string::npos)
          << *text;
    }
  }
}

}  // namespace

}  // namespace pilum
