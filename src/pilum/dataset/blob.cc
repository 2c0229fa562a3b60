// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/blob.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>

#include "pilum/file/blob_writer.h"
#include "pilum/util/error.h"

namespace pilum {

using arrow::internal::checked_cast;

std::string BlobSidecarPath(std::string_view data_file, uint32_t id) {
  std::string digits;
  for (int bit = 0; bit < 32; ++bit) digits += (id >> bit & 1) != 0 ? '1' : '0';
  const std::string_view stem = data_file.substr(0, data_file.rfind(".lance"));
  return JoinPath(JoinPath("data", stem), digits + ".blob");
}

bool LeavesItsFolder(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
         path.find("/../") != std::string_view::npos;
}

arrow::Result<std::shared_ptr<ReadableObject>> BlobSource::Open() {
  std::lock_guard lock(mutex_);
  if (object_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(object_, location_.store->Open(location_.path));
  }
  return object_;
}

void BlobSource::Close() {
  std::lock_guard lock(mutex_);
  object_.reset();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> BlobFile::Read(int64_t offset, int64_t length) const {
  if (offset < 0 || length < 0 || offset > size() || length > size() - offset) {
    return arrow::Status::IndexError(length, " bytes from ", offset, " of a blob of ", size());
  }
  if (length == 0) return std::make_shared<arrow::Buffer>(nullptr, 0);
  ARROW_ASSIGN_OR_RAISE(const auto object, source_->Open());
  return object->Read({range_.offset + offset, length});
}

arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadBlobs(
    const std::vector<std::optional<BlobFile>>& blobs) {
  std::vector<std::shared_ptr<arrow::Buffer>> values(blobs.size());
  std::map<BlobSource*, std::vector<size_t>> rows_by_source;  // those with bytes
  for (size_t row = 0; row < blobs.size(); ++row) {
    if (!blobs[row]) continue;
    values[row] = std::make_shared<arrow::Buffer>(nullptr, 0);
    if (blobs[row]->size() > 0) rows_by_source[blobs[row]->source().get()].push_back(row);
  }
  for (const auto& [source, rows] : rows_by_source) {
    std::vector<ByteRange> ranges;
    for (const size_t row : rows) ranges.push_back(blobs[row]->range());
    ARROW_ASSIGN_OR_RAISE(const auto object, source->Open());
    ARROW_ASSIGN_OR_RAISE(const auto bytes, object->ReadMany(ranges));
    source->Close();  // there may be more of them than files may be open
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto value = bytes.ranges[i];
      values[rows[i]] = arrow::SliceBuffer(bytes.memory, value.data() - bytes.memory->data(),
                                           static_cast<int64_t>(value.size()));
    }
  }
  return values;
}

std::shared_ptr<BlobSource> BlobLocator::Source(const std::string& path) {
  auto& source = sources_[path];
  if (source == nullptr) source = std::make_shared<BlobSource>(ObjectLocation{location_.store, path});
  return source;
}

arrow::Result<std::shared_ptr<BlobSource>> BlobLocator::ExternalSource(const std::string& uri) {
  auto& source = external_sources_[uri];
  if (source == nullptr) {
    auto location = ResolveObject(uri);
    if (!location.ok()) {  // not damage: a place that is out of reach
      return arrow::Status::IOError("a blob at '", uri, "': ", location.status().message());
    }
    source = std::make_shared<BlobSource>(*std::move(location));
  }
  return source;
}

namespace {

template <typename Array>
auto ValueAt(const arrow::StructArray& rows, int child, int64_t row) {
  return checked_cast<const Array&>(*rows.field(child)).GetView(row);
}

arrow::Result<ByteRange> CheckedRange(uint64_t position, uint64_t size) {
  if (size > INT64_MAX || position > INT64_MAX - size) {
    return arrow::Status::Invalid("a blob of ", size, " bytes at ", position);
  }
  return ByteRange{static_cast<int64_t>(position), static_cast<int64_t>(size)};
}

}  // namespace

arrow::Result<std::optional<BlobFile>> BlobLocator::Locate(const arrow::StructArray& descriptions,
                                                           int64_t row, const std::string& data_file) {
  if (descriptions.IsNull(row)) return std::nullopt;
  const std::string path = JoinPath("data", data_file);
  if (descriptions.num_fields() > 2) {
    auto blob = LocateV2(descriptions, row, data_file);
    if (!blob.status().IsInvalid()) return blob;
    return CorruptFile(location_.store->Describe(path), -1, blob.status().message());
  }
  const auto position = ValueAt<arrow::UInt64Array>(descriptions, 0, row);
  const auto size = ValueAt<arrow::UInt64Array>(descriptions, 1, row);
  if (size == 0 && position != 0) return std::nullopt;  // a null of version 2.0
  const auto range = CheckedRange(position, size);
  if (!range.ok()) return CorruptFile(location_.store->Describe(path), -1, range.status().message());
  return BlobFile(Source(path), *range);
}

arrow::Result<std::optional<BlobFile>> BlobLocator::LocateV2(const arrow::StructArray& descriptions,
                                                             int64_t row, const std::string& data_file) {
  const auto kind = static_cast<BlobKind>(ValueAt<arrow::UInt8Array>(descriptions, 0, row));
  const auto position = ValueAt<arrow::UInt64Array>(descriptions, 1, row);
  const auto size = ValueAt<arrow::UInt64Array>(descriptions, 2, row);
  const auto id = ValueAt<arrow::UInt32Array>(descriptions, 3, row);
  const std::string uri(ValueAt<arrow::StringArray>(descriptions, 4, row));
  switch (kind) {
    case BlobKind::kInline: {
      ARROW_ASSIGN_OR_RAISE(const auto range, CheckedRange(position, size));
      return BlobFile(Source(JoinPath("data", data_file)), range);
    }
    case BlobKind::kPacked: {
      ARROW_ASSIGN_OR_RAISE(const auto range, CheckedRange(position, size));
      return BlobFile(Source(BlobSidecarPath(data_file, id)), range);
    }
    case BlobKind::kDedicated: {
      ARROW_ASSIGN_OR_RAISE(const auto range, CheckedRange(0, size));
      return BlobFile(Source(BlobSidecarPath(data_file, id)), range);
    }
    case BlobKind::kExternal: {
      ARROW_ASSIGN_OR_RAISE(auto blob, LocateExternal(uri, id, position, size));
      return blob;
    }
  }
  return arrow::Status::Invalid("Unknown blob kind ", static_cast<int>(kind));
}

arrow::Result<BlobFile> BlobLocator::LocateExternal(const std::string& uri, uint32_t base_id,
                                                    uint64_t position, uint64_t size) {
  std::string absolute = uri;
  if (base_id != 0) {
    const auto& bases = manifest_.proto.base_paths();
    const auto base = std::ranges::find(bases, base_id, &lance::table::BasePath::id);
    if (base == bases.end()) return arrow::Status::Invalid("a blob at the unknown base path ", base_id);
    if (LeavesItsFolder(uri)) return arrow::Status::Invalid("a blob outside of its base path: '", uri, "'");
    absolute = JoinPath(LocalPathOf(base->path()), uri);
  }
  ARROW_ASSIGN_OR_RAISE(auto range, CheckedRange(position, size));
  ARROW_ASSIGN_OR_RAISE(auto source, ExternalSource(absolute));
  if (size == 0 && position == 0) {  // all of it, however much that is
    ARROW_ASSIGN_OR_RAISE(const auto object, source->Open());
    range.length = object->size();
    source->Close();
  }
  return BlobFile(std::move(source), range);
}

arrow::Result<std::shared_ptr<arrow::Array>> BlobLocator::ReadColumn(const arrow::StructArray& descriptions,
                                                                     const std::string& data_file,
                                                                     arrow::MemoryPool* pool) {
  std::vector<std::optional<BlobFile>> blobs;
  for (int64_t row = 0; row < descriptions.length(); ++row) {
    ARROW_ASSIGN_OR_RAISE(blobs.emplace_back(), Locate(descriptions, row, data_file));
  }
  ARROW_ASSIGN_OR_RAISE(const auto values, ReadBlobs(blobs));
  arrow::LargeBinaryBuilder builder(pool);
  int64_t num_bytes = 0;
  for (const auto& value : values) num_bytes += value == nullptr ? 0 : value->size();
  ARROW_RETURN_NOT_OK(builder.Reserve(descriptions.length()));
  ARROW_RETURN_NOT_OK(builder.ReserveData(num_bytes));
  for (const auto& value : values) {
    ARROW_RETURN_NOT_OK(value == nullptr ? builder.AppendNull() : builder.Append(AsStringView(*value)));
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> BlobLocator::ReadAll(const std::shared_ptr<arrow::Array>& array,
                                                                  const std::shared_ptr<arrow::Field>& field,
                                                                  const std::string& data_file,
                                                                  arrow::MemoryPool* pool) {
  if (IsBlobV2(*field)) {
    return ReadColumn(checked_cast<const arrow::StructArray&>(*array), data_file, pool);
  }
  if (IsBlobV1(*field) || !HasBlob(*field)) return array;
  const auto bytes = WithBlobBytes(field);
  if (array->type_id() != arrow::Type::STRUCT) {  // a list
    auto data = array->data()->Copy();
    ARROW_ASSIGN_OR_RAISE(const auto items, ReadAll(arrow::MakeArray(data->child_data[0]),
                                                    field->type()->field(0), data_file, pool));
    data->child_data[0] = items->data();
    data->type = bytes->type();
    return arrow::MakeArray(std::move(data));
  }
  const auto& rows = checked_cast<const arrow::StructArray&>(*array);
  arrow::ArrayVector children;
  for (int i = 0; i < rows.num_fields(); ++i) {
    const auto& child = field->type()->field(i);
    ARROW_ASSIGN_OR_RAISE(const auto flat, HasBlob(*child) ? rows.GetFlattenedField(i, pool) : rows.field(i));
    ARROW_ASSIGN_OR_RAISE(auto read, ReadAll(flat, child, data_file, pool));
    children.push_back(std::move(read));
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(rows, pool));
  return std::make_shared<arrow::StructArray>(bytes->type(), rows.length(), std::move(children),
                                              std::move(validity), rows.null_count());
}

}  // namespace pilum
