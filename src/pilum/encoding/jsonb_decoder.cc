// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/jsonb_decoder.h"

#include <arrow/util/utf8.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <vector>

#include "pilum/encoding/jsonb_format.h"

namespace pilum {

namespace {

arrow::Status Damaged(std::string_view what) { return arrow::Status::Invalid("not JSONB: ", what); }

template <typename T>
T LoadBE(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return static_cast<T>(value);
}

void AppendEscaped(std::string_view text, std::string* to) {
  constexpr std::string_view kHex = "0123456789abcdef";
  to->push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        to->append({'\\', c});
        break;
      case '\b':
        to->append("\\b");
        break;
      case '\f':
        to->append("\\f");
        break;
      case '\n':
        to->append("\\n");
        break;
      case '\r':
        to->append("\\r");
        break;
      case '\t':
        to->append("\\t");
        break;
      default:
        if (static_cast<uint8_t>(c) < 0x20) {
          to->append("\\u00");
          to->append({kHex[static_cast<uint8_t>(c) >> 4], kHex[c & 15]});
        } else {
          to->push_back(c);
        }
    }
  }
  to->push_back('"');
}

arrow::Status AppendString(std::string_view text, std::string* to) {
  [[maybe_unused]] static const bool tables = (arrow::util::InitializeUTF8(), true);
  if (!arrow::util::ValidateUTF8(text)) return Damaged("a string that is not UTF-8");
  AppendEscaped(text, to);
  return arrow::Status::OK();
}

template <typename T>
void AppendInteger(T value, std::string* to) {
  std::array<char, 24> text;
  to->append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

void AppendDouble(double value, std::string* to) {
  if (!std::isfinite(value)) {
    to->append("null");
    return;
  }
  std::array<char, 40> buffer;
  const auto format = [&](std::chars_format how) {
    return std::string_view(buffer.data(),
                            std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, how).ptr);
  };
  const double magnitude = std::abs(value);
  if (value == 0 || (magnitude >= 1e-5 && magnitude < 1e16)) {
    const auto text = format(std::chars_format::fixed);
    to->append(text);
    if (text.find('.') == std::string_view::npos) to->append(".0");
    return;
  }
  const auto text = format(std::chars_format::scientific);
  const size_t digits = text.find('e') + 2;  // after the sign, two at least
  to->append(text.substr(0, digits));
  to->append(text.substr(text[digits] == '0' ? digits + 1 : digits));
}

arrow::Status AppendNumber(std::string_view bytes, std::string* to) {
  if (bytes.empty()) return Damaged("a number without bytes");
  const auto kind = static_cast<uint8_t>(bytes[0]);
  const auto value = bytes.substr(1);
  const auto of_size = [&](auto one, auto two, auto four, auto eight) {
    switch (value.size()) {
      case 1:
        AppendInteger(int64_t{LoadBE<decltype(one)>(value)}, to);
        return arrow::Status::OK();
      case 2:
        AppendInteger(LoadBE<decltype(two)>(value), to);
        return arrow::Status::OK();
      case 4:
        AppendInteger(LoadBE<decltype(four)>(value), to);
        return arrow::Status::OK();
      case 8:
        AppendInteger(LoadBE<decltype(eight)>(value), to);
        return arrow::Status::OK();
      default:
        return Damaged("an integer of " + std::to_string(value.size()) + " bytes");
    }
  };
  if (kind == jsonb::kNegativeInteger) return of_size(int8_t{}, int16_t{}, int32_t{}, int64_t{});
  if (kind == jsonb::kInteger) return of_size(uint8_t{}, uint16_t{}, uint32_t{}, uint64_t{});
  if (kind == jsonb::kDouble) {
    if (value.size() != 8) return Damaged("a double of " + std::to_string(value.size()) + " bytes");
    AppendDouble(std::bit_cast<double>(LoadBE<uint64_t>(value)), to);
    return arrow::Status::OK();
  }
  if (!value.empty()) return Damaged("a number of kind " + std::to_string(kind));
  switch (kind) {
    case jsonb::kZero:
      to->push_back('0');
      return arrow::Status::OK();
    case jsonb::kNaN:
    case jsonb::kInfinity:
    case jsonb::kNegativeInfinity:
      to->append("null");
      return arrow::Status::OK();
    default:
      return Damaged("a number of kind " + std::to_string(kind));
  }
}

/// Writes the text of one document. Containers that are open are on a stack of its own.
class JsonTextWriter {
 public:
  explicit JsonTextWriter(std::string* to) : to_(to) {}

