// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/block.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "pilum/encoding/bitpacking.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

template <typename T>
bool IsAligned(const uint8_t* bytes) {
  return reinterpret_cast<uintptr_t>(bytes) % alignof(T) == 0;
}

/// Unpacks the first `count` values of a unit; neither side need be aligned.
template <typename T>
void UnpackBytes(const uint8_t* packed, int width, int64_t count, uint8_t* out) {
  std::array<T, kBitpackingUnit> copy, unit;
  const T* words = reinterpret_cast<const T*>(packed);
  if (!IsAligned<T>(packed)) {
    std::memcpy(copy.data(), packed, static_cast<size_t>(PackedWords<T>(width)) * sizeof(T));
    words = copy.data();
  }
  if (count == kBitpackingUnit && IsAligned<T>(out)) {
    Unpack<T>(words, width, reinterpret_cast<T*>(out));
    return;
  }
  Unpack<T>(words, width, unit.data());
  std::memcpy(out, unit.data(), static_cast<size_t>(count) * sizeof(T));
}

/// Where the units of an out-of-line bit-packed block end, and how what is left of the values is stored.
struct OutOfLineShape {
  int width;
  int64_t full_units;
  int64_t tail;   // values in none of them
  bool raw_tail;  // as they are, else as a unit
};

template <typename T>
arrow::Result<OutOfLineShape> ShapeOf(std::span<const uint8_t> block, int64_t n, uint64_t width) {
  constexpr int kBits = 8 * sizeof(T);
  if (width > kBits) return arrow::Status::Invalid("bit-packed to ", width, " of ", kBits, " bits");
  OutOfLineShape shape{static_cast<int>(width), n / kBitpackingUnit, n % kBitpackingUnit, false};
  const int64_t per_unit = PackedWords<T>(shape.width),
                words = static_cast<int64_t>(block.size() / sizeof(T));
  shape.raw_tail = words == shape.full_units * per_unit + shape.tail;
  const int64_t padded = (shape.full_units + (shape.tail > 0 ? 1 : 0)) * per_unit;
  if (block.size() % sizeof(T) != 0 || (!shape.raw_tail && words != padded)) {
    return arrow::Status::Invalid("a bit-packed block of ", block.size(), " bytes for ", n, " values of ",
                                  width, " bits");
  }
  return shape;
}

template <typename T>
arrow::Status DecodeOutOfLine(std::span<const uint8_t> block, int64_t n, uint64_t width, uint8_t* out) {
  ARROW_ASSIGN_OR_RAISE(const OutOfLineShape shape, ShapeOf<T>(block, n, width));
  const uint8_t* from = block.data();
  for (int64_t i = 0; i < shape.full_units; ++i) {
    UnpackBytes<T>(from, shape.width, kBitpackingUnit, out);
    from += PackedWords<T>(shape.width) * static_cast<int64_t>(sizeof(T));
    out += kBitpackingUnit * sizeof(T);
  }
  if (shape.tail == 0) return arrow::Status::OK();
  if (shape.raw_tail) {
    std::memcpy(out, from, static_cast<size_t>(shape.tail) * sizeof(T));
  } else {
    UnpackBytes<T>(from, shape.width, shape.tail, out);
  }
  return arrow::Status::OK();
}

/// Levels [begin, begin + count) one by one: cheaper than units if they are few.
arrow::Status GatherLevels(std::span<const uint8_t> block, int64_t n, uint64_t width, int64_t begin,
                           int64_t count, uint16_t* out) {
  using T = uint16_t;
  ARROW_ASSIGN_OR_RAISE(const OutOfLineShape shape, ShapeOf<T>(block, n, width));
  const int64_t unit_bytes = PackedWords<T>(shape.width) * static_cast<int64_t>(sizeof(T));
  for (int64_t i = begin; i < begin + count; ++i) {
    const int64_t unit = i / kBitpackingUnit;
    const int at = static_cast<int>(i % kBitpackingUnit);
    const uint8_t* bytes = block.data() + unit * unit_bytes;
    if (unit == shape.full_units && shape.raw_tail) {
      *out++ = LoadLE<T>(bytes + at * sizeof(T));
    } else {
      const PackedWordRange words = WordsOf<T>(shape.width, at);
      *out++ = UnpackFrom<T>(bytes + words.first * static_cast<int64_t>(sizeof(T)), shape.width, at);
    }
  }
  return arrow::Status::OK();
}

