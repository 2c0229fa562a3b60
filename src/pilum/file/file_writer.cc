// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_writer.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/cast.h>
#include <arrow/util/align_util.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/future.h>
#include <arrow/util/thread_pool.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <set>

#include "pilum/encoding/extension_storage.h"
#include "pilum/encoding/hidden_values.h"
#include "pilum/file/column_metadata.h"
#include "pilum/file/field_encoder.h"
#include "pilum/file/footer.h"
#include "pilum/file/logical_type.h"
#include "pilum/file/written_type.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"
#include "pilum_proto/file2.pb.h"

namespace pilum {

namespace {

constexpr int64_t kMaxPages = 4;  // what one array may exceed the bytes of a page by

/// A page that is cut short has at least this part of its bytes.
constexpr int64_t kLeastPagePart = 16;

/// An array that alone is this part of a page becomes one.
constexpr int64_t kWholePagePart = 2;

constexpr char kPadding[kBufferAlignment + 1] =
    "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH";

/// Rows whose pages are written before the allocator is to give back to the system what it keeps: without
/// that it keeps as much as is in use, and for less it would ask for the same memory again at once.
constexpr int64_t kReleaseBytes = int64_t{4} << 20;

/// Pages of fewer bytes than this are encoded where they are: a thread costs more.
constexpr int64_t kMinParallelBytes = int64_t{256} << 10;

/// A field: rows that wait to become pages, and what the file says about its columns.
struct PendingField {
  std::shared_ptr<arrow::Field> written;  // as users write it; the encoder's has descriptions for blobs
  FieldEncoder encoder;
  std::vector<lance::file::v2::ColumnMetadata> columns;
  std::vector<int64_t> num_structs;  // 2.0, per column: rows of a struct
  arrow::ArrayVector pending;
  size_t num_copied = 0;   // of them, from the first on
  int64_t last_bytes = 0;  // of the last of them
  int64_t pending_bytes = 0;
  int64_t pending_rows = 0;
  int64_t first_row = 0;  // of the pending ones

  const arrow::Field& field() const { return *written; }
  const LeafColumn& leaf() const { return encoder.columns()[0].leaf; }
};

/// Pages of a field that are being encoded.
struct Encoding {
  PendingField* field;
  int64_t num_bytes;   // of their rows
  int64_t most_bytes;  // that they may take of the file
  arrow::Future<EncodedField> pages;
};

/// More than the pages of these rows take: levels of a few bits for booleans of one, and the tables of a
/// page. (Lists of nulls, which have no bytes, may take more.)
int64_t MostBytes(const arrow::Array& rows) {
  return 8 * (arrow::util::ReferencedBufferSize(rows).ValueOr(0) + (int64_t{4} << 10));
}

/// The rows of `arrays` as one array of their own, which holds on to nothing else.
arrow::Result<std::shared_ptr<arrow::Array>> CopyOf(arrow::ArrayVector arrays, arrow::MemoryPool* pool) {
  arrays.push_back(arrays.back()->Slice(0, 0));  // one array alone would stay as it is
  return arrow::Concatenate(arrays, pool);
}

arrow::Result<int64_t> BytesOf(const arrow::ArrayData& array, const PendingField& field) {
  if (IsNested(*field.encoder.field()) || field.leaf().type.kind == LeafType::Kind::kRow)
    return arrow::util::ReferencedBufferSize(*arrow::MakeArray(array.Copy()));
  const LeafType& type = field.leaf().type;
  if (type.has_fixed_width()) return array.length * type.bits / 8;
  if (type.kind == LeafType::Kind::kNull || array.buffers[1] == nullptr) return 0;
  if (type.offset_bits == 64) {
    const int64_t* offsets = array.GetValues<int64_t>(1);
    return offsets[array.length] - offsets[0] + array.length * 8;
  }
  const int32_t* offsets = array.GetValues<int32_t>(1);
  return offsets[array.length] - offsets[0] + array.length * 4;
}

lance::file::v2::ColumnMetadata NewColumnMetadata(const arrow::Field& field, FormatVersion version) {
  lance::file::v2::ColumnMetadata metadata;
  lance::encodings::ColumnEncoding encoding;
  if (version == FormatVersion::k2_0 && IsBlobV1(field)) {
    encoding.mutable_blob()->mutable_inner()->mutable_values();
  } else {
    encoding.mutable_values();
  }
  SetEncoding(encoding, metadata.mutable_encoding());
  return metadata;
}

/// What a file says of blobs of version 2: its own schema has their descriptions, whose fields have no ids
/// and no parent. Spec: 10-file.md §3.6.
void DescribeStoredBlobs(google::protobuf::RepeatedPtrField<lance::file::Field>* fields) {
  google::protobuf::RepeatedPtrField<lance::file::Field> stored;
  std::set<int32_t> blobs;
  for (lance::file::Field& field : *fields) {
    if (blobs.contains(field.parent_id())) continue;
    if (field.extension_name() != kBlobV2Extension) {
      *stored.Add() = std::move(field);
      continue;
    }
    blobs.insert(field.id());
    auto* blob = stored.Add();
    *blob = std::move(field);
    blob->clear_extension_name();
    blob->clear_metadata();
    (*blob->mutable_metadata())[kPackedMetadata] = "true";
    (*blob->mutable_metadata())[kBlobMetadata] = "true";
    for (const auto& child : BlobV2DescriptionType()->fields()) {
      auto* proto = stored.Add();
      proto->set_name(child->name());
      proto->set_id(-1);
      proto->set_parent_id(-1);
      proto->set_logical_type(LogicalTypeOf(*child).ValueOrDie());
      proto->set_encoding(child->type()->id() == arrow::Type::STRING ? lance::file::VAR_BINARY
                                                                     : lance::file::PLAIN);
    }
  }
  *fields = std::move(stored);
}

class FileWriterImpl final : public FileWriter {
 public:
  FileWriterImpl(std::unique_ptr<WritableObject> sink, std::shared_ptr<const Schema> schema,
                 FileWriterOptions options)
      : sink_(std::move(sink)), schema_(std::move(schema)), options_(options) {}

