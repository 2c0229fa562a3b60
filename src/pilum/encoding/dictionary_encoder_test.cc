// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/dictionary_encoder.h"

#include <random>

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

}  // namespace
}  // namespace pilum
