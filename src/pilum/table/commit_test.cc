// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/commit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <set>
#include <thread>
#include <vector>

#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/table/test_transactions.h"
#include "pilum/table/versions.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

using ManifestPtr = std::shared_ptr<const Manifest>;

class CommitTest : public ::testing::Test {
 protected:
  arrow::Result<ManifestPtr> Commit(ManifestPtr read, const lance::table::Transaction& transaction) {
    return CommitTransaction(*store_, std::move(read), transaction);
  }
  ManifestPtr Create(const std::vector<uint64_t>& rows) {
    return Commit(nullptr, TestOverwrite(rows)).ValueOrDie();
  }

  std::shared_ptr<FaultInjector> faults_ = std::make_shared<FaultInjector>();
  std::shared_ptr<ObjectStore> store_ = ObserveStore(MakeMemoryStore(), faults_);
};

lance::table::Transaction CreateIndexOn(uint64_t read_version, const std::string& name) {
  lance::table::Transaction transaction;
  transaction.set_read_version(read_version);
  auto* index = transaction.mutable_create_index()->add_new_indices();
  index->set_name(name);
  index->add_fields(0);
  index->mutable_uuid()->set_uuid(std::string(16, name[0]));
  return transaction;
}

lance::table::Transaction SetConfig(uint64_t read_version, const std::string& key, const std::string& value) {
  lance::table::Transaction transaction;
  transaction.set_read_version(read_version);
  auto* entry = transaction.mutable_update_config()->mutable_config_updates()->add_update_entries();
  entry->set_key(key);
  entry->set_value(value);
  return transaction;
}

}  // namespace

TEST_F(CommitTest, CreateThenAppendGivesAscendingVersionsAndFragmentIds) {
  const auto v1 = Create({10, 20});
  const auto v2 = Commit(v1, TestAppend(1, 30)).ValueOrDie();
  EXPECT_EQ(v2->version(), 2);
  ASSERT_EQ(v2->fragments().size(), 3);
  EXPECT_EQ(v2->fragments()[2].id(), 2);
  EXPECT_EQ(v2->fragments()[2].physical_rows(), 30);
  const auto latest = LoadLatestManifest(*store_).ValueOrDie();
  EXPECT_EQ(latest->version(), 2);
  EXPECT_EQ(LoadManifest(*store_, 1).ValueOrDie()->fragments().size(), 2);
  EXPECT_TRUE(store_->Exists("_transactions/" + latest->proto.transaction_file()).ValueOrDie());
}

TEST_F(CommitTest, ATableIsCreatedOnce) {
  Create({1});
  EXPECT_TRUE(HasErrorKind(Commit(nullptr, TestOverwrite({2})).status(), ErrorKind::kDatasetAlreadyExists));
  EXPECT_EQ(ListVersions(*store_).ValueOrDie().size(), 1);
}

TEST_F(CommitTest, AppendsFromAnOldVersionAreRebased) {
  const auto v1 = Create({1});
  ASSERT_TRUE(Commit(v1, TestAppend(1, 2)).ok());
  ASSERT_TRUE(Commit(v1, TestAppend(1, 3)).ok());
  const auto v4 = Commit(v1, TestAppend(1, 4)).ValueOrDie();
  EXPECT_EQ(v4->version(), 4);
  ASSERT_EQ(v4->fragments().size(), 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(v4->fragments()[i].id(), i);
    EXPECT_EQ(v4->fragments()[i].physical_rows(), i + 1);
  }
}

