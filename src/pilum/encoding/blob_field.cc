// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/blob_field.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>

#include "pilum/encoding/extension_storage.h"
#include "pilum/encoding/nesting.h"

namespace pilum {

namespace {

bool IsStruct(const arrow::Field& field) { return field.type()->id() == arrow::Type::STRUCT; }

/// `field` with `replace` of every blob in it.
template <typename Replace>
std::shared_ptr<arrow::Field> ReplaceBlobs(const std::shared_ptr<arrow::Field>& field,
                                           const Replace& replace) {
  if (IsBlobV1(*field) || IsBlobV2(*field)) return replace(field);
  if (!HasBlob(*field)) return field;
  arrow::FieldVector children;
  for (const auto& child : field->type()->fields()) children.push_back(ReplaceBlobs(child, replace));
  return field->WithType(WithChildren(*field->type(), std::move(children)));
}

std::shared_ptr<arrow::Field> Describe(const std::shared_ptr<arrow::Field>& blob) {
  if (IsBlobV1(*blob)) {
    return blob->WithType(BlobV1DescriptionType())
        ->WithMetadata(arrow::key_value_metadata({kBlobMetadata}, {"true"}));
  }
  return blob->WithType(BlobV2DescriptionType())
      ->WithMetadata(arrow::key_value_metadata({kPackedMetadata, kBlobMetadata}, {"true", "true"}));
}

}  // namespace

bool IsBlobV1(const arrow::Field& field) { return !IsStruct(field) && GetMetadata(field, kBlobMetadata); }

bool IsBlobV2(const arrow::Field& field) {
  return IsStruct(field) && GetMetadata(field, kExtensionNameMetadata) == kBlobV2Extension;
}

bool IsBlobDescription(const arrow::Field& field) {
  return IsStruct(field) && !IsBlobV2(field) && GetMetadata(field, kBlobMetadata);
}

bool HasBlob(const arrow::Field& field) {
  if (IsBlobV1(field) || IsBlobV2(field)) return true;
  return std::ranges::any_of(field.type()->fields(), [](const auto& child) { return HasBlob(*child); });
}

std::shared_ptr<arrow::DataType> BlobV1DescriptionType() {
  static const auto type =
      arrow::struct_({arrow::field("position", arrow::uint64()), arrow::field("size", arrow::uint64())});
  return type;
}

std::shared_ptr<arrow::DataType> BlobV2DescriptionType() {
  static const auto type = arrow::struct_({arrow::field("kind", arrow::uint8(), /*nullable=*/false),
                                           arrow::field("position", arrow::uint64(), /*nullable=*/false),
                                           arrow::field("size", arrow::uint64(), /*nullable=*/false),
                                           arrow::field("blob_id", arrow::uint32(), /*nullable=*/false),
                                           arrow::field("blob_uri", arrow::utf8(), /*nullable=*/false)});
  return type;
}

std::shared_ptr<arrow::Field> WithBlobDescriptions(const std::shared_ptr<arrow::Field>& field) {
  return ReplaceBlobs(field, Describe);
}

std::shared_ptr<arrow::Field> WithStoredBlobs(const std::shared_ptr<arrow::Field>& field) {
  return ReplaceBlobs(field, [](const std::shared_ptr<arrow::Field>& blob) {
    return IsBlobV2(*blob) ? Describe(blob) : blob;
  });
}

std::shared_ptr<arrow::Field> WithBlobBytes(const std::shared_ptr<arrow::Field>& field) {
  return ReplaceBlobs(field, [](const std::shared_ptr<arrow::Field>& blob) {
    if (IsBlobV1(*blob)) return blob;
    auto metadata = blob->metadata()->Copy();
    (void)metadata->Delete(kExtensionNameMetadata);  // it is there
    return blob->WithType(arrow::large_binary())->WithMetadata(std::move(metadata));
  });
}

}  // namespace pilum
