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

}  // namespace

std::vector<ByteRange> CoalesceRanges(std::span<const ByteRange> ranges, const CoalesceLimits& limits) {
  std::vector<ByteRange> sorted;
  sorted.reserve(ranges.size());
  std::copy_if(ranges.begin(), ranges.end(), std::back_inserter(sorted),
               [](const ByteRange& range) { return range.length > 0; });
  std::sort(sorted.begin(), sorted.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  std::vector<ByteRange> merged;
  for (const ByteRange& range : sorted) {
    if (!merged.empty() && range.offset - merged.back().end() <= limits.max_gap) {
      merged.back().length = std::max(merged.back().end(), range.end()) - merged.back().offset;
    } else {
      merged.push_back(range);
    }
  }
  std::vector<ByteRange> requests;
  requests.reserve(merged.size());
  for (const ByteRange& range : merged) SplitInto(range, limits.max_request, &requests);
  return requests;
}

}  // namespace pilum
