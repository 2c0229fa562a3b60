// SPDX-License-Identifier: Apache-2.0
//
// Values of blob columns: where they are, and how to read them. Spec: 20-table.md §13; 11-encodings.md §7.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/array/array_nested.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pilum/encoding/blob_field.h"
#include "pilum/io/object_store.h"
#include "pilum/table/manifest.h"

namespace pilum {

/// What reads show of blob columns.
enum class BlobHandling {
  kDescriptions,  ///< where the values are; no value is read
  kBinary,        ///< the values, as large_binary
};

/// Path in a table of sidecar `id` of a data file: `data/`, the file's name without its extension, the 32
/// bits of the id, lowest first, as digits.
std::string BlobSidecarPath(std::string_view data_file, uint32_t id);

/// Whether a path has a component "..".
bool LeavesItsFolder(std::string_view path);

/// An object that holds values, opened when the first of them is read. Any thread.
class BlobSource {
 public:
  explicit BlobSource(ObjectLocation location) : location_(std::move(location)) {}

  arrow::Result<std::shared_ptr<ReadableObject>> Open();
  /// Forgets the open object: the next Open opens it anew. What was opened stays usable.
  void Close();

 private:
  const ObjectLocation location_;
  std::mutex mutex_;
  std::shared_ptr<ReadableObject> object_;  // GUARDED_BY(mutex_)
};

/// One value, its bytes read when asked for. Immutable; any thread.
class BlobFile {
 public:
  BlobFile(std::shared_ptr<BlobSource> source, ByteRange range) : source_(std::move(source)), range_(range) {}

  int64_t size() const { return range_.length; }
  const std::shared_ptr<BlobSource>& source() const { return source_; }
  /// In the source.
  const ByteRange& range() const { return range_; }

  /// Bytes [offset, offset + length). IndexError when they leave the value.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t offset, int64_t length) const;

 private:
  std::shared_ptr<BlobSource> source_;
  ByteRange range_;
};

/// The bytes of all values, those of one source with as few requests as they allow; null where there is none.
arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadBlobs(
    const std::vector<std::optional<BlobFile>>& blobs);

/// Finds values from descriptions, which are not trusted. One thread.
class BlobLocator {
 public:
  /// @param manifest of the table, whose base paths external values may be relative to; outlives this.
  BlobLocator(const StoreLocation& location, const Manifest& manifest)
      : location_(location), manifest_(manifest) {}

  /// Row `row` of descriptions (BlobV1DescriptionType or BlobV2DescriptionType) that come from `data_file`;
  /// none for a null.
  arrow::Result<std::optional<BlobFile>> Locate(const arrow::StructArray& descriptions, int64_t row,
                                                const std::string& data_file);

  /// `array`, read from `data_file` as descriptions of `field`'s blobs of version 2 (WithStoredBlobs), with
  /// their bytes (WithBlobBytes).
  arrow::Result<std::shared_ptr<arrow::Array>> ReadAll(const std::shared_ptr<arrow::Array>& array,
                                                       const std::shared_ptr<arrow::Field>& field,
                                                       const std::string& data_file, arrow::MemoryPool* pool);

 private:
  std::shared_ptr<BlobSource> Source(const std::string& path);
  arrow::Result<std::shared_ptr<BlobSource>> ExternalSource(const std::string& uri);
  arrow::Result<std::optional<BlobFile>> LocateV2(const arrow::StructArray& descriptions, int64_t row,
                                                  const std::string& data_file);
  arrow::Result<BlobFile> LocateExternal(const std::string& uri, uint32_t base_id, uint64_t position,
                                         uint64_t size);
  arrow::Result<std::shared_ptr<arrow::Array>> ReadColumn(const arrow::StructArray& descriptions,
                                                          const std::string& data_file,
                                                          arrow::MemoryPool* pool);

  const StoreLocation& location_;
  const Manifest& manifest_;
  std::map<std::string, std::shared_ptr<BlobSource>>
      sources_;  // data files and sidecars, by path in the table
  std::map<std::string, std::shared_ptr<BlobSource>> external_sources_;  // by URI
};

}  // namespace pilum