  ~FileWriterImpl() override {
    for (auto& encoding : encodings_) encoding.pages.Wait();  // they refer to fields_
  }

  arrow::Status Init();

  arrow::Status Write(const arrow::RecordBatch& batch) override;
  void AddSchemaMetadata(std::string key, std::string value) override {
    extra_metadata_[std::move(key)] = std::move(value);
  }
  arrow::Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes) override;
  int64_t num_rows() const override { return num_rows_; }
  arrow::Result<bool> HasBytes(int64_t num_bytes) override;
  arrow::Result<WrittenFile> Finish() override;

 private:
  arrow::Status CheckEmptyStructs() const;
  arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const arrow::RecordBatch& batch,
                                                       const PendingField& field) const;
  /// Puts descriptions in place of blobs of version 2, whose values it stores.
  arrow::Status Store(std::shared_ptr<arrow::Array>* array, const PendingField& field);
  /// Cuts an array of many pages' bytes.
  arrow::Status Queue(const std::shared_ptr<arrow::Array>& array, PendingField* field);
  arrow::Status Append(std::shared_ptr<arrow::Array> array, int64_t bytes, PendingField* field);
  /// Copies the rows of earlier batches that will go on waiting for their pages: they may hold on to all
  /// columns of their batches.
  arrow::Status CopyWaiting();
  /// Bounds what waits for full pages: few columns wait for whole ones, many for parts.
  arrow::Status FlushLargest();
  /// Hands the pending rows to a thread of the pool, and waits for the oldest pages if many are under way.
  arrow::Status FlushPages(PendingField* field);
  /// Writes the oldest pages that are being encoded; the order never depends on threads.
  arrow::Status WriteOldest();
  /// Those in front that nothing is waited for.
  arrow::Status WriteFinished();
  arrow::Status WriteAllEncodings();
  arrow::Status WritePages(EncodedField encoded, PendingField* field);
  arrow::Status WriteBlobPage(const arrow::ArrayVector& arrays, PendingField* field);
  /// The one page that the column of a struct has in version 2.0.
  void WriteStructPages();
  /// Appends the buffers of a page, which notes where they are.
  arrow::Status AppendBuffers(const std::vector<PageBuffer>& buffers,
                              lance::file::v2::ColumnMetadata::Page* page);
  /// Appends the bytes and pads. @return where they are.
  arrow::Result<ByteRange> AppendAligned(std::span<const std::span<const uint8_t>> pieces);
  arrow::Result<ByteRange> AppendAligned(std::span<const uint8_t> bytes) {
    return AppendAligned({&bytes, 1});
  }
  arrow::Result<ByteRange> WriteDescriptor();
  arrow::Result<ByteRange> WriteMessage(const google::protobuf::Message& message);
  arrow::Status WriteTable(const std::vector<ByteRange>& ranges);

