// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/jsonb_encoder.h"

#include <arrow/util/utf8.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "pilum/encoding/jsonb_format.h"

namespace pilum {

namespace {

template <typename T>
void AppendBE(std::string* to, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
    to->push_back(static_cast<char>(static_cast<uint64_t>(value) >> shift));
}

/// Appends `value`, of type Wide, in the first of the narrower types that holds it.
template <typename Wide, typename... Narrow>
void AppendFewestBytes(std::string* to, Wide value) {
  const bool done =
      (... || (std::in_range<Narrow>(value) && (AppendBE(to, static_cast<Narrow>(value)), true)));
  if (!done) AppendBE(to, value);
}

/// Receives the events of a parse and builds the value from the leaves up. Of open containers the values lie
/// one after another in payload_, their entries in entries_; a container that closes replaces its values by
/// itself.
class JsonbBuilder {
 public:
  void Reset() {
    status_ = arrow::Status::OK();
    payload_.clear();
    entries_.clear();
    keys_.clear();
    open_.clear();
    root_ = jsonb::kNull;
  }

  /// Why a method returned false.
  const arrow::Status& status() const { return status_; }

  void AppendTo(std::string* to) const {
    if ((root_ & jsonb::kEntryMask) != jsonb::kContainer) {
      AppendBE(to, jsonb::kScalar);
      AppendBE(to, root_);
    }
    to->append(payload_);
  }

  // The events, as rapidjson calls them.
  bool Null() { return Add(jsonb::kNull, payload_.size()); }
  bool Bool(bool value) { return Add(value ? jsonb::kTrue : jsonb::kFalse, payload_.size()); }
  bool Int(int value) { return Int64(value); }
  bool Uint(unsigned value) { return Uint64(value); }
  bool Int64(int64_t value) {
    if (value >= 0) return Uint64(static_cast<uint64_t>(value));
    const size_t begin = Tag(jsonb::kNegativeInteger);
    AppendFewestBytes<int64_t, int8_t, int16_t, int32_t>(&payload_, value);
    return Add(jsonb::kNumber, begin);
  }
  bool Uint64(uint64_t value) {
    const size_t begin = Tag(value == 0 ? jsonb::kZero : jsonb::kInteger);
    if (value != 0) AppendFewestBytes<uint64_t, uint8_t, uint16_t, uint32_t>(&payload_, value);
    return Add(jsonb::kNumber, begin);
  }
  bool Double(double value) {
    if (std::isnan(value)) return Add(jsonb::kNumber, Tag(jsonb::kNaN));
    if (std::isinf(value))
      return Add(jsonb::kNumber, Tag(value > 0 ? jsonb::kInfinity : jsonb::kNegativeInfinity));
    const size_t begin = Tag(jsonb::kDouble);
    AppendBE(&payload_, std::bit_cast<uint64_t>(value));
    return Add(jsonb::kNumber, begin);
  }
  /// Numbers come as text: of some, RapidJSON's own conversions make garbage, or read outside of their
  /// tables.
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view number(text, size);
    if (number.find_first_of(".eEIN") == std::string_view::npos) {
      uint64_t value = 0;
      int64_t negative = 0;
      if (number[0] != '-' && Parse(number, &value)) return Uint64(value);
      if (number[0] == '-' && Parse(number, &negative)) return Int64(negative);
    }
    double value = 0;
    const auto error = std::from_chars(text, text + size, value).ec;
    if (error == std::errc()) return Double(value);
    if (IsAboveOne(number)) return Fail("not JSON: a number that no double holds");
    return Double(number[0] == '-' ? -0.0 : 0.0);
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (!CheckUnicode({text, size})) return false;
    const size_t begin = payload_.size();
    payload_.append(text, size);
    return Add(jsonb::kString, begin);
  }
  bool StartArray() { return Open(false); }
  bool StartObject() { return Open(true); }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (!CheckUnicode({text, size})) return false;
    if (size > jsonb::kSizeMask) return Fail("a key is too long");
    entries_.push_back({0, keys_.size(), size, 0});
    keys_.append(text, size);
    return true;
  }
  bool EndArray(rapidjson::SizeType count) {
    if (count > jsonb::kCountMask) return Fail("an array has too many elements");
    container_.clear();
    AppendBE(&container_, jsonb::kArray | count);
    for (const Entry& entry : OpenEntries()) AppendBE(&container_, entry.value);
    container_.append(payload_, open_.back().payload);
    return Close();
  }
  bool EndObject(rapidjson::SizeType count) {
    if (count > jsonb::kCountMask) return Fail("an object has too many keys");
    const auto entries = OpenEntries();
    std::ranges::sort(entries, {}, [this](const Entry& entry) { return KeyOf(entry); });
    const auto same =
        std::ranges::adjacent_find(entries, {}, [this](const Entry& entry) { return KeyOf(entry); });
    if (same != entries.end()) return Fail("the key \"" + std::string(KeyOf(*same)) + "\" repeats");
    container_.clear();
    AppendBE(&container_, jsonb::kObject | count);
    for (const Entry& entry : entries)
      AppendBE(&container_, jsonb::kString | static_cast<uint32_t>(entry.key_size));
    for (const Entry& entry : entries) AppendBE(&container_, entry.value);
    for (const Entry& entry : entries) container_.append(KeyOf(entry));
    for (const Entry& entry : entries)
      container_.append(payload_, entry.payload, entry.value & jsonb::kSizeMask);
    return Close();
  }

