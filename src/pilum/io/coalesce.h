// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pilum/io/object_store.h"

namespace pilum {

/// When two ranges become one request. The gap that is worth reading through is what the store moves in the
/// time of one request; the largest request bounds memory and lets parts of a big read arrive in parallel.
struct CoalesceLimits {
  int64_t max_gap = 4096;  ///< local; 64 KiB suits object stores
  int64_t max_request = int64_t{16} << 20;
};

/// The requests that cover `ranges`: ascending, disjoint, each at most limits.max_request long. Ranges may
/// overlap and come in any order; empty ones need no request. A range longer than the largest request is
/// split evenly, the last part takes the rest.
std::vector<ByteRange> CoalesceRanges(std::span<const ByteRange> ranges, const CoalesceLimits& limits);

}  // namespace pilum