  const std::unique_ptr<WritableObject> sink_;
  const std::shared_ptr<const Schema> schema_;
  const FileWriterOptions options_;
  std::vector<PendingField> fields_;
  std::deque<Encoding> encodings_;         // oldest first
  int64_t pending_bytes_ = 0;              // of all fields
  int64_t written_bytes_ = 0;              // of rows, since the pool gave memory back to the system
  arrow::Status status_;                   // the first error: a file that lacks pages is never finished
  std::vector<ByteRange> global_buffers_;  // the user's
  std::map<std::string, std::string> extra_metadata_;
  int64_t num_rows_ = 0;
  bool finished_ = false;
};

arrow::Status FileWriterImpl::Init() {
  if (options_.version == FormatVersion::kLegacy) {
    return arrow::Status::NotImplemented(
        "writing files of format version 0.1, which are only read: give a table another version by "
        "overwriting it");
  }
  for (const SchemaField& field : schema_->fields()) {
    ARROW_RETURN_NOT_OK(CheckWritable(*field.arrow, options_.version));
    const auto stored = WithStoredBlobs(field.arrow);
    if (stored != field.arrow && options_.blobs == nullptr) {
      return arrow::Status::NotImplemented("Column '", field.name(),
                                           "': blobs of version 2 outside of a table");
    }
    ARROW_ASSIGN_OR_RAISE(auto encoder, FieldEncoder::Make(stored, options_.version, options_.pool));
    PendingField pending{field.arrow, std::move(encoder), {}, {}, {}};
    for (const auto& column : pending.encoder.columns())
      pending.columns.push_back(NewColumnMetadata(*column.leaf.field, options_.version));
    pending.num_structs.resize(pending.columns.size());
    fields_.push_back(std::move(pending));
  }
  return CheckEmptyStructs();
}

