// SPDX-License-Identifier: Apache-2.0
//
// Full-zip pages: each slot's levels in one control word, in front of its value. Spec: 11-encodings.md §5,
// §9.7.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "pilum/encoding/fsst_encoder.h"
#include "pilum/encoding/general_compression.h"
#include "pilum/encoding/page_encoder.h"
#include "pilum/encoding/value_encoder.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace enc = lance::encodings21;

namespace {

constexpr int64_t kCompressLongest = 32768;  // text that pays for a Zstd frame per value
constexpr int64_t kCompressBytes = 32768;

/// The control words of a page.
class ControlWords {
 public:
  /// @param least_bits_def bits of a definition level, even if all are 0
  explicit ControlWords(const Levels& levels, int least_bits_def = 0)
      : levels_(levels), max_visible_(levels.max_visible()) {
    const auto bits = [](const std::vector<uint16_t>& all) {
      const auto highest = std::max_element(all.begin(), all.end());
      return highest == all.end() ? 0 : static_cast<int>(std::bit_width(*highest));
    };
    bits_rep_ = bits(levels.repetition);
    bits_def_ = std::max(bits(levels.definition), least_bits_def);
    const int width = bits_rep_ + bits_def_;
    bytes_ = width == 0 ? 0 : width <= 8 ? 1 : width <= 16 ? 2 : 4;
  }

  size_t bytes() const { return bytes_; }
  bool visible(int64_t slot) const { return levels_.Definition(slot) <= max_visible_; }

  void Append(int64_t slot, std::string* out) const {
    const uint32_t word =
        static_cast<uint32_t>(levels_.Repetition(slot)) << bits_def_ | levels_.Definition(slot);
    out->append(reinterpret_cast<const char*>(&word), bytes_);
  }

  /// Whether a top-level row begins.
  bool BeginsRow(int64_t slot) const {
    return levels_.repetition.empty() || levels_.Repetition(slot) == levels_.num_lists();
  }

  enc::FullZipLayout* Describe(int64_t num_values, EncodedPage* page) const {
    auto* layout = page->layout.mutable_full_zip_layout();
    layout->set_bits_rep(static_cast<uint32_t>(bits_rep_));
    layout->set_bits_def(static_cast<uint32_t>(bits_def_));
    layout->set_num_items(static_cast<uint32_t>(levels_.num_slots));
    layout->set_num_visible_items(static_cast<uint32_t>(num_values));
    for (const auto layer : levels_.layers) layout->add_layers(layer);
    return layout;
  }

