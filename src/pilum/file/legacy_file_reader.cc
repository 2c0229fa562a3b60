// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/legacy_file_reader.h"

#include <arrow/array.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "pilum/encoding/leaf_type.h"
#include "pilum/file/legacy_page.h"
#include "pilum/file/nested_column.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"
#include "pilum_proto/file.pb.h"
#include "pilum_proto/table.pb.h"

namespace pilum {

namespace {

constexpr int64_t kTailBytes = 16;   // i64 position of the metadata, two i16 of the version, magic
constexpr int64_t kTableEntry = 16;  // i64 position, i64 length
constexpr int64_t kLengthBytes = 4;  // in front of a message

/// Rows of one batch.
struct BatchRows {
  int64_t batch;
  RowRange rows;
};

class LegacyFileReader final : public FileReader {
 public:
  explicit LegacyFileReader(std::shared_ptr<ReadableObject> object) : object_(std::move(object)) {}

  arrow::Status Init(const FileTail& tail);

  const std::string& path() const override { return object_->path(); }
  FormatVersion version() const override { return FormatVersion::kLegacy; }
  int64_t num_rows() const override { return batch_starts_.back(); }
  int64_t num_bytes() const override { return object_->size(); }
  int64_t memory_bytes() const override {
    return kOpenFileBytes + (page_table_bytes_ == nullptr ? 0 : page_table_bytes_->size()) +
           std::ssize(batch_starts_) * 8;
  }
  int32_t num_columns() const override {
    return static_cast<int32_t>(schema_->ColumnFieldIds(version()).size());
  }
  const std::shared_ptr<const Schema>& schema() const override { return schema_; }

  arrow::Result<FileDescription> Describe() const override {
    return arrow::Status::NotImplemented(path(), ": a description of a file of version 0.1");
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadGlobalBuffer(int32_t index) override {
    return arrow::Status::Invalid(path(), ": request for global buffer at index ", index,
                                  " but a file of version 0.1 has none");
  }

 private:
  template <typename Message>
  arrow::Status ReadMessage(const FileTail& tail, int64_t position, const char* what, Message* message) const;
  arrow::Status InitBatches(const lance::file::Metadata& metadata, int64_t position);
  arrow::Status ReadPageTable(int64_t position);
  arrow::Status ReadDictionary(const lance::file::Field& field);

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const FileProjection& projection,
                                                              std::span<const RowRange> rows,
                                                              arrow::MemoryPool* pool) override;
  std::vector<BatchRows> SplitByBatch(std::span<const RowRange> rows) const;
  arrow::Result<std::vector<LegacyPart>> FindPages(int32_t id, std::span<const BatchRows> rows) const;
  arrow::Result<std::shared_ptr<arrow::ArrayData>> ReadField(const std::shared_ptr<arrow::Field>& field,
                                                             std::span<const BatchRows> rows,
                                                             std::span<const int32_t>* ids,
                                                             arrow::MemoryPool* pool) const;
  arrow::Result<std::shared_ptr<arrow::ArrayData>> ReadLeaf(const arrow::Field& field, int32_t id,
                                                            std::span<const BatchRows> rows,
                                                            arrow::MemoryPool* pool) const;
  arrow::Result<std::shared_ptr<arrow::ArrayData>> ReadList(const arrow::Field& field, int32_t id,
                                                            std::span<const BatchRows> rows,
                                                            std::span<const int32_t>* ids,
                                                            arrow::MemoryPool* pool) const;

  arrow::Result<LeafType> LeafTypeOf(const std::shared_ptr<arrow::DataType>& type) const {
    auto leaf = LeafType::Of(type);
    if (!leaf.ok()) return Annotate(leaf.status(), path() + ": ");
    return leaf;
  }
  int64_t num_batches() const { return static_cast<int64_t>(batch_starts_.size()) - 1; }

