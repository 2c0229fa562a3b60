// SPDX-License-Identifier: Apache-2.0
//
// FileReader: rows of one data file. Spec: 10-file.md §2, §6, §10.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pilum/file/file_projection.h"
#include "pilum/file/format_version.h"
#include "pilum/file/row_range.h"
#include "pilum/file/schema.h"
#include "pilum/io/object_store.h"

namespace pilum {

/// What a file says about itself, for tools.
struct FileDescription {
  struct Page {
    std::vector<ByteRange> buffers;
    std::string encoding;  ///< the message as text
  };
  struct Column {
    std::vector<ByteRange> buffers;
    std::vector<Page> pages;
  };
  int64_t num_data_bytes = 0;             ///< all in front of the column metadata but the global buffers
  int64_t num_column_metadata_bytes = 0;  ///< with the table of where they are
  int64_t num_global_buffer_bytes = 0;
  std::vector<ByteRange> global_buffers;  ///< [0] is the schema descriptor
  std::vector<Column> columns;
};

/// What any open reader keeps in memory, about: objects, the handle, the schema.
inline constexpr int64_t kOpenFileBytes = 8 << 10;

/// Immutable after Open but for caches of page metadata; any thread. All work is done on the caller's thread:
/// scans call ReadRange from many threads at once.
///
/// Every length, offset and count of the file is checked before use: damage is IOError (kCorruptFile) with
/// the file and the offset. NotImplemented: blobs in lists from 2.1 on, strings of early 2.0 files that are
/// lists of bytes.
///
/// Files of version 0.1 (LegacyFileReader) have neither global buffers nor a description.
class FileReader {
 public:
  /// Reads the tail (one request, two when the metadata is large) and parses footer, schema and column table.
  /// The metadata of a column is parsed when it is first read.
  static arrow::Result<std::shared_ptr<FileReader>> Open(std::shared_ptr<ReadableObject> object);
  virtual ~FileReader() = default;

  virtual const std::string& path() const = 0;  ///< for messages
  virtual FormatVersion version() const = 0;
  virtual int64_t num_rows() const = 0;
  virtual int64_t num_bytes() const = 0;  ///< of the file
  /// About what the reader keeps in memory between reads. Grows as columns are read for the first time.
  virtual int64_t memory_bytes() const = 0;
  virtual int32_t num_columns() const = 0;
  /// As the footer of the file tells it; table reads use the manifest's.
  virtual const std::shared_ptr<const Schema>& schema() const = 0;
  /// All of schema() with its columns.
  FileProjection WholeFile() const { return FileProjection::All(*schema(), version()); }

  /// Rows [begin, end) as one batch. IndexError when the range leaves the file.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRange(const FileProjection& projection,
                                                               int64_t begin, int64_t end,
                                                               arrow::MemoryPool* pool);
  /// These rows, ascending without repeats, as one batch. Touches only the chunks and byte ranges that hold
  /// them.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Take(const FileProjection& projection,
                                                          std::span<const int64_t> rows,
                                                          arrow::MemoryPool* pool);

  virtual arrow::Result<FileDescription> Describe() const = 0;

  /// Global buffer `index`; 0 is the schema descriptor.
  virtual arrow::Result<std::shared_ptr<arrow::Buffer>> ReadGlobalBuffer(int32_t index) = 0;

 private:
  /// Rows `rows` (ascending, disjoint, inside the file) as one batch.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(const FileProjection& projection,
                                                                      std::span<const RowRange> rows,
                                                                      arrow::MemoryPool* pool) = 0;
};

}  // namespace pilum
