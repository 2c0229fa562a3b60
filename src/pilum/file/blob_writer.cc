// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/blob_writer.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/buffer_builder.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/checked_cast.h>

#include <charconv>

#include "pilum/encoding/extension_storage.h"

namespace pilum {

namespace {

using arrow::internal::checked_cast;

/// The children of a blob array; position and size may be missing.
struct BlobArrays {
  const arrow::LargeBinaryArray* data;
  const arrow::StringArray* uri;
  const arrow::UInt64Array* position;
  const arrow::UInt64Array* size;

  static BlobArrays Of(const arrow::ArrayVector& children, const arrow::StructType& type) {
    const auto find = [&](const char* name) -> const arrow::Array* {
      const int at = type.GetFieldIndex(name);
      return at < 0 ? nullptr : children[static_cast<size_t>(at)].get();
    };
    return {checked_cast<const arrow::LargeBinaryArray*>(find("data")),
            checked_cast<const arrow::StringArray*>(find("uri")),
            checked_cast<const arrow::UInt64Array*>(find("position")),
            checked_cast<const arrow::UInt64Array*>(find("size"))};
  }

  /// None for a null.
  arrow::Result<std::optional<BlobValue>> At(int64_t row) const {
    BlobValue value;
    if (data->IsValid(row)) value.data = AsSpan(data->GetView(row));
    if (uri->IsValid(row)) {
      if (data->IsValid(row)) return arrow::Status::Invalid("a blob with both data and uri");
      value.uri = uri->GetView(row);
      if (value.uri.empty()) return arrow::Status::Invalid("a blob with an empty uri");
      const bool has_position = position != nullptr && position->IsValid(row);
      if (has_position != (size != nullptr && size->IsValid(row))) {
        return arrow::Status::Invalid("a blob at ", value.uri, " with only one of position and size");
      }
      if (has_position) {
        const uint64_t begin = position->Value(row), length = size->Value(row);
        if (begin > INT64_MAX || length > INT64_MAX - begin) {
          return arrow::Status::Invalid("a blob of ", length, " bytes at ", begin, " of ", value.uri);
        }
        value.slice = {static_cast<int64_t>(begin), static_cast<int64_t>(length)};
      }
    } else if (data->IsNull(row)) {
      return std::nullopt;
    }
    return value;
  }
};

/// An array of descriptions, row by row.
class DescriptionsBuilder {
 public:
  explicit DescriptionsBuilder(arrow::MemoryPool* pool)
      : validity_(pool), kind_(pool), position_(pool), size_(pool), id_(pool), uri_(pool) {}