  // Constant after Init.
  const std::shared_ptr<ReadableObject> object_;
  std::shared_ptr<const Schema> schema_;
  std::vector<int64_t> batch_starts_;  // first row of each batch, and the row behind the last
  // By field id: one entry per batch. A field whose part lies behind the end of the table has no pages.
  std::map<int32_t, std::span<const uint8_t>> page_table_;
  std::shared_ptr<arrow::Buffer> page_table_bytes_;
  std::map<int32_t, std::shared_ptr<arrow::ArrayData>> dictionaries_;  // by field id
};

template <typename Message>
arrow::Status LegacyFileReader::ReadMessage(const FileTail& tail, int64_t position, const char* what,
                                            Message* message) const {
  const int64_t end = object_->size() - kTailBytes;
  if (position < 0 || position > end - kLengthBytes) {
    return CorruptFile(path(), position, std::string(what) + " outside the file");
  }
  const auto read = [&](ByteRange range) -> arrow::Result<std::shared_ptr<arrow::Buffer>> {
    if (auto bytes = tail.Slice(range)) return bytes;
    return object_->Read(range);
  };
  ARROW_ASSIGN_OR_RAISE(const auto prefix, read({position, kLengthBytes}));
  const int64_t length = LoadLE<uint32_t>(prefix->data());
  if (length > end - kLengthBytes - position) {
    return CorruptFile(path(), position, std::string(what) + " leaves the file");
  }
  ARROW_ASSIGN_OR_RAISE(const auto bytes, read({position + kLengthBytes, length}));
  const google::protobuf::LogSilencer silencer;  // the caller reports
  if (length > std::numeric_limits<int>::max() ||
      !message->ParseFromArray(bytes->data(), static_cast<int>(length))) {
    return CorruptFile(path(), position, std::string(what) + " that does not parse");
  }
  return arrow::Status::OK();
}

arrow::Status LegacyFileReader::Init(const FileTail& tail) {
  const auto end = tail.Slice({object_->size() - kTailBytes, kTailBytes});
  const int64_t metadata_position = LoadLE<int64_t>(end->data());
  lance::file::Metadata metadata;
  ARROW_RETURN_NOT_OK(ReadMessage(tail, metadata_position, "metadata", &metadata));
  ARROW_RETURN_NOT_OK(InitBatches(metadata, metadata_position));
  lance::table::Manifest manifest;
  ARROW_RETURN_NOT_OK(
      ReadMessage(tail, static_cast<int64_t>(metadata.manifest_position()), "a schema", &manifest));
  auto schema = Schema::FromProto(manifest.fields(), manifest.schema_metadata());
  if (!schema.ok()) return Annotate(schema.status(), path() + ": ");
  schema_ = *std::move(schema);
  ARROW_RETURN_NOT_OK(ReadPageTable(static_cast<int64_t>(metadata.page_table_position())));
  for (const lance::file::Field& field : manifest.fields()) ARROW_RETURN_NOT_OK(ReadDictionary(field));
  return arrow::Status::OK();
}

arrow::Status LegacyFileReader::InitBatches(const lance::file::Metadata& metadata, int64_t position) {
  batch_starts_.assign(metadata.batch_offsets().begin(), metadata.batch_offsets().end());
  if (batch_starts_.empty()) batch_starts_.push_back(0);
  if (batch_starts_[0] != 0 || !std::ranges::is_sorted(batch_starts_)) {
    return CorruptFile(path(), position, "batches that do not begin where the one before ends");
  }
  return arrow::Status::OK();
}

/// The rows of the table that belong to fields of the schema.
arrow::Status LegacyFileReader::ReadPageTable(int64_t position) {
  if (position < 0 || position > object_->size()) {
    return CorruptFile(path(), position, "a page table outside the file");
  }
  auto ids = schema_->ColumnFieldIds(version());
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const int64_t room = (object_->size() - position) / kTableEntry;
  std::vector<ByteRange> ranges;
  for (const int32_t id : ids) {
    const int64_t rank = int64_t{id} - ids[0];
    if (num_batches() == 0 || rank >= room / num_batches()) break;
    ranges.push_back({position + rank * num_batches() * kTableEntry, num_batches() * kTableEntry});
  }
  ARROW_ASSIGN_OR_RAISE(auto table, object_->ReadMany(ranges));
  for (size_t i = 0; i < ranges.size(); ++i) page_table_[ids[i]] = table.ranges[i];
  page_table_bytes_ = std::move(table.memory);
  return arrow::Status::OK();
}

arrow::Status LegacyFileReader::ReadDictionary(const lance::file::Field& field) {
  const SchemaField* node = schema_->FindFieldById(field.id());
  if (node == nullptr || node->arrow->type()->id() != arrow::Type::DICTIONARY) return arrow::Status::OK();
  const auto& type = static_cast<const arrow::DictionaryType&>(*node->arrow->type());
  ARROW_ASSIGN_OR_RAISE(const auto leaf, LeafTypeOf(type.value_type()));
  const int64_t length = field.dictionary().length();
  if (length < 0) return CorruptFile(path(), -1, "a dictionary of " + std::to_string(length) + " entries");
  const LegacyPart all{field.dictionary().offset(), length, {0, length}};
  const LegacyPageReader reader(object_.get(), arrow::default_memory_pool());
  ARROW_ASSIGN_OR_RAISE(dictionaries_[field.id()],
                        reader.ReadLeaf(leaf, /*nullable=*/true, nullptr, {&all, length == 0 ? 0u : 1u}));
  return arrow::Status::OK();
}

std::vector<BatchRows> LegacyFileReader::SplitByBatch(std::span<const RowRange> rows) const {
  std::vector<BatchRows> parts;
  for (RowRange range : rows) {
    auto next = std::ranges::upper_bound(batch_starts_, range.begin);
    while (range.size() > 0) {
      const int64_t begin = *std::prev(next), end = std::min(range.end, *next);
      if (end > range.begin) {
        parts.push_back({next - batch_starts_.begin() - 1, {range.begin - begin, end - begin}});
      }
      range.begin = end;
      ++next;
    }
  }
  return parts;
}

arrow::Result<std::vector<LegacyPart>> LegacyFileReader::FindPages(int32_t id,
                                                                   std::span<const BatchRows> rows) const {
  const auto pages = page_table_.find(id);
  if (pages == page_table_.end() && !rows.empty()) {
    return arrow::Status::Invalid(path(), ": no pages of field ", id);
  }
  std::vector<LegacyPart> parts;
  for (const BatchRows& part : rows) {
    const uint8_t* entry = pages->second.data() + part.batch * kTableEntry;
    parts.push_back({LoadLE<int64_t>(entry), LoadLE<int64_t>(entry + 8), part.rows});
  }
  return parts;
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LegacyFileReader::ReadLeaf(const arrow::Field& field,
                                                                            int32_t id,
                                                                            std::span<const BatchRows> rows,
                                                                            arrow::MemoryPool* pool) const {
  ARROW_ASSIGN_OR_RAISE(const auto parts, FindPages(id, rows));
  ARROW_ASSIGN_OR_RAISE(const auto leaf, LeafTypeOf(field.type()));
  std::shared_ptr<arrow::ArrayData> entries;
  if (leaf.kind == LeafType::Kind::kDictionary) {
    const auto it = dictionaries_.find(id);
    if (it == dictionaries_.end() || !it->second->type->Equals(*leaf.entries->type)) {
      return arrow::Status::Invalid(path(), ": no dictionary of ", leaf.entries->type->ToString(),
                                    " for field ", id, ", '", field.name(), "'");
    }
    entries = it->second;
  }
  return LegacyPageReader(object_.get(), pool).ReadLeaf(leaf, field.nullable(), entries, parts);
}

arrow::Result<std::shared_ptr<arrow::ArrayData>> LegacyFileReader::ReadList(const arrow::Field& field,
                                                                            int32_t id,
                                                                            std::span<const BatchRows> rows,
                                                                            std::span<const int32_t>* ids,
                                                                            arrow::MemoryPool* pool) const {
  ARROW_ASSIGN_OR_RAISE(const auto parts, FindPages(id, rows));
  const int offset_bits = field.type()->id() == arrow::Type::LARGE_LIST ? 64 : 32;
  ARROW_ASSIGN_OR_RAISE(const auto lists,
                        LegacyPageReader(object_.get(), pool).ReadLists(offset_bits, parts));
  std::vector<BatchRows> items;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (lists.items[i].size() > 0) items.push_back({rows[i].batch, lists.items[i]});
  }
  ARROW_ASSIGN_OR_RAISE(auto values, ReadField(field.type()->field(0), items, ids, pool));
  ARROW_ASSIGN_OR_RAISE(auto offsets, ListOffsets(field, lists.offsets, pool));
  auto data = arrow::ArrayData::Make(field.type(), static_cast<int64_t>(lists.offsets.size()) - 1,
                                     {nullptr, std::move(offsets)}, 0);
  data->child_data = {std::move(values)};
  return data;
}

/// Takes the ids of the field and of what is below it off the front of `ids`.
arrow::Result<std::shared_ptr<arrow::ArrayData>> LegacyFileReader::ReadField(
    const std::shared_ptr<arrow::Field>& field, std::span<const BatchRows> rows,
    std::span<const int32_t>* ids, arrow::MemoryPool* pool) const {
  if (ids->empty()) {
    return arrow::Status::Invalid(path(), ": a projection with too few columns for its schema");
  }
  const int32_t id = ids->front();
  *ids = ids->subspan(1);
  switch (field->type()->id()) {
    case arrow::Type::STRUCT: {
      int64_t n = 0;
      for (const BatchRows& part : rows) n += part.rows.size();
      auto data = arrow::ArrayData::Make(field->type(), n, {nullptr}, 0);
      for (const auto& child : field->type()->fields()) {
        ARROW_ASSIGN_OR_RAISE(auto child_data, ReadField(child, rows, ids, pool));
        data->child_data.push_back(std::move(child_data));
      }
      return data;
    }
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
      return ReadList(*field, id, rows, ids, pool);
    default:
      return ReadLeaf(*field, id, rows, pool);
  }
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> LegacyFileReader::ReadRows(
    const FileProjection& projection, std::span<const RowRange> rows, arrow::MemoryPool* pool) {
  int64_t n = 0;
  for (const RowRange& range : rows) n += range.size();
  const auto parts = SplitByBatch(rows);
  std::span<const int32_t> ids(projection.column_indices);
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  for (const auto& field : projection.schema->fields()) {
    ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), ReadField(field, parts, &ids, pool));
  }
  if (!ids.empty()) {
    return arrow::Status::Invalid(path(), ": a projection with more columns than its schema has");
  }
  return arrow::RecordBatch::Make(projection.schema, n, std::move(arrays));
}

}  // namespace

arrow::Result<std::shared_ptr<FileReader>> OpenLegacyFile(std::shared_ptr<ReadableObject> object,
                                                          const FileTail& tail) {
  auto reader = std::make_shared<LegacyFileReader>(std::move(object));
  ARROW_RETURN_NOT_OK(reader->Init(tail));
  return reader;
}

}  // namespace pilum
