// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/block.h"

#include <arrow/array.h>

#include <cstring>
#include <random>

#include "pilum/encoding/general_compression.h"
#include "pilum/encoding/levels.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

enc::CompressiveEncoding OutOfLine(int width) {
  enc::CompressiveEncoding encoding;
  encoding.mutable_out_of_line_bitpacking()->set_uncompressed_bits_per_value(16);
  encoding.mutable_out_of_line_bitpacking()->mutable_values()->mutable_flat()->set_bits_per_value(
      static_cast<uint64_t>(width));
  return encoding;
}

enc::CompressiveEncoding Runs(int bits) {
  enc::CompressiveEncoding encoding;
  encoding.mutable_rle()->mutable_values()->mutable_flat()->set_bits_per_value(static_cast<uint64_t>(bits));
  encoding.mutable_rle()->mutable_run_lengths()->mutable_flat()->set_bits_per_value(8);
  return encoding;
}

arrow::Result<std::vector<uint16_t>> Decode(const enc::CompressiveEncoding& encoding,
                                            const std::string& block, int64_t n) {
  std::vector<uint16_t> levels(static_cast<size_t>(n));
  ARROW_RETURN_NOT_OK(DecodeFixedBlock(encoding, Bytes(block), n, 16,
                                       reinterpret_cast<uint8_t*>(levels.data()),
                                       arrow::default_memory_pool()));
  return levels;
}

std::vector<uint16_t> RandomLevels(int64_t n, int highest, int run, std::mt19937_64& random) {
  std::vector<uint16_t> levels;
  while (static_cast<int64_t>(levels.size()) < n) {
    levels.insert(levels.end(), 1 + random() % static_cast<uint64_t>(run),
                  static_cast<uint16_t>(random() % static_cast<uint64_t>(highest + 1)));
  }
  levels.resize(static_cast<size_t>(n));
  return levels;
}

