# SPDX-License-Identifier: Apache-2.0
"""Tables of format version 0.1, written by pylance: Pilum reads them as pylance does, and never writes them."""

import glob
import os

import numpy as np
import pyarrow as pa
import pytest
from test_table_interop import PRIMITIVES, random_array

ITEMS = pa.struct([("x", pa.int32()), ("y", pa.string())])
NESTED = [
    pa.struct([("x", pa.int64()), ("y", pa.string()), ("z", pa.struct([("b", pa.bool_())]))]),
    pa.struct([("l", pa.list_(pa.int32())), ("v", pa.list_(pa.float32(), 2))]),
    pa.list_(pa.int16()),
    pa.list_(pa.bool_()),
    pa.large_list(pa.string()),
    pa.list_(pa.list_(pa.large_binary())),
    pa.list_(ITEMS),
    pa.large_list(pa.struct([("l", pa.list_(pa.float64()))])),
    pa.list_(pa.list_(pa.int8(), 3)),
    pa.list_(pa.null()),
]
VECTORS = [
    pa.list_(pa.float16(), 5),
    pa.list_(pa.binary(2), 2),
    pa.list_(pa.list_(pa.uint8(), 2), 3),
]
OTHERS = [pa.null(), pa.float16(), pa.time32("s"), pa.time64("ns"), pa.timestamp("s")]


def make_nested(rng, arrow_type, depth=0):
    """A value, null now and then."""
    if rng.random() < 0.15 or pa.types.is_null(arrow_type):
        return None
    if pa.types.is_struct(arrow_type):
        return {field.name: make_nested(rng, field.type, depth + 1) for field in arrow_type}
    if pa.types.is_fixed_size_list(arrow_type):
        return [make_nested(rng, arrow_type.value_type, depth + 1) for _ in range(arrow_type.list_size)]
    if pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type):
        return [make_nested(rng, arrow_type.value_type, depth + 1) for _ in range(int(rng.integers(0, 4)))]
    k = int(rng.integers(0, 120))
    if pa.types.is_boolean(arrow_type):
        return k % 2 == 0
    if pa.types.is_float16(arrow_type):
        return np.float16(k)
    if pa.types.is_floating(arrow_type) or pa.types.is_integer(arrow_type):
        return k
    text = "" if k % 9 == 0 else f"v{k}" * (k % 3 + 1)
    if pa.types.is_fixed_size_binary(arrow_type):
        return f"{k % 100:02}".encode()
    if pa.types.is_string(arrow_type):
        return text
    if pa.types.is_large_binary(arrow_type):
        return text.encode()
    return k


def dictionary_column(rng, n, index_type, values):
    keys = pa.array(rng.integers(0, len(values), n), index_type, mask=rng.random(n) < 0.1)
    return pa.DictionaryArray.from_arrays(keys, values)


def columns(seed, n):
    """One column of every type that pylance writes to 0.1, with nulls."""
    rng = np.random.default_rng(seed)
    arrays = {f"p{i}": random_array(rng, t, n, 0.1, 50) for i, t in enumerate(PRIMITIVES)}
    for i, arrow_type in enumerate(NESTED + VECTORS + OTHERS):
        arrays[f"n{i}"] = pa.array([make_nested(rng, arrow_type) for _ in range(n)], arrow_type)
    words = pa.array(["no", "yes", "", "perhaps"])
    arrays["d8"] = dictionary_column(rng, n, pa.int8(), words)
    arrays["d64"] = dictionary_column(rng, n, pa.uint64(), words.cast(pa.large_binary()))
    arrays["di"] = dictionary_column(rng, n, pa.uint16(), pa.array(range(100, 300), pa.int32()))
    arrays["ds"] = pa.StructArray.from_arrays([dictionary_column(rng, n, pa.int32(), words)], ["d"])
    return arrays


def write_legacy(lance, uri, table, **options):
    lance.write_dataset(table, uri, data_storage_version="legacy", **options)
    return lance.dataset(uri)  # a handle that reads dictionaries from disk



def same(got, want):
    assert got.schema.equals(want.schema, check_metadata=True)
    assert got.num_rows == want.num_rows
    for name in want.column_names:
        assert got[name].to_pylist() == want[name].to_pylist(), name
        assert got[name].combine_chunks().equals(want[name].combine_chunks()), name
    got.validate(full=True)


def same_reads(pilum, lance, uri, names=None, seed=0):
    """Scans, parts of scans and takes of both engines are alike."""
    ours, theirs = pilum.dataset(uri), lance.dataset(uri)
    n = theirs.count_rows()
    assert ours.count_rows() == n
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    rng = np.random.default_rng(seed)
    names = names or theirs.schema.names
    same(ours.to_table(columns=names), theirs.to_table(columns=names))
    for _ in range(3):
        some = [names[i] for i in rng.permutation(len(names))[: 1 + int(rng.integers(0, 4))]]
        window = {"offset": int(rng.integers(0, n)), "limit": int(rng.integers(1, n + 1))}
        same(ours.to_table(columns=some, **window), theirs.to_table(columns=some, **window))
        rows = rng.integers(0, n, 20).tolist()
        same(ours.take(rows, columns=some), theirs.take(rows, columns=some))
    return ours, theirs