  arrow::Status Append(const std::optional<BlobDescription>& blob) {
    const BlobDescription& at = blob ? *blob : kNull;
    ARROW_RETURN_NOT_OK(validity_.Append(blob.has_value()));
    ARROW_RETURN_NOT_OK(kind_.Append(static_cast<uint8_t>(at.kind)));
    ARROW_RETURN_NOT_OK(position_.Append(at.position));
    ARROW_RETURN_NOT_OK(size_.Append(at.size));
    ARROW_RETURN_NOT_OK(id_.Append(at.id));
    return uri_.Append(at.uri);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Finish() {
    const int64_t n = validity_.length(), nulls = validity_.false_count();
    arrow::ArrayVector children(5);
    ARROW_RETURN_NOT_OK(kind_.Finish(&children[0]));
    ARROW_RETURN_NOT_OK(position_.Finish(&children[1]));
    ARROW_RETURN_NOT_OK(size_.Finish(&children[2]));
    ARROW_RETURN_NOT_OK(id_.Finish(&children[3]));
    ARROW_RETURN_NOT_OK(uri_.Finish(&children[4]));
    ARROW_ASSIGN_OR_RAISE(auto validity, validity_.Finish());
    return std::make_shared<arrow::StructArray>(BlobV2DescriptionType(), n, std::move(children),
                                                nulls > 0 ? std::move(validity) : nullptr, nulls);
  }

 private:
  static inline const BlobDescription kNull{};

  arrow::TypedBufferBuilder<bool> validity_;
  arrow::UInt8Builder kind_;
  arrow::UInt64Builder position_, size_;
  arrow::UInt32Builder id_;
  arrow::StringBuilder uri_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array, arrow::MemoryPool* pool) {
  if (array.null_count() == 0) return nullptr;
  return arrow::internal::CopyBitmap(pool, array.null_bitmap_data(), array.offset(), array.length());
}

arrow::Result<std::shared_ptr<arrow::Array>> StoreBlobs(const std::shared_ptr<arrow::Array>& array,
                                                        const arrow::Field& field, BlobStorage* storage,
                                                        const AppendToFile& append, arrow::MemoryPool* pool) {
  if (!HasBlob(field)) return array;
  const auto& rows = checked_cast<const arrow::StructArray&>(*array);
  const auto& type = checked_cast<const arrow::StructType&>(*field.type());
  const bool is_blob = IsBlobV2(field);
  arrow::ArrayVector children = rows.fields();
  for (int i = 0; i < rows.num_fields(); ++i) {
    auto& child = children[static_cast<size_t>(i)];
    if (!is_blob && !HasBlob(*type.field(i))) continue;
    ARROW_ASSIGN_OR_RAISE(child, rows.GetFlattenedField(i, pool));  // null where the struct is
    if (is_blob) continue;
    ARROW_ASSIGN_OR_RAISE(child, StoreBlobs(child, *type.field(i), storage, append, pool));
  }
  if (!is_blob) {
    arrow::FieldVector fields;
    for (const auto& child : type.fields()) fields.push_back(WithStoredBlobs(child));
    ARROW_ASSIGN_OR_RAISE(auto validity, ValidityOf(rows, pool));
    return std::make_shared<arrow::StructArray>(arrow::struct_(std::move(fields)), rows.length(),
                                                std::move(children), std::move(validity), rows.null_count());
  }
  const BlobArrays blobs = BlobArrays::Of(children, type);
  DescriptionsBuilder descriptions(pool);
  for (int64_t row = 0; row < rows.length(); ++row) {
    std::optional<BlobDescription> description;
    ARROW_ASSIGN_OR_RAISE(const auto value, blobs.At(row));
    if (value) {
      ARROW_ASSIGN_OR_RAISE(description, storage->Store(*value, field, append));
    }
    ARROW_RETURN_NOT_OK(descriptions.Append(description));
  }
  return descriptions.Finish();
}

arrow::Result<BlobThresholds> BlobThresholds::Of(const arrow::Field& field, BlobThresholds otherwise) {
  BlobThresholds thresholds = otherwise;
  const auto parse = [&](const char* key, int64_t lowest, int64_t* out) {
    const auto text = GetMetadata(field, key);
    if (!text) return arrow::Status::OK();
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || value < lowest) {
      return arrow::Status::Invalid("Column '", field.name(), "': ", key, "=\"", *text,
                                    "\"; expected a number of bytes, ", lowest, " at least");
    }
    *out = value;
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(parse("lance-encoding:blob-inline-size-threshold", 0, &thresholds.max_inline));
  ARROW_RETURN_NOT_OK(parse("lance-encoding:blob-dedicated-size-threshold", 1, &thresholds.max_packed));
  return thresholds;
}

arrow::Status CheckBlobV2(const arrow::Field& field) {
  const auto& type = checked_cast<const arrow::StructType&>(*field.type());
  const auto check = [&](const char* name, const std::shared_ptr<arrow::DataType>& wanted, bool needed) {
    const auto child = type.GetFieldByName(name);
    if (child == nullptr) {
      if (!needed) return arrow::Status::OK();
      return arrow::Status::Invalid("Column '", field.name(), "': Blob struct missing `", name, "` field");
    }
    if (child->type()->Equals(*wanted)) return arrow::Status::OK();
    return arrow::Status::Invalid("Column '", field.name(), "': the field `", name, "` of a blob is ",
                                  child->type()->ToString(), ", not ", wanted->ToString());
  };
  ARROW_RETURN_NOT_OK(BlobThresholds::Of(field));
  ARROW_RETURN_NOT_OK(check("data", arrow::large_binary(), true));
  ARROW_RETURN_NOT_OK(check("uri", arrow::utf8(), true));
  ARROW_RETURN_NOT_OK(check("position", arrow::uint64(), false));
  return check("size", arrow::uint64(), false);
}

}  // namespace pilum
