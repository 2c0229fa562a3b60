// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/shard_writer.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <future>
#include <limits>
#include <map>
#include <set>
#include <thread>

#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/mem_wal/lsm_scanner.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/shard_paths.h"
#include "pilum/mem_wal/test_rows.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

class ShardWriterTest : public MemWalTest {
 protected:
  static constexpr auto kBefore = FaultInjector::When::kBefore;

  /// Rows of the base table and of everything `writer` holds.
  std::map<int64_t, std::string> Scan(const std::shared_ptr<ShardWriter>& writer) {
    LsmDataSourceCollector sources(dataset_, {});
    sources.WithWriter(writer);
    return ToMap(LsmScanner::Make(std::move(sources), {}, dataset_->lance_schema())
                     .ValueOrDie()
                     ->ToTable()
                     .ValueOrDie());
  }
  size_t NumLogEntries() { return WalReader(store_, kShard).List().ValueOrDie().size(); }
};

}  // namespace

TEST_F(ShardWriterTest, APutIsVisibleAndInTheLogWhenItReturns) {
  const auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}, {2, "b"}})).ok());
  EXPECT_EQ(NumLogEntries(), 1);
  EXPECT_EQ(Scan(writer), (std::map<int64_t, std::string>{{1, "a"}, {2, "b"}}));
  ASSERT_TRUE(writer->Put(Rows({{1, "a2"}})).ok());
  EXPECT_EQ(Scan(writer).at(1), "a2");
  EXPECT_EQ(writer->stats().put_count, 2);
  EXPECT_EQ(writer->memtable_stats().num_rows, 3);
}

TEST_F(ShardWriterTest, BadPutsChangeNothing) {
  const auto writer = OpenWriter();
  const auto other = arrow::schema({arrow::field("id", arrow::int64()), arrow::field("w", arrow::utf8())});
  const auto wrong_name = arrow::RecordBatch::Make(other, 1, Rows({{1, "a"}})->columns());
  const auto null_key = arrow::RecordBatch::Make(RowSchema(), 1,
                                                 {arrow::MakeArrayOfNull(arrow::int64(), 1).ValueOrDie(),
                                                  arrow::MakeArrayOfNull(arrow::utf8(), 1).ValueOrDie()});
  EXPECT_TRUE(writer->Put(arrow::RecordBatchVector{}).IsInvalid());
  EXPECT_TRUE(writer->Put(Rows({})).IsInvalid());
  const auto status = writer->Put(wrong_name);
  EXPECT_TRUE(status.IsInvalid() && status.message().find("`w`") != std::string::npos) << status;
  EXPECT_TRUE(writer->Put(null_key).IsInvalid());
  EXPECT_TRUE(writer->Put({Rows({{1, "a"}}), wrong_name}).IsInvalid());
  EXPECT_EQ(NumLogEntries(), 0);
  EXPECT_TRUE(Scan(writer).empty());
}

TEST_F(ShardWriterTest, CloseMakesAGenerationAndEndsTheWriter) {
  const auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}, {1, "b"}})).ok());
  ASSERT_TRUE(writer->Close().ok());
  EXPECT_TRUE(writer->Close().ok()) << "again is nothing";
  const auto status = writer->Put(Rows({{2, "c"}}));
  EXPECT_TRUE(status.IsIOError() && status.message().find("already closed") != std::string::npos) << status;
  EXPECT_EQ(Flushed().size(), 1);
  EXPECT_EQ(ScanSnapshot(), (std::map<int64_t, std::string>{{1, "b"}}));
  const auto generation =
      Dataset::Open({SubStore(store_, ShardDirectory(kShard) + "/" + Flushed()[0].path), "g"}).ValueOrDie();
  EXPECT_EQ(generation->CountRows().ValueOrDie(), 1) << "the older version is hidden by a deletion vector";
  EXPECT_EQ(generation->manifest().fragments()[0].physical_rows(), 2);
}

TEST_F(ShardWriterTest, AnUnusedWriterLeavesNoGeneration) {
  ASSERT_TRUE(OpenWriter()->Close().ok());
  EXPECT_TRUE(Flushed().empty());
  EXPECT_EQ(NumLogEntries(), 0);
}

