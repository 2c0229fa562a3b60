// SPDX-License-Identifier: Apache-2.0
#include "pilum/index/scalar/btree_index.h"

#include <arrow/array.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

#include "pilum/file/file_reader.h"
#include "pilum/index/scalar/btree_files.h"
#include "pilum/index/scalar/ordered_values.h"
#include "pilum/util/error.h"
#include "pilum/util/lru_cache.h"

namespace pilum {

namespace {

constexpr int64_t kDefaultPageRows = 4096;
constexpr int64_t kPageCacheBytes = int64_t{64} << 20;

/// One page: values and the ids beside them.
struct Page {
  OrderedValues values;
  std::shared_ptr<arrow::UInt64Array> ids;

  /// Appends the ids of the rows that hold `key`.
  void Find(const OrderedKey& key, std::vector<uint64_t>* found) const {
    const int64_t end = values.UpperBound(key);
    for (int64_t i = values.LowerBound(key); i < end; ++i) found->push_back(ids->Value(i));
  }
};

/// Ascending without repeats: the official engine writes an entry twice after a replay.
void Normalize(std::vector<uint64_t>* ids) {
  std::sort(ids->begin(), ids->end());
  ids->erase(std::unique(ids->begin(), ids->end()), ids->end());
}

class BTreeIndexImpl final : public BTreeIndex {
 public:
  BTreeIndexImpl(std::shared_ptr<ObjectStore> directory, OrderedValues min, OrderedValues max,
                 std::vector<uint32_t> page_numbers, int64_t page_rows)
      : directory_(std::move(directory)),
        min_(std::move(min)),
        max_(std::move(max)),
        page_numbers_(std::move(page_numbers)),
        page_rows_(page_rows),
        pages_(kPageCacheBytes) {}

  const std::shared_ptr<arrow::DataType>& value_type() const override { return min_.type(); }
  int64_t num_pages() const override { return min_.length(); }

  arrow::Result<std::vector<uint64_t>> Lookup(const arrow::Scalar& value) override {
    std::vector<uint64_t> found;
    if (!value.is_valid) return found;
    OrderedKey key;
    ARROW_RETURN_NOT_OK(min_.MakeKey(value, &key));
    const auto [begin, end] = CandidatePages(key);
    for (int64_t row = begin; row < end; ++row) {
      ARROW_ASSIGN_OR_RAISE(const auto page, GetPage(page_numbers_[static_cast<size_t>(row)]));
      page->Find(key, &found);
    }
    Normalize(&found);
    return found;
  }

  arrow::Result<std::vector<std::vector<uint64_t>>> LookupMany(const arrow::Array& values) override {
    std::vector<std::vector<uint64_t>> found(static_cast<size_t>(values.length()));
    std::vector<std::shared_ptr<arrow::Scalar>> scalars;  // the keys point into them
    std::vector<OrderedKey> keys(found.size());
    std::map<uint32_t, std::vector<size_t>> wanted;  // page -> positions in `values`
    for (size_t i = 0; i < found.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto scalar, values.GetScalar(static_cast<int64_t>(i)));
      if (!scalar->is_valid) continue;
      ARROW_RETURN_NOT_OK(min_.MakeKey(*scalar, &keys[i]));
      scalars.push_back(std::move(scalar));
      const auto [begin, end] = CandidatePages(keys[i]);
      for (int64_t row = begin; row < end; ++row)
        wanted[page_numbers_[static_cast<size_t>(row)]].push_back(i);
    }
    for (const auto& [number, positions] : wanted) {
      ARROW_ASSIGN_OR_RAISE(const auto page, GetPage(number));
      for (const size_t i : positions) page->Find(keys[i], &found[i]);
    }
    for (auto& ids : found) Normalize(&ids);
    return found;
  }

  arrow::Result<std::vector<uint64_t>> AllIds() override {
    std::vector<uint64_t> all;
    for (const uint32_t number : page_numbers_) {
      ARROW_ASSIGN_OR_RAISE(const auto page, GetPage(number));
      all.insert(all.end(), page->ids->raw_values(), page->ids->raw_values() + page->ids->length());
    }
    Normalize(&all);
    return all;
  }

 private:
  /// Rows of the lookup table whose pages may hold `key`: those from the first that does not end before it to
  /// the last that does not begin after it. A page that begins with nulls has a null min, which sorts first.
  std::pair<int64_t, int64_t> CandidatePages(const OrderedKey& key) const {
    const int64_t begin = max_.LowerBound(key);
    return {begin, std::max(begin, min_.UpperBound(key))};
  }