TEST_F(CommitTest, ConcurrentAppendsAllLand) {
  const auto v1 = Create({1});
  constexpr int kThreads = 4;
  constexpr int kAppends = 8;
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ManifestPtr read = v1;
      for (int i = 0; i < kAppends; ++i) {
        auto next = Commit(read, TestAppend(read->version(), static_cast<uint64_t>(100 * t + i + 2)));
        if (!next.ok()) ++failed;
        if (next.ok()) read = *next;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  const auto latest = LoadLatestManifest(*store_).ValueOrDie();
  EXPECT_EQ(latest->version(), 1 + kThreads * kAppends);
  std::set<uint64_t> rows;
  for (const auto& fragment : latest->fragments()) rows.insert(fragment.physical_rows());
  EXPECT_EQ(rows.size(), 1 + kThreads * kAppends) << "each append is there once";
}

TEST_F(CommitTest, DeletesOfTheSameFragmentMustBeRetriedByTheCaller) {
  const auto v1 = Create({10, 20});
  ASSERT_TRUE(Commit(v1, TestDelete(1, v1->fragments()[0])).ok());
  EXPECT_TRUE(Commit(v1, TestDelete(1, v1->fragments()[1])).ok()) << "another fragment";
  const auto status = Commit(v1, TestDelete(1, v1->fragments()[0])).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kRetryableCommitConflict)) << status;
  const auto latest = LoadLatestManifest(*store_).ValueOrDie();
  EXPECT_EQ(NumLiveRows(latest->fragments()[0]), 9);
  EXPECT_EQ(NumLiveRows(latest->fragments()[1]), 19);
  EXPECT_EQ(latest->proto.reader_feature_flags(), kFlagDeletionFiles);
}

TEST_F(CommitTest, AnOverwriteEndsWhatWasMadeFromTheOldTable) {
  const auto v1 = Create({10});
  auto overwrite = TestOverwrite({5});
  overwrite.set_read_version(1);
  ASSERT_TRUE(Commit(v1, overwrite).ok());
  EXPECT_TRUE(HasErrorKind(Commit(v1, TestAppend(1, 1)).status(), ErrorKind::kIncompatibleTransaction));
  EXPECT_TRUE(HasErrorKind(Commit(v1, TestDelete(1, v1->fragments()[0])).status(),
                           ErrorKind::kIncompatibleTransaction));
  EXPECT_EQ(LoadLatestManifest(*store_).ValueOrDie()->version(), 2);
}

TEST_F(CommitTest, IndexesOfOneNameConflict) {
  const auto v1 = Create({10});
  const auto v2 = Commit(v1, CreateIndexOn(1, "a_idx")).ValueOrDie();
  EXPECT_NE(v2->FindIndex("a_idx"), nullptr);
  const auto v3 = Commit(v1, CreateIndexOn(1, "b_idx")).ValueOrDie();
  EXPECT_NE(v3->FindIndex("a_idx"), nullptr) << "carried over";
  EXPECT_NE(v3->FindIndex("b_idx"), nullptr);
  EXPECT_TRUE(
      HasErrorKind(Commit(v1, CreateIndexOn(1, "a_idx")).status(), ErrorKind::kRetryableCommitConflict));
}

TEST_F(CommitTest, ConfigKeysConflictByKey) {
  const auto v1 = Create({10});
  ASSERT_TRUE(Commit(v1, SetConfig(1, "x", "1")).ok());
  const auto v3 = Commit(v1, SetConfig(1, "y", "2")).ValueOrDie();
  EXPECT_EQ(v3->proto.config().at("x"), "1");
  EXPECT_EQ(v3->proto.config().at("y"), "2");
  EXPECT_EQ(v3->proto.writer_feature_flags(), kFlagTableConfig);
  EXPECT_TRUE(HasErrorKind(Commit(v1, SetConfig(1, "x", "3")).status(), ErrorKind::kIncompatibleTransaction));
}

TEST_F(CommitTest, AFailedWriteLeavesTheTableAsItWas) {
  const auto v1 = Create({10});
  for (const char* file : {"_transactions/", "_versions/"}) {
    faults_->Fail(file[1] == 't' ? StoreOperation::kPut : StoreOperation::kPutIfAbsent, file, 1,
                  FaultInjector::When::kBefore);
    const auto status = Commit(v1, TestAppend(1, 1)).status();
    EXPECT_TRUE(status.IsIOError()) << status;
    EXPECT_EQ(LoadLatestManifest(*store_).ValueOrDie()->version(), 1);
  }
  EXPECT_TRUE(Commit(v1, TestAppend(1, 1)).ok());
}