template <typename T>
arrow::Status DecodeInline(std::span<const uint8_t> block, int64_t n, uint8_t* out) {
  constexpr int kBits = 8 * sizeof(T);
  if (n > kBitpackingUnit) return arrow::Status::Invalid("an inline bit-packed block of ", n, " values");
  if (block.size() < sizeof(T)) return arrow::Status::Invalid("an inline bit-packed block without its width");
  const uint64_t width = LoadLE<T>(block.data());
  if (width > kBits ||
      block.size() != sizeof(T) * static_cast<size_t>(1 + PackedWords<T>(static_cast<int>(width)))) {
    return arrow::Status::Invalid("an inline bit-packed block of ", block.size(), " bytes for ", width,
                                  " bits");
  }
  UnpackBytes<T>(block.data() + sizeof(T), static_cast<int>(width), n, out);
  return arrow::Status::OK();
}

template <typename T>
arrow::Status DecodeRle(std::span<const uint8_t> block, int64_t n, uint8_t* out) {
  if (n == 0) return arrow::Status::OK();
  if (block.size() < 8) return arrow::Status::Invalid("a run-length block without its header");
  const uint64_t value_bytes = LoadLE<uint64_t>(block.data());
  block = block.subspan(8);
  if (value_bytes > block.size() || value_bytes % sizeof(T) != 0 ||
      value_bytes / sizeof(T) != block.size() - value_bytes) {
    return arrow::Status::Invalid("a run-length block with ", value_bytes, " bytes of values in ",
                                  block.size());
  }
  const size_t runs = value_bytes / sizeof(T);
  int64_t done = 0;
  for (size_t i = 0; i < runs && done < n; ++i) {
    const int64_t length = std::min<int64_t>(block[value_bytes + i], n - done);
    if (length == 0) return arrow::Status::Invalid("a run of length 0");
    for (int64_t k = 0; k < length; ++k)
      std::memcpy(out + (done + k) * sizeof(T), &block[i * sizeof(T)], sizeof(T));
    done += length;
  }
  if (done != n) return arrow::Status::Invalid("runs of ", done, " values instead of ", n);
  return arrow::Status::OK();
}

/// Calls `f.template operator()<T>()` with the unsigned integer of `bits`.
template <typename F>
arrow::Status DispatchWidth(int64_t bits, F&& f) {
  switch (bits) {
    case 8:
      return f.template operator()<uint8_t>();
    case 16:
      return f.template operator()<uint16_t>();
    case 32:
      return f.template operator()<uint32_t>();
    case 64:
      return f.template operator()<uint64_t>();
    default:
      return arrow::Status::Invalid("packed values of ", bits, " bits");
  }
}

arrow::Status CheckWidth(uint64_t stored, int64_t wanted) {
  if (stored == static_cast<uint64_t>(wanted)) return arrow::Status::OK();
  return arrow::Status::Invalid("values of ", stored, " bits where ", wanted, " were expected");
}

struct VariableHeader {
  int offset_bits;
  size_t offsets_at;
  uint64_t bytes_at;
};

