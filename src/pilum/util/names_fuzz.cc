// SPDX-License-Identifier: Apache-2.0
//
// Any text as a name of a file: what is taken for a number or a uuid is its own text, but for the case of
// digits.
#include <algorithm>
#include <cctype>

#include "pilum/fuzz_target.h"
#include "pilum/util/reversed_name.h"
#include "pilum/util/uuid.h"

namespace pilum {

std::vector<std::string> FuzzSeeds() {
  return {ReversedName(5), ReversedName(UINT64_MAX) + ".arrow", "6BA7B810-9dad-11d1-80b4-00c04fd430c8"};
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pilum::ExactBytes bytes({reinterpret_cast<const char*>(data), size});
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto number = pilum::ParseReversedName(text)) {
    pilum::Require(pilum::ReversedName(*number) == text, "a reversed name is its number's");
  }
  if (const auto number = pilum::ParseReversedFileName(text, ".arrow")) {
    pilum::Require(pilum::ReversedName(*number) + ".arrow" == text, "a file name is its number's");
  }
  if (const auto uuid = pilum::Uuid::Parse(text)) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    pilum::Require(uuid->ToString() == lower, "a uuid is its text's");
  }
  return 0;
}
