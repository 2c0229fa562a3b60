// SPDX-License-Identifier: Apache-2.0
//
// FsstEncoder: the writing half of fsst.h. A table of up to 255 symbols is grown on a sample: in each round
// the sample is cut greedily into the symbols so far, and the symbols and neighbouring pairs that would save
// the most become the next table. Spec: 11-encodings.md §8.7.
#pragma once

#include <arrow/buffer.h>
#include <arrow/result.h>

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
  friend class FsstEncoder;  // looks up the same tables eight bytes at a time

  /// A symbol of three bytes and more, whole, so that one access decides.
  struct Long {
    uint64_t bytes = kNoBytes;
    uint8_t code = 0;
    uint8_t length = 0;
  };
  static constexpr size_t kMaxSymbols = 255;
  static constexpr int kSlotBits = 11;
  static constexpr uint64_t kNoBytes = ~uint64_t{0};  // begins with no text: length 0 means zeros

  static size_t SlotOf(uint64_t bytes) { return (bytes & 0xFFFFFF) * 0x9E3779B97F4A7C15 >> (64 - kSlotBits); }

  std::vector<Symbol> symbols_;
  std::array<int16_t, 256> by_one_;
  std::vector<int16_t> by_two_;  // 65536
  std::array<Long, 1 << kSlotBits> by_three_;
};

/// Immutable once trained; any thread.
class FsstEncoder {
 public:
  /// Learns from a sample of the strings, the same one every time.
  static FsstEncoder Train(const LeafValues& strings);

  /// Appends the codes of one string: from its begin on whatever FsstSymbols::Match says, else an escape and
  /// the byte.
  void Append(std::span<const uint8_t> text, std::string* codes) const;
  /// The codes of all strings, one behind the other; `offsets` is where each begins, and the end.
  arrow::Result<std::shared_ptr<arrow::Buffer>> EncodeAll(const LeafValues& strings,
                                                          std::vector<int64_t>* offsets) const;
  /// The table as a page stores it, FsstDecoder::kTableBytes long.
  std::string Table() const;
  /// `codes`, the encoding of the codes as strings, inside the message that holds the table.
  lance::encodings21::CompressiveEncoding Wrap(lance::encodings21::CompressiveEncoding codes) const;

 private:
  /// What is written for the bytes at hand, and how many they are.
  struct Step {
    uint8_t code;
    uint8_t length;
  };

  explicit FsstEncoder(FsstSymbols symbols);
  /// @param codes has room for kMaxExpansion times the text. @return the end of the codes.
  uint8_t* Encode(std::span<const uint8_t> text, uint8_t* codes) const;

  static constexpr size_t kMaxExpansion = 2;

  FsstSymbols symbols_;
  /// By the first byte: its symbol or the escape. By two, the second in the high half: their symbol, or as
  /// for one.
  std::array<Step, 256> single_steps_;
  std::vector<Step> short_steps_;
};

}  // namespace pilum
