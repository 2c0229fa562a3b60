// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_reader.h"

#include <arrow/array.h>

#include <mutex>

#include "pilum/encoding/blob_field.h"
#include "pilum/file/column_metadata.h"
#include "pilum/file/column_reader.h"
#include "pilum/file/footer.h"
#include "pilum/file/legacy_file_reader.h"
#include "pilum/file/nested_column.h"
#include "pilum/file/v2_0_nested.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

/// Gives the fields of descriptions of blobs of version 2, which a file writes without a parent, to the
/// struct in front of them. Spec: 10-file.md §3.6.
void AdoptDescriptions(google::protobuf::RepeatedPtrField<lance::file::Field>* fields) {
  const auto& children = BlobV2DescriptionType()->fields();
  const int n = static_cast<int>(children.size());
  for (int i = 0; i + n < fields->size(); ++i) {
    const auto& blob = fields->Get(i);
    if (blob.logical_type() != "struct" || !blob.metadata().contains(kBlobMetadata)) continue;
    bool follow = true;
    for (int k = 0; k < n; ++k) {
      const auto& child = fields->Get(i + 1 + k);
      follow = follow && child.id() == -1 && child.name() == children[static_cast<size_t>(k)]->name();
    }
    for (int k = 0; follow && k < n; ++k) fields->Mutable(i + 1 + k)->set_parent_id(blob.id());
  }
}

/// Of each column of a field; none for nested fields of version 2.0.
using FieldPlan = std::vector<ColumnPlan>;

class FileReaderImpl final : public FileReader {
 public:
  FileReaderImpl(std::shared_ptr<ReadableObject> object, FileTail tail)
      : object_(std::move(object)), tail_(std::move(tail)), columns_(tail_.columns.size()) {
    memory_bytes_ = kOpenFileBytes + tail_.bytes->size() +
                    std::ssize(columns_) * static_cast<int64_t>(sizeof(columns_[0]) + sizeof(ByteRange));
  }

  arrow::Status ParseDescriptor();

  const std::string& path() const override { return object_->path(); }
  FormatVersion version() const override { return tail_.footer.version; }
  int64_t num_rows() const override { return num_rows_; }
  int32_t num_columns() const override { return static_cast<int32_t>(columns_.size()); }
  const std::shared_ptr<const Schema>& schema() const override { return schema_; }
  int64_t num_bytes() const override { return object_->size(); }
  int64_t memory_bytes() const override { return memory_bytes_; }

  arrow::Result<FileDescription> Describe() const override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadGlobalBuffer(int32_t index) override;

 private:
  /// @param num_rows that the column has, in its own rows.
  arrow::Result<std::shared_ptr<ColumnReader>> OpenColumn(int32_t index, const LeafColumn& leaf,
                                                          int64_t num_rows);
  arrow::Status ReadTables(std::span<FieldPlan> plans);
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const FileProjection& projection,
                                                              std::span<const RowRange> rows,
                                                              arrow::MemoryPool* pool) override;

  const std::shared_ptr<ReadableObject> object_;
  const FileTail tail_;
  int64_t num_rows_ = 0;
  std::shared_ptr<const Schema> schema_;

  std::atomic<int64_t> memory_bytes_ = 0;
  std::mutex mutex_;  // guards columns_; never held while reading
  std::vector<std::shared_ptr<ColumnReader>> columns_;
};

