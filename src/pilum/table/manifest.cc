// SPDX-License-Identifier: Apache-2.0
#include "pilum/table/manifest.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "pilum/util/error.h"
#include "pilum/util/little_endian.h"
#include "pilum/util/uuid.h"

namespace pilum {

namespace {

constexpr char kMagic[] = "LANC";
constexpr size_t kTailBytes = 16;  // i64 position of the manifest, i16 0, i16 2, magic

/// Parses the message behind a length at `offset`. False if it is not one.
template <typename Message>
bool ParseSection(std::span<const uint8_t> file, uint64_t offset, Message* message) {
  if (offset > file.size() || file.size() - offset < 4) return false;
  const uint32_t length = LoadLE<uint32_t>(&file[offset]);
  if (length > file.size() - offset - 4 || length > std::numeric_limits<int>::max()) return false;
  const google::protobuf::LogSilencer silencer;  // the caller reports
  return message->ParseFromArray(file.data() + offset + 4, static_cast<int>(length));
}

/// Appends the length and the message. @return the offset of the length.
uint64_t AppendSection(const google::protobuf::Message& message, std::string* file) {
  const uint64_t offset = file->size();
  const std::string bytes = message.SerializeAsString();
  AppendLE<uint32_t>(file, static_cast<uint32_t>(bytes.size()));
  file->append(bytes);
  return offset;
}

arrow::Result<FormatVersion> DataVersionOf(const lance::table::Manifest& proto) {
  if (proto.has_data_format() && !proto.data_format().version().empty()) {
    return ParseFormatVersion(proto.data_format().version());
  }
  for (const auto& fragment : proto.fragments()) {
    for (const auto& file : fragment.files()) {
      return FormatVersionFromNumbers(file.file_major_version(), file.file_minor_version());
    }
  }
  return (proto.writer_feature_flags() & kFlagV2Format) != 0 ? FormatVersion::k2_0 : FormatVersion::kLegacy;
}

}  // namespace

arrow::Status CheckFragments(
    const google::protobuf::RepeatedPtrField<lance::table::DataFragment>& fragments) {
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  uint64_t next_id = 0;
  for (const auto& fragment : fragments) {
    const auto invalid = [&](const char* what, uint64_t value) {
      return arrow::Status::Invalid("fragment ", fragment.id(), what, value);
    };
    if (fragment.id() < next_id) return invalid(" comes after fragment ", next_id - 1);
    if (fragment.id() > kMax) return invalid(" is more than ", kMax);
    next_id = fragment.id() + 1;
    const uint64_t rows = fragment.physical_rows(), deleted = fragment.deletion_file().num_deleted_rows();
    if (rows > kMax) return invalid(" has rows: ", rows);
    if (rows > 0 && deleted > rows) return invalid(" has fewer rows than are deleted: ", deleted);
    for (const auto& file : fragment.files()) {
      if (file.file_size_bytes() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return invalid(" has a file of bytes: ", file.file_size_bytes());
    }
  }
  return arrow::Status::OK();
}

const lance::table::DataFragment* Manifest::FindFragment(uint64_t id) const {
  const auto it = std::lower_bound(
      proto.fragments().begin(), proto.fragments().end(), id,
      [](const lance::table::DataFragment& fragment, uint64_t key) { return fragment.id() < key; });
  return it != proto.fragments().end() && it->id() == id ? &*it : nullptr;
}

const lance::table::IndexMetadata* Manifest::FindIndex(std::string_view name) const {
  for (const auto& index : indexes.indices()) {
    if (index.name() == name) return &index;
  }
  return nullptr;
}

arrow::Result<std::shared_ptr<const Manifest>> Manifest::Parse(std::span<const uint8_t> file,
                                                               std::string_view path) {
  if (file.size() < kTailBytes || std::memcmp(file.data() + file.size() - 4, kMagic, 4) != 0) {
    return CorruptFile(path, static_cast<int64_t>(file.size()),
                       "not a manifest: the magic number is missing");
  }
  const int64_t tail = static_cast<int64_t>(file.size() - kTailBytes);
  const int64_t position = LoadLE<int64_t>(&file[static_cast<size_t>(tail)]);
  if (position < 0 || position > tail - 4 ||
      position + 4 + LoadLE<uint32_t>(&file[static_cast<size_t>(position)]) != tail) {
    return CorruptFile(path, tail, "the manifest's length does not match the file");
  }
  auto manifest = std::make_shared<Manifest>();
  if (!ParseSection(file, static_cast<uint64_t>(position), &manifest->proto)) {
    return CorruptFile(path, position, "the manifest does not parse");
  }
  const lance::table::Manifest& proto = manifest->proto;
  if ((proto.reader_feature_flags() & ~uint64_t{kAllKnownFlags}) != 0) {
    return MakeError(arrow::StatusCode::NotImplemented, ErrorKind::kUnsupportedFeature,
                     "This dataset cannot be read by this version of Pilum: " + std::string(path) +
                         " has reader feature flags " + std::to_string(proto.reader_feature_flags()));
  }
  if (proto.has_index_section() && !ParseSection(file, proto.index_section(), &manifest->indexes)) {
    return CorruptFile(path, static_cast<int64_t>(proto.index_section()), "the index section does not parse");
  }
  // A transaction matters to conflict checks alone: one that does not parse must not keep a table shut.
  if (proto.has_transaction_section() || proto.has_transaction_section_v14()) {
    lance::table::Transaction transaction;
    const uint64_t at =
        proto.has_transaction_section() ? proto.transaction_section() : proto.transaction_section_v14();
    if (ParseSection(file, at, &transaction) &&
        transaction.operation_case() != lance::table::Transaction::OPERATION_NOT_SET) {
      manifest->transaction = std::move(transaction);
    }
  }
  if (const auto status = CheckFragments(proto.fragments()); !status.ok())
    return CorruptFile(path, position, status.message());
  auto version = DataVersionOf(proto);
  if (!version.ok()) return Annotate(version.status(), std::string(path) + ": ");
  manifest->data_version = *version;
  for (const auto& fragment : proto.fragments()) {
    if (manifest->data_version == FormatVersion::kLegacy && fragment.physical_rows() == 0) {
      return arrow::Status::NotImplemented(
          path, ": fragment ", fragment.id(),
          " does not say how many rows it has, as Lance wrote them before 0.8");
    }
  }
  auto schema = Schema::FromProto(proto.fields(), proto.schema_metadata());
  if (!schema.ok()) return Annotate(schema.status(), std::string(path) + ": ");
  manifest->schema = *std::move(schema);
  return std::shared_ptr<const Manifest>(std::move(manifest));
}

std::string Manifest::Serialize() const {
  std::string file;
  lance::table::Manifest message = proto;
  message.clear_index_section();
  message.clear_transaction_section();
  message.clear_transaction_section_v14();
  if (indexes.indices_size() > 0) message.set_index_section(AppendSection(indexes, &file));
  if (transaction) message.set_transaction_section(AppendSection(*transaction, &file));
  const uint64_t position = AppendSection(message, &file);
  AppendLE<int64_t>(&file, static_cast<int64_t>(position));
  AppendLE<int16_t>(&file, 0);
  AppendLE<int16_t>(&file, 2);
  file.append(kMagic, 4);
  return file;
}

std::optional<int64_t> NumLiveRows(const lance::table::DataFragment& fragment) {
  const int64_t rows = static_cast<int64_t>(fragment.physical_rows());
  if (!fragment.has_deletion_file()) return rows;
  if (fragment.deletion_file().num_deleted_rows() == 0) return std::nullopt;
  return rows - static_cast<int64_t>(fragment.deletion_file().num_deleted_rows());
}

std::string NewDataFileName() {
  const Uuid uuid = Uuid::Random();
  std::string name;
  for (size_t i = 0; i < 3; ++i) {
    for (int bit = 7; bit >= 0; --bit) name.push_back((uuid.bytes[i] >> bit & 1) != 0 ? '1' : '0');
  }
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 3; i < 16; ++i) {
    name.push_back(kDigits[uuid.bytes[i] >> 4]);
    name.push_back(kDigits[uuid.bytes[i] & 15]);
  }
  return name + ".lance";
}

}  // namespace pilum
