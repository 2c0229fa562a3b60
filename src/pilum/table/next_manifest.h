// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>

#include <memory>

#include "pilum/table/manifest.h"

namespace pilum {

/// The manifest that `transaction` makes on top of `base` (null: a new table, Overwrite only), with its
/// version number, flags, time and fragment ids. Spec: 20-table.md §8.3, §2.7.
arrow::Result<std::shared_ptr<const Manifest>> BuildNextManifest(const Manifest* base,
                                                                 const lance::table::Transaction& transaction,
                                                                 FormatVersion overwrite_version);

}  // namespace pilum
