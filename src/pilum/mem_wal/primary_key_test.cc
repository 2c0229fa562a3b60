// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/primary_key.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

namespace pilum {

namespace {

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type, const std::string& text) {
  return arrow::json::ArrayFromJSONString(type, text).ValueOrDie();
}

PrimaryKey KeyOver(const std::vector<std::shared_ptr<arrow::DataType>>& types) {
  arrow::FieldVector fields;
  std::vector<std::string> names;
  for (const auto& type : types) {
    names.push_back("k" + std::to_string(names.size()));
    fields.push_back(arrow::field(names.back(), type, false));
  }
  return PrimaryKey::Make(*arrow::schema(fields), names).ValueOrDie();
}

std::string Encoded(const PrimaryKey& key, const arrow::ArrayVector& columns, int64_t row) {
  std::string bytes;
  key.Encode(columns, row, &bytes);
  return bytes;
}

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

}  // namespace

TEST(PrimaryKeyTest, TheOrderOfKeysIsTheOrderOfValues) {
  const std::vector<std::shared_ptr<arrow::Array>> columns = {
      Json(arrow::int8(), "[-128, -1, 0, 5, 127]"),
      Json(arrow::int16(), "[-300, -1, 0, 5, 300]"),
      Json(arrow::int32(), "[-70000, -1, 0, 5, 70000]"),
      Json(arrow::int64(), "[-5000000000, -1, 0, 5, 5000000000]"),
      Json(arrow::uint8(), "[0, 1, 128, 255]"),
      Json(arrow::uint64(), "[0, 1, 18446744073709551615]"),
      Json(arrow::boolean(), "[false, true]"),
      Json(arrow::utf8(), R"(["", "a", "aa", "b", "é"])"),
      Json(arrow::large_binary(), R"(["", "a", "b"])")};
  for (const auto& column : columns) {
    const PrimaryKey key = KeyOver({column->type()});
    ASSERT_TRUE(key.index_type()->Equals(*column->type()));
    for (int64_t row = 1; row < column->length(); ++row) {
      EXPECT_LT(Encoded(key, {column}, row - 1), Encoded(key, {column}, row))
          << column->type()->ToString() << " " << row;
    }
    auto builder = arrow::MakeBuilder(column->type()).ValueOrDie();
    for (int64_t row = 0; row < column->length(); ++row) {
      ASSERT_TRUE(key.AppendIndexValue(Encoded(key, {column}, row), builder.get()).ok());
      std::string from_scalar;
      key.Encode(PrimaryKey::Scalars{column->GetScalar(row).ValueOrDie()}, &from_scalar);
      EXPECT_EQ(from_scalar, Encoded(key, {column}, row));
    }
    EXPECT_TRUE(builder->Finish().ValueOrDie()->Equals(*column)) << "decoded";
  }
}

TEST(PrimaryKeyTest, TuplesAreEncodedAsOnDisk) {
  const PrimaryKey key = KeyOver({arrow::int32(), arrow::utf8()});
  EXPECT_TRUE(key.index_type()->Equals(*arrow::binary()));
  const arrow::ArrayVector columns = {Json(arrow::int32(), "[1, -2]"),
                                      Json(arrow::utf8(), R"(["y", "y\u0000z"])")};
  EXPECT_EQ(Encoded(key, columns, 0), Bytes({1, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 0x79, 0, 0}));
  EXPECT_EQ(Encoded(key, columns, 1),
            Bytes({1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 1, 0x79, 0, 0xff, 0x7a, 0, 0}));
  const PrimaryKey mixed = KeyOver({arrow::int32(), arrow::utf8(), arrow::binary(), arrow::boolean()});
  const arrow::ArrayVector row = {Json(arrow::int32(), "[1]"), Json(arrow::utf8(), R"(["x"])"),
                                  Json(arrow::binary(), R"(["\u0000q"])"), Json(arrow::boolean(), "[true]")};
  EXPECT_EQ(Encoded(mixed, row, 0),
            Bytes({1, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 0x78, 0, 0, 1, 0, 0xff, 0x71, 0, 0, 1, 1}));
}

TEST(PrimaryKeyTest, TuplesWithSharedPrefixesStayApart) {
  const PrimaryKey key = KeyOver({arrow::utf8(), arrow::utf8()});
  const arrow::ArrayVector columns = {Json(arrow::utf8(), R"(["a", "ab", "a\u0000"])"),
                                      Json(arrow::utf8(), R"(["bc", "c", "x"])")};
  EXPECT_LT(Encoded(key, columns, 0), Encoded(key, columns, 2));
  EXPECT_LT(Encoded(key, columns, 2), Encoded(key, columns, 1));
}

