// SPDX-License-Identifier: Apache-2.0
//
// Arrow extension types as Lance has them: the storage type, and name and parameters in the field's metadata.
// JSON text becomes JSONB (json_column.h). Spec: 10-file.md §3.6.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>

namespace pilum {

/// Field metadata: the name of an extension type, and its parameters as that type writes them.
inline constexpr char kExtensionNameMetadata[] = "ARROW:extension:name";
inline constexpr char kExtensionDataMetadata[] = "ARROW:extension:metadata";

/// A field's metadata entry, if it has one.
std::optional<std::string> GetMetadata(const arrow::Field& field, const std::string& key);

/// Each returns its argument if there is no extension type in it, at any depth. Only JSON is copied; Invalid,
/// naming the column, for text that is not JSON.
std::shared_ptr<arrow::Field> StorageField(const std::shared_ptr<arrow::Field>& field);
/// @param field of `array`: its metadata may say that strings are JSON.
arrow::Result<std::shared_ptr<arrow::Array>> StorageArray(const std::shared_ptr<arrow::Array>& array,
                                                          const std::shared_ptr<arrow::Field>& field);
arrow::Result<std::shared_ptr<arrow::RecordBatch>> StorageBatch(
    const std::shared_ptr<arrow::RecordBatch>& batch);
std::shared_ptr<arrow::RecordBatchReader> StorageReader(std::shared_ptr<arrow::RecordBatchReader> reader);

}  // namespace pilum
