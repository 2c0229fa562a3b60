// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/coalesce.h"

#include <algorithm>

namespace pilum {

namespace {

void SplitInto(const ByteRange& range, int64_t max_request, std::vector<ByteRange>* out) {
  const int64_t num_parts = (range.length + max_request - 1) / max_request;
  const int64_t part = range.length / num_parts;
  for (int64_t i = 0; i < num_parts; ++i) {
    const int64_t begin = range.offset + i * part;
    out->push_back({begin, (i + 1 == num_parts ? range.end() : begin + part) - begin});
  }
}

/// Joins every range with those right behind it in `ranges` that begin in it or after a gap of at most
/// `max_gap`.
std::vector<ByteRange> JoinNeighbours(std::span<const ByteRange> ranges, int64_t max_gap) {
  std::vector<ByteRange> joined;
  for (const ByteRange& range : ranges) {
    if (range.length == 0) continue;
    if (!joined.empty() && range.offset >= joined.back().offset &&
        range.offset - joined.back().end() <= max_gap) {
      joined.back().length = std::max(joined.back().end(), range.end()) - joined.back().offset;
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

}  // namespace

std::vector<ByteRange> CoalesceRanges(std::span<const ByteRange> ranges, const CoalesceLimits& limits) {
  // Ranges mostly ascend column by column: what is left to sort is short.
  std::vector<ByteRange> joined = JoinNeighbours(ranges, limits.max_gap);
  std::sort(joined.begin(), joined.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  std::vector<ByteRange> requests;
  requests.reserve(joined.size());
  for (const ByteRange& range : JoinNeighbours(joined, limits.max_gap)) {
    SplitInto(range, limits.max_request, &requests);
  }
  return requests;
}

}  // namespace pilum
