// SPDX-License-Identifier: Apache-2.0
//
// FileProjection: which columns of a file to read. Spec: 10-file.md §4.
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pilum/encoding/nesting.h"
#include "pilum/file/format_version.h"
#include "pilum/file/schema.h"

namespace pilum {

/// Which columns to produce: `schema` is that of the result, `column_indices` the columns of the file that
/// hold it, in the depth-first order of `schema` (Schema::ColumnFieldIds). Columns of version 0.1 have no
/// numbers: there the indices are the ids of the fields.
struct FileProjection {
  /// Some children of a packed struct.
  struct PackedPart {
    std::shared_ptr<arrow::DataType> stored;  ///< with all children
    std::vector<size_t> children;             ///< positions of those in `schema`
  };

  std::shared_ptr<arrow::Schema> schema;
  std::vector<int32_t> column_indices;
  std::map<int32_t, PackedPart> packed_parts;  ///< by column; none for structs that are wanted as they are

  /// The leaf that column `index` holds, which `schema` alone says is `leaf`.
  arrow::Result<LeafColumn> Stored(int32_t index, LeafColumn leaf) const;

  /// All of a file whose own schema is `file`.
  static FileProjection All(const Schema& file, FormatVersion version);

  /// @param paths top-level names, or nodes below them: "a.b" is field b of struct a, "l.item.x" field x of
  /// the structs in list l. Columns come in the order in which they are first named. Invalid: no paths, a
  /// path that does not exist or is named twice. NotImplemented: a part of a blob, or of a child of a packed
  /// struct.
  static arrow::Result<FileProjection> Make(const Schema& file, FormatVersion version,
                                            const std::vector<std::string>& paths);
};

}  // namespace pilum
