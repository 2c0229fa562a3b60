// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/bitmap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "pilum/io/object_store.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

/// Containers of all three kinds.
Roaring ManyKinds(bool runs) {
  Roaring bitmap;
  for (uint32_t i = 0; i < 50; ++i) bitmap.add(i * i);
  for (uint32_t i = 0; i < 9000; ++i) bitmap.add((1 << 16) + i * 7);
  bitmap.addRange((5 << 16) + 100, (5 << 16) + 60'000);
  bitmap.add(UINT32_MAX);
  if (runs) bitmap.runOptimize();
  return bitmap;
}

std::vector<uint32_t> ValuesOf(const Roaring& bitmap) { return {bitmap.begin(), bitmap.end()}; }

/// A bitmap of one container without runs.
std::string OneContainer(uint16_t values_less_one, std::string_view content) {
  std::string bytes;
  for (const uint32_t word : {12346u, 1u}) AppendLE<uint32_t>(&bytes, word);
  for (const uint16_t half : {uint16_t{0}, values_less_one}) AppendLE<uint16_t>(&bytes, half);
  AppendLE<uint32_t>(&bytes, 16);
  return bytes.append(content);
}

/// A bitmap of one container of one run.
std::string OneRun(uint16_t start, uint16_t length_less_one) {
  std::string bytes;
  AppendLE<uint32_t>(&bytes, 12347);
  bytes += '\1';
  for (const uint16_t half : {uint16_t{0}, length_less_one, uint16_t{1}, start, length_less_one})
    AppendLE<uint16_t>(&bytes, half);
  return bytes;
}

}  // namespace

TEST(BitmapTest, WhatIsWrittenIsRead) {
  for (const Roaring& bitmap : {Roaring(), Roaring::bitmapOf(1, 7u), ManyKinds(false), ManyKinds(true)}) {
    EXPECT_EQ(ValuesOf(ParseBitmap(AsSpan(SerializeBitmap(bitmap))).ValueOrDie()), ValuesOf(bitmap));
  }
  EXPECT_EQ(ValuesOf(ParseBitmap(AsSpan(OneRun(65'530, 5))).ValueOrDie()),
            (std::vector<uint32_t>{65'530, 65'531, 65'532, 65'533, 65'534, 65'535}));
}

TEST(BitmapTest, ContainersThatLieAreDamage) {
  const std::string all_bits(8192, '\xff');
  EXPECT_TRUE(ParseBitmap(AsSpan(OneContainer(65'535, all_bits))).ok());
  const auto fewer = ParseBitmap(AsSpan(OneContainer(4096, all_bits))).status();
  EXPECT_TRUE(fewer.IsInvalid()) << "the library would write 65,536 values into room for 4,097";
  EXPECT_TRUE(ParseBitmap(AsSpan(OneRun(65'530, 6))).status().IsInvalid()) << "the run leaves its container";
  EXPECT_TRUE(ParseBitmap(AsSpan(OneContainer(1, std::string("\5\0\3\0", 4)))).status().IsInvalid());
  EXPECT_TRUE(ParseBitmap(AsSpan(OneContainer(1, std::string("\5\0\5\0", 4)))).status().IsInvalid());
}

TEST(BitmapTest, EveryCutIsFound) {
  for (const bool runs : {false, true}) {
    const std::string whole = SerializeBitmap(ManyKinds(runs));
    for (size_t size = 0; size < whole.size(); ++size) {
      ASSERT_TRUE(ParseBitmap(AsSpan(std::string_view(whole).substr(0, size))).status().IsInvalid()) << size;
    }
  }
}

TEST(BitmapTest, AnyFlippedBitIsAnErrorOrAConsistentBitmap) {
  for (const bool runs : {false, true}) {
    const std::string whole = SerializeBitmap(ManyKinds(runs));
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      const auto bitmap = ParseBitmap(AsSpan(damaged));
      if (!bitmap.ok()) continue;
      const auto values = ValuesOf(*bitmap);
      ASSERT_EQ(values.size(), bitmap->cardinality()) << "bit " << bit;
      ASSERT_TRUE(std::is_sorted(values.begin(), values.end())) << "bit " << bit;
    }
  }
}

TEST(BitmapTest, TheBitmapOfAnIndexNamesIt) {
  lance::table::IndexMetadata index;
  index.set_name("by_day");
  index.set_fragment_bitmap(OneRun(65'530, 6));
  const auto status = ParseFragmentBitmap(index).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_NE(status.message().find("index by_day"), std::string::npos) << status;
}

}  // namespace pilum
