// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/fsst_encoder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>
#include <utility>

#include "pilum/encoding/fsst.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int kRounds = 5;
constexpr size_t kSampleBytes = 16 << 10;
constexpr size_t kSamplePiece = 512;  // of a long string, so that many strings have a say
constexpr int kMaxLength = 8;
constexpr uint8_t kEscape = 255;
constexpr int kSingleByteWeight = 8;  // a byte without a symbol costs two; more than others deserves one

/// Masks of the first n bytes of a word.
constexpr uint64_t kLowBytes[] = {
    0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, ~uint64_t{0}};

/// Up to eight bytes; zeros behind the end.
uint64_t LoadWord(const uint8_t* at, size_t left) {
  if (left >= 8) return LoadLE<uint64_t>(at);
  uint64_t word = 0;
  std::memcpy(&word, at, left);
  return word;
}

using Sample = std::vector<std::string>;

Sample TakeSample(const LeafValues& strings) {
  Sample sample;
  const size_t total = static_cast<size_t>(strings.offsets.back() - strings.offsets.front());
  if (total <= kSampleBytes) {
    for (int64_t i = 0; i < strings.length; ++i) {
      const auto text = strings.Text(i);
      if (!text.empty()) sample.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
    }
    return sample;
  }
  std::mt19937_64 random(static_cast<uint64_t>(strings.length));
  for (size_t bytes = 0; bytes < kSampleBytes;) {
    const auto text = strings.Text(static_cast<int64_t>(random() % static_cast<uint64_t>(strings.length)));
    if (text.empty()) continue;
    const size_t length = std::min(text.size(), kSamplePiece);
    const size_t begin = text.size() == length ? 0 : random() % (text.size() - length);
    sample.emplace_back(reinterpret_cast<const char*>(text.data()) + begin, length);
    bytes += length;
  }
  return sample;
}

/// A piece of text that could become a symbol, and what it would save.
struct Candidate {
  FsstSymbols::Symbol symbol;
  int64_t gain;
};

/// How often each symbol, raw byte and pair of neighbours occurs in the sample. Codes 0..255 are raw bytes,
/// 256 + i is symbol i.
class Counts {
 public:
  explicit Counts(const FsstSymbols& symbols) : symbols_(symbols), pairs_(kCodes * kCodes) {}

  void Count(const std::string& text, bool with_pairs) {
    const auto* at = reinterpret_cast<const uint8_t*>(text.data());
    const auto* const end = at + text.size();
    int previous = kNoCode;
    while (at < end) {
      const int match = symbols_.Match(at, static_cast<size_t>(end - at));
      const int code = match == FsstSymbols::kNone ? *at : 256 + match;
      const int length = match == FsstSymbols::kNone ? 1 : symbols_[static_cast<size_t>(match)].length;
      ++singles_[static_cast<size_t>(code)];
      if (length > 1) ++singles_[*at];  // the byte may be worth more than the symbol it begins
      if (with_pairs && previous != kNoCode) {
        CountPair(previous, code);
        if (length > 1) CountPair(previous, *at);
      }
      saved_ += match == FsstSymbols::kNone ? -1 : length - 1;
      previous = code;
      at += length;
    }
  }

  /// Bytes that the symbols save on the sample.
  int64_t saved() const { return saved_; }

  std::vector<Candidate> Candidates(int64_t least_count) const {
    std::vector<Candidate> candidates;
    for (int code = 0; code < static_cast<int>(256 + symbols_.size()); ++code) {
      Add(SymbolOf(code), singles_[static_cast<size_t>(code)], least_count, &candidates);
    }
    for (const auto& [first, second] : seen_) {
      const auto left = SymbolOf(first), right = SymbolOf(second);
      FsstSymbols::Symbol joined;
      joined.length = std::min(left.length + right.length, kMaxLength);
      joined.bytes = left.length == kMaxLength ? left.bytes : left.bytes | right.bytes << (8 * left.length);
      joined.bytes &= kLowBytes[joined.length];
      Add(joined, pairs_[static_cast<size_t>(first) * kCodes + static_cast<size_t>(second)], least_count,
          &candidates);
    }
    return candidates;
  }

 private:
  static constexpr size_t kCodes = 512;
  static constexpr int kNoCode = -1;

