// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/split_block_bloom_filter.h"

#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

constexpr std::array<uint32_t, 8> kSalt = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                           0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

}  // namespace

SplitBlockBloomFilter::Block SplitBlockBloomFilter::Mask(uint32_t key) {
  Block mask;
  for (size_t i = 0; i < mask.size(); ++i) mask[i] = uint32_t{1} << ((key * kSalt[i]) >> 27);
  return mask;
}

void SplitBlockBloomFilter::Insert(uint64_t hash) {
  Block& block = blocks_[BlockOf(hash)];
  const Block mask = Mask(static_cast<uint32_t>(hash));
  for (size_t i = 0; i < mask.size(); ++i) block[i] |= mask[i];
}

bool SplitBlockBloomFilter::MightContain(uint64_t hash) const {
  const Block& block = blocks_[BlockOf(hash)];
  const Block mask = Mask(static_cast<uint32_t>(hash));
  uint32_t missing = 0;
  for (size_t i = 0; i < mask.size(); ++i) missing |= mask[i] & ~block[i];
  return missing == 0;
}

bool SplitBlockBloomFilter::FromBytes(std::span<const uint8_t> bytes, SplitBlockBloomFilter* filter) {
  if (bytes.empty() || bytes.size() % kBlockBytes != 0) return false;
  *filter = SplitBlockBloomFilter(static_cast<int64_t>(bytes.size()));
  for (size_t i = 0; i < bytes.size() / 4; ++i)
    filter->blocks_[i / 8][i % 8] = LoadLE<uint32_t>(&bytes[i * 4]);
  return true;
}

std::string SplitBlockBloomFilter::ToBytes() const {
  std::string bytes;
  bytes.reserve(blocks_.size() * kBlockBytes);
  for (const Block& block : blocks_) {
    for (const uint32_t word : block) AppendLE<uint32_t>(&bytes, word);
  }
  return bytes;
}

}  // namespace pilum
