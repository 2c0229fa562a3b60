# SPDX-License-Identifier: Apache-2.0
"""MemWAL as scripts written for pylance 8.0.0 use it. With that pylance in the interpreter every test runs against both."""

import importlib
import uuid

import pyarrow as pa
import pytest

PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}
SCHEMA = pa.schema([pa.field("id", pa.string(), False, PRIMARY_KEY), pa.field("n", pa.int64())])


def rows(**values):
    return pa.table({"id": list(values), "n": list(values.values())}, schema=SCHEMA)


def as_dict(table):
    return {row["id"]: row["n"] for row in table.to_pylist()}


@pytest.fixture(autouse=True)
def only_the_release_whose_calls_these_are(engine):
    importlib.import_module(engine.__name__ + ".mem_wal")
    if engine.__name__ == "lance" and not engine.__version__.startswith("8."):
        pytest.skip("pylance 14 has other calls")


@pytest.fixture
def table(engine, uri):
    dataset = engine.write_dataset(rows(a=1, b=2), uri)
    dataset.initialize_mem_wal(unsharded=True)
    return dataset


@pytest.fixture
def shard():
    return str(uuid.uuid4())


# ---- initialisation ----


def test_a_table_has_no_details_before(engine, uri):
    assert engine.write_dataset(rows(a=1), uri).mem_wal_index_details() is None


def test_initialising_makes_a_version_and_moves_the_handle(engine, table):
    assert table.version == 2
    details = table.mem_wal_index_details()
    assert details["num_shards"] == 1
    assert details["sharding_specs"][0]["fields"][0]["transform"] == "unsharded"


def test_options_are_recorded_all_or_none(engine, uri):
    dataset = engine.write_dataset(rows(a=1), uri)
    dataset.initialize_mem_wal(durable_write=False, stats_log_interval_ms=0)
    defaults = dataset.mem_wal_index_details()["writer_config_defaults"]
    assert defaults["durable_write"] == "false"
    assert defaults["max_memtable_batches"] == "8000"
    assert "stats_log_interval_ms" not in defaults


@pytest.mark.parametrize(
    "arguments, error",
    [
        ({"bucket_column": "id"}, ValueError),
        ({"num_buckets": 4}, ValueError),
        ({"unsharded": True, "identity_column": "id"}, ValueError),
        ({"bucket_column": "id", "num_buckets": 0}, OSError),
        ({"bucket_column": "id", "num_buckets": 1025}, OSError),
        ({"bucket_column": "zz", "num_buckets": 4}, OSError),
        ({"bucket_column": "", "num_buckets": 4}, OSError),
        ({"bucket_column": "id", "num_buckets": -1}, OverflowError),
        ({"bucket_column": "id", "num_buckets": 1 << 32}, OverflowError),
        ({"bucket_column": 5, "num_buckets": 4}, TypeError),
        ({"identity_column": ""}, OSError),
        ({"identity_column": "zz"}, OSError),
        ({"maintained_indexes": ["nope"]}, OSError),
        ({"maintained_indexes": "nope"}, TypeError),
        ({"max_memtable_size": -1}, OverflowError),
        ({"max_memtable_size": 1 << 64}, OverflowError),
        ({"max_memtable_batches": 1.5}, TypeError),
        ({"max_memtable_batches": "8"}, TypeError),
        ({"durable_write": "yes"}, TypeError),
        ({"durable_write": 1}, TypeError),
        ({"hnsw_params": {"a": {"x": 1}}}, ValueError),
        ({"hnsw_params": {"a": {"num_edges": -1}}}, OverflowError),
        ({"hnsw_params": {"a": 5}}, TypeError),
    ],
)
def test_bad_arguments(engine, uri, arguments, error):
    dataset = engine.write_dataset(rows(a=1), uri)
    with pytest.raises(error):
        dataset.initialize_mem_wal(**arguments)
    assert engine.dataset(uri).version == 1


def test_an_interval_of_zero_is_recorded(engine, uri):
    dataset = engine.write_dataset(rows(a=1), uri)
    dataset.initialize_mem_wal(max_wal_flush_interval_ms=0, hnsw_params={"v_idx": {"num_edges": 8}})
    defaults = dataset.mem_wal_index_details()["writer_config_defaults"]
    assert defaults["max_wal_flush_interval_ms"] == "0"
    assert {k: v for k, v in defaults.items() if k.startswith("hnsw")} == {
        "hnsw.v_idx.num_edges": "8",
        "hnsw.v_idx.ef_construction": "150",
        "hnsw.v_idx.max_level": "7",
    }