 private:
  struct Entry {
    uint32_t value = 0;  ///< as it is written
    size_t key = 0, key_size = 0;
    size_t payload = 0;  ///< where the value begins
  };
  /// Where the parts of an open container begin.
  struct OpenContainer {
    bool is_object;
    size_t entries, keys, payload;
  };

  std::span<Entry> OpenEntries() { return std::span(entries_).subspan(open_.back().entries); }
  std::string_view KeyOf(const Entry& entry) const {
    return std::string_view(keys_).substr(entry.key, entry.key_size);
  }

  bool Fail(std::string what) {
    status_ = arrow::Status::Invalid(what);
    return false;
  }

  /// RapidJSON lets an escape pass that is the second half of a surrogate pair without the first.
  bool CheckUnicode(std::string_view text) {
    [[maybe_unused]] static const bool tables = (arrow::util::InitializeUTF8(), true);
    return arrow::util::ValidateUTF8(text) || Fail("not JSON: half of a surrogate pair");
  }

  template <typename T>
  static bool Parse(std::string_view text, T* value) {
    return std::from_chars(text.data(), text.data() + text.size(), *value).ec == std::errc();
  }

  /// Whether a number that is not zero, and so large or small that no double holds it, is large.
  static bool IsAboveOne(std::string_view number) {
    if (number[0] == '-') number.remove_prefix(1);
    const size_t e = std::min(number.find_first_of("eE"), number.size());
    const size_t point = std::min(number.substr(0, e).find('.'), e);
    const size_t first = number.find_first_of("123456789");  // there is one before the exponent
    int64_t exponent = 0;
    if (e < number.size()) {
      const auto digits = number.substr(e + (number[e + 1] == '+' ? 2 : 1));
      if (!Parse(digits, &exponent)) return digits[0] != '-';
    }
    exponent = std::clamp(exponent, int64_t{-1} << 40, int64_t{1} << 40);  // texts are shorter
    return static_cast<int64_t>(point) - static_cast<int64_t>(first) + exponent > 0;
  }

  /// Begins a number; where.
  size_t Tag(uint8_t kind) {
    payload_.push_back(static_cast<char>(kind));
    return payload_.size() - 1;
  }

  /// The value whose payload is all from `begin` on.
  bool Add(uint32_t kind, size_t begin) {
    const size_t size = payload_.size() - begin;
    if (size > jsonb::kSizeMask) return Fail("a value is larger than 256 MiB");
    const uint32_t entry = kind | static_cast<uint32_t>(size);
    if (open_.empty()) {
      root_ = entry;
    } else if (open_.back().is_object) {
      entries_.back().value = entry;
      entries_.back().payload = begin;
    } else {
      entries_.push_back({entry, 0, 0, begin});
    }
    return true;
  }

  bool Open(bool is_object) {
    if (open_.size() == kMaxJsonDepth)
      return Fail("nested more than " + std::to_string(kMaxJsonDepth) + " levels deep");
    open_.push_back({is_object, entries_.size(), keys_.size(), payload_.size()});
    return true;
  }

  /// The innermost container, in container_, becomes a value of the one around it.
  bool Close() {
    const OpenContainer closed = open_.back();
    open_.pop_back();
    entries_.resize(closed.entries);
    keys_.resize(closed.keys);
    payload_.resize(closed.payload);
    payload_.append(container_);
    return Add(jsonb::kContainer, closed.payload);
  }

  arrow::Status status_;
  std::string payload_, keys_, container_;
  std::vector<Entry> entries_;
  std::vector<OpenContainer> open_;
  uint32_t root_ = jsonb::kNull;
};

/// Iterative, so that nesting costs heap and not stack.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseNanAndInfFlag;

}  // namespace

struct JsonbEncoder::Impl {
  JsonbBuilder builder;
  rapidjson::Reader reader;
};

JsonbEncoder::JsonbEncoder() : impl_(std::make_unique<Impl>()) {}
JsonbEncoder::~JsonbEncoder() = default;

arrow::Status JsonbEncoder::Append(std::string_view text, std::string* to) {
  if (text.size() > std::numeric_limits<uint32_t>::max())
    return arrow::Status::Invalid("JSON text of more than 4 GiB");
  JsonbBuilder& builder = impl_->builder;
  builder.Reset();
  rapidjson::MemoryStream stream(text.data(), text.size());
  const auto result = impl_->reader.Parse<kParseFlags>(stream, builder);
  ARROW_RETURN_NOT_OK(builder.status());
  const bool empty = result.Code() == rapidjson::kParseErrorDocumentEmpty && stream.Tell() == text.size();
  if (result.IsError() && !empty) {
    return arrow::Status::Invalid("not JSON: ", rapidjson::GetParseError_En(result.Code()), " At byte ",
                                  result.Offset());
  }
  // The reader takes a zero byte for the end.
  if (stream.Tell() != text.size())
    return arrow::Status::Invalid("not JSON: a zero byte. At byte ", stream.Tell());
  builder.AppendTo(to);
  return arrow::Status::OK();
}

}  // namespace pilum
