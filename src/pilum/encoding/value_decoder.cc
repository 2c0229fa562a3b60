// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/value_decoder.h"

#include <arrow/util/bit_util.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "pilum/encoding/bitpacking.h"
#include "pilum/encoding/fsst.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

arrow::Status CheckSize(std::span<const uint8_t> buffer, int64_t wanted, const char* what) {
  if (static_cast<int64_t>(buffer.size()) == wanted) return arrow::Status::OK();
  return arrow::Status::Invalid("a ", what, " chunk buffer of ", buffer.size(), " bytes instead of ", wanted);
}

/// The part of an array of `bits` per value.
std::optional<ValueDecoder::Part> PartOfArray(int64_t bits, int64_t size, int64_t n, int64_t begin,
                                              int64_t count) {
  const int64_t width = bits / 8;
  if (bits % 8 != 0 || size != arrow::bit_util::RoundUpToMultipleOf8(n * width)) return std::nullopt;
  return ValueDecoder::Part{begin * width, count * width};
}

class FlatDecoder final : public ValueDecoder {
 public:
  explicit FlatDecoder(int64_t bits) : bits_(bits) {}

  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    ARROW_RETURN_NOT_OK(CheckSize(buffers[0], arrow::bit_util::BytesForBits(n * bits_), "flat"));
    return out->AppendFixed(buffers[0].data(), begin, count);
  }
  std::optional<Part> PartOf(int64_t size, int64_t n, int64_t begin, int64_t count) const override {
    return PartOfArray(bits_, size, n, begin, count);
  }
  arrow::Status AppendPart(std::span<const uint8_t> part, int64_t, int64_t, int64_t count,
                           ColumnBuilder* out) const override {
    return out->AppendFixed(part.data(), 0, count);
  }

 private:
  const int64_t bits_;
};

template <typename T>
class InlineBitpackingDecoder final : public ValueDecoder {
 public:
  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    const auto buffer = buffers[0];
    if (n > kBitpackingUnit || buffer.size() < sizeof(T)) {
      return arrow::Status::Invalid("a bit-packed chunk of ", n, " values in ", buffer.size(), " bytes");
    }
    const uint64_t width = LoadLE<T>(buffer.data());
    if (width > 8 * sizeof(T)) return arrow::Status::Invalid("values packed to ", width, " bits");
    const int64_t words = PackedWords<T>(static_cast<int>(width));
    ARROW_RETURN_NOT_OK(CheckSize(buffer, (words + 1) * static_cast<int64_t>(sizeof(T)), "bit-packed"));
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(count));
    // Buffers of a chunk begin at multiples of 8 bytes; only damage or odd reads leave them unaligned.
    std::array<T, kBitpackingUnit> copy;
    const T* packed = reinterpret_cast<const T*>(buffer.data() + sizeof(T));
    if (reinterpret_cast<uintptr_t>(packed) % alignof(T) != 0) {
      std::memcpy(copy.data(), buffer.data() + sizeof(T), static_cast<size_t>(words) * sizeof(T));
      packed = copy.data();
    }
    if (count <= kGather) {
      for (int64_t i = 0; i < count; ++i) {
        StoreLE(to + i * sizeof(T),
                UnpackOne<T>(packed, static_cast<int>(width), static_cast<int>(begin + i)));
      }
      return arrow::Status::OK();
    }
    if (count == kBitpackingUnit && reinterpret_cast<uintptr_t>(to) % alignof(T) == 0) {
      Unpack<T>(packed, static_cast<int>(width), reinterpret_cast<T*>(to));
      return arrow::Status::OK();
    }
    std::array<T, kBitpackingUnit> unit;
    Unpack<T>(packed, static_cast<int>(width), unit.data());
    std::memcpy(to, unit.data() + begin, static_cast<size_t>(count) * sizeof(T));
    return arrow::Status::OK();
  }

  std::optional<Part> PartOf(int64_t size, int64_t n, int64_t begin, int64_t count) const override {
    const int width = WidthOf(size);
    if (count != 1 || n > kBitpackingUnit || width < 0) return std::nullopt;
    const PackedWordRange words = WordsOf<T>(width, static_cast<int>(begin));
    return Part{(1 + words.first) * kWordBytes, words.count * kWordBytes};
  }
  arrow::Status AppendPart(std::span<const uint8_t> part, int64_t size, int64_t begin, int64_t,
                           ColumnBuilder* out) const override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(1));
    StoreLE(to, UnpackFrom<T>(part.data(), WidthOf(size), static_cast<int>(begin)));
    return arrow::Status::OK();
  }

 private:
  static constexpr int64_t kWordBytes = sizeof(T);
  static constexpr int64_t kBytesPerBit = kBitpackingUnit / 8;

  /// The width of a unit that has `size` bytes with the word in front and padding; -1 if there is none.
  static int WidthOf(int64_t size) {
    const int64_t width = (size - kWordBytes) / kBytesPerBit;
    const bool fits = size >= kWordBytes && width <= 8 * kWordBytes;
    return fits && size == arrow::bit_util::RoundUpToMultipleOf8(kWordBytes + width * kBytesPerBit)
               ? static_cast<int>(width)
               : -1;
  }

  static constexpr int64_t kGather = 32;  // fewer values than this are cheaper one by one
};

