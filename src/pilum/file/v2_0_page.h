// SPDX-License-Identifier: Apache-2.0
//
// What the pages of version 2.0 share: an encoding is a tree whose leaves point to buffers. Spec: 10-file.md
// §8, §9.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pilum/encoding/leaf_type.h"
#include "pilum/file/page_reader.h"
#include "pilum_proto/encodings_v2_0.pb.h"

namespace pilum {

/// An encoding without its Nullable.
struct UnwrappedV2_0 {
  const lance::encodings::ArrayEncoding* values = nullptr;    // null: all rows are null
  const lance::encodings::ArrayEncoding* validity = nullptr;  // null: no bitmap

  static UnwrappedV2_0 Of(const lance::encodings::ArrayEncoding& encoding);
};

/// A flat buffer of a page.
struct FlatBufferV2_0 {
  ByteRange range;
  std::string compression;  ///< "lz4" or "zstd": the buffer is one compressed block; empty: plain
};

/// The buffer of `encoding`: flat values of `bits`. A plain one holds `n` of them at least; the length of a
/// compressed one shows when it is read.
arrow::Result<FlatBufferV2_0> FindFlatV2_0(const PageDescription& page,
                                           const lance::encodings::ArrayEncoding& encoding, int64_t bits,
                                           int64_t n);
/// The same where compression is not allowed.
arrow::Result<ByteRange> FindPlainV2_0(const PageDescription& page,
                                       const lance::encodings::ArrayEncoding& encoding, int64_t bits,
                                       int64_t n);

/// Whole bytes around bits [begin, end) of a buffer.
inline ByteRange BytesOfBits(const ByteRange& buffer, int64_t begin, int64_t end) {
  return {buffer.offset + begin / 8, (end + 7) / 8 - begin / 8};
}

/// The bitmap of the rows of a page, if it has one; else no row is null.
class RowValidityV2_0 {
 public:
  /// @param validity of UnwrappedV2_0.
  static arrow::Result<RowValidityV2_0> Find(const PageDescription& page,
                                             const lance::encodings::ArrayEncoding* validity);

  void Plan(const RowRange& rows, std::vector<ByteRange>* bytes) const {
    if (has_bitmap_) bytes->push_back(BytesOfBits(bitmap_, rows.begin, rows.end));
  }
  /// Appends the validity of `rows`; takes what Plan asked for off the front of `buffers`.
  arrow::Status Append(const RowRange& rows, Buffers* buffers, ColumnBuilder* out) const;

 private:
  bool has_bitmap_ = false;
  ByteRange bitmap_{};
};

// One per kind; called by PageReader::Make.
arrow::Result<std::unique_ptr<PageReader>> MakeFixedPageV2_0(PageDescription page,
                                                             const lance::encodings::ArrayEncoding& encoding,
                                                             const LeafType& type);
arrow::Result<std::unique_ptr<PageReader>> MakeBitpackedPageV2_0(
    PageDescription page, const lance::encodings::ArrayEncoding& encoding, const LeafType& type);
arrow::Result<std::unique_ptr<PageReader>> MakeFixedStringsPageV2_0(
    PageDescription page, const lance::encodings::ArrayEncoding& encoding, const LeafType& type);
arrow::Result<std::unique_ptr<PageReader>> MakePackedPageV2_0(PageDescription page,
                                                              const lance::encodings::ArrayEncoding& encoding,
                                                              const LeafType& type);
arrow::Result<std::unique_ptr<PageReader>> MakeBinaryPageV2_0(PageDescription page,
                                                              const lance::encodings::ArrayEncoding& encoding,
                                                              const LeafType& type, arrow::MemoryPool* pool);
arrow::Result<std::unique_ptr<PageReader>> MakeDictionaryPageV2_0(
    PageDescription page, const lance::encodings::Dictionary& dictionary, const LeafType& type,
    arrow::MemoryPool* pool);

}  // namespace pilum
