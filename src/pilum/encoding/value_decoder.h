// SPDX-License-Identifier: Apache-2.0
//
// ValueDecoder: the values of one mini-block chunk. Spec: 11-encodings.md §4, §8 (column "mini-block value").
#pragma once

#include <arrow/result.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "pilum/encoding/column_builder.h"
#include "pilum/encoding/leaf_type.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// The value buffers of a chunk, without padding. More than any encoding has.
using ChunkBuffers = std::array<std::span<const uint8_t>, 16>;

/// Immutable; any thread. Buffers are untrusted: damage is Invalid.
class ValueDecoder {
 public:
  virtual ~ValueDecoder() = default;

  /// Appends values [begin, begin + count) of a chunk of `n`. Costs what `count` costs where the encoding has
  /// random access: one value of a bit-packed chunk is one or two words.
  virtual arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                               ColumnBuilder* out) const = 0;
  /// Buffers per chunk.
  virtual size_t num_buffers() const { return 1; }

  /// Bytes [offset, offset + length) of a chunk's buffer.
  struct Part {
    int64_t offset;
    int64_t length;
  };
  /// The part that AppendPart needs of the only buffer of a chunk of `n`, which has `size` bytes with its
  /// padding. None where these values take the whole chunk, or when the size is not that of such a chunk.
  virtual std::optional<Part> PartOf(int64_t /*size*/, int64_t /*n*/, int64_t /*begin*/,
                                     int64_t /*count*/) const {
    return std::nullopt;
  }
  /// Appends values [begin, begin + count) from their part of a buffer of `size` bytes.
  virtual arrow::Status AppendPart(std::span<const uint8_t> /*part*/, int64_t /*size*/, int64_t /*begin*/,
                                   int64_t /*count*/, ColumnBuilder* /*out*/) const {
    return arrow::Status::NotImplemented("an encoding whose chunks have no parts");
  }

  /// For values of `type`. NotImplemented for encodings that mini-blocks do not have; Invalid when encoding
  /// and type do not go together.
  static arrow::Result<std::unique_ptr<ValueDecoder>> Make(
      const lance::encodings21::CompressiveEncoding& encoding, const LeafType& type, arrow::MemoryPool* pool);
};

/// How the dimensions of a vector are stored: which have a validity bitmap for their items, outermost first.
struct VectorEncoding {
  std::vector<bool> has_validity;
  bool all_items_null = false;  ///< no value bytes: the innermost items are all null

  /// Invalid when the messages do not fit the dimensions of `type`.
  static arrow::Result<VectorEncoding> Parse(const lance::encodings21::CompressiveEncoding& encoding,
                                             const LeafType& type);
};

}  // namespace pilum
