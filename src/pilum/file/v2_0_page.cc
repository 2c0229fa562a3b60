// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/v2_0_page.h"

#include <arrow/util/bit_util.h>

#include "pilum/file/blob_page.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

/// Columns of type null.
class NullPage final : public PageReader {
 public:
  NullPage(PageDescription page, LeafType type) : PageReader(std::move(page), std::move(type)) {}
  void Plan(std::span<const RowRange>, std::vector<ByteRange>*) const override {}
  arrow::Status Decode(std::span<const RowRange> rows, Buffers, ColumnBuilder* out) const override {
    for (const RowRange& range : rows) ARROW_RETURN_NOT_OK(out->AppendZeros(range.size()));
    return arrow::Status::OK();
  }
};

arrow::Result<ByteRange> Resolve(const PageDescription& page, const v2_0::Buffer& buffer) {
  if (buffer.buffer_type() != v2_0::Buffer::page || buffer.buffer_index() >= page.buffers.size()) {
    return arrow::Status::Invalid("buffer ", buffer.buffer_index(), " of a page of ", page.buffers.size());
  }
  return page.buffers[buffer.buffer_index()];
}

}  // namespace

UnwrappedV2_0 UnwrappedV2_0::Of(const v2_0::ArrayEncoding& encoding) {
  if (!encoding.has_nullable()) return {&encoding, nullptr};
  const auto& nullable = encoding.nullable();
  if (nullable.has_no_nulls()) return {&nullable.no_nulls().values(), nullptr};
  if (nullable.has_some_nulls()) return {&nullable.some_nulls().values(), &nullable.some_nulls().validity()};
  return {};
}

arrow::Result<FlatBufferV2_0> FindFlatV2_0(const PageDescription& page, const v2_0::ArrayEncoding& encoding,
                                           int64_t bits, int64_t n) {
  if (!encoding.has_flat()) {
    return arrow::Status::NotImplemented("2.0 encoding ", static_cast<int>(encoding.array_encoding_case()));
  }
  const auto& flat = encoding.flat();
  if (flat.bits_per_value() != static_cast<uint64_t>(bits)) {
    return arrow::Status::Invalid("values of ", flat.bits_per_value(), " bits where ", bits,
                                  " were expected");
  }
  if (bits <= 0 || n < 0) return arrow::Status::Invalid(n, " values of ", bits, " bits");
  FlatBufferV2_0 buffer;
  ARROW_ASSIGN_OR_RAISE(buffer.range, Resolve(page, flat.buffer()));
  if (flat.has_compression() && flat.compression().scheme() != "none") {
    buffer.compression = flat.compression().scheme();
    if (buffer.compression != "lz4" && buffer.compression != "zstd") {
      return arrow::Status::NotImplemented("2.0 pages compressed with '", buffer.compression, "'");
    }
    return buffer;
  }
  if (n > (int64_t{1} << 56) / bits || buffer.range.length < arrow::bit_util::BytesForBits(n * bits)) {
    return arrow::Status::Invalid("a buffer of ", buffer.range.length, " bytes for ", n, " values of ", bits,
                                  " bits");
  }
  return buffer;
}

arrow::Result<ByteRange> FindPlainV2_0(const PageDescription& page, const v2_0::ArrayEncoding& encoding,
                                       int64_t bits, int64_t n) {
  ARROW_ASSIGN_OR_RAISE(const auto buffer, FindFlatV2_0(page, encoding, bits, n));
  if (buffer.compression.empty()) return buffer.range;
  return arrow::Status::NotImplemented("2.0 values compressed with ", buffer.compression);
}

arrow::Result<RowValidityV2_0> RowValidityV2_0::Find(const PageDescription& page,
                                                     const v2_0::ArrayEncoding* validity) {
  RowValidityV2_0 rows;
  rows.has_bitmap_ = validity != nullptr;
  if (rows.has_bitmap_) {
    ARROW_ASSIGN_OR_RAISE(rows.bitmap_, FindPlainV2_0(page, *validity, 1, page.num_rows));
  }
  return rows;
}

arrow::Status RowValidityV2_0::Append(const RowRange& rows, Buffers* buffers, ColumnBuilder* out) const {
  if (!has_bitmap_) return out->validity().Append(true, rows.size());
  const auto bits = buffers->front();
  *buffers = buffers->subspan(1);
  return out->validity().AppendBits(bits.data(), rows.begin % 8, rows.size());
}

arrow::Result<std::unique_ptr<PageReader>> PageReader::Make(PageDescription page,
                                                            const v2_0::ArrayEncoding& encoding,
                                                            const LeafType& type, arrow::MemoryPool* pool) {
  if (encoding.array_encoding_case() == v2_0::ArrayEncoding::ARRAY_ENCODING_NOT_SET) {
    return arrow::Status::Invalid("a page without an encoding");
  }
  if (type.kind == LeafType::Kind::kNull) return std::make_unique<NullPage>(std::move(page), type);
  const UnwrappedV2_0 outer = UnwrappedV2_0::Of(encoding);
  if (outer.values != nullptr && outer.values->has_dictionary()) {
    return MakeDictionaryPageV2_0(std::move(page), outer.values->dictionary(), type, pool);
  }
  switch (type.kind) {
    case LeafType::Kind::kVariable:
      if (outer.values != nullptr && outer.values->has_packed_struct()) {
        return MakeBlobPageV2_0(std::move(page), encoding, type, pool);
      }
      if (outer.values != nullptr && outer.values->has_fixed_size_binary()) {
        return MakeFixedStringsPageV2_0(std::move(page), encoding, type);
      }
      return MakeBinaryPageV2_0(std::move(page), encoding, type, pool);
    case LeafType::Kind::kFixed:
      if (outer.values != nullptr &&
          (outer.values->has_bitpacked() || outer.values->has_bitpacked_for_non_neg())) {
        return MakeBitpackedPageV2_0(std::move(page), encoding, type);
      }
      return MakeFixedPageV2_0(std::move(page), encoding, type);
    case LeafType::Kind::kRow:
      return MakePackedPageV2_0(std::move(page), encoding, type);
    default:
      return arrow::Status::NotImplemented("2.0 encoding ", static_cast<int>(encoding.array_encoding_case()),
                                           " of ", type.type->ToString());
  }
}

}  // namespace pilum