TEST_F(CommitTest, FilesOfAnotherFormatVersionAreRefused) {
  const auto v1 = Create({10});
  lance::table::Transaction append;
  append.set_read_version(1);
  *append.mutable_append()->add_fragments() = TestFragment(5, FormatVersion::k2_0);
  const auto status = Commit(v1, append).status();
  EXPECT_TRUE(status.IsInvalid()) << status;
  EXPECT_NE(status.message().find("2.1"), std::string::npos) << status;
}

TEST_F(CommitTest, AVersionWithoutATransactionCannotBePassed) {
  const auto v1 = Create({10});
  const auto v2 = Commit(v1, TestAppend(1, 1)).ValueOrDie();
  Manifest bare = *v2;
  bare.transaction.reset();
  ASSERT_TRUE(
      store_->Put(ManifestPath(2, ManifestNaming::kV2), AsSpan(bare.Serialize()), Durability::kProcessCrash)
          .ok());
  EXPECT_TRUE(Commit(v1, TestAppend(1, 1)).ok()) << "its transaction file serves";
  ASSERT_TRUE(store_->Delete("_transactions/" + v2->proto.transaction_file()).ok());
  EXPECT_TRUE(HasErrorKind(Commit(v1, TestAppend(1, 1)).status(), ErrorKind::kIncompatibleTransaction));
}

TEST_F(CommitTest, AVersionThatIsGoneCannotBePassed) {
  const auto v1 = Create({10});
  ASSERT_TRUE(Commit(v1, TestDelete(1, v1->fragments()[0])).ok());
  ASSERT_TRUE(Commit(v1, TestAppend(1, 1)).ok());
  ASSERT_TRUE(store_->Delete(ManifestPath(2, ManifestNaming::kV2)).ok());
  const auto status = Commit(v1, TestDelete(1, v1->fragments()[0])).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kIncompatibleTransaction)) << status;
  EXPECT_NE(status.message().find("version 2"), std::string::npos) << status;
}

TEST_F(CommitTest, FragmentIdsDoNotRepeat) {
  const auto v1 = Create({10, 20});
  auto append = TestAppend(1, 5);
  append.mutable_append()->mutable_fragments(0)->set_id(1);
  EXPECT_TRUE(Commit(v1, append).status().IsInvalid());
  EXPECT_EQ(LoadLatestManifest(*store_).ValueOrDie()->version(), 1);
}

TEST_F(CommitTest, FragmentIdsEndWith32Bits) {
  lance::table::Transaction reserve;
  reserve.set_read_version(1);
  reserve.mutable_reserve_fragments()->set_num_fragments(std::numeric_limits<uint32_t>::max());
  const auto v2 = Commit(Create({10}), reserve).ValueOrDie();
  EXPECT_TRUE(Commit(v2, TestAppend(2, 1)).status().IsInvalid());
  reserve.set_read_version(2);
  EXPECT_TRUE(Commit(v2, reserve).status().IsInvalid());
  EXPECT_EQ(LoadLatestManifest(*store_).ValueOrDie()->version(), 2);
}

TEST_F(CommitTest, OnlyALostAnswerOfTheLastWriteLeavesTheOutcomeOpen) {
  const auto v1 = Create({10});
  faults_->Fail(StoreOperation::kPut, "_transactions/", 1, FaultInjector::When::kBefore);
  EXPECT_FALSE(HasErrorKind(Commit(v1, TestAppend(1, 1)).status(), ErrorKind::kUnknownOutcome));
  faults_->Fail(StoreOperation::kPutIfAbsent, "_versions/", 1, FaultInjector::When::kAfter,
                arrow::Status::IOError("connection reset"));
  const auto status = Commit(v1, TestAppend(1, 1)).status();
  EXPECT_TRUE(status.IsIOError() && HasErrorKind(status, ErrorKind::kUnknownOutcome)) << status;
  EXPECT_NE(status.message().find("connection reset"), std::string::npos) << status;
}

}  // namespace pilum
