// SPDX-License-Identifier: Apache-2.0
//
// ColumnBuilder: where decoders put values; turns them into an Arrow array.
#pragma once

#include <arrow/array/data.h>
#include <arrow/buffer_builder.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pilum/encoding/leaf_type.h"

namespace pilum {

/// A validity bitmap that costs nothing until the first null. One thread.
class ValidityBuilder {
 public:
  ValidityBuilder(int64_t capacity, arrow::MemoryPool* pool) : capacity_(capacity), pool_(pool) {}

  /// `n` bits, all `valid`.
  arrow::Status Append(bool valid, int64_t n);
  /// Valid where the level is 0.
  arrow::Status AppendLevels(const uint16_t* levels, int64_t n);
  /// Bits [offset, offset + n) of an Arrow bitmap.
  arrow::Status AppendBits(const uint8_t* bitmap, int64_t offset, int64_t n);

  int64_t length() const { return length_; }
  int64_t null_count() const { return null_count_; }
  /// The bitmap; null if there is no null.
  std::shared_ptr<arrow::Buffer> Finish();

 private:
  arrow::Status Materialize();

  const int64_t capacity_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::Buffer> bitmap_;
  int64_t length_ = 0;
  int64_t null_count_ = 0;
};

/// Gathers the values of one column, a known number of them, then gives them as an array. Values and
/// validity are appended independently and must agree in number at Finish: a page knows its levels and its
/// values at different moments. Values under nulls are arbitrary. One thread.
///
/// Appending more than `capacity` values is Invalid: the count came from damaged bytes.
class ColumnBuilder {
 public:
  /// Invalid when no memory can hold `capacity` values.
  static arrow::Result<ColumnBuilder> Make(LeafType type, int64_t capacity, arrow::MemoryPool* pool);

  const LeafType& type() const { return type_; }
  /// Values so far, those under nulls included.
  int64_t num_values() const { return num_values_; }

  /// The validity of rows.
  ValidityBuilder& validity() { return validity_; }
  /// The validity of the items at dimension `level` of a vector type.
  ValidityBuilder& item_validity(size_t level) { return item_validity_[level]; }

  /// @name kFixed, and the keys of kDictionary
  /// Space for `n` more values, to be filled by the caller. `bits` must be a multiple of 8.
  arrow::Result<uint8_t*> AppendUninitialized(int64_t n);
  /// Values [first, first + n) of a packed array of `bits` per value.
  arrow::Status AppendFixed(const uint8_t* values, int64_t first, int64_t n);

  /// @name kVariable
  arrow::Status AppendBytes(std::span<const uint8_t> value);
  /// Where to append the bytes of the next value; EndValue says that they are all there.
  arrow::BufferBuilder* bytes() { return &bytes_; }
  arrow::Status EndValue();
  /// The same for several; each ends where bytes() has the length `ends` says.
  arrow::Status EndValues(std::span<const int64_t> ends);
  /// `n` values between the n + 1 `offsets`, little-endian ones that need not be aligned, relative to `base`,
  /// ascending and checked by the caller. Offset is uint32_t or uint64_t.
  template <typename Offset>
  arrow::Status AppendRun(const uint8_t* offsets, int64_t n, const uint8_t* base);
  /// Says how many bytes are to come, to avoid growing.
  arrow::Status ReserveBytes(int64_t n) { return bytes_.Reserve(n); }

  /// @name kDictionary
  /// Keys appended from now on are positions in `entries`. The caller keeps them in range; a key under a null
  /// may be anything.
  void UseDictionary(std::shared_ptr<arrow::ArrayData> entries);

  /// @name kRow
  /// The values of the `i`th child that is wanted, every one of them valid.
  ColumnBuilder& child(size_t i) { return children_[i]; }
  /// Says that every one of these has got one more value.
  arrow::Status FinishRow();

  /// `n` zero or empty values; validity is left alone.
  arrow::Status AppendZeros(int64_t n);

  /// The array. Invalid when values and validity do not agree in number.
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Finish();

 private:
  ColumnBuilder(LeafType type, int64_t capacity, arrow::MemoryPool* pool);

  arrow::Status CheckRoom(int64_t n) const;
  arrow::Status PushOffset(int64_t end);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishVector(std::shared_ptr<arrow::Buffer> validity,
                                                                std::shared_ptr<arrow::Buffer> values);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishPacked(std::shared_ptr<arrow::Buffer> validity,
                                                                int64_t null_count,
                                                                const arrow::Buffer& rows);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishRows(std::shared_ptr<arrow::Buffer> validity);
  arrow::Result<std::shared_ptr<arrow::ArrayData>> FinishDictionary(std::shared_ptr<arrow::ArrayData> keys);

  /// Keys from value `begin` on belong to `entries`.
  struct KeyRun {
    int64_t begin;
    std::shared_ptr<arrow::ArrayData> entries;
  };

  LeafType type_;
  int64_t capacity_;
  arrow::MemoryPool* pool_;
  int64_t num_values_ = 0;
  ValidityBuilder validity_;
  std::vector<ValidityBuilder> item_validity_;
  std::shared_ptr<arrow::Buffer> values_;  // values, keys or offsets
  arrow::BufferBuilder bytes_;             // kVariable
  std::vector<KeyRun> key_runs_;           // kDictionary
  std::vector<ColumnBuilder> children_;    // kRow
};

}  // namespace pilum