 private:
  const Levels& levels_;
  const uint16_t max_visible_;
  int bits_rep_ = 0;
  int bits_def_ = 0;
  size_t bytes_ = 0;
};

/// `offsets` in the smallest width that holds the last.
std::string IndexBytes(const std::vector<uint64_t>& offsets) {
  const uint64_t last = offsets.back();
  const size_t width = last <= 0xFF ? 1 : last <= 0xFFFF ? 2 : last <= 0xFFFFFFFF ? 4 : 8;
  std::string bytes;
  bytes.reserve(offsets.size() * width);
  for (const uint64_t offset : offsets) bytes.append(reinterpret_cast<const char*>(&offset), width);
  return bytes;
}

/// One value: the validity of its items, then its bytes; a boolean is a byte of its own.
void AppendFixedValue(const LeafValues& values, int64_t i, std::string* out) {
  for (size_t level = 0; level < values.item_validity.size(); ++level) {
    if (values.item_validity[level].bitmap != nullptr) out->append(ItemBits(values, level, i, 1));
  }
  if (values.type.bits == 0) return;  // a vector of nulls
  if (values.type.bits % 8 == 0 && values.first_bit == 0) {
    out->append(reinterpret_cast<const char*>(values.values) + i * values.type.bits / 8,
                static_cast<size_t>(values.type.bits / 8));
  } else {
    out->append(FlatBytes(values, i, 1));
  }
}

/// Bytes of one value with the validity of its items.
int64_t FixedValueBytes(const LeafValues& values) {
  int64_t bytes = values.type.bits == 1 ? 1 : values.type.bits / 8;
  for (size_t level = 0; level < values.item_validity.size(); ++level) {
    if (values.item_validity[level].bitmap != nullptr) bytes += (values.type.ItemsThrough(level) + 7) / 8;
  }
  return bytes;
}

/// Whether lengths take 64 bits; rows of packed structs are shorter than a page.
bool HasWideLength(const LeafValues& values) { return values.type.offset_bits == 64; }

arrow::Result<EncodedPage> EncodeFixed(const LeafValues& values, const Levels& levels) {
  const bool boolean = values.type.bits == 1;
  if (values.type.bits % 8 != 0 && !boolean) {
    return arrow::Status::NotImplemented("full-zip pages of ", values.type.type->ToString());
  }
  // 8.0.0 reads vectors of nulls only behind definition levels (§8.11).
  const ControlWords words(levels, /*least_bits_def=*/values.type.is_vector_of_nulls() ? 1 : 0);
  const int64_t value_bytes = FixedValueBytes(values);
  EncodedPage page;
  auto* layout = words.Describe(values.length, &page);
  layout->set_bits_per_value(static_cast<uint32_t>(value_bytes * 8));
  *layout->mutable_value_compression() = FlatEncoding(values);
  if (boolean) layout->mutable_value_compression()->mutable_flat()->set_bits_per_value(8);
  if (words.bytes() == 0 && value_bytes * 8 == values.type.bits) {
    page.buffers = {FlatBuffer(values)};
    return page;
  }
  std::string data;
  data.reserve(static_cast<size_t>(levels.num_slots) * words.bytes() +
               static_cast<size_t>(values.length * value_bytes));
  std::vector<uint64_t> index;
  int64_t value = 0;
  for (int64_t slot = 0; slot < levels.num_slots; ++slot) {
    if (!levels.repetition.empty() && words.BeginsRow(slot)) index.push_back(data.size());
    words.Append(slot, &data);
    if (words.visible(slot)) AppendFixedValue(values, value++, &data);
  }
  index.push_back(data.size());
  page.buffers = {arrow::Buffer::FromString(std::move(data))};
  if (!levels.repetition.empty()) page.buffers.push_back(arrow::Buffer::FromString(IndexBytes(index)));
  return page;
}

/// How each value is stored, but for its length.
class ValueEncoder {
 public:
  virtual ~ValueEncoder() = default;
  virtual const enc::CompressiveEncoding& encoding() const = 0;
  virtual arrow::Status Append(int64_t i, std::string* out) const = 0;
};

class TextEncoder final : public ValueEncoder {
 public:
  TextEncoder(const LeafValues& values, const EncodingOptions& options) : values_(values) {
    using Compression = EncodingOptions::Compression;
    encoding_.mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
        static_cast<uint64_t>(values.type.offset_bits));
    if (options.compression == Compression::kNone) return;
    zstd_ = (values.LongestValue() > kCompressLongest || options.general()) &&
            values.DataSize() >= kCompressBytes;
    if (zstd_) {
      enc::CompressiveEncoding general;
      general.mutable_general()->mutable_compression()->set_scheme(enc::COMPRESSION_ALGORITHM_ZSTD);
      general.mutable_general()->mutable_compression()->set_level(0);
      *general.mutable_general()->mutable_values() = std::move(encoding_);
      encoding_ = std::move(general);
    } else if (UseFsst(values, options)) {
      fsst_ = FsstEncoder::Train(values);
      encoding_ = fsst_->Wrap(std::move(encoding_));
    }
  }

  const enc::CompressiveEncoding& encoding() const override { return encoding_; }

  arrow::Status Append(int64_t i, std::string* out) const override {
    const auto text = values_.Text(i);
    if (zstd_) {
      ARROW_ASSIGN_OR_RAISE(const auto frame, Compress(enc::COMPRESSION_ALGORITHM_ZSTD, std::nullopt, text));
      out->append(frame);
    } else if (fsst_) {
      fsst_->Append(text, out);
    } else if (!text.empty()) {
      out->append(reinterpret_cast<const char*>(text.data()), text.size());
    }
    return arrow::Status::OK();
  }

 private:
  const LeafValues& values_;
  enc::CompressiveEncoding encoding_;
  bool zstd_ = false;
  std::optional<FsstEncoder> fsst_;
};

