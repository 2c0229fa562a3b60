// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/mini_block_values.h"

namespace pilum {

namespace enc = lance::encodings21;

arrow::Result<MiniBlockValues> MiniBlockValues::Make(const enc::MiniBlockLayout& layout, const LeafType& type,
                                                     arrow::MemoryPool* pool) {
  MiniBlockValues values(type, pool);
  values.stored_ = type;
  if (layout.has_dictionary()) {
    ARROW_ASSIGN_OR_RAISE(values.stored_, PageDictionary::IndexType(layout.value_compression()));
  } else if (type.kind == LeafType::Kind::kDictionary) {
    return arrow::Status::Invalid("a page without a dictionary in a column of ", type.type->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(values.decoder_,
                        ValueDecoder::Make(layout.value_compression(), values.stored_, pool));
  if (layout.num_buffers() != values.num_buffers()) {
    return arrow::Status::Invalid("a page of ", layout.num_buffers(), " buffers per chunk, its encoding has ",
                                  values.num_buffers());
  }
  return values;
}

arrow::Status MiniBlockValues::InitDictionary(const enc::MiniBlockLayout& layout,
                                              std::span<const uint8_t> block) {
  ARROW_ASSIGN_OR_RAISE(dictionary_, PageDictionary::Decode(layout.dictionary(), block,
                                                            layout.num_dictionary_items(), type_, pool_));
  return arrow::Status::OK();
}

arrow::Status MiniBlockValues::Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                                      const uint16_t* levels, ColumnBuilder* out) const {
  if (!dictionary_) return decoder_->Append(buffers, n, begin, count, out);
  ARROW_ASSIGN_OR_RAISE(auto indices, ColumnBuilder::Make(stored_, count, pool_));
  ARROW_RETURN_NOT_OK(decoder_->Append(buffers, n, begin, count, &indices));
  ARROW_RETURN_NOT_OK(indices.validity().Append(true, count));
  ARROW_ASSIGN_OR_RAISE(const auto data, indices.Finish());
  return dictionary_->Gather(*data, levels, out);
}

}  // namespace pilum
