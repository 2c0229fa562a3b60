// SPDX-License-Identifier: Apache-2.0
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <mutex>

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

/// A writer that several threads may call, one after the other.
struct PyFileWriter {
  explicit PyFileWriter(std::shared_ptr<FileWriter> opened) : writer(std::move(opened)) {}

  /// `call` of the writer, without the interpreter's lock.
  template <typename Call>
  auto Do(const Call& call) {
    return Unlocked([&] {
      std::lock_guard lock(mutex);
      return call(*writer);
    });
  }

  std::mutex mutex;
  const std::shared_ptr<FileWriter> writer;  // GUARDED_BY(mutex)
};

std::unique_ptr<PyFileWriter> OpenWriter(ObjectStore& store, const std::string& path, nb::handle schema,
                                         std::optional<int64_t> data_cache_bytes,
                                         const std::optional<std::string>& version) {
  FileWriterOptions options;
  if (version) options.version = Check(ParseFormatVersion(*version), PyExc_ValueError);
  const auto arrow_schema = SchemaFromPython(schema);
  auto fields = Check(Schema::FromArrow(*arrow_schema), PyExc_ValueError);
  if (data_cache_bytes) {
    options.pending_bytes = *data_cache_bytes;
    options.page_bytes = std::max<int64_t>(*data_cache_bytes / std::max(1, arrow_schema->num_fields()), 1);
  }
  auto writer = Check(Unlocked([&]() -> arrow::Result<std::shared_ptr<FileWriter>> {
                        ARROW_ASSIGN_OR_RAISE(auto sink, store.Create(path, Durability::kPowerLoss));
                        return FileWriter::Make(std::move(sink), std::move(fields), options);
                      }),
                      PyExc_ValueError);
  return std::make_unique<PyFileWriter>(ReleasedWithoutLock(std::move(writer)));
}

void BindReader(nb::module_& module) {
  nb::class_<PyFileReader>(module, "FileReader")
      .def_prop_ro("num_rows", [](const PyFileReader& self) { return self.file->num_rows(); })
      .def(
          "read_range",
          [](const PyFileReader& self, int64_t start, int64_t num_rows, int64_t batch_size) {
            int64_t end = 0;  // a sum that no file reaches is past its end
            if (__builtin_add_overflow(start, num_rows, &end)) end = INT64_MAX;
            return ToPython(
                Check(ScanFile(self.file, self.projection, start, end, batch_size), PyExc_ValueError));
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
            return ToBytes(*buffer);
          },
          "index"_a)
      .def("describe", &Describe);
  module.def(
      "open_file_reader",
      [](const std::string& path, const Columns& columns) {
        const auto file = Check(ResolveObject(path));
        return OpenReader(*file.store, file.path, columns);
      },
      "path"_a, "columns"_a = nb::none());
}

void BindWriter(nb::module_& module) {
  nb::class_<PyFileWriter>(module, "FileWriter")
      .def(
          "write",
          [](PyFileWriter& self, nb::handle data) {
            const auto reader = ReaderFromPython(data);
            const auto write_all = [&](FileWriter& writer) -> arrow::Status {
              for (;;) {
                ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
                if (batch == nullptr) return arrow::Status::OK();
                ARROW_RETURN_NOT_OK(writer.Write(*batch));
              }
            };
            Check(self.Do(write_all), PyExc_ValueError);
          },
          "data"_a)
      .def(
          "add_schema_metadata",
          [](PyFileWriter& self, const std::string& key, const std::string& value) {
            self.Do([&](FileWriter& writer) { writer.AddSchemaMetadata(key, value); });
          },
          "key"_a, "value"_a)
      .def(
          "add_global_buffer",
          [](PyFileWriter& self, const nb::bytes& data) {
            const std::span bytes(reinterpret_cast<const uint8_t*>(data.c_str()), data.size());
            return Check(self.Do([&](FileWriter& writer) { return writer.AddGlobalBuffer(bytes); }));
          },
          "data"_a)
      .def("finish", [](PyFileWriter& self) {
        return Check(self.Do([](FileWriter& writer) { return writer.Finish(); })).num_rows;
      });
  module.def("stable_version", [] { return std::string(ToString(kStableFormatVersion)); });
  module.def(
      "open_file_writer",
      [](const std::string& path, nb::handle schema, std::optional<int64_t> data_cache_bytes,
         const std::optional<std::string>& version) {
        const auto file = Check(ResolveObject(path), PyExc_ValueError);
        return OpenWriter(*file.store, file.path, schema, data_cache_bytes, version);
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
            const auto local = Check(ResolveObject(local_path));
            const std::string inside = Inside(path);
            Check(Unlocked([&] {
              return CopyObject(*local.store, local.path, *self.store, inside, Durability::kPowerLoss);
            }));
          },
          "local_path"_a, "path"_a)
      .def(
          "download",
          [](const PyFileSession& self, const std::string& path, const std::string& local_path) {
            const auto local = Check(ResolveObject(local_path));
            const std::string inside = Inside(path);
            Check(Unlocked([&] {
              return CopyObject(*self.store, inside, *local.store, local.path, Durability::kPowerLoss);
            }));
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
