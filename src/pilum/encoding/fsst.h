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

 private:
  bool encoded_ = false;  // false: the strings are stored as they are
  std::array<uint64_t, 256> symbols_{};
  std::array<uint8_t, 256> lengths_{};  // 0: no such symbol
};

}  // namespace pilum
