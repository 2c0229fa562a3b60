// SPDX-License-Identifier: Apache-2.0
//
// Any text as the name of a type: a type that has a name again is the type of that name.
#include "pilum/file/logical_type.h"

#include <arrow/type.h>

#include "pilum/fuzz_target.h"

namespace pilum {

std::vector<std::string> FuzzSeeds() {
  return {"int64",
          "timestamp:us:America/New_York",
          "time32:ms",
          "decimal:128:20:3",
          "dict:string:int16:false",
          "fixed_size_list:float:128",
          "fixed_size_list:fixed_size_list:int16:2:3",
          "fixed_size_binary:7",
          "duration:ns",
          "list.struct"};
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pilum::ExactBytes bytes({reinterpret_cast<const char*>(data), size});
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto type = pilum::ParseLogicalType(text);
  if (!type.ok()) return 0;
  const auto name = pilum::LogicalTypeOf(*arrow::field("c", *type));
  if (!name.ok()) return 0;
  const auto again = pilum::ParseLogicalType(*name);
  pilum::Require(again.status(), "the name of a type parses");
  pilum::Require((*again)->Equals(**type), "the name of a type is that of the type");
  return 0;
}
