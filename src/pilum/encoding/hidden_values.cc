// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/hidden_values.h"

#include <arrow/array/array_dict.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/buffer_builder.h>
#include <arrow/extension_type.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/int_util.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pilum {

namespace {

using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

const arrow::DataType& StorageType(const arrow::DataType& type) {
  return type.id() == arrow::Type::EXTENSION
             ? StorageType(*static_cast<const arrow::ExtensionType&>(type).storage_type())
             : type;
}

/// The array as one of its storage type.
ArrayDataPtr StorageOf(const arrow::ArrayData& array) {
  auto storage = array.Copy();
  while (storage->type->id() == arrow::Type::EXTENSION)
    storage->type = static_cast<const arrow::ExtensionType&>(*storage->type).storage_type();
  return storage;
}

bool IsList(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::MAP;
}

/// Whether there is a list or a dictionary in it, below nothing but lists and structs.
bool MayHide(const arrow::DataType& any) {
  const arrow::DataType& type = StorageType(any);
  if (IsList(type) || type.id() == arrow::Type::DICTIONARY) return true;
  return (type.id() == arrow::Type::STRUCT || type.id() == arrow::Type::FIXED_SIZE_LIST) &&
         std::ranges::any_of(type.fields(), [](const auto& field) { return MayHide(*field->type()); });
}

/// Where list `i` begins, counted from the array's offset; for lists, and one behind the last.
int64_t OffsetOf(const arrow::ArrayData& lists, int64_t i) {
  return StorageType(*lists.type).id() == arrow::Type::LARGE_LIST ? lists.GetValues<int64_t>(1)[i]
                                                                  : lists.GetValues<int32_t>(1)[i];
}

/// Items [begin, end) that the rows of a list, a struct or a fixed-size list have in their child.
std::pair<int64_t, int64_t> ChildRange(const arrow::ArrayData& array) {
  const arrow::DataType& type = StorageType(*array.type);
  if (array.length == 0) return {0, 0};  // and there may be no offsets
  if (IsList(type)) return {OffsetOf(array, 0), OffsetOf(array, array.length)};
  const int64_t size = type.id() == arrow::Type::FIXED_SIZE_LIST
                           ? static_cast<const arrow::FixedSizeListType&>(type).list_size()
                           : 1;
  return {array.offset * size, (array.offset + array.length) * size};
}

/// Whether a null list has items.
bool HidesItems(const arrow::ArrayData& lists) {
  if (lists.GetNullCount() == 0) return false;
  for (int64_t i = 0; i < lists.length; ++i) {
    if (lists.IsNull(i) && OffsetOf(lists, i + 1) > OffsetOf(lists, i)) return true;
  }
  return false;
}

arrow::Status CheckKeys(const arrow::ArrayData& array) {
  arrow::ArrayData keys = array;
  keys.type = static_cast<const arrow::DictionaryType&>(StorageType(*array.type)).index_type();
  keys.dictionary = nullptr;
  return arrow::internal::CheckIndexBounds(keys, static_cast<uint64_t>(array.dictionary->length));
}

bool Hides(const arrow::ArrayData& array) {
  if (!MayHide(*array.type)) return false;
  if (array.dictionary != nullptr) return !CheckKeys(array).ok() || Hides(*array.dictionary);
  if (IsList(StorageType(*array.type)) && HidesItems(array)) return true;
  for (size_t i = 0; i < array.child_data.size(); ++i) {
    if (Hides(*ChildRows(array, i))) return true;
  }
  return false;
}

arrow::Status CheckVisibleKeys(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  if (!MayHide(*array.type)) return arrow::Status::OK();
  if (array.dictionary != nullptr) {
    ARROW_RETURN_NOT_OK(CheckKeys(array));
    return CheckVisibleKeys(*array.dictionary, pool);
  }
  for (int i = 0; i < static_cast<int>(array.child_data.size()); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto child, VisibleChild(array, i, pool));
    ARROW_RETURN_NOT_OK(CheckVisibleKeys(*child->data(), pool));
  }
  return arrow::Status::OK();
}

/// The validity of a dictionary array without the keys that are out of bounds.
arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityInBounds(const arrow::ArrayData& array,
                                                               arrow::MemoryPool* pool) {
  const arrow::DictionaryArray keys(StorageOf(array));
  arrow::TypedBufferBuilder<bool> validity(pool);
  ARROW_RETURN_NOT_OK(validity.Append(array.offset, false));
  for (int64_t i = 0; i < keys.length(); ++i) {
    // A uint64 key of the upper half is negative here.
    const int64_t key = keys.IsValid(i) ? keys.GetValueIndex(i) : -1;
    ARROW_RETURN_NOT_OK(validity.Append(key >= 0 && key < array.dictionary->length));
  }
  return validity.Finish();
}

