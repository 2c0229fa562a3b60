// SPDX-License-Identifier: Apache-2.0
//
// arrow::Status -> the exceptions pylance raises.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <nanobind/nanobind.h>

namespace pilum::python {

/// Raises if `status` is an error. NotImplemented, TypeError, KeyError and OutOfMemory have exceptions of
/// their own; the others become `otherwise`: pylance raises ValueError for what is wrong in a call's
/// arguments before anything runs (plans, opening) and OSError for the rest. A pending KeyboardInterrupt wins
/// over both.
void Check(const arrow::Status& status, PyObject* otherwise = PyExc_OSError);

template <typename T>
T Check(arrow::Result<T> result, PyObject* otherwise = PyExc_OSError) {
  Check(result.status(), otherwise);
  return *std::move(result);
}

}  // namespace pilum::python
