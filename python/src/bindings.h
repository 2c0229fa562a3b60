// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

namespace pilum::python {

/// Runs `call` without the interpreter's lock.
template <typename Call>
auto Unlocked(Call&& call) {
  nanobind::gil_scoped_release unlocked;
  return call();
}

void BindDataset(nanobind::module_& module);
void BindFile(nanobind::module_& module);
void BindMemWal(nanobind::module_& module);

}  // namespace pilum::python
