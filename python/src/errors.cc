// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

#include "pilum/util/error.h"

namespace pilum::python {

namespace nb = nanobind;

namespace {

PyObject* ExceptionFor(const arrow::Status& status, PyObject* otherwise) {
  switch (status.code()) {
    case arrow::StatusCode::NotImplemented:
      return PyExc_NotImplementedError;
    case arrow::StatusCode::TypeError:
      return PyExc_TypeError;
    case arrow::StatusCode::KeyError:
      return PyExc_KeyError;
    case arrow::StatusCode::OutOfMemory:
      return PyExc_MemoryError;
    default:
      return otherwise;
  }
}

}  // namespace

void Check(const arrow::Status& status, PyObject* otherwise) {
  if (status.ok()) return;
  if (PyErr_Occurred() == nullptr) {
    PyErr_SetString(ExceptionFor(status, otherwise), DescribeError(status).c_str());
  }
  throw nb::python_error();
}

}  // namespace pilum::python