TEST(BlockTest, LevelsComeBackFromWhateverEncodingIsChosen) {
  std::mt19937_64 random(1);
  for (const int64_t n : {1, 2, 63, 64, 65, 512, 1023, 1024, 1025, 2047, 4096, 10'000}) {
    for (const int highest : {0, 1, 2, 3, 7}) {
      for (const int run : {1, 5, 1000}) {
        const auto levels = RandomLevels(n, highest, run, random);
        for (const bool allow_runs : {false, true}) {
          const LevelEncoder encoder(levels, {&n, 1}, allow_runs);
          EXPECT_TRUE(allow_runs || !encoder.encoding().has_rle());
          std::string block;
          encoder.Append(levels, &block);
          EXPECT_LE(block.size(), 2 * levels.size() + 11);
          EXPECT_EQ(*Decode(encoder.encoding(), block, n), levels);
          std::vector<uint16_t> part(static_cast<size_t>(n - n / 3) + 3);
          ASSERT_TRUE(DecodeLevels(encoder.encoding(), Bytes(block), n, n / 3, n - n / 3, part.data(),
                                   arrow::default_memory_pool())
                          .ok());
          EXPECT_TRUE(std::equal(levels.begin() + n / 3, levels.end(), part.begin()));
          for (int64_t begin = 0; begin < n; begin += 1 + n / 17) {  // so few that they are read one by one
            const int64_t count = std::min<int64_t>(n - begin, 3);
            ASSERT_TRUE(DecodeLevels(encoder.encoding(), Bytes(block), n, begin, count, part.data(),
                                     arrow::default_memory_pool())
                            .ok());
            EXPECT_TRUE(std::equal(part.begin(), part.begin() + count, levels.begin() + begin));
          }
        }
      }
    }
  }
}

TEST(BlockTest, AGroupOfZeroWidthTakesNoBytes) {
  EXPECT_EQ(*Decode(OutOfLine(0), "", 1500), std::vector<uint16_t>(1500, 0));
}

TEST(BlockTest, PackedBlocksOfAnyOtherLengthAreRefused) {
  const std::vector<uint16_t> levels(1500, 1);
  std::string block;
  PackOutOfLine(levels.data(), 1500, 1, &block);
  for (size_t size = 0; size < block.size() + 9; ++size) {
    std::string other = block;
    other.resize(size);
    EXPECT_EQ(Decode(OutOfLine(1), other, 1500).ok(), size == block.size()) << size;
  }
  EXPECT_FALSE(Decode(OutOfLine(17), block, 1500).ok());
}

TEST(BlockTest, RunsMayReachPastTheEndButNotStopShort) {
  std::string block;
  AppendLE<uint64_t>(&block, 4);
  for (const uint16_t value : {7, 9}) AppendLE<uint16_t>(&block, value);
  block += std::string("\x02\xFF", 2);
  EXPECT_EQ(*Decode(Runs(16), block, 4), (std::vector<uint16_t>{7, 7, 9, 9}));
  EXPECT_FALSE(Decode(Runs(16), block, 2 + 256).ok());
}

TEST(BlockTest, DamagedRunsAreRefused) {
  EXPECT_FALSE(Decode(Runs(16), "", 1).ok());
  std::string zero_run;
  AppendLE<uint64_t>(&zero_run, 2);
  zero_run += std::string("\x01\x00\x00", 3);
  EXPECT_FALSE(Decode(Runs(16), zero_run, 1).ok());
  std::string uneven;
  AppendLE<uint64_t>(&uneven, 3);
  uneven += std::string("\x01\x00\x00\x01", 4);
  EXPECT_FALSE(Decode(Runs(16), uneven, 1).ok());
  std::string beyond;
  AppendLE<uint64_t>(&beyond, uint64_t{1} << 63);
  EXPECT_FALSE(Decode(Runs(16), beyond, 1).ok());
}

TEST(BlockTest, BitmapsAreFlatBlocksOfOneBit) {
  enc::CompressiveEncoding flat;
  flat.mutable_flat()->set_bits_per_value(1);
  uint8_t bits[2];
  ASSERT_TRUE(DecodeFixedBlock(flat, Bytes("\x5A\x01"), 9, 1, bits, arrow::default_memory_pool()).ok());
  EXPECT_EQ(bits[0], 0x5A);
  EXPECT_FALSE(DecodeFixedBlock(flat, Bytes("\x5A"), 9, 1, bits, arrow::default_memory_pool()).ok());
}

std::string StringBlock(const std::vector<std::string>& values) {
  std::string block, text;
  AppendLE<uint32_t>(&block, 32);
  AppendLE<uint32_t>(&block, static_cast<uint32_t>(8 + 4 * (values.size() + 1)));
  AppendLE<uint32_t>(&block, 0);
  for (const auto& value : values) {
    text += value;
    AppendLE<uint32_t>(&block, static_cast<uint32_t>(text.size()));
  }
  return block + text;
}

arrow::Result<std::string> DecodeStrings(const enc::CompressiveEncoding& encoding, const std::string& block,
                                         int64_t n) {
  ARROW_ASSIGN_OR_RAISE(auto type, LeafType::Of(arrow::utf8()));
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type, n, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(DecodeVariableBlock(encoding, Bytes(block), n, &builder, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, n));
  ARROW_ASSIGN_OR_RAISE(auto data, builder.Finish());
  std::string joined;
  const arrow::StringArray array(data);
  for (int64_t i = 0; i < n; ++i) joined += array.GetString(i) + "|";
  return joined;
}

TEST(BlockTest, StringsAreReadPlainAndCompressed) {
  enc::CompressiveEncoding plain;
  plain.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(32);
  const std::string block = StringBlock({"lance", "", "page"});
  EXPECT_EQ(*DecodeStrings(plain, block, 3), "lance||page|");
  for (const auto scheme : {enc::COMPRESSION_ALGORITHM_LZ4, enc::COMPRESSION_ALGORITHM_ZSTD}) {
    enc::CompressiveEncoding general;
    general.mutable_general()->mutable_compression()->set_scheme(scheme);
    *general.mutable_general()->mutable_values() = plain;
    const std::string compressed = *Compress(scheme, std::nullopt, Bytes(block));
    EXPECT_EQ(*DecodeStrings(general, compressed, 3), "lance||page|");
    for (size_t size = 1; size < compressed.size(); ++size) {
      EXPECT_FALSE(DecodeStrings(general, compressed.substr(0, size), 3).ok()) << size;
    }
  }
}

TEST(BlockTest, TheHeaderOfOldReleasesIsAccepted) {
  enc::CompressiveEncoding plain;
  plain.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(32);
  std::string block(1, '\x20');
  AppendLE<uint32_t>(&block, 2);
  AppendLE<uint32_t>(&block, 9 + 12);
  for (const uint32_t offset : {0, 1, 3}) AppendLE<uint32_t>(&block, offset);
  EXPECT_EQ(*DecodeStrings(plain, block + "abb", 2), "a|bb|");
}

TEST(BlockTest, DamagedStringsAreErrorsOrOtherStrings) {
  enc::CompressiveEncoding plain;
  plain.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(32);
  const std::string block = StringBlock({"lance", "", "page"});
  for (size_t bit = 0; bit < 8 * block.size(); ++bit) {
    std::string damaged = block;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    (void)DecodeStrings(plain, damaged, 3);
  }
  for (size_t size = 0; size < block.size(); ++size) {
    EXPECT_FALSE(DecodeStrings(plain, block.substr(0, size), 3).ok()) << size;
  }
}

TEST(GeneralCompressionTest, ABareZstdFrameIsAccepted) {
  const std::string text(5000, 'x');
  const std::string framed = *Compress(enc::COMPRESSION_ALGORITHM_ZSTD, 3, Bytes(text));
  const std::string bare = framed.substr(8);
  const auto out = Decompress(enc::COMPRESSION_ALGORITHM_ZSTD, Bytes(bare), arrow::default_memory_pool());
  ASSERT_TRUE(out.ok()) << out.status().ToString();
  EXPECT_EQ((*out)->ToString(), text);
}

TEST(GeneralCompressionTest, ABareZstdFrameThatIsCutIsRefusedForLittleMemory) {
  const std::string bare =
      Compress(enc::COMPRESSION_ALGORITHM_ZSTD, 3, Bytes(std::string(5000, 'x')))->substr(8);
  for (size_t size = 1; size < bare.size(); ++size) {
    arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
    const auto out = Decompress(enc::COMPRESSION_ALGORITHM_ZSTD, Bytes(bare.substr(0, size)), &pool);
    EXPECT_TRUE(out.status().IsInvalid()) << size << ": " << out.status();
    EXPECT_LT(pool.max_memory(), 100'000) << size;
  }
}

TEST(GeneralCompressionTest, AClaimOfMoreThanTheSchemeCanHoldIsRefusedBeforeAllocating) {
  std::string lz4;
  AppendLE<uint32_t>(&lz4, 0x7FFFFFFF);
  EXPECT_FALSE(
      Decompress(enc::COMPRESSION_ALGORITHM_LZ4, Bytes(lz4 + "abc"), arrow::default_memory_pool()).ok());
  std::string zstd;
  AppendLE<uint64_t>(&zstd, uint64_t{1} << 40);
  EXPECT_FALSE(
      Decompress(enc::COMPRESSION_ALGORITHM_ZSTD, Bytes(zstd + "abcdefgh"), arrow::default_memory_pool())
          .ok());
}

}  // namespace
}  // namespace pilum
