// SPDX-License-Identifier: Apache-2.0
#include "pilum/dataset/blob_files.h"

#include <algorithm>
#include <string_view>

#include "pilum/dataset/blob.h"
#include "pilum/io/object_tree.h"
#include "pilum/util/error.h"

namespace pilum {

namespace {

constexpr int64_t kPackBytes = int64_t{1} << 30;

}  // namespace

class BlobFiles::Input {
 public:
  static Input Of(std::span<const uint8_t> bytes) {
    Input input;
    input.bytes_ = bytes;
    input.range_.length = static_cast<int64_t>(bytes.size());
    return input;
  }
  static arrow::Result<Input> Open(const BlobValue& value) {
    Input input;
    ARROW_ASSIGN_OR_RAISE(const auto location, ResolveObject(std::string(value.uri)));
    ARROW_ASSIGN_OR_RAISE(input.object_, location.store->Open(location.path));
    input.range_ = value.slice.value_or(ByteRange{0, input.object_->size()});
    return input;
  }

  int64_t size() const { return range_.length; }

  arrow::Result<ByteRange> AppendTo(const AppendToFile& append) const {
    if (object_ == nullptr) return append(bytes_);
    ARROW_ASSIGN_OR_RAISE(const auto bytes, object_->Read(range_));
    return append(AsSpan(*bytes));
  }
  arrow::Status CopyTo(WritableObject* sidecar) const {
    if (object_ == nullptr) return sidecar->Append(bytes_);
    return AppendRange(*object_, range_, sidecar);
  }

 private:
  std::span<const uint8_t> bytes_;
  std::shared_ptr<ReadableObject> object_;  // null: `bytes_`
  ByteRange range_;
};

arrow::Result<BlobDescription> BlobFiles::Store(const BlobValue& value, const arrow::Field& field,
                                                const AppendToFile& append) {
  if (value.uri.empty()) return StoreInput(Input::Of(value.data), field, append);
  if (options_.external_blob_mode == ExternalBlobMode::kReference) return Refer(value);
  ARROW_ASSIGN_OR_RAISE(const Input input, Input::Open(value));
  return StoreInput(input, field, append);
}

arrow::Result<BlobDescription> BlobFiles::StoreInput(const Input& input, const arrow::Field& field,
                                                     const AppendToFile& append) {
  auto known = thresholds_.find(&field);
  if (known == thresholds_.end()) {
    ARROW_ASSIGN_OR_RAISE(const auto thresholds, BlobThresholds::Of(field));
    known = thresholds_.emplace(&field, thresholds).first;
  }
  if (input.size() > known->second.max_packed) return StoreDedicated(input);
  if (input.size() > known->second.max_inline) return StorePacked(input);
  ARROW_ASSIGN_OR_RAISE(const auto range, input.AppendTo(append));
  BlobDescription blob;
  blob.size = static_cast<uint64_t>(range.length);
  // Readers take an empty value at the very beginning for a null (§7.2).
  blob.position =
      static_cast<uint64_t>(range.length == 0 ? std::max<int64_t>(range.offset, 64) : range.offset);
  return blob;
}

arrow::Result<BlobDescription> BlobFiles::StorePacked(const Input& input) {
  const int64_t limit = options_.blob_pack_file_size_threshold.value_or(kPackBytes);
  if (pack_ != nullptr && input.size() > limit - pack_->position()) ARROW_RETURN_NOT_OK(Finish());
  if (pack_ == nullptr) {
    pack_id_ = ++last_id_;
    ARROW_ASSIGN_OR_RAISE(pack_, NewSidecar(pack_id_));
  }
  const auto position = static_cast<uint64_t>(pack_->position());
  ARROW_RETURN_NOT_OK(input.CopyTo(pack_.get()));
  return BlobDescription{BlobKind::kPacked, position, static_cast<uint64_t>(input.size()), pack_id_, {}};
}

arrow::Result<BlobDescription> BlobFiles::StoreDedicated(const Input& input) {
  const uint32_t id = ++last_id_;
  ARROW_ASSIGN_OR_RAISE(const auto sidecar, NewSidecar(id));
  ARROW_RETURN_NOT_OK(input.CopyTo(sidecar.get()));
  ARROW_RETURN_NOT_OK(sidecar->Close());
  return BlobDescription{BlobKind::kDedicated, 0, static_cast<uint64_t>(input.size()), id, {}};
}

/// A reference relative to the longest base path that holds the URI, else the URI itself if that is allowed.
arrow::Result<BlobDescription> BlobFiles::Refer(const BlobValue& value) const {
  BlobDescription blob;
  blob.kind = BlobKind::kExternal;
  if (value.slice) {
    blob.position = static_cast<uint64_t>(value.slice->offset);
    blob.size = static_cast<uint64_t>(value.slice->length);
  }
  size_t longest = 0;
  const std::string uri = LocalPathOf(std::string(value.uri));
  for (int i = 0; table_ != nullptr && i < table_->proto.base_paths_size(); ++i) {
    const auto& base = table_->proto.base_paths(i);
    std::string prefix = LocalPathOf(base.path());
    while (prefix.ends_with('/')) prefix.pop_back();
    const bool inside = !LeavesItsFolder(uri) && uri.starts_with(prefix) && uri.size() > prefix.size() + 1 &&
                        uri[prefix.size()] == '/';
    if (base.is_dataset_root() || !inside || prefix.size() <= longest) continue;
    longest = prefix.size();
    blob.id = base.id();
    blob.uri = uri.substr(prefix.size() + 1);
  }
  if (longest > 0) return blob;
  if (!options_.allow_external_blob_outside_bases) {
    return arrow::Status::Invalid("External blob URI '", value.uri,
                                  "' is outside of the registered external bases; set "
                                  "allow_external_blob_outside_bases=true to store it as it is");
  }
  if (value.uri.find("://") == std::string_view::npos) {
    return arrow::Status::Invalid("External URI '", value.uri,
                                  "' is outside registered external bases and is not a valid absolute URI");
  }
  blob.uri = value.uri;
  ARROW_RETURN_NOT_OK(ResolveUri(blob.uri));
  return blob;
}

arrow::Result<std::unique_ptr<WritableObject>> BlobFiles::NewSidecar(uint32_t id) {
  sidecars_->push_back(BlobSidecarPath(data_file_, id));
  return store_.Create(sidecars_->back(), options_.durability);
}

arrow::Status BlobFiles::Finish() {
  if (pack_ == nullptr) return arrow::Status::OK();
  const auto pack = std::move(pack_);
  return pack->Close();
}

}  // namespace pilum
