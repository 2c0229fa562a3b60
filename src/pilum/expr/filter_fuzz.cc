// SPDX-License-Identifier: Apache-2.0
//
// Any text as a filter: what parses has a verdict on every row, or an error.
#include "pilum/expr/filter.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include <algorithm>

#include "pilum/fuzz_target.h"

namespace pilum {

namespace {

std::shared_ptr<arrow::RecordBatch> MakeRows() {
  using namespace arrow;
  const auto type =
      struct_({field("a", int64()), field("i", int8()), field("u", uint32()), field("f", float32()),
               field("s", utf8()), field("b", boolean()), field("d", date32()),
               field("t", timestamp(TimeUnit::MICRO, "UTC")), field("bin", fixed_size_binary(2)),
               field("n", decimal128(10, 2)), field("l", list(utf8())),
               field("p", struct_({field("x", int32()), field("y", utf8())}))});
  const auto rows = arrow::json::ArrayFromJSONString(type, R"([
    {"a": 0, "i": 1, "u": 1, "f": 0.5, "s": "zero", "b": true, "d": 0, "t": 0, "bin": "ab", "n": "1.00", "l": ["q"],
     "p": {"x": 1, "y": "z"}},
    {"a": -1, "i": -2, "u": 7, "f": -1.5, "s": "a%b", "b": false, "d": 15706, "t": 1000000, "bin": "cd", "n": "2.50",
     "l": [], "p": null},
    {}])");
  return RecordBatch::FromStructArray(rows.ValueOrDie()).ValueOrDie();
}

const arrow::RecordBatch& Rows() {
  static const auto rows = MakeRows();
  return *rows;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  return {"a >= 1 AND NOT (i < -3 OR u IN (1, 2, NULL))",
          "s LIKE 'a\\%%' ESCAPE '\\' AND s NOT ILIKE '%Z_ro'",
          "f BETWEEN -1.5 AND 2e3 AND b IS NOT TRUE",
          "d = DATE '2013-01-01' OR t < TIMESTAMP '2013-01-01 05:00:00'",
          "bin = X'6162' AND n > CAST('1.5' AS DECIMAL(10, 2))",
          "p.x = 1 OR p.y IS NULL OR `a` <> 3",
          "array_has_any(l, ['q', 'r']) AND regexp_match(s, 'z.*')",
          "-a + 3 * i / 2 % 5 = 7 AND TRY_CAST(s AS int) IS NULL",
          "CAST(a AS string) = \"0\" AND starts_with(s, 'z') AND b"};
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pilum::ExactBytes bytes({reinterpret_cast<const char*>(data), size});
  const std::string_view sql(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto& rows = pilum::Rows();
  const auto filter = pilum::ParseFilter(sql, *rows.schema());
  if (!filter.ok()) return 0;
  for (const std::string& column : pilum::ColumnsOf(*filter)) {
    pilum::Require(rows.schema()->GetFieldIndex(column) >= 0, "a filter reads columns there are");
  }
  const auto verdict = pilum::EvaluateFilter(*filter, rows);
  if (!verdict.ok()) return 0;
  pilum::Require((*verdict)->length() == rows.num_rows(), "a verdict per row");
  return 0;
}
