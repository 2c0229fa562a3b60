// SPDX-License-Identifier: Apache-2.0
#include "arrow_interop.h"

#include <arrow/c/bridge.h>
#include <arrow/python/pyarrow.h>

#include <algorithm>
#include <chrono>

#include "errors.h"
#include "pilum/encoding/extension_storage.h"

namespace pilum::python {

namespace nb = nanobind;

namespace {

using Clock = std::chrono::steady_clock;

/// Hands batches through and stops with Cancelled, the exception set, when a signal waits for Python. Signals
/// are looked for a few times a second: asking costs the interpreter's lock.
class InterruptibleReader final : public arrow::RecordBatchReader {
 public:
  explicit InterruptibleReader(std::shared_ptr<arrow::RecordBatchReader> source)
      : source_(std::move(source)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return source_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    constexpr auto kInterval = std::chrono::milliseconds(100);
    if (Clock::now() - last_look_ >= kInterval) {
      last_look_ = Clock::now();
      nb::gil_scoped_acquire locked;
      if (PyErr_CheckSignals() != 0) return arrow::Status::Cancelled("interrupted");
    }
    return source_->ReadNext(batch);
  }
  arrow::Status Close() override { return source_->Close(); }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> source_;
  Clock::time_point last_look_ = Clock::now();
};

/// The C structure inside the capsule that `object.<method>()` returns.
template <typename Struct>
Struct* ImportCapsule(nb::object* capsule, nb::handle object, const char* method, const char* name) {
  *capsule = object.attr(method)();
  auto* content = static_cast<Struct*>(PyCapsule_GetPointer(capsule->ptr(), name));
  if (content == nullptr) throw nb::python_error();
  return content;
}

/// Whether a field, at any depth, is of an extension type; Pilum has these as metadata.
bool HasExtension(const arrow::FieldVector& fields) {
  return std::ranges::any_of(fields, [](const auto& field) {
    return (field->metadata() != nullptr && field->metadata()->Contains(kExtensionNameMetadata)) ||
           HasExtension(field->type()->fields());
  });
}

}  // namespace

void InitArrowInterop() {
  if (arrow::py::import_pyarrow() != 0) throw nb::python_error();
}

nb::object ToPython(const std::shared_ptr<arrow::Schema>& schema) {
  if (!HasExtension(schema->fields())) return nb::steal(arrow::py::wrap_schema(schema));
  ArrowSchema exported;  // its import looks extension types up
  Check(arrow::ExportSchema(*schema, &exported));
  return nb::steal(arrow::py::wrap_schema(Check(arrow::ImportSchema(&exported))));
}

nb::object ToPython(const std::shared_ptr<arrow::RecordBatch>& batch) {
  if (!HasExtension(batch->schema()->fields())) return nb::steal(arrow::py::wrap_batch(batch));
  ArrowSchema schema;
  ArrowArray array;
  Check(arrow::ExportRecordBatch(*batch, &array, &schema));
  return nb::steal(arrow::py::wrap_batch(Check(arrow::ImportRecordBatch(&array, &schema))));
}

nb::object ToPython(const std::shared_ptr<arrow::Table>& table) {
  if (!HasExtension(table->schema()->fields())) return nb::steal(arrow::py::wrap_table(table));
  return ToPython(std::make_shared<arrow::TableBatchReader>(table)).attr("read_all")();
}

nb::object ToPython(std::shared_ptr<arrow::RecordBatchReader> reader) {
  ArrowArrayStream stream;
  Check(arrow::ExportRecordBatchReader(std::make_shared<InterruptibleReader>(std::move(reader)), &stream));
  const auto import = nb::module_::import_("pyarrow").attr("RecordBatchReader").attr("_import_from_c");
  return import(reinterpret_cast<uintptr_t>(&stream));
}

nb::bytes ToBytes(const arrow::Buffer& buffer) {
  return nb::bytes(buffer.data(), static_cast<size_t>(buffer.size()));
}

std::shared_ptr<arrow::Schema> SchemaFromPython(nb::handle object) {
  if (arrow::py::is_schema(object.ptr())) return Check(arrow::py::unwrap_schema(object.ptr()));
  nb::object capsule;
  return Check(arrow::ImportSchema(
      ImportCapsule<ArrowSchema>(&capsule, object, "__arrow_c_schema__", "arrow_schema")));
}

std::shared_ptr<arrow::Array> ArrayFromPython(nb::handle object) {
  if (!arrow::py::is_array(object.ptr())) throw nb::type_error("expected a pyarrow.Array");
  const auto array = Check(arrow::py::unwrap_array(object.ptr()));
  return Check(StorageArray(array, arrow::field("", array->type())), PyExc_ValueError);
}

std::shared_ptr<arrow::RecordBatchReader> ReaderFromPython(nb::handle object) {
  if (arrow::py::is_batch(object.ptr())) {
    auto batch = Check(arrow::py::unwrap_batch(object.ptr()));
    return Check(arrow::RecordBatchReader::Make({batch}, batch->schema()));
  }
  nb::object capsule;
  auto* stream =
      ImportCapsule<ArrowArrayStream>(&capsule, object, "__arrow_c_stream__", "arrow_array_stream");
  return std::make_shared<InterruptibleReader>(Check(arrow::ImportRecordBatchReader(stream)));
}

}  // namespace pilum::python
