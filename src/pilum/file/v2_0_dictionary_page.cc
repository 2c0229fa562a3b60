// SPDX-License-Identifier: Apache-2.0
//
// 2.0 dictionary pages, which mean two things. A column of a dictionary type stores its keys, from 0, and
// keeps nulls among the entries. A string column with few distinct values stores u8 indices from 1, where 0
// is null. Spec: 10-file.md §9.8.
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/type.h>

#include <cstring>
#include <optional>
#include <vector>

#include "pilum/file/v2_0_page.h"
#include "pilum/util/little_endian.h"

namespace pilum {

namespace v2_0 = lance::encodings;

namespace {

constexpr int64_t kNull = -1;

class DictionaryPage final : public PageReader {
 public:
  DictionaryPage(PageDescription page, LeafType type, arrow::MemoryPool* pool)
      : PageReader(std::move(page), std::move(type)), pool_(pool) {}

  arrow::Status Prepare(const v2_0::Dictionary& dictionary);

  // The entries are read whole; the buffer of the indices is not among theirs.
  std::vector<ByteRange> InitRanges() const override {
    auto ranges = entries_page_->InitRanges();
    ranges.insert(ranges.end(), entries_plan_.begin(), entries_plan_.end());
    return ranges;
  }
  arrow::Status Init(Buffers buffers) override;

  void Plan(std::span<const RowRange> rows, std::vector<ByteRange>* bytes) const override {
    for (const RowRange& range : rows) {
      bytes->push_back({indices_.offset + range.begin * index_bytes_, range.size() * index_bytes_});
    }
  }
  arrow::Status Decode(std::span<const RowRange> rows, Buffers buffers, ColumnBuilder* out) const override;

 private:
  uint64_t Index(const uint8_t* at) const {
    uint64_t index = 0;
    std::memcpy(&index, at, static_cast<size_t>(index_bytes_));
    return index;
  }
  arrow::Status AppendString(uint64_t index, ColumnBuilder* out) const;
  arrow::Status AppendKey(uint64_t index, ColumnBuilder* out) const;