arrow::Status FileReaderImpl::ParseDescriptor() {
  const ByteRange range = tail_.global_buffers[0];
  ARROW_ASSIGN_OR_RAISE(auto bytes, ReadGlobalBuffer(0));
  lance::file::FileDescriptor descriptor;
  if (!descriptor.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
    return CorruptFile(object_->path(), range.offset, "the schema descriptor does not parse");
  }
  num_rows_ = static_cast<int64_t>(descriptor.length());
  if (num_rows_ < 0) return CorruptFile(object_->path(), range.offset, "more than 2^63 rows");
  AdoptDescriptions(descriptor.mutable_schema()->mutable_fields());
  auto schema = Schema::FromProto(descriptor.schema().fields(), descriptor.schema().metadata());
  if (!schema.ok()) return Annotate(schema.status(), object_->path() + ": ");
  schema_ = *std::move(schema);
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<ColumnReader>> FileReaderImpl::OpenColumn(int32_t index, const LeafColumn& leaf,
                                                                        int64_t num_rows) {
  if (index < 0 || index >= num_columns()) {
    return arrow::Status::Invalid(object_->path(), ": column ", index, " was asked for but there are only ",
                                  num_columns(), " columns in the file");
  }
  const size_t at = static_cast<size_t>(index);
  {
    std::lock_guard lock(mutex_);
    if (columns_[at] != nullptr && columns_[at]->Is(leaf, num_rows)) return columns_[at];
  }
  const auto metadata = tail_.Slice(tail_.columns[at]);
  ARROW_ASSIGN_OR_RAISE(auto column, ColumnReader::Open(*object_, tail_.columns[at], AsSpan(*metadata),
                                                        version(), leaf, num_rows));
  std::lock_guard lock(mutex_);
  if (columns_[at] != nullptr && columns_[at]->Is(leaf, num_rows)) return columns_[at];  // another thread's
  memory_bytes_ += column->memory_bytes() - (columns_[at] == nullptr ? 0 : columns_[at]->memory_bytes());
  columns_[at] = column;
  return column;
}

/// Has the pages of `plans` read what they keep in memory; one request, none mostly.
arrow::Status FileReaderImpl::ReadTables(std::span<FieldPlan> plans) {
  std::vector<ByteRange> bytes;
  for (FieldPlan& field : plans) {
    for (ColumnPlan& plan : field) ColumnReader::AppendTables(plan.parts, &bytes);
  }
  if (bytes.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto fetched, object_->ReadMany(bytes));
  Buffers rest = fetched.ranges;
  for (FieldPlan& field : plans) {
    for (ColumnPlan& plan : field) {
      ARROW_ASSIGN_OR_RAISE(const int64_t grown, plan.column->InitTables(plan.parts, &rest));
      memory_bytes_ += grown;
    }
  }
  return arrow::Status::OK();
}

/// The rows of a field whose columns are `plans`.
arrow::Result<std::shared_ptr<arrow::ArrayData>> DecodeField(const arrow::Field& field, int64_t n,
                                                             std::span<const ColumnPlan> plans,
                                                             Buffers* buffers, arrow::MemoryPool* pool) {
  if (!plans[0].column->column().nested()) {
    ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(plans[0].column->column().type, n, pool));
    ARROW_RETURN_NOT_OK(ColumnReader::Decode(plans[0].parts, buffers, &builder));
    return builder.Finish();
  }
  std::vector<NestedLeaf> leaves;
  for (const ColumnPlan& plan : plans) {
    ARROW_ASSIGN_OR_RAISE(auto pieces, ColumnReader::DecodeNested(plan.parts, buffers));
    leaves.push_back({plan.column->column(), std::move(pieces)});
  }
  return AssembleNested(field, n, std::move(leaves), pool);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FileReaderImpl::ReadRows(const FileProjection& projection,
                                                                            std::span<const RowRange> rows,
                                                                            arrow::MemoryPool* pool) {
  int64_t n = 0;
  for (const RowRange& range : rows) n += range.size();
  std::vector<FieldPlan> plans;
  std::span<const int32_t> columns(projection.column_indices);
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays(projection.schema->fields().size());
  for (size_t i = 0; i < arrays.size(); ++i) {
    const auto& field = projection.schema->field(static_cast<int>(i));
    auto& plan = plans.emplace_back();
    if (version() == FormatVersion::k2_0 && IsNested(*field)) {
      const auto find = [this](int32_t index, const LeafColumn& leaf, int64_t num_leaf_rows,
                               std::span<const RowRange> leaf_rows) -> arrow::Result<ColumnPlan> {
        FieldPlan found(1);
        ARROW_ASSIGN_OR_RAISE(found[0].column, OpenColumn(index, leaf, num_leaf_rows));
        found[0].parts = found[0].column->Find(leaf_rows);
        ARROW_RETURN_NOT_OK(ReadTables({&found, 1}));
        return std::move(found[0]);
      };
      const NestedReaderV2_0 reader(object_.get(), tail_, projection, find, pool);
      ARROW_ASSIGN_OR_RAISE(arrays[i], reader.Read(field, num_rows_, rows, &columns));
      continue;
    }
    auto leaves = LeafColumn::Of(field);
    if (!leaves.ok()) return Annotate(leaves.status(), object_->path() + ": ");
    for (LeafColumn& leaf : *leaves) {
      if (columns.empty()) {
        return arrow::Status::Invalid(object_->path(), ": a projection with too few columns for its schema");
      }
      ARROW_ASSIGN_OR_RAISE(leaf, projection.Stored(columns.front(), std::move(leaf)));
      ARROW_ASSIGN_OR_RAISE(auto column, OpenColumn(columns.front(), leaf, num_rows_));
      columns = columns.subspan(1);
      auto parts = column->Find(rows);
      plan.push_back({std::move(column), std::move(parts)});
    }
  }
  if (!columns.empty()) {
    return arrow::Status::Invalid(object_->path(), ": a projection with more columns than its schema has");
  }
  ARROW_RETURN_NOT_OK(ReadTables(plans));
  std::vector<ByteRange> bytes;
  for (FieldPlan& field : plans) {
    for (ColumnPlan& plan : field) ColumnReader::Plan(plan.parts, &bytes);
  }
  ARROW_ASSIGN_OR_RAISE(const auto fetched, object_->ReadMany(bytes));
  Buffers rest = fetched.ranges;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].empty()) continue;
    const arrow::Field& field = *projection.schema->field(static_cast<int>(i));
    auto array = DecodeField(field, n, plans[i], &rest, pool);
    if (array.status().IsInvalid()) return CorruptFile(object_->path(), 0, array.status().message());
    if (array.status().IsCapacityError())
      return Annotate(array.status(), object_->path() + ", column '" + field.name() + "': ");
    ARROW_RETURN_NOT_OK(array.status());
    arrays[i] = *std::move(array);
  }
  return arrow::RecordBatch::Make(projection.schema, n, std::move(arrays));
}

