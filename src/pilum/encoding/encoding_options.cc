// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/encoding_options.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <string_view>

namespace pilum {

namespace {

constexpr int64_t kMaxSmallChunk = 32767;             // the most a chunk of 2.1 can hold
constexpr int64_t kMaxLargeChunk = int64_t{1} << 30;  // a chunk of 2.2 can hold twice that

/// The keys of one field, all of which start with "lance-encoding:".
class Keys {
 public:
  explicit Keys(const arrow::Field& field) : field_(field) {}

  std::optional<std::string> Text(std::string_view key) const {
    if (field_.metadata() == nullptr) return std::nullopt;
    auto value = field_.metadata()->Get(Name(key));
    return value.ok() ? std::optional(*std::move(value)) : std::nullopt;
  }

  template <typename T>
  arrow::Result<std::optional<T>> Number(std::string_view key, T lowest, T highest) const {
    const auto text = Text(key);
    if (!text) return std::nullopt;
    T value{};
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() ||
        !(value >= lowest && value <= highest)) {
      return Refuse(key, *text, "a number from " + std::to_string(lowest) + " to " + std::to_string(highest));
    }
    return value;
  }

  arrow::Status Refuse(std::string_view key, std::string_view value, std::string_view wanted) const {
    return arrow::Status::Invalid("Column '", field_.name(), "': ", Name(key), " = '", value, "' is not ",
                                  wanted);
  }

 private:
  static std::string Name(std::string_view key) { return "lance-encoding:" + std::string(key); }

  const arrow::Field& field_;
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

arrow::Result<EncodingOptions::Compression> ParseCompression(const Keys& keys, std::string_view key) {
  using Compression = EncodingOptions::Compression;
  const auto text = keys.Text(key);
  if (!text) return Compression::kDefault;
  if (*text == "none") return Compression::kNone;
  if (*text == "fsst") return Compression::kFsst;
  if (*text == "lz4") return Compression::kLz4;
  if (*text == "zstd") return Compression::kZstd;
  return keys.Refuse(key, *text, "a compression scheme: none, fsst, lz4 or zstd");
}

}  // namespace

arrow::Result<EncodingOptions> EncodingOptions::Of(const arrow::Field& leaf, const arrow::Field& root,
                                                   bool large_chunks) {
  const Keys keys(leaf);
  EncodingOptions options;
  ARROW_ASSIGN_OR_RAISE(options.compression, ParseCompression(keys, "compression"));
  ARROW_ASSIGN_OR_RAISE(options.compression_level, keys.Number<int>("compression-level", -7, 22));
  ARROW_ASSIGN_OR_RAISE(options.rle_threshold, keys.Number<double>("rle-threshold", 0, 1));
  ARROW_ASSIGN_OR_RAISE(const auto chunk, keys.Number<int64_t>("minichunk-size", 1, INT64_MAX));
  if (chunk && *chunk <= (large_chunks ? kMaxLargeChunk : kMaxSmallChunk))
    options.string_chunk_bytes = *chunk;
  ARROW_ASSIGN_OR_RAISE(const auto divisor, keys.Number<int64_t>("dict-divisor", 1, INT64_MAX));
  options.dictionary_divisor = divisor.value_or(options.dictionary_divisor);
  ARROW_ASSIGN_OR_RAISE(const auto ratio, keys.Number<double>("dict-size-ratio", 1e-9, 1));
  options.dictionary_size_ratio = ratio.value_or(options.dictionary_size_ratio);
  ARROW_ASSIGN_OR_RAISE(options.dictionary_compression, ParseCompression(keys, "dict-values-compression"));
  ARROW_ASSIGN_OR_RAISE(options.dictionary_compression_level,
                        keys.Number<int>("dict-values-compression-level", -7, 22));
  if (const auto text = keys.Text("bss")) {
    const std::string choice = Lower(*text);
    if (choice != "on" && choice != "off" && choice != "auto")
      return keys.Refuse("bss", *text, "on, off or auto");
    options.byte_stream_split = choice == "on" ? Choice::kOn : choice == "off" ? Choice::kOff : Choice::kAuto;
  }
  const Keys root_keys(root);
  if (const auto text = root_keys.Text("structural-encoding")) {
    const std::string structure = Lower(*text);
    if (structure != "miniblock" && structure != "fullzip") {
      return root_keys.Refuse("structural-encoding", *text, "miniblock or fullzip");
    }
    options.structure = structure == "fullzip" ? Structure::kFullZip : Structure::kMiniBlock;
  }
  return options;
}

}  // namespace pilum
