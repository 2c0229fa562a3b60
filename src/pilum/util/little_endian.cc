// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/little_endian.h"

namespace pilum {

std::string_view LittleEndianCursor::Chars(size_t n) {
  if (bytes_.size() - position_ < n) {
    ok_ = false;
    position_ = bytes_.size();
    return {};
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + position_, n);
  position_ += n;
  return text;
}

}  // namespace pilum