arrow::Result<VariableHeader> ParseVariableHeader(std::span<const uint8_t> block, int64_t n) {
  LittleEndianCursor cursor(block);
  VariableHeader header{};
  if (block.size() >= 4 && (block[1] | block[2] | block[3]) != 0) {  // written by old releases
    header.offset_bits = block[0];
    const bool wide = header.offset_bits == 64;
    if (block.size() < (wide ? 17u : 9u)) return arrow::Status::Invalid("a string block without its header");
    const uint64_t count = wide ? LoadLE<uint64_t>(&block[1]) : LoadLE<uint32_t>(&block[1]);
    header.bytes_at = wide ? LoadLE<uint64_t>(&block[9]) : LoadLE<uint32_t>(&block[5]);
    header.offsets_at = wide ? 17 : 9;
    if (count != static_cast<uint64_t>(n))
      return arrow::Status::Invalid("a string block of ", count, " values");
  } else {
    const bool wide = !block.empty() && block[0] == 64;
    header.offset_bits = static_cast<int>(wide ? cursor.U64() : cursor.U32());
    header.bytes_at = wide ? cursor.U64() : cursor.U32();
    header.offsets_at = cursor.position();
    if (!cursor.ok()) return arrow::Status::Invalid("a string block without its header");
  }
  if (header.offset_bits != 32 && header.offset_bits != 64) {
    return arrow::Status::Invalid("a string block with offsets of ", header.offset_bits, " bits");
  }
  const uint64_t table = (static_cast<uint64_t>(n) + 1) * static_cast<uint64_t>(header.offset_bits) / 8;
  if (header.bytes_at > block.size() || header.bytes_at < header.offsets_at + table) {
    return arrow::Status::Invalid("a string block of ", block.size(), " bytes with text at ",
                                  header.bytes_at);
  }
  return header;
}

arrow::Status AppendVariableBlock(std::span<const uint8_t> block, int64_t n, ColumnBuilder* out) {
  ARROW_ASSIGN_OR_RAISE(const VariableHeader header, ParseVariableHeader(block, n));
  const auto bytes = block.subspan(header.bytes_at);
  const uint8_t* const offsets = block.data() + header.offsets_at;
  uint64_t last = 0;
  for (int64_t i = 0; i <= n; ++i) {
    const uint8_t* at = offsets + i * header.offset_bits / 8;
    const uint64_t offset = header.offset_bits == 64 ? LoadLE<uint64_t>(at) : LoadLE<uint32_t>(at);
    if (offset > bytes.size() || offset < last) {
      return arrow::Status::Invalid("string ", i, " of a block ends at ", offset, " of ", bytes.size());
    }
    last = offset;
  }
  return header.offset_bits == 64 ? out->AppendRun<uint64_t>(offsets, n, bytes.data())
                                  : out->AppendRun<uint32_t>(offsets, n, bytes.data());
}

}  // namespace

arrow::Status DecodeFixedBlock(const enc::CompressiveEncoding& encoding, std::span<const uint8_t> block,
                               int64_t n, int64_t bits, uint8_t* out, arrow::MemoryPool* pool) {
  switch (encoding.compression_case()) {
    case enc::CompressiveEncoding::kFlat: {
      ARROW_RETURN_NOT_OK(CheckWidth(encoding.flat().bits_per_value(), bits));
      const size_t size = static_cast<size_t>((n * bits + 7) / 8);
      if (block.size() != size) {
        return arrow::Status::Invalid("a flat block of ", block.size(), " bytes for ", n, " values of ", bits,
                                      " bits");
      }
      if (size > 0) std::memcpy(out, block.data(), size);
      return arrow::Status::OK();
    }
    case enc::CompressiveEncoding::kInlineBitpacking:
      ARROW_RETURN_NOT_OK(CheckWidth(encoding.inline_bitpacking().uncompressed_bits_per_value(), bits));
      return DispatchWidth(bits, [&]<typename T>() { return DecodeInline<T>(block, n, out); });
    case enc::CompressiveEncoding::kOutOfLineBitpacking: {
      const auto& packed = encoding.out_of_line_bitpacking();
      ARROW_RETURN_NOT_OK(CheckWidth(packed.uncompressed_bits_per_value(), bits));
      return DispatchWidth(bits, [&]<typename T>() {
        return DecodeOutOfLine<T>(block, n, packed.values().flat().bits_per_value(), out);
      });
    }
    case enc::CompressiveEncoding::kRle:
      ARROW_RETURN_NOT_OK(CheckWidth(encoding.rle().values().flat().bits_per_value(), bits));
      return DispatchWidth(bits, [&]<typename T>() { return DecodeRle<T>(block, n, out); });
    case enc::CompressiveEncoding::kGeneral: {
      if (encoding.general().values().has_general()) return arrow::Status::Invalid("compressed twice");
      ARROW_ASSIGN_OR_RAISE(auto inner, Decompress(encoding.general().compression().scheme(), block, pool));
      return DecodeFixedBlock(encoding.general().values(),
                              {inner->data(), static_cast<size_t>(inner->size())}, n, bits, out, pool);
    }
    default:
      return arrow::Status::NotImplemented("block encoding ", static_cast<int>(encoding.compression_case()));
  }
}