TEST_F(ShardWriterTest, FullMemtablesBecomeGenerationsInOrder) {
  config_.max_memtable_batches = 4;
  const auto writer = OpenWriter();
  std::map<int64_t, std::string> expected;
  for (int64_t i = 0; i < 30; ++i) {
    ASSERT_TRUE(writer->Put(Rows({{i % 7, std::to_string(i)}})).ok());
    expected[i % 7] = std::to_string(i);
    ASSERT_EQ(Scan(writer), expected) << "after put " << i;
  }
  ASSERT_TRUE(writer->Close().ok());
  const auto flushed = Flushed();
  ASSERT_EQ(flushed.size(), 8);
  for (size_t i = 0; i < flushed.size(); ++i) EXPECT_EQ(flushed[i].generation, i + 1);
  EXPECT_EQ(ScanSnapshot(), expected);
}

TEST_F(ShardWriterTest, APutLargerThanTheRoomLeftStartsANewMemtable) {
  config_.max_memtable_batches = 3;
  const auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put({Rows({{1, "a"}}), Rows({{2, "b"}})}).ok());
  ASSERT_TRUE(writer->Put({Rows({{3, "c"}}), Rows({{4, "d"}})}).ok());
  EXPECT_EQ(Scan(writer).size(), 4);
  const std::vector<std::shared_ptr<arrow::RecordBatch>> four(4, Rows({{5, "e"}}));
  EXPECT_TRUE(writer->Put(four).IsInvalid()) << "it can never fit";
}

// Defect 3 of upstream: acknowledged rows after a rotation were in no log.
TEST_F(ShardWriterTest, EveryAcknowledgedRowSurvivesTheDeathOfTheWriter) {
  config_.max_memtable_batches = 20;
  auto writer = OpenWriter();
  std::map<int64_t, std::string> expected;
  for (int crash = 0; crash < 5; ++crash) {
    for (int64_t i = 0; i < 33; ++i) {
      const int64_t id = (crash * 33 + i) % 50;
      ASSERT_TRUE(writer->Put(Rows({{id, std::to_string(crash) + "." + std::to_string(i)}})).ok());
      expected[id] = std::to_string(crash) + "." + std::to_string(i);
    }
    writer = nullptr;  // no Close: as if the process had died
    writer = OpenWriter();
    ASSERT_EQ(Scan(writer), expected);
  }
}

// Defect 1: replayed rows were appended and indexed again, so a table without a key grew with each crash.
TEST_F(ShardWriterTest, ReplayNeitherWritesTheLogAgainNorDoublesRows) {
  auto writer = OpenWriter();
  for (int64_t i = 0; i < 4; ++i) ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
  for (int crash = 0; crash < 3; ++crash) {
    writer = nullptr;
    writer = OpenWriter();
    EXPECT_EQ(writer->memtable_stats().num_rows, 4);
  }
  EXPECT_EQ(NumLogEntries(), 4 + 3) << "four puts and a sentinel per takeover";
  ASSERT_TRUE(writer->Close().ok());
  EXPECT_EQ(NumLogEntries(), 7);
  EXPECT_EQ(ScanSnapshot().size(), 4);
}

TEST_F(ShardWriterTest, ReplayTakesAnEntryOfMoreBatchesThanAMemtableIsToHold) {
  config_.max_memtable_batches = 100;
  auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{0, "old"}})).ok());
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  std::map<int64_t, std::string> expected;
  for (int64_t i = 0; i < 12; ++i) {
    batches.push_back(Rows({{i, "v"}}));
    expected[i] = "v";
  }
  ASSERT_TRUE(writer->Put(batches).ok());
  config_.max_memtable_batches = 8;
  writer = nullptr;
  writer = OpenWriter();
  EXPECT_EQ(Scan(writer), expected);
  EXPECT_EQ(Flushed().size(), 2) << "an entry is never split";
}

