// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_writer.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/cast.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <limits>

#include "pilum/encoding/level_builder.h"
#include "pilum/encoding/nesting.h"
#include "pilum/encoding/page_encoder.h"
#include "pilum/file/column_metadata.h"
#include "pilum/file/footer.h"
#include "pilum/file/logical_type.h"
#include "pilum/file/v2_0_nested.h"
#include "pilum/file/written_type.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"
#include "pilum_proto/file2.pb.h"

namespace pilum {

namespace {

constexpr int64_t kMaxPages = 4;  // what one array may exceed the bytes of a page by

constexpr char kPadding[kBufferAlignment + 1] =
    "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH";

/// A column of the file.
struct Column {
  LeafColumn leaf;
  EncodingOptions options;
  lance::file::v2::ColumnMetadata metadata;
  int64_t num_structs = 0;  // 2.0: rows of a struct, whose column says no more
};

/// Rows of one field that wait to become pages, and the columns they will go to.
struct PendingField {
  std::shared_ptr<arrow::Field> field;
  std::vector<Column> columns;
  std::vector<std::shared_ptr<arrow::Array>> pending;
  int64_t pending_bytes = 0;
  int64_t pending_rows = 0;
  int64_t first_row = 0;  // of the pending ones

  bool nested() const { return IsNested(*field); }
};

/// A part of a field's rows.
struct RowsOfField {
  std::shared_ptr<arrow::ArrayData> array;
  int64_t first_row;
};

arrow::Result<int64_t> BytesOf(const arrow::ArrayData& array, const PendingField& field) {
  if (field.nested()) return arrow::util::ReferencedBufferSize(*arrow::MakeArray(array.Copy()));
  const LeafType& type = field.columns[0].leaf.type;
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
  arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const arrow::RecordBatch& batch,
                                                       const PendingField& field) const;
  /// Cuts an array of many pages' bytes.
  arrow::Status Queue(const std::shared_ptr<arrow::Array>& array, PendingField* field);
  arrow::Status Append(std::shared_ptr<arrow::Array> array, int64_t bytes, PendingField* field);
  arrow::Status FlushPages(PendingField* field);
  Column NewColumn(LeafColumn leaf, EncodingOptions options) const;
  arrow::Status AddColumnsV2_0(const std::shared_ptr<arrow::Field>& field,
                               const std::shared_ptr<arrow::Field>& root, PendingField* pending);
  /// Pages of the columns from `*next` on, which are those of `array`.
  arrow::Status WriteNestedV2_0(const std::shared_ptr<arrow::ArrayData>& array, size_t* next,
                                PendingField* field);
  /// The one page that the column of a struct has in version 2.0.
  arrow::Status WriteStructPages();
  arrow::Status WritePage(const RowsOfField& rows, Column* column);
  arrow::Status WriteBlobPage(const RowsOfField& rows, Column* column);
  /// Leaf `index` of the rows, on more than one page if its levels are too many.
  arrow::Status WriteNestedPages(const RowsOfField& rows, LeafArray leaf, size_t index, PendingField* field);
  arrow::Status AppendPage(const std::vector<std::shared_ptr<arrow::Buffer>>& buffers, int64_t num_rows,
                           lance::file::v2::ColumnMetadata::Page* page);
  PageFormat format() const { return {options_.version >= FormatVersion::k2_2}; }
  /// Appends the bytes and pads. @return where they are.
  arrow::Result<ByteRange> AppendAligned(std::span<const uint8_t> bytes);
  arrow::Result<ByteRange> WriteDescriptor();
  arrow::Result<ByteRange> WriteMessage(const google::protobuf::Message& message);
  arrow::Status WriteTable(const std::vector<ByteRange>& ranges);

