// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a mini-block chunk in any encoding: flat, bit-packed, runs, byte-stream split, strings, FSST,
// LZ4, Zstd, vectors, packed structs. If the whole chunk decodes, so does a part of it, to the same values.
#include "pilum/encoding/value_decoder.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>

#include <algorithm>
#include <random>

#include "pilum/encoding/value_encoder.h"
#include "pilum/fuzz_input.pb.h"
#include "pilum/fuzz_message.h"

namespace pilum {

namespace {

constexpr int64_t kMaxValues = 1 << 13;

const std::vector<LeafType>& Types() {
  static const auto types = [] {
    const auto packed =
        arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::int16())});
    std::vector<LeafType> leaves{LeafType::OfPacked(packed).ValueOrDie()};
    for (const auto& type :
         {arrow::boolean(), arrow::uint8(), arrow::int16(), arrow::int32(), arrow::uint64(), arrow::float64(),
          arrow::decimal128(20, 3), arrow::fixed_size_binary(7), arrow::binary(), arrow::large_binary(),
          arrow::fixed_size_list(arrow::float32(), 3), arrow::fixed_size_list(arrow::boolean(), 5),
          arrow::fixed_size_list(arrow::fixed_size_list(arrow::int16(), 2), 3)}) {
      leaves.push_back(LeafType::Of(type).ValueOrDie());
    }
    return leaves;
  }();
  return types;
}

arrow::Result<std::shared_ptr<arrow::Array>> Decode(const ValueDecoder& decoder, const LeafType& type,
                                                    const ChunkBuffers& buffers, int64_t n, int64_t begin,
                                                    int64_t count) {
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type, count, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(decoder.Append(buffers, n, begin, count, &builder));
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, count));
  ARROW_ASSIGN_OR_RAISE(auto data, builder.Finish());
  return arrow::MakeArray(data);
}

/// The same from no more than the part of the chunk that is enough, if there is one.
arrow::Result<std::shared_ptr<arrow::Array>> DecodePart(const ValueDecoder& decoder, const LeafType& type,
                                                        const ChunkBuffers& buffers, int64_t n, int64_t begin,
                                                        int64_t count) {
  const int64_t size = (std::ssize(buffers[0]) + 7) / 8 * 8;
  const auto part = decoder.num_buffers() == 1 ? decoder.PartOf(size, n, begin, count) : std::nullopt;
  if (!part) return Decode(decoder, type, buffers, n, begin, count);
  const auto* at = reinterpret_cast<const char*>(buffers[0].data()) + part->offset;
  Require(part->offset + part->length <= size, "a part inside of its buffer");
  if (part->offset + part->length > std::ssize(buffers[0])) return arrow::Status::Invalid("a short buffer");
  const ExactBytes bytes(std::string_view(at, static_cast<size_t>(part->length)));
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(type, count, arrow::default_memory_pool()));
  ARROW_RETURN_NOT_OK(decoder.AppendPart(bytes, size, begin, count, &builder));
  ARROW_RETURN_NOT_OK(builder.validity().Append(true, count));
  ARROW_ASSIGN_OR_RAISE(auto data, builder.Finish());
  return arrow::MakeArray(data);
}

void FuzzChunk(const fuzz::Chunk& input) {
  const LeafType& type = Types()[input.type() % Types().size()];
  const int64_t n = input.num_values();
  const auto decoder = ValueDecoder::Make(input.encoding(), type, arrow::default_memory_pool());
  if (!decoder.ok() || n > kMaxValues) return;
  if ((*decoder)->num_buffers() != static_cast<size_t>(input.buffers_size())) return;  // the page's check
  std::vector<ExactBytes> bytes;
  for (const std::string& buffer : input.buffers()) bytes.emplace_back(buffer);
  ChunkBuffers buffers;
  std::copy(bytes.begin(), bytes.end(), buffers.begin());
  const auto whole = Decode(**decoder, type, buffers, n, 0, n);
  const int64_t begin = std::min<int64_t>(input.begin(), n),
                count = std::min<int64_t>(input.count(), n - begin);
  for (const auto& part : {Decode(**decoder, type, buffers, n, begin, count),
                           DecodePart(**decoder, type, buffers, n, begin, count)}) {
    if (!whole.ok()) continue;
    RequireValid(**whole);
    Require(part.status(), "a part of a good chunk");
    Require((*part)->Equals(*(*whole)->Slice(begin, count), arrow::EqualOptions().nans_equal(true)),
            "a part of a chunk is the same as in the whole");
  }
}

