// SPDX-License-Identifier: Apache-2.0
//
// 2.0 pages of strings that are all of one length, which only early writers made. Spec: 10-file.md §9.11.
#include "pilum/file/v2_0_page.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

class FixedStringsPage final : public PageReader {
 public:
  FixedStringsPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}

  arrow::Status Prepare(const v2_0::ArrayEncoding& encoding) {
    const UnwrappedV2_0 outer = UnwrappedV2_0::Of(encoding);
    ARROW_ASSIGN_OR_RAISE(validity_, RowValidityV2_0::Find(page_, outer.validity));
    const auto& strings = outer.values->fixed_size_binary();
    width_ = strings.byte_width();
    const UnwrappedV2_0 bytes = UnwrappedV2_0::Of(strings.bytes());
    if (bytes.values == nullptr || bytes.validity != nullptr || width_ == 0) {
      return arrow::Status::Invalid("strings of ", width_, " bytes without bytes");
    }
    if (page_.num_rows > (int64_t{1} << 56) / width_) {
      return arrow::Status::Invalid(page_.num_rows, " strings of ", width_, " bytes");
    }
    ARROW_ASSIGN_OR_RAISE(bytes_, FindPlainV2_0(page_, *bytes.values, 8, page_.num_rows * width_));
    return arrow::Status::OK();
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      validity_.Plan(range, bytes);
      bytes->push_back({bytes_.offset + range.begin * width_, range.size() * width_});
    }
  }

  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override {
    for (const RowRange& range : rows) {
      ARROW_RETURN_NOT_OK(validity_.Append(range, &buffers, out));
      auto strings = buffers.front();
      buffers = buffers.subspan(1);
      for (; !strings.empty(); strings = strings.subspan(static_cast<size_t>(width_))) {
        ARROW_RETURN_NOT_OK(out->AppendBytes(strings.first(static_cast<size_t>(width_))));
      }
    }
    return arrow::Status::OK();
  }

 private:
  RowValidityV2_0 validity_;
  int64_t width_ = 0;
  ByteRange bytes_{};
};

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeFixedStringsPageV2_0(PageDescription page,
                                                                    const v2_0::ArrayEncoding& encoding,
                                                                    const LeafType& type) {
  auto reader = std::make_unique<FixedStringsPage>(std::move(page), type);
  ARROW_RETURN_NOT_OK(reader->Prepare(encoding));
  return reader;
}

}  // namespace pilum
