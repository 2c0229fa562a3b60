// SPDX-License-Identifier: Apache-2.0
//
// What a file of a version can hold, checked before a byte is written.
#pragma once

#include <arrow/array/data.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include "pilum/file/format_version.h"

namespace pilum {

/// NotImplemented, naming the field, for types that files of `version` do not hold. Spec: 10-file.md §1.2,
/// §3.3.
arrow::Status CheckWritable(const arrow::Field& field, FormatVersion version);

/// Invalid for nulls that files of `version` do not hold, at any depth: "The field `x` contained null values
/// even though ..." in a field that has none, null structs in version 2.0. What lies under a null of its
/// parent does not count.
arrow::Status CheckNulls(const arrow::ArrayData& array, const arrow::Field& field, FormatVersion version);

}  // namespace pilum