template <typename T>
class RleDecoder final : public ValueDecoder {
 public:
  size_t num_buffers() const override { return 2; }

  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    const auto values = buffers[0], lengths = buffers[1];
    ARROW_RETURN_NOT_OK(CheckSize(values, static_cast<int64_t>(lengths.size() * sizeof(T)), "run value"));
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(count));
    int64_t at = 0, done = 0;
    for (size_t run = 0; run < lengths.size() && at < n && done < count; ++run) {
      if (lengths[run] == 0) return arrow::Status::Invalid("a run of length 0");
      const int64_t end =
          std::min<int64_t>(at + lengths[run], n);  // the last run may be longer than the chunk
      for (int64_t i = std::max(at, begin); i < std::min(end, begin + count); ++i, ++done) {
        std::memcpy(to + done * static_cast<int64_t>(sizeof(T)), &values[run * sizeof(T)], sizeof(T));
      }
      at = end;
    }
    if (done != count) return arrow::Status::Invalid("runs of ", at, " values in a chunk of ", n);
    return arrow::Status::OK();
  }
};

template <typename T>
class ByteStreamSplitDecoder final : public ValueDecoder {
 public:
  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    ARROW_RETURN_NOT_OK(CheckSize(buffers[0], n * static_cast<int64_t>(sizeof(T)), "byte-split"));
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(count));
    const uint8_t* from = buffers[0].data();
    for (int64_t i = 0; i < count; ++i) {
      for (size_t byte = 0; byte < sizeof(T); ++byte) {
        to[i * static_cast<int64_t>(sizeof(T)) + static_cast<int64_t>(byte)] =
            from[static_cast<int64_t>(byte) * n + begin + i];
      }
    }
    return arrow::Status::OK();
  }
};

/// The offsets of values [begin, begin + count] of a chunk, checked; unaligned.
template <typename Offset>
arrow::Result<const uint8_t*> ChunkOffsets(std::span<const uint8_t> buffer, int64_t n, int64_t begin,
                                           int64_t count) {
  if (static_cast<int64_t>(buffer.size() / sizeof(Offset)) < n + 1) {
    return arrow::Status::Invalid("a string chunk of ", buffer.size(), " bytes for ", n, " values");
  }
  const uint8_t* const offsets = buffer.data() + begin * static_cast<int64_t>(sizeof(Offset));
  Offset last = 0;
  for (int64_t i = 0; i <= count; ++i) {
    const Offset offset = LoadLE<Offset>(offsets + i * static_cast<int64_t>(sizeof(Offset)));
    if (offset > buffer.size() || offset < last) {
      return arrow::Status::Invalid("string ", begin + i, " of a chunk ends at ", offset, " of ",
                                    buffer.size());
    }
    last = offset;
  }
  return offsets;
}

template <typename Offset>
class VariableDecoder final : public ValueDecoder {
 public:
  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    ARROW_ASSIGN_OR_RAISE(const auto offsets, ChunkOffsets<Offset>(buffers[0], n, begin, count));
    return out->AppendRun<Offset>(offsets, count, buffers[0].data());
  }
};

template <typename Offset>
class FsstValueDecoder final : public ValueDecoder {
 public:
  explicit FsstValueDecoder(FsstDecoder decoder) : decoder_(std::move(decoder)) {}

  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    ARROW_ASSIGN_OR_RAISE(const uint8_t* offsets, ChunkOffsets<Offset>(buffers[0], n, begin, count));
    std::array<int64_t, 256> ends;
    for (int64_t done = 0; done < count; done += std::ssize(ends)) {
      const int64_t some = std::min(count - done, std::ssize(ends));
      ARROW_RETURN_NOT_OK(decoder_.DecodeRun<Offset>(buffers[0],
                                                     offsets + done * static_cast<int64_t>(sizeof(Offset)),
                                                     some, out->bytes(), ends.data()));
      ARROW_RETURN_NOT_OK(out->EndValues({ends.data(), static_cast<size_t>(some)}));
    }
    return arrow::Status::OK();
  }

 private:
  const FsstDecoder decoder_;
};

class GeneralDecoder final : public ValueDecoder {
 public:
  GeneralDecoder(enc::CompressionScheme scheme, std::unique_ptr<ValueDecoder> inner, arrow::MemoryPool* pool)
      : scheme_(scheme), inner_(std::move(inner)), pool_(pool) {}

