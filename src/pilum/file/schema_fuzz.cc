// SPDX-License-Identifier: Apache-2.0
//
// Any message as a schema: what is accepted comes back through the message it makes, and has columns or says
// why not.
#include "pilum/file/schema.h"

#include <arrow/util/key_value_metadata.h>

#include "pilum/encoding/encoding_options.h"
#include "pilum/encoding/nesting.h"
#include "pilum/file/random_batch.h"
#include "pilum/fuzz_message.h"
#include "pilum_proto/file.pb.h"

namespace pilum {

namespace {

void FuzzSchema(const lance::file::Schema& input) {
  const auto schema = Schema::FromProto(input.fields(), input.metadata());
  if (!schema.ok()) return;
  lance::file::Schema message;
  (*schema)->ToProto(message.mutable_fields(), message.mutable_metadata());
  const auto again = Schema::FromProto(message.fields(), message.metadata());
  Require(again.status(), "a schema comes back");
  Require((*again)->arrow()->Equals(*(*schema)->arrow(), /*check_metadata=*/true), "as the same schema");
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1}) {
    Require((*schema)->ColumnFieldIds(version) == (*again)->ColumnFieldIds(version), "with the same ids");
  }
  for (const auto& field : (*schema)->arrow()->fields()) {
    (void)EncodingOptions::Of(*field, *field, /*large_chunks=*/true);
    const auto columns = LeafColumn::Of(field);
    if (!columns.ok()) continue;
    for (const LeafColumn& column : *columns) Require(column.page_rows_per_row() > 0, "rows have items");
  }
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  auto types = testing::LeafTypes();
  const auto nested = testing::NestedTypes(true);
  types.insert(types.end(), nested.begin(), nested.end());
  types.push_back(arrow::dictionary(arrow::int8(), arrow::utf8()));
  for (const auto& type : types) {
    const auto metadata =
        arrow::key_value_metadata({{kPrimaryKeyMetadata, "true"}, {"lance-encoding:compression", "lz4"}});
    const bool key = type->id() == arrow::Type::INT64;
    const auto schema =
        Schema::FromArrow(*arrow::schema({arrow::field("c", type, !key, key ? metadata : nullptr)}));
    lance::file::Schema message;
    schema.ValueOrDie()->ToProto(message.mutable_fields(), message.mutable_metadata());
    seeds.push_back(message.SerializeAsString());
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(lance::file::Schema, pilum::FuzzSchema)
