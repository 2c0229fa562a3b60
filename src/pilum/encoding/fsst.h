// SPDX-License-Identifier: Apache-2.0
//
// FSST: strings as codes of a table of up to 255 symbols of 1 to 8 bytes. Spec: 11-encodings.md §8.7; Boncz,
// Neumann, Leis, "FSST: Fast Random Access String Compression", VLDB 2020.
#pragma once

#include <arrow/buffer_builder.h>
#include <arrow/result.h>

#include <array>
#include <cstdint>
#include <span>

namespace pilum {

/// The decoding half of a symbol table. Immutable; any thread.
class FsstDecoder {
 public:
  static constexpr size_t kTableBytes = 2312;

  /// Parses the table of a page. Invalid when it is not one.
  static arrow::Result<FsstDecoder> Parse(std::span<const uint8_t> table);

  /// Appends the text of one string. Invalid for codes that the table does not have.
  arrow::Status Decode(std::span<const uint8_t> codes, arrow::BufferBuilder* out) const;
  /// Appends the text of `count` strings. The codes of string i are bytes [offsets[i], offsets[i + 1]) of
  /// `codes`; the offsets, which need not be aligned, ascend and lie inside. @param ends gets the length of
  /// `out` behind each string.
  template <typename Offset>
  arrow::Status DecodeRun(std::span<const uint8_t> codes, const uint8_t* offsets, int64_t count,
                          arrow::BufferBuilder* out, int64_t* ends) const;

 private:
  /// Writes the text of codes [begin, end) to `to`, where there is room for kMaxSymbol bytes more than it can
  /// have. Returns its end, null if it ends inside an escape. The highest bit of `missing` is set for a code
  /// without a symbol.
  uint8_t* Expand(const uint8_t* begin, const uint8_t* end, uint8_t* to, uint32_t* missing) const;

  bool encoded_ = false;  // false: the strings are stored as they are
  std::array<uint64_t, 256> symbols_{};
  std::array<uint8_t, 256> lengths_{};  // 0: no such symbol
};

}  // namespace pilum