/// Values that compress one way or another: small, in runs of `run`.
std::shared_ptr<arrow::ArrayData> Values(const LeafType& type, int64_t n, int64_t run,
                                         std::mt19937_64& random) {
  if (type.kind == LeafType::Kind::kVariable) {
    const auto builder = arrow::MakeBuilder(type.type).ValueOrDie();
    for (int64_t i = 0; i < n; ++i) {
      const std::string text = "departure " + std::to_string(random() % 1000);
      Require(type.offset_bits == 64 ? static_cast<arrow::LargeBinaryBuilder&>(*builder).Append(text)
                                     : static_cast<arrow::BinaryBuilder&>(*builder).Append(text),
              "append");
    }
    return builder->Finish().ValueOrDie()->data();
  }
  auto bytes = arrow::AllocateBuffer(n * type.bits / 8 + 1).ValueOrDie();
  std::fill_n(bytes->mutable_data(), bytes->size(), uint8_t{0});
  const int64_t step = std::max<int64_t>(type.item_bits / 8, 1);
  for (int64_t i = 0; i < bytes->size(); i += step) {
    bytes->mutable_data()[i] =
        static_cast<uint8_t>(i / step % run == 0 ? random() % 16 : bytes->data()[i - step]);
  }
  std::vector<std::shared_ptr<arrow::DataType>> levels{type.type};
  while (levels.back()->id() == arrow::Type::FIXED_SIZE_LIST)
    levels.push_back(levels.back()->field(0)->type());
  auto data = arrow::ArrayData::Make(levels.back(),
                                     n * (type.is_vector() ? type.ItemsThrough(type.dims.size() - 1) : 1),
                                     {nullptr, std::move(bytes)});
  for (size_t level = type.dims.size(); level-- > 0;) {
    auto list = arrow::ArrayData::Make(levels[level], data->length / type.dims[level], {nullptr});
    list->child_data = {std::move(data)};
    data = std::move(list);
  }
  return data;
}

void AddSeed(uint32_t type, const EncodedValues& values, std::vector<std::string>* seeds) {
  const EncodedChunk& chunk = values.chunks[0];
  fuzz::Chunk input;
  input.set_type(type);
  *input.mutable_encoding() = values.encoding;
  for (const auto buffer : chunk.buffers) input.add_buffers(buffer.data(), buffer.size());
  input.set_num_values(static_cast<uint32_t>(chunk.num_values));
  input.set_begin(input.num_values() / 3);
  input.set_count(input.num_values() / 2);
  seeds->push_back(input.SerializeAsString());
}

/// Rows of the packed struct of Types().
std::string PackedSeed() {
  fuzz::Chunk input;
  auto* packed = input.mutable_encoding()->mutable_packed_struct();
  packed->add_bits_per_value(32);
  packed->add_bits_per_value(16);
  packed->mutable_values()->mutable_flat()->set_bits_per_value(48);
  input.add_buffers("first-second");
  input.set_num_values(2);
  input.set_begin(1);
  input.set_count(1);
  return input.SerializeAsString();
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  std::vector<std::string> seeds{PackedSeed()};
  std::mt19937_64 random(1);
  auto* pool = arrow::default_memory_pool();
  using Compression = EncodingOptions::Compression;
  for (uint32_t type = 1; type < Types().size(); ++type) {
    for (const int64_t run : {1, 40}) {
      for (const auto compression :
           {Compression::kDefault, Compression::kFsst, Compression::kLz4, Compression::kZstd}) {
        for (const auto split : {EncodingOptions::Choice::kOff, EncodingOptions::Choice::kOn}) {
          EncodingOptions options;
          options.compression = compression;
          options.byte_stream_split = split;
          const auto array = Values(Types()[type], run == 1 ? 300 : 1100, run, random);
          const auto values = LeafValues::Of(*array, pool).ValueOrDie();
          AddSeed(type,
                  (values.type.kind == LeafType::Kind::kVariable ? EncodeStringChunks(values, options)
                                                                 : EncodeFixedChunks(values, options))
                      .ValueOrDie(),
                  &seeds);
        }
      }
    }
  }
  return seeds;
}

}  // namespace pilum

PILUM_FUZZ_MESSAGE(pilum::fuzz::Chunk, pilum::FuzzChunk)
