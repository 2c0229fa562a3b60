// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/bitpacking.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <vector>

namespace pilum {

namespace {

/// CRC-32 as in zlib.
uint32_t Crc32(const void* data, size_t size) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < size; ++i) {
    crc ^= static_cast<const uint8_t*>(data)[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0xedb88320u : 0u);
  }
  return ~crc;
}

template <typename T>
std::vector<T> PackedTestValues(int width) {
  std::vector<T> values(kBitpackingUnit);
  for (int i = 0; i < kBitpackingUnit; ++i)
    values[i] = static_cast<T>((i % 101) & ((uint64_t{1} << width) - 1));
  std::vector<T> packed(PackedWords<T>(width));
  Pack(values.data(), width, packed.data());
  return packed;
}

template <typename T>
uint32_t CrcOf(const std::vector<T>& words) {
  return Crc32(words.data(), words.size() * sizeof(T));
}

/// Words that end right before a page nobody may touch: one word too far is a fault.
template <typename T>
class WordsBeforeTheEdge {
 public:
  explicit WordsBeforeTheEdge(const std::vector<T>& words) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = words.size() * sizeof(T);
    const size_t used = (bytes + page - 1) / page * page;
    size_ = used + page;
    base_ = static_cast<uint8_t*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + used, page, PROT_NONE);
    data_ = reinterpret_cast<T*>(base_ + used - bytes);
    std::copy(words.begin(), words.end(), data_);
  }
  ~WordsBeforeTheEdge() { munmap(base_, size_); }
  T* data() { return data_; }

 private:
  uint8_t* base_;
  size_t size_;
  T* data_;
};

template <typename T>
void ExpectFastEqualsScalarAndRoundTrips() {
  std::mt19937_64 random(42);
  for (int width = 0; width <= 8 * static_cast<int>(sizeof(T)); ++width) {
    SCOPED_TRACE(width);
    std::vector<T> values(kBitpackingUnit);
    const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
    for (T& value : values) value = static_cast<T>(random() & mask);
    std::vector<T> packed(PackedWords<T>(width));
    Pack(values.data(), width, packed.data());
    WordsBeforeTheEdge<T> guarded(packed);
    std::vector<T> fast(kBitpackingUnit), scalar(kBitpackingUnit);
    Unpack<T>(guarded.data(), width, fast.data());
    UnpackScalar<T>(guarded.data(), width, scalar.data());
    EXPECT_EQ(fast, values);
    EXPECT_EQ(scalar, values);
  }
}

}  // namespace

TEST(BitpackingTest, PacksTheBytesOfTheReference) {
  const auto p8 = PackedTestValues<uint8_t>(3);
  EXPECT_EQ(p8[0], 0x98);
  EXPECT_EQ(p8[1], 0xe1);
  EXPECT_EQ(CrcOf(p8), 0x2f7ba9beu);
  EXPECT_EQ(CrcOf(PackedTestValues<uint16_t>(5)), 0x7c86ba1fu);
  const auto p32 = PackedTestValues<uint32_t>(7);
  EXPECT_EQ(p32[0], 0x7a2d8d80u);
  EXPECT_EQ(CrcOf(p32), 0x8c9cca6bu);
  EXPECT_EQ(CrcOf(PackedTestValues<uint64_t>(7)), 0xb319f36bu);
}

TEST(BitpackingTest, FastEqualsScalarForEveryWidth) {
  ExpectFastEqualsScalarAndRoundTrips<uint8_t>();
  ExpectFastEqualsScalarAndRoundTrips<uint16_t>();
  ExpectFastEqualsScalarAndRoundTrips<uint32_t>();
  ExpectFastEqualsScalarAndRoundTrips<uint64_t>();
}

TEST(BitpackingTest, BitsAboveTheWidthDoNotLeak) {
  std::vector<uint32_t> values(kBitpackingUnit, ~0u), packed(PackedWords<uint32_t>(3)), back(kBitpackingUnit);
  Pack(values.data(), 3, packed.data());
  Unpack(packed.data(), 3, back.data());
  EXPECT_EQ(back, std::vector<uint32_t>(kBitpackingUnit, 7));
}

}  // namespace pilum
