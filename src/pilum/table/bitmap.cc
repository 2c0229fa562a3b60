// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/bitmap.h"

#include <bit>
#include <exception>
#include <vector>

#include "pilum/io/object_store.h"
#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

// The portable form: https://github.com/RoaringBitmap/RoaringFormatSpec.
constexpr uint32_t kCookie = 12346;          // no container has runs; the number of containers follows
constexpr uint32_t kCookieWithRuns = 12347;  // in the low half; the number of containers, less one, above
constexpr uint32_t kMaxContainers = 1 << 16;
constexpr uint32_t kMaxArrayValues = 4096;  // more values are a bit set
constexpr uint32_t kBitsetWords = 1024;
constexpr uint32_t kMinContainersForOffsets = 4;  // with runs; without, offsets are always there

struct Container {
  uint32_t key = 0;
  uint32_t num_values = 0;
  bool has_runs = false;
};

arrow::Status CheckRuns(LittleEndianCursor* bytes) {
  const uint32_t num_runs = bytes->U16();
  if (num_runs == 0) return arrow::Status::Invalid("a container without values");
  uint32_t next = 0;
  for (uint32_t i = 0; i < num_runs && bytes->ok(); ++i) {
    const uint32_t start = bytes->U16(), last = start + bytes->U16();
    if (start < next || last > UINT16_MAX) return arrow::Status::Invalid("runs overlap or are too long");
    next = last + 1;
  }
  return arrow::Status::OK();
}

arrow::Status CheckArray(uint32_t num_values, LittleEndianCursor* bytes) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < num_values && bytes->ok(); ++i) {
    const uint32_t value = bytes->U16();
    if (value < next) return arrow::Status::Invalid("values do not ascend");
    next = value + 1;
  }
  return arrow::Status::OK();
}

arrow::Status CheckBitset(uint32_t num_values, LittleEndianCursor* bytes) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < kBitsetWords; ++i) found += static_cast<uint32_t>(std::popcount(bytes->U64()));
  if (bytes->ok() && found != num_values) {
    return arrow::Status::Invalid(found, " bits are set where ", num_values, " are announced");
  }
  return arrow::Status::OK();
}

/// What stands before the containers. Too few bytes are left for the caller to find.
arrow::Result<std::vector<Container>> ReadHeader(LittleEndianCursor* bytes) {
  const uint32_t cookie = bytes->U32();
  const bool with_runs = (cookie & 0xFFFF) == kCookieWithRuns;
  if (!with_runs && cookie != kCookie) return arrow::Status::Invalid("the cookie is ", cookie);
  const uint32_t num_containers = with_runs ? (cookie >> 16) + 1 : bytes->U32();
  if (num_containers > kMaxContainers) return arrow::Status::Invalid(num_containers, " containers");
  const std::string_view flags = with_runs ? bytes->Chars((num_containers + 7) / 8) : std::string_view();
  std::vector<Container> containers(num_containers);
  uint32_t next_key = 0;
  for (uint32_t i = 0; i < num_containers && bytes->ok(); ++i) {
    Container& container = containers[i];
    container.key = bytes->U16();
    container.num_values = bytes->U16() + 1u;
    container.has_runs = with_runs && (static_cast<uint8_t>(flags[i / 8]) >> i % 8 & 1) != 0;
    if (container.key < next_key) return arrow::Status::Invalid("keys do not ascend");
    next_key = container.key + 1;
  }
  if (!with_runs || num_containers >= kMinContainersForOffsets) {
    for (uint32_t i = 0; i < num_containers; ++i) bytes->U32();  // the library does not use them either
  }
  return containers;
}

}  // namespace

arrow::Result<Roaring> ParseBitmap(std::span<const uint8_t> bytes) {
  LittleEndianCursor cursor(bytes);
  ARROW_ASSIGN_OR_RAISE(const auto containers, ReadHeader(&cursor));
  for (const Container& container : containers) {
    if (!cursor.ok()) break;
    ARROW_RETURN_NOT_OK(container.has_runs ? CheckRuns(&cursor)
                        : container.num_values <= kMaxArrayValues
                            ? CheckArray(container.num_values, &cursor)
                            : CheckBitset(container.num_values, &cursor));
  }
  if (!cursor.ok()) return arrow::Status::Invalid("a bitmap is cut short at byte ", bytes.size());
  try {
    return Roaring::readSafe(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } catch (const std::exception& error) {
    return arrow::Status::Invalid(error.what());
  }
}

arrow::Result<Roaring> ParseFragmentBitmap(const lance::table::IndexMetadata& index) {
  auto bitmap = ParseBitmap(AsSpan(index.fragment_bitmap()));
  if (bitmap.ok()) return bitmap;
  return CorruptFile("index " + index.name(), -1, "its fragment bitmap: " + bitmap.status().message());
}

std::string SerializeBitmap(const Roaring& bitmap) {
  std::string bytes(bitmap.getSizeInBytes(), '\0');
  bitmap.write(bytes.data());
  return bytes;
}

}  // namespace pilum