arrow::Status DecodeLevels(const enc::CompressiveEncoding& encoding, std::span<const uint8_t> block,
                           int64_t n, int64_t begin, int64_t count, uint16_t* out, arrow::MemoryPool* pool) {
  if (encoding.has_flat() && encoding.flat().bits_per_value() == 16 &&
      block.size() == static_cast<size_t>(n) * sizeof(uint16_t)) {
    if (count > 0) std::memcpy(out, block.data() + begin * 2, static_cast<size_t>(count) * sizeof(uint16_t));
    return arrow::Status::OK();
  }
  if (count == n) return DecodeFixedBlock(encoding, block, n, 16, reinterpret_cast<uint8_t*>(out), pool);
  constexpr int64_t kGather = 32;                          // fewer levels than this are cheaper one by one
  const auto& packed = encoding.out_of_line_bitpacking();  // the default if it is another encoding
  if (count <= kGather && encoding.has_out_of_line_bitpacking() &&
      packed.uncompressed_bits_per_value() == 16) {
    return GatherLevels(block, n, packed.values().flat().bits_per_value(), begin, count, out);
  }
  std::vector<uint16_t> all(static_cast<size_t>(n));
  ARROW_RETURN_NOT_OK(DecodeFixedBlock(encoding, block, n, 16, reinterpret_cast<uint8_t*>(all.data()), pool));
  std::copy_n(all.begin() + begin, count, out);
  return arrow::Status::OK();
}

arrow::Status DecodeVariableBlock(const enc::CompressiveEncoding& encoding, std::span<const uint8_t> block,
                                  int64_t n, ColumnBuilder* out, arrow::MemoryPool* pool) {
  switch (encoding.compression_case()) {
    case enc::CompressiveEncoding::kVariable:
      return AppendVariableBlock(block, n, out);
    case enc::CompressiveEncoding::kGeneral: {
      if (encoding.general().values().has_general()) return arrow::Status::Invalid("compressed twice");
      ARROW_ASSIGN_OR_RAISE(auto inner, Decompress(encoding.general().compression().scheme(), block, pool));
      return DecodeVariableBlock(encoding.general().values(),
                                 {inner->data(), static_cast<size_t>(inner->size())}, n, out, pool);
    }
    default:
      return arrow::Status::NotImplemented("string block encoding ",
                                           static_cast<int>(encoding.compression_case()));
  }
}

template <typename T>
void PackOutOfLine(const T* values, int64_t n, int width, std::string* out) {
  std::array<T, kBitpackingUnit> unit;
  std::array<T, kBitpackingUnit> packed;
  const int64_t per_unit = PackedWords<T>(width);
  for (int64_t i = 0; i < n; i += kBitpackingUnit) {
    const int64_t count = std::min<int64_t>(kBitpackingUnit, n - i);
    if (count < kBitpackingUnit && per_unit >= count) {  // the tail is shorter as it is
      out->append(reinterpret_cast<const char*>(values + i), static_cast<size_t>(count) * sizeof(T));
      return;
    }
    unit.fill(0);
    std::copy_n(values + i, count, unit.begin());
    Pack<T>(unit.data(), width, packed.data());
    out->append(reinterpret_cast<const char*>(packed.data()), static_cast<size_t>(per_unit) * sizeof(T));
  }
}

template void PackOutOfLine(const uint8_t*, int64_t, int, std::string*);
template void PackOutOfLine(const uint16_t*, int64_t, int, std::string*);
template void PackOutOfLine(const uint32_t*, int64_t, int, std::string*);
template void PackOutOfLine(const uint64_t*, int64_t, int, std::string*);

}  // namespace pilum