def test_a_table_is_initialised_once(table):
    with pytest.raises(OSError, match="already initialized"):
        table.initialize_mem_wal()


# ---- writers ----


def test_a_writer_needs_mem_wal_and_a_uuid(engine, uri, shard):
    dataset = engine.write_dataset(rows(a=1), uri)
    with pytest.raises(OSError, match="not initialized"):
        dataset.mem_wal_writer(shard)
    dataset.initialize_mem_wal()
    with pytest.raises(ValueError, match="Invalid shard_id UUID"):
        dataset.mem_wal_writer("x")


def test_put_is_read_at_once(table, shard):
    writer = table.mem_wal_writer(shard)
    assert writer.shard_id == shard
    writer.put(rows(b=20, c=30))
    assert as_dict(writer.lsm_scanner().to_table()) == {"a": 1, "b": 20, "c": 30}
    assert writer.lsm_scanner().count_rows() == 3
    writer.put(rows(c=31).to_batches()[0])
    writer.put(rows(d=40).to_reader())
    writer.put(rows(a=5).slice(0, 0))
    assert as_dict(writer.lsm_scanner().to_table()) == {"a": 1, "b": 20, "c": 31, "d": 40}
    stats = writer.stats()
    assert stats["put_count"] == 3
    assert set(stats) == {
        "put_count",
        "put_time_ms",
        "wal_flush_count",
        "wal_flush_bytes",
        "wal_flush_time_ms",
        "memtable_flush_count",
        "memtable_flush_rows",
        "memtable_flush_time_ms",
    }
    memtable = writer.memtable_stats()
    assert (memtable["row_count"], memtable["batch_count"], memtable["generation"]) == (4, 3, 1)
    assert memtable["max_flushed_batch_position"] == 2
    assert memtable["pending_wal_start_batch_position"] is None
    writer.close()
    writer.close()
    if "pilum" in type(writer).__module__:  # pylance counts a little later
        assert writer.stats()["memtable_flush_rows"] == 4


@pytest.mark.parametrize(
    "data",
    [
        pa.table({"id": ["x"], "w": pa.array([1], pa.int64())}),
        pa.table({"id": ["x"], "n": ["y"]}),
        pa.table({"id": pa.array([None], pa.string()), "n": pa.array([1], pa.int64())}),
        pa.table({"id": ["x"]}),
    ],
    ids=["other column", "other type", "null key", "missing column"],
)
def test_a_put_that_does_not_fit_is_an_error_and_changes_nothing(table, shard, data):
    with table.mem_wal_writer(shard) as writer:
        with pytest.raises(OSError):
            writer.put(data)
        assert as_dict(writer.lsm_scanner().to_table()) == {"a": 1, "b": 2}


def test_a_closed_writer_takes_nothing(table, shard):
    with table.mem_wal_writer(shard) as writer:
        writer.put(rows(c=3))
    with pytest.raises(OSError, match="already closed"):
        writer.put(rows(d=4))


def test_a_second_writer_fences_the_first(table, shard):
    first = table.mem_wal_writer(shard)
    first.put(rows(c=3))
    second = table.mem_wal_writer(shard)
    with pytest.raises(OSError, match="[Ff]enced"):
        first.put(rows(d=4))
    assert as_dict(second.lsm_scanner().to_table()) == {"a": 1, "b": 2, "c": 3}
    second.close()


def test_rows_that_python_owns_are_freed_by_the_writers_threads(engine, table, shard):
    """NumPy's memory is freed under the interpreter's lock: neither a dropped writer nor statistics may wait for it."""
    import numpy as np

    if engine.__name__ == "lance":
        pytest.skip("pylance cannot open a shard again whose log has more batches than a memtable")
    for _ in range(5):
        writer = table.mem_wal_writer(shard, max_memtable_batches=2)
        for i in range(20):
            numbers = np.arange(i, i + 1000)
            writer.put(pa.table({"id": [str(n) for n in numbers], "n": numbers}, schema=SCHEMA))
            writer.stats()
            writer.memtable_stats()
        del writer  # not closed


