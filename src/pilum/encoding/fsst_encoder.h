// SPDX-License-Identifier: Apache-2.0
//
// FsstEncoder: the writing half of fsst.h. A table of up to 255 symbols is grown on a sample: in each round
// the sample is cut greedily into the symbols so far, and the symbols and neighbouring pairs that would save
// the most become the next table. Spec: 11-encodings.md §8.7.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pilum/encoding/leaf_values.h"
#include "pilum_proto/encodings_v2_1.pb.h"

namespace pilum {

/// Up to 255 byte strings of 1 to 8 bytes, found by their first bytes. Few of the symbols of three and more
/// bytes share a hash of their first three: of those that do, the first added stays.
class FsstSymbols {
 public:
  struct Symbol {
    uint64_t bytes = 0;  // the first byte lowest; zero padded
    int length = 0;
  };
  static constexpr int kNone = -1;

  FsstSymbols();

  /// Whether there was room for it.
  bool Add(Symbol symbol);
  /// The symbol that starts at `at` with `left` bytes to go, or kNone. Prefers three bytes and more.
  int Match(const uint8_t* at, size_t left) const;

  size_t size() const { return symbols_.size(); }
  const Symbol& operator[](size_t i) const { return symbols_[i]; }

 private:
  static constexpr size_t kMaxSymbols = 255;
  static constexpr size_t kSlots = 2048;
  static size_t SlotOf(uint64_t bytes);

  std::vector<Symbol> symbols_;
  std::array<int16_t, 256> by_one_;
  std::vector<int16_t> by_two_;  // 65536
  std::array<int16_t, kSlots> by_three_;
};

/// Immutable once trained; any thread.
class FsstEncoder {
 public:
  /// Learns from a sample of the strings, the same one every time.
  static FsstEncoder Train(const LeafValues& strings);

  /// Appends the codes of one string.
  void Append(std::span<const uint8_t> text, std::string* codes) const;
  /// The table as a page stores it, FsstDecoder::kTableBytes long.
  std::string Table() const;
  /// `codes`, the encoding of the codes as strings, inside the message that holds the table.
  lance::encodings21::CompressiveEncoding Wrap(lance::encodings21::CompressiveEncoding codes) const;

 private:
  explicit FsstEncoder(FsstSymbols symbols) : symbols_(std::move(symbols)) {}

  FsstSymbols symbols_;
};

}  // namespace pilum
