// SPDX-License-Identifier: Apache-2.0
//
// The format's names for types, such as "int64", "timestamp:us:-" or "fixed_size_list:float:128". Spec:
// 10-file.md §3.3.
#pragma once

#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <string_view>

namespace pilum {

/// The name of the type of `field`; views are named as their base types. NotImplemented, naming the field and
/// the type, for types the format does not hold.
arrow::Result<std::string> LogicalTypeOf(const arrow::Field& field);

/// The type of a name that needs no children ("list", "struct" and "map" do: NotImplemented here). Invalid
/// for unknown names and impossible parameters.
arrow::Result<std::shared_ptr<arrow::DataType>> ParseLogicalType(std::string_view name);

/// `type` as the format stores it: views become their base types, at any depth.
std::shared_ptr<arrow::DataType> StoredType(const std::shared_ptr<arrow::DataType>& type);

}  // namespace pilum
