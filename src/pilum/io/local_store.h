// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "pilum/io/object_store.h"

namespace pilum {

/// Objects as files below `root`, a directory that appears with the first object.
///
/// A write goes to an unnamed file or one called "tmp-<hex>" in the target's directory and gets its name at
/// once: by rename where it may replace, by link where it must not. No reader meets a half-written object,
/// whatever dies when. With Durability::kPowerLoss the file is fsynced before it is named, its directory
/// after, and so is every directory made on the way. Reads are pread calls on a descriptor that stays open:
/// no mapping, so a file cut short by somebody else is an error and not a signal.
std::shared_ptr<ObjectStore> MakeLocalStore(std::string root);

}  // namespace pilum
