// SPDX-License-Identifier: Apache-2.0
//
// The files in `_versions/`: names and lookup. Spec: 20-table.md §3.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pilum/io/object_store.h"
#include "pilum/table/manifest.h"

namespace pilum {

struct VersionInfo {
  uint64_t version = 0;
  std::string path;  ///< of the manifest, relative to the table
  int64_t size = 0;
};

/// Path of the manifest of `version`.
std::string ManifestPath(uint64_t version, ManifestNaming naming);
/// The version of a file name in `_versions/`, or none: staging files, hints and detached versions are not
/// versions.
std::optional<uint64_t> ParseManifestName(std::string_view name, ManifestNaming* naming);

/// All attached versions, ascending. Empty if there is no table.
arrow::Result<std::vector<VersionInfo>> ListVersions(ObjectStore& store);
/// The latest version; kDatasetNotFound if there is none.
arrow::Result<std::shared_ptr<const Manifest>> LoadLatestManifest(ObjectStore& store);
/// Version `version`; kVersionNotFound if it does not exist.
arrow::Result<std::shared_ptr<const Manifest>> LoadManifest(ObjectStore& store, uint64_t version);

/// Tells readers of stores without ordered listing where to look first. Best effort.
void WriteVersionHint(ObjectStore& store, uint64_t version);

}  // namespace pilum