// Defect 2: a log with more batches than a memtable holds made the shard unopenable.
TEST_F(ShardWriterTest, ReplayFlushesWhatDoesNotFit) {
  config_.max_memtable_batches = 100;
  auto writer = OpenWriter();
  std::map<int64_t, std::string> expected;
  for (int64_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
    expected[i] = "v";
  }
  config_.max_memtable_batches = 8;
  writer = nullptr;
  writer = OpenWriter();
  EXPECT_GE(Flushed().size(), 6);
  EXPECT_EQ(Scan(writer), expected);
  ASSERT_TRUE(writer->Put(Rows({{50, "w"}})).ok());
  ASSERT_TRUE(writer->Close().ok());
  expected[50] = "w";
  EXPECT_EQ(ScanSnapshot(), expected);
}

// Defect 4: an error of the log left the put waiting for ever.
TEST_F(ShardWriterTest, ALogThatCannotBeWrittenFailsThePutAndPoisonsTheWriter) {
  const auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}})).ok());
  faults_->Fail(StoreOperation::kPutIfAbsent, "/wal/", 1000, kBefore,
                arrow::Status::IOError("No space left on device"));
  const auto status = writer->Put(Rows({{2, "b"}}));
  EXPECT_TRUE(status.IsIOError() && status.message().find("No space left") != std::string::npos) << status;
  EXPECT_FALSE(writer->Put(Rows({{3, "c"}})).ok());
  EXPECT_EQ(Scan(writer), (std::map<int64_t, std::string>{{1, "a"}}))
      << "what failed is not visible, what was there is";
  EXPECT_FALSE(writer->Close().ok()) << "Defect 12: close said all was well";
  faults_->Heal();
  EXPECT_EQ(Scan(OpenWriter()), (std::map<int64_t, std::string>{{1, "a"}}));
}

TEST_F(ShardWriterTest, ATransientErrorOfTheLogIsRetried) {
  const auto writer = OpenWriter();
  faults_->Fail(StoreOperation::kPutIfAbsent, "/wal/", 1, kBefore);
  EXPECT_TRUE(writer->Put(Rows({{1, "a"}})).ok());
  faults_->Fail(StoreOperation::kPutIfAbsent, "/wal/", 1, FaultInjector::When::kAfter);
  EXPECT_TRUE(writer->Put(Rows({{2, "b"}})).ok());
  EXPECT_EQ(NumLogEntries(), 2) << "the answer that was lost did not make it two entries";
}

// Defect 5: the first batch of a memtable was visible before it was anything, later ones long after the put.
TEST_F(ShardWriterTest, NonDurableRowsAreVisibleAtOnceAndInTheLogSoon) {
  config_.durable_write = false;
  config_.max_wal_flush_interval = std::chrono::milliseconds(20);
  const auto writer = OpenWriter();
  for (int64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
    EXPECT_EQ(Scan(writer).size(), i + 1);
  }
  for (int i = 0; i < 500 && writer->memtable_stats().num_pending_rows > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(writer->memtable_stats().num_pending_rows, 0) << "nobody has to put again for it";
  EXPECT_GE(NumLogEntries(), 1);
}

// Defect 6: the covered position was too low, or went backwards.
TEST_F(ShardWriterTest, AGenerationCoversExactlyItsLogEntries) {
  const auto writer = OpenWriter();
  uint64_t last = 0;
  for (int generation = 1; generation <= 3; ++generation) {
    for (int64_t i = 0; i < 5; ++i) ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
    ASSERT_TRUE(writer->ForceSealActive().ok());
    ASSERT_TRUE(writer->WaitForFlushDrain().ok());
    const auto manifest =
        ShardManifestStore(store_, kShard, Durability::kProcessCrash).ReadLatest().ValueOrDie().value();
    EXPECT_EQ(manifest.replay_after_wal_entry_position(), last + 5);
    EXPECT_EQ(manifest.current_generation(), generation + 1);
    last = manifest.replay_after_wal_entry_position();
  }
}

// Defect 8: options recorded in the table were ignored.
TEST_F(ShardWriterTest, TheTablesOptionsAreTheDefaults) {
  auto location = StoreLocation{MakeMemoryStore(), "t"};
  auto dataset =
      Dataset::Write(arrow::RecordBatchReader::Make({}, RowSchema()).ValueOrDie(), location).ValueOrDie();
  ShardWriterConfig config;
  config.durable_write = false;
  config.max_memtable_batches = 17;
  dataset = InitializeMemWalBuilder(dataset)
                .WriterConfigDefaults(config)
                .AddWriterConfigDefault("max_memtable_size", "12345")
                .AddWriterConfigDefault("of_a_later_release", "x")
                .Execute()
                .ValueOrDie();
  const auto read = DefaultShardWriterConfig(*dataset).ValueOrDie();
  EXPECT_FALSE(read.durable_write);
  EXPECT_EQ(read.max_memtable_batches, 17);
  EXPECT_EQ(read.max_memtable_size, 12345);
}

// Defect 9: leftovers of a dead upstream writer counted as entries.
TEST_F(ShardWriterTest, LeftoversInTheLogFolderAreNoEntries) {
  auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}})).ok());
  const WalReader log(store_, kShard);
  ASSERT_TRUE(store_->Put(log.PathOf(2) + ".tmp.1234", AsSpan("half"), Durability::kProcessCrash).ok());
  writer = nullptr;
  writer = OpenWriter();
  EXPECT_TRUE(log.Read(2).ValueOrDie()->batches.empty()) << "the sentinel is at the first free position";
  ASSERT_TRUE(writer->Put(Rows({{2, "b"}})).ok());
  EXPECT_EQ(Scan(writer).size(), 2);
}

