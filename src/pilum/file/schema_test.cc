// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/schema.h"

#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pilum/file/logical_type.h"

namespace pilum {

using arrow::field;
using arrow::TimeUnit;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

std::shared_ptr<arrow::Field> WithMetadata(const std::shared_ptr<arrow::Field>& field,
                                           std::unordered_map<std::string, std::string> entries) {
  return field->WithMetadata(arrow::key_value_metadata(std::move(entries)));
}

arrow::Result<std::shared_ptr<const Schema>> Make(const arrow::FieldVector& fields) {
  return Schema::FromArrow(*arrow::schema(fields));
}

std::string LogicalName(const std::shared_ptr<arrow::DataType>& type) {
  return LogicalTypeOf(*field("c", type)).ValueOr("refused");
}

arrow::Result<std::shared_ptr<const Schema>> RoundTrip(const Schema& schema) {
  lance::file::Schema proto;
  schema.ToProto(proto.mutable_fields(), proto.mutable_metadata());
  return Schema::FromProto(proto.fields(), proto.metadata());
}

}  // namespace

TEST(LogicalTypeTest, NamesEveryTypeAndParsesItBack) {
  const std::vector<std::pair<std::shared_ptr<arrow::DataType>, std::string>> cases{
      {arrow::null(), "null"},
      {arrow::boolean(), "bool"},
      {arrow::int8(), "int8"},
      {arrow::uint64(), "uint64"},
      {arrow::float16(), "halffloat"},
      {arrow::float64(), "double"},
      {arrow::decimal128(10, -2), "decimal:128:10:-2"},
      {arrow::decimal256(50, 3), "decimal:256:50:3"},
      {arrow::utf8(), "string"},
      {arrow::large_binary(), "large_binary"},
      {arrow::date32(), "date32:day"},
      {arrow::date64(), "date64:ms"},
      {arrow::time32(TimeUnit::MILLI), "time32:ms"},
      {arrow::time64(TimeUnit::NANO), "time64:ns"},
      {arrow::timestamp(TimeUnit::MICRO), "timestamp:us:-"},
      {arrow::timestamp(TimeUnit::SECOND, "Europe/Rome"), "timestamp:s:Europe/Rome"},
      {arrow::duration(TimeUnit::NANO), "duration:ns"},
      {arrow::fixed_size_binary(7), "fixed_size_binary:7"},
      {arrow::fixed_size_list(arrow::float32(), 8), "fixed_size_list:float:8"},
      {arrow::fixed_size_list(arrow::fixed_size_list(arrow::float32(), 2), 1),
       "fixed_size_list:fixed_size_list:float:2:1"},
      {arrow::dictionary(arrow::int16(), arrow::utf8()), "dict:string:int16:false"},
  };
  for (const auto& [type, name] : cases) {
    EXPECT_EQ(LogicalName(type), name);
    const auto parsed = ParseLogicalType(name);
    ASSERT_TRUE(parsed.ok()) << name << ": " << parsed.status();
    EXPECT_TRUE((*parsed)->Equals(*type)) << name;
  }
  EXPECT_EQ(LogicalName(arrow::utf8_view()), "string");
  EXPECT_EQ(LogicalName(arrow::binary_view()), "binary");
}

TEST(LogicalTypeTest, RefusesWhatTheFormatCannotHold) {
  for (const auto& type : std::vector<std::shared_ptr<arrow::DataType>>{
           arrow::month_interval(), arrow::fixed_size_binary(0), arrow::fixed_size_list(arrow::utf8(), 2),
           arrow::dictionary(arrow::int8(), arrow::timestamp(TimeUnit::MICRO)),
           arrow::list_view(arrow::int8())}) {
    EXPECT_EQ(LogicalName(type), "refused") << type->ToString();
  }
  for (const char* name : {"", "int128", "time32:us", "decimal:64:1:1", "decimal:128:x:1",
                           "fixed_size_binary:0", "fixed_size_binary:-1", "fixed_size_list:float:0",
                           "fixed_size_list:float:", "fixed_size_list:string:2",
                           "fixed_size_list:", "timestamp:xs:-", "dict:string", "duration:d"}) {
    EXPECT_FALSE(ParseLogicalType(name).ok()) << name;
  }
  EXPECT_EQ(ParseLogicalType("timestamp:us:+05:30").ValueOrDie()->ToString(), "timestamp[us, tz=+05:30]")
      << "14.0.2 writes it";
}

