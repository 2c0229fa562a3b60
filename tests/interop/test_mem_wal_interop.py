# SPDX-License-Identifier: Apache-2.0
"""MemWAL tables that go from one engine to the other: logs, generations, lookups, fencing."""

import random
import uuid

import pyarrow as pa
import pytest

PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}
KEY_TYPES = {
    "int64": (pa.int64(), lambda i: i * 7 - 50),
    "int32": (pa.int32(), lambda i: i * 7 - 50),
    "uint16": (pa.uint16(), lambda i: i * 3),
    "string": (pa.string(), lambda i: f"key/{i:05d}" + "x" * (i % 30)),
    "binary": (pa.binary(), lambda i: bytes([i % 256, 0, i // 256])),
    "large_string": (pa.large_string(), lambda i: f"k{i}"),
}


def schema_of(key_type):
    return pa.schema([pa.field("id", key_type, False, PRIMARY_KEY), pa.field("v", pa.int64()), pa.field("s", pa.string())])


def rows_of(schema, make_key, numbers, version):
    return pa.table(
        {
            "id": pa.array([make_key(i) for i in numbers], schema.field("id").type),
            "v": pa.array([i * 1000 + version for i in numbers], pa.int64()),
            "s": pa.array([None if i % 5 == 0 else f"{i}.{version}" for i in numbers], pa.string()),
        },
        schema=schema,
    )


def snapshot_of(engine, pilum, uri, shard):
    """The shard's generations as a snapshot of either engine; pylance cannot list them itself."""
    listed = pilum.dataset(uri).mem_wal_shard_snapshot(shard)
    snapshot = engine.mem_wal.ShardSnapshot(shard)
    for generation, path in listed.flushed_generations:
        add = getattr(snapshot, "with_flushed_generation", None) or snapshot.with_sstable  # pylance 14 renamed it
        snapshot = add(generation, path)
    return snapshot


def import_mem_wal(*engines):
    for engine in engines:
        __import__(engine.__name__ + ".mem_wal")


@pytest.mark.parametrize("key", KEY_TYPES)
@pytest.mark.parametrize("writer, reader", [("pilum", "lance"), ("lance", "pilum"), ("pilum", "pilum")])
def test_generations_of_one_engine_are_read_by_the_other(pilum, official, uri, writer, reader, key):
    import_mem_wal(pilum, official)
    engines = {"pilum": pilum, "lance": official}
    key_type, make_key = KEY_TYPES[key]
    schema = schema_of(key_type)
    shard = str(uuid.uuid4())
    expected = {}

    def write(numbers, version):
        table = rows_of(schema, make_key, numbers, version)
        expected.update({row["id"]: row for row in table.to_pylist()})
        return table

    dataset = engines[writer].write_dataset(write(range(0, 200), 0), uri, max_rows_per_file=70)
    dataset.initialize_mem_wal(unsharded=True)
    random.seed(5)
    with dataset.mem_wal_writer(shard, max_memtable_batches=10) as mem_wal:
        for version in range(1, 36):
            mem_wal.put(write(random.sample(range(100, 300), 20) * 2, version))
    dataset = engines[reader].dataset(uri)
    snapshot = snapshot_of(engines[reader], pilum, uri, shard)
    assert len(pilum.dataset(uri).mem_wal_shard_snapshot(shard).flushed_generations) >= 3

    scanned = engines[reader].mem_wal.LsmScanner.from_snapshots(dataset, [snapshot]).to_table()
    assert sorted(scanned.to_pylist(), key=lambda row: row["id"]) == [expected[k] for k in sorted(expected)]
    filtered = engines[reader].mem_wal.LsmScanner.from_snapshots(dataset, [snapshot]).filter("v % 2 = 0").to_table()
    assert sorted(filtered["v"].to_pylist()) == sorted(r["v"] for r in expected.values() if r["v"] % 2 == 0)

    planner = engines[reader].mem_wal.LsmPointLookupPlanner(dataset, [snapshot])
    for i in random.sample(range(0, 330), 60):
        value = pa.array([make_key(i)], key_type)
        row = planner.plan_lookup(value).to_table().to_pylist()
        assert row == ([expected[make_key(i)]] if make_key(i) in expected else []), i
        if reader == "pilum":
            found = planner.lookup(value)
            assert ([] if found is None else found.to_pylist()) == row


@pytest.mark.parametrize("first, second", [("pilum", "lance"), ("lance", "pilum"), ("pilum", "pilum")])
def test_the_next_writer_replays_what_was_acknowledged(pilum, official, uri, first, second):
    """The first writer is never closed: its rows are in the log only. The second one fences it."""
    import_mem_wal(pilum, official)
    engines = {"pilum": pilum, "lance": official}
    schema = schema_of(pa.string())
    make_key = KEY_TYPES["string"][1]
    shard = str(uuid.uuid4())
    dataset = engines[first].write_dataset(rows_of(schema, make_key, range(10), 0), uri)
    dataset.initialize_mem_wal(unsharded=True)
    old = engines[first].dataset(uri).mem_wal_writer(shard)
    for version in range(1, 6):
        old.put(rows_of(schema, make_key, range(5, 15), version))
    new = engines[second].dataset(uri).mem_wal_writer(shard)
    with pytest.raises(OSError, match="fenced"):
        old.put(rows_of(schema, make_key, range(3), 99))
    new.put(rows_of(schema, make_key, range(14, 17), 6))
    rows = {row["id"]: row["v"] for row in new.lsm_scanner().to_table().to_pylist()}
    assert rows == {make_key(i): i * 1000 + (6 if i >= 14 else 5 if i >= 5 else 0) for i in range(17)}
    new.close()
    # Pilum reads what either of them has flushed; pylance cannot scan what it flushed itself after a replay.
    reader = pilum.dataset(uri)
    snapshot = reader.mem_wal_shard_snapshot(shard)
    scanned = pilum.mem_wal.LsmScanner.from_snapshots(reader, [snapshot]).to_table()
    assert {row["id"]: row["v"] for row in scanned.to_pylist()} == rows
    if second == "pilum":
        official_snapshot = snapshot_of(official, pilum, uri, shard)
        scanned = official.mem_wal.LsmScanner.from_snapshots(official.dataset(uri), [official_snapshot]).to_table()
        assert {row["id"]: row["v"] for row in scanned.to_pylist()} == rows


@pytest.mark.parametrize("mode", ["manual", "unsharded", "bucket", "identity"])
def test_both_engines_record_and_read_the_same_details(pilum, official, tmp_path, mode):
    arguments = {
        "manual": {},
        "unsharded": {"unsharded": True, "durable_write": False, "max_memtable_size": 12345},
        "bucket": {"bucket_column": "id", "num_buckets": 16},
        "identity": {"identity_column": "s", "stats_log_interval_ms": 0},
    }[mode]
    details = {}
    for engine in (pilum, official):
        uri = str(tmp_path / engine.__name__)
        dataset = engine.write_dataset(rows_of(schema_of(pa.string()), str, range(3), 0), uri)
        dataset.initialize_mem_wal(**arguments)
        assert dataset.version == 2
        for reader in (pilum, official):
            read = reader.dataset(uri).mem_wal_index_details()
            read.pop("merged_generations", None)
            details[engine.__name__, reader.__name__] = read
    if official.__version__.startswith("8."):
        first = details["lance", "lance"]
        assert all(read == first for read in details.values()), details
    else:
        assert len({str(read["sharding_specs"]) for read in details.values()}) == 1


def test_generations_that_are_merged_into_the_base_are_not_read_again(pilum, official, uri):
    import_mem_wal(pilum, official)
    schema = schema_of(pa.int64())
    shard = str(uuid.uuid4())
    dataset = pilum.write_dataset(rows_of(schema, int, range(5), 0), uri)
    dataset.initialize_mem_wal(unsharded=True)
    with dataset.mem_wal_writer(shard) as writer:
        writer.put(rows_of(schema, int, range(3, 8), 1))
    if not hasattr(official.mem_wal, "MergedGeneration"):
        pytest.skip("pylance 14 has another call for it")
    merged = official.mem_wal.MergedGeneration(shard, 1)
    official.dataset(uri).merge_insert("id").when_matched_update_all().when_not_matched_insert_all().mark_generations_as_merged(
        [merged]
    ).execute(rows_of(schema, int, range(3, 8), 1))
    official.write_dataset(rows_of(schema, int, [100], 2), uri, mode="append")
    official.dataset(uri).delete("id = 4")
    reader = pilum.dataset(uri)
    assert reader.mem_wal_index_details()["merged_generations"] == {shard: 1}
    scanned = pilum.mem_wal.LsmScanner.from_snapshots(reader, [reader.mem_wal_shard_snapshot(shard)]).to_table()
    assert sorted(scanned["id"].to_pylist()) == [0, 1, 2, 3, 5, 6, 7, 100], "the deleted row does not come back"


def test_generations_have_the_indexes_the_table_maintains(pilum, official, uri):
    """A BTree of the base table is kept up: each generation has its own, which both engines use."""
    import_mem_wal(pilum, official)
    schema = schema_of(pa.int64())
    shard = str(uuid.uuid4())
    official.write_dataset(rows_of(schema, int, range(50), 0), uri)
    official.dataset(uri).create_scalar_index("s", "BTREE", name="s_idx")
    dataset = pilum.dataset(uri)
    dataset.initialize_mem_wal(maintained_indexes=["s_idx"])
    with dataset.mem_wal_writer(shard) as writer:
        for version in range(1, 4):
            writer.put(rows_of(schema, int, range(10, 500), version))
    snapshot = dataset.mem_wal_shard_snapshot(shard)
    [(generation, folder)] = snapshot.flushed_generations
    path = f"{uri}/_mem_wal/{shard}/{folder}"
    wanted = "s = '77.3'"
    for engine in (pilum, official):
        flushed = engine.dataset(path)
        assert "s_idx" in flushed.scanner(filter=wanted).explain_plan(), "the plan uses the index"
        assert flushed.to_table(filter=wanted)["id"].to_pylist() == [77]
        assert flushed.to_table(filter="s = '77.2'").num_rows == 0, "the older version is hidden"
        scanner = engine.mem_wal.LsmScanner.from_snapshots(engine.dataset(uri), [snapshot_of(engine, pilum, uri, shard)])
        assert scanner.filter(wanted).to_table()["id"].to_pylist() == [77]


def test_indexes_that_cannot_be_maintained_yet_are_refused(pilum, official, uri):
    schema = schema_of(pa.int64())
    official.write_dataset(rows_of(schema, int, range(50), 0), uri)
    official.dataset(uri).create_scalar_index("s", "INVERTED", name="text_idx")
    dataset = pilum.dataset(uri)
    dataset.initialize_mem_wal(maintained_indexes=["text_idx"])
    with pytest.raises(NotImplementedError, match="text_idx"):
        dataset.mem_wal_writer(str(uuid.uuid4()))


NESTED_SCHEMA = pa.schema([
    pa.field("id", pa.int64(), False, PRIMARY_KEY),
    pa.field("numbers", pa.list_(pa.int32())),
    pa.field("pair", pa.struct([("a", pa.int64()), ("b", pa.string())])),
    pa.field("nothing", pa.string()),
    pa.field("word", pa.dictionary(pa.int32(), pa.string())),
    pa.field("points", pa.list_(pa.struct([("x", pa.int64())]))),
    pa.field("vector", pa.list_(pa.float32(), 3)),
])


def nested_rows(ids, version):
    columns = {
        "id": ids,
        "numbers": [None if i % 5 == 0 else [version] * (i % 4) for i in ids],
        "pair": [None if i % 7 == 0 else {"a": version, "b": None if i % 2 else str(i)} for i in ids],
        "nothing": [None] * len(ids),
        "word": [None if i % 3 == 0 else f"w{version}-{i % 2}" for i in ids],
        "points": [None if i % 4 == 0 else [{"x": version}] * (i % 3) for i in ids],
        "vector": [None if i % 6 == 0 else [float(version), 1.0, 2.0] for i in ids],
    }
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in NESTED_SCHEMA}, schema=NESTED_SCHEMA)


@pytest.mark.parametrize("writer, reader", [("pilum", "lance"), ("lance", "pilum"), ("pilum", "pilum")])
def test_nested_rows_of_a_writer_that_died_are_replayed_by_the_other_engine(pilum, official, uri, writer, reader):
    import_mem_wal(pilum, official)
    engines = {"pilum": pilum, "lance": official}
    expected = {}

    def write(ids, version):
        table = nested_rows(ids, version)
        expected.update({row["id"]: row for row in table.to_pylist()})
        return table

    by_id = lambda table: {row["id"]: row for row in table.to_pylist()}
    engines[writer].write_dataset(write(list(range(20)), 0), uri).initialize_mem_wal(unsharded=True)
    shard = str(uuid.uuid4())
    dead = engines[writer].dataset(uri).mem_wal_writer(shard)
    for version in range(1, 6):
        two_batches = [write(list(range(version, version + 10)), version), write(list(range(version + 3, version + 9)), 10 * version)]
        dead.put(pa.concat_tables(two_batches))

    heir = engines[reader].dataset(uri).mem_wal_writer(shard)
    heir.put(write([100, 3], 77))
    assert by_id(heir.lsm_scanner().to_table()) == expected
    heir.close()

    dataset = pilum.dataset(uri)
    snapshot = snapshot_of(pilum, pilum, uri, shard)
    assert by_id(pilum.mem_wal.LsmScanner.from_snapshots(dataset, [snapshot]).to_table()) == expected
    planner = pilum.mem_wal.LsmPointLookupPlanner(dataset, [snapshot])
    for key in [*expected, 999]:
        found = planner.lookup(pa.array([key], pa.int64()))
        assert (found.to_pylist() if found is not None else []) == ([expected[key]] if key in expected else [])
    if reader == "pilum":
        snapshot = snapshot_of(official, pilum, uri, shard)
        assert by_id(official.mem_wal.LsmScanner.from_snapshots(official.dataset(uri), [snapshot]).to_table()) == expected


def as_stored(values, type):
    """Values that Arrow has no checks for, so that they may be none of the type."""
    width = pa.binary(type.bit_width // 8)
    return pa.Array.from_buffers(type, len(values), pa.array(values, width).buffers())


ODD_VALUES = {
    "decimal of too many digits": as_stored([b"\x6f" * 16, b"\x01" * 16], pa.decimal128(5, 2)),
    "time behind the end of a day": as_stored([b"\x6f" * 4, b"\xff" * 4], pa.time32("s")),
    "part of a day": as_stored([b"\x01" * 8, b"\xff" * 8], pa.date64()),
}


@pytest.mark.parametrize("odd", ODD_VALUES)
@pytest.mark.parametrize("writer, reader", [("pilum", "lance"), ("lance", "pilum"), ("pilum", "pilum")])
def test_values_of_no_meaning_are_replayed(pilum, official, uri, writer, reader, odd):
    import_mem_wal(pilum, official)
    engines = {"pilum": pilum, "lance": official}
    odd = ODD_VALUES[odd]
    schema = pa.schema([pa.field("id", pa.int64(), False, PRIMARY_KEY), pa.field("v", odd.type)])
    shard = str(uuid.uuid4())
    dataset = engines[writer].write_dataset(schema.empty_table(), uri)
    dataset.initialize_mem_wal(unsharded=True)
    abandoned = dataset.mem_wal_writer(shard)
    abandoned.put(pa.table([pa.array([1, 2]), odd], schema=schema))
    with engines[reader].dataset(uri).mem_wal_writer(shard) as mem_wal:
        got = mem_wal.lsm_scanner().to_table().sort_by("id")["v"].combine_chunks()
    assert got.type == odd.type and got.buffers()[1].to_pybytes()[: odd.nbytes] == odd.buffers()[1].to_pybytes()[: odd.nbytes]


@pytest.mark.parametrize("where", ["column", "struct", "null"])
def test_text_that_no_reader_of_the_log_takes_is_refused(pilum, official, uri, where):
    valid = pa.py_buffer(b"\x01") if where == "null" else None
    text = pa.Array.from_buffers(pa.string(), 2, [valid, *pa.array([b"good", b"\xff\xfe"]).buffers()[1:]])
    column = pa.StructArray.from_arrays([text], ["s"]) if where == "struct" else text
    schema = pa.schema([pa.field("id", pa.int64(), False, PRIMARY_KEY), pa.field("v", column.type)])
    rows = pa.table([pa.array([1, 2]), column], schema=schema)
    shard = str(uuid.uuid4())
    dataset = pilum.write_dataset(schema.empty_table(), uri)
    dataset.initialize_mem_wal(unsharded=True)
    writer = dataset.mem_wal_writer(shard)
    with pytest.raises(OSError, match="column `v`.*UTF8"):
        writer.put(rows)
    writer.put(rows.slice(0, 1))
    for engine in (pilum, official):
        __import__(engine.__name__ + ".mem_wal")
        with engine.dataset(uri).mem_wal_writer(shard) as next_writer:
            assert next_writer.lsm_scanner().to_table().to_pylist() == rows.slice(0, 1).to_pylist()


@pytest.mark.parametrize("type", [pa.struct([("a", pa.int32())]), pa.list_(pa.struct([("a", pa.int32())]))], ids=str)
def test_null_structs_of_a_table_of_version_2_0(pilum, official, uri, type):
    """Files of version 2.0 have no place for them: they are not put, and if the log has them, generations are of 2.1."""
    import_mem_wal(pilum, official)
    schema = pa.schema([pa.field("id", pa.int64(), False, PRIMARY_KEY), pa.field("s", type)])
    values = [None, {"a": 7}] if pa.types.is_struct(type) else [[None, {"a": 7}], None]
    rows = pa.table([pa.array([1, 2]), pa.array(values, type)], schema=schema)
    dataset = official.write_dataset(schema.empty_table(), uri, data_storage_version="2.0")
    dataset.initialize_mem_wal(unsharded=True)
    shard = str(uuid.uuid4())
    official.dataset(uri).mem_wal_writer(shard).put(rows)
    with pilum.dataset(uri).mem_wal_writer(shard) as mem_wal:
        assert mem_wal.lsm_scanner().to_table().sort_by("id").to_pylist() == rows.to_pylist()
        with pytest.raises(OSError, match="contains null values, which files of version 2.0 cannot hold"):
            mem_wal.put(rows)
    for engine in (pilum, official):
        snapshot = snapshot_of(engine, pilum, uri, shard)
        scanned = engine.mem_wal.LsmScanner.from_snapshots(engine.dataset(uri), [snapshot]).to_table()
        assert scanned.sort_by("id").to_pylist() == rows.to_pylist()


@pytest.mark.parametrize("writer", ["pilum", "lance"])
def test_keys_of_a_dictionary_under_a_null_struct_are_replayed(pilum, official, uri, writer):
    """Builders leave key 0 of an empty dictionary there; pylance logs it, and then cannot flush it."""
    import_mem_wal(pilum, official)
    type = pa.struct([("d", pa.dictionary(pa.int8(), pa.string()))])
    schema = pa.schema([pa.field("id", pa.int64(), False, PRIMARY_KEY), pa.field("s", type)])
    shard = str(uuid.uuid4())
    engine = {"pilum": pilum, "lance": official}[writer]
    dataset = engine.write_dataset(schema.empty_table(), uri)
    dataset.initialize_mem_wal(unsharded=True)
    abandoned = dataset.mem_wal_writer(shard)
    expected = []
    for i, value in enumerate([None, {"d": "a"}, {"d": None}, None, {"d": "b"}]):
        expected.append({"id": i, "s": value})
        abandoned.put(pa.table([[i], pa.array([value], type)], schema=schema))
    with pilum.dataset(uri).mem_wal_writer(shard) as mem_wal:
        assert mem_wal.lsm_scanner().to_table().sort_by("id").to_pylist() == expected
    for reader in (pilum, official):
        snapshot = snapshot_of(reader, pilum, uri, shard)
        scanned = reader.mem_wal.LsmScanner.from_snapshots(reader.dataset(uri), [snapshot]).to_table()
        assert scanned.sort_by("id").to_pylist() == expected


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_items_of_a_null_list_are_not_logged(pilum, official, uri, version):
    """8.0.0 replays no null in items that must not be null, hidden or not."""
    import_mem_wal(pilum, official)
    items = pa.array([1, 2, None], pa.int32())
    type = pa.list_(pa.field("item", pa.int32(), nullable=False))
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3], pa.int32()), items, type=type, mask=pa.array([False, True]))
    schema = pa.schema([pa.field("id", pa.int64(), False, PRIMARY_KEY), pa.field("l", type)])
    dataset = pilum.write_dataset(schema.empty_table(), uri, data_storage_version=version)
    dataset.initialize_mem_wal(unsharded=True)
    shard = str(uuid.uuid4())
    dataset.mem_wal_writer(shard).put(pa.table([pa.array([1, 2]), lists], schema=schema))
    for engine in (official, pilum):
        with engine.dataset(uri).mem_wal_writer(shard) as mem_wal:
            assert mem_wal.lsm_scanner().to_table().sort_by("id")["l"].to_pylist() == [[1], None]
