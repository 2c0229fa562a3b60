// SPDX-License-Identifier: Apache-2.0
#include <arrow/compute/expression.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrow_interop.h"
#include "bindings.h"
#include "errors.h"
#include "pilum/dataset/dataset.h"
#include "pilum/dataset/scanner.h"
#include "pilum/util/error.h"

namespace pilum::python {

namespace nb = nanobind;
using namespace nb::literals;  // NOLINT(google-build-using-namespace): "name"_a

namespace {

using DatasetPtr = std::shared_ptr<Dataset>;
using ScannerPtr = std::shared_ptr<Scanner>;
using Properties = std::map<std::string, std::string>;

DatasetPtr Open(const std::string& uri, std::optional<uint64_t> version) {
  OpenOptions options;
  options.version = version;
  return Check(Unlocked([&] { return Dataset::Open(uri, options); }), PyExc_ValueError);
}

WriteMode ParseMode(const std::string& mode) {
  if (mode == "create") return WriteMode::kCreate;
  if (mode == "append") return WriteMode::kAppend;
  if (mode == "overwrite") return WriteMode::kOverwrite;
  throw nb::value_error(("Invalid mode " + mode).c_str());
}

DatasetPtr Write(nb::object data, const std::string& uri, const std::string& mode, int64_t max_rows_per_file,
                 int64_t max_bytes_per_file, std::optional<std::string> data_storage_version,
                 Properties transaction_properties, bool ingest_blobs, bool allow_external_blob_outside_bases,
                 std::optional<int64_t> blob_pack_file_size_threshold) {
  WriteOptions options;
  options.mode = ParseMode(mode);
  options.max_rows_per_file = max_rows_per_file;
  options.max_bytes_per_file = max_bytes_per_file;
  options.transaction_properties = std::move(transaction_properties);
  if (data_storage_version) {
    options.data_storage_version = Check(ParseFormatVersion(*data_storage_version), PyExc_ValueError);
  }
  if (ingest_blobs) options.external_blob_mode = ExternalBlobMode::kIngest;
  options.allow_external_blob_outside_bases = allow_external_blob_outside_bases;
  options.blob_pack_file_size_threshold = blob_pack_file_size_threshold;
  auto reader = ReaderFromPython(data);
  return Check(Unlocked([&] { return Dataset::Write(std::move(reader), uri, options); }));
}

/// An expression as pyarrow pickles it, or none.
std::optional<arrow::compute::Expression> ExpressionFromPython(nb::handle serialized) {
  if (serialized.is_none()) return std::nullopt;
  const auto bytes = nb::cast<nb::bytes>(serialized);
  const auto buffer = arrow::Buffer::FromString(std::string(bytes.c_str(), bytes.size()));
  return Check(arrow::compute::Deserialize(buffer), PyExc_ValueError);
}

ScannerPtr NewScan(const Dataset& dataset, std::optional<std::vector<std::string>> columns,
                   std::string filter, std::optional<int64_t> limit, std::optional<int64_t> offset,
                   std::optional<int64_t> batch_size, std::optional<int64_t> batch_size_bytes,
                   bool with_row_id, bool with_row_address, bool scan_in_order, bool use_scalar_index,
                   std::optional<std::vector<uint64_t>> fragment_ids, nb::object serialized_filter,
                   bool blob_bytes) {
  ScanOptions options;
  options.columns = std::move(columns);
  options.filter = std::move(filter);
  options.limit = limit;
  options.offset = offset;
  if (batch_size) options.batch_size = *batch_size;
  options.batch_size_bytes = batch_size_bytes;
  options.with_row_id = with_row_id;
  options.with_row_address = with_row_address;
  options.scan_in_order = scan_in_order;
  options.use_scalar_index = use_scalar_index;
  options.fragment_ids = std::move(fragment_ids);
  options.filter_expression = ExpressionFromPython(serialized_filter);
  if (blob_bytes) options.blob_handling = BlobHandling::kBinary;
  return Check(Unlocked([&] { return dataset.NewScan(options); }), PyExc_ValueError);
}

/// Version number, nanoseconds since the epoch, and the counts that pylance shows as `metadata`.
nb::dict DescribeVersion(const Manifest& manifest) {
  uint64_t rows = 0, files = 0, bytes = 0, deleted = 0, deletion_files = 0;
  for (const auto& fragment : manifest.fragments()) {
    rows += fragment.physical_rows();
    files += static_cast<uint64_t>(fragment.files_size());
    for (const auto& file : fragment.files()) bytes += file.file_size_bytes();
    deletion_files += fragment.has_deletion_file() ? 1 : 0;
    deleted += fragment.deletion_file().num_deleted_rows();
  }
  nb::dict metadata;
  metadata["total_data_file_rows"] = std::to_string(rows);
  metadata["total_data_files"] = std::to_string(files);
  metadata["total_deletion_file_rows"] = std::to_string(deleted);
  metadata["total_deletion_files"] = std::to_string(deletion_files);
  metadata["total_files_size"] = std::to_string(bytes);
  metadata["total_fragments"] = std::to_string(manifest.fragments().size());
  metadata["total_rows"] = std::to_string(rows - deleted);
  nb::dict version;
  version["version"] = manifest.version();
  version["timestamp_ns"] =
      manifest.proto.timestamp().seconds() * 1'000'000'000 + manifest.proto.timestamp().nanos();
  version["metadata"] = metadata;
  return version;
}

nb::list Versions(const Dataset& dataset) {
  std::vector<DatasetPtr> versions;
  Check(Unlocked([&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto infos, dataset.Versions());
    for (const VersionInfo& info : infos) {
      ARROW_ASSIGN_OR_RAISE(versions.emplace_back(), dataset.Checkout(info.version));
    }
    return arrow::Status::OK();
  }));
  nb::list described;
  for (const auto& version : versions) described.append(DescribeVersion(version->manifest()));
  return described;
}

nb::object TakeRows(const Dataset& dataset, const std::vector<int64_t>& offsets,
                    const std::vector<std::string>& columns) {
  return ToPython(Check(Unlocked([&] { return dataset.Take(offsets, columns); })));
}

arrow::Result<std::vector<Dataset::RowBlob>> FindBlobs(const Dataset& dataset, const std::string& column,
                                                       const std::vector<uint64_t>& rows,
                                                       const std::string& selection) {
  const bool stable_ids = (dataset.manifest().proto.reader_feature_flags() & kFlagStableRowIds) != 0;
  if (selection == "ids" && stable_ids) return arrow::Status::NotImplemented("rows by stable row id");
  if (selection != "indices") return dataset.TakeBlobs(column, rows);
  const std::vector<int64_t> offsets(rows.begin(), rows.end());
  ARROW_ASSIGN_OR_RAISE(const auto addresses, dataset.AddressesOf(offsets));
  return dataset.TakeBlobs(column, addresses);
}

/// What is wrong with rows and columns that were asked for is a ValueError, all else an OSError.
PyObject* ErrorOfSelection(const arrow::Status& status) {
  return status.IsInvalid() || status.IsIndexError() ? PyExc_ValueError : PyExc_OSError;
}

/// Pairs of a row's address and its value, None for a null.
nb::list TakeBlobs(const Dataset& dataset, const std::string& column, const std::vector<uint64_t>& rows,
                   const std::string& selection) {
  auto found = Unlocked([&] { return FindBlobs(dataset, column, rows, selection); });
  Check(found.status(), ErrorOfSelection(found.status()));
  nb::list blobs;
  for (auto& [address, blob] : *found) {
    blobs.append(nb::make_tuple(address, blob ? nb::cast(*std::move(blob)) : nb::none()));
  }
  return blobs;
}

nb::list ReadBlobBytes(const Dataset& dataset, const std::string& column, const std::vector<uint64_t>& rows,
                       const std::string& selection) {
  std::vector<Dataset::RowBlob> found;
  std::vector<std::shared_ptr<arrow::Buffer>> values;
  const auto status = Unlocked([&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(found, FindBlobs(dataset, column, rows, selection));
    std::vector<std::optional<BlobFile>> blobs;
    for (const auto& row : found) blobs.push_back(row.blob);
    return ReadBlobs(blobs).Value(&values);
  });
  Check(status, ErrorOfSelection(status));
  nb::list pairs;
  for (size_t i = 0; i < found.size(); ++i) {
    nb::object value = nb::none();
    if (values[i] != nullptr) value = ToBytes(*values[i]);
    pairs.append(nb::make_tuple(found[i].address, value));
  }
  return pairs;
}

nb::list IndexNames(const Dataset& dataset) {
  nb::list names;
  for (const auto& index : dataset.manifest().indexes.indices()) names.append(index.name());
  return names;
}

nb::dict Config(const Dataset& dataset) {
  nb::dict config;
  for (const auto& [key, value] : dataset.manifest().proto.config()) config[key.c_str()] = value;
  return config;
}

nb::object ScanTable(const Scanner& scanner) {
  // Through a reader of pyarrow, so that Ctrl-C is seen between batches.
  return ToPython(Check(Unlocked([&] { return scanner.ToReader(); }))).attr("read_all")();
}

}  // namespace