@pytest.mark.parametrize(
    "options, error",
    [
        ({"max_memtable_batches": -1}, OverflowError),
        ({"max_memtable_batches": 2.0}, TypeError),
        ({"max_memtable_size": 1 << 64}, OverflowError),
        ({"durable_write": "yes"}, TypeError),
        ({"nonsense": 1}, TypeError),
    ],
)
def test_bad_options_of_a_writer(table, shard, options, error):
    with pytest.raises(error):
        table.mem_wal_writer(shard, **options)


def test_puts_take_what_can_be_streamed(table, shard):
    with table.mem_wal_writer(shard) as writer:
        for data in (None, 5):
            with pytest.raises(TypeError):
                writer.put(data)
        writer.put(rows(c=3).to_batches(), schema=SCHEMA)
        writer.put(iter(rows(d=4).to_batches()), schema=SCHEMA)
        assert as_dict(writer.lsm_scanner().to_table()) == {"a": 1, "b": 2, "c": 3, "d": 4}


# ---- snapshots, scanners, planners ----


def test_snapshots_are_builders(engine, shard):
    snapshot = engine.mem_wal.ShardSnapshot(shard)
    assert snapshot.with_spec_id(1).with_current_generation(3).with_flushed_generation(1, "x_gen_1") is snapshot
    assert snapshot.shard_id == shard
    assert repr(snapshot) == f"_ShardSnapshot(shard_id='{shard}', current_gen=3, flushed_gens=1)"
    with pytest.raises(ValueError, match="Invalid shard_id UUID"):
        engine.mem_wal.ShardSnapshot("x")
    with pytest.raises(OverflowError):
        snapshot.with_flushed_generation(-1, "x_gen_1")


def test_scanner_options(table, shard):
    writer = table.mem_wal_writer(shard)
    writer.put(rows(b=20, c=30))
    assert writer.lsm_scanner().project(["n"]).to_table().schema.names == ["n", "id"]
    assert as_dict(writer.lsm_scanner().filter("n >= 20").to_table()) == {"b": 20, "c": 30}
    assert as_dict(writer.lsm_scanner().filter("n = 2").to_table()) == {}, "the older version of b does not pass for it"
    assert writer.lsm_scanner().limit(2).to_table().num_rows == 2
    tagged = writer.lsm_scanner().with_memtable_gen().with_row_address().to_batch()
    assert {row["id"]: row["_memtable_gen"] for row in tagged.to_pylist()} == {"a": 0, "b": 1, "c": 1}
    assert {row["id"]: row["_rowaddr"] for row in tagged.to_pylist()} == {"a": 0, "b": None, "c": None}
    for bad in ("zz = 1", "n =", "_rowaddr = 1"):
        with pytest.raises(ValueError):
            writer.lsm_scanner().filter(bad)
    for columns in (["zz"], ["n", "n"], ["_memtable_gen"]):
        with pytest.raises(OSError):
            writer.lsm_scanner().project(columns).to_table()
    with pytest.raises(OverflowError):
        writer.lsm_scanner().limit(-1)
    with pytest.raises(TypeError):
        writer.lsm_scanner().limit(None)
    writer.close()


def test_lookups_in_the_base(engine, table):
    planner = engine.mem_wal.LsmPointLookupPlanner(table, [])
    plan = planner.plan_lookup(pa.array(["b"]))
    assert plan.schema.names == ["id", "n"]
    assert plan.dataset_schema == table.schema
    assert "GlobalLimitExec: skip=0, fetch=1" in plan.explain()
    assert plan.to_table().to_pylist() == [{"id": "b", "n": 2}]
    assert planner.plan_lookup(pa.array(["zz"])).to_table().num_rows == 0
    assert planner.plan_lookup(pa.array([None], pa.string())).to_table().num_rows == 0
    assert planner.plan_lookup(pa.array(["b"]), ["n"]).to_table().schema.names == ["n", "id"]
    with pytest.raises(ValueError, match="exactly one row, got 2"):
        planner.plan_lookup(pa.array(["a", "b"]))
    for columns in (["zz"], ["n", "n"]):
        with pytest.raises(OSError):
            planner.plan_lookup(pa.array(["a"]), columns)
    assert planner.plan_lookup(pa.array(["b"]), []).to_table().to_pylist() == [{"id": "b"}]


