// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/wal_log.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/mem_wal/wal_entry.h"
#include "pilum/util/error.h"
#include "pilum/util/reversed_name.h"

namespace pilum {

namespace {

const Uuid kShard = *Uuid::Parse("11111111-2222-4333-8444-555555555555");
const std::string kDirectory = "_mem_wal/11111111-2222-4333-8444-555555555555/wal/";

std::shared_ptr<arrow::RecordBatch> Rows(const std::string& json) {
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64(), false), arrow::field("s", arrow::utf8())},
                    arrow::key_value_metadata({{"owner", "test"}}));
  const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(rows).ValueOrDie()->ReplaceSchemaMetadata(schema->metadata());
}

class WalLogTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(manifests_.Claim(0).ok()); }
  WalAppender Appender(uint64_t next, uint64_t epoch = 1) {
    return WalAppender(store_, &manifests_, epoch, next, Durability::kPowerLoss);
  }
  std::shared_ptr<arrow::Buffer> Bytes(const std::string& json) {
    return SerializeWalEntry({Rows(json)}, 1).ValueOrDie();
  }

  std::shared_ptr<FaultInjector> faults_ = std::make_shared<FaultInjector>();
  std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore();
  std::shared_ptr<ObjectStore> store_ = ObserveStore(memory_, faults_);
  ShardManifestStore manifests_{store_, kShard, Durability::kPowerLoss};
  WalReader reader_{store_, kShard};
};

}  // namespace

TEST_F(WalLogTest, EntriesComeBackAsTheyWere) {
  WalAppender appender = Appender(1);
  const arrow::RecordBatchVector batches = {Rows(R"([{"id": 1, "s": "a"}, {"id": 2, "s": null}])"),
                                            Rows(R"([{"id": 3, "s": ""}])")};
  EXPECT_EQ(appender.Append(SerializeWalEntry(batches, 1).ValueOrDie()).ValueOrDie(), 1);
  EXPECT_EQ(appender.Append(Bytes(R"([{"id": 4, "s": "d"}])")).ValueOrDie(), 2);
  const auto entry = reader_.Read(1).ValueOrDie().value();
  EXPECT_EQ(entry.writer_epoch, 1);
  ASSERT_EQ(entry.batches.size(), 2);
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(entry.batches[i]->Equals(*batches[i], /*check_metadata=*/true));
  EXPECT_FALSE(reader_.Read(3).ValueOrDie().has_value());
  EXPECT_EQ(reader_.List().ValueOrDie(), (std::vector<uint64_t>{1, 2}));
}

TEST_F(WalLogTest, SentinelsHaveNoRows) {
  const auto entry = ParseWalEntry(SerializeFenceSentinel(5).ValueOrDie(), "x").ValueOrDie();
  EXPECT_EQ(entry.writer_epoch, 5);
  EXPECT_TRUE(entry.batches.empty());
}

TEST_F(WalLogTest, EmptyAndMixedEntriesAreRefused) {
  EXPECT_TRUE(SerializeWalEntry({}, 1).status().IsInvalid());
  EXPECT_TRUE(SerializeWalEntry({Rows("[]")}, 1).status().IsInvalid());
  const auto other = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  EXPECT_TRUE(SerializeWalEntry({Rows(R"([{"id": 1, "s": "a"}])"), other}, 1).status().IsInvalid());
}

TEST_F(WalLogTest, TheTipIsTheFirstHole) {
  EXPECT_EQ(reader_.FindTip(0).ValueOrDie(), 1);
  for (const uint64_t position : {1, 2, 4}) {
    ASSERT_TRUE(memory_->Put(reader_.PathOf(position), AsSpan("x"), Durability::kProcessCrash).ok());
  }
  ASSERT_TRUE(memory_->Put(reader_.PathOf(3) + ".tmp.123", AsSpan("x"), Durability::kProcessCrash).ok());
  EXPECT_EQ(reader_.FindTip(0).ValueOrDie(), 3) << "a leftover of an upstream writer is no entry";
  EXPECT_EQ(reader_.FindTip(3).ValueOrDie(), 5);
}

TEST_F(WalLogTest, ATakenPositionIsSteppedOverWhileWeOwnTheShard) {
  ASSERT_TRUE(memory_->Put(reader_.PathOf(1), AsSpan("x"), Durability::kProcessCrash).ok());
  WalAppender appender = Appender(1);
  EXPECT_EQ(appender.Append(Bytes(R"([{"id": 1, "s": "a"}])")).ValueOrDie(), 2);
}

TEST_F(WalLogTest, ATakenPositionFencesAnOldWriter) {
  WalAppender old = Appender(1);
  ASSERT_TRUE(old.Append(Bytes(R"([{"id": 1, "s": "a"}])")).ok());
  ASSERT_TRUE(manifests_.Claim(0).ok());
  WalAppender successor = Appender(2, 2);
  ASSERT_TRUE(successor.Append(SerializeFenceSentinel(2).ValueOrDie()).ok());
  const auto status = old.Append(Bytes(R"([{"id": 2, "s": "b"}])")).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kFencedWriter)) << status;
  EXPECT_EQ(reader_.List().ValueOrDie().size(), 2) << "nothing of it is in the log";
}

TEST_F(WalLogTest, ARetryAfterALostAnswerDoesNotWriteTwice) {
  WalAppender appender = Appender(1);
  const auto bytes = Bytes(R"([{"id": 1, "s": "a"}])");
  faults_->Fail(StoreOperation::kPutIfAbsent, "/wal/", 1, FaultInjector::When::kAfter);
  EXPECT_TRUE(appender.Append(bytes).status().IsIOError());
  EXPECT_EQ(appender.Append(bytes).ValueOrDie(), 1);
  EXPECT_EQ(reader_.List().ValueOrDie(), (std::vector<uint64_t>{1}));
  faults_->Fail(StoreOperation::kPutIfAbsent, "/wal/", 1, FaultInjector::When::kBefore);
  EXPECT_TRUE(appender.Append(bytes).status().IsIOError());
  EXPECT_EQ(appender.Append(bytes).ValueOrDie(), 2);
}

TEST_F(WalLogTest, DamagedEntriesAreNamed) {
  const std::string good(AsStringView(*Bytes(R"([{"id": 1, "s": "abc"}])")));
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_TRUE(
        memory_->Put(reader_.PathOf(1), AsSpan(good.substr(0, size)), Durability::kProcessCrash).ok());
    const auto status = reader_.Read(1).status();
    ASSERT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << size << ": " << status;
    ASSERT_NE(status.message().find(ReversedName(1)), std::string::npos);
  }
}

TEST_F(WalLogTest, FlippedBitsNeverCrash) {
  const std::string good(AsStringView(*Bytes(R"([{"id": 1, "s": "abc"}])")));
  for (size_t i = 0; i < good.size() * 8; ++i) {
    std::string flipped = good;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << i % 8));
    (void)ParseWalEntry(arrow::Buffer::FromString(flipped), "entry");
  }
}

TEST_F(WalLogTest, AnEntryWithoutAnEpochIsDamage) {
  const auto status = ParseWalEntry(arrow::Buffer::FromString("not an IPC stream"), "entry").status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
}

}  // namespace pilum
