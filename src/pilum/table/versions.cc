// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/versions.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>

#include "pilum/util/error.h"

namespace pilum {

namespace {

constexpr char kVersionsDirectory[] = "_versions";
constexpr std::string_view kSuffix = ".manifest";
constexpr size_t kV2Digits = 20;

arrow::Result<std::shared_ptr<const Manifest>> Load(ObjectStore& store, uint64_t version,
                                                    ManifestNaming naming) {
  const std::string path = ManifestPath(version, naming);
  ARROW_ASSIGN_OR_RAISE(const auto bytes, store.Get(path));
  ARROW_ASSIGN_OR_RAISE(const auto parsed, Manifest::Parse(AsSpan(*bytes), store.Describe(path)));
  if (parsed->version() != version) {
    return CorruptFile(store.Describe(path), -1,
                       "the manifest says that it is version " + std::to_string(parsed->version()));
  }
  auto manifest = std::make_shared<Manifest>(*parsed);
  manifest->naming = naming;
  return manifest;
}

}  // namespace

std::string ManifestPath(uint64_t version, ManifestNaming naming) {
  if (naming == ManifestNaming::kV1)
    return JoinPath(kVersionsDirectory, std::to_string(version) + std::string(kSuffix));
  char name[kV2Digits + 1];
  std::snprintf(name, sizeof(name), "%020llu",
                static_cast<unsigned long long>(std::numeric_limits<uint64_t>::max() - version));
  return JoinPath(kVersionsDirectory, name + std::string(kSuffix));
}

std::optional<uint64_t> ParseManifestName(std::string_view name, ManifestNaming* naming) {
  if (!name.ends_with(kSuffix) || name.starts_with('d')) return std::nullopt;
  const std::string_view digits = name.substr(0, name.size() - kSuffix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  *naming = digits.size() == kV2Digits ? ManifestNaming::kV2 : ManifestNaming::kV1;
  return *naming == ManifestNaming::kV2 ? std::numeric_limits<uint64_t>::max() - number : number;
}

arrow::Result<std::vector<VersionInfo>> ListVersions(ObjectStore& store) {
  ARROW_ASSIGN_OR_RAISE(const Listing listing, store.List(kVersionsDirectory));
  std::vector<VersionInfo> versions;
  std::optional<ManifestNaming> scheme;
  for (const ObjectInfo& object : listing.objects) {
    ManifestNaming naming;
    const auto version = ParseManifestName(object.name, &naming);
    if (!version) continue;
    if (scheme && *scheme != naming) {
      return arrow::Status::Invalid(store.Describe(kVersionsDirectory),
                                    ": manifests of both naming schemes; migrate them to V2 names first");
    }
    scheme = naming;
    versions.push_back({*version, JoinPath(kVersionsDirectory, object.name), object.size});
  }
  std::sort(versions.begin(), versions.end(),
            [](const auto& a, const auto& b) { return a.version < b.version; });
  return versions;
}

arrow::Result<std::shared_ptr<const Manifest>> LoadLatestManifest(ObjectStore& store) {
  ARROW_ASSIGN_OR_RAISE(const auto versions, ListVersions(store));
  if (versions.empty()) {
    return MakeError(arrow::StatusCode::IOError, ErrorKind::kDatasetNotFound,
                     "Dataset at path " + store.Describe("") + " was not found");
  }
  ManifestNaming naming;
  (void)ParseManifestName(versions.back().path.substr(sizeof(kVersionsDirectory)), &naming);
  return Load(store, versions.back().version, naming);
}

arrow::Result<std::shared_ptr<const Manifest>> LoadManifest(ObjectStore& store, uint64_t version) {
  for (const ManifestNaming naming : {ManifestNaming::kV2, ManifestNaming::kV1}) {
    auto manifest = Load(store, version, naming);
    if (manifest.ok() || !IsNotFound(manifest.status())) return manifest;
  }
  return MakeError(arrow::StatusCode::IOError, ErrorKind::kVersionNotFound,
                   "Dataset at path " + store.Describe("") + " has no version " + std::to_string(version));
}

void WriteVersionHint(ObjectStore& store, uint64_t version) {
  if (store.list_is_lexically_ordered()) return;
  const std::string hint = "{\"version\":" + std::to_string(version) + "}";
  (void)store.Put(JoinPath(kVersionsDirectory, "latest_version_hint.json"), AsSpan(hint),
                  Durability::kProcessCrash);
}

}  // namespace pilum
