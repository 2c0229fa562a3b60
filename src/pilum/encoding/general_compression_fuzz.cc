// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a compressed buffer; and any bytes, compressed, come back.
#include "pilum/encoding/general_compression.h"

#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

namespace enc = lance::encodings21;

void FuzzCompression(const fuzz::Compressed& input) {
  auto* pool = arrow::default_memory_pool();
  (void)Decompress(input.scheme(), ExactBytes(input.bytes()), pool);
  for (const auto scheme : {enc::COMPRESSION_ALGORITHM_LZ4, enc::COMPRESSION_ALGORITHM_ZSTD}) {
    const auto compressed = Compress(scheme, std::nullopt, ExactBytes(input.bytes()));
    Require(compressed.status(), "bytes compress");
    const auto out = Decompress(scheme, ExactBytes(*compressed), pool);
    Require(out.status(), "what was compressed decompresses");
    Require((*out)->ToString() == input.bytes(), "bytes come back");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  const std::string text = "abcabcabcabcabcabc" + std::string(300, 'z');
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (const auto scheme : {enc::COMPRESSION_ALGORITHM_LZ4, enc::COMPRESSION_ALGORITHM_ZSTD}) {
    fuzz::Compressed input;
    input.set_scheme(scheme);
    input.set_bytes(Compress(scheme, std::nullopt, {bytes, text.size()}).ValueOrDie());
    seeds.push_back(input.SerializeAsString());
    input.set_bytes(input.bytes().substr(8));  // zstd: a frame without the size in front
    seeds.push_back(input.SerializeAsString());
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::Compressed, pilum::FuzzCompression)