  const std::unique_ptr<WritableObject> sink_;
  const std::shared_ptr<const Schema> schema_;
  const FileWriterOptions options_;
  std::vector<PendingField> fields_;
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
    ARROW_RETURN_NOT_OK(CheckWritable(*field.arrow, options_.version));
    ARROW_ASSIGN_OR_RAISE(auto leaves, LeafColumn::Of(field.arrow));
    PendingField pending;
    pending.field = field.arrow;
    if (options_.version == FormatVersion::k2_0) {
      ARROW_RETURN_NOT_OK(AddColumnsV2_0(field.arrow, field.arrow, &pending));
    } else {
      for (LeafColumn& leaf : leaves) {
        ARROW_ASSIGN_OR_RAISE(auto options, EncodingOptions::Of(*leaf.field, *field.arrow));
        pending.columns.push_back(NewColumn(std::move(leaf), options));
      }
    }
    fields_.push_back(std::move(pending));
  }
  return arrow::Status::OK();
}

Column FileWriterImpl::NewColumn(LeafColumn leaf, EncodingOptions options) const {
  Column column{std::move(leaf), options, {}};
  lance::encodings::ColumnEncoding encoding;
  if (options_.version == FormatVersion::k2_0 && IsBlob(*column.leaf.field)) {
    encoding.mutable_blob()->mutable_inner()->mutable_values();
  } else {
    encoding.mutable_values();
  }
  SetEncoding(encoding, column.metadata.mutable_encoding());
  return column;
}

/// A column for each node of `field`, depth first.
arrow::Status FileWriterImpl::AddColumnsV2_0(const std::shared_ptr<arrow::Field>& field,
                                             const std::shared_ptr<arrow::Field>& root,
                                             PendingField* pending) {
  ARROW_ASSIGN_OR_RAISE(auto options, EncodingOptions::Of(*field, *root));
  if (IsNested(*field)) {
    LeafColumn node;
    node.field = field;
    pending->columns.push_back(NewColumn(std::move(node), options));
    for (const auto& child : field->type()->fields())
      ARROW_RETURN_NOT_OK(AddColumnsV2_0(child, root, pending));
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto leaves, LeafColumn::Of(field));
  pending->columns.push_back(NewColumn(std::move(leaves[0]), options));
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> FileWriterImpl::ArrayOf(const arrow::RecordBatch& batch,
                                                                     const PendingField& field) const {
  const std::string& name = field.field->name();
  const auto& type = field.field->type();
  auto array = batch.GetColumnByName(name);
  if (array == nullptr) {
    return arrow::Status::Invalid("Cannot write batch. The batch was missing the column `", name, "`");
  }
  if (!array->type()->Equals(*type) && StoredType(array->type())->Equals(*type)) {  // a view
    ARROW_ASSIGN_OR_RAISE(auto stored, arrow::compute::Cast(array, type));
    array = stored.make_array();
  }
  if (!array->type()->Equals(*type)) {
    return arrow::Status::TypeError("Column `", name, "` is of type ", array->type()->ToString(), ", not ",
                                    type->ToString());
  }
  ARROW_RETURN_NOT_OK(CheckNulls(*array->data(), *field.field));
  return array;
}

arrow::Status FileWriterImpl::Write(const arrow::RecordBatch& batch) {
  if (batch.num_rows() == 0) return arrow::Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const PendingField& field : fields_) {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(batch, field));
    arrays.push_back(std::move(array));
  }
  for (size_t i = 0; i < fields_.size(); ++i) ARROW_RETURN_NOT_OK(Queue(arrays[i], &fields_[i]));
  num_rows_ += batch.num_rows();
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
  field->pending.push_back(std::move(array));
  return field->pending_bytes >= options_.page_bytes ? FlushPages(field) : arrow::Status::OK();
}

arrow::Status FileWriterImpl::FlushPages(PendingField* field) {
  if (field->pending_rows == 0) return arrow::Status::OK();
  std::shared_ptr<arrow::Array> array = field->pending[0];
  if (field->pending.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(array, arrow::Concatenate(field->pending, options_.pool));
  }
  const RowsOfField rows{array->data(), field->first_row};
  const auto write = [&]() -> arrow::Status {
    if (!field->nested()) return WritePage(rows, &field->columns[0]);
    if (options_.version == FormatVersion::k2_0) {
      size_t next = 0;
      return WriteNestedV2_0(rows.array, &next, field);
    }
    ARROW_ASSIGN_OR_RAISE(auto leaves, BuildLevels(rows.array, *field->field, options_.pool));
    for (size_t i = 0; i < leaves.size(); ++i) {
      ARROW_RETURN_NOT_OK(WriteNestedPages(rows, std::move(leaves[i]), i, field));
    }
    return arrow::Status::OK();
  };
  if (const auto status = write(); !status.ok()) {
    return Annotate(status, "Column '" + field->field->name() + "': ");
  }
  field->first_row += field->pending_rows;
  field->pending.clear();
  field->pending_bytes = field->pending_rows = 0;
  return arrow::Status::OK();
}