arrow::Result<FileDescription> FileReaderImpl::Describe() const {
  FileDescription description;
  description.global_buffers = tail_.global_buffers;
  for (const ByteRange& range : tail_.global_buffers) description.num_global_buffer_bytes += range.length;
  const Footer& footer = tail_.footer;
  description.num_data_bytes = footer.column_metadata_start - description.num_global_buffer_bytes;
  description.num_column_metadata_bytes = footer.global_table_start - footer.column_metadata_start;
  for (const ByteRange& range : tail_.columns) {
    auto column = DescribeColumn(AsSpan(*tail_.Slice(range)), version(), object_->path(), object_->size());
    if (!column.ok()) return CorruptFile(object_->path(), range.offset, column.status().message());
    description.columns.push_back(*std::move(column));
  }
  return description;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> FileReaderImpl::ReadGlobalBuffer(int32_t index) {
  if (index < 0 || static_cast<size_t>(index) >= tail_.global_buffers.size()) {
    return arrow::Status::Invalid(object_->path(), ": request for global buffer at index ", index,
                                  " but there were only ", tail_.global_buffers.size(),
                                  " global buffers in the file");
  }
  const ByteRange range = tail_.global_buffers[static_cast<size_t>(index)];
  if (auto bytes = tail_.Slice(range)) return bytes;
  return object_->Read(range);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FileReader::ReadRange(const FileProjection& projection,
                                                                         int64_t begin, int64_t end,
                                                                         arrow::MemoryPool* pool) {
  if (begin < 0 || end < begin || end > num_rows()) {
    return arrow::Status::IndexError(path(), ": rows ", begin, " to ", end, " of a file of ", num_rows());
  }
  const RowRange range{begin, end};
  return ReadRows(projection, {&range, 1}, pool);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FileReader::Take(const FileProjection& projection,
                                                                    std::span<const int64_t> rows,
                                                                    arrow::MemoryPool* pool) {
  std::vector<RowRange> ranges;
  ranges.reserve(rows.size());
  for (const int64_t row : rows) {
    const int64_t lowest = ranges.empty() ? 0 : ranges.back().end;
    if (row < lowest || row >= num_rows()) {
      return arrow::Status::IndexError(path(), ": row ", row, " of a file of ", num_rows(),
                                       ", or rows not in ascending order");
    }
    if (!ranges.empty() && row == lowest) {
      ranges.back().end = row + 1;
    } else {
      ranges.push_back({row, row + 1});
    }
  }
  return ReadRows(projection, ranges, pool);
}

arrow::Result<std::shared_ptr<FileReader>> FileReader::Open(std::shared_ptr<ReadableObject> object) {
  ARROW_ASSIGN_OR_RAISE(auto tail, FileTail::Read(object.get()));
  if (tail.footer.version == FormatVersion::kLegacy) return OpenLegacyFile(std::move(object), tail);
  auto reader = std::make_shared<FileReaderImpl>(std::move(object), std::move(tail));
  ARROW_RETURN_NOT_OK(reader->ParseDescriptor());
  return reader;
}

}  // namespace pilum