  size_t num_buffers() const override { return inner_->num_buffers(); }

  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    ARROW_ASSIGN_OR_RAISE(auto first, Decompress(scheme_, buffers[0], pool_));
    ChunkBuffers inner = buffers;  // only the first buffer is compressed
    inner[0] = {first->data(), static_cast<size_t>(first->size())};
    return inner_->Append(inner, n, begin, count, out);
  }

 private:
  const enc::CompressionScheme scheme_;
  const std::unique_ptr<ValueDecoder> inner_;
  arrow::MemoryPool* const pool_;
};

class VectorDecoder final : public ValueDecoder {
 public:
  VectorDecoder(VectorEncoding encoding, const LeafType& type)
      : encoding_(std::move(encoding)), bits_(type.bits) {
    for (size_t level = 0; level < type.dims.size(); ++level) items_.push_back(type.ItemsThrough(level));
  }

  size_t num_buffers() const override {
    return static_cast<size_t>(
               std::count(encoding_.has_validity.begin(), encoding_.has_validity.end(), true)) +
           (encoding_.all_items_null ? 0 : 1);
  }

  arrow::Status Append(const ChunkBuffers& buffers, int64_t n, int64_t begin, int64_t count,
                       ColumnBuilder* out) const override {
    size_t next = 0;
    for (size_t level = 0; level < items_.size(); ++level) {
      ValidityBuilder& validity = out->item_validity(level);
      if (encoding_.has_validity[level]) {
        ARROW_RETURN_NOT_OK(
            CheckSize(buffers[next], arrow::bit_util::BytesForBits(n * items_[level]), "vector validity"));
        ARROW_RETURN_NOT_OK(
            validity.AppendBits(buffers[next++].data(), begin * items_[level], count * items_[level]));
      } else {
        const bool null_items = encoding_.all_items_null && bits_ > 0 && level + 1 == items_.size();
        ARROW_RETURN_NOT_OK(validity.Append(!null_items, count * items_[level]));
      }
    }
    if (encoding_.all_items_null) return out->AppendZeros(count);
    ARROW_RETURN_NOT_OK(CheckSize(buffers[next], arrow::bit_util::BytesForBits(n * bits_), "vector"));
    return out->AppendFixed(buffers[next].data(), begin, count);
  }

  std::optional<Part> PartOf(int64_t size, int64_t n, int64_t begin, int64_t count) const override {
    if (num_buffers() != 1 || encoding_.all_items_null) return std::nullopt;
    return PartOfArray(bits_, size, n, begin, count);
  }
  arrow::Status AppendPart(std::span<const uint8_t> part, int64_t, int64_t, int64_t count,
                           ColumnBuilder* out) const override {
    return Append({part}, count, 0, count, out);  // a smaller chunk
  }

 private:
  const VectorEncoding encoding_;
  const int64_t bits_;
  std::vector<int64_t> items_;
};

using DecoderResult = arrow::Result<std::unique_ptr<ValueDecoder>>;

arrow::Status CheckWidth(uint64_t bits, const LeafType& type) {
  if (type.kind == LeafType::Kind::kFixed && !type.is_vector() && bits == static_cast<uint64_t>(type.bits)) {
    return arrow::Status::OK();
  }
  return arrow::Status::Invalid("values of ", bits, " bits in a column of ", type.type->ToString());
}

template <template <typename> class Decoder>
DecoderResult MakeForWidth(uint64_t bits, const LeafType& type) {
  ARROW_RETURN_NOT_OK(CheckWidth(bits, type));
  switch (bits) {
    case 8:
      return std::make_unique<Decoder<uint8_t>>();
    case 16:
      return std::make_unique<Decoder<uint16_t>>();
    case 32:
      return std::make_unique<Decoder<uint32_t>>();
    case 64:
      return std::make_unique<Decoder<uint64_t>>();
    default:
      return arrow::Status::Invalid("packed values of ", bits, " bits");
  }
}

/// The width of the offsets in the chunks; it may differ from the column's.
arrow::Result<int> OffsetBits(const enc::CompressiveEncoding& variable, const LeafType& type) {
  if (type.kind != LeafType::Kind::kVariable) {
    return arrow::Status::Invalid("strings in a column of ", type.type->ToString());
  }
  const uint64_t bits = variable.variable().offsets().flat().bits_per_value();
  if (!variable.has_variable() || (bits != 32 && bits != 64)) {
    return arrow::Status::Invalid("strings with offsets of ", bits, " bits");
  }
  return static_cast<int>(bits);
}

}  // namespace