TEST(SchemaTest, AssignsIdsDepthFirst) {
  const auto schema =
      Make({field("a", arrow::struct_({field("x", arrow::int32())})), field("b", arrow::utf8()),
            field("l", arrow::list(field("item", arrow::int64())))})
          .ValueOrDie();
  EXPECT_EQ(schema->FindField("a")->id, 0);
  EXPECT_EQ(schema->FindFieldById(1)->name(), "x");
  EXPECT_EQ(schema->FindFieldById(1)->parent_id, 0);
  EXPECT_EQ(schema->FindField("b")->id, 2);
  EXPECT_EQ(schema->max_field_id(), 4);
  EXPECT_EQ(schema->FindFieldById(9), nullptr);
}

TEST(SchemaTest, KeepsIdsThatTheMetadataGives) {
  const auto schema =
      Schema::FromArrow(*arrow::schema({WithMetadata(field("a", arrow::int32()), {{kFieldIdMetadata, "7"}}),
                                        field("b", arrow::int32())}),
                        /*max_used_id=*/9)
          .ValueOrDie();
  EXPECT_EQ(schema->FindField("a")->id, 7);
  EXPECT_EQ(schema->FindField("b")->id, 10);
  EXPECT_EQ(schema->arrow()->field(0)->metadata(), nullptr) << "the request is not kept";
  EXPECT_FALSE(Make({WithMetadata(field("a", arrow::int32()), {{kFieldIdMetadata, "x"}})}).ok());
}

TEST(SchemaTest, ProtoRoundTrips) {
  const auto metadata = arrow::key_value_metadata({{"k", "v"}});
  const auto schema =
      Schema::FromArrow(*arrow::schema({WithMetadata(field("id", arrow::int64(), false),
                                                     {{kPrimaryKeyMetadata, "true"}, {"unit", "m"}}),
                                        field("s", arrow::struct_({field("x", arrow::utf8()),
                                                                   field("y", arrow::list(arrow::int8()))})),
                                        WithMetadata(field("v", arrow::fixed_size_list(arrow::float32(), 4)),
                                                     {{kClusteringKeyPositionMetadata, "2"}})},
                                       metadata))
          .ValueOrDie();
  const auto back = RoundTrip(*schema).ValueOrDie();
  EXPECT_TRUE(back->arrow()->Equals(*schema->arrow(), /*check_metadata=*/true)) << back->arrow()->ToString();
  EXPECT_EQ(back->FindField("id")->primary_key_position, 0u);
  EXPECT_EQ(back->FindField("id")->clustering_key_position, 0u);
  EXPECT_EQ(back->FindField("v")->clustering_key_position, 2u);
  EXPECT_TRUE(Make({WithMetadata(field("a", arrow::int64()), {{kClusteringKeyPositionMetadata, "x"}})})
                  .status()
                  .IsInvalid());
  EXPECT_EQ(back->max_field_id(), schema->max_field_id());
}

