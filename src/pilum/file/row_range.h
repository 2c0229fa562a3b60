// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pilum {

/// Rows [begin, end) of a file, a batch or a page.
struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

}  // namespace pilum
