// SPDX-License-Identifier: Apache-2.0
//
// From nested arrays to levels and back. The first test is the example of the specification.
#include "pilum/encoding/levels.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <random>

#include "pilum/encoding/level_builder.h"
#include "pilum/encoding/unravel.h"

namespace pilum {

namespace enc = lance::encodings21;

using ::testing::ElementsAre;

namespace {

constexpr bool kNull = true;

/// ["a", null], null, [], ["bcd"], ["e", "fg"]
std::shared_ptr<arrow::Array> Tags() {
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>());
  auto& items = static_cast<arrow::StringBuilder&>(*lists.value_builder());
  const auto row = [&](const std::vector<const char*>& texts) {
    EXPECT_TRUE(lists.Append().ok());
    for (const char* text : texts)
      EXPECT_TRUE(text == nullptr ? items.AppendNull().ok() : items.Append(text).ok());
  };
  row({"a", nullptr});
  EXPECT_TRUE(lists.AppendNull().ok());
  row({});
  row({"bcd"});
  row({"e", "fg"});
  return *lists.Finish();
}

std::vector<LeafArray> Build(const arrow::Array& array) {
  const auto field = arrow::field("f", array.type());
  auto leaves = BuildLevels(array.data(), *field, arrow::default_memory_pool());
  EXPECT_TRUE(leaves.ok()) << leaves.status().ToString();
  return *std::move(leaves);
}

TEST(LevelsTest, RepetitionAndDefinitionAreNumberedFromTheLeafOutwards) {
  const auto leaves = Build(*Tags());
  const Levels& levels = leaves.at(0).levels;
  EXPECT_THAT(levels.layers, ElementsAre(enc::REPDEF_NULLABLE_ITEM, enc::REPDEF_NULL_AND_EMPTY_LIST));
  EXPECT_THAT(levels.repetition, ElementsAre(1, 0, 1, 1, 1, 1, 0));
  EXPECT_THAT(levels.definition, ElementsAre(0, 1, 2, 3, 0, 0, 0));
  EXPECT_EQ(levels.max_visible(), 1);
  EXPECT_EQ(leaves[0].values->length, 5);
}

TEST(LevelsTest, UnravelingGivesValidityAndOffsetsOfEveryLayer) {
  const auto array = Tags();
  const auto column = (*LeafColumn::Of(arrow::field("f", array->type())))[0];
  Unraveler unraveler(column.layers, arrow::default_memory_pool());
  ASSERT_TRUE(unraveler.Append(Build(*array)[0].levels).ok());
  const auto layers = *unraveler.Finish();
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].length, 5);
  EXPECT_EQ(layers[0].null_count, 1);
  EXPECT_EQ(layers[1].length, 5);
  EXPECT_EQ(layers[1].null_count, 1);
  EXPECT_THAT(layers[1].offsets, ElementsAre(0, 2, 2, 2, 3, 5));
}

TEST(LevelsTest, PagesThatDifferInWhatIsNullableGoTogether) {
  const auto array = Tags();
  const auto column = (*LeafColumn::Of(arrow::field("f", array->type())))[0];
  Unraveler unraveler(column.layers, arrow::default_memory_pool());
  const auto plain = Build(*array->Slice(3));
  EXPECT_THAT(plain[0].levels.layers, ElementsAre(enc::REPDEF_ALL_VALID_ITEM, enc::REPDEF_ALL_VALID_LIST));
  EXPECT_TRUE(plain[0].levels.definition.empty());
  ASSERT_TRUE(unraveler.Append(plain[0].levels).ok());
  ASSERT_TRUE(unraveler.Append(Build(*array->Slice(0, 3))[0].levels).ok());
  const auto layers = *unraveler.Finish();
  EXPECT_THAT(layers[1].offsets, ElementsAre(0, 1, 3, 5, 5, 5));
  EXPECT_EQ(layers[1].null_count, 1);
}

TEST(LevelsTest, ItemsUnderNullListsAreDropped) {
  const auto offsets =
      std::make_shared<arrow::Buffer>(std::string_view("\0\0\0\0\2\0\0\0\5\0\0\0\6\0\0\0", 16));
  const auto validity = std::make_shared<arrow::Buffer>(std::string_view("\x05", 1));
  arrow::Int32Builder items;
  ASSERT_TRUE(items.AppendValues({1, 2, 30, 31, 32, 6}).ok());
  const arrow::ListArray array(arrow::list(arrow::int32()), 3, offsets, *items.Finish(), validity);
  const auto leaves = Build(array);
  EXPECT_EQ(arrow::MakeArray(leaves[0].values)->ToString(), [] {
    arrow::Int32Builder kept;
    EXPECT_TRUE(kept.AppendValues({1, 2, 6}).ok());
    return (*kept.Finish())->ToString();
  }());
  EXPECT_THAT(leaves[0].levels.repetition, ElementsAre(1, 0, 1, 1));
  EXPECT_THAT(leaves[0].levels.definition, ElementsAre(0, 0, 1, 0));
}

