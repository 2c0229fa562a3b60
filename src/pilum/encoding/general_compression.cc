// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/general_compression.h"

#include <arrow/util/compression.h>

#include <limits>

#include "pilum/util/little_endian.h"

namespace pilum {

namespace {

constexpr uint32_t kZstdMagic = 0xFD2FB528;
constexpr int kZstdDefaultLevel = 3;             // what Zstd means by 0; Arrow's default is 1
constexpr uint64_t kMaxLz4Ratio = 255;           // of the block format
constexpr int64_t kMaxFrame = int64_t{1} << 30;  // of a frame without a size: it may double once more
constexpr uint64_t kMaxZstdRatio = 65536;  // a block of 128 KiB costs at least 4 bytes, with room to spare

arrow::Result<std::shared_ptr<arrow::Buffer>> DecompressBlock(arrow::Compression::type type,
                                                              std::span<const uint8_t> block, uint64_t size,
                                                              uint64_t max_ratio, arrow::MemoryPool* pool) {
  if (size / max_ratio > block.size() || size > std::numeric_limits<int32_t>::max()) {
    return arrow::Status::Invalid("a compressed buffer of ", block.size(), " bytes claims to hold ", size);
  }
  ARROW_ASSIGN_OR_RAISE(auto codec, arrow::util::Codec::Create(type));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> out,
                        arrow::AllocateBuffer(static_cast<int64_t>(size), pool));
  if (size == 0) return out;
  ARROW_ASSIGN_OR_RAISE(const int64_t written,
                        codec->Decompress(static_cast<int64_t>(block.size()), block.data(),
                                          static_cast<int64_t>(size), out->mutable_data()));
  if (static_cast<uint64_t>(written) != size) {
    return arrow::Status::Invalid("a compressed buffer holds ", written, " bytes, not ", size);
  }
  return out;
}

/// A frame that does not tell its size to us: decompressed as a stream.
arrow::Result<std::shared_ptr<arrow::Buffer>> DecompressFrame(std::span<const uint8_t> frame,
                                                              arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto codec, arrow::util::Codec::Create(arrow::Compression::ZSTD));
  ARROW_ASSIGN_OR_RAISE(auto stream, codec->MakeDecompressor());
  ARROW_ASSIGN_OR_RAISE(auto out,
                        arrow::AllocateResizableBuffer(static_cast<int64_t>(frame.size()) * 4, pool));
  int64_t read = 0, written = 0;
  while (!stream->IsFinished()) {
    ARROW_ASSIGN_OR_RAISE(auto step,
                          stream->Decompress(static_cast<int64_t>(frame.size()) - read, frame.data() + read,
                                             out->size() - written, out->mutable_data() + written));
    read += step.bytes_read;
    written += step.bytes_written;
    if (written == out->size()) {
      if (out->size() > kMaxFrame) return arrow::Status::Invalid("a zstd frame of more than 2 GiB");
      ARROW_RETURN_NOT_OK(out->Resize(out->size() * 2));
    } else if (step.bytes_read == 0 && step.bytes_written == 0) {  // though there is room
      return arrow::Status::Invalid("a zstd frame ends early");
    }
  }
  ARROW_RETURN_NOT_OK(out->Resize(written));
  return std::shared_ptr<arrow::Buffer>(std::move(out));
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Buffer>> Decompress(lance::encodings21::CompressionScheme scheme,
                                                         std::span<const uint8_t> compressed,
                                                         arrow::MemoryPool* pool) {
  if (compressed.empty()) return std::make_shared<arrow::Buffer>(nullptr, 0);
  switch (scheme) {
    case lance::encodings21::COMPRESSION_ALGORITHM_LZ4:
      if (compressed.size() < 4) return arrow::Status::Invalid("an LZ4 buffer without its size");
      return DecompressBlock(arrow::Compression::LZ4, compressed.subspan(4),
                             LoadLE<uint32_t>(compressed.data()), kMaxLz4Ratio, pool);
    case lance::encodings21::COMPRESSION_ALGORITHM_ZSTD: {
      // A size of less than 2^36 has a zero fifth byte; a bare frame has its magic first and flags there.
      const bool bare = compressed.size() < 8 ||
                        (LoadLE<uint32_t>(compressed.data()) == kZstdMagic && (compressed[4] & 0x10) == 0);
      if (!bare) {
        return DecompressBlock(arrow::Compression::ZSTD, compressed.subspan(8),
                               LoadLE<uint64_t>(compressed.data()), kMaxZstdRatio, pool);
      }
      return DecompressFrame(compressed, pool);
    }
    default:
      return arrow::Status::NotImplemented("compression scheme ", static_cast<int>(scheme));
  }
}

arrow::Result<std::string> Compress(lance::encodings21::CompressionScheme scheme, std::optional<int> level,
                                    std::span<const uint8_t> bytes) {
  const bool lz4 = scheme == lance::encodings21::COMPRESSION_ALGORITHM_LZ4;
  if (lz4 && bytes.size() > std::numeric_limits<int32_t>::max()) {
    return arrow::Status::CapacityError("LZ4 holds no buffer of ", bytes.size(), " bytes");
  }
  const int zstd_level = level.value_or(0) == 0 ? kZstdDefaultLevel : *level;
  ARROW_ASSIGN_OR_RAISE(auto codec, lz4 ? arrow::util::Codec::Create(arrow::Compression::LZ4)
                                        : arrow::util::Codec::Create(arrow::Compression::ZSTD, zstd_level));
  std::string out;
  if (lz4) {
    AppendLE<uint32_t>(&out, static_cast<uint32_t>(bytes.size()));
  } else {
    AppendLE<uint64_t>(&out, bytes.size());
  }
  const size_t header = out.size();
  const int64_t size = static_cast<int64_t>(bytes.size());
  const uint8_t none = 0;
  const uint8_t* from = bytes.empty() ? &none : bytes.data();
  const int64_t room = codec->MaxCompressedLen(size, from);
  out.resize(header + static_cast<size_t>(room));
  ARROW_ASSIGN_OR_RAISE(const int64_t written,
                        codec->Compress(size, from, room, reinterpret_cast<uint8_t*>(out.data()) + header));
  out.resize(header + static_cast<size_t>(written));
  return out;
}

}  // namespace pilum
