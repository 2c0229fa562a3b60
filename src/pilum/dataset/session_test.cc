// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/session.h"

#include <arrow/table.h>
#include <gtest/gtest.h>

#include <random>

#include "pilum/dataset/dataset.h"
#include "pilum/file/random_batch.h"
#include "pilum/io/memory_store.h"

namespace pilum {

namespace {

std::shared_ptr<Dataset> WriteTable(const std::string& uri,
                                    const std::vector<std::shared_ptr<arrow::DataType>>& types, int64_t rows,
                                    const std::shared_ptr<Session>& session) {
  std::mt19937_64 random(3);
  const auto batch = testing::RandomBatch(types, rows, {0, 2000, true}, random);
  WriteOptions options;
  options.session = session;
  return Dataset::Write(arrow::RecordBatchReader::Make({batch}).ValueOrDie(), {MakeMemoryStore(), uri},
                        options)
      .ValueOrDie();
}

/// What the session holds after row 0 was taken twice: the second time the file is known to have grown.
int64_t BytesAfterTakes(const Dataset& table) {
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(table.Take(std::vector<int64_t>{0}).ok());
  return table.session()->open_file_bytes();
}

TEST(SessionTest, OpenFilesCostWhatTheyKeep) {
  const auto cost = [](const std::vector<std::shared_ptr<arrow::DataType>>& types, int64_t rows) {
    const auto session = std::make_shared<Session>();
    return BytesAfterTakes(*WriteTable("t", types, rows, session));
  };
  const int64_t small = cost({arrow::int64()}, 10);
  EXPECT_GT(small, 4 << 10);
  EXPECT_LT(small, 64 << 10);
  EXPECT_GT(cost(std::vector<std::shared_ptr<arrow::DataType>>(500, arrow::int64()), 10), 500 * 200);
  // A full-zip page keeps its index: four bytes and more for each row.
  EXPECT_GT(cost({arrow::utf8()}, 50'000), small + 50'000 * 4);
}

TEST(SessionTest, FilesThatHaveGrownPushOthersOut) {
  SessionOptions options;
  options.metadata_cache_bytes = 600 << 10;
  const auto session = std::make_shared<Session>(options);
  for (int i = 0; i < 6; ++i) {
    const auto table = WriteTable("t" + std::to_string(i), {arrow::utf8()}, 20'000, session);
    EXPECT_LE(BytesAfterTakes(*table), options.metadata_cache_bytes);
  }
}

}  // namespace

}  // namespace pilum
