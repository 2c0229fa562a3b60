// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/blob_page.h"

#include <vector>

#include "pilum/file/v2_0_page.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr uint64_t kMaxPosition = uint64_t{1} << 62;  // sums of two stay in 63 bits

class BlobPage final : public PageReader {
 public:
  /// @param descriptors reads the page as rows of (position, size). @param nullable whether an empty value
  /// with a position is a null.
  BlobPage(PageDescription page, LeafType type, std::unique_ptr<PageReader> descriptors, bool nullable,
           arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)),
        descriptors_(std::move(descriptors)),
        nullable_(nullable),
        pool_(pool) {}

  // The descriptors are read whole: 16 bytes a row, and only they tell what to read next.
  std::vector<ByteRange> InitRanges() const override { return page_.buffers; }
  arrow::Status Init(Buffers buffers) override;

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      for (int64_t row = range.begin; row < range.end; ++row) {
        const ByteRange& blob = blobs_[static_cast<size_t>(row)];
        if (blob.length > 0) bytes->push_back(blob);
      }
    }
  }
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  arrow::Result<std::vector<std::span<const uint8_t>>> Find(const std::vector<ByteRange>& ranges,
                                                            Buffers buffers) const;

  const std::unique_ptr<PageReader> descriptors_;
  const bool nullable_;
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
  ARROW_ASSIGN_OR_RAISE(auto type, BlobDescriptorType());
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(std::move(type), page_.num_rows, pool_));
  ARROW_RETURN_NOT_OK(descriptors_->Decode({&all, 1}, parts, &builder));
  ARROW_ASSIGN_OR_RAISE(const auto rows, builder.Finish());
  const auto* positions = rows->child_data[0]->GetValues<uint64_t>(1);
  const auto* sizes = rows->child_data[1]->GetValues<uint64_t>(1);
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

arrow::Status BlobPage::Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const {
  size_t next = 0;
  for (const RowRange& range : rows) {
    for (int64_t row = range.begin; row < range.end; ++row) {
      const ByteRange& blob = blobs_[static_cast<size_t>(row)];
      const bool null = nullable_ && blob.length == 0 && blob.offset != 0;
      ARROW_RETURN_NOT_OK(out->validity().Append(!null, 1));
      ARROW_RETURN_NOT_OK(blob.length > 0 ? out->AppendBytes(buffers[next++]) : out->AppendZeros(1));
    }
  }
  return arrow::Status::OK();
}

arrow::Status CheckType(const LeafType& type) {
  if (type.type->id() == arrow::Type::LARGE_BINARY) return arrow::Status::OK();
  return arrow::Status::Invalid("blobs in a column of ", type.type->ToString());
}

}  // namespace

arrow::Result<LeafType> BlobDescriptorType() {
  return LeafType::OfPacked(
      arrow::struct_({arrow::field("position", arrow::uint64()), arrow::field("size", arrow::uint64())}));
}

arrow::Result<std::unique_ptr<PageReader>> MakeBlobPage(PageDescription page, const enc::BlobLayout& layout,
                                                        const LeafColumn& column, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckType(column.type));
  if (column.nested()) return arrow::Status::NotImplemented("blobs inside of nested columns");
  if (layout.inner_layout().has_blob_layout()) return arrow::Status::Invalid("blobs of blobs");
  ARROW_ASSIGN_OR_RAISE(const bool nullable, HasNullableItem(layout.layers()));
  LeafColumn descriptors;
  ARROW_ASSIGN_OR_RAISE(descriptors.type, BlobDescriptorType());
  descriptors.layers.push_back({});
  ARROW_ASSIGN_OR_RAISE(auto inner, PageReader::Make(page, layout.inner_layout(), descriptors, pool));
  return std::make_unique<BlobPage>(std::move(page), column.type, std::move(inner), nullable, pool);
}

arrow::Result<std::unique_ptr<PageReader>> MakeBlobPageV2_0(PageDescription page,
                                                            const lance::encodings::ArrayEncoding& encoding,
                                                            const LeafType& type, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckType(type));
  ARROW_ASSIGN_OR_RAISE(const auto descriptors, BlobDescriptorType());
  ARROW_ASSIGN_OR_RAISE(auto inner, MakeFixedPageV2_0(page, encoding, descriptors));
  return std::make_unique<BlobPage>(std::move(page), type, std::move(inner), /*nullable=*/true, pool);
}

}  // namespace pilum
