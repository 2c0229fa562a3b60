// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/dictionary_keys.h"

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

TEST(DictionaryKeysTest, RowsWithoutKeysOutOfBoundsStayAsTheyAre) {
  const auto check = [](const std::shared_ptr<arrow::Array>& array) {
    EXPECT_EQ(WithKeysInBounds(array, arrow::default_memory_pool()).ValueOrDie(), array) << array->ToString();
  };
  check(Keys({0, 1, 0}));
  check(arrow::json::ArrayFromJSONString(arrow::list(arrow::int8()), "[[1, 99], null]").ValueOrDie());
  for (const auto& array : Around(Keys({0, 1, 1}), '\x05')) check(array);
}

TEST(DictionaryKeysTest, HiddenKeysBecomeNull) {
  const auto expected = Around(Keys({1, 0, 0}), '\x05');
  for (const int8_t key : {2, 99, -1}) {
    const auto arrays = Around(Keys({1, key, 0}), '\x05');
    for (size_t i = 0; i < arrays.size(); ++i) {
      ASSERT_FALSE(arrays[i]->ValidateFull().ok());
      for (const int64_t begin : {0, 1}) {
        const auto got = WithKeysInBounds(arrays[i]->Slice(begin), arrow::default_memory_pool()).ValueOrDie();
        EXPECT_TRUE(got->ValidateFull().ok()) << got->ValidateFull();
        EXPECT_TRUE(got->Equals(*expected[i]->Slice(begin))) << got->ToString();
      }
    }
  }
  const auto none = arrow::MakeEmptyArray(arrow::utf8()).ValueOrDie();
  for (const auto& array : Around(Keys({0, 0, 0}, none), '\0')) {
    const auto got = WithKeysInBounds(array, arrow::default_memory_pool()).ValueOrDie();
    EXPECT_TRUE(got->ValidateFull().ok()) << got->ValidateFull();
  }
}

TEST(DictionaryKeysTest, VisibleKeysOutOfBoundsAreAnError) {
  for (const int8_t key : {2, 99, -1}) {
    EXPECT_FALSE(WithKeysInBounds(Keys({1, key, 0}), arrow::default_memory_pool()).ok());
    for (const auto& array : Around(Keys({1, key, 0}), '\x07'))
      EXPECT_FALSE(WithKeysInBounds(array, arrow::default_memory_pool()).ok()) << array->type()->ToString();
    // One hidden, one not.
    for (const auto& array : Around(Keys({key, key, 0}), '\x05'))
      EXPECT_FALSE(WithKeysInBounds(array, arrow::default_memory_pool()).ok()) << array->type()->ToString();
  }
}

}  // namespace pilum