@pytest.mark.parametrize("rows_per_group", [1, 7, 64, 1024])
def test_every_type_reads_as_pylance_reads_it(pilum, official, uri, rows_per_group):
    table = pa.table(columns(rows_per_group, 200))
    write_legacy(official, uri, table, max_rows_per_group=rows_per_group, max_rows_per_file=90)
    assert len(glob.glob(os.path.join(uri, "data", "*.lance"))) > 1
    same_reads(pilum, official, uri, seed=rows_per_group)


def test_views_read_as_what_they_view(pilum, official, uri):
    # By themselves: with them, pylance writes no dictionaries.
    texts = ["a", None, "", "a text that does not fit into a view"]
    write_legacy(official, uri, pa.table({"s": pa.array(texts, pa.string_view()), "b": pa.array(texts, pa.binary_view())}))
    same_reads(pilum, official, uri)


def test_values_that_are_not_null_come_back_as_they_were_written(pilum, official, uri):
    rng = np.random.default_rng(5)
    table = pa.table({f"c{i}": random_array(rng, t, 3000, 0, 50) for i, t in enumerate(PRIMITIVES)})
    write_legacy(official, uri, table)
    got = pilum.dataset(uri).to_table()
    for i, arrow_type in enumerate(PRIMITIVES):
        want = table[f"c{i}"]
        if pa.types.is_binary(arrow_type) or pa.types.is_string(arrow_type) or "large" in str(arrow_type):
            want = pa.chunked_array([[v or None for v in want.to_pylist()]], arrow_type)  # empty: a null when read
        assert got[f"c{i}"].combine_chunks().equals(want.combine_chunks()), arrow_type


def test_columns_that_cannot_be_null_keep_empty_strings(pilum, official, uri):
    schema = pa.schema([pa.field("s", pa.string(), False), pa.field("t", pa.string())])
    write_legacy(official, uri, pa.table({"s": ["", "a"], "t": ["", "a"]}, schema=schema))
    assert pilum.dataset(uri).to_table().to_pylist() == [{"s": "", "t": None}, {"s": "a", "t": "a"}]
    same_reads(pilum, official, uri)


@pytest.mark.parametrize(
    "condition",
    ["i > 500", "i % 7 = 3 AND s LIKE 'v%'", "s IS NULL", "s IS NOT NULL AND f < 3", "i IN (1, 2, 990, 5000)"],
)
def test_filters_give_the_rows_that_pylance_gives(pilum, official, uri, condition):
    rng = np.random.default_rng(11)
    n = 1000
    table = pa.table(
        {
            "i": pa.array(range(n)),
            "s": pa.array([None if k % 5 == 0 else f"v{k % 13}" for k in range(n)]),
            "f": pa.array(rng.normal(size=n) * 5),
            "l": pa.array([[k] * (k % 4) for k in range(n)]),
        }
    )
    write_legacy(official, uri, table, max_rows_per_group=64, max_rows_per_file=300)
    ours, theirs = pilum.dataset(uri), official.dataset(uri)
    same(ours.to_table(filter=condition), theirs.to_table(filter=condition))
    same(
        ours.to_table(columns=["l", "i"], filter=condition, limit=20, offset=3),
        theirs.to_table(columns=["l", "i"], filter=condition, limit=20, offset=3),
    )
    assert ours.count_rows(condition) == theirs.count_rows(condition)


def test_filters_see_the_values_that_scans_show(pilum, official, uri):
    """pylance decides by statistics, made before the nulls were lost, whether to look into a group at all: whether the
    zero that a null became is a zero depends on its neighbours."""
    table = pa.table({"i": pa.array([1, None, 3, 4, None, None, None, None], pa.int32()), "id": range(8)})
    theirs = write_legacy(official, uri, table, max_rows_per_group=4)
    ours = pilum.dataset(uri)
    assert ours.to_table()["i"].to_pylist() == theirs.to_table()["i"].to_pylist() == [1, 0, 3, 4, 0, 0, 0, 0]
    for condition, by_statistics in [("i = 0", [1]), ("i IS NULL", [4, 5, 6, 7]), ("i < 3", [0, 1])]:
        want = theirs.to_table(filter=condition, use_stats=False)["id"].to_pylist()
        assert ours.to_table(filter=condition)["id"].to_pylist() == want
        assert theirs.to_table(filter=condition)["id"].to_pylist() == by_statistics != want


