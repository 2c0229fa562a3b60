// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/level_counts.h"

#include <algorithm>
#include <cstddef>

#include "pilum/util/target_clones.h"

namespace pilum {

namespace {

// Counts of at most kBlock levels fit the lanes that hold levels, so that the loops become compares and
// subtractions of whole vectors.
constexpr size_t kBlock = 4096;

PILUM_CLONES uint16_t CountEqualInBlock(const uint16_t* levels, size_t n, uint16_t level) {
  uint16_t count = 0;
  for (size_t i = 0; i < n; ++i) count = static_cast<uint16_t>(count + (levels[i] == level));
  return count;
}

PILUM_CLONES uint16_t CountAtMostInBlock(const uint16_t* levels, size_t n, uint16_t level) {
  uint16_t count = 0;
  for (size_t i = 0; i < n; ++i) count = static_cast<uint16_t>(count + (levels[i] <= level));
  return count;
}

}  // namespace

int64_t CountEqual(std::span<const uint16_t> levels, uint16_t level) {
  int64_t count = 0;
  for (size_t at = 0; at < levels.size(); at += kBlock) {
    count += CountEqualInBlock(levels.data() + at, std::min(kBlock, levels.size() - at), level);
  }
  return count;
}

int64_t CountAtMost(std::span<const uint16_t> levels, uint16_t level) {
  int64_t count = 0;
  for (size_t at = 0; at < levels.size(); at += kBlock) {
    count += CountAtMostInBlock(levels.data() + at, std::min(kBlock, levels.size() - at), level);
  }
  return count;
}

int64_t FindNth(std::span<const uint16_t> levels, uint16_t level, int64_t nth) {
  size_t at = 0;
  for (const size_t step : {size_t{512}, size_t{32}}) {  // leaves fewer than one step to be searched
    while (at + step <= levels.size()) {
      const int64_t found = CountEqualInBlock(levels.data() + at, step, level);
      if (found >= nth) break;
      nth -= found;
      at += step;
    }
  }
  for (; at < levels.size(); ++at) {
    if (levels[at] == level && --nth == 0) return static_cast<int64_t>(at);
  }
  return static_cast<int64_t>(levels.size());
}

}  // namespace pilum
