// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/encoding_options.h"

#include <arrow/util/key_value_metadata.h>

namespace pilum {

namespace {

arrow::Result<EncodingOptions> Parse(const std::string& key, const std::string& value,
                                     bool large_chunks = false) {
  const auto field =
      arrow::field("f", arrow::utf8(), arrow::key_value_metadata({"lance-encoding:" + key}, {value}));
  return EncodingOptions::Of(*field, *field, large_chunks);
}

TEST(EncodingOptionsTest, KeysSetWhatTheyName) {
  EXPECT_EQ(Parse("compression", "zstd")->compression, EncodingOptions::Compression::kZstd);
  EXPECT_EQ(Parse("compression-level", "-3")->compression_level, -3);
  EXPECT_EQ(Parse("rle-threshold", "0.25")->rle_threshold, 0.25);
  EXPECT_EQ(Parse("bss", "ON")->byte_stream_split, EncodingOptions::Choice::kOn);
  EXPECT_EQ(Parse("structural-encoding", "FullZip")->structure, EncodingOptions::Structure::kFullZip);
  EXPECT_EQ(Parse("dict-divisor", "7")->dictionary_divisor, 7);
  EXPECT_EQ(Parse("minichunk-size", "100")->string_chunk_bytes, 100);
}

TEST(EncodingOptionsTest, AChunkThatTheVersionCannotHoldIsIgnored) {
  EXPECT_EQ(Parse("minichunk-size", "32768")->string_chunk_bytes, EncodingOptions().string_chunk_bytes);
  EXPECT_EQ(Parse("minichunk-size", "131072", /*large_chunks=*/true)->string_chunk_bytes, 131'072);
}

TEST(EncodingOptionsTest, ValuesWithoutMeaningNameColumnKeyAndValue) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"compression", "gzip"},
                                                        {"compression-level", "high"},
                                                        {"rle-threshold", "2"},
                                                        {"bss", "maybe"},
                                                        {"structural-encoding", "sparse"},
                                                        {"dict-size-ratio", "0"}}) {
    const auto status = Parse(key, value).status();
    EXPECT_TRUE(status.IsInvalid());
    EXPECT_THAT(status.message(), ::testing::HasSubstr("'f'"));
    EXPECT_THAT(status.message(), ::testing::HasSubstr("lance-encoding:" + key));
    EXPECT_THAT(status.message(), ::testing::HasSubstr("'" + value + "'"));
  }
}

TEST(EncodingOptionsTest, TheStructureIsThatOfTheTopLevelField) {
  const auto leaf = arrow::field("leaf", arrow::utf8());
  const auto root =
      arrow::field("root", arrow::struct_({leaf}),
                   arrow::key_value_metadata({"lance-encoding:structural-encoding"}, {"miniblock"}));
  EXPECT_EQ(EncodingOptions::Of(*leaf, *root, false)->structure, EncodingOptions::Structure::kMiniBlock);
}

}  // namespace
}  // namespace pilum