/// Offsets of lists, null ones empty, from 0 on.
template <typename Offset>
arrow::Result<std::shared_ptr<arrow::Buffer>> VisibleOffsets(const arrow::ArrayData& lists,
                                                             arrow::MemoryPool* pool) {
  arrow::TypedBufferBuilder<Offset> offsets(pool);
  Offset end = 0;
  ARROW_RETURN_NOT_OK(offsets.Append(end));
  for (int64_t i = 0; i < lists.length; ++i) {
    if (lists.IsValid(i)) end += static_cast<Offset>(OffsetOf(lists, i + 1) - OffsetOf(lists, i));
    ARROW_RETURN_NOT_OK(offsets.Append(end));
  }
  return offsets.Finish();
}

arrow::Result<ArrayDataPtr> Clean(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  auto clean = array.Copy();
  if (!MayHide(*array.type)) return clean;
  if (array.dictionary != nullptr) {
    ARROW_ASSIGN_OR_RAISE(clean->buffers[0], ValidityInBounds(array, pool));
    clean->null_count = arrow::kUnknownNullCount;
    ARROW_ASSIGN_OR_RAISE(clean->dictionary, Clean(*array.dictionary, pool));
    return clean;
  }
  clean->offset = 0;
  if (array.offset != 0 && array.buffers[0] != nullptr) {
    ARROW_ASSIGN_OR_RAISE(clean->buffers[0], arrow::internal::CopyBitmap(pool, array.buffers[0]->data(),
                                                                         array.offset, array.length));
  }
  const bool list = IsList(StorageType(*array.type));
  if (list) {
    const bool wide = StorageType(*array.type).id() == arrow::Type::LARGE_LIST;
    ARROW_ASSIGN_OR_RAISE(clean->buffers[1],
                          wide ? VisibleOffsets<int64_t>(array, pool) : VisibleOffsets<int32_t>(array, pool));
  }
  for (size_t i = 0; i < clean->child_data.size(); ++i) {
    ArrayDataPtr child = ChildRows(array, i);
    if (list) {
      ARROW_ASSIGN_OR_RAISE(const auto items, VisibleChild(array, static_cast<int>(i), pool));
      child = items->data();
    }
    ARROW_ASSIGN_OR_RAISE(clean->child_data[i], Clean(*child, pool));
  }
  return clean;
}

}  // namespace

std::shared_ptr<arrow::ArrayData> ChildRows(const arrow::ArrayData& array, size_t i) {
  const auto [begin, end] = ChildRange(array);
  return array.child_data[i]->Slice(begin, end - begin);
}

arrow::Result<std::shared_ptr<arrow::Array>> VisibleChild(const arrow::ArrayData& array, int i,
                                                          arrow::MemoryPool* pool) {
  const arrow::DataType& type = StorageType(*array.type);
  const bool list = IsList(type);
  if (!list && type.id() != arrow::Type::STRUCT && type.id() != arrow::Type::FIXED_SIZE_LIST)
    return arrow::Status::TypeError("no rows below ", type.ToString());
  if (array.length == 0 || array.GetNullCount() == 0 || (list && !HidesItems(array)))
    return arrow::MakeArray(ChildRows(array, static_cast<size_t>(i)));
  const auto rows = arrow::MakeArray(StorageOf(array));
  switch (type.id()) {
    case arrow::Type::STRUCT:
      return static_cast<const arrow::StructArray&>(*rows).GetFlattenedField(i, pool);
    case arrow::Type::FIXED_SIZE_LIST:
      return static_cast<const arrow::FixedSizeListArray&>(*rows).Flatten(pool);
    case arrow::Type::LARGE_LIST:
      return static_cast<const arrow::LargeListArray&>(*rows).Flatten(pool);
    default:
      return static_cast<const arrow::ListArray&>(*rows).Flatten(pool);
  }
}

arrow::Result<std::shared_ptr<arrow::Array>> WithoutHiddenValues(const std::shared_ptr<arrow::Array>& array,
                                                                 arrow::MemoryPool* pool) {
  if (!Hides(*array->data())) return array;
  ARROW_RETURN_NOT_OK(CheckVisibleKeys(*array->data(), pool));
  ARROW_ASSIGN_OR_RAISE(auto clean, Clean(*array->data(), pool));
  return arrow::MakeArray(std::move(clean));
}

}  // namespace pilum
