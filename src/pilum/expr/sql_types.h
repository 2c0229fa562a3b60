// SPDX-License-Identifier: Apache-2.0
//
// Types in filters: their names in SQL and how values of two types meet. Spec: 20-table.md §12.3.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>

namespace pilum {

/// The type that CAST calls `name`, in lower case ("bigint unsigned", "decimal(10,2)"). Null if there is
/// none.
std::shared_ptr<arrow::DataType> ParseSqlType(const std::string& name);

/// Whether a literal of type `from` may stand beside a column of type `to`: numbers do not become text, nor
/// fractions integers.
bool MayCoerce(const arrow::DataType& from, const arrow::DataType& to);

/// The type in which values of both types are compared and calculated with, as in Lance: integers meet in the
/// narrowest integer that holds both, uint64 and signed ones in a decimal; the null type meets any other.
/// Null if there is none.
std::shared_ptr<arrow::DataType> CommonType(const std::shared_ptr<arrow::DataType>& a,
                                            const std::shared_ptr<arrow::DataType>& b);

/// The decimal that holds every value of the integer `type`; decimals are returned as they are.
std::shared_ptr<arrow::DataType> DecimalOf(const std::shared_ptr<arrow::DataType>& type);

/// Whether Arrow has the power of ten that takes values of one scale to the other; it does not look itself.
/// Types other than decimals have scale 0.
bool MayRescale(const arrow::DataType& from, const arrow::DataType& to);

bool IsNumber(const arrow::DataType& type);
bool IsText(const arrow::DataType& type);  ///< text or bytes of any length

}  // namespace pilum
