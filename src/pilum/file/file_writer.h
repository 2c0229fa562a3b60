// SPDX-License-Identifier: Apache-2.0
//
// FileWriter: writes one data file. Spec: 10-file.md §2, §5; 11-encodings.md §9, §18.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "pilum/file/blob_writer.h"
#include "pilum/file/format_version.h"
#include "pilum/file/schema.h"
#include "pilum/io/object_store.h"

namespace pilum {

struct FileWriterOptions {
  FormatVersion version = kStableFormatVersion;
  /// Bytes of values a column gathers before they become a page. Half as many that come in one array are a
  /// page at once: they are written from where they lie, and more would have to be copied.
  int64_t page_bytes = int64_t{8} << 20;
  /// Bytes that all columns together gather, or one page if that is more. Then the column with the most gets
  /// a page of fewer, but no less than a sixteenth of page_bytes.
  int64_t pending_bytes = int64_t{8} << 20;
  /// Takes the values of blobs of version 2; must outlive the writer. Without it such columns are refused.
  BlobStorage* blobs = nullptr;
  arrow::MemoryPool* pool = arrow::default_memory_pool();
};

struct WrittenFile {
  int64_t num_rows = 0;
  int64_t num_bytes = 0;
};

/// One thread at a time. The file appears under its name when Finish returns OK; without Finish nothing is
/// left behind.
class FileWriter {
 public:
  /// NotImplemented for types the version cannot hold, naming the column and the type.
  static arrow::Result<std::unique_ptr<FileWriter>> Make(std::unique_ptr<WritableObject> sink,
                                                         std::shared_ptr<const Schema> schema,
                                                         FileWriterOptions options = {});
  virtual ~FileWriter() = default;

  /// Columns are matched by name; order is free, extra columns are ignored. Invalid for a missing column,
  /// another type, or nulls in a non-nullable column ("The field `x` contained null values even though ...").
  virtual arrow::Status Write(const arrow::RecordBatch& batch) = 0;

  /// Added to the schema metadata of the file; until Finish.
  virtual void AddSchemaMetadata(std::string key, std::string value) = 0;
  /// Appends a user global buffer. @return its index, from 1.
  virtual arrow::Result<int32_t> AddGlobalBuffer(std::span<const uint8_t> bytes) = 0;

  virtual int64_t num_rows() const = 0;
  /// Whether the pages of the rows so far, but those that wait for their page, take `num_bytes` of the file
  /// or more. The answer never depends on threads: it may wait for them.
  virtual arrow::Result<bool> HasBytes(int64_t num_bytes) = 0;

  virtual arrow::Result<WrittenFile> Finish() = 0;
};

}  // namespace pilum
