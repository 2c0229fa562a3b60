// SPDX-License-Identifier: Apache-2.0
//
// Which rows a filter can be true for, by the table's indexes. Spec: 30-scalar-index.md §9, 20-table.md
// §12.4.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pilum/dataset/session.h"
#include "pilum/expr/filter.h"
#include "pilum/table/manifest.h"

namespace pilum {

/// A conjunct of a filter that the segments of one BTree index answer.
struct IndexSearch {
  PointPredicate predicate;
  std::vector<const lance::table::IndexMetadata*> segments;  ///< of the manifest

  std::string index_name() const { return segments[0]->name(); }
};

/// The rows that can pass: of the fragments the index covers, these offsets (ascending; fragments without any
/// are left out); of the others, all.
struct IndexResult {
  DeletionVector covered;  ///< ids of fragments, a set of numbers like any other
  std::map<uint64_t, std::vector<int64_t>> offsets;
};

/// The first conjunct of `filter` with a usable index, or none. Tables with stable row ids have none yet.
std::optional<IndexSearch> PlanIndexSearch(const Manifest& manifest,
                                           const arrow::compute::Expression& filter);

/// Index `name` if it is a BTree on the top-level field `field_id` that covers what it says it covers: its
/// segments.
std::vector<const lance::table::IndexMetadata*> BTreeSegmentsOn(const Manifest& manifest, int32_t field_id);

/// The BTree of one segment, from the session if it is open.
arrow::Result<std::shared_ptr<BTreeIndex>> OpenSegment(Session& session, const StoreLocation& location,
                                                       const lance::table::IndexMetadata& segment);

/// Addresses of the rows of covered fragments that hold one of `values`, ascending without repeats, and the
/// fragments that are covered. All are rows of `manifest`.
struct BTreeSearchResult {
  DeletionVector covered;
  std::vector<uint64_t> addresses;
};
arrow::Result<BTreeSearchResult> SearchBTree(Session& session, const StoreLocation& location,
                                             const Manifest& manifest,
                                             const std::vector<const lance::table::IndexMetadata*>& segments,
                                             const arrow::Array& values);

arrow::Result<IndexResult> RunIndexSearch(Session& session, const StoreLocation& location,
                                          const Manifest& manifest, const IndexSearch& search);

}  // namespace pilum
