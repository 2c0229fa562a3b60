// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <utility>

namespace pilum::python {

/// Runs `call` without the interpreter's lock.
template <typename Call>
auto Unlocked(Call&& call) {
  nanobind::gil_scoped_release unlocked;
  return call();
}

/// For writers: their destructors wait for threads, and those may wait for the interpreter's lock to free
/// rows that Python made. So they must not run under that lock.
template <typename Writer>
std::shared_ptr<Writer> ReleasedWithoutLock(std::shared_ptr<Writer> writer) {
  Writer* raw = writer.get();
  return {raw, [writer = std::move(writer)](Writer*) mutable {
            if (PyGILState_Check() == 0) return writer.reset();
            nanobind::gil_scoped_release unlocked;
            writer.reset();
          }};
}

void BindDataset(nanobind::module_& module);
void BindFile(nanobind::module_& module);
void BindMemWal(nanobind::module_& module);

}  // namespace pilum::python