  void CountPair(int first, int second) {
    uint16_t& pair = pairs_[static_cast<size_t>(first) * kCodes + static_cast<size_t>(second)];
    if (pair++ == 0) seen_.push_back({first, second});
  }

  FsstSymbols::Symbol SymbolOf(int code) const {
    if (code < 256) return {static_cast<uint64_t>(code), 1};
    return symbols_[static_cast<size_t>(code - 256)];
  }

  static void Add(FsstSymbols::Symbol symbol, int64_t count, int64_t least_count,
                  std::vector<Candidate>* candidates) {
    if (count < least_count) return;
    candidates->push_back({symbol, count * (symbol.length == 1 ? kSingleByteWeight : symbol.length)});
  }

  const FsstSymbols& symbols_;
  std::array<int64_t, kCodes> singles_{};
  std::vector<uint16_t> pairs_;
  std::vector<std::pair<int, int>> seen_;
  int64_t saved_ = 0;
};

/// The table of the candidates that save the most; the same text found in two ways counts once, with both.
FsstSymbols Best(std::vector<Candidate> candidates) {
  const auto text = [](const Candidate& c) { return std::make_tuple(c.symbol.bytes, c.symbol.length); };
  std::sort(candidates.begin(), candidates.end(),
            [&](const Candidate& a, const Candidate& b) { return text(a) < text(b); });
  std::vector<Candidate> merged;
  for (const Candidate& candidate : candidates) {
    if (!merged.empty() && text(merged.back()) == text(candidate)) {
      merged.back().gain += candidate.gain;
    } else {
      merged.push_back(candidate);
    }
  }
  std::stable_sort(merged.begin(), merged.end(),
                   [](const Candidate& a, const Candidate& b) { return a.gain > b.gain; });
  FsstSymbols symbols;
  for (const Candidate& candidate : merged) symbols.Add(candidate.symbol);
  return symbols;
}

}  // namespace

FsstSymbols::FsstSymbols() : by_two_(1 << 16, kNone) { by_one_.fill(kNone); }

bool FsstSymbols::Add(Symbol symbol) {
  if (symbols_.size() == kMaxSymbols) return false;
  const auto code = static_cast<int16_t>(symbols_.size());
  if (symbol.length <= 2) {
    int16_t& entry = symbol.length == 1 ? by_one_[symbol.bytes & 0xFF] : by_two_[symbol.bytes & 0xFFFF];
    if (entry != kNone) return false;
    entry = code;
  } else {
    Long& entry = by_three_[SlotOf(symbol.bytes)];
    if (entry.length != 0) return false;
    entry = {symbol.bytes, static_cast<uint8_t>(code), static_cast<uint8_t>(symbol.length)};
  }
  symbols_.push_back(symbol);
  return true;
}

int FsstSymbols::Match(const uint8_t* at, size_t left) const {
  const uint64_t word = LoadWord(at, left);
  const Long& entry = by_three_[SlotOf(word)];
  if ((word & kLowBytes[entry.length]) == entry.bytes && entry.length <= left) return entry.code;
  if (left >= 2 && by_two_[word & 0xFFFF] != kNone) return by_two_[word & 0xFFFF];
  return by_one_[word & 0xFF];
}

FsstEncoder::FsstEncoder(FsstSymbols symbols) : symbols_(std::move(symbols)), short_steps_(1 << 16) {
  for (size_t byte = 0; byte < single_steps_.size(); ++byte) {
    const int code = symbols_.by_one_[byte];
    single_steps_[byte] = {code == FsstSymbols::kNone ? kEscape : static_cast<uint8_t>(code), 1};
  }
  for (size_t two = 0; two < short_steps_.size(); ++two) {
    const int code = symbols_.by_two_[two];
    short_steps_[two] =
        code == FsstSymbols::kNone ? single_steps_[two & 0xFF] : Step{static_cast<uint8_t>(code), 2};
  }
}

