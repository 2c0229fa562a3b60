// SPDX-License-Identifier: Apache-2.0
//
// What EncodeFixedChunks and EncodeStringChunks write, ValueDecoder reads; the choice of the encoding is the
// documented one; damage is an error or other values.
#include "pilum/encoding/value_encoder.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <bit>
#include <random>

#include "pilum/encoding/value_decoder.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

using Case = enc::CompressiveEncoding::CompressionCase;
using Compression = EncodingOptions::Compression;

/// Integers below `limit` that change every `run` rows.
template <typename ArrowType>
std::shared_ptr<arrow::Array> Integers(int64_t n, uint64_t limit, int64_t run, std::mt19937_64& random) {
  using T = typename ArrowType::c_type;
  typename arrow::TypeTraits<ArrowType>::BuilderType builder;
  T value{};
  for (int64_t i = 0; i < n; ++i) {
    if (i % run == 0) value = static_cast<T>(limit == 0 ? random() : random() % limit);
    EXPECT_TRUE(builder.Append(value).ok());
  }
  return *builder.Finish();
}

arrow::Result<EncodedValues> Encode(const arrow::Array& array, const EncodingOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto values, LeafValues::Of(*array.data(), arrow::default_memory_pool()));
  return values.type.kind == LeafType::Kind::kVariable ? EncodeStringChunks(values, options)
                                                       : EncodeFixedChunks(values, options);
}

ChunkBuffers Buffers(const EncodedChunk& chunk) {
  ChunkBuffers buffers;
  std::ranges::copy(chunk.buffers, buffers.begin());
  return buffers;
}

arrow::Result<std::shared_ptr<arrow::Array>> Decode(const ValueDecoder& decoder, const LeafType& type,
                                                    const EncodedChunk& chunk, int64_t begin, int64_t count) {
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type, count, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(decoder.Append(Buffers(chunk), chunk.num_values, begin, count, &builder));
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, count));
  ARROW_ASSIGN_OR_RAISE(auto data, builder.Finish());
  return arrow::MakeArray(data);
}

/// The same from a copy of the part of the chunk that is enough, if there is one.
arrow::Result<std::shared_ptr<arrow::Array>> DecodePart(const ValueDecoder& decoder, const LeafType& type,
                                                        const EncodedChunk& chunk, int64_t begin,
                                                        int64_t count) {
  const int64_t size = (std::ssize(chunk.buffers[0]) + 7) / 8 * 8;
  const auto part =
      chunk.buffers.size() == 1 ? decoder.PartOf(size, chunk.num_values, begin, count) : std::nullopt;
  if (!part) return Decode(decoder, type, chunk, begin, count);
  const auto* bytes = reinterpret_cast<const uint8_t*>(chunk.buffers[0].data());
  const std::vector<uint8_t> copy(bytes + part->offset, bytes + part->offset + part->length);
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type, count, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(decoder.AppendPart(copy, size, begin, count, &builder));
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, count));
  ARROW_ASSIGN_OR_RAISE(auto data, builder.Finish());
  return arrow::MakeArray(data);
}

/// Checks every chunk, whole and in parts. @return the outermost encoding.
Case ExpectRoundTrip(const arrow::Array& array, const EncodingOptions& options) {
  const auto encoded = Encode(array, options);
  EXPECT_TRUE(encoded.ok()) << encoded.status().ToString();
  const LeafType type = *LeafType::Of(array.type());
  const auto decoder = ValueDecoder::Make(encoded->encoding, type, arrow::default_memory_pool());
  EXPECT_TRUE(decoder.ok()) << decoder.status().ToString();
  EXPECT_EQ((*decoder)->num_buffers(), encoded->num_buffers);
  int64_t row = 0;
  for (size_t i = 0; i < encoded->chunks.size(); ++i) {
    const EncodedChunk& chunk = encoded->chunks[i];
    const int64_t n = chunk.num_values;
    EXPECT_EQ(chunk.buffers.size(), encoded->num_buffers);
    EXPECT_TRUE(i + 1 == encoded->chunks.size() || (n >= 2 && std::has_single_bit(static_cast<uint64_t>(n))));
    for (const auto& [begin, count] : {std::pair{int64_t{0}, n}, {n / 2, int64_t{1}}, {n / 3, n - n / 3}}) {
      for (const auto& got :
           {Decode(**decoder, type, chunk, begin, count), DecodePart(**decoder, type, chunk, begin, count)}) {
        EXPECT_TRUE(got.ok()) << got.status().ToString();
        EXPECT_TRUE((*got)->Equals(array.Slice(row + begin, count),
                                   arrow::EqualOptions::Defaults().nans_equal(true)));
      }
    }
    row += n;
  }
  EXPECT_EQ(row, array.length());
  return encoded->encoding.compression_case();
}

