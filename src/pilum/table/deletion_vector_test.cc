// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/deletion_vector.h"

#include <arrow/memory_pool.h>
#include <gtest/gtest.h>

#include "pilum/io/memory_store.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

DeletionVector EveryThird(uint32_t n) {
  DeletionVector deleted;
  for (uint32_t i = 0; i < n; ++i) deleted.add(i * 3);
  return deleted;
}

lance::table::DataFragment FragmentWith(const lance::table::DeletionFile& file, uint64_t rows) {
  lance::table::DataFragment fragment;
  fragment.set_id(4);
  fragment.set_physical_rows(rows);
  *fragment.mutable_deletion_file() = file;
  return fragment;
}

struct Written {
  std::shared_ptr<ObjectStore> store = MakeMemoryStore();
  lance::table::DeletionFile file;
  std::string path;
  std::string bytes;

  Written(uint32_t n, DeletionFileKind kind) {
    file = WriteDeletionVector(*store, 4, 2, EveryThird(n), kind, Durability::kProcessCrash).ValueOrDie();
    const auto listing = store->List("_deletions").ValueOrDie();
    path = "_deletions/" + listing.objects.at(0).name;
    bytes = std::string(AsStringView(*store->Get(path).ValueOrDie()));
  }
};

}  // namespace

TEST(DeletionVectorTest, RoundTripsInEitherFile) {
  for (const uint32_t n : {0u, 1u, 5000u, 5001u, 100'000u}) {
    for (const auto kind : {DeletionFileKind::kBySize, DeletionFileKind::kBitmap}) {
      const Written written(n, kind);
      EXPECT_EQ(written.file.num_deleted_rows(), n);
      EXPECT_EQ(written.path.ends_with(".bin"), n > 5000 || kind == DeletionFileKind::kBitmap)
          << written.path;
      EXPECT_TRUE(written.path.starts_with("_deletions/4-2-")) << written.path;
      const auto read = ReadDeletionVector(*written.store, FragmentWith(written.file, 400'000)).ValueOrDie();
      EXPECT_TRUE(*read == EveryThird(n));
    }
  }
}

TEST(DeletionVectorTest, AFragmentWithoutAFileHasNone) {
  auto store = MakeMemoryStore();
  EXPECT_EQ(ReadDeletionVector(*store, lance::table::DataFragment()).ValueOrDie(), nullptr);
}

TEST(DeletionVectorTest, AMissingFileIsNamed) {
  const Written written(10, DeletionFileKind::kBySize);
  ASSERT_TRUE(written.store->Delete(written.path).ok());
  const auto status = ReadDeletionVector(*written.store, FragmentWith(written.file, 100)).status();
  EXPECT_TRUE(IsNotFound(status)) << status;
  EXPECT_NE(status.message().find(written.path), std::string::npos) << status;
}

TEST(DeletionVectorTest, RowsBeyondTheFragmentAreCorrupt) {
  for (const auto kind : {DeletionFileKind::kBySize, DeletionFileKind::kBitmap}) {
    const Written written(10, kind);
    EXPECT_TRUE(ReadDeletionVector(*written.store, FragmentWith(written.file, 28)).ok());
    const auto status = ReadDeletionVector(*written.store, FragmentWith(written.file, 27)).status();
    EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  }
}

TEST(DeletionVectorTest, AFileThatClaimsToHoldGigabytesIsRefusedBeforeTheyAreAllocated) {
  Written written(50, DeletionFileKind::kBySize);
  const size_t frame = written.bytes.find("\x28\xb5\x2f\xfd");  // zstd, behind the size of what it holds
  ASSERT_NE(frame, std::string::npos);
  StoreLE(written.bytes.data() + frame - 8, uint64_t{3} << 30);
  ASSERT_TRUE(written.store->Put(written.path, AsSpan(written.bytes), Durability::kProcessCrash).ok());
  const auto status =
      ReadDeletionVector(*written.store, FragmentWith(written.file, uint64_t{1} << 32)).status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
  EXPECT_LT(arrow::default_memory_pool()->max_memory(), int64_t{1} << 30);
}

TEST(DeletionVectorTest, TruncatedFilesAreCorrupt) {
  for (const auto kind : {DeletionFileKind::kBySize, DeletionFileKind::kBitmap}) {
    const Written written(200, kind);
    for (size_t size = 0; size < written.bytes.size(); ++size) {
      ASSERT_TRUE(
          written.store->Put(written.path, AsSpan(written.bytes.substr(0, size)), Durability::kProcessCrash)
              .ok());
      const auto status = ReadDeletionVector(*written.store, FragmentWith(written.file, 1000)).status();
      ASSERT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << size << ": " << status;
    }
  }
}

TEST(DeletionVectorTest, FlippedBitsNeverCrash) {
  for (const auto kind : {DeletionFileKind::kBySize, DeletionFileKind::kBitmap}) {
    const Written written(200, kind);
    for (size_t i = 0; i < written.bytes.size() * 8; ++i) {
      std::string flipped = written.bytes;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << i % 8));
      ASSERT_TRUE(written.store->Put(written.path, AsSpan(flipped), Durability::kProcessCrash).ok());
      const auto read = ReadDeletionVector(*written.store, FragmentWith(written.file, 1000));
      if (read.ok() && !(*read)->isEmpty()) ASSERT_LT((*read)->maximum(), 1000);
    }
  }
}

}  // namespace pilum
