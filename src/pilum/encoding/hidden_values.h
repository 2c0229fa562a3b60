// SPDX-License-Identifier: Apache-2.0
//
// Values that lie under a null of their parent: nobody is to see them, and Arrow lets them be anything.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <cstddef>
#include <memory>

namespace pilum {

/// Rows of child `i` that lie under the rows of a struct, list or fixed-size list, valid or not. None if
/// there are no rows, whatever the offsets.
std::shared_ptr<arrow::ArrayData> ChildRows(const arrow::ArrayData& array, size_t i);

/// Rows of child `i` of a nested array that lie under valid rows of it: items of lists, and fields of
/// structs, which are null where the struct is.
arrow::Result<std::shared_ptr<arrow::Array>> VisibleChild(const arrow::ArrayData& array, int i,
                                                          arrow::MemoryPool* pool);

/// The same rows without what readers trip over although it is hidden: null lists have no items (Rust's Arrow
/// takes no null among items that must not be null), and keys are inside of their dictionary or null (Arrow's
/// builders leave key 0 of an empty dictionary under a null struct; code that maps one dictionary to another
/// follows it). Returns `array` if there is nothing of the kind. Invalid if a visible key is outside of its
/// dictionary.
/// @param array valid but for such keys.
arrow::Result<std::shared_ptr<arrow::Array>> WithoutHiddenValues(const std::shared_ptr<arrow::Array>& array,
                                                                 arrow::MemoryPool* pool);

}  // namespace pilum
