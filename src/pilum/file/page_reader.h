// SPDX-License-Identifier: Apache-2.0
//
// PageReader: the rows of one page of one column. Spec: 11-encodings.md §4 to §6, §10; 10-file.md §9.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "pilum/encoding/column_builder.h"
#include "pilum/encoding/leaf_type.h"
#include "pilum/encoding/levels.h"
#include "pilum/encoding/nesting.h"
#include "pilum/file/row_range.h"
#include "pilum/io/object_store.h"
#include "pilum_proto/encodings_v2_0.pb.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// Where a page is. The buffers lie inside the file.
struct PageDescription {
  std::string path;  ///< of the file, for messages
  std::vector<ByteRange> buffers;
  int64_t num_rows = 0;
};

/// Rows of a nested column as one page gave them.
struct NestedPiece {
  Levels levels;                             ///< with the page's layers
  std::shared_ptr<arrow::ArrayData> values;  ///< one per visible slot; validity is in the levels
};

/// Bytes that were asked for; they go away when the call that is given them returns.
using Buffers = std::span<const std::span<const uint8_t>>;

/// Splits reading into saying which bytes are needed and decoding them, so that a caller can fetch the bytes
/// of many pages and columns in one go. First InitRanges and InitOnce; then, when it is ready, Plan and
/// Decode, any number of times. Any thread. Bytes are untrusted: damage is IOError (kCorruptFile).
class PageReader {
 public:
  virtual ~PageReader() = default;
  int64_t num_rows() const { return page_.num_rows; }

  /// The bytes Init wants: tables that every later read needs.
  virtual std::vector<ByteRange> InitRanges() const { return {}; }
  /// May be called again after it has failed, which may have been for want of memory.
  virtual arrow::Status Init(Buffers) { return arrow::Status::OK(); }

  /// Init, unless a thread has done it. True: this call has done it.
  arrow::Result<bool> InitOnce(Buffers tables);
  bool ready() const { return ready_.load(std::memory_order_acquire); }

  /// Appends the bytes that `rows` (ascending, disjoint, inside the page) need: the fewest the layout allows.
  virtual void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const = 0;
  /// Appends the rows. `buffers` are those Plan asked for. Only for columns that are not nested.
  virtual arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const;
  /// Fills `out` with the rows. Only for nested columns.
  virtual arrow::Status DecodeNested(std::span<const RowRange> rows, Buffers buffers, NestedPiece* out) const;

  /// For a page of version 2.1 and later. NotImplemented for unknown layouts.
  static arrow::Result<std::unique_ptr<PageReader>> Make(PageDescription page,
                                                         const lance::encodings21::PageLayout& layout,
                                                         const LeafColumn& column, arrow::MemoryPool* pool);
  /// For a page of version 2.0.
  static arrow::Result<std::unique_ptr<PageReader>> Make(PageDescription page,
                                                         const lance::encodings::ArrayEncoding& encoding,
                                                         const LeafType& type, arrow::MemoryPool* pool);

 protected:
  PageReader(PageDescription page, LeafType type) : page_(std::move(page)), type_(std::move(type)) {}

  /// A decoder's Invalid becomes damage of the file at `offset`, NotImplemented names the file; other errors
  /// stay.
  arrow::Status Locate(const arrow::Status& status, int64_t offset) const;
  arrow::Status Corrupt(int64_t offset, std::string_view what) const;

  const PageDescription page_;
  const LeafType type_;

 private:
  std::mutex mutex_;  // of Init
  std::atomic<bool> ready_ = false;
};

/// The single layer of a page that is not nested: whether it has definition levels.
arrow::Result<bool> HasNullableItem(const google::protobuf::RepeatedField<int>& layers);
std::vector<lance::encodings21::RepDefLayer> LayersOf(const google::protobuf::RepeatedField<int>& layers);

// One per layout; called by PageReader::Make.
arrow::Result<std::unique_ptr<PageReader>> MakeMiniBlockPage(
    PageDescription page, const lance::encodings21::MiniBlockLayout& layout, const LeafType& type,
    arrow::MemoryPool* pool);
arrow::Result<std::unique_ptr<PageReader>> MakeFullZipPage(PageDescription page,
                                                           const lance::encodings21::FullZipLayout& layout,
                                                           const LeafType& type, arrow::MemoryPool* pool);
arrow::Result<std::unique_ptr<PageReader>> MakeConstantPage(PageDescription page,
                                                            const lance::encodings21::ConstantLayout& layout,
                                                            const LeafType& type, size_t num_layers,
                                                            arrow::MemoryPool* pool);
arrow::Result<std::unique_ptr<PageReader>> MakeNestedMiniBlockPage(
    PageDescription page, const lance::encodings21::MiniBlockLayout& layout, const LeafType& type,
    arrow::MemoryPool* pool);
arrow::Result<std::unique_ptr<PageReader>> MakeNestedFullZipPage(
    PageDescription page, const lance::encodings21::FullZipLayout& layout, const LeafType& type,
    arrow::MemoryPool* pool);

}  // namespace pilum