def test_a_table_with_a_history_reads_as_in_pylance_at_every_version(pilum, official, uri):
    rng = np.random.default_rng(3)

    def rows(begin, end):
        return pa.table(
            {
                "a": pa.array(range(begin, end), pa.int64()),
                "s": pa.array([{"x": k, "y": f"y{k}"} for k in range(begin, end)]),
                "d": dictionary_column(rng, end - begin, pa.int8(), pa.array(["no", "yes"])),
                "z": pa.array([None if k % 3 == 0 else f"z{k}" for k in range(begin, end)]),
            }
        )

    write_legacy(official, uri, rows(0, 500), max_rows_per_group=50, max_rows_per_file=200)
    official.dataset(uri).add_columns({"b": "a * 10"})
    more = rows(500, 600).append_column("b", pa.array(range(100), pa.int64()))
    official.write_dataset(more, uri, mode="append")
    official.dataset(uri).drop_columns(["s.x"])
    official.dataset(uri).alter_columns({"path": "a", "name": "renamed"})
    official.dataset(uri).alter_columns({"path": "renamed", "data_type": pa.int32()})
    official.dataset(uri).delete("renamed % 7 = 0 OR renamed BETWEEN 210 AND 330")
    official.dataset(uri).update({"z": "'updated'"}, where="b = 150 OR b = 40")
    official.dataset(uri).create_scalar_index("b", "BTREE")
    ours, theirs = same_reads(pilum, official, uri)
    assert len(theirs.versions()) == 9
    for condition in ["b = 150", "b IN (40, 41, 7)", "renamed < 20"]:
        same(ours.to_table(filter=condition), theirs.to_table(filter=condition))
    for version in range(1, 10):
        same(ours.checkout_version(version).to_table(), theirs.checkout_version(version).to_table())


def test_what_pylance_writes_but_cannot_read(pilum, official, uri):
    schema = pa.schema([pa.field("element", pa.list_(pa.field("element", pa.int32(), False))), pa.field("v", pa.list_(pa.bool_(), 3))])
    values = [{"element": [1, 2], "v": [True, False, True]}, {"element": [], "v": [False, True, True]}]
    theirs = write_legacy(official, uri, pa.Table.from_pylist(values, schema=schema))
    with pytest.raises(Exception, match="column types must match"):  # items of a list are 'item' and may be null
        theirs.to_table(columns=["element"])
    assert pilum.dataset(uri).to_table().to_pylist() == values
    assert pilum.dataset(uri).take([1, 0]).to_pylist() == values[::-1]


def test_keys_into_an_empty_dictionary_are_an_error_in_both(pilum, official, uri):
    theirs = write_legacy(official, uri, pa.table({"d": pa.array([None, None], pa.string()).dictionary_encode()}))
    with pytest.raises(Exception, match="key"):
        theirs.to_table()
    with pytest.raises(OSError, match="key"):
        pilum.dataset(uri).to_table()


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_0_1_is_not_written(pilum, official, uri, mode):
    table = pa.table({"a": [1, 2, 3], "d": pa.array(["x", "y", "x"]).dictionary_encode()})
    write_legacy(official, uri, table)
    before = sorted(glob.glob(os.path.join(uri, "**"), recursive=True))
    for data in (table, table.slice(0, 0)):
        with pytest.raises(NotImplementedError, match=r"0\.1"):
            pilum.write_dataset(data, uri, mode=mode)
    with pytest.raises(NotImplementedError, match=r"0\.1"):
        pilum.write_dataset(table, uri + "2", data_storage_version="legacy")
    assert sorted(glob.glob(os.path.join(uri, "**"), recursive=True)) == before
    assert not os.path.exists(os.path.join(uri + "2", "_versions"))
    same_reads(pilum, official, uri)


def test_a_table_can_leave_0_1_by_an_overwrite(pilum, official, uri):
    table = pa.table({"a": [1, None, 3], "d": pa.array(["x", "y", "x"]).dictionary_encode()})
    write_legacy(official, uri, table)
    pilum.write_dataset(table, uri, mode="overwrite", data_storage_version="2.1")
    for engine in (pilum, official):
        assert engine.dataset(uri).data_storage_version == "2.1"
        assert engine.dataset(uri).to_table().equals(table)
        assert engine.dataset(uri, version=1).to_table()["a"].to_pylist() == [1, 0, 3]


def test_the_reader_of_single_files_refuses_it_as_pylance_does(engine, official, uri):
    write_legacy(official, uri, pa.table({"a": [1, 2, 3]}))
    (path,) = glob.glob(os.path.join(uri, "data", "*.lance"))
    import importlib

    file = importlib.import_module(engine.__name__ + ".file")
    with pytest.raises(OSError, match="Attempt to use the .* reader to read"):
        file.LanceFileReader(path).metadata()
