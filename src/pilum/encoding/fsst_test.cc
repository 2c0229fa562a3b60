// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/fsst.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <random>

#include "pilum/encoding/fsst_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::shared_ptr<arrow::Array> Strings(const std::vector<std::string>& values) {
  arrow::BinaryBuilder builder;
  for (const auto& value : values) EXPECT_TRUE(builder.Append(value).ok());
  return *builder.Finish();
}

std::string Expand(const FsstDecoder& decoder, const std::string& codes) {
  arrow::BufferBuilder out;
  EXPECT_TRUE(decoder.Decode(Bytes(codes), &out).ok());
  return std::string(reinterpret_cast<const char*>(out.data()), static_cast<size_t>(out.length()));
}

/// Encodes and expands each value. @return the bytes of the codes.
size_t RoundTrip(const std::vector<std::string>& values) {
  const auto array = Strings(values);
  const auto encoder = FsstEncoder::Train(*LeafValues::Of(*array->data(), arrow::default_memory_pool()));
  const auto decoder = FsstDecoder::Parse(Bytes(encoder.Table()));
  EXPECT_TRUE(decoder.ok());
  size_t size = 0;
  for (const auto& value : values) {
    std::string codes;
    encoder.Append(Bytes(value), &codes);
    EXPECT_EQ(Expand(*decoder, codes), value);
    size += codes.size();
  }
  return size;
}

TEST(FsstTest, TextShrinksAndComesBack) {
  std::mt19937_64 random(1);
  const std::vector<std::string> words{"departure", "delayed", "gate ", "on time", " boarding", "New York"};
  std::vector<std::string> values;
  size_t size = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (uint64_t k = random() % 6; k > 0; --k) text += words[random() % words.size()];
    size += text.size();
    values.push_back(std::move(text));
  }
  EXPECT_LT(RoundTrip(values), size / 3);
}

TEST(FsstTest, RandomBytesHardlyGrow) {
  std::mt19937_64 random(2);
  std::vector<std::string> values(500);
  for (auto& value : values) {
    value.resize(random() % 200);
    for (char& c : value) c = static_cast<char>(random());
  }
  size_t size = 0;
  for (const auto& value : values) size += value.size();
  EXPECT_LT(RoundTrip(values), size + size / 50);
}

TEST(FsstTest, EmptyStringsAndZeroBytesComeBack) {
  RoundTrip({"", "", ""});
  RoundTrip({std::string(1, '\0'), std::string(9, '\0'), "", std::string("\0a\0\0a", 5), "\xFF\xFF"});
  RoundTrip({});
}

/// The definition of Append, symbol by symbol: the longest match of FsstSymbols, or an escape.
std::string EncodeByMatch(const FsstSymbols& symbols, const std::string& text) {
  std::string codes;
  for (size_t at = 0; at < text.size();) {
    const int match = symbols.Match(Bytes(text).data() + at, text.size() - at);
    if (match == FsstSymbols::kNone) {
      codes += {'\xFF', text[at++]};
    } else {
      codes.push_back(static_cast<char>(match));
      at += static_cast<size_t>(symbols[static_cast<size_t>(match)].length);
    }
  }
  return codes;
}

/// The symbols of a table that FsstEncoder made.
FsstSymbols SymbolsOf(const std::string& table) {
  FsstSymbols symbols;
  const size_t n = static_cast<uint8_t>(table[0]);
  for (size_t i = 0; i < n; ++i) {
    EXPECT_TRUE(symbols.Add({LoadLE<uint64_t>(Bytes(table).data() + 8 + 8 * i), table[8 + 8 * n + i]}));
  }
  return symbols;
}

TEST(FsstTest, CodesAreThoseOfMatchingSymbolBySymbol) {
  std::mt19937_64 random(3);
  for (const std::string& alphabet :
       {std::string("\0a", 2), std::string("\0\xFF\x01xyz", 6), std::string("departure ")}) {
    std::vector<std::string> values(2000);
    for (auto& value : values) {
      value.resize(random() % 40);
      for (char& c : value) c = alphabet[random() % alphabet.size()];
    }
    const auto array = Strings(values);
    const LeafValues strings = *LeafValues::Of(*array->data(), arrow::default_memory_pool());
    const auto encoder = FsstEncoder::Train(strings);
    const FsstSymbols symbols = SymbolsOf(encoder.Table());
    std::vector<int64_t> offsets;
    const auto all = *encoder.EncodeAll(strings, &offsets);
    const std::string text = all->ToString();
    ASSERT_EQ(offsets.size(), values.size() + 1);
    for (size_t i = 0; i < values.size(); ++i) {
      std::string codes;
      encoder.Append(Bytes(values[i]), &codes);
      EXPECT_EQ(codes, EncodeByMatch(symbols, values[i]));
      EXPECT_EQ(codes, text.substr(static_cast<size_t>(offsets[i]), codes.size()));
      EXPECT_EQ(static_cast<size_t>(offsets[i + 1] - offsets[i]), codes.size());
    }
  }
}

/// The symbols "ab" and "c".
std::string HandMadeTable() {
  std::string table;
  AppendLE<uint64_t>(&table, uint64_t{0x46535354} << 32 | 1 << 24 | 2);
  AppendLE<uint64_t>(&table, 'a' | 'b' << 8);
  AppendLE<uint64_t>(&table, 'c');
  table += "\x02\x01";
  table.resize(FsstDecoder::kTableBytes);
  return table;
}

TEST(FsstTest, CodesStandForSymbolsAndEscapedBytesForThemselves) {
  const auto decoder = *FsstDecoder::Parse(Bytes(HandMadeTable()));
  EXPECT_EQ(Expand(decoder, std::string("\x00\x01\xFFz\xFF\xFF\x00", 7)),
            "abcz\xFF"
            "ab");
}

TEST(FsstTest, CodesWithoutASymbolAndCutEscapesAreInvalid) {
  const auto decoder = *FsstDecoder::Parse(Bytes(HandMadeTable()));
  arrow::BufferBuilder out;
  EXPECT_TRUE(decoder.Decode(Bytes("\x02"), &out).IsInvalid());
  EXPECT_TRUE(decoder.Decode(Bytes("\xFF"), &out).IsInvalid());
}

TEST(FsstTest, ATableThatIsSwitchedOffMeansPlainText) {
  std::string table;
  AppendLE<uint64_t>(&table, uint64_t{0x46535354} << 32);
  table.resize(FsstDecoder::kTableBytes);
  EXPECT_EQ(Expand(*FsstDecoder::Parse(Bytes(table)), "as it is"), "as it is");
}

TEST(FsstTest, DamagedTablesAreInvalid) {
  const std::string table = HandMadeTable();
  EXPECT_TRUE(FsstDecoder::Parse(Bytes(table.substr(1))).status().IsInvalid());
  std::string no_magic = table;
  no_magic[5] = 'X';
  EXPECT_TRUE(FsstDecoder::Parse(Bytes(no_magic)).status().IsInvalid());
  std::string too_long = table;
  too_long[8 + 16] = 9;
  EXPECT_TRUE(FsstDecoder::Parse(Bytes(too_long)).status().IsInvalid());
}

}  // namespace
}  // namespace pilum