TEST(PrimaryKeyTest, BloomHashesAreThoseOfUpstreamsWriter) {
  EXPECT_EQ(KeyOver({arrow::int64()}).BloomHash({Json(arrow::int64(), "[9]")}, 0), 1108061491956506173u);
  EXPECT_EQ(KeyOver({arrow::int32()}).BloomHash({Json(arrow::int32(), "[2]")}, 0), 12319871947784276367u);
  EXPECT_EQ(KeyOver({arrow::utf8()}).BloomHash({Json(arrow::utf8(), R"(["a"])")}, 0), 2407149558772595733u);
  EXPECT_EQ(KeyOver({arrow::binary()}).BloomHash({Json(arrow::binary(), R"(["a"])")}, 0),
            2158027746788419720u);
  EXPECT_EQ(KeyOver({arrow::int32(), arrow::utf8()})
                .BloomHash({Json(arrow::int32(), "[1]"), Json(arrow::utf8(), R"(["x"])")}, 0),
            5177195778326955187u);
  const PrimaryKey unsigned_key = KeyOver({arrow::uint64()});
  EXPECT_EQ(unsigned_key.BloomHash({Json(arrow::uint64(), "[5]")}, 0), 7541581120933061747u)
      << "the flag alone";
  EXPECT_FALSE(unsigned_key.bloom_filter_is_usable());
  EXPECT_TRUE(KeyOver({arrow::int64(), arrow::utf8()}).bloom_filter_is_usable());
}

TEST(PrimaryKeyTest, ValuesAreCoercedWithoutLossOrMatchNothing) {
  const PrimaryKey key = KeyOver({arrow::int64()});
  const auto coerce = [&](std::shared_ptr<arrow::Scalar> value) { return key.Coerce({std::move(value)}); };
  EXPECT_TRUE((*coerce(arrow::MakeScalar(int32_t{4})).ValueOrDie())[0]->Equals(arrow::Int64Scalar(4)));
  EXPECT_TRUE(
      (*coerce(std::make_shared<arrow::StringScalar>("4")).ValueOrDie())[0]->Equals(arrow::Int64Scalar(4)));
  EXPECT_FALSE(coerce(std::make_shared<arrow::StringScalar>("x")).ValueOrDie().has_value());
  EXPECT_FALSE(coerce(arrow::MakeScalar(4.5)).ValueOrDie().has_value());
  EXPECT_FALSE(coerce(arrow::MakeNullScalar(arrow::int64())).ValueOrDie().has_value());
  EXPECT_FALSE(coerce(arrow::MakeNullScalar(arrow::null())).ValueOrDie().has_value());
  EXPECT_TRUE(coerce(Json(arrow::struct_({arrow::field("a", arrow::int64())}), R"([{"a": 1}])")
                         ->GetScalar(0)
                         .ValueOrDie())
                  .status()
                  .IsInvalid());
  EXPECT_TRUE(key.Coerce({}).status().IsInvalid());
}

TEST(PrimaryKeyTest, OtherTypesAndMissingColumnsAreRefused) {
  const auto schema =
      arrow::schema({arrow::field("d", arrow::date32()), arrow::field("f", arrow::float64())});
  for (const char* name : {"d", "f", "zz"}) {
    const auto status = PrimaryKey::Make(*schema, {name}).status();
    EXPECT_TRUE(status.IsInvalid()) << name;
    EXPECT_NE(status.message().find(name), std::string::npos);
  }
}

TEST(PrimaryKeyTest, NullKeysInABatchAreRefused) {
  const PrimaryKey key = KeyOver({arrow::int64()});
  const auto schema = arrow::schema({arrow::field("k0", arrow::int64())});
  EXPECT_TRUE(key.ColumnsOf(*arrow::RecordBatch::Make(schema, 1, {Json(arrow::int64(), "[1]")})).ok());
  EXPECT_TRUE(key.ColumnsOf(*arrow::RecordBatch::Make(schema, 1, {Json(arrow::int64(), "[null]")}))
                  .status()
                  .IsInvalid());
  EXPECT_TRUE(key.ColumnsOf(*arrow::RecordBatch::Make(arrow::schema({}), 0, arrow::ArrayVector{}))
                  .status()
                  .IsInvalid());
}

}  // namespace pilum
