// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/shard_manifest.h"

#include <gtest/gtest.h>

#include "pilum/io/memory_store.h"
#include "pilum/io/observed_store.h"
#include "pilum/util/error.h"
#include "pilum/util/reversed_name.h"

namespace pilum {

namespace {

const Uuid kShard = *Uuid::Parse("11111111-2222-4333-8444-555555555555");
const std::string kDirectory = "_mem_wal/11111111-2222-4333-8444-555555555555/manifest/";

class ShardManifestTest : public ::testing::Test {
 protected:
  std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  ShardManifestStore manifests_{store_, kShard, Durability::kPowerLoss};
};

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

}  // namespace

TEST_F(ShardManifestTest, AnUnknownShardHasNone) {
  EXPECT_FALSE(manifests_.ReadLatest().ValueOrDie().has_value());
  EXPECT_FALSE(manifests_.Read(1).ValueOrDie().has_value());
  EXPECT_TRUE(manifests_.CheckFenced(1).ok());
}

TEST_F(ShardManifestTest, TheFirstClaimWritesTheBytesOfTheFormat) {
  const auto claimed = manifests_.Claim(0).ValueOrDie();
  EXPECT_EQ(claimed.writer_epoch(), 1);
  const auto bytes = store_->Get(kDirectory + ReversedName(1) + ".binpb").ValueOrDie();
  EXPECT_EQ(Hex(AsStringView(*bytes)), "0801100130015a120a1011111111222243338444555555555555");
  EXPECT_EQ(AsStringView(*store_->Get(kDirectory + "version_hint.json").ValueOrDie()), "{\"version\":1}");
}

TEST_F(ShardManifestTest, AnInitialisedShardHasNoOwnerAndKeepsItsFieldValues) {
  const std::map<std::string, std::string> values = {{"bucket", std::string("\x07\0\0\0", 4)}};
  const auto created = manifests_.Initialize(1, values).ValueOrDie();
  EXPECT_EQ(created.version(), 1);
  EXPECT_EQ(created.writer_epoch(), 0);
  EXPECT_EQ(created.current_generation(), 1);
  EXPECT_EQ(manifests_.Initialize(1, values).ValueOrDie().version(), 1) << "again is nothing";
  EXPECT_TRUE(manifests_.Initialize(2, values).status().IsAlreadyExists());
  EXPECT_TRUE(manifests_.Initialize(1, {}).status().IsAlreadyExists());
  const auto claimed = manifests_.Claim(9).ValueOrDie();
  EXPECT_EQ(claimed.version(), 2);
  EXPECT_EQ(claimed.writer_epoch(), 1);
  EXPECT_EQ(claimed.shard_spec_id(), 1);
  ASSERT_EQ(claimed.shard_field_entries_size(), 1);
  EXPECT_EQ(claimed.shard_field_entries(0).value(), values.at("bucket"));
  EXPECT_EQ(manifests_.Initialize(1, values).ValueOrDie().version(), 2) << "also when it has an owner";
}

TEST_F(ShardManifestTest, AClaimFencesTheOwnerAndKeepsTheCursors) {
  ASSERT_TRUE(manifests_.Claim(3).ok());
  ASSERT_TRUE(manifests_
                  .Update(1,
                          [](auto* manifest) {
                            manifest->set_replay_after_wal_entry_position(7);
                            manifest->set_current_generation(2);
                            auto* flushed = manifest->add_flushed_generations();
                            flushed->set_generation(1);
                            flushed->set_path("abcdef01_gen_1");
                          })
                  .ok());
  const auto claimed = manifests_.Claim(9).ValueOrDie();
  EXPECT_EQ(claimed.version(), 3);
  EXPECT_EQ(claimed.writer_epoch(), 2);
  EXPECT_EQ(claimed.shard_spec_id(), 3) << "set once";
  EXPECT_EQ(claimed.replay_after_wal_entry_position(), 7);
  const auto snapshot = ShardManifestStore::ToSnapshot(claimed, kShard);
  EXPECT_EQ(snapshot.flushed_generations(), (std::vector<FlushedGeneration>{{1, "abcdef01_gen_1"}}));
  EXPECT_EQ(snapshot.current_generation(), 2);

  const auto fenced = manifests_.CheckFenced(1);
  EXPECT_TRUE(HasErrorKind(fenced, ErrorKind::kFencedWriter)) << fenced;
  EXPECT_NE(fenced.message().find("local epoch 1 < stored epoch 2"), std::string::npos) << fenced;
  EXPECT_TRUE(HasErrorKind(manifests_.Update(1, [](auto*) {}).status(), ErrorKind::kFencedWriter));
  EXPECT_TRUE(manifests_.CheckFenced(2).ok());
}

TEST_F(ShardManifestTest, TheLatestIsFoundWhateverTheHintSays) {
  ASSERT_TRUE(manifests_.Claim(0).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(manifests_.Update(1, [](auto*) {}).ok());
  for (const char* hint : {"{\"version\":5}", "{\"version\":2}", "{\"version\":77}", "garbage", ""}) {
    ASSERT_TRUE(
        store_->Put(kDirectory + "version_hint.json", AsSpan(std::string(hint)), Durability::kProcessCrash)
            .ok());
    EXPECT_EQ(manifests_.ReadLatest().ValueOrDie()->version(), 5) << hint;
  }
  ASSERT_TRUE(store_->Delete(kDirectory + "version_hint.json").ok());
  ASSERT_TRUE(
      store_->Put(kDirectory + ReversedName(9) + ".binpb.tmp.x", AsSpan("x"), Durability::kProcessCrash)
          .ok());
  EXPECT_EQ(manifests_.ReadLatest().ValueOrDie()->version(), 5) << "leftovers are no versions";
}

TEST_F(ShardManifestTest, UnknownFieldsSurviveAnUpdate) {
  ASSERT_TRUE(manifests_.Claim(0).ok());
  const std::string path = kDirectory + ReversedName(1) + ".binpb";
  std::string bytes(AsStringView(*store_->Get(path).ValueOrDie()));
  bytes += std::string("\xa0\x06\x2a", 3);  // field 100, varint 42
  ASSERT_TRUE(store_->Put(path, AsSpan(bytes), Durability::kProcessCrash).ok());
  const auto updated = manifests_.Update(1, [](auto*) {}).ValueOrDie();
  EXPECT_NE(updated.SerializeAsString().find(std::string("\xa0\x06\x2a", 3)), std::string::npos);
}

TEST_F(ShardManifestTest, DamageIsNamed) {
  ASSERT_TRUE(manifests_.Claim(0).ok());
  const std::string path = kDirectory + ReversedName(1) + ".binpb";
  const std::string good(AsStringView(*store_->Get(path).ValueOrDie()));
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_TRUE(store_->Put(path, AsSpan(good.substr(0, size)), Durability::kProcessCrash).ok());
    const auto status = manifests_.ReadLatest().status();
    ASSERT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << size << ": " << status;
  }
}

TEST_F(ShardManifestTest, FlippedBitsNeverCrash) {
  ASSERT_TRUE(manifests_.Claim(3).ok());
  const std::string path = kDirectory + ReversedName(1) + ".binpb";
  const std::string good(AsStringView(*store_->Get(path).ValueOrDie()));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    ASSERT_TRUE(store_->Put(path, AsSpan(damaged), Durability::kProcessCrash).ok());
    const auto manifest = manifests_.ReadLatest();
    EXPECT_TRUE(manifest.ok() || HasErrorKind(manifest.status(), ErrorKind::kCorruptFile))
        << manifest.status();
  }
}