// Defect 10: a failed flush was never tried again, and the next one hid its rows.
TEST_F(ShardWriterTest, AFailedFlushIsTriedAgainAndBlocksLaterOnes) {
  const auto writer = OpenWriter();
  faults_->Fail(StoreOperation::kPut, "bloom_filter.bin", 1, kBefore);
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}})).ok());
  ASSERT_TRUE(writer->ForceSealActive().ok());
  ASSERT_TRUE(writer->Put(Rows({{2, "b"}})).ok());
  ASSERT_TRUE(writer->ForceSealActive().ok());
  EXPECT_EQ(Scan(writer).size(), 2) << "the frozen rows stay readable";
  while (!writer->WaitForFlushDrain().ok()) {
  }
  EXPECT_EQ(Flushed().size(), 2);
  EXPECT_EQ(ScanSnapshot().size(), 2);
}

// Defect 13: keys were taken that could never be flushed.
TEST_F(ShardWriterTest, KeysThatCannotBeFlushedAreRefusedAtOpen) {
  const auto metadata = arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}});
  const auto schema = arrow::schema({arrow::field("d", arrow::date32(), false, metadata)});
  auto dataset = Dataset::Write(arrow::RecordBatchReader::Make({}, schema).ValueOrDie(),
                                StoreLocation{MakeMemoryStore(), "t"})
                     .ValueOrDie();
  dataset = InitializeMemWalBuilder(dataset).Execute().ValueOrDie();
  const auto status = ShardWriter::Open(dataset, kShard, {}).status();
  EXPECT_TRUE(status.IsInvalid() && status.message().find("date32") != std::string::npos) << status;
}

TEST_F(ShardWriterTest, ASecondWriterFencesTheFirst) {
  const auto first = OpenWriter();
  ASSERT_TRUE(first->Put(Rows({{1, "a"}})).ok());
  const auto second = OpenWriter();
  EXPECT_EQ(second->epoch(), 2);
  EXPECT_TRUE(HasErrorKind(first->CheckFenced(), ErrorKind::kFencedWriter));
  EXPECT_TRUE(HasErrorKind(first->Put(Rows({{1, "zombie"}})), ErrorKind::kFencedWriter));
  EXPECT_TRUE(HasErrorKind(first->Put(Rows({{2, "zombie"}})), ErrorKind::kFencedWriter)) << "and for good";
  EXPECT_FALSE(first->Close().ok());
  ASSERT_TRUE(second->Put(Rows({{2, "b"}})).ok());
  ASSERT_TRUE(second->Close().ok());
  EXPECT_EQ(ScanSnapshot(), (std::map<int64_t, std::string>{{1, "a"}, {2, "b"}}));
}

