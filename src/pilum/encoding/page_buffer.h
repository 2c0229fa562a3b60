// SPDX-License-Identifier: Apache-2.0
//
// PageBuffer: the bytes of one buffer of a page, before they go to a file.
#pragma once

#include <arrow/buffer.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pilum {

/// Bytes in pieces that lie where they were made: those of an array are written without a copy of them. Keeps
/// alive what it was told to hold. Movable; copies share the bytes.
class PageBuffer {
 public:
  PageBuffer() = default;
  /// All of `whole`.
  PageBuffer(std::shared_ptr<arrow::Buffer> whole) {  // NOLINT(google-explicit-constructor)
    if (whole == nullptr) return;
    Append({whole->data(), static_cast<size_t>(whole->size())});
    Hold(std::move(whole));
  }

  int64_t size() const { return size_; }
  const std::vector<std::span<const uint8_t>>& pieces() const { return pieces_; }

  /// Bytes of something that is held.
  void Append(std::span<const uint8_t> piece) {
    if (piece.empty()) return;
    pieces_.push_back(piece);
    size_ += static_cast<int64_t>(piece.size());
  }
  void Hold(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }

  std::string ToString() const {
    std::string bytes;
    bytes.reserve(static_cast<size_t>(size_));
    for (const auto piece : pieces_) bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return bytes;
  }

 private:
  std::vector<std::span<const uint8_t>> pieces_;
  std::vector<std::shared_ptr<const void>> owners_;
  int64_t size_ = 0;
};

}  // namespace pilum
