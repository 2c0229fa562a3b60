// SPDX-License-Identifier: Apache-2.0
//
// Pages of version 2.0, which indexes are written in. Spec: 10-file.md §9.
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <cstring>
#include <string>

#include "pilum/encoding/leaf_values.h"
#include "pilum/encoding/page_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

void SetFlat(uint64_t bits, uint32_t buffer, v2_0::ArrayEncoding* encoding) {
  encoding->mutable_flat()->set_bits_per_value(bits);
  encoding->mutable_flat()->mutable_buffer()->set_buffer_index(buffer);
}

std::shared_ptr<arrow::Buffer> CopyBits(const uint8_t* bits, int64_t offset, int64_t n) {
  std::string bytes(static_cast<size_t>(arrow::bit_util::BytesForBits(n)), '\0');
  arrow::internal::CopyBitmap(bits, offset, n, reinterpret_cast<uint8_t*>(bytes.data()), 0);
  return arrow::Buffer::FromString(std::move(bytes));
}

/// Ends of the strings; a null's is moved past the text.
EncodedPageV2_0 EncodeStrings(const LeafValues& values) {
  EncodedPageV2_0 page;
  auto* binary = page.encoding.mutable_binary();
  SetFlat(64, 0, binary->mutable_indices()->mutable_nullable()->mutable_no_nulls()->mutable_values());
  SetFlat(8, 1, binary->mutable_bytes());
  const int64_t first = values.offsets.front(), text = values.offsets.back() - first;
  const uint64_t adjustment = static_cast<uint64_t>(text) + 1;
  binary->set_null_adjustment(adjustment);
  std::string ends;
  for (int64_t i = 0; i < values.length; ++i) {
    const bool null = !values.levels.empty() && values.levels[static_cast<size_t>(i)] != 0;
    AppendLE<uint64_t>(&ends, static_cast<uint64_t>(values.offsets[static_cast<size_t>(i) + 1] - first) +
                                  (null ? adjustment : 0));
  }
  std::string bytes(reinterpret_cast<const char*>(values.bytes + (text > 0 ? first : 0)),
                    static_cast<size_t>(text));
  page.buffers = {arrow::Buffer::FromString(std::move(ends)), arrow::Buffer::FromString(std::move(bytes))};
  return page;
}

EncodedPageV2_0 EncodeFixed(const LeafValues& values) {
  EncodedPageV2_0 page;
  v2_0::ArrayEncoding* level = &page.encoding;
  const auto wrap = [&](std::shared_ptr<arrow::Buffer> validity) {
    if (validity == nullptr) {
      level = level->mutable_nullable()->mutable_no_nulls()->mutable_values();
      return;
    }
    auto* some = level->mutable_nullable()->mutable_some_nulls();
    SetFlat(1, static_cast<uint32_t>(page.buffers.size()), some->mutable_validity());
    page.buffers.push_back(std::move(validity));
    level = some->mutable_values();
  };
  std::shared_ptr<arrow::Buffer> rows;
  if (!values.levels.empty()) {
    std::string bits(static_cast<size_t>(arrow::bit_util::BytesForBits(values.length)), '\0');
    for (int64_t i = 0; i < values.length; ++i) {
      arrow::bit_util::SetBitTo(reinterpret_cast<uint8_t*>(bits.data()), i,
                                values.levels[static_cast<size_t>(i)] == 0);
    }
    rows = arrow::Buffer::FromString(std::move(bits));
  }
  wrap(std::move(rows));
  for (size_t i = 0; i < values.type.dims.size(); ++i) {
    level->mutable_fixed_size_list()->set_dimension(static_cast<uint32_t>(values.type.dims[i]));
    level = level->mutable_fixed_size_list()->mutable_items();
    const auto& validity = values.item_validity[i];
    wrap(validity.bitmap == nullptr
             ? nullptr
             : CopyBits(validity.bitmap, validity.offset, values.length * values.type.ItemsThrough(i)));
  }
  SetFlat(static_cast<uint64_t>(values.type.item_bits), static_cast<uint32_t>(page.buffers.size()), level);
  page.buffers.push_back(CopyBits(values.values, values.first_bit, values.length * values.type.bits));
  return page;
}

}  // namespace

arrow::Result<EncodedPageV2_0> EncodePageV2_0(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const LeafValues values, LeafValues::Of(array, pool));
  if (values.type.kind == LeafType::Kind::kVariable) return EncodeStrings(values);
  if (values.null_count == values.length) {
    EncodedPageV2_0 page;
    page.encoding.mutable_nullable()->mutable_all_nulls();
    return page;
  }
  return EncodeFixed(values);
}

}  // namespace pilum
