// SPDX-License-Identifier: Apache-2.0
//
// Blob columns: values of any size that lie outside of their column's pages. What users write and read, and
// the descriptions a file has instead. Spec: 10-file.md §3.6; 20-table.md §13.
#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>

namespace pilum {

/// Field metadata of blobs of version 1 and of descriptions.
inline constexpr char kBlobMetadata[] = "lance-encoding:blob";
inline constexpr char kPackedMetadata[] = "lance-encoding:packed";
/// The extension type of blobs of version 2: struct<data: large_binary, uri: string, and, optional,
/// position: uint64, size: uint64>.
inline constexpr char kBlobV2Extension[] = "lance.blob.v2";

/// Where a blob of version 2 is.
enum class BlobKind : uint8_t {
  kInline = 0,     ///< in the data file itself
  kPacked = 1,     ///< with others in a sidecar file
  kDedicated = 2,  ///< a sidecar file of its own
  kExternal = 3,   ///< at a URI
};

/// A column of bytes in files up to version 2.1: its values are in the data file, its descriptions are
/// struct<position: uint64, size: uint64>.
bool IsBlobV1(const arrow::Field& field);
/// What users write into files of version 2.2; its descriptions are struct<kind: uint8, position: uint64,
/// size: uint64, blob_id: uint32, blob_uri: string>.
bool IsBlobV2(const arrow::Field& field);
/// Descriptions, of either version.
bool IsBlobDescription(const arrow::Field& field);
/// Whether `field`, or anything below it, is a blob.
bool HasBlob(const arrow::Field& field);

std::shared_ptr<arrow::DataType> BlobV1DescriptionType();
std::shared_ptr<arrow::DataType> BlobV2DescriptionType();

/// `field` with descriptions in place of blobs, those below it included. Names and nullability stay.
std::shared_ptr<arrow::Field> WithBlobDescriptions(const std::shared_ptr<arrow::Field>& field);
/// The same with blobs of version 2 only: how a file stores `field`.
std::shared_ptr<arrow::Field> WithStoredBlobs(const std::shared_ptr<arrow::Field>& field);
/// `field` with bytes (large_binary) in place of blobs.
std::shared_ptr<arrow::Field> WithBlobBytes(const std::shared_ptr<arrow::Field>& field);

}  // namespace pilum