  arrow::MemoryPool* const pool_;
  ByteRange indices_{};
  int64_t index_bytes_ = 1;
  std::unique_ptr<PageReader> entries_page_;
  std::vector<ByteRange> entries_plan_;        // all that the entries have but their InitRanges
  std::shared_ptr<arrow::ArrayData> entries_;  // of a dictionary type: without the null ones
  std::vector<int64_t> keys_;                  // of each stored entry among `entries_`, or kNull
};

arrow::Status DictionaryPage::Prepare(const v2_0::Dictionary& dictionary) {
  const bool keys = type_.kind == LeafType::Kind::kDictionary;
  if (!keys && type_.kind != LeafType::Kind::kVariable) {
    return arrow::Status::Invalid("a dictionary page in a column of ", type_.type->ToString());
  }
  const UnwrappedV2_0 indices = UnwrappedV2_0::Of(dictionary.indices());
  if (indices.values == nullptr || indices.validity != nullptr) {
    return arrow::Status::Invalid("a dictionary page with null indices");
  }
  int64_t bits = 8;
  if (keys) {
    bits = static_cast<int64_t>(indices.values->flat().bits_per_value());
    if (bits != 8 && bits != 16 && bits != 32 && bits != 64) {
      return arrow::Status::Invalid("indices of ", bits, " bits into a dictionary");
    }
  }
  index_bytes_ = bits / 8;
  ARROW_ASSIGN_OR_RAISE(indices_, FindPlainV2_0(page_, *indices.values, bits, page_.num_rows));
  const int64_t n = dictionary.num_dictionary_items();
  int64_t bytes = 0;
  for (const ByteRange& buffer : page_.buffers) bytes += buffer.length;
  if (n / 8 > bytes) return arrow::Status::Invalid("a dictionary of ", n, " entries in ", bytes, " bytes");
  PageDescription entries{page_.path, page_.buffers, n};
  ARROW_ASSIGN_OR_RAISE(entries_page_, PageReader::Make(std::move(entries), dictionary.items(),
                                                        keys ? *type_.entries : type_, pool_));
  // Where their text is, shows only when their ends were read: ask for every buffer but the indices.
  for (const ByteRange& buffer : page_.buffers) {
    if (buffer != indices_) entries_plan_.push_back(buffer);
  }
  return arrow::Status::OK();
}

arrow::Status DictionaryPage::Init(Buffers buffers) {
  const size_t tables = entries_page_->InitRanges().size();
  ARROW_RETURN_NOT_OK(entries_page_->Init(buffers.first(tables)));
  const auto bytes_of = [&](const ByteRange& range) -> std::optional<std::span<const uint8_t>> {
    for (size_t i = 0; i < entries_plan_.size(); ++i) {
      const ByteRange& have = entries_plan_[i];
      if (range.offset >= have.offset && range.end() <= have.end()) {
        return buffers[tables + i].subspan(static_cast<size_t>(range.offset - have.offset),
                                           static_cast<size_t>(range.length));
      }
    }
    return std::nullopt;
  };
  const RowRange all{0, entries_page_->num_rows()};
  const std::span<const RowRange> rows(&all, all.size() > 0 ? 1 : 0);
  std::vector<ByteRange> plan;
  entries_page_->Plan(rows, &plan);
  std::vector<std::span<const uint8_t>> parts;
  for (const ByteRange& range : plan) {
    const auto bytes = bytes_of(range);
    if (!bytes) return Corrupt(range.offset, "a dictionary whose entries are its indices");
    parts.push_back(*bytes);
  }
  const LeafType& entry = type_.kind == LeafType::Kind::kDictionary ? *type_.entries : type_;
  ARROW_ASSIGN_OR_RAISE(auto builder, ColumnBuilder::Make(entry, all.size(), pool_));
  ARROW_RETURN_NOT_OK(entries_page_->Decode(rows, parts, &builder));
  ARROW_ASSIGN_OR_RAISE(entries_, builder.Finish());
  if (type_.kind != LeafType::Kind::kDictionary) return arrow::Status::OK();
  int64_t valid = 0;
  keys_.clear();
  for (int64_t i = 0; i < entries_->length; ++i) keys_.push_back(entries_->IsValid(i) ? valid++ : kNull);
  if (valid == entries_->length) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto values, arrow::compute::DropNull(*arrow::MakeArray(entries_)));
  entries_ = values->data();
  return arrow::Status::OK();
}

arrow::Status DictionaryPage::AppendString(uint64_t index, ColumnBuilder* out) const {
  if (index > static_cast<uint64_t>(entries_->length)) {
    return arrow::Status::Invalid("index ", index, " into a dictionary of ", entries_->length);
  }
  const int64_t entry = static_cast<int64_t>(index) - 1;
  const bool valid = index != 0 && entries_->IsValid(entry);
  ARROW_RETURN_NOT_OK(out->validity().Append(valid, 1));
  if (!valid) return out->AppendZeros(1);
  const uint8_t* text = entries_->buffers[2]->data();
  const auto append = [&](const auto* offsets) {
    return out->AppendBytes(
        {text + offsets[entry], static_cast<size_t>(offsets[entry + 1] - offsets[entry])});
  };
  return type_.offset_bits == 64 ? append(entries_->GetValues<int64_t>(1))
                                 : append(entries_->GetValues<int32_t>(1));
}

arrow::Status DictionaryPage::AppendKey(uint64_t index, ColumnBuilder* out) const {
  if (index >= keys_.size()) {
    return arrow::Status::Invalid("index ", index, " into a dictionary of ", keys_.size());
  }
  const int64_t stored = keys_[index];
  ARROW_RETURN_NOT_OK(out->validity().Append(stored != kNull, 1));
  if (stored == kNull) return out->AppendZeros(1);
  index = static_cast<uint64_t>(stored);
  const auto& key = *static_cast<const arrow::DictionaryType&>(*type_.type).index_type();
  const int key_bits = static_cast<int>(type_.bits) - (arrow::is_signed_integer(key.id()) ? 1 : 0);
  if (key_bits < 64 && index >> key_bits != 0) {
    return arrow::Status::CapacityError("key ", index, " does not fit a column of ", type_.type->ToString());
  }
  ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->AppendUninitialized(1));
  std::memcpy(to, &index, static_cast<size_t>(type_.bits / 8));
  return arrow::Status::OK();
}

arrow::Status DictionaryPage::Decode(std::span<const RowRange> rows, Buffers buffers,
                                     ColumnBuilder* out) const {
  const bool keys = type_.kind == LeafType::Kind::kDictionary;
  if (keys) out->UseDictionary(entries_);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (int64_t k = 0; k < rows[i].size(); ++k) {
      const uint64_t index = Index(buffers[i].data() + k * index_bytes_);
      const auto status = keys ? AppendKey(index, out) : AppendString(index, out);
      if (!status.ok()) return Locate(status, indices_.offset + (rows[i].begin + k) * index_bytes_);
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<PageReader>> MakeDictionaryPageV2_0(PageDescription page,
                                                                  const v2_0::Dictionary& dictionary,
                                                                  const LeafType& type,
                                                                  arrow::MemoryPool* pool) {
  auto reader = std::make_unique<DictionaryPage>(std::move(page), type, pool);
  ARROW_RETURN_NOT_OK(reader->Prepare(dictionary));
  return reader;
}

}  // namespace pilum