def test_keys_of_other_types_are_coerced_or_refused(engine, uri):
    schema = pa.schema([pa.field("id", pa.int64(), False, PRIMARY_KEY), pa.field("n", pa.int64())])
    dataset = engine.write_dataset(pa.table({"id": [1], "n": [10]}, schema=schema), uri)
    planner = engine.mem_wal.LsmPointLookupPlanner(dataset, [])
    find = lambda value: planner.plan_lookup(value).to_table()["n"].to_pylist()
    for hit in (pa.array([1], pa.int8()), pa.array(["1"]), pa.array([1.0]), pa.array([1]).dictionary_encode()):
        assert find(hit) == [10], hit.type
    for miss in (pa.array([1.5]), pa.array(["x"]), pa.array([1 << 63], pa.uint64()), pa.array([None], pa.null())):
        assert find(miss) == [], miss.type
    for refused in (pa.array([True]), pa.array([1], pa.timestamp("us")), pa.array([[1]]), pa.array([{"id": 1}])):
        with pytest.raises(OSError):
            find(refused)
    for wrong in (1, pa.scalar(1), pa.chunked_array([[1]])):
        with pytest.raises(TypeError):
            planner.plan_lookup(wrong)


def test_composite_keys_are_structs(engine, uri):
    fields = [
        pa.field("a", pa.int64(), False, {**PRIMARY_KEY, "lance-schema:unenforced-primary-key:position": "1"}),
        pa.field("b", pa.string(), False, {**PRIMARY_KEY, "lance-schema:unenforced-primary-key:position": "2"}),
    ]
    schema = pa.schema([*fields, pa.field("n", pa.int64())])
    dataset = engine.write_dataset(pa.table({"a": [1, 1], "b": ["x", "y"], "n": [1, 2]}, schema=schema), uri)
    planner = engine.mem_wal.LsmPointLookupPlanner(dataset, [])
    key = pa.StructArray.from_arrays([pa.array(["y"]), pa.array([1])], names=["b", "a"])
    assert planner.plan_lookup(key).to_table()["n"].to_pylist() == [2]
    with pytest.raises(ValueError):
        planner.plan_lookup(pa.array([1]))
    with pytest.raises(ValueError):
        planner.plan_lookup(pa.StructArray.from_arrays([pa.array([1])], names=["a"]))


def test_a_table_without_a_key_has_no_lookups(engine, uri):
    dataset = engine.write_dataset(pa.table({"a": [1]}), uri)
    with pytest.raises(ValueError):
        engine.mem_wal.LsmPointLookupPlanner(dataset, [])
    with pytest.raises(ValueError):
        engine.mem_wal.LsmScanner.from_snapshots(dataset, [])
    assert engine.mem_wal.LsmPointLookupPlanner(dataset, [], ["a"]).plan_lookup(pa.array([1])).to_table().num_rows == 1


# ---- sharding ----


def test_sharding_is_evaluated_as_upstream_does(engine, tmp_path):
    schema = pa.schema([pa.field("i", pa.int32()), pa.field("s", pa.string())])
    batch = pa.record_batch({"i": [1, 2, None, 3], "s": ["a", "b", None, "c"]}, schema=schema)
    for column, buckets, expected in (("i", 8, [2, 7, 0, 1]), ("s", 8, [1, 5, 0, None])):
        dataset = engine.write_dataset(pa.Table.from_batches([batch]), str(tmp_path / f"{engine.__name__}-{column}"))
        dataset.initialize_mem_wal(bucket_column=column, num_buckets=buckets)
        spec = dataset.mem_wal_index_details()["sharding_specs"][0]
        keys = engine.mem_wal.evaluate_sharding_spec(batch, spec, dataset.lance_schema)
        assert keys.schema.names == ["bucket"]
        found = keys["bucket"].to_pylist()
        assert all(e is None or e == f for e, f in zip(expected, found)), found
    with pytest.raises(TypeError):
        engine.mem_wal.evaluate_sharding_spec(pa.Table.from_batches([batch]), spec, dataset.lance_schema)
    with pytest.raises(ValueError):
        bad = engine.mem_wal.ShardingSpec(1, [engine.mem_wal.ShardingField("k", [0], transform="zz", result_type="int32")])
        engine.mem_wal.evaluate_sharding_spec(batch, bad, dataset.lance_schema)