/// Writes the values, each on its own; the page says where they are.
arrow::Status FileWriterImpl::WriteBlobPage(const RowsOfField& rows, Column* column) {
  const arrow::LargeBinaryArray blobs(rows.array);
  const bool v2_0 = options_.version == FormatVersion::k2_0;
  const uint64_t null_position = v2_0 ? 1 : uint64_t{1} << 16;  // 2.1: the definition level in the upper half
  arrow::UInt64Builder positions(options_.pool), sizes(options_.pool);
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
  ARROW_ASSIGN_OR_RAISE(auto position, positions.Finish());
  ARROW_ASSIGN_OR_RAISE(auto size, sizes.Finish());
  ARROW_ASSIGN_OR_RAISE(
      const auto descriptors,
      arrow::StructArray::Make({position, size}, std::vector<std::string>{"position", "size"}));
  auto* page = column->metadata.add_pages();
  if (v2_0) {
    ARROW_ASSIGN_OR_RAISE(const auto encoded, EncodePageV2_0(*descriptors->data(), {}, options_.pool));
    SetEncoding(encoded.encoding, page->mutable_encoding());
    return AppendPage(encoded.buffers, blobs.length(), page);
  }
  ARROW_ASSIGN_OR_RAISE(const auto encoded, EncodePage(*descriptors->data(), {}, format(), options_.pool));
  lance::encodings21::PageLayout layout;
  *layout.mutable_blob_layout()->mutable_inner_layout() = encoded.layout;
  layout.mutable_blob_layout()->add_layers(blobs.null_count() > 0
                                               ? lance::encodings21::REPDEF_NULLABLE_ITEM
                                               : lance::encodings21::REPDEF_ALL_VALID_ITEM);
  SetEncoding(layout, page->mutable_encoding());
  page->set_priority(static_cast<uint64_t>(rows.first_row));
  return AppendPage(encoded.buffers, blobs.length(), page);
}

arrow::Status FileWriterImpl::WritePage(const RowsOfField& rows, Column* column) {
  if (IsBlob(*column->leaf.field)) return WriteBlobPage(rows, column);
  auto* page = column->metadata.add_pages();
  if (options_.version == FormatVersion::k2_0) {
    ARROW_ASSIGN_OR_RAISE(const auto encoded, EncodePageV2_0(*rows.array, column->options, options_.pool));
    SetEncoding(encoded.encoding, page->mutable_encoding());
    return AppendPage(encoded.buffers, rows.array->length, page);
  }
  ARROW_ASSIGN_OR_RAISE(const auto encoded,
                        EncodePage(*rows.array, column->options, format(), options_.pool));
  SetEncoding(encoded.layout, page->mutable_encoding());
  page->set_priority(static_cast<uint64_t>(rows.first_row));
  return AppendPage(encoded.buffers, rows.array->length, page);
}

