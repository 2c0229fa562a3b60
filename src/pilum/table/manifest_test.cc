// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "pilum/io/memory_store.h"
#include "pilum/table/next_manifest.h"
#include "pilum/table/test_transactions.h"
#include "pilum/table/versions.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

std::string SomeManifest() {
  auto made = BuildNextManifest(nullptr, TestOverwrite({100, 50}), FormatVersion::k2_1);
  return made.ValueOrDie()->Serialize();
}

arrow::Status ParseStatus(const std::string& bytes) { return Manifest::Parse(AsSpan(bytes), "m").status(); }

}  // namespace

TEST(ManifestTest, ParsesWhatItSerializes) {
  const std::string bytes = SomeManifest();
  const auto manifest = Manifest::Parse(AsSpan(bytes), "m").ValueOrDie();
  EXPECT_EQ(manifest->version(), 1);
  EXPECT_EQ(manifest->data_version, FormatVersion::k2_1);
  ASSERT_EQ(manifest->fragments().size(), 2);
  EXPECT_EQ(manifest->fragments()[0].id(), 0);
  EXPECT_EQ(manifest->fragments()[1].id(), 1);
  EXPECT_EQ(manifest->proto.max_fragment_id(), 1);
  EXPECT_TRUE(manifest->schema->arrow()->Equals(*TestTableSchema()->arrow()));
  ASSERT_TRUE(manifest->transaction.has_value());
  EXPECT_TRUE(manifest->transaction->has_overwrite());
  EXPECT_EQ(manifest->Serialize(), bytes);
}

TEST(ManifestTest, ATruncatedFileIsRefused) {
  const std::string bytes = SomeManifest();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto status = ParseStatus(bytes.substr(0, size));
    ASSERT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << size << ": " << status;
  }
}

TEST(ManifestTest, FlippedBitsGiveAnErrorOrAnotherManifest) {
  const std::string bytes = SomeManifest();
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string flipped = bytes;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << i % 8));
    (void)ParseStatus(flipped);
  }
}

TEST(ManifestTest, FragmentsThatCannotBeAreRefused) {
  const auto refused = [](const auto& damage) {
    Manifest manifest = *Manifest::Parse(AsSpan(SomeManifest()), "m").ValueOrDie();
    damage(manifest.proto.mutable_fragments(1));
    return HasErrorKind(ParseStatus(manifest.Serialize()), ErrorKind::kCorruptFile);
  };
  using lance::table::DataFragment;
  EXPECT_TRUE(refused([](DataFragment* f) { f->set_id(uint64_t{1} << 32); }))
      << "addresses have 32 bits for it";
  EXPECT_TRUE(refused([](DataFragment* f) { f->set_physical_rows(uint64_t{1} << 40); }));
  EXPECT_TRUE(refused([](DataFragment* f) { f->mutable_deletion_file()->set_num_deleted_rows(51); }));
  EXPECT_TRUE(refused([](DataFragment* f) { f->mutable_files(0)->set_file_size_bytes(UINT64_MAX); }));
}

TEST(ManifestTest, UnknownReaderFlagsAreRefusedByNumber) {
  Manifest manifest = *Manifest::Parse(AsSpan(SomeManifest()), "m").ValueOrDie();
  manifest.proto.set_reader_feature_flags(1 << 20);
  const auto status = ParseStatus(manifest.Serialize());
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kUnsupportedFeature)) << status;
  EXPECT_NE(status.message().find("1048576"), std::string::npos) << status;
}

TEST(ManifestTest, UnknownWriterFlagsAllowReadingOnly) {
  Manifest manifest = *Manifest::Parse(AsSpan(SomeManifest()), "m").ValueOrDie();
  manifest.proto.set_writer_feature_flags(1 << 20);
  const auto parsed = Manifest::Parse(AsSpan(manifest.Serialize()), "m").ValueOrDie();
  const auto status = BuildNextManifest(parsed.get(), TestAppend(1, 1), FormatVersion::k2_1).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kUnsupportedFeature)) << status;
}

TEST(ManifestTest, AVersionThatWouldHoldAFragmentIdTwiceIsNotMade) {
  const auto first = BuildNextManifest(nullptr, TestOverwrite({100, 50}), FormatVersion::k2_1).ValueOrDie();
  auto lagging = *first;
  lagging.proto.set_max_fragment_id(0);  // though there is a fragment 1
  const auto append = BuildNextManifest(&lagging, TestAppend(1, 7), FormatVersion::k2_1);
  EXPECT_TRUE(append.status().IsInvalid()) << append.status();
  EXPECT_NE(append.status().message().find("fragment 1 comes after fragment 1"), std::string::npos)
      << append.status();
  auto overwrite = TestOverwrite({10, 20});
  overwrite.mutable_overwrite()->mutable_fragments(0)->set_id(uint64_t{1} << 32);
  EXPECT_TRUE(BuildNextManifest(nullptr, overwrite, FormatVersion::k2_1).status().IsInvalid());
}