/// 8.0.0 counts no column for a struct without fields: all columns behind it would be taken for others.
arrow::Status FileWriterImpl::CheckEmptyStructs() const {
  if (options_.version == FormatVersion::k2_0) return arrow::Status::OK();
  const arrow::Field* empty = nullptr;
  for (const PendingField& field : fields_) {
    for (const auto& column : field.encoder.columns()) {
      if (empty != nullptr) {
        return arrow::Status::NotImplemented("Column '", empty->name(),
                                             "': a struct without fields must be the last column, or Lance "
                                             "8.0.0 reads those after it wrongly");
      }
      if (IsEmptyStruct(*column.leaf.field)) empty = column.leaf.field.get();
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> FileWriterImpl::ArrayOf(const arrow::RecordBatch& batch,
                                                                     const PendingField& field) const {
  const std::string& name = field.field().name();
  const auto& type = field.field().type();
  const int column = batch.schema()->GetFieldIndex(name);
  if (column < 0) {
    return arrow::Status::Invalid("Cannot write batch. The batch was missing the column `", name, "`");
  }
  ARROW_ASSIGN_OR_RAISE(auto array, StorageArray(batch.column(column), batch.schema()->field(column)));
  if (!array->type()->Equals(*type) && StoredType(array->type())->Equals(*type)) {  // a view
    ARROW_ASSIGN_OR_RAISE(auto stored, arrow::compute::Cast(array, type));
    array = stored.make_array();
  }
  if (!array->type()->Equals(*type)) {
    return arrow::Status::TypeError("Column `", name, "` is of type ", array->type()->ToString(), ", not ",
                                    type->ToString());
  }
  // Whoever made the buffers may have cut them anywhere; what is aligned is not copied.
  ARROW_ASSIGN_OR_RAISE(
      array, arrow::util::EnsureAlignment(std::move(array), arrow::util::kValueAlignment, options_.pool));
  const auto visible = WithoutHiddenValues(array, options_.pool);
  if (!visible.ok()) return Annotate(visible.status(), "Column '" + name + "': ");
  array = *visible;
  ARROW_RETURN_NOT_OK(CheckNulls(*array->data(), field.field(), options_.version));
  return array;
}

arrow::Status FileWriterImpl::Write(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(status_);
  if (batch.num_rows() == 0) return arrow::Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const PendingField& field : fields_) {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(batch, field));
    arrays.push_back(std::move(array));
  }
  ARROW_RETURN_NOT_OK(status_ = WriteFinished());
  ARROW_RETURN_NOT_OK(status_ = CopyWaiting());
  for (size_t i = 0; i < fields_.size(); ++i) {
    auto status = Store(&arrays[i], fields_[i]);
    if (status.ok()) status = Queue(arrays[i], &fields_[i]);
    if (!status.ok()) return status_ = status;
  }
  num_rows_ += batch.num_rows();
  return status_ = FlushLargest();
}

arrow::Status FileWriterImpl::CopyWaiting() {
  for (PendingField& field : fields_) {
    const auto first = field.pending.begin() + static_cast<int64_t>(field.num_copied);
    if (first == field.pending.end() || field.pending_bytes + field.last_bytes >= options_.page_bytes)
      continue;
    arrow::ArrayVector waiting(first, field.pending.end());
    field.pending.erase(first, field.pending.end());
    auto copy = CopyOf(std::move(waiting), options_.pool);
    if (!copy.ok()) return Annotate(copy.status(), "Column '" + field.field().name() + "': ");
    field.pending.push_back(*std::move(copy));
    field.num_copied = field.pending.size();
  }
  return arrow::Status::OK();
}

arrow::Result<bool> FileWriterImpl::HasBytes(int64_t num_bytes) {
  ARROW_RETURN_NOT_OK(status_);
  int64_t most = sink_->position();
  for (const Encoding& encoding : encodings_) most += encoding.most_bytes;
  if (most < num_bytes) return false;
  ARROW_RETURN_NOT_OK(status_ = WriteAllEncodings());
  return sink_->position() >= num_bytes;
}

arrow::Status FileWriterImpl::FlushLargest() {
  while (pending_bytes_ > std::max(options_.pending_bytes, options_.page_bytes)) {
    const auto largest = std::max_element(fields_.begin(), fields_.end(), [](const auto& a, const auto& b) {
      return a.pending_bytes < b.pending_bytes;
    });
    if (largest->pending_bytes < options_.page_bytes / kLeastPagePart) break;
    ARROW_RETURN_NOT_OK(FlushPages(&*largest));
  }
  return arrow::Status::OK();
}

arrow::Status FileWriterImpl::Store(std::shared_ptr<arrow::Array>* array, const PendingField& field) {
  if (field.encoder.field() == field.written) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(WriteAllEncodings());  // what lies where never depends on threads
  const auto append = [this](std::span<const uint8_t> bytes) { return AppendAligned(bytes); };
  auto stored = StoreBlobs(*array, field.field(), options_.blobs, append, options_.pool);
  if (!stored.ok()) return Annotate(stored.status(), "Column '" + field.field().name() + "': ");
  *array = *std::move(stored);
  return arrow::Status::OK();
}

arrow::Status FileWriterImpl::Queue(const std::shared_ptr<arrow::Array>& array, PendingField* field) {
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, BytesOf(*array->data(), *field));
  const int64_t n = array->length();
  if (bytes > kMaxPages * options_.page_bytes && n > 1) {  // one array would make a page that is hard to read
    const int64_t parts = std::min(n, bytes / options_.page_bytes), rows = (n + parts - 1) / parts;
    for (int64_t row = 0; row < n; row += rows) {
      // Rows of very different sizes may leave a part large; it becomes a page all the same.
      ARROW_RETURN_NOT_OK(Append(array->Slice(row, rows), bytes / parts, field));
    }
    return arrow::Status::OK();
  }
  return Append(array, bytes, field);
}

