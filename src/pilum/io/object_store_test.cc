// SPDX-License-Identifier: Apache-2.0
//
// The contract of ObjectStore, run over every implementation.
#include "pilum/io/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>

#include "pilum/io/local_store.h"
#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/util/error.h"
#include "pilum/util/uuid.h"

namespace pilum {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A directory that goes away with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(std::filesystem::temp_directory_path() / ("pilum-" + RandomHex(8))) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

struct StoreKind {
  const char* name;
  std::function<std::shared_ptr<ObjectStore>(const std::string& directory)> make;
};

class ObjectStoreTest : public ::testing::TestWithParam<StoreKind> {
 protected:
  static std::vector<std::string> NamesOf(const Listing& listing) {
    std::vector<std::string> names;
    for (const auto& object : listing.objects) names.push_back(object.name);
    return names;
  }
  std::string Content(const std::string& path) { return store_->Get(path).ValueOrDie()->ToString(); }

  TemporaryDirectory directory_;
  std::shared_ptr<ObjectStore> store_ = GetParam().make(directory_.path());
};

TEST_P(ObjectStoreTest, PutReplaces) {
  ASSERT_TRUE(store_->Put("a/b/x", AsSpan("one"), Durability::kPowerLoss).ok());
  ASSERT_TRUE(store_->Put("a/b/x", AsSpan("two"), Durability::kProcessCrash).ok());
  EXPECT_EQ(Content("a/b/x"), "two");
}

TEST_P(ObjectStoreTest, PutIfAbsentNeverReplaces) {
  ASSERT_TRUE(store_->PutIfAbsent("v/1", AsSpan("first"), Durability::kPowerLoss).ok());
  EXPECT_TRUE(store_->PutIfAbsent("v/1", AsSpan("second"), Durability::kPowerLoss).IsAlreadyExists());
  EXPECT_EQ(Content("v/1"), "first");
  EXPECT_THAT(NamesOf(store_->List("v").ValueOrDie()), ElementsAre("1")) << "nothing else is left";
}

TEST_P(ObjectStoreTest, OneOfManyRacingPutsWins) {
  std::atomic<int> num_winners{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (store_->PutIfAbsent("race", AsSpan(std::to_string(i)), Durability::kProcessCrash).ok())
        ++num_winners;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(num_winners, 1);
}

TEST_P(ObjectStoreTest, CreatedObjectAppearsAtClose) {
  auto object = store_->Create("data/x", Durability::kPowerLoss).ValueOrDie();
  const std::string large(3 << 20, 'x');
  ASSERT_TRUE(object->Append(AsSpan("head")).ok());
  ASSERT_TRUE(object->Append(AsSpan(large)).ok());
  EXPECT_EQ(object->position(), 4 + (3 << 20));
  EXPECT_FALSE(store_->Exists("data/x").ValueOrDie());
  ASSERT_TRUE(object->Close().ok());
  EXPECT_EQ(Content("data/x"), "head" + large);
}

TEST_P(ObjectStoreTest, PiecesAreAppendedInOrderHoweverManyAndOfWhateverSize) {
  std::mt19937_64 random(1);
  std::vector<std::string> bytes;  // some are empty; together more than one call of the system takes
  for (int i = 0; i < 5000; ++i)
    bytes.emplace_back(random() % 7 == 0 ? 0 : random() % 900, static_cast<char>('a' + i % 26));
  std::vector<std::span<const uint8_t>> pieces;
  std::string all;
  for (const auto& piece : bytes) {
    pieces.push_back(AsSpan(piece));
    all += piece;
  }
  auto object = store_->Create("x", Durability::kProcessCrash).ValueOrDie();
  ASSERT_TRUE(object->AppendPieces(std::span(pieces).first(10)).ok());  // few enough to be buffered
  ASSERT_TRUE(object->AppendPieces(std::span(pieces).subspan(10)).ok());
  ASSERT_TRUE(object->AppendPieces({}).ok());
  EXPECT_EQ(object->position(), std::ssize(all));
  ASSERT_TRUE(object->Close().ok());
  EXPECT_TRUE(Content("x") == all);
}

TEST_P(ObjectStoreTest, AbandonedObjectLeavesNothing) {
  {
    auto object = store_->Create("data/x", Durability::kPowerLoss).ValueOrDie();
    ASSERT_TRUE(object->Append(AsSpan("lost")).ok());
  }
  EXPECT_TRUE(store_->List("data").ValueOrDie().objects.empty());
}

TEST_P(ObjectStoreTest, MissingObjectsAreNotFound) {
  EXPECT_TRUE(IsNotFound(store_->Open("no/such").status()));
  EXPECT_TRUE(IsNotFound(store_->Get("no/such").status()));
  EXPECT_THAT(store_->Get("no/such").status().message(), HasSubstr("no/such"));
  EXPECT_TRUE(IsNotFound(store_->Delete("no/such")));
  EXPECT_FALSE(store_->Exists("no/such").ValueOrDie());
  EXPECT_TRUE(store_->List("no").ValueOrDie().objects.empty());
}

TEST_P(ObjectStoreTest, ListsImmediateChildrenSorted) {
  for (const char* path : {"t/b", "t/a", "t/d-x/1", "t/d/1", "t/d/2", "u"}) {
    ASSERT_TRUE(store_->Put(path, AsSpan("12"), Durability::kProcessCrash).ok());
  }
  const Listing listing = store_->List("t").ValueOrDie();
  EXPECT_THAT(NamesOf(listing), ElementsAre("a", "b"));
  EXPECT_THAT(listing.directories, ElementsAre("d", "d-x"));
  EXPECT_EQ(listing.objects[0].size, 2);
  EXPECT_GT(listing.objects[0].modified_ns, 0);
}

TEST_P(ObjectStoreTest, ReadManyAnswersInOrderAlsoEmptyAndOverlappingRanges) {
  std::string content;
  for (int i = 0; i < 30'000; ++i) content += static_cast<char>('a' + i % 23);
  ASSERT_TRUE(store_->Put("x", AsSpan(content), Durability::kProcessCrash).ok());
  auto object = store_->Open("x").ValueOrDie();
  const std::vector<ByteRange> ranges{{20'000, 10}, {5, 0}, {0, 100}, {50, 100}, {29'990, 10}, {30'000, 0}};
  const auto bytes = object->ReadMany(ranges).ValueOrDie();
  ASSERT_EQ(bytes.ranges.size(), ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_EQ(std::string(bytes.ranges[i].begin(), bytes.ranges[i].end()),
              content.substr(ranges[i].offset, ranges[i].length))
        << i;
  }
}

TEST_P(ObjectStoreTest, RangesOutsideTheObjectAreCorruption) {
  ASSERT_TRUE(store_->Put("x", AsSpan("12345"), Durability::kProcessCrash).ok());
  auto object = store_->Open("x").ValueOrDie();
  for (const ByteRange range : {ByteRange{0, 6}, ByteRange{6, 0}, ByteRange{-1, 2}, ByteRange{0, -1},
                                ByteRange{1, std::numeric_limits<int64_t>::max()}}) {
    EXPECT_TRUE(HasErrorKind(object->Read(range).status(), ErrorKind::kCorruptFile));
    EXPECT_FALSE(object->ReadMany(std::vector<ByteRange>{{0, 1}, range}).ok());
  }
}

TEST_P(ObjectStoreTest, SubStoreSeesItsFolder) {
  auto folder = SubStore(store_, "a/b");
  ASSERT_TRUE(folder->Put("c/x", AsSpan("1"), Durability::kProcessCrash).ok());
  EXPECT_EQ(Content("a/b/c/x"), "1");
  EXPECT_THAT(folder->List("").ValueOrDie().directories, ElementsAre("c"));
  EXPECT_EQ(folder->Describe("c"), store_->Describe("a/b/c"));
}

INSTANTIATE_TEST_SUITE_P(
    AllStores, ObjectStoreTest,
    ::testing::Values(StoreKind{"local",
                                [](const std::string& directory) { return MakeLocalStore(directory + "/"); }},
                      StoreKind{"memory", [](const std::string&) { return MakeMemoryStore(); }},
                      StoreKind{"observed",
                                [](const std::string&) {
                                  return ObserveStore(MakeMemoryStore(), std::make_shared<StoreObserver>());
                                }}),
    [](const auto& info) { return info.param.name; });

TEST(LocalStoreTest, AShrunkFileIsAnErrorNotASignal) {
  TemporaryDirectory directory;
  auto store = MakeLocalStore(directory.path());
  ASSERT_TRUE(store->Put("x", AsSpan("0123456789"), Durability::kProcessCrash).ok());
  auto object = store->Open("x").ValueOrDie();
  ASSERT_EQ(truncate((directory.path() + "/x").c_str(), 4), 0);
  const auto status = object->Read({0, 10}).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_THAT(status.message(), HasSubstr("byte 4"));
}

TEST(LocalStoreTest, AFileInTheWayOfADirectoryIsAnErrorThatNamesIt) {
  TemporaryDirectory directory;
  auto store = MakeLocalStore(directory.path());
  ASSERT_TRUE(store->Put("x", AsSpan("1"), Durability::kProcessCrash).ok());
  const auto status = store->Put("x/y", AsSpan("1"), Durability::kPowerLoss);
  EXPECT_TRUE(status.IsIOError());
  EXPECT_THAT(status.message(), HasSubstr(directory.path() + "/x"));
}

TEST(ResolveObjectTest, SplitsTheNameFromItsFolder) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/a b";
  ASSERT_TRUE(MakeLocalStore(directory.path())->Put("a b", AsSpan("12"), Durability::kProcessCrash).ok());
  for (const std::string& uri : {path, "file://" + path, "file://" + directory.path() + "/a%20b"}) {
    const auto location = ResolveObject(uri).ValueOrDie();
    EXPECT_EQ(AsStringView(*location.store->Get(location.path).ValueOrDie()), "12") << uri;
  }
  EXPECT_EQ(ResolveObject("name").ValueOrDie().store->Describe("name"),
            (std::filesystem::current_path() / "name").string());
  EXPECT_EQ(ResolveObject("/name").ValueOrDie().path, "name");
  for (const char* uri : {"", "folder/", "file:///", "ftp://x/y"}) {
    EXPECT_TRUE(ResolveObject(uri).status().IsInvalid()) << uri;
  }
}

TEST(ResolveUriTest, KnowsItsSchemes) {
  EXPECT_TRUE(ResolveUri("s3+x://bucket").status().IsInvalid());
  EXPECT_THAT(ResolveUri("ftp://x").status().message(), HasSubstr("known are: file, memory"));
  EXPECT_TRUE(ResolveUri("").status().IsInvalid());
  EXPECT_EQ(ResolveUri("/tmp/t/").ValueOrDie().uri, "/tmp/t");
  EXPECT_EQ(ResolveUri("file:///tmp/t").ValueOrDie().store->Describe("x"), "/tmp/t/x");
  EXPECT_EQ(ResolveUri("some/../t").ValueOrDie().store->Describe(""),
            (std::filesystem::current_path() / "t").string());
  auto a = ResolveUri("memory://db/t").ValueOrDie();
  ASSERT_TRUE(a.store->Put("x", AsSpan("1"), Durability::kProcessCrash).ok());
  EXPECT_TRUE(ResolveUri("memory://db/t").ValueOrDie().store->Exists("x").ValueOrDie());
}

}  // namespace pilum
