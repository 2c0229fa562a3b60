// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets, <concept>_fuzz.cc beside the code they feed, have in common. Each is a program of
// its own: with libFuzzer it mutates inputs as coverage leads it (make fuzz), without it runs its seeds, or
// the files it is given, once (ctest). A target defines LLVMFuzzerTestOneInput and FuzzSeeds.
#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pilum {

/// Valid inputs, from which mutations start. The same in every run.
std::vector<std::string> FuzzSeeds();

/// Ends the process if `holds` is false: libFuzzer then keeps the input.
inline void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "\nviolated: " << what << std::endl;
  std::abort();
}
inline void Require(const arrow::Status& status, std::string_view what) {
  if (!status.ok()) Require(false, std::string(what) + ": " + status.ToString());
}

/// Ends the process if an array or a batch is not one by its structure. What values mean is not checked where
/// they are read: whether text is UTF-8, a time one of the day, a decimal of no more digits than its type's.
template <typename Rows>
void RequireValid(const Rows& rows) {
  const arrow::Status status = rows.ValidateFull();
  for (const char* meaning : {"UTF8", "acceptable range", "whole number of days", "precision"}) {
    if (status.message().find(meaning) != std::string::npos) return;
  }
  Require(status, "valid by its structure");
}

/// Bytes in an allocation of their own, of exactly their size and at an odd address: reads behind the end and
/// loads that need alignment show. For what is given as a view of larger strings.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : size_(bytes.size()), data_(new uint8_t[bytes.size() + 1]) {
    bytes.copy(reinterpret_cast<char*>(data_.get()) + 1, bytes.size());
  }

  const uint8_t* data() const { return data_.get() + 1; }
  size_t size() const { return size_; }
  operator std::span<const uint8_t>() const { return {data(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<uint8_t[]> data_;
};

}  // namespace pilum
