// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as JSONB and as JSON text; text that is accepted is the same after any further round trip.
#include "pilum/encoding/jsonb_decoder.h"
#include "pilum/encoding/jsonb_encoder.h"
#include "pilum/fuzz_target.h"

namespace pilum {

namespace {

std::string_view View(const ExactBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void FuzzText(std::string_view text) {
  JsonbEncoder encoder;
  std::string jsonb;
  if (!encoder.Append(text, &jsonb).ok()) return;
  std::string shown, again, shown_again;
  Require(AppendJsonText(View(ExactBytes(jsonb)), &shown), "JSONB that was written is read");
  Require(encoder.Append(shown, &again), "text that was shown is JSON");
  Require(AppendJsonText(again, &shown_again), "and is read");
  Require(shown == shown_again, "the text stays the same");
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const char* text : {R"({"b":1,"a":[1,-2,3.5,true,false,null,"x\u00e9\n"],"c":{}})", "-129", "1e-7",
                           "NaN", "[[],[{}]]", ""}) {
    seeds.emplace_back(text);
    (void)JsonbEncoder().Append(text, &seeds.emplace_back());
  }
  return seeds;
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pilum::ExactBytes bytes({reinterpret_cast<const char*>(data), size});
  std::string text;
  (void)pilum::AppendJsonText(pilum::View(bytes), &text);
  pilum::FuzzText(pilum::View(bytes));
  return 0;
}
