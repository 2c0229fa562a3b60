// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

namespace pilum::python {

void BindDataset(nanobind::module_& module);

}  // namespace pilum::python
