// SPDX-License-Identifier: Apache-2.0
//
// The last bytes of a data file: version, and where columns and global buffers are. Spec: 10-file.md §2.
#pragma once

#include <arrow/buffer.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pilum/file/format_version.h"
#include "pilum/io/object_store.h"

namespace pilum {

inline constexpr char kFileMagic[] = "LANC";
inline constexpr int64_t kFooterBytes = 40;
inline constexpr int64_t kBufferAlignment = 64;  ///< of every buffer of a file

struct Footer {
  int64_t column_metadata_start = 0;
  int64_t column_table_start = 0;
  int64_t global_table_start = 0;
  uint32_t num_global_buffers = 0;
  uint32_t num_columns = 0;
  FormatVersion version = kStableFormatVersion;

  /// The bytes, after all ranges were checked against `file_size`. Of a file of version 0.1, whose footer is
  /// another (LegacyFileReader), only the version.
  static arrow::Result<Footer> Parse(std::span<const uint8_t> bytes, int64_t file_size,
                                     const std::string& path);
  std::string Serialize() const;
};

/// What one or two reads of the end of a file tell. Immutable. Of a file of version 0.1 only footer.version,
/// start and bytes are set.
struct FileTail {
  Footer footer;
  std::vector<ByteRange> columns;         ///< of the ColumnMetadata messages, inside the file
  std::vector<ByteRange> global_buffers;  ///< inside the file; [0] is the schema descriptor
  int64_t start = 0;                      ///< file position of bytes[0]
  std::shared_ptr<arrow::Buffer> bytes;   ///< at least from the first column's metadata to the end

  /// The bytes of `range` if they are among `bytes`, else null.
  std::shared_ptr<arrow::Buffer> Slice(ByteRange range) const;

  static arrow::Result<FileTail> Read(ReadableObject* object);
};

}  // namespace pilum
