// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/blob_page.h"

#include <algorithm>
#include <vector>

#include "pilum/encoding/blob_field.h"
#include "pilum/file/v2_0_page.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr uint64_t kMaxPosition = uint64_t{1} << 62;  // sums of two stay in 63 bits

/// An empty value with a position is none: the upper half of the position says which layer is null.
constexpr int kDefinitionShift = 16;

class BlobPage final : public PageReader {
 public:
  /// @param descriptors reads the page as rows of (position, size).
  /// @param layers of the page; none: version 2.0, where every position of an empty value means null.
  BlobPage(PageDescription page, LeafType type, std::unique_ptr<PageReader> descriptors,
           std::vector<enc::RepDefLayer> layers, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)),
        descriptors_(std::move(descriptors)),
        layers_(std::move(layers)),
        pool_(pool) {}

  // The descriptors are read whole: 16 bytes a row, and only they tell what to read next.
  std::vector<ByteRange> InitRanges() const override { return page_.buffers; }
  arrow::Status Init(Buffers buffers) override;

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    if (type_.is_packed()) return;
    for (const RowRange& range : rows) {
      for (int64_t row = range.begin; row < range.end; ++row) {
        const ByteRange& blob = blobs_[static_cast<size_t>(row)];
        if (blob.length > 0) bytes->push_back(blob);
      }
    }
  }
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;
  arrow::Status DecodeNested(std::span<const RowRange> rows, Buffers buffers,
                             NestedPiece* out) const override;

 private:
  uint16_t Definition(const ByteRange& blob) const {
    if (blob.length > 0 || blob.offset == 0) return 0;
    if (layers_.empty()) return 1;
    if (layers_.size() == 1 && layers_[0] == enc::REPDEF_ALL_VALID_ITEM) return 0;
    return static_cast<uint16_t>(blob.offset >> kDefinitionShift);
  }
  /// Takes the value off the front of `buffers` if it has bytes.
  arrow::Status AppendValue(const ByteRange& blob, Buffers* buffers, ColumnBuilder* out) const;
  arrow::Result<std::vector<std::span<const uint8_t>>> Find(const std::vector<ByteRange>& ranges,
                                                            Buffers buffers) const;

  const std::unique_ptr<PageReader> descriptors_;
  const std::vector<enc::RepDefLayer> layers_;
  arrow::MemoryPool* const pool_;
  std::vector<ByteRange> blobs_;  // by row; a null is an empty one with an offset
};

/// The bytes of `ranges`, each of which lies in one of the page's buffers.
arrow::Result<std::vector<std::span<const uint8_t>>> BlobPage::Find(const std::vector<ByteRange>& ranges,
                                                                    Buffers buffers) const {
  std::vector<std::span<const uint8_t>> found;
  for (const ByteRange& range : ranges) {
    for (size_t i = 0; i < page_.buffers.size(); ++i) {
      const ByteRange& have = page_.buffers[i];
      if (range.offset < have.offset || range.end() > have.end()) continue;
      found.push_back(buffers[i].subspan(static_cast<size_t>(range.offset - have.offset),
                                         static_cast<size_t>(range.length)));
      break;
    }
  }
  if (found.size() != ranges.size()) return Corrupt(0, "blob descriptors outside of their page");
  return found;
}

arrow::Status BlobPage::Init(Buffers buffers) {
  ARROW_ASSIGN_OR_RAISE(const auto tables, Find(descriptors_->InitRanges(), buffers));
  ARROW_RETURN_NOT_OK(descriptors_->Init(tables));
  const RowRange all{0, page_.num_rows};
  std::vector<ByteRange> plan;
  descriptors_->Plan({&all, 1}, &plan);
  ARROW_ASSIGN_OR_RAISE(const auto parts, Find(plan, buffers));
  ARROW_ASSIGN_OR_RAISE(auto type, LeafType::OfPacked(BlobV1DescriptionType()));
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(std::move(type), page_.num_rows, pool_));
  ARROW_RETURN_NOT_OK(descriptors_->Decode({&all, 1}, parts, &builder));
  ARROW_ASSIGN_OR_RAISE(const auto rows, builder.Finish());
  const auto* positions = rows->child_data[0]->GetValues<uint64_t>(1);
  const auto* sizes = rows->child_data[1]->GetValues<uint64_t>(1);
  blobs_.clear();
  for (int64_t row = 0; row < page_.num_rows; ++row) {
    if (positions[row] > kMaxPosition || sizes[row] > kMaxPosition) {
      return Corrupt(
          page_.buffers.empty() ? 0 : page_.buffers[0].offset,
          "a blob of " + std::to_string(sizes[row]) + " bytes at " + std::to_string(positions[row]));
    }
    blobs_.push_back({static_cast<int64_t>(positions[row]), static_cast<int64_t>(sizes[row])});
  }
  return arrow::Status::OK();
}