/// Appends what `encoder` makes of value `i` behind its length.
arrow::Status AppendWithLength(const ValueEncoder& encoder, int64_t i, bool wide, std::string* out) {
  const size_t at = out->size(), width = wide ? 8 : 4;
  out->append(width, '\0');
  ARROW_RETURN_NOT_OK(encoder.Append(i, out));
  const uint64_t length = out->size() - at - width;
  if (!wide && length > std::numeric_limits<uint32_t>::max()) {
    return arrow::Status::CapacityError("a value of ", length, " bytes");
  }
  std::memcpy(out->data() + at, &length, width);
  return arrow::Status::OK();
}

std::unique_ptr<ValueEncoder> MakeValueEncoder(const LeafValues& values, const EncodingOptions& options);

/// Rows of a packed struct: the values of its fields, each with its own encoding (§8.13).
class RowEncoder final : public ValueEncoder {
 public:
  RowEncoder(const LeafValues& values, const EncodingOptions& options) : values_(values) {
    for (const LeafValues& field : values.fields) {
      auto* to = encoding_.mutable_variable_packed_struct()->add_fields();
      auto& encoder = variable_.emplace_back();
      if (field.type.kind == LeafType::Kind::kFixed) {
        *to->mutable_value() = FlatEncoding(field);
        to->set_bits_per_value(static_cast<uint64_t>(FixedValueBytes(field) * 8));
      } else {
        encoder = MakeValueEncoder(field, options);
        *to->mutable_value() = encoder->encoding();
        to->set_bits_per_length(HasWideLength(field) ? 64 : 32);
      }
    }
  }

  const enc::CompressiveEncoding& encoding() const override { return encoding_; }

  arrow::Status Append(int64_t i, std::string* out) const override {
    for (size_t field = 0; field < variable_.size(); ++field) {
      const LeafValues& values = values_.fields[field];
      if (variable_[field] == nullptr) {
        AppendFixedValue(values, i, out);
      } else {
        ARROW_RETURN_NOT_OK(AppendWithLength(*variable_[field], i, HasWideLength(values), out));
      }
    }
    return arrow::Status::OK();
  }

 private:
  const LeafValues& values_;
  enc::CompressiveEncoding encoding_;
  std::vector<std::unique_ptr<ValueEncoder>> variable_;  // by field; null for fixed ones
};

std::unique_ptr<ValueEncoder> MakeValueEncoder(const LeafValues& values, const EncodingOptions& options) {
  if (values.type.kind == LeafType::Kind::kRow) return std::make_unique<RowEncoder>(values, options);
  return std::make_unique<TextEncoder>(values, options);
}

arrow::Result<EncodedPage> EncodeVariable(const LeafValues& values, const Levels& levels,
                                          const EncodingOptions& options) {
  const ControlWords words(levels);
  const auto encoder = MakeValueEncoder(values, options);
  const bool wide = HasWideLength(values);
  std::string data;
  std::vector<uint64_t> index;
  int64_t value = 0;
  for (int64_t slot = 0; slot < levels.num_slots; ++slot) {
    if (words.BeginsRow(slot)) index.push_back(data.size());
    words.Append(slot, &data);
    if (!words.visible(slot)) continue;
    const int64_t i = value++;
    if (levels.Definition(slot) != 0) continue;
    ARROW_RETURN_NOT_OK(AppendWithLength(*encoder, i, wide, &data));
  }
  index.push_back(data.size());
  EncodedPage page;
  auto* layout = words.Describe(values.length, &page);
  layout->set_bits_per_offset(wide ? 64 : 32);
  *layout->mutable_value_compression() = encoder->encoding();
  page.buffers = {arrow::Buffer::FromString(std::move(data)), arrow::Buffer::FromString(IndexBytes(index))};
  return page;
}

}  // namespace

arrow::Result<EncodedPage> EncodeFullZipPage(const LeafValues& values, const Levels& levels,
                                             const EncodingOptions& options) {
  return values.type.has_fixed_width() ? EncodeFixed(values, levels)
                                       : EncodeVariable(values, levels, options);
}

}  // namespace pilum