void BindDataset(nb::module_& module) {
  nb::class_<Scanner>(module, "Scanner")
      .def_prop_ro("schema", [](const Scanner& self) { return ToPython(self.schema()); })
      .def("to_reader",
           [](const Scanner& self) { return ToPython(Check(Unlocked([&] { return self.ToReader(); }))); })
      .def("to_table", &ScanTable)
      .def("count_rows",
           [](const Scanner& self) { return Check(Unlocked([&] { return self.CountRows(); })); })
      .def("explain", &Scanner::Explain);

  nb::class_<Schema>(module, "LanceSchema")
      .def("to_pyarrow", [](const Schema& self) { return ToPython(self.arrow()); })
      .def("__str__", [](const Schema& self) { return self.arrow()->ToString(); });

  nb::class_<BlobFile>(module, "BlobFile")
      .def_prop_ro("size", &BlobFile::size)
      .def("close", [](const BlobFile& self) { self.source()->Close(); })
      .def(
          "read",
          [](const BlobFile& self, int64_t offset, int64_t length) {
            return ToBytes(*Check(Unlocked([&] { return self.Read(offset, length); })));
          },
          "offset"_a, "length"_a);

  nb::class_<Dataset>(module, "Dataset")
      .def_prop_ro("uri", &Dataset::uri)
      .def_prop_ro("version", &Dataset::version)
      .def_prop_ro("schema", [](const Dataset& self) { return ToPython(self.schema()); })
      .def_prop_ro("lance_schema",
                   [](const Dataset& self) { return std::const_pointer_cast<Schema>(self.lance_schema()); })
      .def_prop_ro("data_storage_version",
                   [](const Dataset& self) { return std::string(ToString(self.manifest().data_version)); })
      .def_prop_ro("index_names", &IndexNames)
      .def_prop_ro("config", &Config)
      .def("versions", &Versions)
      .def("checkout",
           [](const Dataset& self, uint64_t version) {
             return Check(Unlocked([&] { return self.Checkout(version); }));
           })
      .def("checkout_latest",
           [](const Dataset& self) { return Check(Unlocked([&] { return self.CheckoutLatest(); })); })
      .def("count_rows",
           [](const Dataset& self, const std::string& filter) {
             return Check(Unlocked([&] { return self.CountRows(filter); }), PyExc_ValueError);
           })
      .def("new_scan", &NewScan, nb::kw_only(), "columns"_a = nb::none(), "filter"_a = "",
           "limit"_a = nb::none(), "offset"_a = nb::none(), "batch_size"_a = nb::none(),
           "batch_size_bytes"_a = nb::none(), "with_row_id"_a = false, "with_row_address"_a = false,
           "scan_in_order"_a = true, "use_scalar_index"_a = true, "fragment_ids"_a = nb::none(),
           "serialized_filter"_a = nb::none(), "blob_bytes"_a = false)
      .def("take_blobs", &TakeBlobs, "column"_a, "rows"_a, "selection"_a)
      .def("read_blobs", &ReadBlobBytes, "column"_a, "rows"_a, "selection"_a)
      .def("take", &TakeRows, "offsets"_a, "columns"_a);

  module.def("open_dataset", &Open, "uri"_a, "version"_a = nb::none());
  module.def("write_dataset", &Write, "data"_a, "uri"_a, nb::kw_only(), "mode"_a, "max_rows_per_file"_a,
             "max_bytes_per_file"_a, "data_storage_version"_a = nb::none(),
             "transaction_properties"_a = Properties(), "ingest_blobs"_a = false,
             "allow_external_blob_outside_bases"_a = false, "blob_pack_file_size_threshold"_a = nb::none());
}

}  // namespace pilum::python
