// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/uuid.h"

#include <sys/random.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <vector>

namespace pilum {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void FillRandom(void* to, size_t size) {
  auto* out = static_cast<uint8_t*>(to);
  while (size > 0) {
    const ssize_t n = getrandom(out, size, 0);
    if (n <= 0) {  // not available: the standard library's source
      std::random_device device;
      std::generate_n(out, size, [&] { return static_cast<uint8_t>(device()); });
      return;
    }
    out += n;
    size -= static_cast<size_t>(n);
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsHyphenPosition(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Uuid Uuid::Random() {
  Uuid uuid;
  FillRandom(uuid.bytes.data(), uuid.bytes.size());
  uuid.bytes[6] = (uuid.bytes[6] & 0x0f) | 0x40;  // version 4
  uuid.bytes[8] = (uuid.bytes[8] & 0x3f) | 0x80;  // variant 1
  return uuid;
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  size_t num_digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsHyphenPosition(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = HexValue(text[i]);
    if (value < 0) return std::nullopt;
    uuid.bytes[num_digits / 2] |= static_cast<uint8_t>(num_digits % 2 == 0 ? value << 4 : value);
    ++num_digits;
  }
  return uuid;
}

std::optional<Uuid> Uuid::FromBytes(std::string_view raw) {
  Uuid uuid;
  if (raw.size() != uuid.bytes.size()) return std::nullopt;
  std::copy(raw.begin(), raw.end(), uuid.bytes.begin());
  return uuid;
}

std::string Uuid::ToString() const {
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (IsHyphenPosition(text.size())) text += '-';
    text += kHexDigits[bytes[i] >> 4];
    text += kHexDigits[bytes[i] & 15];
  }
  return text;
}

std::string RandomHex(int num_bytes) {
  std::vector<uint8_t> raw(static_cast<size_t>(num_bytes));
  FillRandom(raw.data(), raw.size());
  std::string text;
  for (uint8_t byte : raw) {
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

uint64_t RandomU64() {
  uint64_t value;
  FillRandom(&value, sizeof(value));
  return value;
}

}  // namespace pilum
