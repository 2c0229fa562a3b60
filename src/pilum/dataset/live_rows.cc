// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/live_rows.h"

#include <algorithm>

#include "pilum/util/error.h"

namespace pilum {

arrow::Result<std::shared_ptr<const LiveRows>> LiveRows::Make(Session& session, const StoreLocation& location,
                                                              const Manifest& manifest) {
  auto rows = std::make_shared<LiveRows>();
  for (const auto& fragment : manifest.fragments()) {
    std::optional<int64_t> live = NumLiveRows(fragment);
    if (!live) {
      ARROW_ASSIGN_OR_RAISE(const auto deleted, session.OpenDeletions(location, fragment));
      live = static_cast<int64_t>(fragment.physical_rows() - deleted->cardinality());
    }
    if (*live < 0) {
      return CorruptFile(location.uri, -1,
                         "more rows deleted than there are in fragment " + std::to_string(fragment.id()));
    }
    rows->starts_.push_back(rows->starts_.back() + *live);
  }
  return rows;
}

std::pair<int, int64_t> LiveRows::Locate(int64_t row) const {
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), row);
  return {static_cast<int>(next - starts_.begin()) - 1, row - *std::prev(next)};
}

int64_t OffsetOfLiveRow(const DeletionVector* deleted, int64_t rank) {
  if (deleted == nullptr) return rank;
  // The offset is the rank plus the deleted rows up to it: a fixed point, reached from below.
  int64_t offset = rank;
  for (;;) {
    const int64_t next = rank + static_cast<int64_t>(deleted->rank(static_cast<uint32_t>(offset)));
    if (next == offset) return offset;
    offset = next;
  }
}

}  // namespace pilum
