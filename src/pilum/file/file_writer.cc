// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_writer.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/cast.h>
#include <google/protobuf/any.pb.h>

#include <algorithm>
#include <limits>

#include "pilum/encoding/leaf_type.h"
#include "pilum/encoding/page_encoder.h"
#include "pilum/file/footer.h"
#include "pilum/file/logical_type.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"
#include "pilum_proto/file2.pb.h"

namespace pilum {

namespace {

constexpr char kPadding[kBufferAlignment + 1] =
    "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH";

template <typename Message>
void SetEncoding(const Message& message, lance::file::v2::Encoding* encoding) {
  google::protobuf::Any any;
  any.set_type_url("/" + std::string(Message::descriptor()->full_name()));
  message.SerializeToString(any.mutable_value());
  any.SerializeToString(encoding->mutable_direct()->mutable_encoding());
}

/// Values of one column that wait to become a page.
struct Column {
  std::shared_ptr<arrow::Field> field;
  EncodingOptions options;
  std::vector<std::shared_ptr<arrow::Array>> pending;
  int64_t pending_bytes = 0;
  int64_t pending_rows = 0;
  int64_t first_row = 0;  // of the pending ones
  lance::file::v2::ColumnMetadata metadata;
};

int64_t BytesOf(const arrow::ArrayData& array, const LeafType& type) {
  if (type.has_fixed_width()) return array.length * type.bits / 8;
  if (type.kind == LeafType::Kind::kNull || array.buffers[1] == nullptr) return 0;
  if (type.offset_bits == 64) {
    const int64_t* offsets = array.GetValues<int64_t>(1);
    return offsets[array.length] - offsets[0] + array.length * 8;
  }
  const int32_t* offsets = array.GetValues<int32_t>(1);
  return offsets[array.length] - offsets[0] + array.length * 4;
}

class FileWriterImpl final : public FileWriter {
 public:
  FileWriterImpl(std::unique_ptr<WritableObject> sink, std::shared_ptr<const Schema> schema,
                 FileWriterOptions options)
      : sink_(std::move(sink)), schema_(std::move(schema)), options_(options) {}

  arrow::Status Init();

  arrow::Status Write(const arrow::RecordBatch& batch) override;
  void AddSchemaMetadata(std::string key, std::string value) override {
    extra_metadata_[std::move(key)] = std::move(value);
  }
  arrow::Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes) override;
  int64_t num_rows() const override { return num_rows_; }
  int64_t num_bytes() const override { return sink_->position(); }
  arrow::Result<WrittenFile> Finish() override;

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> ColumnOf(const arrow::RecordBatch& batch,
                                                        const Column& column) const;
  arrow::Status FlushPage(Column* column);
  /// Appends the bytes and pads. @return where they are.
  arrow::Result<ByteRange> AppendAligned(std::span<const uint8_t> bytes);
  arrow::Result<ByteRange> WriteDescriptor();
  arrow::Result<ByteRange> WriteMessage(const google::protobuf::Message& message);
  arrow::Status WriteTable(const std::vector<ByteRange>& ranges);