arrow::Result<VectorEncoding> VectorEncoding::Parse(const enc::CompressiveEncoding& encoding,
                                                    const LeafType& type) {
  VectorEncoding result;
  const enc::CompressiveEncoding* level = &encoding;
  while (level->has_fixed_size_list()) {
    const auto& list = level->fixed_size_list();
    const size_t depth = result.has_validity.size();
    if (depth >= type.dims.size() || list.items_per_value() != static_cast<uint64_t>(type.dims[depth])) {
      return arrow::Status::Invalid("vectors of ", list.items_per_value(), " items in a column of ",
                                    type.type->ToString());
    }
    result.has_validity.push_back(list.has_validity());
    level = &list.values();
  }
  if (level->has_constant()) {
    // Releases differ: with one message per dimension the innermost has a bitmap, else it is implied.
    result.all_items_null = true;
    if (result.has_validity.size() + 1 == type.dims.size()) result.has_validity.push_back(false);
  } else if (!level->has_flat() || level->flat().bits_per_value() != static_cast<uint64_t>(type.item_bits)) {
    return arrow::Status::Invalid("items of a vector that are not flat values of ", type.item_bits, " bits");
  }
  if (result.has_validity.size() != type.dims.size()) {
    return arrow::Status::Invalid(result.has_validity.size(), " dimensions in a column of ",
                                  type.type->ToString());
  }
  return result;
}

DecoderResult ValueDecoder::Make(const enc::CompressiveEncoding& encoding, const LeafType& type,
                                 arrow::MemoryPool* pool) {
  switch (encoding.compression_case()) {
    case enc::CompressiveEncoding::kFlat:
      ARROW_RETURN_NOT_OK(CheckWidth(encoding.flat().bits_per_value(), type));
      return std::make_unique<FlatDecoder>(type.bits);
    case enc::CompressiveEncoding::kInlineBitpacking:
      return MakeForWidth<InlineBitpackingDecoder>(encoding.inline_bitpacking().uncompressed_bits_per_value(),
                                                   type);
    case enc::CompressiveEncoding::kRle:
      return MakeForWidth<RleDecoder>(encoding.rle().values().flat().bits_per_value(), type);
    case enc::CompressiveEncoding::kByteStreamSplit:
      return MakeForWidth<ByteStreamSplitDecoder>(
          encoding.byte_stream_split().values().flat().bits_per_value(), type);
    case enc::CompressiveEncoding::kVariable: {
      ARROW_ASSIGN_OR_RAISE(const int bits, OffsetBits(encoding, type));
      if (bits == 64) return std::make_unique<VariableDecoder<uint64_t>>();
      return std::make_unique<VariableDecoder<uint32_t>>();
    }
    case enc::CompressiveEncoding::kFsst: {
      ARROW_ASSIGN_OR_RAISE(const int bits, OffsetBits(encoding.fsst().values(), type));
      ARROW_ASSIGN_OR_RAISE(
          auto decoder,
          FsstDecoder::Parse({reinterpret_cast<const uint8_t*>(encoding.fsst().symbol_table().data()),
                              encoding.fsst().symbol_table().size()}));
      if (bits == 64) return std::make_unique<FsstValueDecoder<uint64_t>>(std::move(decoder));
      return std::make_unique<FsstValueDecoder<uint32_t>>(std::move(decoder));
    }
    case enc::CompressiveEncoding::kGeneral: {
      if (encoding.general().values().has_general()) return arrow::Status::Invalid("compressed twice");
      ARROW_ASSIGN_OR_RAISE(auto inner, Make(encoding.general().values(), type, pool));
      return std::make_unique<GeneralDecoder>(encoding.general().compression().scheme(), std::move(inner),
                                              pool);
    }
    case enc::CompressiveEncoding::kPackedStruct: {
      const auto& packed = encoding.packed_struct();
      const bool same = std::equal(type.packed_bits.begin(), type.packed_bits.end(),
                                   packed.bits_per_value().begin(), packed.bits_per_value().end(),
                                   [](int64_t a, uint64_t b) { return static_cast<uint64_t>(a) == b; });
      if (!type.is_packed() || !same || !packed.values().has_flat()) {
        return arrow::Status::Invalid("a packed struct of ", packed.bits_per_value_size(),
                                      " children in a column of ", type.type->ToString());
      }
      ARROW_RETURN_NOT_OK(CheckWidth(packed.values().flat().bits_per_value(), type));
      return std::make_unique<FlatDecoder>(type.bits);
    }
    case enc::CompressiveEncoding::kFixedSizeList: {
      if (!type.is_vector()) return arrow::Status::Invalid("vectors in a column of ", type.type->ToString());
      ARROW_ASSIGN_OR_RAISE(auto vector, VectorEncoding::Parse(encoding, type));
      return std::make_unique<VectorDecoder>(std::move(vector), type);
    }
    default:
      return arrow::Status::NotImplemented("mini-block encoding ",
                                           static_cast<int>(encoding.compression_case()));
  }
}

}  // namespace pilum