template <typename ArrowType>
class IntegerEncoding : public ::testing::Test {};
using IntegerTypes =
    ::testing::Types<arrow::UInt8Type, arrow::UInt16Type, arrow::Int32Type, arrow::Int64Type>;
TYPED_TEST_SUITE(IntegerEncoding, IntegerTypes);

TYPED_TEST(IntegerEncoding, EverySizeAroundTheUnitsComesBack) {
  std::mt19937_64 random(1);
  for (const int64_t n : {1, 2, 3, 255, 256, 1023, 1024, 1025, 4095, 4096, 4097, 9000}) {
    for (const int64_t run : {1, 3, 200, 300, 5000}) {
      for (const uint64_t limit : {1, 2, 100, 0}) {
        const auto array = Integers<TypeParam>(n, limit, run, random);
        for (const auto compression :
             {Compression::kDefault, Compression::kNone, Compression::kLz4, Compression::kZstd}) {
          EncodingOptions options;
          options.compression = compression;
          ExpectRoundTrip(*array, options);
          options.byte_stream_split = EncodingOptions::Choice::kOn;
          ExpectRoundTrip(*array, options);
        }
      }
    }
  }
}

TYPED_TEST(IntegerEncoding, LongRunsArePackedAsRunsAndSmallValuesAsBits) {
  std::mt19937_64 random(2);
  EXPECT_EQ(ExpectRoundTrip(*Integers<TypeParam>(5000, 0, 400, random), {}), Case::kRle);
  EXPECT_EQ(ExpectRoundTrip(*Integers<TypeParam>(5000, 8, 1, random), {}), Case::kInlineBitpacking);
  EXPECT_EQ(ExpectRoundTrip(*Integers<TypeParam>(5000, 0, 1, random), {}), Case::kFlat);
}

TYPED_TEST(IntegerEncoding, AUnitOfZerosBetweenOthersTakesNoBits) {
  using Builder = typename arrow::TypeTraits<TypeParam>::BuilderType;
  std::mt19937_64 random(3);
  Builder builder;
  for (int i = 0; i < 3 * 1024; ++i) {
    const bool zero = i / 1024 == 1;
    ASSERT_TRUE(builder.Append(static_cast<typename TypeParam::c_type>(zero ? 0 : random() % 32)).ok());
  }
  const auto array = builder.Finish().ValueOrDie();
  EXPECT_EQ(ExpectRoundTrip(*array, {}), Case::kInlineBitpacking);
  const auto encoded = *Encode(*array, {});
  const LeafType type = *LeafType::Of(array->type());
  const auto decoder = *ValueDecoder::Make(encoded.encoding, type, arrow::default_memory_pool());
  int64_t first = 0;
  for (const EncodedChunk& chunk : encoded.chunks) {
    for (int64_t row : {0, 1023, 1024, 2047, 2048, 3071}) {
      if (row < first || row >= first + chunk.num_values) continue;
      const auto one = *Decode(*decoder, type, chunk, row - first, 1);
      EXPECT_TRUE(one->Equals(array->Slice(row, 1))) << row;
    }
    first += chunk.num_values;
  }
}

TEST(ValueEncoderTest, OptionsDecide) {
  std::mt19937_64 random(3);
  const auto runs = Integers<arrow::Int32Type>(5000, 1 << 30, 40, random);
  EncodingOptions options;
  options.rle_threshold = 0.001;
  EXPECT_NE(ExpectRoundTrip(*runs, options), Case::kRle);
  options.compression = Compression::kNone;
  EXPECT_EQ(ExpectRoundTrip(*runs, options), Case::kFlat);
  options.compression = Compression::kZstd;
  EXPECT_EQ(ExpectRoundTrip(*Integers<arrow::Int32Type>(5000, 1 << 30, 1, random), options), Case::kGeneral);
  // Too few bytes to compress.
  EXPECT_NE(ExpectRoundTrip(*Integers<arrow::Int32Type>(500, 0, 1, random), options), Case::kGeneral);
}

std::shared_ptr<arrow::Array> Texts(int64_t n, int64_t longest, std::mt19937_64& random) {
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < n; ++i) {
    std::string text(random() % static_cast<uint64_t>(longest + 1), ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 4);
    EXPECT_TRUE(builder.Append(text).ok());
  }
  return *builder.Finish();
}

