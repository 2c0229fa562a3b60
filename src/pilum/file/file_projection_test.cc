// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/file_projection.h"

#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pilum/util/error.h"

namespace pilum {

using ::testing::ElementsAre;

namespace {

std::shared_ptr<const Schema> FileSchema() {
  using namespace arrow;
  const auto packed = key_value_metadata({{"lance-encoding:packed", "true"}});
  const auto pair = struct_({field("x", int32()), field("y", utf8())});
  return Schema::FromArrow(*schema({field("a", int64()), field("p", pair, false, packed),
                                    field("s", struct_({field("l", list(pair)), field("y", int8())})),
                                    field("m", map(utf8(), pair)), field("z", int64())}))
      .ValueOrDie();
}

FileProjection Make(const std::vector<std::string>& paths, FormatVersion version = FormatVersion::k2_2) {
  return FileProjection::Make(*FileSchema(), version, paths).ValueOrDie();
}

}  // namespace

// Columns from 2.1 on: a, p, s.l.x, s.l.y, s.y, m.key, m.value.x, m.value.y, z. In 2.0 every node but those
// of the packed struct has one: a, p, s, l, item, x, y, s.y, m, entries, key, value, x, y, z.
TEST(FileProjectionTest, WholeFieldsComeInTheOrderAskedFor) {
  const auto projection = Make({"s", "a"});
  EXPECT_THAT(projection.schema->field_names(), ElementsAre("s", "a"));
  EXPECT_THAT(projection.column_indices, ElementsAre(2, 3, 4, 0));
  EXPECT_THAT(Make({"p"}).column_indices, ElementsAre(1));
  EXPECT_THAT(Make({"m"}).column_indices, ElementsAre(5, 6, 7));
  EXPECT_THAT(Make({"z"}).column_indices, ElementsAre(8));
  EXPECT_THAT(Make({"s", "a"}, FormatVersion::k2_0).column_indices, ElementsAre(2, 3, 4, 5, 6, 7, 0));
  EXPECT_THAT(FileProjection::All(*FileSchema(), FormatVersion::k2_2).column_indices,
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(FileProjectionTest, PartsOfNestedFieldsKeepWhatIsAroundThem) {
  const auto projection = Make({"s.l.item.y", "a"});
  EXPECT_EQ(projection.schema->field(0)->type()->ToString(), "struct<l: list<item: struct<y: string>>>");
  EXPECT_THAT(projection.column_indices, ElementsAre(3, 0));
  EXPECT_THAT(Make({"s.l.item.y"}, FormatVersion::k2_0).column_indices, ElementsAre(2, 3, 4, 6));
  EXPECT_THAT(Make({"s.y", "s.l.item.x"}).column_indices, ElementsAre(2, 4)) << "in the order of the file";
  EXPECT_TRUE(Make({"s.l", "s.y"}).schema->field(0)->Equals(FileSchema()->arrow()->field(2)));
}

TEST(FileProjectionTest, APartOfAMapIsTheMap) {
  const auto projection = Make({"m.entries.value.y", "z"});
  EXPECT_TRUE(projection.schema->field(0)->Equals(FileSchema()->arrow()->field(3)));
  EXPECT_THAT(projection.column_indices, ElementsAre(5, 6, 7, 8));
}

TEST(FileProjectionTest, APartOfAPackedStructKnowsWhatTheColumnHolds) {
  for (const auto version : {FormatVersion::k2_0, FormatVersion::k2_1, FormatVersion::k2_2}) {
    const auto projection = Make({"p.y", "a"}, version);
    EXPECT_EQ(projection.schema->field(0)->type()->ToString(), "struct<y: string>");
    EXPECT_THAT(projection.column_indices, ElementsAre(1, 0));
    ASSERT_EQ(projection.packed_parts.size(), 1u);
    const auto& part = projection.packed_parts.at(1);
    EXPECT_EQ(part.stored->ToString(), "struct<x: int32, y: string>");
    EXPECT_THAT(part.children, ElementsAre(1u));
  }
  EXPECT_TRUE(Make({"p", "p.y"}).packed_parts.empty()) << "the whole is asked for, too";
}

TEST(FileProjectionTest, BadPathsAreNamed) {
  for (const char* path : {"zz", "s.", "s.zz", "s.l.y", "a.", "", "s.l.item.x.more"}) {
    const auto status = FileProjection::Make(*FileSchema(), FormatVersion::k2_2, {path}).status();
    EXPECT_TRUE(status.IsInvalid() &&
                status.message().find("'" + std::string(path) + "'") != std::string::npos)
        << status;
  }
  EXPECT_TRUE(FileProjection::Make(*FileSchema(), FormatVersion::k2_2, {}).status().IsInvalid());
  EXPECT_TRUE(FileProjection::Make(*FileSchema(), FormatVersion::k2_2, {"a", "a"}).status().IsInvalid());
}

TEST(FileProjectionTest, FieldsWithTheSameIdKeepTheirColumns) {
  google::protobuf::RepeatedPtrField<lance::file::Field> fields;
  google::protobuf::Map<std::string, std::string> metadata;
  const auto schema =
      Schema::FromArrow(*arrow::schema({arrow::field("a", arrow::int32()), arrow::field("b", arrow::int32()),
                                        arrow::field("c", arrow::int32())}))
          .ValueOrDie();
  schema->ToProto(&fields, &metadata);
  for (auto& field : fields) field.set_id(0);
  const auto damaged = Schema::FromProto(fields, metadata).ValueOrDie();
  const auto projection = FileProjection::Make(*damaged, FormatVersion::k2_1, {"c", "b"}).ValueOrDie();
  EXPECT_THAT(projection.column_indices, ElementsAre(2, 1));
}

}  // namespace pilum
