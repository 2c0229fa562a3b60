// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/hidden_values.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <vector>

namespace pilum {

namespace {

const auto kWords = arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["a", "b"])").ValueOrDie();

/// Keys that nobody checked; no bitmap.
std::shared_ptr<arrow::Array> Keys(const std::vector<int8_t>& keys,
                                   const std::shared_ptr<arrow::Array>& words = kWords) {
  auto data =
      arrow::ArrayData::Make(arrow::dictionary(arrow::int8(), words->type()),
                             static_cast<int64_t>(keys.size()), {nullptr, arrow::Buffer::FromVector(keys)});
  data->dictionary = words->data();
  return arrow::MakeArray(data);
}

/// Three rows of what is nested around three keys, those of `valid` not null.
std::vector<std::shared_ptr<arrow::Array>> Around(const std::shared_ptr<arrow::Array>& keys, char valid) {
  const auto bits = arrow::Buffer::FromString(std::string(1, valid));
  const auto field = arrow::field("d", keys->type());
  const auto structs = arrow::StructArray::Make({keys}, {field}, bits).ValueOrDie();
  const auto deeper = arrow::StructArray::Make({structs}, {arrow::field("s", structs->type())}).ValueOrDie();
  const auto offsets = arrow::Buffer::FromVector(std::vector<int32_t>{0, 1, 2, 3});
  const auto wide = arrow::Buffer::FromVector(std::vector<int64_t>{0, 1, 2, 3});
  return {structs, deeper, std::make_shared<arrow::ListArray>(arrow::list(field), 3, offsets, keys, bits),
          std::make_shared<arrow::LargeListArray>(arrow::large_list(field), 3, wide, keys, bits),
          std::make_shared<arrow::FixedSizeListArray>(arrow::fixed_size_list(field, 1), 3, keys, bits)};
}

}  // namespace

TEST(HiddenValuesTest, RowsWithoutKeysOutOfBoundsStayAsTheyAre) {
  const auto check = [](const std::shared_ptr<arrow::Array>& array) {
    EXPECT_EQ(WithoutHiddenValues(array, arrow::default_memory_pool()).ValueOrDie(), array)
        << array->ToString();
  };
  check(Keys({0, 1, 0}));
  check(arrow::json::ArrayFromJSONString(arrow::list(arrow::int8()), "[[1, 99], null]").ValueOrDie());
  for (const auto& array : Around(Keys({0, 1, 1}), '\x07')) check(array);
  check(Around(Keys({0, 1, 1}), '\x05')[0]);
}

TEST(HiddenValuesTest, HiddenKeysBecomeNull) {
  const auto expected = Around(Keys({1, 0, 0}), '\x05');
  for (const int8_t key : {2, 99, -1}) {
    const auto arrays = Around(Keys({1, key, 0}), '\x05');
    for (size_t i = 0; i < arrays.size(); ++i) {
      ASSERT_FALSE(arrays[i]->ValidateFull().ok());
      for (const int64_t begin : {0, 1}) {
        const auto got =
            WithoutHiddenValues(arrays[i]->Slice(begin), arrow::default_memory_pool()).ValueOrDie();
        EXPECT_TRUE(got->ValidateFull().ok()) << got->ValidateFull();
        EXPECT_TRUE(got->Equals(*expected[i]->Slice(begin))) << got->ToString();
      }
    }
  }
  const auto none = arrow::MakeEmptyArray(arrow::utf8()).ValueOrDie();
  for (const auto& array : Around(Keys({0, 0, 0}, none), '\0')) {
    const auto got = WithoutHiddenValues(array, arrow::default_memory_pool()).ValueOrDie();
    EXPECT_TRUE(got->ValidateFull().ok()) << got->ValidateFull();
  }
}

TEST(HiddenValuesTest, VisibleKeysOutOfBoundsAreAnError) {
  for (const int8_t key : {2, 99, -1}) {
    EXPECT_FALSE(WithoutHiddenValues(Keys({1, key, 0}), arrow::default_memory_pool()).ok());
    for (const auto& array : Around(Keys({1, key, 0}), '\x07'))
      EXPECT_FALSE(WithoutHiddenValues(array, arrow::default_memory_pool()).ok())
          << array->type()->ToString();
    // One hidden, one not.
    for (const auto& array : Around(Keys({key, key, 0}), '\x05'))
      EXPECT_FALSE(WithoutHiddenValues(array, arrow::default_memory_pool()).ok())
          << array->type()->ToString();
  }
}

TEST(HiddenValuesTest, NullListsLoseTheirItems) {
  const auto items = arrow::json::ArrayFromJSONString(arrow::int32(), "[1, 2, 3, null, 5, 6]").ValueOrDie();
  const auto field = arrow::field("item", arrow::int32(), /*nullable=*/false);
  const auto bits = arrow::Buffer::FromString("\x0b");  // not row 2, whose items are 3 and null
  const auto narrow = arrow::Buffer::FromVector(std::vector<int32_t>{0, 1, 2, 4, 6});
  const auto wide = arrow::Buffer::FromVector(std::vector<int64_t>{0, 1, 2, 4, 6});
  const arrow::ArrayVector lists{
      std::make_shared<arrow::ListArray>(arrow::list(field), 4, narrow, items, bits),
      std::make_shared<arrow::LargeListArray>(arrow::large_list(field), 4, wide, items, bits)};
  for (const auto& array : lists) {
    const auto in_struct = arrow::StructArray::Make({array}, {"l"}).ValueOrDie();
    for (const int64_t begin : {0, 1, 2}) {
      const auto rows = in_struct->Slice(begin);
      const auto got = WithoutHiddenValues(rows, arrow::default_memory_pool()).ValueOrDie();
      EXPECT_TRUE(got->Equals(*rows)) << got->ToString();
      EXPECT_TRUE(got->ValidateFull().ok());
      const auto left = VisibleChild(*static_cast<const arrow::StructArray&>(*got).field(0)->data(), 0,
                                     arrow::default_memory_pool())
                            .ValueOrDie();
      EXPECT_EQ(left->length(), 4 - begin);
      EXPECT_EQ(left->null_count(), 0);
      EXPECT_NE(got, rows);
    }
    const auto rest = in_struct->Slice(3);
    EXPECT_EQ(WithoutHiddenValues(rest, arrow::default_memory_pool()).ValueOrDie(), rest);
  }
}

// Arrow looks at no offsets of an array without rows, which may be missing.
TEST(HiddenValuesTest, ListsWithoutRowsMayHaveAnyOffsets) {
  const auto inner =
      arrow::list(arrow::struct_({arrow::field("d", arrow::dictionary(arrow::int8(), arrow::utf8()))}));
  for (const auto& offsets :
       {std::shared_ptr<arrow::Buffer>{}, arrow::Buffer::FromVector(std::vector<int32_t>{127})}) {
    auto none = arrow::MakeEmptyArray(inner).ValueOrDie()->data()->Copy();
    none->buffers[1] = offsets;
    const auto outer = std::make_shared<arrow::ListArray>(
        arrow::list(inner), 1, arrow::Buffer::FromVector(std::vector<int32_t>{0, 0}), arrow::MakeArray(none));
    for (const auto& array : {arrow::MakeArray(none), std::static_pointer_cast<arrow::Array>(outer)}) {
      EXPECT_EQ(WithoutHiddenValues(array, arrow::default_memory_pool()).ValueOrDie(), array);
      EXPECT_EQ(VisibleChild(*array->data(), 0, arrow::default_memory_pool()).ValueOrDie()->length(), 0);
    }
  }
}

}  // namespace pilum