TEST(LevelsTest, TheOutermostNullCounts) {
  arrow::StructBuilder structs(arrow::struct_({arrow::field("a", arrow::int32())}),
                               arrow::default_memory_pool(), {std::make_shared<arrow::Int32Builder>()});
  auto& a = static_cast<arrow::Int32Builder&>(*structs.field_builder(0));
  for (const auto& [struct_null, a_null] : {std::pair{!kNull, !kNull}, {kNull, kNull}, {!kNull, kNull}}) {
    ASSERT_TRUE(structs.Append(!struct_null).ok());
    ASSERT_TRUE(a_null ? a.AppendNull().ok() : a.Append(1).ok());
  }
  const auto leaves = Build(**structs.Finish());
  EXPECT_THAT(leaves[0].levels.layers, ElementsAre(enc::REPDEF_NULLABLE_ITEM, enc::REPDEF_NULLABLE_ITEM));
  EXPECT_THAT(leaves[0].levels.definition, ElementsAre(0, 2, 1));
  EXPECT_TRUE(leaves[0].levels.repetition.empty());
}

TEST(LevelsTest, AStructAroundAListIsNullableInEveryPageIfItsFieldIs) {
  const auto array = Tags()->Slice(3);
  const auto outer = *arrow::StructArray::Make({array}, std::vector<std::string>{"l"});
  const auto leaves = Build(*outer);
  EXPECT_EQ(leaves[0].levels.layers.back(), enc::REPDEF_NULLABLE_ITEM);
}

TEST(LevelsTest, LevelsThatContradictTheLayersAreInvalid) {
  const auto array = Tags();
  const auto column = (*LeafColumn::Of(arrow::field("f", array->type())))[0];
  const Levels good = Build(*array)[0].levels;
  const auto append = [&](const Levels& levels) {
    return Unraveler(column.layers, arrow::default_memory_pool()).Append(levels);
  };
  Levels high = good;
  high.definition[2] = 4;
  EXPECT_TRUE(append(high).IsInvalid());
  Levels deep = good;
  deep.repetition[2] = 2;
  EXPECT_TRUE(append(deep).IsInvalid());
  Levels cut = good;
  cut.repetition[0] = 0;
  EXPECT_TRUE(append(cut).IsInvalid());
  Levels null_continues = good;  // the second slot of the first list says that the list is null
  null_continues.definition[1] = 2;
  EXPECT_TRUE(append(null_continues).IsInvalid());
  Levels null_with_items = good;
  null_with_items.repetition[3] = 0;  // behind the null list
  null_with_items.definition[3] = 0;
  EXPECT_TRUE(append(null_with_items).IsInvalid());
  Levels shallow = good;
  shallow.layers.pop_back();
  EXPECT_TRUE(append(shallow).IsInvalid());
}

TEST(LevelsTest, RandomLevelsUnravelOrAreInvalid) {
  std::mt19937_64 random(1);
  const auto type = arrow::list(arrow::struct_({arrow::field("l", arrow::list(arrow::int8()))}));
  const auto column = (*LeafColumn::Of(arrow::field("f", type)))[0];
  for (int round = 0; round < 5000; ++round) {
    Levels levels;
    levels.layers = {enc::REPDEF_NULLABLE_ITEM, enc::REPDEF_NULL_AND_EMPTY_LIST, enc::REPDEF_NULLABLE_ITEM,
                     enc::REPDEF_NULL_AND_EMPTY_LIST};
    levels.num_slots = 1 + static_cast<int64_t>(random() % 12);
    for (int64_t i = 0; i < levels.num_slots; ++i) {
      levels.repetition.push_back(i == 0 ? 2 : static_cast<uint16_t>(random() % 3));
      levels.definition.push_back(static_cast<uint16_t>(random() % 7));
    }
    Unraveler unraveler(column.layers, arrow::default_memory_pool());
    if (!unraveler.Append(levels).ok()) continue;
    const auto layers = *unraveler.Finish();
    EXPECT_TRUE(std::is_sorted(layers[1].offsets.begin(), layers[1].offsets.end()));
    EXPECT_EQ(static_cast<int64_t>(layers[3].offsets.size()), layers[3].length + 1);
  }
}

