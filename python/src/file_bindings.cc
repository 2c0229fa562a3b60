// SPDX-License-Identifier: Apache-2.0
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "arrow_interop.h"
#include "bindings.h"
#include "errors.h"
#include "pilum/file/file_reader.h"
#include "pilum/file/file_scan.h"
#include "pilum/file/file_writer.h"
#include "pilum/io/object_store.h"
#include "pilum/io/object_tree.h"

namespace pilum::python {

namespace nb = nanobind;
using namespace nb::literals;  // NOLINT(google-build-using-namespace): "name"_a

namespace {

/// The folder of a file and its name in it.
arrow::Result<std::pair<std::shared_ptr<ObjectStore>, std::string>> ResolveFile(const std::string& uri) {
  const size_t slash = uri.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : uri.substr(0, slash);
  ARROW_ASSIGN_OR_RAISE(auto location, ResolveUri(folder));
  return std::pair{std::move(location.store), slash == std::string::npos ? uri : uri.substr(slash + 1)};
}

/// A file and the columns of it that are asked for. Any thread.
struct PyFileReader {
  std::shared_ptr<FileReader> file;
  FileProjection projection;
};

using Columns = std::optional<std::vector<std::string>>;

std::shared_ptr<PyFileReader> OpenReader(ObjectStore& store, const std::string& path,
                                         const Columns& columns) {
  auto file = Check(Unlocked([&]() -> arrow::Result<std::shared_ptr<FileReader>> {
    ARROW_ASSIGN_OR_RAISE(auto object, store.Open(path));
    ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(std::move(object)));
    if (reader->version() ==
        FormatVersion::kLegacy) {  // as pylance: tables read them, LanceFileReader does not
      return arrow::Status::IOError(reader->path(),
                                    ": Attempt to use the lance v2 reader to read a legacy file");
    }
    return reader;
  }));
  if (!columns) return std::make_shared<PyFileReader>(PyFileReader{file, file->WholeFile()});
  // An unknown column is an OSError in pylance, no columns at all a ValueError.
  PyObject* otherwise = columns->empty() ? PyExc_ValueError : PyExc_OSError;
  auto projection = Check(FileProjection::Make(*file->schema(), file->version(), *columns), otherwise);
  return std::make_shared<PyFileReader>(PyFileReader{std::move(file), std::move(projection)});
}

using Range = std::pair<int64_t, int64_t>;  // position, size

std::vector<Range> ToRanges(const std::vector<ByteRange>& ranges) {
  std::vector<Range> pairs;
  for (const ByteRange& range : ranges) pairs.emplace_back(range.offset, range.length);
  return pairs;
}

nb::dict Describe(const PyFileReader& self) {
  const auto description = Check(Unlocked([&] { return self.file->Describe(); }));
  nb::list columns;
  for (const auto& column : description.columns) {
    nb::list pages;
    for (const auto& page : column.pages) pages.append(nb::make_tuple(ToRanges(page.buffers), page.encoding));
    columns.append(nb::make_tuple(ToRanges(column.buffers), pages));
  }
  const auto [major, minor] = FooterNumbers(self.file->version());
  nb::dict result;
  result["major_version"] = major;
  result["minor_version"] = minor;
  result["schema"] = ToPython(self.file->schema()->arrow());
  result["num_rows"] = self.file->num_rows();
  result["num_data_bytes"] = description.num_data_bytes;
  result["num_column_metadata_bytes"] = description.num_column_metadata_bytes;
  result["num_global_buffer_bytes"] = description.num_global_buffer_bytes;
  result["global_buffers"] = ToRanges(description.global_buffers);
  result["columns"] = columns;
  return result;
}

std::shared_ptr<FileWriter> OpenWriter(ObjectStore& store, const std::string& path, nb::handle schema,
                                       std::optional<int64_t> data_cache_bytes,
                                       const std::optional<std::string>& version) {
  FileWriterOptions options;
  if (version) options.version = Check(ParseFormatVersion(*version), PyExc_ValueError);
  const auto arrow_schema = SchemaFromPython(schema);
  auto fields = Check(Schema::FromArrow(*arrow_schema), PyExc_ValueError);
  if (data_cache_bytes) {
    options.page_bytes = std::max<int64_t>(*data_cache_bytes / std::max(1, arrow_schema->num_fields()), 1);
  }
  auto writer = Check(Unlocked([&]() -> arrow::Result<std::shared_ptr<FileWriter>> {
                        ARROW_ASSIGN_OR_RAISE(auto sink, store.Create(path, Durability::kPowerLoss));
                        return FileWriter::Make(std::move(sink), std::move(fields), options);
                      }),
                      PyExc_ValueError);
  return ReleasedWithoutLock(std::move(writer));
}

void BindReader(nb::module_& module) {
  nb::class_<PyFileReader>(module, "FileReader")
      .def_prop_ro("num_rows", [](const PyFileReader& self) { return self.file->num_rows(); })
      .def(
          "read_range",
          [](const PyFileReader& self, int64_t start, int64_t num_rows, int64_t batch_size) {
            return ToPython(Check(ScanFile(self.file, self.projection, start, start + num_rows, batch_size),
                                  PyExc_ValueError));
          },
          "start"_a, "num_rows"_a, "batch_size"_a)
      .def(
          "take_rows",
          [](const PyFileReader& self, const std::vector<int64_t>& rows, int64_t batch_size) {
            const auto taken =
                Unlocked([&] { return TakeFromFile(*self.file, self.projection, rows, batch_size); });
            PyObject* otherwise = taken.status().IsIndexError() ? PyExc_ValueError : PyExc_OSError;
            return ToPython(Check(taken, otherwise));
          },
          "indices"_a, "batch_size"_a)
      .def(
          "read_global_buffer",
          [](const PyFileReader& self, int32_t index) {
            const auto bytes = Unlocked([&] { return self.file->ReadGlobalBuffer(index); });
            const auto buffer = Check(bytes, bytes.status().IsInvalid() ? PyExc_ValueError : PyExc_OSError);
            return nb::bytes(reinterpret_cast<const char*>(buffer->data()),
                             static_cast<size_t>(buffer->size()));
          },
          "index"_a)
      .def("describe", &Describe);
  module.def(
      "open_file_reader",
      [](const std::string& path, const Columns& columns) {
        const auto [store, name] = Check(ResolveFile(path));
        return OpenReader(*store, name, columns);
      },
      "path"_a, "columns"_a = nb::none());
}

void BindWriter(nb::module_& module) {
  nb::class_<FileWriter>(module, "FileWriter")
      .def(
          "write",
          [](FileWriter& self, nb::handle data) {
            const auto reader = ReaderFromPython(data);
            Check(Unlocked([&]() -> arrow::Status {
                    for (;;) {
                      ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
                      if (batch == nullptr) return arrow::Status::OK();
                      ARROW_RETURN_NOT_OK(self.Write(*batch));
                    }
                  }),
                  PyExc_ValueError);
          },
          "data"_a)
      .def("add_schema_metadata", &FileWriter::AddSchemaMetadata, "key"_a, "value"_a)
      .def(
          "add_global_buffer",
          [](FileWriter& self, const nb::bytes& data) {
            const std::span bytes(reinterpret_cast<const uint8_t*>(data.c_str()), data.size());
            return Check(Unlocked([&] { return self.AddGlobalBuffer(bytes); }));
          },
          "data"_a)
      .def("finish",
           [](FileWriter& self) { return Check(Unlocked([&] { return self.Finish(); })).num_rows; });
  module.def("stable_version", [] { return std::string(ToString(kStableFormatVersion)); });
  module.def(
      "open_file_writer",
      [](const std::string& path, nb::handle schema, std::optional<int64_t> data_cache_bytes,
         const std::optional<std::string>& version) {
        const auto [store, name] = Check(ResolveFile(path), PyExc_ValueError);
        return OpenWriter(*store, name, schema, data_cache_bytes, version);
      },
      "path"_a, "schema"_a, "data_cache_bytes"_a = nb::none(), "version"_a = nb::none());
}

/// A folder of files. Paths are relative to it and may begin and end with '/'.
struct PyFileSession {
  std::shared_ptr<ObjectStore> store;
};

/// `path` as stores have it.
std::string Inside(const std::string& path) {
  std::string inside;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    if (name == "." || name == "..") {
      throw nb::value_error(("'" + path + "' is not a path below the session's base path").c_str());
    }
    if (!name.empty()) inside = JoinPath(inside, name);
    begin = end + 1;
  }
  return inside;
}