  arrow::Status Document(std::string_view bytes) {
    ARROW_RETURN_NOT_OK(Open(bytes, /*is_root=*/true));
    while (!open_.empty()) ARROW_RETURN_NOT_OK(Step());
    return arrow::Status::OK();
  }

 private:
  struct OpenContainer {
    uint32_t kind = 0;
    uint32_t count = 0, next = 0;
    std::string_view entries;  ///< of the values
    std::string_view keys;     ///< their entries
    std::string_view names;    ///< of the keys to come
    std::string_view values;   ///< to come
  };

  static uint32_t EntryAt(std::string_view entries, uint32_t i) {
    return LoadBE<uint32_t>(entries.substr(size_t{4} * i));
  }

  arrow::Status Open(std::string_view bytes, bool is_root) {
    if (bytes.size() < 4) return Damaged("a container of " + std::to_string(bytes.size()) + " bytes");
    const auto header = LoadBE<uint32_t>(bytes);
    OpenContainer container;
    container.kind = header & jsonb::kContainerMask;
    container.count = header & jsonb::kCountMask;
    const bool is_object = container.kind == jsonb::kObject;
    const bool is_scalar = container.kind == jsonb::kScalar && is_root && container.count <= 1;
    if (!is_object && !is_scalar && container.kind != jsonb::kArray)
      return Damaged("a container of kind " + std::to_string(header >> 28));
    if (is_scalar) container.count = 1;
    auto rest = bytes.substr(4);
    const auto cut = [&rest](uint64_t size) -> arrow::Result<std::string_view> {
      if (size > rest.size()) return Damaged("values beyond the end");
      const auto part = rest.substr(0, size);
      rest.remove_prefix(size);
      return part;
    };
    if (is_object) {
      ARROW_ASSIGN_OR_RAISE(container.keys, cut(uint64_t{4} * container.count));
    }
    ARROW_ASSIGN_OR_RAISE(container.entries, cut(uint64_t{4} * container.count));
    uint64_t names_size = 0;
    for (uint32_t i = 0; is_object && i < container.count; ++i) {
      const uint32_t entry = EntryAt(container.keys, i);
      if ((entry & jsonb::kEntryMask) != jsonb::kString) return Damaged("a key that is not a string");
      names_size += entry & jsonb::kSizeMask;
    }
    ARROW_ASSIGN_OR_RAISE(container.names, cut(names_size));
    container.values = rest;
    if (!is_scalar) to_->push_back(is_object ? '{' : '[');
    open_.push_back(container);
    return arrow::Status::OK();
  }

  /// The next value of the innermost container, or its end.
  arrow::Status Step() {
    OpenContainer& container = open_.back();
    if (container.next == container.count) {
      if (!container.values.empty()) return Damaged("bytes after the last value");
      if (container.kind != jsonb::kScalar) to_->push_back(container.kind == jsonb::kObject ? '}' : ']');
      open_.pop_back();
      return arrow::Status::OK();
    }
    if (container.next > 0) to_->push_back(',');
    if (container.kind == jsonb::kObject) {
      const size_t size = EntryAt(container.keys, container.next) & jsonb::kSizeMask;
      ARROW_RETURN_NOT_OK(AppendString(container.names.substr(0, size), to_));
      to_->push_back(':');
      container.names.remove_prefix(size);
    }
    const uint32_t entry = EntryAt(container.entries, container.next++);
    const size_t size = entry & jsonb::kSizeMask;
    if (size > container.values.size()) return Damaged("a value beyond the end");
    const auto value = container.values.substr(0, size);
    container.values.remove_prefix(size);
    return Value(entry & jsonb::kEntryMask, value);
  }

  /// `container` of Step may be gone after this.
  arrow::Status Value(uint32_t kind, std::string_view value) {
    switch (kind) {
      case jsonb::kString:
        return AppendString(value, to_);
      case jsonb::kNumber:
        return AppendNumber(value, to_);
      case jsonb::kContainer:
        return Open(value, /*is_root=*/false);
      case jsonb::kNull:
        to_->append("null");
        break;
      case jsonb::kFalse:
        to_->append("false");
        break;
      case jsonb::kTrue:
        to_->append("true");
        break;
      default:
        return Damaged("a value of kind " + std::to_string(kind >> 28));
    }
    return value.empty() ? arrow::Status::OK() : Damaged("a constant with bytes");
  }

  std::string* const to_;
  std::vector<OpenContainer> open_;
};

}  // namespace

arrow::Status AppendJsonText(std::string_view jsonb, std::string* to) {
  return JsonTextWriter(to).Document(jsonb);
}

}  // namespace pilum