TEST(SchemaTest, FieldBytesAreThoseOfTheReference) {
  const auto schema = Make({field("a", arrow::int32()), field("s", arrow::utf8())}).ValueOrDie();
  lance::file::FileDescriptor descriptor;
  schema->ToProto(descriptor.mutable_schema()->mutable_fields(),
                  descriptor.mutable_schema()->mutable_metadata());
  descriptor.set_length(3);
  const std::string parent("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
  EXPECT_EQ(descriptor.SerializeAsString(),
            std::string("\x0a\x39\x0a\x19\x12\x01\x61", 7) + parent + "\x2a\x05int32\x30\x01\x38\x01" +
                "\x0a\x1c\x12\x01\x73\x18\x01" + parent + "\x2a\x06string\x30\x01\x38\x02" + "\x10\x03");
}

TEST(SchemaTest, RefusesDamagedTrees) {
  lance::file::Schema proto;
  auto* orphan = proto.add_fields();
  orphan->set_name("x");
  orphan->set_id(3);
  orphan->set_parent_id(2);
  orphan->set_logical_type("int32");
  EXPECT_THAT(Schema::FromProto(proto.fields(), {}).status().message(), HasSubstr("references parent id 2"));
  orphan->set_parent_id(-1);
  orphan->set_logical_type("list");
  EXPECT_THAT(Schema::FromProto(proto.fields(), {}).status().message(),
              HasSubstr("0 children instead of one"));
  orphan->set_logical_type("fixed_size_list:float:0");
  EXPECT_FALSE(Schema::FromProto(proto.fields(), {}).ok());
  orphan->set_logical_type("fixed_size_list:struct:3");
  auto* item = proto.add_fields();
  item->set_name("item");
  item->set_id(4);
  item->set_parent_id(3);
  item->set_logical_type("string");
  EXPECT_TRUE(Schema::FromProto(proto.fields(), {}).status().IsInvalid());
  item->set_logical_type("struct");
  EXPECT_TRUE(Schema::FromProto(proto.fields(), {}).ok());
}

TEST(SchemaTest, WideAndDeepTreesComeBack) {
  arrow::FieldVector wide;
  const auto pair = arrow::struct_({field("x", arrow::int32()), field("y", arrow::utf8())});
  for (int i = 0; i < 4096; ++i) wide.push_back(field("s" + std::to_string(i), pair));
  auto deep = field("leaf", arrow::int8());
  for (int i = 0; i < 1023; ++i) deep = field("d", arrow::struct_({deep}));
  wide.push_back(deep);
  const auto schema = Make(wide).ValueOrDie();
  lance::file::Schema proto;
  schema->ToProto(proto.mutable_fields(), proto.mutable_metadata());
  EXPECT_EQ(proto.fields_size(), 3 * 4096 + 1024);
  const auto back = Schema::FromProto(proto.fields(), proto.metadata()).ValueOrDie();
  EXPECT_TRUE(back->arrow()->Equals(*schema->arrow()));
  EXPECT_EQ(back->max_field_id(), schema->max_field_id());
}

TEST(SchemaTest, TheFirstOfFieldsWithTheSameIdIsTheParent) {
  lance::file::Schema proto;
  for (const auto& [name, parent] : {std::pair{"a", -1}, {"b", -1}, {"x", 7}}) {
    auto* added = proto.add_fields();
    added->set_name(name);
    added->set_id(name[0] == 'x' ? 8 : 7);
    added->set_parent_id(parent);
    added->set_logical_type(name[0] == 'x' ? "int32" : "struct");
  }
  const auto schema = Schema::FromProto(proto.fields(), {}).ValueOrDie();
  EXPECT_EQ(schema->arrow()->field(0)->type()->num_fields(), 1);
  EXPECT_EQ(schema->arrow()->field(1)->type()->num_fields(), 0);
}

TEST(SchemaTest, PrimaryKeyOrderIsPositionThenId) {
  const auto key = [](const char* name, std::unordered_map<std::string, std::string> metadata) {
    return WithMetadata(field(name, arrow::int32(), false), std::move(metadata));
  };
  const auto schema =
      Make({key("a", {{kPrimaryKeyMetadata, "Yes"}}), key("b", {{kPrimaryKeyPositionMetadata, "2"}}),
            key("c", {{kPrimaryKeyPositionMetadata, "1"}}), key("d", {{kPrimaryKeyMetadata, "no"}})})
          .ValueOrDie();
  std::vector<std::string> names;
  for (const SchemaField* field : schema->PrimaryKey()) names.push_back(field->name());
  EXPECT_THAT(names, ElementsAre("c", "b", "a"));
}

TEST(SchemaTest, RefusesImpossibleKeysAndNames) {
  const std::unordered_map<std::string, std::string> key{{kPrimaryKeyMetadata, "true"}};
  EXPECT_THAT(Make({WithMetadata(field("a", arrow::int32()), key)}).status().message(),
              HasSubstr("must not be nullable"));
  EXPECT_THAT(Make({field("l", arrow::list(WithMetadata(field("item", arrow::int32(), false), key)), false)})
                  .status()
                  .message(),
              HasSubstr("must not be in a list type"));
  EXPECT_THAT(Make({WithMetadata(field("s", arrow::struct_({field("x", arrow::int8(), false)}), false), key)})
                  .status()
                  .message(),
              HasSubstr("must be a leaf"));
  EXPECT_THAT(Make({field("t", arrow::timestamp(TimeUnit::MICRO, "+05:30"))}).status().message(),
              HasSubstr("cannot be read by Lance 8.0.0"));
  EXPECT_THAT(Make({field("a.b", arrow::int32())}).status().message(), HasSubstr("cannot contain `.`"));
  EXPECT_THAT(Make({field("a", arrow::int32()), field("a", arrow::int8())}).status().message(),
              HasSubstr("Duplicate field name"));
}

TEST(SchemaTest, ColumnsAreNodesIn20AndLeavesIn21) {
  const auto schema =
      Make(
          {field("a", arrow::struct_({field("x", arrow::int32())})), field("b", arrow::int32()),
           field("l", arrow::list(arrow::int32())),
           WithMetadata(field("pk", arrow::struct_({field("m", arrow::int32()), field("n", arrow::int32())})),
                        {{"packed", "true"}}),
           field("v", arrow::fixed_size_list(arrow::float32(), 2))})
          .ValueOrDie();
  EXPECT_THAT(schema->ColumnFieldIds(FormatVersion::k2_0), ElementsAre(0, 1, 2, 3, 4, 5, 8));
  EXPECT_THAT(schema->ColumnFieldIds(FormatVersion::k2_1), ElementsAre(1, 2, 4, 5, 8));
}

TEST(SchemaTest, APackedStructIsOneColumnHoweverItsMetadataSpellsTrue) {
  const auto pair = arrow::struct_({field("m", arrow::int32()), field("n", arrow::int32())});
  const auto schema = Make({WithMetadata(field("a", pair), {{"packed", "tRue"}}),
                            WithMetadata(field("b", pair), {{"lance-encoding:packed", "True"}}),
                            WithMetadata(field("c", pair), {{"packed", "yes"}})})
                          .ValueOrDie();
  EXPECT_THAT(schema->ColumnFieldIds(FormatVersion::k2_1), ElementsAre(0, 3, 7, 8));
}

TEST(SchemaTest, PathsFindNodesWhoseNamesMayHaveDots) {
  const auto inner = arrow::struct_({field("k.k", arrow::int8()), field("x", arrow::int8())});
  const auto schema =
      Make({field("a", arrow::int8()), field("s", inner), field("l", arrow::list(inner))}).ValueOrDie();
  const auto id_of = [&](const char* path) {
    const auto steps = schema->FindPath(path);
    return steps.empty() ? -1 : steps.back().field->id;
  };
  for (const auto& [path, id] : std::vector<std::pair<const char*, int>>{{"a", 0},
                                                                         {"s", 1},
                                                                         {"s.k.k", 2},
                                                                         {"s.`k.k`", 2},
                                                                         {"`s`.x", 3},
                                                                         {"l.item.x", 7},
                                                                         {"s.", -1},
                                                                         {"", -1},
                                                                         {"a.x", -1},
                                                                         {"s.x.y", -1},
                                                                         {"`", -1}}) {
    EXPECT_EQ(id_of(path), id) << path;
  }
  EXPECT_EQ(schema->FindPath("s.x")[1].position, 1u);
}

TEST(SchemaTest, ProjectKeepsRequestOrderAndIds) {
  const auto schema =
      Make({field("a", arrow::int32()), field("b", arrow::int8()), field("c", arrow::utf8())}).ValueOrDie();
  const auto projected = schema->Project({"c", "a"}).ValueOrDie();
  EXPECT_EQ(projected->fields()[0].id, 2);
  EXPECT_EQ(projected->fields()[1].id, 0);
  EXPECT_TRUE(schema->Project({"nope"}).status().IsKeyError());
}

}  // namespace pilum