void BindSession(nb::module_& module) {
  nb::class_<PyFileSession>(module, "FileSession")
      .def(
          "open_reader",
          [](const PyFileSession& self, const std::string& path, const Columns& columns) {
            return OpenReader(*self.store, Inside(path), columns);
          },
          "path"_a, "columns"_a = nb::none())
      .def(
          "open_writer",
          [](const PyFileSession& self, const std::string& path, nb::handle schema,
             std::optional<int64_t> data_cache_bytes, const std::optional<std::string>& version) {
            return OpenWriter(*self.store, Inside(path), schema, data_cache_bytes, version);
          },
          "path"_a, "schema"_a, "data_cache_bytes"_a = nb::none(), "version"_a = nb::none())
      .def(
          "contains",
          [](const PyFileSession& self, const std::string& path) {
            const std::string inside = Inside(path);
            return !inside.empty() && Check(Unlocked([&] { return self.store->Exists(inside); }));
          },
          "path"_a)
      .def(
          "list",
          [](const PyFileSession& self, const std::string& path) {
            const std::string inside = Inside(path);
            return Check(Unlocked([&] { return ListTree(*self.store, inside); }));
          },
          "path"_a)
      .def(
          "upload",
          [](const PyFileSession& self, const std::string& local_path, const std::string& path) {
            const auto [local, name] = Check(ResolveFile(local_path));
            const std::string inside = Inside(path);
            Check(Unlocked(
                [&] { return CopyObject(*local, name, *self.store, inside, Durability::kPowerLoss); }));
          },
          "local_path"_a, "path"_a)
      .def(
          "download",
          [](const PyFileSession& self, const std::string& path, const std::string& local_path) {
            const auto [local, name] = Check(ResolveFile(local_path));
            const std::string inside = Inside(path);
            Check(Unlocked(
                [&] { return CopyObject(*self.store, inside, *local, name, Durability::kPowerLoss); }));
          },
          "path"_a, "local_path"_a);
  module.def(
      "open_file_session",
      [](const std::string& base_path) { return PyFileSession{Check(ResolveUri(base_path)).store}; },
      "base_path"_a);
}

}  // namespace

void BindFile(nb::module_& module) {
  BindReader(module);
  BindWriter(module);
  BindSession(module);
}

}  // namespace pilum::python