arrow::Status FileWriterImpl::WriteNestedV2_0(const std::shared_ptr<arrow::ArrayData>& array, size_t* next,
                                              PendingField* field) {
  Column& column = field->columns[(*next)++];
  if (!IsNested(*column.leaf.field)) {
    return array->length == 0 ? arrow::Status::OK() : WritePage({array, 0}, &column);
  }
  switch (array->type->id()) {
    case arrow::Type::STRUCT:
      if (array->GetNullCount() > 0) {
        return arrow::Status::Invalid("The struct field `", column.leaf.field->name(), "` contains ",
                                      array->GetNullCount(),
                                      " null value(s), which files of version 2.0 cannot hold");
      }
      column.num_structs += array->length;
      for (const auto& child : array->child_data) {
        ARROW_RETURN_NOT_OK(WriteNestedV2_0(child->Slice(array->offset, array->length), next, field));
      }
      return arrow::Status::OK();
    default: {
      const EncodedListsV2_0 lists = EncodeListsV2_0(*array);
      if (array->length > 0) {
        auto* page = column.metadata.add_pages();
        SetEncoding(lists.encoding, page->mutable_encoding());
        ARROW_RETURN_NOT_OK(AppendPage({lists.ends}, array->length, page));
      }
      return WriteNestedV2_0(lists.items, next, field);
    }
  }
}

arrow::Status FileWriterImpl::WriteStructPages() {
  if (options_.version != FormatVersion::k2_0) return arrow::Status::OK();
  for (PendingField& field : fields_) {
    for (Column& column : field.columns) {
      if (!IsNested(*column.leaf.field) || column.leaf.field->type()->id() != arrow::Type::STRUCT) continue;
      lance::encodings::ArrayEncoding encoding;
      encoding.mutable_struct_();
      auto* page = column.metadata.add_pages();
      SetEncoding(encoding, page->mutable_encoding());
      ARROW_RETURN_NOT_OK(AppendPage({}, column.num_structs, page));
    }
  }
  return arrow::Status::OK();
}

arrow::Status FileWriterImpl::WriteNestedPages(const RowsOfField& rows, LeafArray leaf, size_t index,
                                               PendingField* field) {
  const int64_t n = rows.array->length;
  if (n > 1 && leaf.levels.TooManyForChunks()) {
    for (const auto& [begin, count] : {std::pair{int64_t{0}, n / 2}, {n / 2, n - n / 2}}) {
      const RowsOfField part{rows.array->Slice(begin, count), rows.first_row + begin};
      ARROW_ASSIGN_OR_RAISE(auto leaves, BuildLevels(part.array, *field->field, options_.pool));
      ARROW_RETURN_NOT_OK(WriteNestedPages(part, std::move(leaves[index]), index, field));
    }
    return arrow::Status::OK();
  }
  Column& column = field->columns[index];
  ARROW_ASSIGN_OR_RAISE(const auto values, LeafValues::Of(*leaf.values, options_.pool));
  ARROW_ASSIGN_OR_RAISE(const auto encoded, EncodePage(values, leaf.levels, column.options, format()));
  auto* page = column.metadata.add_pages();
  SetEncoding(encoded.layout, page->mutable_encoding());
  page->set_priority(static_cast<uint64_t>(rows.first_row));
  return AppendPage(encoded.buffers, n * column.leaf.page_rows_per_row(), page);
}

arrow::Status FileWriterImpl::AppendPage(const std::vector<std::shared_ptr<arrow::Buffer>>& buffers,
                                         int64_t num_rows, lance::file::v2::ColumnMetadata::Page* page) {
  for (const auto& buffer : buffers) {
    ARROW_ASSIGN_OR_RAISE(const ByteRange range, AppendAligned(AsSpan(*buffer)));
    page->add_buffer_offsets(static_cast<uint64_t>(range.offset));
    page->add_buffer_sizes(static_cast<uint64_t>(range.length));
  }
  page->set_length(static_cast<uint64_t>(num_rows));
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
  for (PendingField& field : fields_) ARROW_RETURN_NOT_OK(FlushPages(&field));
  ARROW_RETURN_NOT_OK(WriteStructPages());
  Footer footer;
  footer.version = options_.version;
  std::vector<ByteRange> globals(1);
  ARROW_ASSIGN_OR_RAISE(globals[0], WriteDescriptor());
  globals.insert(globals.end(), global_buffers_.begin(), global_buffers_.end());
  footer.column_metadata_start = sink_->position();
  std::vector<ByteRange> columns;
  for (const PendingField& field : fields_) {
    for (const Column& column : field.columns) {
      ARROW_ASSIGN_OR_RAISE(const ByteRange range, WriteMessage(column.metadata));
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
