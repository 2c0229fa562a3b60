// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/ordered_tasks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace pilum {

namespace {

using Tasks = OrderedTasks<int64_t>;

/// The result itself, as its size in bytes.
int64_t SizeOf(const int64_t& result) { return result; }

TEST(OrderedTasksTest, ResultsComeInOrder) {
  Tasks tasks(
      100,
      [](size_t i) -> arrow::Result<int64_t> {
        if (i % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
        return static_cast<int64_t>(i);
      },
      &SizeOf, 1 << 20);
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(tasks.Next().ValueOrDie(), i);
  EXPECT_EQ(tasks.Next().ValueOrDie(), std::nullopt);
}

TEST(OrderedTasksTest, AnErrorComesInItsPlace) {
  Tasks tasks(
      10,
      [](size_t i) -> arrow::Result<int64_t> {
        if (i == 2) return arrow::Status::IOError("broken");
        return static_cast<int64_t>(i);
      },
      &SizeOf, 1 << 20);
  EXPECT_EQ(tasks.Next().ValueOrDie(), 0);
  EXPECT_EQ(tasks.Next().ValueOrDie(), 1);
  EXPECT_TRUE(tasks.Next().status().IsIOError());
}

/// Takes all of 40 results of 100 bytes, slowly. @return the highest number that were begun and not taken,
/// once sizes are known.
int64_t MostAhead(int64_t max_bytes) {
  std::atomic<int64_t> begun = 0;
  Tasks tasks(
      40,
      [&](size_t) -> arrow::Result<int64_t> {
        ++begun;
        return 100;
      },
      &SizeOf, max_bytes);
  int64_t most = 0;
  for (int64_t taken = 1; tasks.Next().ValueOrDie(); ++taken) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // what was begun is done by now
    if (taken > 10) most = std::max(most, begun - taken);
  }
  EXPECT_EQ(begun, 40);
  return most;
}

TEST(OrderedTasksTest, NoTaskIsBegunThatWouldMakeTooManyBytesWait) {
  const int64_t threads = arrow::GetCpuThreadPoolCapacity();
  EXPECT_EQ(MostAhead(1 << 20), threads);
  EXPECT_EQ(MostAhead(1), 0);
  EXPECT_LE(MostAhead(150), 2);
}

TEST(OrderedTasksTest, NoTaskOutlivesItsOwner) {
  std::atomic<int> running = 0;
  {
    Tasks tasks(
        50,
        [&](size_t) -> arrow::Result<int64_t> {
          ++running;
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          --running;
          return 1;
        },
        &SizeOf, 1 << 20);
    ASSERT_TRUE(tasks.Next().ok());
  }
  EXPECT_EQ(running, 0);
}

}  // namespace

}  // namespace pilum