  arrow::Result<FileReader*> PageFile() {
    std::lock_guard lock(mutex_);
    if (page_file_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto object, directory_->Open(kBTreePageFile));
      ARROW_ASSIGN_OR_RAISE(page_file_, FileReader::Open(std::move(object)));
    }
    return page_file_.get();
  }

  arrow::Result<std::shared_ptr<const Page>> GetPage(uint32_t number) {
    const std::string key = std::to_string(number);
    if (auto page = pages_.Get(key)) return page;
    ARROW_ASSIGN_OR_RAISE(FileReader * file, PageFile());
    const std::string path = directory_->Describe(kBTreePageFile);
    const int64_t whole_pages = file->num_rows() / page_rows_;
    const int64_t begin = std::min<int64_t>(number, whole_pages) * page_rows_;
    const int64_t end = begin + std::min(page_rows_, file->num_rows() - begin);
    if (number > whole_pages || begin == end) {
      return CorruptFile(directory_->Describe(kBTreeLookupFile), -1,
                         "page " + std::to_string(number) + " lies behind the " +
                             std::to_string(file->num_rows()) + " rows of " + path);
    }
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          file->ReadRange(file->WholeFile(), begin, end, arrow::default_memory_pool()));
    if (rows->num_columns() != 2 || !rows->column(0)->type()->Equals(*value_type()) ||
        rows->column(1)->type_id() != arrow::Type::UINT64 || rows->column(1)->null_count() > 0) {
      return CorruptFile(
          path, -1,
          "not the pages of a BTree over " + value_type()->ToString() + ": " + rows->schema()->ToString());
    }
    auto values = OrderedValues::Make(rows->column(0));
    if (!values.ok())
      return CorruptFile(path, -1, "page " + std::to_string(number) + ": " + values.status().message());
    auto page = std::make_shared<const Page>(
        Page{*std::move(values), std::static_pointer_cast<arrow::UInt64Array>(rows->column(1))});
    pages_.Put(key, page, page->values.size_bytes() + page->ids->length() * 8);
    return page;
  }

  const std::shared_ptr<ObjectStore> directory_;
  const OrderedValues min_, max_;
  const std::vector<uint32_t> page_numbers_;
  const int64_t page_rows_;
  LruCache<Page> pages_;
  std::mutex mutex_;  // page_file_
  std::shared_ptr<FileReader> page_file_;
};

int64_t PageRows(const arrow::Schema& schema) {
  int64_t rows = 0;
  if (schema.metadata() != nullptr) {
    const auto text = schema.metadata()->Get(kBTreePageRowsKey);
    if (text.ok()) std::from_chars(text->data(), text->data() + text->size(), rows);
  }
  return rows > 0 ? rows : kDefaultPageRows;
}

bool IsRangePartitioned(const arrow::Schema& schema) {
  return schema.metadata() != nullptr &&
         schema.metadata()->Get(kBTreeRangePartitionedKey).ValueOr("") == "true";
}

}  // namespace

arrow::Result<std::shared_ptr<BTreeIndex>> BTreeIndex::Open(std::shared_ptr<ObjectStore> directory) {
  const std::string path = directory->Describe(kBTreeLookupFile);
  ARROW_ASSIGN_OR_RAISE(auto object, directory->Open(kBTreeLookupFile));
  ARROW_ASSIGN_OR_RAISE(auto file, FileReader::Open(std::move(object)));
  const auto& schema = *file->schema()->arrow();
  if (IsRangePartitioned(schema))
    return arrow::Status::NotImplemented(path, ": range partitioned BTree indexes");
  ARROW_ASSIGN_OR_RAISE(
      const auto rows, file->ReadRange(file->WholeFile(), 0, file->num_rows(), arrow::default_memory_pool()));
  if (rows->num_columns() != 4 || !rows->column(0)->type()->Equals(*rows->column(1)->type()) ||
      rows->column(3)->type_id() != arrow::Type::UINT32 || rows->column(3)->null_count() > 0) {
    return CorruptFile(path, -1, "not the lookup table of a BTree: " + schema.ToString());
  }
  auto min = OrderedValues::Make(rows->column(0));
  auto max = OrderedValues::Make(rows->column(1));
  if (!min.ok() || !max.ok()) {
    return CorruptFile(path, -1, (min.ok() ? max.status() : min.status()).message());
  }
  const auto& numbers = static_cast<const arrow::UInt32Array&>(*rows->column(3));
  std::vector<uint32_t> page_numbers(numbers.raw_values(), numbers.raw_values() + numbers.length());
  return std::make_shared<BTreeIndexImpl>(std::move(directory), *std::move(min), *std::move(max),
                                          std::move(page_numbers), PageRows(schema));
}

}  // namespace pilum
