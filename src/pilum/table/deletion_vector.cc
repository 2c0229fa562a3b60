// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/deletion_vector.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <limits>

#include "pilum/table/bitmap.h"
#include "pilum/util/error.h"
#include "pilum/util/uuid.h"

namespace pilum {

namespace {

constexpr uint64_t kMaxArrowRows = 5000;
constexpr int64_t kReaderBytes = 1 << 20;       // metadata and padding
constexpr int64_t kMaxCompressionRatio = 1024;  // offsets are all different

std::string DeletionPath(uint64_t fragment_id, const lance::table::DeletionFile& file) {
  const bool bitmap = file.file_type() == lance::table::DeletionFile::BITMAP;
  return "_deletions/" + std::to_string(fragment_id) + "-" + std::to_string(file.read_version()) + "-" +
         std::to_string(file.id()) + (bitmap ? ".bin" : ".arrow");
}

const std::shared_ptr<arrow::Schema>& ArrowFileSchema() {
  static const auto schema = arrow::schema({arrow::field("row_id", arrow::uint32(), /*nullable=*/false)});
  return schema;
}

/// @param max_rows of the fragment: the file may be compressed, and what it says about its size is not to be
/// believed.
arrow::Result<DeletionVector> ParseArrow(std::shared_ptr<arrow::Buffer> bytes, uint64_t max_rows) {
  const int64_t max_bytes =
      std::min(static_cast<int64_t>(std::min<uint64_t>(max_rows, std::numeric_limits<uint32_t>::max()) * 4),
               bytes->size() * kMaxCompressionRatio);
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), max_bytes + kReaderBytes);
  // Scans call this on Arrow's pool: a reader that waits for the pool itself would wait for ever.
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  options.memory_pool = &pool;
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(
                                         std::make_shared<arrow::io::BufferReader>(bytes), options));
  if (reader->num_record_batches() != 1 || !reader->schema()->Equals(*ArrowFileSchema(), false)) {
    return arrow::Status::Invalid("not one batch of row_id: uint32 not null but ",
                                  reader->num_record_batches(), " of ", reader->schema()->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(auto batch, reader->ReadRecordBatch(0));
  ARROW_RETURN_NOT_OK(batch->ValidateFull());
  if (batch->column(0)->null_count() > 0) return arrow::Status::Invalid("null row offsets");
  const auto& rows = static_cast<const arrow::UInt32Array&>(*batch->column(0));
  DeletionVector deleted;
  deleted.addMany(static_cast<size_t>(rows.length()), rows.raw_values());
  return deleted;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> SerializeArrow(const DeletionVector& deleted) {
  std::string rows(deleted.cardinality() * sizeof(uint32_t), '\0');
  deleted.toUint32Array(reinterpret_cast<uint32_t*>(rows.data()));
  const int64_t n = static_cast<int64_t>(deleted.cardinality());
  auto data =
      arrow::ArrayData::Make(arrow::uint32(), n, {nullptr, arrow::Buffer::FromString(std::move(rows))}, 0);
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create());
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;
  ARROW_ASSIGN_OR_RAISE(options.codec, arrow::util::Codec::Create(arrow::Compression::ZSTD));
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(sink, ArrowFileSchema(), options));
  ARROW_RETURN_NOT_OK(
      writer->WriteRecordBatch(*arrow::RecordBatch::Make(ArrowFileSchema(), n, {std::move(data)})));
  ARROW_RETURN_NOT_OK(writer->Close());
  return sink->Finish();
}

}  // namespace

arrow::Result<std::shared_ptr<const DeletionVector>> ReadDeletionVector(
    ObjectStore& store, const lance::table::DataFragment& fragment) {
  if (!fragment.has_deletion_file()) return nullptr;
  const auto& file = fragment.deletion_file();
  const std::string path = DeletionPath(fragment.id(), file);
  if (file.has_base_id())
    return arrow::Status::NotImplemented("deletion files outside the table: ", store.Describe(path));
  ARROW_ASSIGN_OR_RAISE(auto bytes, store.Get(path));
  auto parsed = file.file_type() == lance::table::DeletionFile::BITMAP
                    ? ParseBitmap(AsSpan(*bytes))
                    : ParseArrow(std::move(bytes), fragment.physical_rows());
  if (!parsed.ok()) return CorruptFile(store.Describe(path), 0, parsed.status().message());
  if (!parsed->isEmpty() && fragment.physical_rows() > 0 && parsed->maximum() >= fragment.physical_rows()) {
    return CorruptFile(store.Describe(path), 0,
                       "row " + std::to_string(parsed->maximum()) + " deleted of a fragment of " +
                           std::to_string(fragment.physical_rows()));
  }
  if (file.num_deleted_rows() > 0 && file.num_deleted_rows() != parsed->cardinality()) {
    return CorruptFile(store.Describe(path), -1,
                       std::to_string(parsed->cardinality()) + " deleted rows, the manifest says " +
                           std::to_string(file.num_deleted_rows()));
  }
  return std::make_shared<const DeletionVector>(*std::move(parsed));
}

arrow::Result<lance::table::DeletionFile> WriteDeletionVector(ObjectStore& store, uint64_t fragment_id,
                                                              uint64_t read_version,
                                                              const DeletionVector& deleted,
                                                              DeletionFileKind kind, Durability durability) {
  lance::table::DeletionFile file;
  const bool bitmap = kind == DeletionFileKind::kBitmap || deleted.cardinality() > kMaxArrowRows;
  file.set_file_type(bitmap ? lance::table::DeletionFile::BITMAP : lance::table::DeletionFile::ARROW_ARRAY);
  file.set_read_version(read_version);
  file.set_id(RandomU64());
  file.set_num_deleted_rows(deleted.cardinality());
  const std::string path = DeletionPath(fragment_id, file);
  if (bitmap) {
    DeletionVector compact = deleted;
    compact.runOptimize();
    ARROW_RETURN_NOT_OK(store.Put(path, AsSpan(SerializeBitmap(compact)), durability));
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto bytes, SerializeArrow(deleted));
    ARROW_RETURN_NOT_OK(store.Put(path, AsSpan(*bytes), durability));
  }
  return file;
}

}  // namespace pilum
