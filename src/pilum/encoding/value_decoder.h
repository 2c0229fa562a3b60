// SPDX-License-Identifier: Apache-2.0
//
// ValueDecoder: the values of one mini-block chunk. Spec: 11-encodings.md §4, §8 (column "mini-block value").
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pilum/encoding/column_builder.h"
#include "pilum/encoding/leaf_type.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// The value buffers of a chunk, without padding.
using ChunkBuffers = std::vector<std::span<const uint8_t>>;

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
