// SPDX-License-Identifier: Apache-2.0
//
// Little-endian integers in byte strings: loads and stores that any compiler turns into one instruction, and
// a cursor that cannot leave its span.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace pilum {

/// Reads an integer or floating point value from unaligned little-endian bytes.
template <typename T>
inline T LoadLE(const void* from) {
  static_assert(std::endian::native == std::endian::little, "big-endian hosts need a byte swap here");
  static_assert(std::is_arithmetic_v<T>);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// Writes the little-endian bytes of `value`.
template <typename T>
inline void StoreLE(void* to, T value) {
  static_assert(std::is_arithmetic_v<T>);
  std::memcpy(to, &value, sizeof(T));
}

template <typename T>
inline void AppendLE(std::string* to, T value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

/// Reads fields one after another. A read past the end yields zeros and makes ok() false, for good: check it
/// once, after the last field.
class LittleEndianCursor {
 public:
  explicit LittleEndianCursor(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint16_t U16() { return Next<uint16_t>(); }
  uint32_t U32() { return Next<uint32_t>(); }
  uint64_t U64() { return Next<uint64_t>(); }
  /// The next `n` bytes as text; empty when fewer are left.
  std::string_view Chars(size_t n);

  bool ok() const { return ok_; }
  size_t position() const { return position_; }

 private:
  template <typename T>
  T Next() {
    if (bytes_.size() - position_ < sizeof(T)) {
      ok_ = false;
      position_ = bytes_.size();
      return 0;
    }
    const T value = LoadLE<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return value;
  }

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

}  // namespace pilum
