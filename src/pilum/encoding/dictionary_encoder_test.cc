// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/dictionary_encoder.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>

#include <random>
#include <string>

#include "pilum/encoding/block.h"

namespace pilum {
namespace {

template <typename T>
std::vector<T> Integers(int64_t n, int width, std::mt19937_64& random) {
  std::vector<T> values(static_cast<size_t>(n));
  for (T& value : values) value = static_cast<T>(random() >> (64 - width));
  return values;
}

template <typename T>
LeafValues Entries(const std::vector<T>& values) {
  LeafValues entries;
  entries.type.kind = LeafType::Kind::kFixed;
  entries.type.bits = entries.type.item_bits = 8 * sizeof(T);
  entries.length = static_cast<int64_t>(values.size());
  entries.values = reinterpret_cast<const uint8_t*>(values.data());
  return entries;
}

template <typename T>
class DictionaryEncoderTest : public ::testing::Test {};
using Widths = ::testing::Types<uint8_t, uint16_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(DictionaryEncoderTest, Widths);

TYPED_TEST(DictionaryEncoderTest, IntegersComeBackAndAreNeverLargerThanPlain) {
  std::mt19937_64 random(1);
  for (const int64_t n : {1, 7, 400, 1024, 1500}) {
    for (const int width : {1, 5, static_cast<int>(8 * sizeof(TypeParam))}) {
      const auto values = Integers<TypeParam>(n, width, random);
      for (const bool compress : {false, true}) {
        const auto dictionary = EncodeDictionary(Entries(values), {}, compress);
        ASSERT_TRUE(dictionary.ok()) << dictionary.status().ToString();
        EXPECT_LE(dictionary->block.size(), values.size() * sizeof(TypeParam));
        EXPECT_TRUE(compress || !dictionary->encoding.has_general());
        std::vector<TypeParam> decoded(values.size());
        const auto* block = reinterpret_cast<const uint8_t*>(dictionary->block.data());
        ASSERT_TRUE(DecodeFixedBlock(dictionary->encoding, {block, dictionary->block.size()}, n,
                                     8 * sizeof(TypeParam), reinterpret_cast<uint8_t*>(decoded.data()),
                                     arrow::default_memory_pool())
                        .ok());
        EXPECT_EQ(decoded, values);
      }
    }
  }
}

TEST(DictionaryChoiceTest, SmallIntegersArePackedInEveryVersion) {
  std::mt19937_64 random(1);
  const auto values = Integers<uint32_t>(1000, 10, random);
  const auto dictionary = EncodeDictionary(Entries(values), {}, /*compress=*/false);
  ASSERT_TRUE(dictionary->encoding.has_out_of_line_bitpacking());
  EXPECT_EQ(dictionary->block.size(), 1280);
}

TEST(DictionaryChoiceTest, RepeatedIntegersAreCompressedWhereThatIsSmaller) {
  const std::vector<uint32_t> values(1000, 0x12345678);
  const auto dictionary = EncodeDictionary(Entries(values), {}, /*compress=*/true);
  EXPECT_TRUE(dictionary->encoding.has_general());
}

/// Whether values of `type` of which `distinct` differ, in turn, become keys and entries.
bool HasDictionary(const std::shared_ptr<arrow::DataType>& type, int64_t n, int64_t distinct,
                   bool wide_integers = false) {
  const bool text = arrow::is_base_binary_like(type->id()), decimal = arrow::is_decimal(type->id());
  std::string json;
  for (int64_t i = 0; i < n; ++i) {
    const std::string number = std::to_string(i % distinct);
    json += (i == 0 ? "[" : ",") + (text      ? "\"a value of some length " + number + "\""
                                    : decimal ? "\"" + number + ".00\""
                                              : number);
  }
  const auto array = arrow::json::ArrayFromJSONString(type, json + "]").ValueOrDie();
  const auto values = LeafValues::Of(*array->data(), arrow::default_memory_pool()).ValueOrDie();
  const auto found = FindDistinct(values, {}, wide_integers);
  if (!found) return false;
  EXPECT_EQ(static_cast<int64_t>(found->positions.size()), distinct);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t first = found->positions[found->indices[static_cast<size_t>(i)]];
    EXPECT_EQ(first, i % distinct);
  }
  return true;
}

TEST(DictionaryChoiceTest, ManyValuesOfWhichFewDifferHaveOne) {
  EXPECT_TRUE(HasDictionary(arrow::utf8(), 1000, 5));
  EXPECT_TRUE(HasDictionary(arrow::large_binary(), 1000, 5));
  EXPECT_TRUE(HasDictionary(arrow::utf8(), 100, 5));
  EXPECT_FALSE(HasDictionary(arrow::utf8(), 99, 5));      // too few
  EXPECT_FALSE(HasDictionary(arrow::utf8(), 1000, 900));  // too many that differ
}

TEST(DictionaryChoiceTest, OnlyWideNumbersHaveOne) {
  for (const auto& type : {arrow::int8(), arrow::int16(), arrow::int32(), arrow::float32()})
    EXPECT_FALSE(HasDictionary(type, 1000, 5, /*wide_integers=*/true)) << type->ToString();
  for (const auto& type : {arrow::int64(), arrow::float64()}) {
    EXPECT_TRUE(HasDictionary(type, 1000, 5, /*wide_integers=*/true)) << type->ToString();
    EXPECT_FALSE(HasDictionary(type, 1000, 5, /*wide_integers=*/false)) << type->ToString();
  }
  EXPECT_TRUE(HasDictionary(arrow::decimal128(20, 2), 1000, 5));
  EXPECT_FALSE(HasDictionary(arrow::decimal256(50, 2), 1000, 5));
}

}  // namespace
}  // namespace pilum