TEST_F(ShardWriterTest, RowsAboveAHoleInTheLogAreReported) {
  auto writer = OpenWriter();
  for (int64_t i = 0; i < 3; ++i) ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
  writer = nullptr;
  ASSERT_TRUE(store_->Delete(WalReader(store_, kShard).PathOf(2)).ok());
  const auto status = ShardWriter::Open(dataset_, kShard, config_).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_NE(status.message().find("position 3"), std::string::npos) << status;
}

// Else the rows between the log's end and the position of the manifest would never be replayed.
TEST_F(ShardWriterTest, AManifestThatSkipsMoreThanTheLogHasIsReported) {
  auto writer = OpenWriter();
  for (int64_t i = 0; i < 3; ++i) ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
  writer = nullptr;
  const ShardManifestStore manifests(store_, kShard, Durability::kProcessCrash);
  ASSERT_TRUE(manifests.Update(1, [](auto* next) { next->set_replay_after_wal_entry_position(66); }).ok());
  const auto status = ShardWriter::Open(dataset_, kShard, config_).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_TRUE(status.message().find("66") != std::string::npos &&
              status.message().find("/manifest") != std::string::npos)
      << status;
}

TEST_F(ShardWriterTest, ADamagedEntryIsNamed) {
  auto writer = OpenWriter();
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}})).ok());
  writer = nullptr;
  ASSERT_TRUE(
      store_->Put(WalReader(store_, kShard).PathOf(1), AsSpan("garbage"), Durability::kProcessCrash).ok());
  const auto status = ShardWriter::Open(dataset_, kShard, config_).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_NE(status.message().find("/wal/1000"), std::string::npos) << status;
}

TEST_F(ShardWriterTest, ConcurrentPutsShareLogEntriesAndAllSurvive) {
  config_.max_memtable_batches = 64;
  auto writer = OpenWriter();
  constexpr int kThreads = 8, kPuts = 60;
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPuts; ++i) {
        if (!writer->Put(Rows({{t * kPuts + i, std::to_string(t)}})).ok()) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_LE(NumLogEntries(), kThreads * kPuts);
  writer = nullptr;
  EXPECT_EQ(Scan(OpenWriter()).size(), kThreads * kPuts);
}

TEST_F(ShardWriterTest, BackpressureWaitsForFlushesAndEnds) {
  config_.max_memtable_size = 1 << 20;
  config_.max_unflushed_memtable_bytes = 1;  // less than an empty memtable: every put has to wait for a flush
  const auto writer = OpenWriter();
  for (int64_t i = 0; i < 5; ++i) ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
  ASSERT_TRUE(writer->Close().ok());
  EXPECT_EQ(ScanSnapshot().size(), 5);
}

