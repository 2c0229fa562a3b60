// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/wal_entry.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include "pilum/file/schema.h"
#include "pilum/io/object_store.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

/// A file as pieces of hexadecimal digits between zeros.
struct Bytes {
  size_t size;
  std::vector<std::pair<size_t, std::string_view>> pieces;

  std::string ToString() const {
    std::string bytes(size, '\0');
    for (const auto& [offset, digits] : pieces) {
      for (size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.at(offset + i / 2) =
            static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    }
    return bytes;
  }
  std::shared_ptr<arrow::Buffer> ToBuffer() const { return arrow::Buffer::FromString(ToString()); }
};

// Written by pylance 8.0.0: the second put of the first writer of a shard, and the sentinel of the next
// writer.
const Bytes kEntry = {968,
                      {{0x000,
                        "ffffffff780100001000000000000a000e000c000b0004000a000000140000000000000104000a000c00"
                        "0000080004000a0000000800000034000000010000000400000044ffffff080000000c00000001000000"
                        "310000000c0000007772697465725f65706f636800000000020000005000000014000000100014001000"
                        "0e000f0004000000080010000000180000000c0000000000010510000000000000000400040004000000"
                        "01000000730012001800140000001300080000000c000400120000003400000018000000200000000000"
                        "00021c00000008000c0004000b0008000000400000000000000100000000020000006964000001000000"
                        "0c00000008000c0008000400080000000800000010000000040000007472756500000000230000006c61"
                        "6e63652d736368656d613a756e656e666f726365642d7072696d6172792d6b6579"},
                       {0x180,
                        "fffffffff8000000100000000c001a0018001700040008000c0000002000000040010000000000000000"
                        "00000000000304000a0018000c00080004000a0000003c00000010000000030000000000000000000000"
                        "020000000300000000000000000000000000000003000000000000000100000000000000000000000500"
                        "000000000000000000000100000000000000400000000000000018000000000000008000000000000000"
                        "0100000000000000c0000000000000001000000000000000000100000000000004"},
                       {0x280, "ff"},
                       {0x2c0, "0700000000000000030000000000000009"},
                       {0x300, "03"},
                       {0x344, "020000000400000004"},
                       {0x380, "48324432"},
                       {0x3c0, "ffffffff00000000"}}};
const Bytes kSentinel = {
    200,
    {{0x000,
      "ffffffffb80000001000000000000a000e000c000b0004000a000000140000000000000104000a000c00"
      "0000080004000a000000080000006c000000020000003800000004000000d8ffffff080000000c000000"
      "01000000320000000c0000007772697465725f65706f63680000000008000c0008000400080000000800"
      "0000100000000400000074727565000000000e00000066656e63655f73656e74696e656c"},
     {0x0c0, "ffffffff00000000"}}};

std::shared_ptr<arrow::RecordBatch> Rows(const std::string& json) {
  const auto key = arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}});
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64(), false, key), arrow::field("s", arrow::utf8())});
  const auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(rows).ValueOrDie()->ReplaceSchemaMetadata(nullptr);
}

const char kRows[] = R"([{"id": 7, "s": "H2"}, {"id": 3, "s": "D2"}, {"id": 9, "s": null}])";

std::shared_ptr<arrow::Buffer> ArrowStream(const std::shared_ptr<arrow::RecordBatch>& batch,
                                           const arrow::ipc::IpcWriteOptions& options) {
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto writer = arrow::ipc::MakeStreamWriter(sink, batch->schema(), options).ValueOrDie();
  EXPECT_TRUE(writer->WriteRecordBatch(*batch).ok() && writer->Close().ok());
  return sink->Finish().ValueOrDie();
}

}  // namespace

TEST(WalEntryTest, AnEntryOfPylanceIsRead) {
  const auto entry = ParseWalEntry(kEntry.ToBuffer(), "entry").ValueOrDie();
  EXPECT_EQ(entry.writer_epoch, 1);
  ASSERT_EQ(entry.batches.size(), 1);
  const auto expected = Rows(kRows);
  EXPECT_TRUE(entry.batches[0]->Equals(*expected)) << entry.batches[0]->ToString();
  EXPECT_TRUE(entry.batches[0]->schema()->Equals(*expected->schema(), /*check_metadata=*/true))
      << "the key stays marked, the epoch is gone: " << entry.batches[0]->schema()->ToString(true);
}

TEST(WalEntryTest, ASentinelOfPylanceHasNoRows) {
  const auto entry = ParseWalEntry(kSentinel.ToBuffer(), "entry").ValueOrDie();
  EXPECT_EQ(entry.writer_epoch, 2);
  EXPECT_TRUE(entry.batches.empty());
}

