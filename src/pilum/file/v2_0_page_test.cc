// SPDX-License-Identifier: Apache-2.0
//
// Pages of version 2.0 that no writer makes any more, from bytes laid out by hand.
#include "pilum/file/v2_0_page.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "pilum/encoding/bitpacking.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

/// The rows of a page whose buffers are `buffers`, read as Plan asks for them.
arrow::Result<std::shared_ptr<arrow::Array>> ReadPage(const std::vector<std::string>& buffers,
                                                      const v2_0::ArrayEncoding& encoding,
                                                      const std::shared_ptr<arrow::DataType>& type,
                                                      int64_t num_rows, std::span<const RowRange> rows) {
  std::string file;
  PageDescription page{"f", {}, num_rows};
  for (const std::string& buffer : buffers) {
    page.buffers.push_back({std::ssize(file), std::ssize(buffer)});
    file += buffer;
  }
  ARROW_ASSIGN_OR_RAISE(const auto leaf, LeafType::Of(type));
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        PageReader::Make(std::move(page), encoding, leaf, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(reader->InitOnce({}).status());
  std::vector<ByteRange> plan;
  reader->Plan(rows, &plan);
  std::vector<std::string> parts;  // each in memory of its own
  for (const ByteRange& range : plan) {
    if (range.offset + range.length > std::ssize(file))
      return arrow::Status::Invalid("a plan outside the file");
    parts.push_back(file.substr(static_cast<size_t>(range.offset), static_cast<size_t>(range.length)));
  }
  std::vector<std::span<const uint8_t>> bytes;
  for (const std::string& part : parts) {
    bytes.emplace_back(reinterpret_cast<const uint8_t*>(part.data()), part.size());
  }
  int64_t n = 0;
  for (const RowRange& range : rows) n += range.size();
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(leaf, n, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(reader->Decode(rows, bytes, &builder));
  ARROW_ASSIGN_OR_RAISE(auto data, builder.Finish());
  return arrow::MakeArray(data);
}

/// Row i is null iff i % 5 == 3, in buffer 0.
v2_0::ArrayEncoding* SomeNulls(int64_t n, std::vector<std::string>* buffers, v2_0::ArrayEncoding* encoding) {
  std::string bits(static_cast<size_t>(n + 7) / 8, '\0');
  for (int64_t i = 0; i < n; ++i) {
    if (i % 5 != 3) bits[static_cast<size_t>(i) / 8] |= static_cast<char>(1 << i % 8);
  }
  buffers->push_back(bits);
  auto* some = encoding->mutable_nullable()->mutable_some_nulls();
  some->mutable_validity()->mutable_flat()->set_bits_per_value(1);
  return some->mutable_values();
}

constexpr RowRange kRanges[] = {{0, 3}, {10, 11}, {1020, 1030}, {1500, 2200}, {2999, 3000}};
constexpr int64_t kRows = 3000;

/// What the ranges have of `value(i)`.
template <typename Builder, typename F>
std::shared_ptr<arrow::Array> Expected(Builder builder, bool nulls, const F& value) {
  for (const RowRange& range : kRanges) {
    for (int64_t i = range.begin; i < range.end; ++i) {
      EXPECT_TRUE(nulls && i % 5 == 3 ? builder.AppendNull().ok() : builder.Append(value(i)).ok());
    }
  }
  return *builder.Finish();
}

template <typename T>
class BitpackedPageTest : public ::testing::Test {};
using Integers = ::testing::Types<int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t>;
TYPED_TEST_SUITE(BitpackedPageTest, Integers);

TYPED_TEST(BitpackedPageTest, StreamsOfEveryWidthGiveTheirIntegers) {
  using Arrow = typename arrow::CTypeTraits<TypeParam>;
  constexpr int kBits = 8 * static_cast<int>(sizeof(TypeParam));
  for (int width = 1; width <= kBits; ++width) {
    std::mt19937_64 random(static_cast<uint64_t>(width));
    std::vector<TypeParam> values;
    std::vector<std::string> buffers;
    v2_0::ArrayEncoding encoding;
    const bool nulls = width % 2 == 0;
    auto* packed = (nulls ? SomeNulls(kRows, &buffers, &encoding) : &encoding)->mutable_bitpacked();
    std::string stream(static_cast<size_t>(kRows * width + 7) / 8, '\0');
    for (int64_t i = 0; i < kRows; ++i) {
      // An arithmetic shift: the sign, if there is one, fills the bits above the width.
      values.push_back(static_cast<TypeParam>(static_cast<TypeParam>(random()) >> (kBits - width)));
      for (int bit = 0; bit < width; ++bit) {
        const int64_t at = i * width + bit;
        if ((static_cast<uint64_t>(values.back()) >> bit & 1) != 0)
          stream[static_cast<size_t>(at) / 8] |= static_cast<char>(1 << at % 8);
      }
    }
    packed->set_compressed_bits_per_value(static_cast<uint64_t>(width));
    packed->set_uncompressed_bits_per_value(kBits);
    packed->set_signed_(std::is_signed_v<TypeParam>);
    packed->mutable_buffer()->set_buffer_index(static_cast<uint32_t>(buffers.size()));
    buffers.push_back(stream);
    const auto got = ReadPage(buffers, encoding, Arrow::type_singleton(), kRows, kRanges);
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    const auto want = Expected(typename Arrow::BuilderType(), nulls,
                               [&](int64_t i) { return values[static_cast<size_t>(i)]; });
    EXPECT_TRUE((*got)->Equals(want)) << width;
    buffers.back().pop_back();
    EXPECT_TRUE(ReadPage(buffers, encoding, Arrow::type_singleton(), kRows, kRanges).status().IsInvalid());
  }
}

TYPED_TEST(BitpackedPageTest, UnitsGiveTheirIntegers) {
  using Unsigned = std::make_unsigned_t<TypeParam>;
  using Arrow = typename arrow::CTypeTraits<Unsigned>;
  constexpr int kBits = 8 * static_cast<int>(sizeof(TypeParam));
  for (const int width : {1, 3, kBits - 1, kBits}) {
    std::mt19937_64 random(static_cast<uint64_t>(width));
    std::vector<Unsigned> values(3 * kBitpackingUnit);  // the last unit is padded
    for (size_t i = 0; i < kRows; ++i) {
      values[i] = static_cast<Unsigned>(static_cast<Unsigned>(random()) >> (kBits - width));
    }
    std::vector<Unsigned> words(static_cast<size_t>(3 * PackedWords<Unsigned>(width)));
    for (int unit = 0; unit < 3; ++unit) {
      Pack<Unsigned>(values.data() + unit * kBitpackingUnit, width,
                     words.data() + unit * PackedWords<Unsigned>(width));
    }
    v2_0::ArrayEncoding encoding;
    auto* packed =
        encoding.mutable_nullable()->mutable_no_nulls()->mutable_values()->mutable_bitpacked_for_non_neg();
    packed->set_compressed_bits_per_value(static_cast<uint64_t>(width));
    packed->set_uncompressed_bits_per_value(kBits);
    packed->mutable_buffer();
    const std::string bytes(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(Unsigned));
    const auto got = ReadPage({bytes}, encoding, Arrow::type_singleton(), kRows, kRanges);
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    const auto want = Expected(typename Arrow::BuilderType(), false,
                               [&](int64_t i) { return values[static_cast<size_t>(i)]; });
    EXPECT_TRUE((*got)->Equals(want)) << width;
    EXPECT_TRUE(
        ReadPage({bytes.substr(1)}, encoding, Arrow::type_singleton(), kRows, kRanges).status().IsInvalid());
  }
}

TEST(V2_0PageTest, IntegersPackedToNoBitsOrTooManyAreInvalid) {
  for (const auto& [type, bits, width] : {std::tuple{arrow::int32(), 32, 0},
                                          {arrow::int32(), 32, 33},
                                          {arrow::int32(), 16, 5},
                                          {arrow::boolean(), 1, 1},
                                          {arrow::fixed_size_binary(3), 24, 5},
                                          {arrow::fixed_size_list(arrow::int8(), 4), 32, 7}}) {
    v2_0::ArrayEncoding encoding;
    encoding.mutable_bitpacked()->set_compressed_bits_per_value(static_cast<uint64_t>(width));
    encoding.mutable_bitpacked()->set_uncompressed_bits_per_value(static_cast<uint64_t>(bits));
    encoding.mutable_bitpacked()->mutable_buffer();
    const auto status = ReadPage({std::string(100'000, 'x')}, encoding, type, kRows, kRanges).status();
    EXPECT_TRUE(status.IsInvalid()) << status.ToString();
  }
}

TEST(V2_0PageTest, VectorsOfNullsHaveNoValues) {
  v2_0::ArrayEncoding encoding;
  encoding.mutable_fixed_size_list()->set_dimension(4);
  encoding.mutable_fixed_size_list()->mutable_items()->mutable_flat()->mutable_buffer();
  const auto type = arrow::fixed_size_list(arrow::null(), 4);
  EXPECT_TRUE(ReadPage({"x"}, encoding, type, kRows, kRanges).status().IsInvalid());
  encoding.mutable_fixed_size_list()->mutable_items()->mutable_nullable()->mutable_all_nulls();
  const auto got = ReadPage({"x"}, encoding, type, kRows, kRanges);
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ((*got)->null_count(), 0);
}

TEST(V2_0PageTest, StringsOfOneLengthNeedNoOffsets) {
  constexpr int64_t kWidth = 7;
  std::string bytes;
  for (int64_t i = 0; i < kRows; ++i) bytes += std::to_string(1'000'000 + i);
  const auto value = [&](int64_t i) { return bytes.substr(static_cast<size_t>(i * kWidth), kWidth); };
  for (const bool nulls : {false, true}) {
    std::vector<std::string> buffers;
    v2_0::ArrayEncoding encoding;
    auto* strings = (nulls ? SomeNulls(kRows, &buffers, &encoding) : &encoding)->mutable_fixed_size_binary();
    strings->set_byte_width(kWidth);
    strings->mutable_bytes()->mutable_flat()->set_bits_per_value(8);
    strings->mutable_bytes()->mutable_flat()->mutable_buffer()->set_buffer_index(
        static_cast<uint32_t>(buffers.size()));
    buffers.push_back(bytes);
    const auto got = ReadPage(buffers, encoding, arrow::utf8(), kRows, kRanges);
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    EXPECT_TRUE((*got)->Equals(Expected(arrow::StringBuilder(), nulls, value)));
    const auto large = ReadPage(buffers, encoding, arrow::large_binary(), kRows, kRanges);
    ASSERT_TRUE(large.ok()) << large.status().ToString();
    EXPECT_TRUE((*large)->Equals(Expected(arrow::LargeBinaryBuilder(), nulls, value)));
    buffers.back().pop_back();
    EXPECT_TRUE(ReadPage(buffers, encoding, arrow::utf8(), kRows, kRanges).status().IsInvalid());
    strings->set_byte_width(0);
    EXPECT_TRUE(ReadPage(buffers, encoding, arrow::utf8(), kRows, kRanges).status().IsInvalid());
  }
}

}  // namespace

}  // namespace pilum