TEST_F(ShardManifestTest, GenerationsThatCannotBeAreDamage) {
  const auto with = [&](uint64_t current, uint64_t generation, const char* folder) {
    auto manifest = *manifests_.ReadLatest().ValueOrDie();
    manifest.set_version(manifest.version() + 1);
    manifest.set_current_generation(current);
    manifest.clear_flushed_generations();
    auto* flushed = manifest.add_flushed_generations();
    flushed->set_generation(generation);
    flushed->set_path(folder);
    const std::string path = kDirectory + ReversedName(manifest.version()) + ".binpb";
    EXPECT_TRUE(store_->Put(path, AsSpan(manifest.SerializeAsString()), Durability::kProcessCrash).ok());
    const auto status = manifests_.ReadLatest().status();
    EXPECT_TRUE(status.ok() || (HasErrorKind(status, ErrorKind::kCorruptFile) &&
                                status.message().find(path) != std::string::npos))
        << status;
    EXPECT_TRUE(store_->Delete(path).ok());
    return status.ok();
  };
  ASSERT_TRUE(manifests_.Claim(0).ok());
  EXPECT_TRUE(with(2, 1, "abcdef01_gen_1"));
  EXPECT_FALSE(with(0, 1, "abcdef01_gen_1")) << "the next flush would have a number that is taken";
  EXPECT_FALSE(with(1, 1, "abcdef01_gen_1"));
  EXPECT_FALSE(with(2, 0, "abcdef01_gen_0")) << "the base table";
  for (const char* folder : {"", ".", "..", "a/b", "../other"}) EXPECT_FALSE(with(2, 1, folder)) << folder;
}

TEST_F(ShardManifestTest, ASealedShardCannotBeClaimed) {
  ASSERT_TRUE(manifests_.Claim(0).ok());
  ASSERT_TRUE(manifests_.Update(1, [](auto* manifest) { manifest->set_status(1); }).ok());
  EXPECT_TRUE(manifests_.Claim(0).status().IsInvalid());
}

}  // namespace pilum
