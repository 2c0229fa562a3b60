// SPDX-License-Identifier: Apache-2.0
//
// Any text as the name of a manifest: the version it is taken for has a name of its own, of the same scheme.
#include "pilum/table/versions.h"

#include "pilum/fuzz_target.h"

namespace pilum {

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const auto naming : {ManifestNaming::kV1, ManifestNaming::kV2}) {
    for (const uint64_t version : {uint64_t{1}, uint64_t{12345}, UINT64_MAX}) {
      const std::string path = ManifestPath(version, naming);
      seeds.push_back(path.substr(path.rfind('/') + 1));
    }
  }
  return seeds;
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pilum::ExactBytes bytes({reinterpret_cast<const char*>(data), size});
  const std::string_view name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  pilum::ManifestNaming naming;
  const auto version = pilum::ParseManifestName(name, &naming);
  // V1 has no name for what takes 20 digits: those are of V2.
  if (!version || (naming == pilum::ManifestNaming::kV1 && *version >= 10'000'000'000'000'000'000u)) return 0;
  const std::string path = pilum::ManifestPath(*version, naming);
  pilum::ManifestNaming again;
  pilum::Require(pilum::ParseManifestName(path.substr(path.rfind('/') + 1), &again) == version,
                 "a name of its own");
  pilum::Require(again == naming, "of the same scheme");
  return 0;
}
