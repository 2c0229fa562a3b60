// SPDX-License-Identifier: Apache-2.0
//
// Columns of JSON: users see text (extension type arrow.json), tables hold JSONB (lance.json, binary values).
// Spec: 10-file.md §3.6.
#pragma once

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>

namespace pilum {

/// The extension names of the two forms, in metadata of fields.
inline constexpr char kJsonTextExtension[] = "arrow.json";
inline constexpr char kJsonbExtension[] = "lance.json";

/// A field of strings whose metadata says that they are JSON; the field that stores them.
bool IsJsonText(const arrow::Field& field);
std::shared_ptr<arrow::Field> JsonbField(const arrow::Field& text);

/// Large binary values from strings of any width. Invalid, naming the value's index, for what is not JSON.
arrow::Result<std::shared_ptr<arrow::ArrayData>> JsonbFromText(const arrow::ArrayData& text,
                                                               arrow::MemoryPool* pool);

/// `schema` with text for the columns that hold JSONB, at any depth; itself if there is none.
std::shared_ptr<arrow::Schema> WithJsonText(const std::shared_ptr<arrow::Schema>& schema);
/// `batch` likewise; `shown` is WithJsonText of its schema. Values that are not JSONB but the text of JSON
/// are shown as that, as upstream does. Invalid, naming the column, for others.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithJsonText(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Schema>& shown,
    arrow::MemoryPool* pool);

}  // namespace pilum
