// SPDX-License-Identifier: Apache-2.0
//
// Primary keys as bytes: for the memtable's index, for `_pk_index`, for the bloom filter. Spec:
// 41-memwal-read.md §6.
#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/scalar.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pilum/file/schema.h"

namespace pilum {

/// The key columns of a table and their encodings. Immutable; any thread.
///
/// The *key* of a row is bytes whose order is the order of the key values. One column: 8 bytes big-endian for
/// integers (sign flipped), one byte for booleans, strings and binaries as they are. Several columns: the
/// tuple encoding that the format stores in `_pk_index`.
class PrimaryKey {
 public:
  /// The unenforced primary key of `schema`; without one an empty key.
  static arrow::Result<PrimaryKey> Make(const Schema& schema);
  /// These columns. Invalid for a missing column or a type that cannot be a key (Int8..64, UInt8..64,
  /// Boolean, Utf8, LargeUtf8, Binary, LargeBinary can).
  static arrow::Result<PrimaryKey> Make(const arrow::Schema& schema, const std::vector<std::string>& columns);
  /// The key of a read: that of `schema`, or `columns` where it has none. Invalid for columns that are
  /// another key than the schema's: the versions of a row may differ in them, and none of the indexes knows
  /// them.
  static arrow::Result<PrimaryKey> ForRead(const Schema& schema, const std::vector<std::string>& columns);

  bool empty() const { return fields_.empty(); }
  bool is_composite() const { return fields_.size() > 1; }
  const arrow::FieldVector& fields() const { return fields_; }
  std::vector<std::string> names() const;
  /// Of the values in `_pk_index`: the column's, or binary for the encoded tuple.
  const std::shared_ptr<arrow::DataType>& index_type() const { return index_type_; }
  /// Whether bloom_filter.bin tells keys apart: upstream hashes nothing but the null flag of other types than
  /// Int32, Int64, Utf8 and Binary, and probes them with the value.
  bool bloom_filter_is_usable() const { return bloom_filter_is_usable_; }

  using Scalars = std::vector<std::shared_ptr<arrow::Scalar>>;
  /// Key values given by a caller, in key order, in the types of the columns. None where no row can have this
  /// key: a null, or a value without an equal in the column's type ("x" for an integer). Invalid for another
  /// number of values, and for types that are not compared (a struct or a timestamp with an integer).
  arrow::Result<std::optional<Scalars>> Coerce(const Scalars& values) const;

  /// Appends the key of `row`. @param columns ColumnsOf a batch.
  void Encode(const arrow::ArrayVector& columns, int64_t row, std::string* key) const;
  /// Appends the key of `values`, which are of the columns' types and not null.
  void Encode(const Scalars& values, std::string* key) const;

  /// SipHash of a key as upstream's writer computes it for bloom_filter.bin (40 §13.7).
  uint64_t BloomHash(const arrow::ArrayVector& columns, int64_t row) const;
  uint64_t BloomHash(const Scalars& values) const;

  /// The key columns of `batch` in key order. Invalid if one is missing, has another type, or has nulls.
  arrow::Result<arrow::ArrayVector> ColumnsOf(const arrow::RecordBatch& batch) const;

  /// Appends the value of a key to a builder of index_type().
  arrow::Status AppendIndexValue(std::string_view key, arrow::ArrayBuilder* builder) const;

 private:
  arrow::FieldVector fields_;
  std::shared_ptr<arrow::DataType> index_type_;
  bool bloom_filter_is_usable_ = true;
};

}  // namespace pilum