TEST(ValueEncoderTest, StringsOfEverySizeComeBack) {
  std::mt19937_64 random(4);
  for (const int64_t n : {1, 2, 3, 100, 1025, 5000}) {
    for (const int64_t longest : {0, 3, 30, 250}) {
      const auto array = Texts(n, longest, random);
      for (const auto compression : {Compression::kDefault, Compression::kNone, Compression::kFsst,
                                     Compression::kLz4, Compression::kZstd}) {
        EncodingOptions options;
        options.compression = compression;
        ExpectRoundTrip(*array, options);
        ExpectRoundTrip(*array->Slice(n / 2), options);
      }
    }
  }
}

TEST(ValueEncoderTest, ManyLongStringsGetFsstUnlessTheyAreBinary) {
  std::mt19937_64 random(5);
  const auto array = Texts(5000, 30, random);
  EXPECT_EQ(ExpectRoundTrip(*array, {}), Case::kFsst);
  EXPECT_EQ(ExpectRoundTrip(**array->View(arrow::binary()), {}), Case::kVariable);
  EXPECT_EQ(ExpectRoundTrip(*Texts(5000, 4, random), {}), Case::kVariable);
}

TEST(ValueEncoderTest, DamagedChunksAreErrorsOrOtherValues) {
  std::mt19937_64 random(6);
  EncodingOptions zstd;
  zstd.compression = Compression::kZstd;
  const std::vector<std::pair<std::shared_ptr<arrow::Array>, EncodingOptions>> columns{
      {Integers<arrow::Int32Type>(1024, 100, 1, random), {}},
      {Integers<arrow::Int64Type>(1024, 0, 50, random), {}},
      {Integers<arrow::Int64Type>(1024, 1 << 20, 1, random), zstd},
      {Texts(300, 10, random), {}},
      {Texts(3000, 30, random), {}}};
  for (const auto& [array, options] : columns) {
    const auto encoded = *Encode(*array, options);
    const LeafType type = *LeafType::Of(array->type());
    const auto decoder = *ValueDecoder::Make(encoded.encoding, type, arrow::default_memory_pool());
    for (int round = 0; round < 2000; ++round) {
      EncodedChunk chunk = encoded.chunks[random() % encoded.chunks.size()];
      auto& damaged = chunk.buffers[random() % chunk.buffers.size()];
      std::string buffer(damaged.begin(), damaged.end());
      if (buffer.empty()) continue;
      if (round % 3 == 0) buffer.resize(random() % (buffer.size() + 8));
      if (!buffer.empty())
        buffer[random() % std::min<size_t>(buffer.size(), 64)] ^= static_cast<char>(random());
      damaged = {reinterpret_cast<const uint8_t*>(buffer.data()), buffer.size()};
      (void)Decode(*decoder, type, chunk, 0, chunk.num_values);
      (void)Decode(*decoder, type, chunk, chunk.num_values - 1, 1);
    }
  }
}

/// A chunk of `n` numbers from runs.
arrow::Result<std::shared_ptr<arrow::Array>> DecodeRuns(std::vector<int32_t> values,
                                                        std::vector<uint8_t> lengths, int64_t n) {
  enc::CompressiveEncoding encoding;
  encoding.mutable_rle()->mutable_values()->mutable_flat()->set_bits_per_value(32);
  encoding.mutable_rle()->mutable_run_lengths()->mutable_flat()->set_bits_per_value(8);
  const LeafType type = *LeafType::Of(arrow::int32());
  ARROW_ASSIGN_OR_RAISE(const auto decoder, ValueDecoder::Make(encoding, type, arrow::default_memory_pool()));
  EncodedChunk chunk;
  chunk.num_values = n;
  chunk.buffers = {{reinterpret_cast<const uint8_t*>(values.data()), 4 * values.size()},
                   {lengths.data(), lengths.size()}};
  return Decode(*decoder, type, chunk, 0, n);
}

TEST(ValueDecoderTest, RunsMustFillTheirChunk) {
  const auto whole = DecodeRuns({7, 8}, {2, 3}, 5).ValueOrDie();
  EXPECT_EQ(static_cast<const arrow::Int32Array&>(*whole).Value(4), 8);
  EXPECT_TRUE(DecodeRuns({7, 8}, {2, 2}, 5).status().IsInvalid());     // too few values
  EXPECT_TRUE(DecodeRuns({7, 8}, {5}, 5).status().IsInvalid());        // a value without a length
  EXPECT_TRUE(DecodeRuns({7}, {2, 3}, 5).status().IsInvalid());        // a length without a value
  EXPECT_TRUE(DecodeRuns({7, 8}, {0, 5}, 5).status().IsInvalid());     // a run of nothing
  EXPECT_EQ(DecodeRuns({7, 8}, {2, 9}, 5).ValueOrDie()->length(), 5);  // what is behind the chunk is cut off
}

}  // namespace
}  // namespace pilum
