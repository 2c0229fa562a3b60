// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/fsst.h"

#include <cstring>

#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

constexpr uint32_t kMagic = 0x46535354;  // "FSST", the high half of the header
constexpr uint8_t kEscape = 255;         // the next byte stands for itself
constexpr size_t kMaxSymbol = 8;

/// Whether one of the four codes is the escape.
bool HasEscape(uint32_t codes) {
  const uint32_t inverse = ~codes;  // the escape is a zero byte
  return ((inverse - 0x01010101) & ~inverse & 0x80808080) != 0;
}

}  // namespace

arrow::Result<FsstDecoder> FsstDecoder::Parse(std::span<const uint8_t> table) {
  if (table.size() != kTableBytes) {
    return arrow::Status::Invalid("FSST symbol table of ", table.size(), " bytes instead of ", kTableBytes);
  }
  const uint64_t header = LoadLE<uint64_t>(table.data());
  if (header >> 32 != kMagic) return arrow::Status::Invalid("FSST symbol table without its magic number");
  FsstDecoder decoder;
  decoder.encoded_ = (header >> 24 & 1) != 0;
  const size_t n = header & 0xFF;
  const uint8_t* lengths = table.data() + 8 + 8 * n;
  for (size_t i = 0; i < n; ++i) {
    if (lengths[i] < 1 || lengths[i] > kMaxSymbol) {
      return arrow::Status::Invalid("FSST symbol ", i, " has length ", static_cast<int>(lengths[i]));
    }
    decoder.symbols_[i] = LoadLE<uint64_t>(table.data() + 8 + 8 * i);
    decoder.lengths_[i] = lengths[i];
  }
  return decoder;
}

uint8_t* FsstDecoder::Expand(const uint8_t* begin, const uint8_t* end, uint8_t* to, uint32_t* missing) const {
  uint32_t none = 0;
  // Every symbol is stored as 8 bytes and the end moves by its length.
  const auto expand = [&](uint8_t code) {
    const uint32_t length = lengths_[code];
    StoreLE(to, symbols_[code]);
    to += length;
    none |= length - 1;
  };
  while (begin != end) {
    if (end - begin >= 4 && !HasEscape(LoadLE<uint32_t>(begin))) {
      expand(begin[0]);
      expand(begin[1]);
      expand(begin[2]);
      expand(begin[3]);
      begin += 4;
    } else if (*begin != kEscape) {
      expand(*begin++);
    } else {
      if (++begin == end) return nullptr;
      *to++ = *begin++;
    }
  }
  *missing |= none;
  return to;
}

arrow::Status FsstDecoder::Decode(std::span<const uint8_t> codes, arrow::BufferBuilder* out) const {
  const uint64_t offsets[] = {0, codes.size()};
  int64_t end = 0;
  return DecodeRun<uint64_t>(codes, reinterpret_cast<const uint8_t*>(offsets), 1, out, &end);
}

template <typename Offset>
arrow::Status FsstDecoder::DecodeRun(std::span<const uint8_t> codes, const uint8_t* offsets, int64_t count,
                                     arrow::BufferBuilder* out, int64_t* ends) const {
  const auto offset = [offsets](int64_t i) {
    return LoadLE<Offset>(offsets + i * static_cast<int64_t>(sizeof(Offset)));
  };
  const int64_t first = static_cast<int64_t>(offset(0)), size = static_cast<int64_t>(offset(count)) - first;
  const int64_t before = out->length();
  if (!encoded_) {
    for (int64_t i = 0; i < count; ++i) ends[i] = before + static_cast<int64_t>(offset(i + 1)) - first;
    return size == 0 ? arrow::Status::OK() : out->Append(codes.data() + first, size);
  }
  ARROW_RETURN_NOT_OK(out->Reserve((size + 1) * static_cast<int64_t>(kMaxSymbol)));
  uint8_t* const begin = out->mutable_data();
  uint8_t* to = begin + before;
  uint32_t missing = 0;
  for (int64_t i = 0; i < count; ++i) {
    to = Expand(codes.data() + offset(i), codes.data() + offset(i + 1), to, &missing);
    if (to == nullptr) return arrow::Status::Invalid("FSST string ends inside an escape");
    ends[i] = to - begin;
  }
  if (missing >> 31 != 0) return arrow::Status::Invalid("FSST code without a symbol");
  out->UnsafeAdvance(to - begin - before);
  return arrow::Status::OK();
}

template arrow::Status FsstDecoder::DecodeRun<uint32_t>(std::span<const uint8_t>, const uint8_t*, int64_t,
                                                        arrow::BufferBuilder*, int64_t*) const;
template arrow::Status FsstDecoder::DecodeRun<uint64_t>(std::span<const uint8_t>, const uint8_t*, int64_t,
                                                        arrow::BufferBuilder*, int64_t*) const;

}  // namespace pilum