arrow::Status FileWriterImpl::Append(std::shared_ptr<arrow::Array> array, int64_t bytes,
                                     PendingField* field) {
  // One page's strings and items must fit 32-bit offsets together.
  if (field->pending_bytes + bytes > std::numeric_limits<int32_t>::max()) {
    ARROW_RETURN_NOT_OK(FlushPages(field));
  }
  field->pending_rows += array->length();
  field->pending_bytes += bytes;
  pending_bytes_ += bytes;
  field->last_bytes = bytes;
  field->pending.push_back(std::move(array));
  const bool whole = field->pending.size() == 1 && bytes >= options_.page_bytes / kWholePagePart;
  return whole || field->pending_bytes >= options_.page_bytes ? FlushPages(field) : arrow::Status::OK();
}

arrow::Status FileWriterImpl::FlushPages(PendingField* field) {
  if (field->pending_rows == 0) return arrow::Status::OK();
  const int64_t first_row = field->first_row, num_bytes = field->pending_bytes;
  const bool small = num_bytes < kMinParallelBytes;
  auto arrays = std::move(field->pending);
  field->first_row += field->pending_rows;
  field->pending.clear();
  field->num_copied = 0;
  pending_bytes_ -= field->pending_bytes;
  field->pending_bytes = field->pending_rows = 0;
  if (IsBlobV1(field->field())) {
    ARROW_RETURN_NOT_OK(WriteAllEncodings());
    const auto status = WriteBlobPage(arrays, field);
    return status.ok() ? status : Annotate(status, "Column '" + field->field().name() + "': ");
  }
  std::shared_ptr<arrow::Array> rows = arrays[0];
  if (arrays.size() > 1) {
    // Here and not where they are encoded: threads that allocate much keep much, each for itself.
    auto copy = CopyOf(std::move(arrays), options_.pool);
    if (!copy.ok()) return Annotate(copy.status(), "Column '" + field->field().name() + "': ");
    rows = *std::move(copy);
  }
  auto* pool = arrow::internal::GetCpuThreadPool();
  if (pool->OwnsThisThread() || (small && encodings_.empty())) {
    ARROW_RETURN_NOT_OK(WriteAllEncodings());
    auto pages = field->encoder.Encode(rows->data(), first_row);
    encodings_.push_back({field, num_bytes, 0, arrow::Future<EncodedField>::MakeFinished(std::move(pages))});
    return WriteOldest();
  }
  ARROW_RETURN_NOT_OK(WriteFinished());
  while (encodings_.size() > static_cast<size_t>(pool->GetCapacity())) ARROW_RETURN_NOT_OK(WriteOldest());
  auto encode = [encoder = &field->encoder, rows = rows->data(), first_row]() mutable {
    return encoder->Encode(std::move(rows), first_row);
  };
  ARROW_ASSIGN_OR_RAISE(auto pages, pool->Submit(std::move(encode)));
  encodings_.push_back({field, num_bytes, MostBytes(*rows), std::move(pages)});
  return arrow::Status::OK();
}

arrow::Status FileWriterImpl::WriteOldest() {
  Encoding oldest = std::move(encodings_.front());
  encodings_.pop_front();
  auto pages = oldest.pages.MoveResult();
  auto status = pages.status();
  if (status.ok()) status = WritePages(*std::move(pages), oldest.field);
  if (!status.ok()) return Annotate(status, "Column '" + oldest.field->field().name() + "': ");
  written_bytes_ += oldest.num_bytes;
  if (written_bytes_ >= kReleaseBytes) {
    written_bytes_ = 0;
    options_.pool->ReleaseUnused();
  }
  return status;
}

arrow::Status FileWriterImpl::WriteFinished() {
  while (!encodings_.empty() && encodings_.front().pages.is_finished()) ARROW_RETURN_NOT_OK(WriteOldest());
  return arrow::Status::OK();
}

arrow::Status FileWriterImpl::WriteAllEncodings() {
  while (!encodings_.empty()) ARROW_RETURN_NOT_OK(WriteOldest());
  return arrow::Status::OK();
}

arrow::Status FileWriterImpl::WritePages(EncodedField encoded, PendingField* field) {
  for (size_t i = 0; i < encoded.num_structs.size(); ++i) field->num_structs[i] += encoded.num_structs[i];
  for (EncodedColumnPage& page : encoded.pages) {
    auto* to = field->columns[page.column].add_pages();
    *to = std::move(page.page);
    ARROW_RETURN_NOT_OK(AppendBuffers(page.buffers, to));
  }
  return arrow::Status::OK();
}

