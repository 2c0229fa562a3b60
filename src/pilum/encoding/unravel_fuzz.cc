// SPDX-License-Identifier: Apache-2.0
//
// Any levels of any layers: an error, or layers that fit into one another. And the levels of any nested
// array: the array comes back.
#include "pilum/encoding/unravel.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer_builder.h>

#include <algorithm>

#include "pilum/encoding/level_builder.h"
#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

constexpr int kMaxDepth = 6;       // lists of lists explode
constexpr size_t kMaxSlots = 500;  // where no level says how many there are
constexpr int kMaxRows = 16;

std::shared_ptr<arrow::Field> Field(const fuzz::NestedLevels& input) {
  auto type = arrow::int32();
  for (int i = 0; i < std::min(input.nesting_size(), kMaxDepth); ++i) {
    const auto field = arrow::field("f", type);
    switch (const int layer = static_cast<int>(input.nesting(i) % 5)) {
      case 0:
        type = arrow::struct_({field});
        break;
      case 1:
        type = arrow::list(field);
        break;
      default:  // only those of structs are layers
        type = arrow::fixed_size_list(arrow::struct_({field}), layer - 1);
    }
  }
  return arrow::field("f", type);
}

/// `n` elements; the front of `shape` says which are null and how many items each list has.
std::shared_ptr<arrow::ArrayData> Generate(const std::shared_ptr<arrow::DataType>& type, int64_t n,
                                           std::string_view* shape) {
  arrow::TypedBufferBuilder<bool> validity;
  arrow::TypedBufferBuilder<int32_t> ends;  // of lists; else numbers to tell elements apart
  int32_t end = 0;
  Require(ends.Append(0), "append");
  for (int64_t i = 0; i < n; ++i) {
    const int byte = shape->empty() ? 0 : static_cast<uint8_t>(shape->front());
    if (!shape->empty()) shape->remove_prefix(1);
    Require(validity.Append(byte % 4 != 3), "append");
    Require(ends.Append(end += byte / 4 % 4), "append");
  }
  auto data = arrow::ArrayData::Make(type, n, {validity.Finish().ValueOrDie()});
  if (type->id() == arrow::Type::LIST || type->num_fields() == 0) {
    data->buffers.push_back(ends.Finish().ValueOrDie());
  }
  int64_t num_items = type->id() == arrow::Type::LIST ? end : n;
  if (type->id() == arrow::Type::FIXED_SIZE_LIST) {
    num_items *= static_cast<const arrow::FixedSizeListType&>(*type).list_size();
  }
  for (const auto& child : type->fields()) {
    data->child_data.push_back(Generate(child->type(), num_items, shape));
  }
  return data;
}

/// Whether each layer has the items that the one around it counts.
void RequireAgreement(const std::vector<NestingLayer>& kinds, const std::vector<UnraveledLayer>& layers) {
  Require(layers.size() == kinds.size(), "as many layers as there are");
  for (size_t i = 0; i < layers.size(); ++i) {
    const UnraveledLayer& layer = layers[i];
    Require((layer.validity == nullptr) == (layer.null_count == 0), "nulls have a validity");
    if (layer.validity != nullptr) {
      const arrow::BooleanArray bits(layer.length, layer.validity);
      Require(bits.Validate(), "a bit for each element");
      Require(bits.length() - bits.true_count() == layer.null_count, "the nulls are counted");
    }
    int64_t num_items = layer.length * kinds[i].dimension;
    if (kinds[i].kind == NestingLayer::Kind::kList) {
      Require(std::ssize(layer.offsets) == layer.length + 1 && layer.offsets[0] == 0, "offsets of each list");
      Require(std::ranges::is_sorted(layer.offsets), "offsets ascend");
      num_items = layer.offsets.back();
    }
    if (i > 0) Require(layers[i - 1].length == num_items, "layers fit into one another");
  }
}

Levels LevelsOfPage(const fuzz::NestedLevels::Page& page) {
  Levels levels;
  for (const int layer : page.layers()) {
    levels.layers.push_back(static_cast<lance::encodings21::RepDefLayer>(layer));
  }
  levels.repetition.assign(page.repetition().begin(), page.repetition().end());
  levels.definition.assign(page.definition().begin(), page.definition().end());
  const size_t n =
      std::max({levels.repetition.size(), levels.definition.size(), page.num_slots() % kMaxSlots});
  levels.num_slots = static_cast<int64_t>(n);
  if (!levels.repetition.empty()) levels.repetition.resize(n);
  if (!levels.definition.empty()) levels.definition.resize(n);
  return levels;
}

