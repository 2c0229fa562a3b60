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

arrow::Status FsstDecoder::Decode(std::span<const uint8_t> codes, arrow::BufferBuilder* out) const {
  if (codes.empty()) return arrow::Status::OK();
  if (!encoded_) return out->Append(codes.data(), static_cast<int64_t>(codes.size()));
  // Every symbol is stored as 8 bytes and the end moves by its length: room for one over the longest text.
  ARROW_RETURN_NOT_OK(out->Reserve(static_cast<int64_t>((codes.size() + 1) * kMaxSymbol)));
  uint8_t* to = out->mutable_data() + out->length();
  const uint8_t* const begin = to;
  uint32_t missing = 0;  // the highest bit is set by a length of 0
  const auto expand = [&](uint8_t code) {
    const uint32_t length = lengths_[code];
    StoreLE(to, symbols_[code]);
    to += length;
    missing |= length - 1;
  };
  size_t i = 0;
  while (i < codes.size()) {
    if (i + 4 <= codes.size() && !HasEscape(LoadLE<uint32_t>(&codes[i]))) {
      expand(codes[i]);
      expand(codes[i + 1]);
      expand(codes[i + 2]);
      expand(codes[i + 3]);
      i += 4;
    } else if (codes[i] != kEscape) {
      expand(codes[i++]);
    } else {
      if (++i == codes.size()) return arrow::Status::Invalid("FSST string ends inside an escape");
      *to++ = codes[i++];
    }
  }
  if (missing >> 31 != 0) return arrow::Status::Invalid("FSST code without a symbol");
  out->UnsafeAdvance(to - begin);
  return arrow::Status::OK();
}

}  // namespace pilum
