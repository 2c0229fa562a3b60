// SPDX-License-Identifier: Apache-2.0
//
// MiniBlockValues: the values of the chunks of a page, through its dictionary if there is one.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <memory>
#include <optional>

#include "pilum/encoding/value_decoder.h"
#include "pilum/file/page_dictionary.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// Immutable but for InitDictionary, which comes first; any thread.
class MiniBlockValues {
 public:
  /// Invalid when the layout does not fit columns of `type`.
  static arrow::Result<MiniBlockValues> Make(const lance::encodings21::MiniBlockLayout& layout,
                                             const LeafType& type, arrow::MemoryPool* pool);

  /// Buffers per chunk.
  size_t num_buffers() const { return decoder_->num_buffers(); }
  arrow::Status InitDictionary(const lance::encodings21::MiniBlockLayout& layout,
                               std::span<const uint8_t> block);

  /// As in ValueDecoder.
  std::optional<ValueDecoder::Part> PartOf(int64_t size, int64_t n, int64_t begin, int64_t count) const {
    if (dictionary_ || num_buffers() != 1) return std::nullopt;
    return decoder_->PartOf(size, n, begin, count);
  }
  arrow::Status AppendPart(std::span<const uint8_t> part, int64_t size, int64_t begin, int64_t count,
                           ColumnBuilder* out) const {
    return decoder_->AppendPart(part, size, begin, count, out);
  }

  /// Appends values [begin, begin + count) of a chunk of `n`. @param levels of those values, 0 = valid; null:
  /// all are.
  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       const uint16_t* levels, ColumnBuilder* out) const;

 private:
  MiniBlockValues(LeafType type, arrow::MemoryPool* pool) : type_(std::move(type)), pool_(pool) {}

  LeafType type_;
  arrow::MemoryPool* pool_;
  LeafType stored_;  // the column's, or that of the indices into the dictionary
  std::unique_ptr<ValueDecoder> decoder_;
  std::optional<PageDictionary> dictionary_;
};

}  // namespace pilum