// It waited for ever while the disk was full.
TEST_F(ShardWriterTest, APutThatWaitsForAFlushThatKeepsFailingReturnsItsError) {
  config_.max_memtable_batches = 1;
  config_.max_unflushed_memtable_bytes = 1;
  const auto writer = OpenWriter();
  faults_->Fail(StoreOperation::kCreate, "_gen_1/", 1'000'000, kBefore,
                arrow::Status::IOError("No space left on device"));
  ASSERT_TRUE(writer->Put(Rows({{1, "a"}})).ok());
  auto put = std::async(std::launch::async, [&] { return writer->Put(Rows({{2, "b"}})); });
  const bool returned = put.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
  EXPECT_TRUE(returned);
  if (!returned) faults_->Heal();
  const auto status = put.get();
  EXPECT_TRUE(status.IsIOError() && status.message().find("No space left") != std::string::npos) << status;
  EXPECT_EQ(Scan(writer), (std::map<int64_t, std::string>{{1, "a"}})) << "nothing has changed";
  EXPECT_FALSE(writer->Put(Rows({{2, "b"}})).ok()) << "at once, now that it is known";
  faults_->Heal();
  while (!writer->Put(Rows({{2, "b"}})).ok()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(Scan(writer), (std::map<int64_t, std::string>{{1, "a"}, {2, "b"}})) << "and goes on by itself";
  EXPECT_TRUE(writer->Close().ok());
}

TEST_F(ShardWriterTest, AViewHasEachGenerationOnce) {
  config_.max_memtable_batches = 1;
  const auto writer = OpenWriter();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    while (!stop) {
      const auto view = writer->View();
      std::multiset<uint64_t> generations;
      for (const auto& memtable : view->memtables) generations.insert(memtable->generation());
      for (const auto& flushed : view->flushed.flushed_generations()) generations.insert(flushed.generation);
      uint64_t next = 1;
      for (const uint64_t generation : generations) wrong += generation != next++;
    }
  });
  std::vector<std::thread> putters;
  for (int t = 0; t < 3; ++t) {
    putters.emplace_back([&, t] {
      for (int64_t i = 0; i < 100; ++i) EXPECT_TRUE(writer->Put(Rows({{t, std::to_string(i)}})).ok());
    });
  }
  for (auto& putter : putters) putter.join();
  stop = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(ShardWriterTest, TheSizeOfAMemtableIsThatOfItsRows) {
  config_.max_memtable_size = 256 << 10;
  const auto writer = OpenWriter();
  for (int64_t i = 0; i < 10; ++i) ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
  EXPECT_EQ(writer->memtable_stats().generation, 1) << "memory set aside for keys does not count";
  ASSERT_TRUE(writer->Put(Rows({{10, std::string(256 << 10, 'v')}})).ok());
  EXPECT_EQ(writer->memtable_stats().generation, 2);
}

TEST_F(ShardWriterTest, LimitsBeyondAllNumbersAreNone) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  config_.max_memtable_batches = kMost;
  config_.max_memtable_size = kMost;
  config_.max_unflushed_memtable_bytes = kMost;
  config_.max_wal_buffer_size = kMost;
  config_.max_wal_flush_interval = ShardWriterConfig::Milliseconds(kMost);
  config_.backpressure_log_interval = ShardWriterConfig::Milliseconds(kMost);
  config_.durable_write = false;
  const auto writer = OpenWriter();
  for (int64_t i = 0; i < 100; ++i) ASSERT_TRUE(writer->Put(Rows({{i, "v"}})).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(NumLogEntries(), 0) << "nothing asks for an entry yet";
  ASSERT_TRUE(writer->Close().ok());
  EXPECT_EQ(ScanSnapshot().size(), 100);
}