TEST(LevelsTest, OnlyCrowdedLevelsAreTooManyForChunks) {
  Levels levels;
  levels.layers = {enc::REPDEF_ALL_VALID_ITEM, enc::REPDEF_NULLABLE_LIST};
  levels.num_slots = 70'000;
  levels.repetition.assign(70'000, 1);
  levels.definition.assign(70'000, 0);
  EXPECT_FALSE(levels.TooManyForChunks());
  levels.definition[5] = 1;
  EXPECT_TRUE(levels.TooManyForChunks());
  levels.definition.assign(70'000, 1);
  EXPECT_FALSE(levels.TooManyForChunks());  // no values, no chunks
}

TEST(LevelsTest, CrowdedRowsAreCutIntoRangesThatKeepToTheBudget) {
  constexpr int64_t kBudget = 65'535;  // of one bit of repetition and one of definition
  Levels levels;
  levels.layers = {enc::REPDEF_ALL_VALID_ITEM, enc::REPDEF_NULLABLE_LIST};
  const auto row = [&](int64_t slots, uint16_t level) {
    levels.repetition.push_back(1);
    levels.repetition.resize(levels.repetition.size() + static_cast<size_t>(slots) - 1, 0);
    levels.definition.resize(levels.definition.size() + static_cast<size_t>(slots), level);
    levels.num_slots += slots;
  };
  for (int i = 0; i < 40'000; ++i) {  // no slot without a value so far: as many as there are
    row(2, 0);
  }
  row(1, 1);
  for (int i = 0; i < 65'533; ++i) row(1, 0);
  row(2, 0);  // one more than fits
  row(100'000, 0);
  row(3, 0);
  std::vector<std::vector<int64_t>> cut;
  for (const auto& range : levels.CutForChunks()) cut.push_back({range.rows, range.slots, range.values});
  EXPECT_THAT(cut,
              ElementsAre(ElementsAre(40'000, 80'000, 80'000), ElementsAre(65'534, kBudget - 1, kBudget - 2),
                          ElementsAre(3, 100'005, 100'005)));
  const Levels part = levels.Slice(79'998, 3);
  EXPECT_EQ(part.num_slots, 3);
  EXPECT_THAT(part.repetition, ElementsAre(1, 0, 1));
  EXPECT_THAT(part.definition, ElementsAre(0, 0, 1));
  EXPECT_EQ(part.layers, levels.layers);
}

TEST(LevelsTest, LevelsThatNoSlotHasCanBeGivenUp) {
  Levels levels;
  levels.layers = {enc::REPDEF_NULLABLE_ITEM,        // 1
                   enc::REPDEF_NULL_AND_EMPTY_LIST,  // 2, 3
                   enc::REPDEF_NULLABLE_ITEM,        // 4
                   enc::REPDEF_NULL_AND_EMPTY_LIST,  // 5, 6
                   enc::REPDEF_EMPTYABLE_LIST};      // 7
  levels.num_slots = 4;
  levels.repetition = {3, 0, 2, 3};
  levels.definition = {0, 3, 5, 7};
  const Levels used = levels.OnlyUsed();
  EXPECT_THAT(used.layers,
              ElementsAre(enc::REPDEF_ALL_VALID_ITEM, enc::REPDEF_EMPTYABLE_LIST, enc::REPDEF_ALL_VALID_ITEM,
                          enc::REPDEF_NULLABLE_LIST, enc::REPDEF_EMPTYABLE_LIST));
  EXPECT_THAT(used.definition, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(used.repetition, levels.repetition);
  EXPECT_EQ(used.num_slots, 4);
  levels.definition = {0, 0, 0, 0};
  EXPECT_TRUE(levels.OnlyUsed().definition.empty());
  levels.definition = {1, 2, 4, 6};
  const Levels others = levels.OnlyUsed();
  EXPECT_THAT(others.layers,
              ElementsAre(enc::REPDEF_NULLABLE_ITEM, enc::REPDEF_NULLABLE_LIST, enc::REPDEF_NULLABLE_ITEM,
                          enc::REPDEF_EMPTYABLE_LIST, enc::REPDEF_ALL_VALID_LIST));
  EXPECT_THAT(others.definition, ElementsAre(1, 2, 3, 4));
}

TEST(LevelsTest, RunsAreChosenWhenTheyAreSmallerInTheChunksThePageHas) {
  std::vector<uint16_t> levels(8192, 0);
  for (size_t i = 0; i < levels.size(); i += 32) levels[i] = 1;  // 512 runs
  const auto stored_as_runs = [&](int64_t chunk) {
    std::vector<int64_t> ends;
    for (int64_t end = chunk; end <= 8192; end += chunk) ends.push_back(end);
    return LevelEncoder(levels, ends, /*allow_runs=*/true).encoding().has_rle();
  };
  EXPECT_FALSE(stored_as_runs(1024));  // 128 bytes packed, 3 * 64 + 8 as runs
  EXPECT_TRUE(stored_as_runs(128));    // the tail of a block is padded: 128 bytes, 3 * 8 + 8 as runs
}

}  // namespace
}  // namespace pilum
