// SPDX-License-Identifier: Apache-2.0
//
// Arrow data over the border: pyarrow objects are unwrapped, whatever else speaks the Arrow PyCapsule
// interface is imported through it. Nothing is copied.
#pragma once

#include <arrow/api.h>
#include <nanobind/nanobind.h>

#include <memory>

namespace pilum::python {

/// Imports pyarrow's C++ side. Once, before anything else here.
void InitArrowInterop();

nanobind::object ToPython(const std::shared_ptr<arrow::Schema>& schema);
nanobind::object ToPython(const std::shared_ptr<arrow::RecordBatch>& batch);
nanobind::object ToPython(const std::shared_ptr<arrow::Table>& table);
/// A pyarrow.RecordBatchReader. Ctrl-C stops it between batches.
nanobind::object ToPython(std::shared_ptr<arrow::RecordBatchReader> reader);

/// A copy of the bytes.
nanobind::bytes ToBytes(const arrow::Buffer& buffer);

/// @param object pyarrow.Schema or anything with __arrow_c_schema__.
std::shared_ptr<arrow::Schema> SchemaFromPython(nanobind::handle object);
/// @param object pyarrow.Array.
std::shared_ptr<arrow::Array> ArrayFromPython(nanobind::handle object);
/// @param object pyarrow.RecordBatch, or anything with __arrow_c_stream__ (tables, readers, polars, duckdb).
/// Batches
///   are pulled on demand; Ctrl-C stops between them.
std::shared_ptr<arrow::RecordBatchReader> ReaderFromPython(nanobind::handle object);

}  // namespace pilum::python
