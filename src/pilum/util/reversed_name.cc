// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/reversed_name.h"

namespace pilum {

namespace {
constexpr int kNumBits = 64;
}  // namespace

std::string ReversedName(uint64_t number) {
  std::string name(kNumBits, '0');
  for (int bit = 0; bit < kNumBits; ++bit) {
    if ((number >> bit) & 1) name[bit] = '1';
  }
  return name;
}

std::optional<uint64_t> ParseReversedName(std::string_view stem) {
  if (stem.size() != kNumBits) return std::nullopt;
  uint64_t number = 0;
  for (int bit = 0; bit < kNumBits; ++bit) {
    if (stem[bit] != '0' && stem[bit] != '1') return std::nullopt;
    number |= static_cast<uint64_t>(stem[bit] == '1') << bit;
  }
  return number;
}

std::optional<uint64_t> ParseReversedFileName(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  return ParseReversedName(name.substr(0, name.size() - suffix.size()));
}

}  // namespace pilum
