// SPDX-License-Identifier: Apache-2.0
//
// 2.0 pages of packed structs that hold vectors: rows of one length, without nulls. Spec: 10-file.md §9.9.
#include "pilum/file/v2_0_page.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

constexpr int64_t kMaxStride = int64_t{1} << 48;

class PackedPage final : public PageReader {
 public:
  PackedPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}

  arrow::Status Prepare(const v2_0::ArrayEncoding& encoding) {
    for (const LeafType& field : type_.fields) {
      if (field.kind != LeafType::Kind::kFixed) {
        return arrow::Status::Invalid("a page of version 2.0 in a column of ", type_.type->ToString());
      }
      stride_ += field.bits / 8;
      if (stride_ > kMaxStride) return arrow::Status::Invalid("rows of more than 2^48 bytes");
    }
    const UnwrappedV2_0 rows = UnwrappedV2_0::Of(encoding);
    if (rows.values == nullptr || rows.validity != nullptr || !rows.values->has_packed_struct()) {
      return arrow::Status::Invalid("a page without packed structs");
    }
    // Widths come from the type: the children's own encodings say nothing that is not there.
    v2_0::ArrayEncoding bytes;
    bytes.mutable_flat()->set_bits_per_value(static_cast<uint64_t>(stride_) * 8);
    *bytes.mutable_flat()->mutable_buffer() = rows.values->packed_struct().buffer();
    ARROW_ASSIGN_OR_RAISE(rows_, FindPlainV2_0(page_, bytes, stride_ * 8, page_.num_rows));
    return arrow::Status::OK();
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      bytes->push_back({rows_.offset + range.begin * stride_, range.size() * stride_});
    }
  }

  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint8_t* row = buffers[i].data();
      ARROW_RETURN_NOT_OK(out->validity().Append(true, rows[i].size()));
      for (int64_t n = 0; n < rows[i].size(); ++n, row += stride_) ARROW_RETURN_NOT_OK(AppendRow(row, out));
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status AppendRow(const uint8_t* row, ColumnBuilder* out) const {
    const std::vector<size_t>& wanted = type_.packed_children;
    size_t next = 0;  // of those wanted
    for (size_t i = 0; i < type_.fields.size() && next < wanted.size(); row += type_.fields[i++].bits / 8) {
      if (wanted[next] != i) continue;
      ColumnBuilder& child = out->child(next++);
      for (size_t level = 0; level < type_.fields[i].dims.size(); ++level) {
        ARROW_RETURN_NOT_OK(child.item_validity(level).Append(true, type_.fields[i].ItemsThrough(level)));
      }
      ARROW_RETURN_NOT_OK(child.AppendFixed(row, 0, 1));
    }
    return out->FinishRow();
  }

  int64_t stride_ = 0;
  ByteRange rows_{};
};

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakePackedPageV2_0(PageDescription page,
                                                              const v2_0::ArrayEncoding& encoding,
                                                              const LeafType& type) {
  auto reader = std::make_unique<PackedPage>(std::move(page), type);
  ARROW_RETURN_NOT_OK(reader->Prepare(encoding));
  return reader;
}

}  // namespace pilum