/// Writes the values, each on its own; the page says where they are.
arrow::Status FileWriterImpl::WriteBlobPage(const arrow::ArrayVector& arrays, PendingField* field) {
  const bool v2_0 = options_.version == FormatVersion::k2_0;
  const uint64_t null_position = v2_0 ? 1 : uint64_t{1} << 16;  // 2.1: the definition level in the upper half
  arrow::UInt64Builder positions(options_.pool), sizes(options_.pool);
  bool has_nulls = false;
  for (const auto& array : arrays) {
    const auto& blobs = static_cast<const arrow::LargeBinaryArray&>(*array);
    has_nulls |= blobs.null_count() > 0;
    for (int64_t i = 0; i < blobs.length(); ++i) {
      ByteRange range{};
      if (blobs.IsNull(i)) {
        range.offset = static_cast<int64_t>(null_position);
      } else if (blobs.value_length(i) > 0) {
        ARROW_ASSIGN_OR_RAISE(range, AppendAligned(AsSpan(blobs.GetView(i))));
      }
      ARROW_RETURN_NOT_OK(positions.Append(static_cast<uint64_t>(range.offset)));
      ARROW_RETURN_NOT_OK(sizes.Append(static_cast<uint64_t>(range.length)));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto position, positions.Finish());
  ARROW_ASSIGN_OR_RAISE(auto size, sizes.Finish());
  ARROW_ASSIGN_OR_RAISE(
      const auto descriptors,
      arrow::StructArray::Make({position, size}, std::vector<std::string>{"position", "size"}));
  auto* page = field->columns[0].add_pages();
  page->set_length(static_cast<uint64_t>(descriptors->length()));
  if (v2_0) {
    ARROW_ASSIGN_OR_RAISE(const auto encoded, EncodePageV2_0(*descriptors->data(), {}, options_.pool));
    SetEncoding(encoded.encoding, page->mutable_encoding());
    return AppendBuffers(encoded.buffers, page);
  }
  ARROW_ASSIGN_OR_RAISE(const auto encoded,
                        EncodePage(*descriptors->data(), {}, field->encoder.format(), options_.pool));
  lance::encodings21::PageLayout layout;
  *layout.mutable_blob_layout()->mutable_inner_layout() = encoded.layout;
  layout.mutable_blob_layout()->add_layers(has_nulls ? lance::encodings21::REPDEF_NULLABLE_ITEM
                                                     : lance::encodings21::REPDEF_ALL_VALID_ITEM);
  SetEncoding(layout, page->mutable_encoding());
  page->set_priority(static_cast<uint64_t>(field->first_row - descriptors->length()));
  return AppendBuffers(encoded.buffers, page);
}

void FileWriterImpl::WriteStructPages() {
  if (options_.version != FormatVersion::k2_0) return;
  lance::encodings::ArrayEncoding encoding;
  encoding.mutable_struct_();
  for (PendingField& field : fields_) {
    for (size_t i = 0; i < field.columns.size(); ++i) {
      const arrow::Field& node = *field.encoder.columns()[i].leaf.field;
      if (!IsNested(node) || node.type()->id() != arrow::Type::STRUCT) continue;
      auto* page = field.columns[i].add_pages();
      SetEncoding(encoding, page->mutable_encoding());
      page->set_length(static_cast<uint64_t>(field.num_structs[i]));
    }
  }
}

arrow::Status FileWriterImpl::AppendBuffers(const std::vector<PageBuffer>& buffers,
                                            lance::file::v2::ColumnMetadata::Page* page) {
  for (const auto& buffer : buffers) {
    ARROW_ASSIGN_OR_RAISE(const ByteRange range, AppendAligned(buffer.pieces()));
    page->add_buffer_offsets(static_cast<uint64_t>(range.offset));
    page->add_buffer_sizes(static_cast<uint64_t>(range.length));
  }
  return arrow::Status::OK();
}

arrow::Result<ByteRange> FileWriterImpl::AppendAligned(std::span<const std::span<const uint8_t>> pieces) {
  const ByteRange range{sink_->position(), TotalSize(pieces)};
  if (range.length == 0) return range;
  ARROW_RETURN_NOT_OK(sink_->AppendPieces(pieces));
  const int64_t padding = -range.end() & (kBufferAlignment - 1);
  if (padding > 0) ARROW_RETURN_NOT_OK(sink_->Append(AsSpan({kPadding, static_cast<size_t>(padding)})));
  return range;
}

arrow::Result<int32_t> FileWriterImpl::AddGlobalBuffer(std::span<const uint8_t> bytes) {
  ARROW_RETURN_NOT_OK(status_);
  ARROW_RETURN_NOT_OK(status_ = WriteAllEncodings());
  const auto range = AppendAligned(bytes);
  ARROW_RETURN_NOT_OK(status_ = range.status());
  global_buffers_.push_back(*range);
  return static_cast<int32_t>(global_buffers_.size());  // 0 is the descriptor
}

arrow::Result<ByteRange> FileWriterImpl::WriteMessage(const google::protobuf::Message& message) {
  std::string bytes;
  if (!message.SerializeToString(&bytes)) return arrow::Status::CapacityError("a message of more than 2 GiB");
  const ByteRange range{sink_->position(), static_cast<int64_t>(bytes.size())};
  ARROW_RETURN_NOT_OK(sink_->Append(AsSpan(bytes)));
  return range;
}

arrow::Result<ByteRange> FileWriterImpl::WriteDescriptor() {
  lance::file::FileDescriptor descriptor;
  auto* schema = descriptor.mutable_schema();
  schema_->ToProto(schema->mutable_fields(), schema->mutable_metadata());
  DescribeStoredBlobs(schema->mutable_fields());
  for (const auto& [key, value] : extra_metadata_) (*schema->mutable_metadata())[key] = value;
  descriptor.set_length(static_cast<uint64_t>(num_rows_));
  return WriteMessage(descriptor);
}

arrow::Status FileWriterImpl::WriteTable(const std::vector<ByteRange>& ranges) {
  std::string bytes;
  for (const ByteRange& range : ranges) {
    AppendLE<int64_t>(&bytes, range.offset);
    AppendLE<int64_t>(&bytes, range.length);
  }
  return sink_->Append(AsSpan(bytes));
}

arrow::Result<WrittenFile> FileWriterImpl::Finish() {
  if (finished_) return arrow::Status::Invalid("the file is finished already");
  finished_ = true;
  ARROW_RETURN_NOT_OK(status_);
  for (PendingField& field : fields_) ARROW_RETURN_NOT_OK(FlushPages(&field));
  ARROW_RETURN_NOT_OK(WriteAllEncodings());
  WriteStructPages();
  Footer footer;
  footer.version = options_.version;
  std::vector<ByteRange> globals(1);
  ARROW_ASSIGN_OR_RAISE(globals[0], WriteDescriptor());
  globals.insert(globals.end(), global_buffers_.begin(), global_buffers_.end());
  footer.column_metadata_start = sink_->position();
  std::vector<ByteRange> columns;
  for (const PendingField& field : fields_) {
    for (const auto& column : field.columns) {
      ARROW_ASSIGN_OR_RAISE(const ByteRange range, WriteMessage(column));
      columns.push_back(range);
    }
  }
  footer.column_table_start = sink_->position();
  ARROW_RETURN_NOT_OK(WriteTable(columns));
  footer.global_table_start = sink_->position();
  ARROW_RETURN_NOT_OK(WriteTable(globals));
  footer.num_columns = static_cast<uint32_t>(columns.size());
  footer.num_global_buffers = static_cast<uint32_t>(globals.size());
  ARROW_RETURN_NOT_OK(sink_->Append(AsSpan(footer.Serialize())));
  const WrittenFile written{num_rows_, sink_->position()};
  ARROW_RETURN_NOT_OK(sink_->Close());
  return written;
}

}  // namespace

arrow::Result<std::unique_ptr<FileWriter>> FileWriter::Make(std::unique_ptr<WritableObject> sink,
                                                            std::shared_ptr<const Schema> schema,
                                                            FileWriterOptions options) {
  auto writer = std::make_unique<FileWriterImpl>(std::move(sink), std::move(schema), options);
  ARROW_RETURN_NOT_OK(writer->Init());
  return writer;
}

}  // namespace pilum