TEST_F(ShardWriterTest, NoMoreThanTheBufferWaitsForTheLog) {
  config_.durable_write = false;
  config_.max_wal_flush_interval.reset();
  config_.max_wal_buffer_size = 64 << 10;
  config_.max_memtable_size = 512 << 10;
  const auto writer = OpenWriter();
  for (int64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(writer->Put(Rows({{i, std::string(20 << 10, 'v')}})).ok());
    for (int wait = 0; wait < 1000 && writer->memtable_stats().num_pending_bytes > 64 << 10; ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_LE(writer->memtable_stats().num_pending_bytes, 64 << 10) << "after put " << i;
  }
  EXPECT_GT(writer->memtable_stats().generation, 2);
  EXPECT_LT(NumLogEntries(), 60) << "rows wait for others";
}

TEST_F(ShardWriterTest, AnErrorOfTheLogIsNotHiddenByThatOfTheFenceCheck) {
  const auto writer = OpenWriter();
  faults_->Fail(StoreOperation::kPutIfAbsent, "/wal/", 1000, kBefore,
                arrow::Status::IOError("No space left on device"));
  faults_->Fail(StoreOperation::kGet, "/manifest/", 1000, kBefore, arrow::Status::IOError("cannot read"));
  faults_->Fail(StoreOperation::kList, "/manifest", 1000, kBefore, arrow::Status::IOError("cannot read"));
  const auto status = writer->Put(Rows({{2, "b"}}));
  EXPECT_TRUE(status.message().find("No space left") != std::string::npos) << status;
}

// The flush would fail for ever.
TEST_F(ShardWriterTest, IndexesThatGenerationsCannotHaveAreRefusedAtOpen) {
  const auto key = RowSchema()->field(0);
  const auto schema = arrow::schema({key, arrow::field("f", arrow::float64()),
                                     arrow::field("s", arrow::struct_({arrow::field("x", arrow::int64())}))});
  auto dataset = Dataset::Write(arrow::RecordBatchReader::Make({}, schema).ValueOrDie(),
                                StoreLocation{MakeMemoryStore(), "t"})
                     .ValueOrDie();
  dataset = InitializeMemWalBuilder(dataset).Execute().ValueOrDie();
  const auto open = [&](const char* name, int32_t field, const char* type) {
    auto manifest = std::make_shared<Manifest>(dataset->manifest());
    lance::table::MemWalIndexDetails details;
    details.add_maintained_indexes("wanted");
    manifest->indexes.mutable_indices(0)->mutable_index_details()->set_value(details.SerializeAsString());
    auto* index = manifest->indexes.add_indices();
    index->set_name(name);
    index->add_fields(field);
    index->mutable_index_details()->set_type_url(type);
    return ShardWriter::Open(
               Dataset::FromManifest(dataset->location(), manifest, std::make_shared<Session>()), kShard, {})
        .status();
  };
  constexpr char kBTree[] = "/lance.table.BTreeIndexDetails";
  EXPECT_TRUE(open("wanted", 0, kBTree).ok());
  for (const auto& [field, type] :
       {std::pair(1, kBTree), std::pair(3, kBTree), std::pair(0, "/lance.table.VectorIndexDetails"),
        std::pair(0, "/lance.table.InvertedIndexDetails")}) {
    const auto status = open("wanted", field, type);
    EXPECT_TRUE(status.IsNotImplemented() && status.message().find("wanted") != std::string::npos) << status;
  }
  EXPECT_TRUE(open("other", 0, kBTree).IsInvalid()) << "it is gone";
  EXPECT_TRUE(open("wanted", 77, kBTree).IsInvalid());
  const auto status = open("wanted", 0, "/lance.table.BitmapIndexDetails");
  EXPECT_TRUE(status.IsInvalid() &&
              status.message().find("Unsupported index type for MemWAL") != std::string::npos)
      << status;
}

TEST_F(ShardWriterTest, ReadersWhileFlushingMissNothing) {
  config_.max_memtable_batches = 5;
  const auto writer = OpenWriter();
  std::atomic<int64_t> acknowledged{0};
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    while (!stop) {
      const int64_t before = acknowledged;
      const auto rows = Scan(writer);
      // Put i writes key i % 10 with value i: a key's value is at least that of its last acknowledged put.
      for (int64_t key = 0; key < std::min<int64_t>(before, 10); ++key) {
        const int64_t newest = key + (before - 1 - key) / 10 * 10;
        if (!rows.contains(key) || std::stoll(rows.at(key)) < newest) ++wrong;
      }
    }
  });
  for (int64_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(writer->Put(Rows({{i % 10, std::to_string(i)}})).ok());
    acknowledged = i + 1;
  }
  stop = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(ShardWriterTest, OpeningNeedsMemWal) {
  const auto dataset = Dataset::Write(arrow::RecordBatchReader::Make({}, RowSchema()).ValueOrDie(),
                                      StoreLocation{MakeMemoryStore(), "t"})
                           .ValueOrDie();
  const auto status = ShardWriter::Open(dataset, kShard, {}).status();
  EXPECT_TRUE(status.IsInvalid() && status.message().find("not initialized") != std::string::npos) << status;
}

TEST_F(ShardWriterTest, WritersWithoutMemtablesAreNotImplemented) {
  config_.enable_memtable = false;
  EXPECT_TRUE(ShardWriter::Open(dataset_, kShard, config_).status().IsNotImplemented());
}

}  // namespace pilum
