// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "pilum/io/object_store.h"

namespace pilum {

/// Objects in memory, for tests and for `memory://` tables. Any thread; one mutex.
std::shared_ptr<ObjectStore> MakeMemoryStore();

/// The store behind `memory://`: one for the process.
std::shared_ptr<ObjectStore> SharedMemoryStore();

}  // namespace pilum
