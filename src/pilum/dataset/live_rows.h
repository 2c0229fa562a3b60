// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "pilum/dataset/session.h"
#include "pilum/table/manifest.h"

namespace pilum {

/// Positions among the live rows of a table, in manifest order. Immutable; any thread.
class LiveRows {
 public:
  /// Reads deletion files only where the manifest does not say how many rows they hold.
  static arrow::Result<std::shared_ptr<const LiveRows>> Make(Session& session, const StoreLocation& location,
                                                             const Manifest& manifest);

  int64_t num_rows() const { return starts_.back(); }
  /// Index in the manifest of the fragment that holds live row `row`, and the row's rank among the live rows
  /// of it. REQUIRES: 0 <= row < num_rows().
  std::pair<int, int64_t> Locate(int64_t row) const;
  int64_t StartOf(int fragment) const { return starts_[static_cast<size_t>(fragment)]; }

 private:
  std::vector<int64_t> starts_ = {0};  // of each fragment, and the end
};

/// Offset in the fragment of the live row of rank `rank`. @param deleted may be null.
int64_t OffsetOfLiveRow(const DeletionVector* deleted, int64_t rank);

}  // namespace pilum
