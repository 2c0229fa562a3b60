// SPDX-License-Identifier: Apache-2.0
//
// pilum._pilum: the C++ classes as they are. The call shapes of pylance are made in Python, in pilum/*.py.
#include <arrow/compute/initialize.h>

#include "arrow_interop.h"
#include "bindings.h"
#include "errors.h"

NB_MODULE(_pilum, module) {
  pilum::python::InitArrowInterop();
  pilum::python::Check(arrow::compute::Initialize());
  pilum::python::BindDataset(module);
  pilum::python::BindFile(module);
  pilum::python::BindMemWal(module);
}