  const std::unique_ptr<WritableObject> sink_;
  const std::shared_ptr<const Schema> schema_;
  const FileWriterOptions options_;
  std::vector<Column> columns_;
  std::vector<LeafType> types_;
  std::vector<ByteRange> global_buffers_;  // the user's
  std::map<std::string, std::string> extra_metadata_;
  int64_t num_rows_ = 0;
  bool finished_ = false;
};

arrow::Status FileWriterImpl::Init() {
  if (options_.version == FormatVersion::kLegacy) {
    return arrow::Status::NotImplemented("writing files of format version 0.1");
  }
  for (const SchemaField& field : schema_->fields()) {
    auto type = LeafType::Of(field.arrow->type());
    if (!type.ok()) return Annotate(type.status(), "Column '" + field.name() + "': ");
    types_.push_back(*std::move(type));
    Column column;
    column.field = field.arrow;
    ARROW_ASSIGN_OR_RAISE(column.options, EncodingOptions::Of(*field.arrow, *field.arrow));
    lance::encodings::ColumnEncoding encoding;
    encoding.mutable_values();
    SetEncoding(encoding, column.metadata.mutable_encoding());
    columns_.push_back(std::move(column));
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> FileWriterImpl::ColumnOf(const arrow::RecordBatch& batch,
                                                                      const Column& column) const {
  const std::string& name = column.field->name();
  auto array = batch.GetColumnByName(name);
  if (array == nullptr) {
    return arrow::Status::Invalid("Cannot write batch. The batch was missing the column `", name, "`");
  }
  if (StoredType(array->type())->Equals(*column.field->type()) &&
      !array->type()->Equals(*column.field->type())) {
    ARROW_ASSIGN_OR_RAISE(auto stored, arrow::compute::Cast(array, column.field->type()));  // a view
    array = stored.make_array();
  }
  if (!array->type()->Equals(*column.field->type())) {
    return arrow::Status::TypeError("Column `", name, "` is of type ", array->type()->ToString(), ", not ",
                                    column.field->type()->ToString());
  }
  if (!column.field->nullable() && array->null_count() > 0) {
    return arrow::Status::Invalid(
        "The field `", name,
        "` contained null values even though the field is marked non-null in the schema");
  }
  return array;
}

arrow::Status FileWriterImpl::Write(const arrow::RecordBatch& batch) {
  if (batch.num_rows() == 0) return arrow::Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const Column& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(auto array, ColumnOf(batch, column));
    arrays.push_back(std::move(array));
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    const int64_t bytes = BytesOf(*arrays[i]->data(), types_[i]);
    // One page's strings must fit 32-bit offsets together.
    if (column.pending_bytes + bytes > std::numeric_limits<int32_t>::max())
      ARROW_RETURN_NOT_OK(FlushPage(&column));
    column.pending.push_back(arrays[i]);
    column.pending_bytes += bytes;
    column.pending_rows += batch.num_rows();
    if (column.pending_bytes > options_.page_bytes) ARROW_RETURN_NOT_OK(FlushPage(&column));
  }
  num_rows_ += batch.num_rows();
  return arrow::Status::OK();
}

arrow::Status FileWriterImpl::FlushPage(Column* column) {
  if (column->pending_rows == 0) return arrow::Status::OK();
  std::shared_ptr<arrow::Array> array = column->pending[0];
  if (column->pending.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(array, arrow::Concatenate(column->pending, options_.pool));
  }
  auto* page = column->metadata.add_pages();
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
  const auto locate = [&](const arrow::Status& status) {
    return Annotate(status, "Column '" + column->field->name() + "': ");
  };
  if (options_.version == FormatVersion::k2_0) {
    auto encoded = EncodePageV2_0(*array->data(), column->options, options_.pool);
    if (!encoded.ok()) return locate(encoded.status());
    SetEncoding(encoded->encoding, page->mutable_encoding());
    buffers = std::move(encoded->buffers);
  } else {
    auto encoded =
        EncodePage(*array->data(), column->options, {options_.version >= FormatVersion::k2_2}, options_.pool);
    if (!encoded.ok()) return locate(encoded.status());
    SetEncoding(encoded->layout, page->mutable_encoding());
    buffers = std::move(encoded->buffers);
    page->set_priority(static_cast<uint64_t>(column->first_row));
  }
  for (const auto& buffer : buffers) {
    ARROW_ASSIGN_OR_RAISE(const ByteRange range, AppendAligned(AsSpan(*buffer)));
    page->add_buffer_offsets(static_cast<uint64_t>(range.offset));
    page->add_buffer_sizes(static_cast<uint64_t>(range.length));
  }
  page->set_length(static_cast<uint64_t>(column->pending_rows));
  column->first_row += column->pending_rows;
  column->pending.clear();
  column->pending_bytes = column->pending_rows = 0;
  return arrow::Status::OK();
}

arrow::Result<ByteRange> FileWriterImpl::AppendAligned(std::span<const uint8_t> bytes) {
  const ByteRange range{sink_->position(), static_cast<int64_t>(bytes.size())};
  if (bytes.empty()) return range;
  ARROW_RETURN_NOT_OK(sink_->Append(bytes));
  const int64_t padding = -range.end() & (kBufferAlignment - 1);
  if (padding > 0) ARROW_RETURN_NOT_OK(sink_->Append(AsSpan({kPadding, static_cast<size_t>(padding)})));
  return range;
}

arrow::Result<int32_t> FileWriterImpl::AddGlobalBuffer(std::span<const uint8_t> bytes) {
  ARROW_ASSIGN_OR_RAISE(const ByteRange range, AppendAligned(bytes));
  global_buffers_.push_back(range);
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
  for (Column& column : columns_) ARROW_RETURN_NOT_OK(FlushPage(&column));
  Footer footer;
  footer.version = options_.version;
  std::vector<ByteRange> globals(1);
  ARROW_ASSIGN_OR_RAISE(globals[0], WriteDescriptor());
  globals.insert(globals.end(), global_buffers_.begin(), global_buffers_.end());
  footer.column_metadata_start = sink_->position();
  std::vector<ByteRange> columns;
  for (const Column& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(const ByteRange range, WriteMessage(column.metadata));
    columns.push_back(range);
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