TEST(WalEntryTest, OurEntriesAreWholeStreamsWithTheSameMetadata) {
  const auto ours = SerializeWalEntry({Rows(kRows)}, 1).ValueOrDie();
  const std::string bytes(AsStringView(*ours));
  EXPECT_TRUE(bytes.ends_with(std::string("\xff\xff\xff\xff\0\0\0\0", 8)));
  for (const char* metadata : {"writer_epoch", "lance-schema:unenforced-primary-key"}) {
    EXPECT_NE(bytes.find(metadata), std::string::npos) << metadata;
  }
  const auto sentinel = SerializeFenceSentinel(2).ValueOrDie();
  EXPECT_NE(AsStringView(*sentinel).find("fence_sentinel"), std::string_view::npos);
}

TEST(WalEntryTest, EveryCutIsFound) {
  for (const std::string& whole :
       {kEntry.ToString(), kSentinel.ToString(),
        SerializeWalEntry({Rows(kRows), Rows(kRows)}, 1).ValueOrDie()->ToString()}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      const auto status =
          ParseWalEntry(arrow::Buffer::FromString(whole.substr(0, size)), "folder/entry").status();
      ASSERT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << size << " bytes: " << status;
      ASSERT_NE(status.message().find("folder/entry at byte "), std::string::npos) << status;
    }
  }
}

// A message length that loses its only bit is an end of the stream, before the rows.
TEST(WalEntryTest, AFlippedBitNeverTakesRowsAway) {
  for (int num_columns = 1; num_columns <= 6; ++num_columns) {
    arrow::FieldVector fields;
    for (int i = 0; i < num_columns; ++i)
      fields.push_back(arrow::field("c" + std::to_string(i), arrow::int64()));
    const auto rows = arrow::RecordBatch::Make(
        arrow::schema(fields), 2,
        arrow::ArrayVector(static_cast<size_t>(num_columns), Rows(kRows)->column(0)->Slice(0, 2)));
    const std::string whole = SerializeWalEntry({rows, rows, rows}, 1).ValueOrDie()->ToString();
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      const auto entry = ParseWalEntry(arrow::Buffer::FromString(std::move(damaged)), "entry");
      if (!entry.ok()) {
        EXPECT_TRUE(HasErrorKind(entry.status(), ErrorKind::kCorruptFile)) << entry.status();
        continue;
      }
      ASSERT_EQ(entry->batches.size(), 3) << num_columns << " columns, bit " << bit;
      for (const auto& batch : entry->batches) ASSERT_EQ(batch->num_rows(), 2) << "bit " << bit;
    }
  }
}

TEST(WalEntryTest, OtherAlignmentsAndCompressionAreRead) {
  const auto rows = Rows(kRows)->ReplaceSchemaMetadata(arrow::key_value_metadata({{"writer_epoch", "12"}}));
  for (const auto compression :
       {arrow::Compression::UNCOMPRESSED, arrow::Compression::LZ4_FRAME, arrow::Compression::ZSTD}) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.alignment = 8;
    if (compression != arrow::Compression::UNCOMPRESSED)
      options.codec = arrow::util::Codec::Create(compression).ValueOrDie();
    const auto entry = ParseWalEntry(ArrowStream(rows, options), "entry").ValueOrDie();
    EXPECT_EQ(entry.writer_epoch, 12);
    ASSERT_EQ(entry.batches.size(), 1);
    EXPECT_TRUE(entry.batches[0]->Equals(*rows));
  }
}

TEST(WalEntryTest, ADamagedCompressedEntryNeverAsksForMuchMemory) {
  const auto rows = Rows(kRows)->ReplaceSchemaMetadata(arrow::key_value_metadata({{"writer_epoch", "12"}}));
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  for (const auto compression : {arrow::Compression::LZ4_FRAME, arrow::Compression::ZSTD}) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.codec = arrow::util::Codec::Create(compression).ValueOrDie();
    const std::string whole = ArrowStream(rows, options)->ToString();
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      const int64_t before = pool->max_memory();
      const auto entry = ParseWalEntry(arrow::Buffer::FromString(std::move(damaged)), "entry");
      EXPECT_LE(pool->max_memory() - before, int64_t{128} << 20) << "bit " << bit;
      EXPECT_TRUE(entry.ok() || HasErrorKind(entry.status(), ErrorKind::kCorruptFile)) << entry.status();
    }
  }
}

TEST(WalEntryTest, AnEpochThatIsNoNumberIsDamage) {
  for (const char* epoch : {"", "-1", "1x", "18446744073709551616"}) {
    const auto rows =
        Rows(kRows)->ReplaceSchemaMetadata(arrow::key_value_metadata({{"writer_epoch", epoch}}));
    const auto status =
        ParseWalEntry(ArrowStream(rows, arrow::ipc::IpcWriteOptions::Defaults()), "entry").status();
    EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << epoch;
  }
  const auto status =
      ParseWalEntry(ArrowStream(Rows(kRows), arrow::ipc::IpcWriteOptions::Defaults()), "entry").status();
  EXPECT_TRUE(HasErrorKind(status, ErrorKind::kCorruptFile)) << status;
}

}  // namespace pilum