arrow::Status BlobPage::AppendValue(const ByteRange& blob, Buffers* buffers, ColumnBuilder* out) const {
  if (type_.is_packed()) {
    const uint64_t description[] = {static_cast<uint64_t>(blob.offset), static_cast<uint64_t>(blob.length)};
    return out->AppendFixed(reinterpret_cast<const uint8_t*>(description), 0, 1);
  }
  if (blob.length == 0) return out->AppendZeros(1);
  ARROW_RETURN_NOT_OK(out->AppendBytes(buffers->front()));
  *buffers = buffers->subspan(1);
  return arrow::Status::OK();
}

arrow::Status BlobPage::Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const {
  for (const RowRange& range : rows) {
    for (int64_t row = range.begin; row < range.end; ++row) {
      const ByteRange& blob = blobs_[static_cast<size_t>(row)];
      ARROW_RETURN_NOT_OK(out->validity().Append(Definition(blob) == 0, 1));
      ARROW_RETURN_NOT_OK(AppendValue(blob, &buffers, out));
    }
  }
  return arrow::Status::OK();
}

arrow::Status BlobPage::DecodeNested(std::span<const RowRange> rows, Buffers buffers,
                                     NestedPiece* out) const {
  int64_t n = 0;
  for (const RowRange& range : rows) n += range.size();
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type_, n, pool_));
  out->levels.layers = layers_;
  out->levels.num_slots = n;
  for (const RowRange& range : rows) {
    for (int64_t row = range.begin; row < range.end; ++row) {
      const ByteRange& blob = blobs_[static_cast<size_t>(row)];
      out->levels.definition.push_back(Definition(blob));
      ARROW_RETURN_NOT_OK(AppendValue(blob, &buffers, &builder));
    }
  }
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, n));
  return builder.Finish().Value(&out->values);
}

arrow::Status CheckType(const LeafType& type) {
  if (type.type->id() == arrow::Type::LARGE_BINARY || type.type->Equals(*BlobV1DescriptionType())) {
    return arrow::Status::OK();
  }
  return arrow::Status::Invalid("blobs in a column of ", type.type->ToString());
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeBlobPage(PageDescription page, const enc::BlobLayout& layout,
                                                        const LeafColumn& column, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckType(column.type));
  auto layers = LayersOf(layout.layers());
  // Of blobs in lists upstream keeps no more than their number (§7.1).
  if (std::ranges::any_of(layers, IsListLayer)) return arrow::Status::NotImplemented("blobs inside of lists");
  if (layout.inner_layout().has_blob_layout()) return arrow::Status::Invalid("blobs of blobs");
  LeafColumn descriptors;
  ARROW_ASSIGN_OR_RAISE(descriptors.type, LeafType::OfPacked(BlobV1DescriptionType()));
  descriptors.field = arrow::field("", BlobV1DescriptionType());
  descriptors.layers.push_back({});
  ARROW_ASSIGN_OR_RAISE(auto inner, PageReader::Make(page, layout.inner_layout(), descriptors, pool));
  return std::make_unique<BlobPage>(std::move(page), column.type, std::move(inner), std::move(layers), pool);
}

arrow::Result<std::unique_ptr<PageReader>> MakeBlobPageV2_0(PageDescription page,
                                                            const lance::encodings::ArrayEncoding& encoding,
                                                            const LeafType& type, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckType(type));
  ARROW_ASSIGN_OR_RAISE(const auto descriptors, LeafType::OfPacked(BlobV1DescriptionType()));
  ARROW_ASSIGN_OR_RAISE(auto inner, MakeFixedPageV2_0(page, encoding, descriptors));
  return std::make_unique<BlobPage>(std::move(page), type, std::move(inner), std::vector<enc::RepDefLayer>{},
                                    pool);
}

}  // namespace pilum
