// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/arena_skiplist.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <thread>

namespace pilum {

namespace {

std::string KeyOf(uint64_t i) { return "key" + std::to_string(i); }

std::vector<std::pair<std::string, uint64_t>> All(const ArenaSkipList& list) {
  std::vector<std::pair<std::string, uint64_t>> entries;
  for (ArenaSkipList::Iterator it(list); it.Valid(); it.Next())
    entries.emplace_back(it.Get().key, it.Get().position);
  return entries;
}

}  // namespace

TEST(ArenaSkipListTest, AnEmptyListHasNothing) {
  const ArenaSkipList list;
  uint64_t position = 0;
  EXPECT_FALSE(list.FindLast("a", 100, &position));
  EXPECT_FALSE(list.FindLast("", 100, &position));
  EXPECT_TRUE(All(list).empty());
}

TEST(ArenaSkipListTest, WalksInOrderOfKeyThenPosition) {
  ArenaSkipList list;
  std::multimap<std::string, uint64_t> model;
  std::mt19937_64 random(1);
  for (uint64_t position = 0; position < 20'000; ++position) {
    std::string key = random() % 10 == 0 ? std::string(random() % 40, 'x') : KeyOf(random() % 3000);
    if (random() % 50 == 0) key += std::string("\0\xff", 2);
    list.Insert(key, position);
    model.emplace(std::move(key), position);
  }
  EXPECT_EQ(All(list), (std::vector<std::pair<std::string, uint64_t>>(model.begin(), model.end())));
}

TEST(ArenaSkipListTest, FindsTheNewestBelowABound) {
  ArenaSkipList list;
  for (const uint64_t position : {3, 5, 9}) list.Insert("b", position);
  list.Insert("a", 7);
  list.Insert("bb", 1);
  list.Insert("", 2);
  uint64_t position = 0;
  EXPECT_TRUE(list.FindLast("b", 100, &position) && position == 9);
  EXPECT_TRUE(list.FindLast("b", 9, &position) && position == 5);
  EXPECT_TRUE(list.FindLast("b", 4, &position) && position == 3);
  EXPECT_FALSE(list.FindLast("b", 3, &position)) << "older keys are no answer";
  EXPECT_FALSE(list.FindLast("c", 100, &position));
  EXPECT_TRUE(list.FindLast("", 3, &position) && position == 2);
}

TEST(ArenaSkipListTest, KeysLongerThanAChunk) {
  ArenaSkipList list;
  const std::string large(3 << 20, 'k');
  list.Insert(large, 0);
  list.Insert("small", 1);
  uint64_t position = 9;
  EXPECT_TRUE(list.FindLast(large, 1, &position) && position == 0);
  EXPECT_TRUE(list.FindLast("small", 2, &position) && position == 1);
}

TEST(ArenaSkipListTest, ReadersBesideTheWriterSeeWhatIsPublished) {
  ArenaSkipList list;
  constexpr uint64_t kKeys = 500, kInserts = 20'000;
  std::atomic<uint64_t> published{0};
  std::thread writer([&] {
    for (uint64_t position = 0; position < kInserts; ++position) {
      list.Insert(KeyOf(position % kKeys), position);
      published.store(position + 1, std::memory_order_release);
    }
  });
  std::vector<std::thread> readers;
  std::atomic<int> wrong{0};
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(static_cast<uint64_t>(reader));
      for (;;) {
        const uint64_t end = published.load(std::memory_order_acquire);
        const uint64_t key = random() % kKeys;
        uint64_t position = 0;
        const bool found = list.FindLast(KeyOf(key), end, &position);
        const bool expected = end > key;
        const uint64_t newest = expected ? key + (end - 1 - key) / kKeys * kKeys : 0;
        if (found != expected || (found && position != newest)) ++wrong;
        if (end == kInserts) return;
      }
    });
  }
  writer.join();
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace pilum
