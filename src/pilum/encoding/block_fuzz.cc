// SPDX-License-Identifier: Apache-2.0
//
// Any bytes in any block encoding: levels, dictionaries. A part of the levels is the same as in the whole.
#include "pilum/encoding/block.h"

#include <arrow/array/array_base.h>
#include <arrow/array/util.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>

#include <algorithm>

#include "pilum/encoding/dictionary_encoder.h"
#include "pilum/encoding/levels.h"
#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

constexpr int64_t kMaxValues = 1 << 16;

void FuzzStrings(const fuzz::Block& input, const ExactBytes& bytes,
                 const std::shared_ptr<arrow::DataType>& type) {
  auto* pool = arrow::default_memory_pool();
  const int64_t n = input.num_values();
  auto builder = ColumnBuilder::Make(LeafType::Of(type).ValueOrDie(), n, pool).ValueOrDie();
  if (!DecodeVariableBlock(input.encoding(), bytes, n, &builder, pool).ok()) return;
  Require(builder.validity().Append(true, n), "validity");
  const auto data = builder.Finish();
  Require(data.status(), "as many strings as were asked for");
  RequireValid(*arrow::MakeArray(*data));
}

void FuzzBlock(const fuzz::Block& input) {
  auto* pool = arrow::default_memory_pool();
  const int64_t n = input.num_values(), bits = input.bits();
  if (n > kMaxValues || bits > 512) return;
  const ExactBytes bytes(input.bytes());
  if (bits == 0) {
    FuzzStrings(input, bytes, arrow::binary());
    FuzzStrings(input, bytes, arrow::large_binary());
    return;
  }
  std::vector<uint8_t> out(static_cast<size_t>((n * bits + 7) / 8));
  const auto status = DecodeFixedBlock(input.encoding(), bytes, n, bits, out.data(), pool);
  const int64_t begin = std::min<int64_t>(input.begin(), n),
                count = std::min<int64_t>(input.count(), n - begin);
  std::vector<uint16_t> levels(static_cast<size_t>(count));
  const auto part = DecodeLevels(input.encoding(), bytes, n, begin, count, levels.data(), pool);
  if (!status.ok() || bits != 16) return;
  Require(part, "a part of good levels");
  Require(std::equal(levels.begin(), levels.end(), reinterpret_cast<const uint16_t*>(out.data()) + begin),
          "a part of the levels is the same as in the whole");
}

std::string Seed(const lance::encodings21::CompressiveEncoding& encoding, const std::string& bytes,
                 uint32_t n, uint32_t bits) {
  fuzz::Block input;
  *input.mutable_encoding() = encoding;
  input.set_bytes(bytes);
  input.set_num_values(n);
  input.set_bits(bits);
  input.set_begin(n / 3);
  input.set_count(n / 2);
  return input.SerializeAsString();
}

std::string DictionarySeed(const std::shared_ptr<arrow::DataType>& type, const char* json, uint32_t bits,
                           EncodingOptions::Compression compression) {
  const auto array = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  const auto values = LeafValues::Of(*array->data(), arrow::default_memory_pool()).ValueOrDie();
  EncodingOptions options;
  options.dictionary_compression = compression;
  const auto dictionary = EncodeDictionary(values, options, true).ValueOrDie();
  return Seed(dictionary.encoding, dictionary.block, static_cast<uint32_t>(array->length()), bits);
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const uint16_t run : {1, 300}) {
    for (const bool runs : {false, true}) {
      std::vector<uint16_t> levels(1500);
      for (size_t i = 0; i < levels.size(); ++i) levels[i] = static_cast<uint16_t>(i / run % 3);
      const int64_t end = std::ssize(levels);
      const LevelEncoder encoder(levels, {&end, 1}, runs);
      std::string block;
      encoder.Append(levels, &block);
      seeds.push_back(Seed(encoder.encoding(), block, 1500, 16));
    }
  }
  using Compression = EncodingOptions::Compression;
  for (const auto compression : {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    seeds.push_back(DictionarySeed(arrow::utf8(), R"(["one", "two", "", "three"])", 0, compression));
    seeds.push_back(DictionarySeed(arrow::large_utf8(), R"(["one", "two", "", "three"])", 0, compression));
    seeds.push_back(DictionarySeed(arrow::int64(), "[1, 2, 3, 4000000000]", 64, compression));
    seeds.push_back(DictionarySeed(arrow::decimal128(9, 2), R"(["1.00", "2.50"])", 128, compression));
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::Block, pilum::FuzzBlock)
