// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "pilum/io/coalesce.h"
#include "pilum/io/object_store.h"

namespace pilum {

/// What readable objects share: bounds checks, and ReadMany as few coalesced reads into one allocation. A
/// concrete object reads one range that is known to lie inside it.
class CoalescingReadable : public ReadableObject {
 public:
  explicit CoalescingReadable(CoalesceLimits limits) : limits_(limits) {}

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(ByteRange range) final;
  arrow::Result<RangeBytes> ReadMany(std::span<const ByteRange> ranges) final;

 protected:
  /// Writes range.length bytes to `out`. REQUIRES: 0 <= range.offset, 0 <= range.length, range.end() <=
  /// size().
  virtual arrow::Status ReadChecked(ByteRange range, uint8_t* out) = 0;

 private:
  arrow::Status Check(ByteRange range) const;

  const CoalesceLimits limits_;
};

}  // namespace pilum
