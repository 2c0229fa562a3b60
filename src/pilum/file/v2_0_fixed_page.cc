// SPDX-License-Identifier: Apache-2.0
//
// 2.0 pages of fixed-width values and vectors: bitmaps and flat buffers, read row by row. Spec: 10-file.md
// §9.1 to §9.3.
#include <arrow/util/bit_util.h>

#include <string>
#include <vector>

#include "pilum/file/v2_0_page.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

class FixedPage final : public PageReader {
 public:
  FixedPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}

  arrow::Status Prepare(const v2_0::ArrayEncoding& encoding) {
    UnwrappedV2_0 level = UnwrappedV2_0::Of(encoding);
    int64_t items = 1;
    for (size_t depth = 0;; ++depth) {
      ByteRange validity{};
      if (level.validity != nullptr) {
        ARROW_ASSIGN_OR_RAISE(validity, FindPlainV2_0(page_, *level.validity, 1, page_.num_rows * items));
      }
      validity_.push_back({level.validity != nullptr, level.values == nullptr, validity, items});
      if (level.values == nullptr || depth == type_.dims.size()) break;
      if (!level.values->has_fixed_size_list() ||
          level.values->fixed_size_list().dimension() != static_cast<uint64_t>(type_.dims[depth])) {
        return arrow::Status::Invalid("a page without vectors of ", type_.dims[depth], " items");
      }
      items *= type_.dims[depth];
      level = UnwrappedV2_0::Of(level.values->fixed_size_list().items());
    }
    if (level.values != nullptr && type_.is_packed()) {
      if (!level.values->has_packed_struct()) return arrow::Status::Invalid("a page without packed structs");
      // Widths come from the type: the children's own encodings say nothing that is not there.
      v2_0::ArrayEncoding rows;
      rows.mutable_flat()->set_bits_per_value(static_cast<uint64_t>(type_.bits));
      *rows.mutable_flat()->mutable_buffer() = level.values->packed_struct().buffer();
      ARROW_ASSIGN_OR_RAISE(values_, FindPlainV2_0(page_, rows, type_.bits, page_.num_rows));
      has_values_ = true;
    } else if (level.values != nullptr) {
      ARROW_ASSIGN_OR_RAISE(values_,
                            FindPlainV2_0(page_, *level.values, type_.item_bits, page_.num_rows * items));
      has_values_ = true;
    }
    return arrow::Status::OK();
  }

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      for (const Validity& level : validity_) {
        if (level.bitmap)
          bytes->push_back(BytesOfBits(level.bytes, range.begin * level.items, range.end * level.items));
      }
      if (has_values_)
        bytes->push_back(BytesOfBits(values_, range.begin * type_.bits, range.end * type_.bits));
    }
  }

  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override {
    size_t next = 0;
    for (const RowRange& range : rows) {
      for (size_t depth = 0; depth <= type_.dims.size(); ++depth) {
        ValidityBuilder& to = depth == 0 ? out->validity() : out->item_validity(depth - 1);
        const int64_t items = depth == 0 ? 1 : type_.ItemsThrough(depth - 1);
        const bool no_bitmap = type_.is_vector_of_nulls() && depth == type_.dims.size();
        const bool all_null = !no_bitmap && (depth >= validity_.size() || validity_[depth].all_null);
        if (depth < validity_.size() && validity_[depth].bitmap) {
          ARROW_RETURN_NOT_OK(
              to.AppendBits(buffers[next++].data(), range.begin * items % 8, range.size() * items));
        } else {
          ARROW_RETURN_NOT_OK(to.Append(!all_null, range.size() * items));
        }
      }
      if (!has_values_) {
        ARROW_RETURN_NOT_OK(out->AppendZeros(range.size()));
      } else if (type_.bits % 8 == 0) {
        ARROW_RETURN_NOT_OK(out->AppendFixed(buffers[next++].data(), 0, range.size()));
      } else {
        ARROW_RETURN_NOT_OK(AppendBits(buffers[next++].data(), range, out));
      }
    }
    return arrow::Status::OK();
  }

 private:
  struct Validity {
    bool bitmap;
    bool all_null;
    ByteRange bytes;
    int64_t items;  // per row
  };

  arrow::Status AppendBits(const uint8_t* bytes, RowRange range, ColumnBuilder* out) const {
    if (type_.bits == 1) return out->AppendFixed(bytes, range.begin % 8, range.size());
    for (int64_t row = range.begin; row < range.end; ++row) {  // vectors of booleans that end inside a byte
      const int64_t first_bit = row * type_.bits - range.begin * type_.bits / 8 * 8;
      std::string value(static_cast<size_t>((type_.bits + 7) / 8), '\0');
      for (int64_t bit = 0; bit < type_.bits; ++bit) {
        arrow::bit_util::SetBitTo(reinterpret_cast<uint8_t*>(value.data()), bit,
                                  arrow::bit_util::GetBit(bytes, first_bit + bit));
      }
      ARROW_RETURN_NOT_OK(out->AppendFixed(reinterpret_cast<const uint8_t*>(value.data()), 0, 1));
    }
    return arrow::Status::OK();
  }

  std::vector<Validity>
      validity_;  // of rows, then of the items of each dimension; may stop at an all-null one
  bool has_values_ = false;
  ByteRange values_{};
};

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeFixedPageV2_0(PageDescription page,
                                                             const v2_0::ArrayEncoding& encoding,
                                                             const LeafType& type) {
  auto reader = std::make_unique<FixedPage>(std::move(page), type);
  ARROW_RETURN_NOT_OK(reader->Prepare(encoding));
  return reader;
}

}  // namespace pilum
