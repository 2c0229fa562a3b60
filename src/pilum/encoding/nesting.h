// SPDX-License-Identifier: Apache-2.0
//
// Which columns a nested type is stored in, and how each nests. Spec: 11-encodings.md §2, §3.1.
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "pilum/encoding/leaf_type.h"

namespace pilum {

/// One node on the way from a leaf to its top-level field.
struct NestingLayer {
  enum class Kind : uint8_t {
    kItem,           ///< the leaf itself, or a struct
    kList,           ///< list, large list, map
    kFixedSizeList,  ///< of structs: `dimension` items a row
  };
  Kind kind = Kind::kItem;
  int64_t dimension = 1;

  bool operator==(const NestingLayer&) const = default;
};

/// A column of a file of version 2.1 and later. A value.
struct LeafColumn {
  LeafType type;
  std::shared_ptr<arrow::Field> field;  ///< of the leaf
  std::vector<NestingLayer> layers;     ///< from the leaf outwards; one for a column that is not nested

  bool nested() const { return layers.size() > 1; }
  /// Rows of a page for one row of the table: the product of the dimensions of fixed-size lists of structs.
  int64_t page_rows_per_row() const;
  bool SameAs(const LeafColumn& other) const {
    return layers == other.layers && type.type->Equals(*other.type.type) &&
           type.packed_bits == other.type.packed_bits;
  }

  /// The columns of a top-level field, in order. NotImplemented, naming the field, for what is not supported:
  /// blobs of version 2 (their descriptions are), structs without fields in lists, some packed structs.
  static arrow::Result<std::vector<LeafColumn>> Of(const std::shared_ptr<arrow::Field>& root);
};

/// Whether the values of a field lie in columns below it: struct, list, map, fixed-size list of structs.
bool IsNested(const arrow::Field& field);
/// A struct without fields: nested, but a column of its own, whose pages say nothing. It is never null.
bool IsEmptyStruct(const arrow::Field& field);
/// Whether the metadata of a field, of any type, asks for one column. Only structs can follow (IsPacked).
bool AsksForPacking(const arrow::Field& field);
/// A struct whose metadata asks for one column: rows of the children's bytes side by side. Descriptions of
/// blobs are such structs.
bool IsPacked(const arrow::Field& field);

/// A struct, list, large list, fixed-size list or map like `type` but with other children.
std::shared_ptr<arrow::DataType> WithChildren(const arrow::DataType& type, arrow::FieldVector children);

}  // namespace pilum
