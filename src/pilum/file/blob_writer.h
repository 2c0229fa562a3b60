// SPDX-License-Identifier: Apache-2.0
//
// What a file writer does with blobs of version 2: their bytes go elsewhere, the column gets descriptions.
// Spec: 11-encodings.md §7.2; 20-table.md §13.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pilum/encoding/blob_field.h"
#include "pilum/io/object_store.h"

namespace pilum {

/// A value as users write it: bytes, or where to find them.
struct BlobValue {
  std::span<const uint8_t> data;
  std::string_view uri;            ///< empty: `data` is the value
  std::optional<ByteRange> slice;  ///< of what is at `uri`; none: all
};

struct BlobDescription {
  BlobKind kind = BlobKind::kInline;
  uint64_t position = 0;
  uint64_t size = 0;
  uint32_t id = 0;  ///< of a sidecar file, or of the base path that `uri` is relative to
  std::string uri;
};

/// From which sizes, in bytes, values of a column leave the data file.
struct BlobThresholds {
  int64_t max_inline = int64_t{64} << 10;
  int64_t max_packed = int64_t{4} << 20;

  /// Those of the field's metadata, where it has none `otherwise`. Invalid, naming field, key and value, for
  /// one that is no number.
  static arrow::Result<BlobThresholds> Of(const arrow::Field& field, BlobThresholds otherwise);
  static arrow::Result<BlobThresholds> Of(const arrow::Field& field) { return Of(field, BlobThresholds()); }
  bool operator==(const BlobThresholds&) const = default;
};

/// Appends bytes to the data file. @return where they are.
using AppendToFile = std::function<arrow::Result<ByteRange>(std::span<const uint8_t>)>;

/// Puts the values of one data file where they belong. One thread at a time.
class BlobStorage {
 public:
  virtual ~BlobStorage() = default;
  /// @param field the column, whose metadata has the thresholds.
  virtual arrow::Result<BlobDescription> Store(const BlobValue& value, const arrow::Field& field,
                                               const AppendToFile& append) = 0;
};

/// `array` of a field with blobs of version 2 (HasBlob) with their descriptions in place; the values go to
/// `storage`, row by row. A blob in a null struct is null.
arrow::Result<std::shared_ptr<arrow::Array>> StoreBlobs(const std::shared_ptr<arrow::Array>& array,
                                                        const arrow::Field& field, BlobStorage* storage,
                                                        const AppendToFile& append, arrow::MemoryPool* pool);

/// The validity of the rows of `array` as a bitmap of its own, null if there is no null.
arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array, arrow::MemoryPool* pool);

/// Invalid, naming the field, unless it is a struct of data, uri and, if at all, position and size, with
/// thresholds that are numbers.
arrow::Status CheckBlobV2(const arrow::Field& field);

}  // namespace pilum