TEST(ManifestTest, TablesOfVersion0_1AreReadAndOnlyOverwrittenByAnotherVersion) {
  Manifest manifest = *Manifest::Parse(AsSpan(SomeManifest()), "m").ValueOrDie();
  manifest.proto.mutable_data_format()->set_version("0.1");
  const auto legacy = Manifest::Parse(AsSpan(manifest.Serialize()), "m").ValueOrDie();
  EXPECT_EQ(legacy->data_version, FormatVersion::kLegacy);
  const auto append = BuildNextManifest(legacy.get(), TestAppend(1, 1), FormatVersion::k2_1).status();
  EXPECT_TRUE(append.IsNotImplemented()) << append;
  EXPECT_NE(append.message().find("0.1"), std::string::npos) << append;
  EXPECT_TRUE(
      BuildNextManifest(nullptr, TestOverwrite({1}), FormatVersion::kLegacy).status().IsNotImplemented());
  EXPECT_TRUE(BuildNextManifest(legacy.get(), TestOverwrite({1}), FormatVersion::k2_1).ok());
}

TEST(ManifestTest, AFragmentOfVersion0_1ThatDoesNotSayHowManyRowsItHasIsRefused) {
  Manifest manifest = *Manifest::Parse(AsSpan(SomeManifest()), "m").ValueOrDie();
  manifest.proto.mutable_data_format()->set_version("0.1");
  manifest.proto.mutable_fragments(1)->clear_physical_rows();
  const auto status = ParseStatus(manifest.Serialize());
  EXPECT_TRUE(status.IsNotImplemented()) << status;
  EXPECT_NE(status.message().find("fragment 1"), std::string::npos) << status;
}

TEST(ManifestTest, DataFileNamesAreUniqueAndOfTheFormatsShape) {
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = NewDataFileName();
    ASSERT_EQ(name.size(), 24 + 26 + 6);
    ASSERT_GE(std::min(name.find_first_not_of("01"), name.size()), 24);
    ASSERT_TRUE(name.ends_with(".lance"));
    ASSERT_TRUE(names.insert(name).second);
  }
}

TEST(VersionsTest, NamesOfBothSchemes) {
  EXPECT_EQ(ManifestPath(1, ManifestNaming::kV2), "_versions/18446744073709551614.manifest");
  EXPECT_EQ(ManifestPath(7, ManifestNaming::kV1), "_versions/7.manifest");
  ManifestNaming naming;
  EXPECT_EQ(ParseManifestName("18446744073709551614.manifest", &naming), 1);
  EXPECT_EQ(naming, ManifestNaming::kV2);
  EXPECT_EQ(ParseManifestName("7.manifest", &naming), 7);
  EXPECT_EQ(naming, ManifestNaming::kV1);
  for (const char* other : {"latest_version_hint.json", "d123.manifest", "7.manifest-uuid", ".manifest",
                            "x.manifest", "99999999999999999999.manifest"}) {
    EXPECT_FALSE(ParseManifestName(other, &naming).has_value()) << other;
  }
}

TEST(VersionsTest, MissingTablesAndVersionsAreNamed) {
  auto store = MakeMemoryStore();
  EXPECT_TRUE(HasErrorKind(LoadLatestManifest(*store).status(), ErrorKind::kDatasetNotFound));
  EXPECT_TRUE(HasErrorKind(LoadManifest(*store, 3).status(), ErrorKind::kVersionNotFound));
  EXPECT_TRUE(ListVersions(*store).ValueOrDie().empty());
}

TEST(VersionsTest, AManifestThatIsNoManifestIsNamed) {
  auto store = MakeMemoryStore();
  ASSERT_TRUE(
      store->Put(ManifestPath(1, ManifestNaming::kV2), AsSpan("garbage"), Durability::kProcessCrash).ok());
  const auto status = LoadLatestManifest(*store).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_NE(status.message().find("18446744073709551614.manifest"), std::string::npos) << status;
}

TEST(VersionsTest, AManifestUnderTheNameOfAnotherVersionIsRefused) {
  auto store = MakeMemoryStore();
  ASSERT_TRUE(
      store->Put(ManifestPath(5, ManifestNaming::kV2), AsSpan(SomeManifest()), Durability::kProcessCrash)
          .ok());
  const auto status = LoadLatestManifest(*store).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_NE(status.message().find("version 1"), std::string::npos) << status;
}

}  // namespace pilum
