// SPDX-License-Identifier: Apache-2.0
//
// What full-zip pages are made of: control words with the levels of a slot, and values. Spec: 11-encodings.md
// §5.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pilum/encoding/column_builder.h"
#include "pilum/encoding/fsst.h"
#include "pilum/encoding/value_decoder.h"
#include "pilum/util/little_endian.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// The levels in front of a value.
class ControlWord {
 public:
  static arrow::Result<ControlWord> Make(uint32_t bits_rep, uint32_t bits_def);

  size_t bytes() const { return bytes_; }
  uint16_t Definition(const uint8_t* at) const { return static_cast<uint16_t>(Load(at) & def_mask_); }
  uint16_t Repetition(const uint8_t* at) const {
    return static_cast<uint16_t>(Load(at) >> bits_def_ & rep_mask_);
  }

 private:
  uint32_t Load(const uint8_t* at) const {
    switch (bytes_) {
      case 0:
        return 0;
      case 1:
        return *at;
      case 2:
        return LoadLE<uint16_t>(at);
      default:
        return LoadLE<uint32_t>(at);
    }
  }

  size_t bytes_ = 0;
  uint32_t bits_def_ = 0;
  uint32_t def_mask_ = 0;
  uint32_t rep_mask_ = 0;
};

/// Values of a fixed number of bytes, validity of vector items included. Immutable.
class FixedFullZipValues {
 public:
  /// @param bits_per_value what the page says; must be what the encoding makes.
  static arrow::Result<FixedFullZipValues> Make(const lance::encodings21::CompressiveEncoding& encoding,
                                                uint64_t bits_per_value, const LeafType& type);

  int64_t bytes() const { return bytes_; }
  /// Whether the values of a page are an array as they are.
  bool plain() const { return plain_; }
  arrow::Status Append(const uint8_t* value, ColumnBuilder* out) const;

 private:
  explicit FixedFullZipValues(LeafType type) : type_(std::move(type)) {}

  LeafType type_;
  std::optional<VectorEncoding> vector_;
  bool byte_booleans_ = false;  // 0 or 1 in a byte
  bool plain_ = false;
  int64_t bytes_ = 0;
};

/// Values that begin with their length: strings, and rows of packed structs. Immutable.
class VariableFullZipValues {
 public:
  static arrow::Result<VariableFullZipValues> Make(const lance::encodings21::CompressiveEncoding& encoding,
                                                   uint64_t bits_per_length, const LeafType& type,
                                                   arrow::MemoryPool* pool);

  /// The stored bytes of the value at the front of `bytes`. Invalid if it is not all there.
  arrow::Result<std::span<const uint8_t>> Front(std::span<const uint8_t> bytes) const;
  size_t length_bytes() const { return length_bytes_; }
  /// Appends a value from its stored bytes.
  arrow::Status Append(std::span<const uint8_t> stored, ColumnBuilder* out) const;

 private:
  struct Field;  // of a packed struct: fixed or variable values

  explicit VariableFullZipValues(arrow::MemoryPool* pool);
  arrow::Status InitFields(const lance::encodings21::VariablePackedStruct& encoding, const LeafType& type);
  arrow::Status AppendRow(std::span<const uint8_t> row, ColumnBuilder* out) const;

  arrow::MemoryPool* pool_;
  size_t length_bytes_ = 4;
  std::optional<FsstDecoder> fsst_;
  std::optional<lance::encodings21::CompressionScheme> scheme_;
  std::vector<Field> fields_;  // of a packed struct, else empty
};

struct VariableFullZipValues::Field {
  std::optional<FixedFullZipValues> fixed;
  std::optional<VariableFullZipValues> variable;
};

inline VariableFullZipValues::VariableFullZipValues(arrow::MemoryPool* pool) : pool_(pool) {}

/// Where the rows of a page begin: num_rows + 1 ascending offsets, in the fewest bytes that hold the last.
class RowOffsets {
 public:
  /// Invalid when they do not ascend up to `data_bytes` at most.
  static arrow::Result<RowOffsets> Parse(std::span<const uint8_t> bytes, int64_t num_rows,
                                         int64_t data_bytes);

  int64_t operator[](int64_t row) const {
    const uint8_t* at = bytes_.data() + row * width_;
    switch (width_) {
      case 1:
        return *at;
      case 2:
        return LoadLE<uint16_t>(at);
      case 4:
        return LoadLE<uint32_t>(at);
      default:
        return LoadLE<int64_t>(at);
    }
  }

 private:
  std::vector<uint8_t> bytes_;
  int64_t width_ = 0;
};

}  // namespace pilum