/// The array of `type` that has these layers, of which `outermost` is the last.
std::shared_ptr<arrow::ArrayData> Assemble(const std::shared_ptr<arrow::DataType>& type,
                                           const std::shared_ptr<arrow::ArrayData>& leaf,
                                           const UnraveledLayer* outermost) {
  const UnraveledLayer& layer = *outermost;
  if (type->num_fields() == 0) {
    Require(leaf->length == layer.length, "a value for each element");
    return arrow::ArrayData::Make(type, layer.length, {layer.validity, leaf->buffers[1]}, layer.null_count);
  }
  auto data = arrow::ArrayData::Make(type, layer.length, {layer.validity}, layer.null_count);
  if (type->id() == arrow::Type::LIST) {
    data->buffers.push_back(
        arrow::Buffer::FromVector(std::vector<int32_t>(layer.offsets.begin(), layer.offsets.end())));
  }
  data->child_data = {Assemble(type->field(0)->type(), leaf, outermost - 1)};
  return data;
}

/// The array that `shape` says.
std::shared_ptr<arrow::ArrayData> ArrayOf(const arrow::Field& field, std::string_view shape) {
  const int64_t n = shape.empty() ? 0 : static_cast<uint8_t>(shape.front()) % kMaxRows;
  shape.remove_prefix(std::min<size_t>(shape.size(), 1));
  return Generate(field.type(), n, &shape);
}

/// An array as two pages, which may differ in what is nullable.
arrow::Result<std::vector<LeafArray>> WritePages(const std::shared_ptr<arrow::ArrayData>& array,
                                                 const arrow::Field& field) {
  const int64_t cut = array->length / 3;
  std::vector<LeafArray> pages;
  for (const auto& part : {array->Slice(0, cut), array->Slice(cut, array->length - cut)}) {
    ARROW_ASSIGN_OR_RAISE(auto leaves, BuildLevels(part, field, arrow::default_memory_pool()));
    pages.push_back(std::move(leaves[0]));
  }
  return pages;
}

void FuzzArray(const arrow::Field& field, const std::vector<NestingLayer>& kinds, std::string_view shape) {
  const auto array = ArrayOf(field, shape);
  const auto pages = WritePages(array, field);
  if (pages.status().IsNotImplemented()) return;  // lists beside fixed-size lists
  Require(pages.status(), "an array has levels");
  Unraveler unraveler(kinds, arrow::default_memory_pool());
  arrow::ArrayVector values;
  for (const LeafArray& page : *pages) {
    Require(unraveler.Append(page.levels), "levels of an array unravel");
    values.push_back(arrow::MakeArray(page.values));
  }
  const auto layers = unraveler.Finish().ValueOrDie();
  RequireAgreement(kinds, layers);
  const auto leaf = arrow::Concatenate(values).ValueOrDie();
  const auto again = arrow::MakeArray(Assemble(field.type(), leaf->data(), &layers.back()));
  RequireValid(*again);
  Require(again->Equals(arrow::MakeArray(array)), "the array comes back");
}

void FuzzUnravel(const fuzz::NestedLevels& input) {
  const auto field = Field(input);
  const auto kinds = LeafColumn::Of(field).ValueOrDie()[0].layers;
  FuzzArray(*field, kinds, input.shape());
  Unraveler unraveler(kinds, arrow::default_memory_pool());
  for (const auto& page : input.pages()) {
    if (!unraveler.Append(LevelsOfPage(page)).ok()) return;
  }
  RequireAgreement(kinds, unraveler.Finish().ValueOrDie());
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds;
  for (const std::vector<uint32_t>& nesting :
       std::vector<std::vector<uint32_t>>{{}, {0}, {1}, {1, 1}, {0, 1}, {1, 0, 1, 0}, {3}, {2, 4}, {3, 1}}) {
    fuzz::NestedLevels input;
    input.mutable_nesting()->Assign(nesting.begin(), nesting.end());
    for (int i = 0; i < 200; ++i) input.mutable_shape()->push_back(static_cast<char>(i * 37 + 11));
    const auto field = Field(input);
    if (const auto pages = WritePages(ArrayOf(*field, input.shape()), *field); pages.ok()) {
      for (const auto& [values, levels] : *pages) {
        auto* page = input.add_pages();
        page->mutable_layers()->Assign(levels.layers.begin(), levels.layers.end());
        page->set_num_slots(static_cast<uint32_t>(levels.num_slots));
        page->mutable_repetition()->assign(levels.repetition.begin(), levels.repetition.end());
        page->mutable_definition()->assign(levels.definition.begin(), levels.definition.end());
      }
    }
    seeds.push_back(input.SerializeAsString());
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::NestedLevels, pilum::FuzzUnravel)
