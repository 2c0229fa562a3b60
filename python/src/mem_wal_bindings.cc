// SPDX-License-Identifier: Apache-2.0
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrow_interop.h"
#include "bindings.h"
#include "errors.h"
#include "pilum/mem_wal/lsm_point_lookup_planner.h"
#include "pilum/mem_wal/lsm_scanner.h"
#include "pilum/mem_wal/mem_wal_index.h"
#include "pilum/mem_wal/prewarm.h"
#include "pilum/mem_wal/shard_writer.h"
#include "pilum/mem_wal/sharding.h"

namespace pilum::python {

namespace nb = nanobind;
using namespace nb::literals;  // NOLINT(google-build-using-namespace): "name"_a

namespace {

using Names = std::vector<std::string>;
using Snapshots = std::vector<ShardSnapshot>;
using Strings = std::map<std::string, std::string>;

Uuid ParseShardId(const std::string& text) {
  const auto id = Uuid::Parse(text);
  if (!id) throw nb::value_error(("Invalid shard_id UUID: '" + text + "'").c_str());
  return *id;
}

// ---- table level ----

std::shared_ptr<Dataset> InitializeMemWal(std::shared_ptr<Dataset> dataset, const std::string& transform,
                                          const std::string& column, uint32_t num_buckets,
                                          const Names& maintained_indexes, const Strings& defaults) {
  InitializeMemWalBuilder builder(std::move(dataset));
  if (transform == "unsharded") builder.Unsharded();
  if (transform == "bucket") builder.BucketSharding(column, num_buckets);
  if (transform == "identity") builder.IdentitySharding(column);
  builder.MaintainedIndexes(maintained_indexes);
  if (!defaults.empty()) {
    // As pylance does: one option given records them all.
    ShardWriterConfig config;
    for (const auto& [key, value] : defaults) Check(config.Set(key, value), PyExc_ValueError);
    builder.WriterConfigDefaults(config);
    for (const auto& [key, value] : defaults) {
      if (key.starts_with("hnsw.")) builder.AddWriterConfigDefault(key, value);
    }
  }
  return Check(Unlocked([&] { return builder.Execute(); }));
}

nb::dict DescribeField(const lance::table::ShardingField& field) {
  nb::dict described;
  described["field_id"] = field.field_id();
  described["source_ids"] = std::vector<int32_t>(field.source_ids().begin(), field.source_ids().end());
  described["transform"] = field.has_transform() ? nb::cast(field.transform()) : nb::none();
  described["expression"] = field.has_expression() ? nb::cast(field.expression()) : nb::none();
  described["result_type"] = field.result_type();
  described["parameters"] = Strings(field.parameters().begin(), field.parameters().end());
  return described;
}

nb::object IndexDetails(const Dataset& dataset) {
  const auto details = Check(MemWalIndexDetails(dataset));
  if (!details) return nb::none();
  nb::list specs;
  for (const auto& spec : details->sharding_specs()) {
    nb::list fields;
    for (const auto& field : spec.fields()) fields.append(DescribeField(field));
    nb::dict described;
    described["spec_id"] = spec.spec_id();
    described["fields"] = fields;
    specs.append(described);
  }
  nb::dict merged;
  for (const auto& [shard, generation] : Check(MergedGenerations(dataset)))
    merged[shard.ToString().c_str()] = generation;
  nb::dict described;
  described["num_shards"] = details->num_shards();
  described["maintained_indexes"] =
      Names(details->maintained_indexes().begin(), details->maintained_indexes().end());
  described["writer_config_defaults"] =
      Strings(details->writer_config_defaults().begin(), details->writer_config_defaults().end());
  described["sharding_specs"] = specs;
  described["merged_generations"] = merged;
  return described;
}

template <typename T>
T Entry(const nb::dict& dict, const char* key, T missing) {
  if (!dict.contains(key)) return missing;
  const nb::object value = dict[key];
  return value.is_none() ? missing : nb::cast<T>(value);
}

/// A spec as a dict of the shape that mem_wal_index_details gives.
lance::table::ShardingSpec SpecFromDict(const nb::dict& dict) {
  lance::table::ShardingSpec spec;
  spec.set_spec_id(Entry<uint32_t>(dict, "spec_id", 0));
  for (const nb::handle item : Entry<nb::list>(dict, "fields", nb::list())) {
    const auto described = nb::cast<nb::dict>(item);
    auto* field = spec.add_fields();
    field->set_field_id(Entry<std::string>(described, "field_id", ""));
    for (const int32_t id : Entry<std::vector<int32_t>>(described, "source_ids", {}))
      field->add_source_ids(id);
    field->set_transform(Entry<std::string>(described, "transform", ""));
    field->set_result_type(Entry<std::string>(described, "result_type", ""));
    for (const auto& [key, value] : Entry<Strings>(described, "parameters", {}))
      (*field->mutable_parameters())[key] = value;
  }
  return spec;
}

nb::object EvaluateSharding(nb::handle batch, const nb::dict& spec, const Schema& schema) {
  const auto reader = ReaderFromPython(batch);
  const auto rows = Check(reader->Next());
  return ToPython(Check(EvaluateShardingSpec(rows, SpecFromDict(spec), schema), PyExc_ValueError));
}

void Prewarm(const Dataset& dataset, const Snapshots& snapshots) {
  Check(Unlocked([&] { return PrewarmMemWal(dataset, snapshots, nullptr); }));
}

std::shared_ptr<ShardWriter> OpenWriter(std::shared_ptr<Dataset> dataset, const std::string& shard_id,
                                        const Strings& options, bool sync) {
  const Uuid id = ParseShardId(shard_id);
  auto config = Check(DefaultShardWriterConfig(*dataset));
  for (const auto& [key, value] : options) Check(config.Set(key, value), PyExc_ValueError);
  config.durability = sync ? Durability::kPowerLoss : Durability::kProcessCrash;
  auto writer = Check(Unlocked([&] { return ShardWriter::Open(std::move(dataset), id, config); }));
  return ReleasedWithoutLock(std::move(writer));
}

Names ListShardIds(const Dataset& dataset) {
  Names ids;
  for (const Uuid& id : Check(Unlocked([&] { return ListMemWalLatestShardIds(dataset); })))
    ids.push_back(id.ToString());
  return ids;
}

std::optional<ShardSnapshot> ReadSnapshot(const Dataset& dataset, const std::string& shard_id) {
  const Uuid id = ParseShardId(shard_id);
  return Check(Unlocked([&] { return ReadShardSnapshot(dataset, id); }));
}

// ---- the writer ----

void Put(ShardWriter& writer, nb::object data) {
  const auto reader = ReaderFromPython(data);
  Check(Unlocked([&]() -> arrow::Status {
    arrow::RecordBatchVector batches;
    for (;;) {
      ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
      if (batch == nullptr) break;
      if (batch->num_rows() > 0) batches.push_back(std::move(batch));
    }
    return batches.empty() ? arrow::Status::OK() : writer.Put(batches);
  }));
}

nb::dict WriterStats(const ShardWriter& writer) {
  constexpr uint64_t kMillisecond = 1'000'000;
  const ShardWriterStats stats = Unlocked([&] { return writer.stats(); });
  nb::dict described;
  described["put_count"] = stats.put_count;
  described["put_time_ms"] = stats.put_nanoseconds / kMillisecond;
  described["wal_flush_count"] = stats.wal_flush_count;
  described["wal_flush_bytes"] = stats.wal_flush_bytes;
  described["wal_flush_time_ms"] = stats.wal_flush_nanoseconds / kMillisecond;
  described["memtable_flush_count"] = stats.memtable_flush_count;
  described["memtable_flush_rows"] = stats.memtable_flush_rows;
  described["memtable_flush_time_ms"] = stats.memtable_flush_nanoseconds / kMillisecond;
  return described;
}

nb::object PositionOrNone(int64_t count) { return count == 0 ? nb::none() : nb::cast(count - 1); }

nb::dict DescribeMemTable(const ShardWriter& writer) {
  const MemTableStats stats = Unlocked([&] { return writer.memtable_stats(); });
  const int64_t pending = stats.num_batches - stats.num_durable_batches;
  nb::dict described;
  described["row_count"] = stats.num_rows;
  described["batch_count"] = stats.num_batches;
  described["estimated_size_bytes"] = stats.size_bytes;
  described["generation"] = stats.generation;
  described["max_buffered_batch_position"] = PositionOrNone(stats.num_batches);
  described["max_flushed_batch_position"] = PositionOrNone(stats.num_durable_batches);
  described["pending_wal_start_batch_position"] =
      pending == 0 ? nb::none() : nb::cast(stats.num_durable_batches);
  described["pending_wal_end_batch_position"] = pending == 0 ? nb::none() : nb::cast(stats.num_batches);
  described["pending_wal_batch_count"] = pending;
  described["pending_wal_row_count"] = stats.num_pending_rows;
  described["pending_wal_estimated_bytes"] = stats.num_pending_bytes;
  return described;
}

// ---- readers ----

LsmDataSourceCollector Collect(std::shared_ptr<Dataset> dataset, Snapshots snapshots,
                               const std::shared_ptr<ShardWriter>& writer) {
  LsmDataSourceCollector collector(std::move(dataset), std::move(snapshots));
  if (writer != nullptr) collector.WithWriter(writer);
  return collector;
}

std::shared_ptr<LsmScanner> NewScanner(std::shared_ptr<Dataset> dataset, Snapshots snapshots,
                                       std::shared_ptr<ShardWriter> writer) {
  const auto schema = dataset->lance_schema();
  return Check(LsmScanner::Make(Collect(std::move(dataset), std::move(snapshots), writer), {}, schema),
               PyExc_ValueError);
}

std::shared_ptr<LsmPointLookupPlanner> NewPlanner(std::shared_ptr<Dataset> dataset, Snapshots snapshots,
                                                  const Names& pk_columns,
                                                  std::shared_ptr<ShardWriter> writer) {
  const auto schema = dataset->lance_schema();
  return Check(LsmPointLookupPlanner::Make(Collect(std::move(dataset), std::move(snapshots), writer),
                                           pk_columns, schema),
               PyExc_ValueError);
}

/// One key: an array of one value, or of one struct with a field per key column, matched by name.
PrimaryKey::Scalars KeyAt(const PrimaryKey& key, const arrow::Array& values, int64_t row) {
  const std::string n = std::to_string(key.fields().size());
  if (!key.is_composite()) return {Check(values.GetScalar(row))};
  if (values.type_id() != arrow::Type::STRUCT) {
    throw nb::value_error(
        ("Composite primary key lookup requires a StructArray with exactly one row and " + n + " fields")
            .c_str());
  }
  const auto& fields = static_cast<const arrow::StructArray&>(values);
  if (fields.num_fields() != static_cast<int>(key.fields().size())) {
    throw nb::value_error(
        ("Composite primary key lookup expected " + n + " fields, got " + std::to_string(fields.num_fields()))
            .c_str());
  }
  PrimaryKey::Scalars scalars;
  for (const auto& field : key.fields()) {
    const auto column = fields.GetFieldByName(field->name());
    if (column == nullptr) {
      throw nb::value_error(
          ("Composite primary key lookup requires field '" + field->name() + "' in pk_value").c_str());
    }
    scalars.push_back(Check(column->GetScalar(row)));
  }
  return scalars;
}

PrimaryKey::Scalars OneKey(const PrimaryKey& key, nb::handle object) {
  const auto values = ArrayFromPython(object);
  if (values->length() != 1) {
    throw nb::value_error(
        ("pk_value must contain exactly one row, got " + std::to_string(values->length())).c_str());
  }
  return KeyAt(key, *values, 0);
}

std::vector<PrimaryKey::Scalars> ManyKeys(const PrimaryKey& key, nb::handle object) {
  const auto values = ArrayFromPython(object);
  std::vector<PrimaryKey::Scalars> keys;
  for (int64_t row = 0; row < values->length(); ++row) keys.push_back(KeyAt(key, *values, row));
  return keys;
}

std::shared_ptr<ExecutionPlan> Mutable(PlanPtr plan) { return std::const_pointer_cast<ExecutionPlan>(plan); }

void BindPlan(nb::module_& module) {
  nb::class_<ExecutionPlan>(module, "ExecutionPlan")
      .def_prop_ro("schema", [](const ExecutionPlan& self) { return ToPython(self.schema()); })
      .def("explain", &ExecutionPlan::Explain)
      .def("to_reader", [](const ExecutionPlan& self) {
        return ToPython(Check(Unlocked([&] { return self.Execute(); })));
      });
}

void BindSnapshot(nb::module_& module) {
  nb::class_<ShardSnapshot>(module, "ShardSnapshot")
      .def("__init__",
           [](ShardSnapshot* self, const std::string& id) { new (self) ShardSnapshot(ParseShardId(id)); })
      .def_prop_ro("shard_id", [](const ShardSnapshot& self) { return self.shard_id().ToString(); })
      .def_prop_ro("spec_id", &ShardSnapshot::spec_id)
      .def_prop_ro("current_generation", &ShardSnapshot::current_generation)
      .def_prop_ro("flushed_generations",
                   [](const ShardSnapshot& self) {
                     nb::list flushed;
                     for (const auto& one : self.flushed_generations())
                       flushed.append(nb::make_tuple(one.generation, one.path));
                     return flushed;
                   })
      .def("with_spec_id", [](ShardSnapshot& self, uint32_t id) { self.with_spec_id(id); })
      .def("with_current_generation",
           [](ShardSnapshot& self, uint64_t generation) { self.with_current_generation(generation); })
      .def("with_flushed_generation", [](ShardSnapshot& self, uint64_t generation, std::string path) {
        self.with_flushed_generation(generation, std::move(path));
      });
}

void BindWriter(nb::module_& module) {
  nb::class_<ShardWriter>(module, "ShardWriter")
      .def_prop_ro("shard_id", [](const ShardWriter& self) { return self.shard_id().ToString(); })
      .def_prop_ro("epoch", &ShardWriter::epoch)
      .def_prop_ro("dataset", [](const ShardWriter& self) { return self.dataset(); })
      .def("put", &Put)
      .def("snapshot", [](const ShardWriter& self) { return Unlocked([&] { return self.View()->flushed; }); })
      .def("force_seal_active",
           [](ShardWriter& self) { Check(Unlocked([&] { return self.ForceSealActive(); })); })
      .def("wait_for_flush_drain",
           [](ShardWriter& self) { Check(Unlocked([&] { return self.WaitForFlushDrain(); })); })
      .def("check_fenced",
           [](const ShardWriter& self) { Check(Unlocked([&] { return self.CheckFenced(); })); })
      .def("close", [](ShardWriter& self) { Check(Unlocked([&] { return self.Close(); })); })
      .def("stats", &WriterStats)
      .def("memtable_stats", &DescribeMemTable);
}

void BindReaders(nb::module_& module) {
  nb::class_<LsmScanner>(module, "LsmScanner")
      .def("project", [](LsmScanner& self, Names columns) { self.Project(std::move(columns)); })
      .def("filter",
           [](LsmScanner& self, const std::string& sql) { Check(self.Filter(sql), PyExc_ValueError); })
      .def("limit", [](LsmScanner& self, int64_t n, std::optional<int64_t> offset) { self.Limit(n, offset); })
      .def("with_row_address", [](LsmScanner& self) { self.WithRowAddress(); })
      .def("with_memtable_gen", [](LsmScanner& self) { self.WithMemtableGen(); })
      .def("create_plan",
           [](const LsmScanner& self) { return Mutable(Check(Unlocked([&] { return self.CreatePlan(); }))); })
      .def("count_rows",
           [](const LsmScanner& self) { return Check(Unlocked([&] { return self.CountRows(); })); });
  module.def("new_lsm_scanner", &NewScanner, "dataset"_a, "snapshots"_a, "writer"_a.none() = nb::none());

  nb::class_<LsmPointLookupPlanner>(module, "LsmPointLookupPlanner")
      .def_prop_ro("pk_columns", [](const LsmPointLookupPlanner& self) { return self.primary_key().names(); })
      .def("plan_lookup",
           [](const LsmPointLookupPlanner& self, nb::handle value, std::optional<Names> columns) {
             const auto key = OneKey(self.primary_key(), value);
             return Mutable(Check(Unlocked([&] { return self.PlanLookup(key, columns); })));
           })
      .def("lookup",
           [](const LsmPointLookupPlanner& self, nb::handle value,
              std::optional<Names> columns) -> nb::object {
             const auto key = OneKey(self.primary_key(), value);
             const auto row = Check(Unlocked([&] { return self.Lookup(key, columns); }));
             return row == nullptr ? nb::none() : ToPython(row);
           })
      .def("lookup_many",
           [](const LsmPointLookupPlanner& self, nb::handle values, std::optional<Names> columns) {
             const auto keys = ManyKeys(self.primary_key(), values);
             return ToPython(Check(Unlocked([&] { return self.LookupMany(keys, columns); })));
           })
      .def("plan_point_lookup",
           [](const LsmPointLookupPlanner& self, nb::handle values, std::optional<Names> columns) {
             const auto keys = ManyKeys(self.primary_key(), values);
             return Mutable(Check(Unlocked([&] { return self.PlanPointLookup(keys, columns); })));
           });
  module.def("new_point_lookup_planner", &NewPlanner, "dataset"_a, "snapshots"_a, "pk_columns"_a = Names(),
             "writer"_a.none() = nb::none());
}

}  // namespace

void BindMemWal(nb::module_& module) {
  BindPlan(module);
  BindSnapshot(module);
  BindWriter(module);
  BindReaders(module);
  module.def("initialize_mem_wal", &InitializeMemWal, "dataset"_a, nb::kw_only(), "transform"_a = "",
             "column"_a = "", "num_buckets"_a = 0, "maintained_indexes"_a = Names(),
             "defaults"_a = Strings());
  module.def("mem_wal_index_details", &IndexDetails);
  module.def("open_shard_writer", &OpenWriter, "dataset"_a, "shard_id"_a, "options"_a, "sync"_a);
  module.def("list_shard_ids", &ListShardIds);
  module.def("prewarm_mem_wal", &Prewarm);
  module.def("evaluate_sharding_spec", &EvaluateSharding);
  module.def("read_shard_snapshot", &ReadSnapshot);
}

}  // namespace pilum::python
