// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/dictionary_keys.h"

#include <arrow/array/array_dict.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/extension_type.h>
#include <arrow/util/int_util.h>

#include <algorithm>
#include <cstdint>

namespace pilum {

namespace {

bool HasDictionary(const arrow::DataType& type) {
  if (type.id() == arrow::Type::EXTENSION)
    return HasDictionary(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  return type.id() == arrow::Type::DICTIONARY ||
         std::ranges::any_of(type.fields(), [](const auto& field) { return HasDictionary(*field->type()); });
}

/// The array as one of its storage type, if it has an extension type.
arrow::ArrayData StorageOf(const arrow::ArrayData& array) {
  arrow::ArrayData storage = array;
  while (storage.type->id() == arrow::Type::EXTENSION)
    storage.type = static_cast<const arrow::ExtensionType&>(*storage.type).storage_type();
  return storage;
}

/// Keys of a dictionary array.
arrow::Status CheckKeys(const arrow::ArrayData& array) {
  arrow::ArrayData keys = array;
  keys.type = static_cast<const arrow::DictionaryType&>(*array.type).index_type();
  keys.dictionary = nullptr;
  return arrow::internal::CheckIndexBounds(keys, static_cast<uint64_t>(array.dictionary->length));
}

/// Whether all keys are in bounds, the hidden ones too.
bool AllInBounds(const arrow::ArrayData& array) {
  if (!HasDictionary(*array.type)) return true;
  const arrow::ArrayData storage = StorageOf(array);
  if (storage.dictionary != nullptr) return CheckKeys(storage).ok() && AllInBounds(*storage.dictionary);
  return std::ranges::all_of(storage.child_data, [](const auto& child) { return AllInBounds(*child); });
}

arrow::Status CheckVisibleKeys(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  const arrow::ArrayData storage = StorageOf(array);
  if (storage.dictionary != nullptr) {
    ARROW_RETURN_NOT_OK(CheckKeys(storage));
    return CheckVisibleKeys(*storage.dictionary, pool);
  }
  for (int i = 0; i < storage.type->num_fields(); ++i) {
    if (!HasDictionary(*storage.type->field(i)->type())) continue;
    ARROW_ASSIGN_OR_RAISE(const auto child, VisibleChild(storage, i, pool));
    ARROW_RETURN_NOT_OK(CheckVisibleKeys(*child->data(), pool));
  }
  return arrow::Status::OK();
}

/// The validity of a dictionary array without the keys that are out of bounds.
arrow::Result<std::shared_ptr<arrow::Buffer>> MaskedValidity(const arrow::ArrayData& array,
                                                             arrow::MemoryPool* pool) {
  const arrow::DictionaryArray keys(array.Copy());
  arrow::TypedBufferBuilder<bool> validity(pool);
  ARROW_RETURN_NOT_OK(validity.Append(array.offset, false));
  for (int64_t i = 0; i < keys.length(); ++i) {
    // A uint64 key of the upper half is negative here.
    const int64_t key = keys.IsValid(i) ? keys.GetValueIndex(i) : -1;
    ARROW_RETURN_NOT_OK(validity.Append(key >= 0 && key < array.dictionary->length));
  }
  return validity.Finish();
}

/// Makes null what is out of bounds.
arrow::Result<std::shared_ptr<arrow::ArrayData>> Mask(const arrow::ArrayData& array,
                                                      arrow::MemoryPool* pool) {
  auto masked = array.Copy();
  if (masked->dictionary != nullptr) {
    ARROW_ASSIGN_OR_RAISE(masked->buffers[0], MaskedValidity(StorageOf(array), pool));
    masked->null_count = arrow::kUnknownNullCount;
    ARROW_ASSIGN_OR_RAISE(masked->dictionary, Mask(*array.dictionary, pool));
  }
  for (auto& child : masked->child_data) {
    if (!HasDictionary(*child->type)) continue;
    ARROW_ASSIGN_OR_RAISE(child, Mask(*child, pool));
  }
  return masked;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> VisibleChild(const arrow::ArrayData& array, int i,
                                                          arrow::MemoryPool* pool) {
  const auto rows = arrow::MakeArray(array.Copy());
  switch (array.type->id()) {
    case arrow::Type::STRUCT:
      return static_cast<const arrow::StructArray&>(*rows).GetFlattenedField(i, pool);
    case arrow::Type::FIXED_SIZE_LIST:
      return static_cast<const arrow::FixedSizeListArray&>(*rows).Flatten(pool);
    case arrow::Type::LARGE_LIST:
      return static_cast<const arrow::LargeListArray&>(*rows).Flatten(pool);
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return static_cast<const arrow::ListArray&>(*rows).Flatten(pool);
    default:
      return arrow::Status::TypeError("no rows below ", array.type->ToString());
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> WithKeysInBounds(const std::shared_ptr<arrow::Array>& array,
                                                              arrow::MemoryPool* pool) {
  if (AllInBounds(*array->data())) return array;
  ARROW_RETURN_NOT_OK(CheckVisibleKeys(*array->data(), pool));
  ARROW_ASSIGN_OR_RAISE(auto masked, Mask(*array->data(), pool));
  return arrow::MakeArray(std::move(masked));
}

}  // namespace pilum
