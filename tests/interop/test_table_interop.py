# SPDX-License-Identifier: Apache-2.0
"""Tables that go from one engine to the other and back, in one process."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PRIMITIVES = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.uint8(),
    pa.uint16(),
    pa.uint32(),
    pa.uint64(),
    pa.float32(),
    pa.float64(),
    pa.bool_(),
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.large_binary(),
    pa.binary(3),
    pa.date32(),
    pa.date64(),
    pa.time32("ms"),
    pa.time64("us"),
    pa.timestamp("us"),
    pa.timestamp("ns", "Europe/Rome"),
    pa.duration("ms"),
    pa.decimal128(12, 2),
    pa.decimal256(40, 5),
    pa.list_(pa.float32(), 4),
]


def random_array(rng, arrow_type, n, null_ratio, distinct):
    """`n` values of which about `distinct` differ."""
    picks = rng.integers(0, distinct, n)
    mask = rng.random(n) < null_ratio
    values = [None if hidden else make_value(arrow_type, int(k)) for k, hidden in zip(picks, mask)]
    return pa.array(values, arrow_type)


def make_value(arrow_type, k):
    if pa.types.is_boolean(arrow_type):
        return k % 2 == 1
    if pa.types.is_integer(arrow_type):
        bits = arrow_type.bit_width
        signed = pa.types.is_signed_integer(arrow_type)
        value = (k * 2654435761) % (1 << bits)
        return value - (1 << (bits - 1)) if signed else value
    if pa.types.is_floating(arrow_type):
        return float(np.float32(k * 0.37 - 50))
    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type):
        return "" if k % 11 == 0 else f"value {k} é" * (1 + k % 3)
    if pa.types.is_fixed_size_binary(arrow_type):
        return (k % 2**24).to_bytes(3, "little")
    if pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type):
        return bytes([k % 256]) * (k % 7)
    if pa.types.is_date(arrow_type):
        return datetime.date(2013, 1, 1) + datetime.timedelta(days=k)
    if pa.types.is_time(arrow_type):
        return datetime.time(k % 24, k % 60, k % 59)
    if pa.types.is_timestamp(arrow_type):
        return datetime.datetime(2013, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=k * 61)
    if pa.types.is_duration(arrow_type):
        return datetime.timedelta(milliseconds=k)
    if pa.types.is_decimal(arrow_type):
        return decimal.Decimal(k).scaleb(-arrow_type.scale) - 7
    return [float(k), 0.5, -1.0, float(k % 5)]


def random_table(seed, n, null_ratio, distinct):
    rng = np.random.default_rng(seed)
    return pa.table({f"c{i}": random_array(rng, t, n, null_ratio, distinct) for i, t in enumerate(PRIMITIVES)})


SHAPES = [(0, 0.0, 1), (1, 0.0, 1), (7, 0.5, 3), (1000, 0.0, 1000), (5000, 0.2, 5000), (5000, 1.0, 1), (20000, 0.1, 17), (3000, 0.0, 1)]


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("writer, reader", [("lance", "pilum"), ("pilum", "lance")])
def test_every_primitive_type_both_ways(pilum, official, tmp_path, writer, reader, shape, version):
    engines = {"pilum": pilum, "lance": official}
    table = random_table(hash(shape) % 1000, *shape)
    uri = str(tmp_path / "t")
    engines[writer].write_dataset(table, uri, data_storage_version=version, max_rows_per_file=3000)
    dataset = engines[reader].dataset(uri)
    assert dataset.schema == table.schema
    assert dataset.data_storage_version == version
    read = dataset.to_table()
    for name in table.schema.names:
        assert read[name].combine_chunks().equals(table[name].combine_chunks()), (name, table.schema.field(name))
    if table.num_rows:
        picks = np.random.default_rng(1).integers(0, table.num_rows, 50).tolist()
        taken = dataset.take(picks)
        assert taken.to_pydict() == table.take(picks).to_pydict()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["pilum", "lance"]), st.sampled_from(["append", "overwrite", "delete"]), st.integers(0, 40)),
        min_size=1,
        max_size=6,
    )
)
def test_the_engines_take_turns_on_one_table(pilum, official, tmp_path_factory, steps):
    engines = {"pilum": pilum, "lance": official}
    uri = str(tmp_path_factory.mktemp("turns") / "t")
    rows = list(range(10))
    official.write_dataset(pa.table({"a": pa.array(rows, pa.int64())}), uri)
    for number, (name, operation, n) in enumerate(steps):
        if operation == "delete":
            official.dataset(uri).delete(f"a % 7 = {n % 7}")
            rows = [a for a in rows if a % 7 != n % 7]
            continue
        new = [1000 * (number + 1) + i for i in range(n)]
        engines[name].write_dataset(pa.table({"a": pa.array(new, pa.int64())}), uri, mode=operation)
        rows = new if operation == "overwrite" else rows + new
    for engine in engines.values():
        dataset = engine.dataset(uri)
        assert dataset.to_table()["a"].to_pylist() == rows
        assert dataset.count_rows() == len(rows)
        assert dataset.count_rows(filter="a >= 1000") == sum(a >= 1000 for a in rows)
        if rows:
            assert dataset.take([len(rows) - 1, 0])["a"].to_pylist() == [rows[-1], rows[0]]


@pytest.mark.parametrize("index_values", [pa.int64(), pa.string()])
def test_an_index_of_the_official_engine_answers_the_same(pilum, official, uri, index_values):
    values = pa.array([i * 7 % 500 for i in range(5000)], pa.int64()).cast(index_values)
    official.write_dataset(pa.table({"k": values, "v": range(5000)}), uri, max_rows_per_file=2000)
    official.dataset(uri).create_scalar_index("k", "BTREE")
    official.write_dataset(pa.table({"k": values.slice(0, 100), "v": range(5000, 5100)}), uri, mode="append")
    literal = "'77'" if index_values == pa.string() else "77"
    for condition in (f"k = {literal}", f"k IN ({literal}, {literal})", f"k = {literal} AND v > 3000"):
        expected = official.dataset(uri).to_table(filter=condition).sort_by("v")
        assert pilum.dataset(uri).to_table(filter=condition).sort_by("v") == expected
    assert "77" in pilum.dataset(uri).scanner(filter=f"k = {literal}").explain_plan()


def nested_table(n, version):
    """Lists, structs and dictionaries with nulls at every level that the version can hold."""
    rng = np.random.default_rng(n)
    columns = {
        "id": pa.array(range(n)),
        "list": pa.array([None if i % 5 == 0 else list(range(i % 7)) for i in range(n)], pa.list_(pa.int32())),
        "struct": pa.array([{"p": i, "q": {"r": str(i) if i % 3 else None, "s": [i] * (i % 4)}} for i in range(n)]),
        "structs": pa.array([[{"x": j, "y": str(j) if j % 2 else None} for j in range(i % 3)] for i in range(n)]),
        "dictionary": pa.array([None if i % 11 == 0 else f"word {i % 5}" for i in range(n)]).dictionary_encode(),
        "half": pa.array([None if i % 4 == 0 else np.float16(i % 50) for i in range(n)], pa.float16()),
    }
    if version != "2.0":
        item = pa.struct([("x", pa.int64()), ("y", pa.string())])
        values = [
            None if rng.random() < 0.2 else [None if rng.random() < 0.2 else {"x": int(rng.integers(9)), "y": None} for _ in range(rng.integers(4))]
            for _ in range(n)
        ]
        columns["nulls everywhere"] = pa.array(values, pa.list_(item))
    if version == "2.2":
        columns["map"] = pa.array([[("k", i)] if i % 3 else None for i in range(n)], pa.map_(pa.string(), pa.int64()))
    return pa.table(columns)


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("writer, reader", [("lance", "pilum"), ("pilum", "lance")])
def test_nested_columns_both_ways(pilum, official, uri, writer, reader, version):
    engines = {"pilum": pilum, "lance": official}
    table = nested_table(3000, version)
    engines[writer].write_dataset(table, uri, data_storage_version=version, max_rows_per_file=1111)
    dataset = engines[reader].dataset(uri)
    assert dataset.to_table().to_pylist() == table.to_pylist()
    picks = [2999, 0, 1500, 7]
    assert dataset.take(picks).to_pylist() == table.take(picks).to_pylist()
    wanted = table.take([i for i in range(3000) if i % 100 == 3]).select(["structs"])
    assert dataset.to_table(columns=["structs"], filter="id % 100 = 3").to_pylist() == wanted.to_pylist()


EMPTY = pa.struct([])


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("writer, reader", [("lance", "pilum"), ("pilum", "lance"), ("pilum", "pilum")])
@pytest.mark.parametrize(
    "values, arrow_type",
    [
        ([{}] * 5, EMPTY),
        ([], EMPTY),
        ([{"a": 1, "e": {}}, {"a": None, "e": {}}], pa.struct([("a", pa.int32()), ("e", EMPTY)])),
        ([{"e": {"x": {}}}] * 3, pa.struct([("e", pa.struct([("x", EMPTY)]))])),
    ],
)
def test_structs_without_fields_at_the_end_both_ways(pilum, official, tmp_path, writer, reader, version, values, arrow_type):
    engines = {"pilum": pilum, "lance": official}
    for engine in engines.values():
        __import__(engine.__name__ + ".file")
    path = str(tmp_path / "f.lance")
    table = pa.table({"n": list(range(len(values))), "c": pa.array(values, arrow_type)})
    with engines[writer].file.LanceFileWriter(path, table.schema, version=version) as file:
        file.write_batch(table)
    got = engines[reader].file.LanceFileReader(path)
    assert got.read_all().to_table() == table
    if values:
        assert got.read_range(1, 1).to_table() == table.slice(1, 1)
        assert got.take_rows([1]).to_table() == table.slice(1, 1)


def test_columns_behind_a_struct_without_fields_are_read_and_not_written(pilum, official, tmp_path):
    """8.0.0 reads them wrongly: it takes each for the one in front."""
    for module in ("pilum.file", "lance.file"):
        __import__(module)
    path = str(tmp_path / "f.lance")
    table = pa.table({"e": pa.array([{}] * 4, EMPTY), "s": pa.array([{"e": {}, "a": i} for i in range(4)], pa.struct([("e", EMPTY), ("a", pa.int32())])), "n": range(4)})
    with official.file.LanceFileWriter(path, table.schema) as file:
        file.write_batch(table)
    assert pilum.file.LanceFileReader(path).read_all().to_table() == table
    assert pilum.file.LanceFileReader(path).read_all().to_table().select(["n"]) == table.select(["n"])
    for rows, reason in [(table, "must be the last"), (pa.table({"e": pa.array([{}, None], EMPTY)}), "that are null")]:
        with pytest.raises(NotImplementedError, match=reason):
            with pilum.file.LanceFileWriter(str(tmp_path / "g.lance"), rows.schema) as file:
                file.write_batch(rows)


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_bfloat16_keeps_its_name_at_any_depth(pilum, official, tmp_path, version):
    from lance.arrow import bfloat16_array

    numbers = bfloat16_array([1.0, 2.5, None, 3.0, 4.0, 5.0])
    full = bfloat16_array([1.0, 2.5, 7.0, 3.0, 4.0, 5.0])
    table = pa.table(
        {
            "n": numbers.slice(0, 2),
            "v": pa.FixedSizeListArray.from_arrays(full, 3),
            "m": pa.FixedSizeListArray.from_arrays(pa.FixedSizeListArray.from_arrays(full, 3), 1),
            "l": pa.ListArray.from_arrays([0, 2, 6], numbers),
        }
    )
    theirs = official.write_dataset(table, tmp_path / "l", data_storage_version=version)
    ours = pilum.write_dataset(table, tmp_path / "p", data_storage_version=version)
    for dataset in (pilum.dataset(theirs.uri), official.dataset(ours.uri), ours):
        assert dataset.schema == table.schema == theirs.schema
        assert dataset.to_table() == table
        assert dataset.take([1]) == table.slice(1)
    pilum.write_dataset(table, theirs.uri, mode="append")
    official.write_dataset(table, ours.uri, mode="append")
    assert official.dataset(theirs.uri).to_table() == pilum.dataset(ours.uri).to_table()


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("writer, reader", [("pilum", "lance"), ("lance", "pilum"), ("pilum", "pilum")])
def test_keys_outside_of_a_dictionary_under_a_null_list_both_ways(pilum, official, uri, writer, reader, version):
    engines = {"pilum": pilum, "lance": official}
    keys = pa.DictionaryArray.from_arrays(pa.array([9, 0, -1], pa.int8()), pa.array(["x"]), safe=False)
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3]), keys, mask=pa.array([True, False, True]))
    engines[writer].write_dataset(pa.table({"l": lists}), uri, data_storage_version=version)
    assert engines[reader].dataset(uri).to_table()["l"].to_pylist() == [None, ["x"], None]
    assert engines[reader].dataset(uri).take([1, 2])["l"].to_pylist() == [["x"], None]


def test_keys_outside_of_a_dictionary_are_an_error(pilum, uri):
    keys = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["x"]), safe=False)
    with pytest.raises(OSError, match="Column 'd'.*out of bounds"):
        pilum.write_dataset(pa.table({"d": keys}), uri)
