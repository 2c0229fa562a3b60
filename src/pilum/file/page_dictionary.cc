// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/page_dictionary.h"

#include <arrow/type.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "pilum/encoding/block.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

/// Indices whose rows are valid must be below `size`; those of null rows become 0.
template <typename T>
arrow::Status CheckIndices(const T* indices, int64_t n, const uint16_t* levels, uint64_t size,
                           std::vector<uint64_t>* out) {
  out->resize(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    uint64_t index = indices[i];
    if (levels != nullptr && levels[i] != 0) {
      index = 0;
    } else if (index >= size) {
      return arrow::Status::Invalid("index ", index, " into a dictionary of ", size);
    }
    (*out)[static_cast<size_t>(i)] = index;
  }
  return arrow::Status::OK();
}

arrow::Status CheckIndices(const arrow::ArrayData& indices, const uint16_t* levels, uint64_t size,
                           std::vector<uint64_t>* out) {
  switch (indices.type->id()) {
    case arrow::Type::UINT8:
      return CheckIndices(indices.GetValues<uint8_t>(1), indices.length, levels, size, out);
    case arrow::Type::UINT16:
      return CheckIndices(indices.GetValues<uint16_t>(1), indices.length, levels, size, out);
    case arrow::Type::UINT32:
      return CheckIndices(indices.GetValues<uint32_t>(1), indices.length, levels, size, out);
    default:
      return CheckIndices(indices.GetValues<uint64_t>(1), indices.length, levels, size, out);
  }
}

template <typename Offset>
arrow::Status GatherStrings(const arrow::ArrayData& entries, const std::vector<uint64_t>& indices,
                            const uint16_t* levels, ColumnBuilder* out) {
  const Offset* offsets = entries.GetValues<Offset>(1);
  const uint8_t* bytes = entries.buffers[2]->data();
  for (size_t i = 0; i < indices.size(); ++i) {
    if (levels != nullptr && levels[i] != 0) {
      ARROW_RETURN_NOT_OK(out->AppendZeros(1));
      continue;
    }
    const size_t index = indices[i];
    ARROW_RETURN_NOT_OK(
        out->AppendBytes({bytes + offsets[index], static_cast<size_t>(offsets[index + 1] - offsets[index])}));
  }
  return arrow::Status::OK();
}

arrow::Status GatherFixed(const arrow::ArrayData& entries, const std::vector<uint64_t>& indices,
                          ColumnBuilder* out) {
  if (indices.empty()) return arrow::Status::OK();
  if (entries.length == 0) return out->AppendZeros(static_cast<int64_t>(indices.size()));
  const size_t width = static_cast<size_t>(out->type().bits / 8);
  ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(static_cast<int64_t>(indices.size())));
  const uint8_t* from = entries.buffers[1]->data();
  for (const uint64_t index : indices) {
    std::memcpy(to, from + index * width, width);
    to += width;
  }
  return arrow::Status::OK();
}

arrow::Status AppendKeys(const std::vector<uint64_t>& indices, ColumnBuilder* out) {
  const size_t width = static_cast<size_t>(out->type().bits / 8);
  const auto& key = *static_cast<const arrow::DictionaryType&>(*out->type().type).index_type();
  const int value_bits = static_cast<int>(out->type().bits) - (arrow::is_signed_integer(key.id()) ? 1 : 0);
  ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(static_cast<int64_t>(indices.size())));
  for (const uint64_t index : indices) {
    if (value_bits < 64 && index >> value_bits != 0) {
      return arrow::Status::CapacityError("key ", index, " does not fit a column of ",
                                          out->type().type->ToString());
    }
    std::memcpy(to, &index, width);
    to += width;
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<PageDictionary> PageDictionary::Decode(const enc::CompressiveEncoding& encoding,
                                                     std::span<const uint8_t> block, uint64_t n,
                                                     const LeafType& type, arrow::MemoryPool* pool) {
  const LeafType& entry = type.kind == LeafType::Kind::kDictionary ? *type.entries : type;
  // An entry takes a bit at the least, even compressed.
  if (n > std::numeric_limits<int32_t>::max() || n / 2048 > block.size() + 1) {
    return arrow::Status::Invalid("a dictionary of ", n, " entries in ", block.size(), " bytes");
  }
  const int64_t size = static_cast<int64_t>(n);
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(entry, size, pool));
  if (entry.kind == LeafType::Kind::kVariable) {
    ARROW_RETURN_NOT_OK(DecodeVariableBlock(encoding, block, size, &builder, pool));
  } else if (entry.kind == LeafType::Kind::kFixed && !entry.is_vector()) {
    std::string values(static_cast<size_t>((size * entry.bits + 7) / 8), '\0');
    auto* to = reinterpret_cast<uint8_t*>(values.data());
    ARROW_RETURN_NOT_OK(DecodeFixedBlock(encoding, block, size, entry.bits, to, pool));
    ARROW_RETURN_NOT_OK(builder.AppendFixed(to, 0, size));
  } else {
    return arrow::Status::Invalid("a dictionary of ", entry.type->ToString());
  }
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, size));
  ARROW_ASSIGN_OR_RAISE(auto entries, builder.Finish());
  return PageDictionary(std::move(entries));
}

arrow::Result<LeafType> PageDictionary::IndexType(const enc::CompressiveEncoding& values) {
  uint64_t bits = 0;
  switch (values.compression_case()) {
    case enc::CompressiveEncoding::kFlat:
      bits = values.flat().bits_per_value();
      break;
    case enc::CompressiveEncoding::kInlineBitpacking:
      bits = values.inline_bitpacking().uncompressed_bits_per_value();
      break;
    case enc::CompressiveEncoding::kRle:
      bits = values.rle().values().flat().bits_per_value();
      break;
    case enc::CompressiveEncoding::kByteStreamSplit:
      bits = values.byte_stream_split().values().flat().bits_per_value();
      break;
    case enc::CompressiveEncoding::kGeneral:
      if (values.general().values().has_general()) return arrow::Status::Invalid("compressed twice");
      return IndexType(values.general().values());
    default:
      break;
  }
  switch (bits) {
    case 8:
      return LeafType::Of(arrow::uint8());
    case 16:
      return LeafType::Of(arrow::uint16());
    case 32:
      return LeafType::Of(arrow::uint32());
    case 64:
      return LeafType::Of(arrow::uint64());
    default:
      return arrow::Status::Invalid("indices of ", bits, " bits into a dictionary");
  }
}

arrow::Status PageDictionary::Gather(const arrow::ArrayData& indices, const uint16_t* levels,
                                     ColumnBuilder* out) const {
  std::vector<uint64_t> checked;
  ARROW_RETURN_NOT_OK(CheckIndices(indices, levels, static_cast<uint64_t>(entries_->length), &checked));
  switch (out->type().kind) {
    case LeafType::Kind::kDictionary:
      out->UseDictionary(entries_);
      return AppendKeys(checked, out);
    case LeafType::Kind::kVariable:
      return out->type().offset_bits == 64 ? GatherStrings<int64_t>(*entries_, checked, levels, out)
                                           : GatherStrings<int32_t>(*entries_, checked, levels, out);
    default:
      return GatherFixed(*entries_, checked, out);
  }
}

}  // namespace pilum
