// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/index_search.h"

#include <algorithm>

#include "pilum/index/scalar/btree_files.h"
#include "pilum/table/bitmap.h"
#include "pilum/util/error.h"
#include "pilum/util/uuid.h"

namespace pilum {

namespace {

constexpr int32_t kNewestBTreeVersion = 0;

bool IsBTree(const lance::table::IndexMetadata& index) {
  std::string type = index.index_details().type_url();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type.ends_with("btreeindexdetails") && index.index_version() <= kNewestBTreeVersion &&
         !index.has_base_id();
}

arrow::Result<std::string> DirectoryOf(const StoreLocation& location,
                                       const lance::table::IndexMetadata& segment) {
  const auto uuid = Uuid::FromBytes(segment.uuid().uuid());
  if (uuid) return "_indices/" + uuid->ToString();
  return CorruptFile("index " + segment.name() + " of " + location.uri, -1,
                     "its uuid has " + std::to_string(segment.uuid().uuid().size()) + " bytes");
}

/// Appends the addresses that `segment` has for one of `values` in the fragments it covers. Fragments that
/// are gone may still be in an index.
arrow::Status SearchSegment(Session& session, const StoreLocation& location, const Manifest& manifest,
                            const lance::table::IndexMetadata& segment, const arrow::Array& values,
                            BTreeSearchResult* result) {
  const auto coverage = ParseFragmentBitmap(segment);
  if (!coverage.ok()) return Annotate(coverage.status(), location.uri + ": ");
  ARROW_ASSIGN_OR_RAISE(const auto index, OpenSegment(session, location, segment));
  ARROW_ASSIGN_OR_RAISE(const auto found, index->LookupMany(values));
  std::optional<uint64_t> fragment_id;  // of the last row: rows of a fragment mostly come together
  const lance::table::DataFragment* fragment = nullptr;  // null: not covered, or gone
  for (const auto& ids : found) {
    for (const uint64_t id : ids) {
      const uint64_t offset = id & 0xFFFFFFFF;
      if (fragment_id != id >> 32) {
        fragment_id = id >> 32;
        const bool covered = coverage->contains(static_cast<uint32_t>(*fragment_id));
        fragment = covered ? manifest.FindFragment(*fragment_id) : nullptr;
      }
      if (fragment == nullptr) continue;
      if (offset >= fragment->physical_rows()) {
        ARROW_ASSIGN_OR_RAISE(const std::string directory, DirectoryOf(location, segment));
        return CorruptFile(location.store->Describe(JoinPath(directory, kBTreePageFile)), -1,
                           "index " + segment.name() + " names row " + std::to_string(offset) +
                               " of fragment " + std::to_string(*fragment_id) + ", which has " +
                               std::to_string(fragment->physical_rows()));
      }
      result->addresses.push_back(id);
    }
  }
  result->covered |= *coverage;
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::shared_ptr<BTreeIndex>> OpenSegment(Session& session, const StoreLocation& location,
                                                       const lance::table::IndexMetadata& segment) {
  ARROW_ASSIGN_OR_RAISE(const std::string directory, DirectoryOf(location, segment));
  return session.OpenBTree(location, directory);
}

std::vector<const lance::table::IndexMetadata*> BTreeSegmentsOn(const Manifest& manifest, int32_t field_id) {
  std::vector<const lance::table::IndexMetadata*> segments;
  for (const auto& index : manifest.indexes.indices()) {
    if (index.fields_size() != 1 || index.fields(0) != field_id || !IsBTree(index) ||
        index.fragment_bitmap().empty())
      continue;
    if (segments.empty() || segments[0]->name() == index.name()) segments.push_back(&index);
  }
  return segments;
}

std::optional<IndexSearch> PlanIndexSearch(const Manifest& manifest,
                                           const arrow::compute::Expression& filter) {
  if ((manifest.proto.reader_feature_flags() & kFlagStableRowIds) != 0) return std::nullopt;
  for (const auto& conjunct : Conjuncts(filter)) {
    auto predicate = AsPointPredicate(conjunct);
    if (!predicate) continue;
    const SchemaField* field = manifest.schema->FindField(predicate->column);
    if (field == nullptr) continue;
    auto segments = BTreeSegmentsOn(manifest, field->id);
    if (!segments.empty()) return IndexSearch{*std::move(predicate), std::move(segments)};
  }
  return std::nullopt;
}

arrow::Result<BTreeSearchResult> SearchBTree(Session& session, const StoreLocation& location,
                                             const Manifest& manifest,
                                             const std::vector<const lance::table::IndexMetadata*>& segments,
                                             const arrow::Array& values) {
  BTreeSearchResult result;
  for (const auto* segment : segments)
    ARROW_RETURN_NOT_OK(SearchSegment(session, location, manifest, *segment, values, &result));
  auto& addresses = result.addresses;
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return result;
}

arrow::Result<IndexResult> RunIndexSearch(Session& session, const StoreLocation& location,
                                          const Manifest& manifest, const IndexSearch& search) {
  ARROW_ASSIGN_OR_RAISE(auto found,
                        SearchBTree(session, location, manifest, search.segments, *search.predicate.values));
  IndexResult result;
  result.covered = std::move(found.covered);
  for (const uint64_t address : found.addresses) {
    result.offsets[address >> 32].push_back(static_cast<int64_t>(address & 0xFFFFFFFF));
  }
  return result;
}

}  // namespace pilum
