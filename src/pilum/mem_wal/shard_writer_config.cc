// SPDX-License-Identifier: Apache-2.0
#include "pilum/mem_wal/shard_writer_config.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>

namespace pilum {

namespace {

using Milliseconds = ShardWriterConfig::Milliseconds;

/// One option under its key: from text and to text (none: not recorded).
struct Option {
  std::function<bool(ShardWriterConfig*, const std::string&)> set;
  std::function<std::optional<std::string>(const ShardWriterConfig&)> get;
};

/// Numbers are unsigned in the format; those beyond ours are limits that nothing reaches.
std::optional<int64_t> ParseNumber(const std::string& text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return static_cast<int64_t>(std::min<uint64_t>(number, std::numeric_limits<int64_t>::max()));
}

Option Boolean(bool ShardWriterConfig::* member) {
  return {[member](ShardWriterConfig* config, const std::string& text) {
            config->*member = text == "true";
            return text == "true" || text == "false";
          },
          [member](const ShardWriterConfig& config) {
            return std::optional<std::string>(config.*member ? "true" : "false");
          }};
}

Option Number(int64_t ShardWriterConfig::* member) {
  return {
      [member](ShardWriterConfig* config, const std::string& text) {
        const auto number = ParseNumber(text);
        config->*member = number.value_or(0);
        return number.has_value();
      },
      [member](const ShardWriterConfig& config) { return std::optional(std::to_string(config.*member)); }};
}

Option Duration(Milliseconds ShardWriterConfig::* member) {
  return {[member](ShardWriterConfig* config, const std::string& text) {
            const auto number = ParseNumber(text);
            config->*member = Milliseconds(number.value_or(0));
            return number.has_value();
          },
          [member](const ShardWriterConfig& config) {
            return std::optional(std::to_string((config.*member).count()));
          }};
}

/// Absence means off, and so does 0 where `zero_is_off`.
Option OptionalDuration(std::optional<Milliseconds> ShardWriterConfig::* member, bool zero_is_off) {
  return {[member, zero_is_off](ShardWriterConfig* config, const std::string& text) {
            const auto number = ParseNumber(text);
            const bool off = !number || (zero_is_off && *number == 0);
            config->*member = off ? std::nullopt : std::optional(Milliseconds(*number));
            return number.has_value();
          },
          [member](const ShardWriterConfig& config) -> std::optional<std::string> {
            if (!(config.*member)) return std::nullopt;
            return std::to_string((config.*member)->count());
          }};
}

const std::map<std::string, Option>& Options() {
  using C = ShardWriterConfig;
  static const std::map<std::string, Option> options = {
      {"durable_write", Boolean(&C::durable_write)},
      {"sync_indexed_write", Boolean(&C::sync_indexed_write)},
      {"max_wal_buffer_size", Number(&C::max_wal_buffer_size)},
      {"max_wal_flush_interval_ms", OptionalDuration(&C::max_wal_flush_interval, false)},
      {"max_memtable_size", Number(&C::max_memtable_size)},
      {"max_memtable_rows", Number(&C::max_memtable_rows)},
      {"max_memtable_batches", Number(&C::max_memtable_batches)},
      {"manifest_scan_batch_size", Number(&C::manifest_scan_batch_size)},
      {"max_unflushed_memtable_bytes", Number(&C::max_unflushed_memtable_bytes)},
      {"backpressure_log_interval_ms", Duration(&C::backpressure_log_interval)},
      {"async_index_buffer_rows", Number(&C::async_index_buffer_rows)},
      {"async_index_interval_ms", Duration(&C::async_index_interval)},
      {"stats_log_interval_ms", OptionalDuration(&C::stats_log_interval, true)},
      {"enable_memtable", Boolean(&C::enable_memtable)},
  };
  return options;
}

}  // namespace

arrow::Status ShardWriterConfig::Set(const std::string& key, const std::string& value) {
  const auto option = Options().find(key);
  if (option == Options().end() || option->second.set(this, value)) return arrow::Status::OK();
  return arrow::Status::Invalid("writer option ", key, " cannot be '", value, "'");
}

std::map<std::string, std::string> ShardWriterConfig::ToStrings() const {
  std::map<std::string, std::string> strings;
  for (const auto& [key, option] : Options()) {
    if (auto text = option.get(*this)) strings[key] = *std::move(text);
  }
  return strings;
}

arrow::Status ShardWriterConfig::Validate() const {
  if (max_memtable_batches <= 0) return arrow::Status::Invalid("max_memtable_batches must be positive");
  if (max_memtable_size <= 0) return arrow::Status::Invalid("max_memtable_size must be positive");
  if (max_unflushed_memtable_bytes <= 0)
    return arrow::Status::Invalid("max_unflushed_memtable_bytes must be positive");
  if (!enable_memtable)
    return arrow::Status::NotImplemented("writers without a memtable (enable_memtable = false)");
  return arrow::Status::OK();
}

}  // namespace pilum
