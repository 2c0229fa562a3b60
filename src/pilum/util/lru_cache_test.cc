// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/lru_cache.h"

#include <gtest/gtest.h>

namespace pilum {

TEST(LruCacheTest, EvictsTheLeastRecentlyUsedFirst) {
  LruCache<int> cache(30);
  cache.Put("a", std::make_shared<int>(1), 10);
  cache.Put("b", std::make_shared<int>(2), 10);
  cache.Put("c", std::make_shared<int>(3), 10);
  EXPECT_EQ(*cache.Get("a"), 1);
  cache.Put("d", std::make_shared<int>(4), 10);
  EXPECT_EQ(cache.Get("b"), nullptr) << "a was used after b";
  EXPECT_NE(cache.Get("a"), nullptr);
  EXPECT_EQ(cache.size_bytes(), 30);
}

TEST(LruCacheTest, NeverHoldsMoreThanItsCapacity) {
  LruCache<int> cache(30);
  cache.Put("a", std::make_shared<int>(1), 10);
  cache.Put("big", std::make_shared<int>(2), 31);
  EXPECT_EQ(cache.Get("big"), nullptr);
  EXPECT_NE(cache.Get("a"), nullptr);
  cache.Put("a", std::make_shared<int>(3), 20);
  EXPECT_EQ(*cache.Get("a"), 3);
  EXPECT_EQ(cache.size_bytes(), 20);
}

TEST(LruCacheTest, HandedOutValuesOutliveEviction) {
  LruCache<int> cache(10);
  cache.Put("a", std::make_shared<int>(1), 10);
  const auto held = cache.Get("a");
  cache.Put("b", std::make_shared<int>(2), 10);
  EXPECT_EQ(cache.Get("a"), nullptr);
  EXPECT_EQ(*held, 1);
}

TEST(LruCacheTest, RetainDropsTheRest) {
  LruCache<int> cache(100);
  cache.Put("x/1", std::make_shared<int>(1), 10);
  cache.Put("y/1", std::make_shared<int>(2), 10);
  cache.Retain([](std::string_view key) { return key.starts_with("x/"); });
  EXPECT_NE(cache.Get("x/1"), nullptr);
  EXPECT_EQ(cache.Get("y/1"), nullptr);
  EXPECT_EQ(cache.size_bytes(), 10);
}

}  // namespace pilum
