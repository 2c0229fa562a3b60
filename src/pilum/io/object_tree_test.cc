// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/object_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pilum/io/memory_store.h"

namespace pilum {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ObjectTreeTest, ListsWhatIsBelowAFolder) {
  const auto store = MakeMemoryStore();
  for (const char* path : {"b", "a/y", "a/b/c/d", "a/x", "ab/z"}) {
    ASSERT_TRUE(store->Put(path, AsSpan("text"), Durability::kProcessCrash).ok());
  }
  EXPECT_THAT(*ListTree(*store, ""), ElementsAre("a/b/c/d", "a/x", "a/y", "ab/z", "b"));
  EXPECT_THAT(*ListTree(*store, "a"), ElementsAre("a/b/c/d", "a/x", "a/y"));
  EXPECT_THAT(*ListTree(*store, "a/b"), ElementsAre("a/b/c/d"));
  EXPECT_THAT(*ListTree(*store, "b"), IsEmpty()) << "an object";
  EXPECT_THAT(*ListTree(*store, "none"), IsEmpty());
}

TEST(ObjectTreeTest, CopiesObjectsOfAnySize) {
  const auto from = MakeMemoryStore(), to = MakeMemoryStore();
  for (const size_t size : {size_t{0}, size_t{5}, size_t{8} << 20, (size_t{20} << 20) + 1}) {
    const std::string bytes(size, 'x');
    ASSERT_TRUE(from->Put("a", AsSpan(bytes), Durability::kProcessCrash).ok());
    ASSERT_TRUE(CopyObject(*from, "a", *to, "folder/b", Durability::kProcessCrash).ok());
    EXPECT_EQ(AsStringView(**to->Get("folder/b")), bytes);
  }
}

TEST(ObjectTreeTest, ACopyThatFailsLeavesWhatWasThere) {
  const auto store = MakeMemoryStore();
  ASSERT_TRUE(store->Put("there", AsSpan("old"), Durability::kProcessCrash).ok());
  const auto status = CopyObject(*store, "missing", *store, "there", Durability::kProcessCrash);
  EXPECT_TRUE(IsNotFound(status)) << status;
  EXPECT_EQ(AsStringView(**store->Get("there")), "old");
}

}  // namespace pilum
