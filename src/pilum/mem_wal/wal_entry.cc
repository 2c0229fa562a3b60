// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/wal_entry.h"

#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/util/align_util.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "pilum/io/object_store.h"
#include "pilum/mem_wal/row_validation.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

constexpr char kEpochKey[] = "writer_epoch";
constexpr char kSentinelKey[] = "fence_sentinel";
constexpr std::string_view kEndOfStream("\xff\xff\xff\xff\0\0\0\0", 8);

arrow::Result<std::shared_ptr<arrow::Buffer>> Serialize(const std::shared_ptr<arrow::Schema>& schema,
                                                        const arrow::RecordBatchVector& batches) {
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create());
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;  // the log's own thread does it: the pool may be busy with a scan
  options.alignment = 64;
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(sink, schema, options));
  for (const auto& batch : batches)
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch->ReplaceSchemaMetadata(schema->metadata())));
  ARROW_RETURN_NOT_OK(writer->Close());
  return sink->Finish();
}

arrow::Result<uint64_t> ParseEpoch(const arrow::KeyValueMetadata* metadata) {
  if (metadata == nullptr) return arrow::Status::Invalid("no writer_epoch");
  ARROW_ASSIGN_OR_RAISE(const std::string text, metadata->Get(kEpochKey));
  uint64_t epoch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (error != std::errc() || end != text.data() + text.size())
    return arrow::Status::Invalid("writer_epoch is '", text, "'");
  return epoch;
}

/// What an entry of this size may decompress to: a damaged length must not ask for all memory there is.
constexpr int64_t kMaxCompressionRatio = 1024;
constexpr int64_t kReaderBytes = int64_t{64} << 20;

/// The part of an entry that the buffers of a batch take.
struct Extent {
  int64_t begin = std::numeric_limits<int64_t>::max();
  int64_t end = 0;  ///< 0: none of them is a slice of the entry
  bool has_dictionaries = false;
};

void Extend(const arrow::ArrayData& column, const arrow::Buffer& bytes, Extent* extent) {
  for (const auto& buffer : column.buffers) {
    if (buffer == nullptr || buffer->size() == 0 || buffer->address() < bytes.address()) continue;
    const uintptr_t begin = buffer->address() - bytes.address();
    if (begin >= static_cast<uintptr_t>(bytes.size())) continue;
    extent->begin = std::min(extent->begin, static_cast<int64_t>(begin));
    extent->end = std::max(extent->end, static_cast<int64_t>(begin) + buffer->size());
  }
  extent->has_dictionaries |= column.dictionary != nullptr;
  for (const auto& child : column.child_data) Extend(*child, bytes, extent);
}

constexpr int64_t kMessagePrefix = 8;  // a mark, then the size of the header

bool HasMessage(const arrow::Buffer& bytes, int64_t begin, int64_t end) {
  for (int64_t at = (begin + 7) / 8 * 8; at + kMessagePrefix <= end; at += 8) {
    const auto size = LoadLE<int32_t>(bytes.data() + at + 4);
    if (LoadLE<uint32_t>(bytes.data() + at) == 0xffffffffU && size > 0 && size % 8 == 0 &&
        size <= end - at - kMessagePrefix)
      return true;
  }
  return false;
}

/// A batch whose size is damaged swallows the next ones, and Arrow does not mind: there must be no message
/// but its own in [begin, end), outside its buffers.
arrow::Status CheckHidesNothing(const arrow::RecordBatch& batch, const arrow::Buffer& bytes, int64_t begin,
                                int64_t end) {
  Extent extent;
  for (const auto& column : batch.column_data()) Extend(*column, bytes, &extent);
  if (extent.end == 0) return arrow::Status::OK();
  // Dictionaries are messages in front of the batch.
  const bool in_front = !extent.has_dictionaries && HasMessage(bytes, begin + kMessagePrefix, extent.begin);
  if (!in_front && !HasMessage(bytes, extent.end, end)) return arrow::Status::OK();
  return arrow::Status::Invalid("the rows in bytes ", begin, " to ", end, " hide other rows");
}

arrow::Result<WalEntry> Parse(const std::shared_ptr<arrow::Buffer>& bytes) {
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(),
                               bytes->size() * kMaxCompressionRatio + kReaderBytes);
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  options.memory_pool = &pool;
  const auto stream = std::make_shared<arrow::io::BufferReader>(bytes);
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(stream, options));
  WalEntry entry;
  const auto& metadata = reader->schema()->metadata();
  ARROW_ASSIGN_OR_RAISE(entry.writer_epoch, ParseEpoch(metadata.get()));
  auto cleaned = metadata->Copy();
  ARROW_RETURN_NOT_OK(cleaned->Delete(kEpochKey));
  if (cleaned->size() == 0) cleaned = nullptr;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const int64_t batch_begin, stream->Tell());
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) break;
    ARROW_ASSIGN_OR_RAISE(const int64_t batch_end, stream->Tell());
    ARROW_RETURN_NOT_OK(CheckHidesNothing(*batch, *bytes, batch_begin, batch_end));
    // Damage may leave buffers anywhere. Those of good entries are aligned, and not copied.
    ARROW_ASSIGN_OR_RAISE(batch, arrow::util::EnsureAlignment(std::move(batch), arrow::util::kValueAlignment,
                                                              arrow::default_memory_pool()));
    ARROW_ASSIGN_OR_RAISE(batch, WithValidStructure(*batch));
    if (pool.bytes_allocated() > 0) {  // compressed: the buffers are not slices of `bytes`
      ARROW_ASSIGN_OR_RAISE(batch, batch->CopyTo(arrow::default_cpu_memory_manager()));
    }
    entry.batches.push_back(batch->ReplaceSchemaMetadata(cleaned));
  }
  // A damaged length of 0 is an end-of-stream marker, too.
  ARROW_ASSIGN_OR_RAISE(const int64_t end, stream->Tell());
  if (end != bytes->size()) return arrow::Status::Invalid("it ends at byte ", end, " of ", bytes->size());
  return entry;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeWalEntry(const arrow::RecordBatchVector& batches,
                                                                uint64_t writer_epoch) {
  if (batches.empty()) return arrow::Status::Invalid("a log entry needs a batch");
  const auto& schema = batches[0]->schema();
  for (const auto& batch : batches) {
    if (batch->num_rows() == 0) return arrow::Status::Invalid("a log entry cannot hold an empty batch");
    if (!batch->schema()->Equals(*schema))
      return arrow::Status::Invalid("the batches of a log entry differ in schema");
  }
  auto metadata =
      schema->metadata() == nullptr ? arrow::key_value_metadata({}, {}) : schema->metadata()->Copy();
  ARROW_RETURN_NOT_OK(metadata->Set(kEpochKey, std::to_string(writer_epoch)));
  return Serialize(schema->WithMetadata(std::move(metadata)), batches);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeFenceSentinel(uint64_t writer_epoch) {
  return Serialize(arrow::schema({}, arrow::key_value_metadata({{kEpochKey, std::to_string(writer_epoch)},
                                                                {kSentinelKey, "true"}})),
                   {});
}

arrow::Result<WalEntry> ParseWalEntry(const std::shared_ptr<arrow::Buffer>& bytes, std::string_view path) {
  // Without this check a file that was cut behind a message would be an entry with fewer rows.
  if (!AsStringView(*bytes).ends_with(kEndOfStream)) {
    return CorruptFile(path, bytes->size(), "a log entry without its end-of-stream marker");
  }
  auto entry = Parse(bytes);
  if (!entry.ok()) return CorruptFile(path, 0, "not a log entry: " + entry.status().message());
  return entry;
}

}  // namespace pilum
