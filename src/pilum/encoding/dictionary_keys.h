// SPDX-License-Identifier: Apache-2.0
//
// Keys of dictionary columns that mean nothing because they lie under a null.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <memory>

namespace pilum {

/// Rows of child `i` of a nested array that lie under valid rows of it: items of lists, and fields of
/// structs, which are null where the struct is.
arrow::Result<std::shared_ptr<arrow::Array>> VisibleChild(const arrow::ArrayData& array, int i,
                                                          arrow::MemoryPool* pool);

/// The rows with all keys inside of their dictionaries. Under a null struct or list others may lie (Arrow's
/// builders leave key 0 there, even of an empty dictionary), which code that maps one dictionary to another
/// must not see: they become null. Returns `array` if there are none. Invalid if one of them is visible.
/// @param array valid but for such keys.
arrow::Result<std::shared_ptr<arrow::Array>> WithKeysInBounds(const std::shared_ptr<arrow::Array>& array,
                                                              arrow::MemoryPool* pool);

}  // namespace pilum