FsstEncoder FsstEncoder::Train(const LeafValues& strings) {
  const Sample sample = TakeSample(strings);
  FsstSymbols symbols, best;
  int64_t best_saved = std::numeric_limits<int64_t>::min();
  for (int round = 0; round <= kRounds; ++round) {
    const bool last = round == kRounds;
    Counts counts(symbols);
    for (const std::string& text : sample) counts.Count(text, !last);
    if (counts.saved() > best_saved) {
      best_saved = counts.saved();
      best = symbols;
    }
    if (!last) symbols = Best(counts.Candidates(1 + round));
  }
  return FsstEncoder(std::move(best));
}

uint8_t* FsstEncoder::Encode(std::span<const uint8_t> text, uint8_t* codes) const {
  if (text.empty()) return codes;
  const uint8_t* at = text.data();
  const uint8_t* const end = at + text.size();
  while (end - at >= 8) {
    const uint64_t word = LoadLE<uint64_t>(at);
    const FsstSymbols::Long& entry = symbols_.by_three_[FsstSymbols::SlotOf(word)];
    if ((word & kLowBytes[entry.length]) == entry.bytes) {
      *codes++ = entry.code;
      at += entry.length;
      continue;
    }
    const Step step = short_steps_[word & 0xFFFF];
    codes[0] = step.code;
    codes[1] = *at;  // overwritten unless the code is the escape
    codes += step.code == kEscape ? 2 : 1;
    at += step.length;
  }
  // Less than a word is left: it moves through a register. What follows it is zero, which symbols may end
  // with too.
  int left = static_cast<int>(end - at);
  for (uint64_t word = LoadWord(at, static_cast<size_t>(left)); left > 0;) {
    const FsstSymbols::Long& entry = symbols_.by_three_[FsstSymbols::SlotOf(word)];
    Step step{entry.code, entry.length};
    if ((word & kLowBytes[entry.length]) != entry.bytes || entry.length > left) {
      step = short_steps_[word & 0xFFFF];
      if (step.length > left) step = single_steps_[word & 0xFF];
    }
    codes[0] = step.code;
    codes[1] = static_cast<uint8_t>(word);
    codes += step.code == kEscape ? 2 : 1;
    word >>= 8 * step.length;
    left -= step.length;
  }
  return codes;
}

void FsstEncoder::Append(std::span<const uint8_t> text, std::string* codes) const {
  const size_t at = codes->size();
  codes->resize(at + kMaxExpansion * text.size());
  auto* begin = reinterpret_cast<uint8_t*>(codes->data());
  codes->resize(static_cast<size_t>(Encode(text, begin + at) - begin));
}

arrow::Result<std::shared_ptr<arrow::Buffer>> FsstEncoder::EncodeAll(const LeafValues& strings,
                                                                     std::vector<int64_t>* offsets) const {
  arrow::BufferBuilder codes;
  const int64_t text_bytes = strings.offsets.back() - strings.offsets.front();
  ARROW_RETURN_NOT_OK(codes.Reserve(text_bytes / 2));
  offsets->assign(1, 0);
  offsets->reserve(strings.offsets.size());
  for (int64_t i = 0; i < strings.length; ++i) {
    const auto text = strings.Text(i);
    ARROW_RETURN_NOT_OK(codes.Reserve(static_cast<int64_t>(kMaxExpansion * text.size())));
    uint8_t* const begin = codes.mutable_data() + codes.length();
    codes.UnsafeAdvance(Encode(text, begin) - begin);
    offsets->push_back(codes.length());
  }
  return codes.Finish(/*shrink_to_fit=*/false);
}

std::string FsstEncoder::Table() const {
  constexpr uint64_t kHeader = uint64_t{0x46535354} << 32 | uint64_t{1} << 24;  // magic number, encoded
  std::string table;
  AppendLE<uint64_t>(&table, kHeader | symbols_.size());
  for (size_t i = 0; i < symbols_.size(); ++i) AppendLE<uint64_t>(&table, symbols_[i].bytes);
  for (size_t i = 0; i < symbols_.size(); ++i) table.push_back(static_cast<char>(symbols_[i].length));
  table.resize(FsstDecoder::kTableBytes, '\0');
  return table;
}

enc::CompressiveEncoding FsstEncoder::Wrap(enc::CompressiveEncoding codes) const {
  enc::CompressiveEncoding encoding;
  encoding.mutable_fsst()->set_symbol_table(Table());
  *encoding.mutable_fsst()->mutable_values() = std::move(codes);
  return encoding;
}

}  // namespace pilum
