# SPDX-License-Identifier: Apache-2.0
"""What scripts written for pylance rely on. With pylance in the interpreter every test runs against both."""

import pickle

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest


def some_table(n=10):
    strings = [None if i % 4 == 3 else f"s{i}" for i in range(n)]
    return pa.table({"a": pa.array(range(n), pa.int64()), "s": pa.array(strings, pa.string())})


@pytest.fixture
def written(engine, uri):
    return engine.write_dataset(some_table(), uri)


# ---- writing ----


def test_write_returns_the_dataset_it_made(engine, uri):
    dataset = engine.write_dataset(some_table(), uri)
    assert isinstance(dataset, engine.LanceDataset)
    assert (dataset.version, dataset.uri, dataset.count_rows()) == (1, uri, 10)
    assert dataset.schema == some_table().schema
    if engine.__version__ < "1" or engine.__version__.startswith("8."):
        assert dataset.data_storage_version == "2.1"


@pytest.mark.parametrize(
    "data",
    [
        some_table(),
        some_table().to_batches()[0],
        some_table().to_reader(),
        some_table().to_pandas(),
        some_table().to_pydict(),
        some_table().to_pylist(),
        pa.dataset.dataset(some_table()),
    ],
    ids=["table", "batch", "reader", "pandas", "dict", "rows", "dataset"],
)
def test_everything_that_gives_batches_may_be_written(engine, uri, data):
    if isinstance(data, pa.RecordBatchReader):
        data = some_table().to_reader()
    assert engine.write_dataset(data, uri).to_table().to_pydict() == some_table().to_pydict()


def test_batches_need_a_schema(engine, uri):
    with pytest.raises(ValueError, match="schema"):
        engine.write_dataset(iter(some_table().to_batches()), uri)
    dataset = engine.write_dataset(iter(some_table().to_batches()), uri, schema=some_table().schema)
    assert dataset.count_rows() == 10


def test_what_is_not_data_is_a_type_error(engine, uri):
    with pytest.raises(TypeError):
        engine.write_dataset(5, uri)


def test_create_refuses_an_existing_table(engine, written, uri):
    with pytest.raises(OSError, match="already exists"):
        engine.write_dataset(some_table(), uri)
    assert engine.dataset(uri).version == 1


def test_append_and_overwrite_make_versions(engine, written, uri):
    assert engine.write_dataset(some_table(5), uri, mode="append").count_rows() == 15
    assert engine.write_dataset(some_table(3), uri, mode="overwrite").count_rows() == 3
    assert [v["version"] for v in engine.dataset(uri).versions()] == [1, 2, 3]
    assert [engine.dataset(uri, version=v).count_rows() for v in (1, 2, 3)] == [10, 15, 3]


def test_append_creates_a_missing_table(engine, uri):
    assert engine.write_dataset(some_table(), uri, mode="append").version == 1


def test_an_append_with_another_schema_is_refused_by_column(engine, written, uri):
    with pytest.raises(OSError, match="x"):
        engine.write_dataset(pa.table({"x": [1]}), uri, mode="append")
    with pytest.raises(OSError, match="`?a`?"):
        engine.write_dataset(pa.table({"a": ["x"], "s": ["y"]}), uri, mode="append")
    assert engine.dataset(uri).version == 1


def test_unknown_modes_and_versions_are_value_errors(engine, uri):
    with pytest.raises(ValueError, match="zz"):
        engine.write_dataset(some_table(), uri, mode="zz")
    with pytest.raises(ValueError, match="9.9"):
        engine.write_dataset(some_table(), uri, data_storage_version="9.9")


def test_an_empty_table_keeps_its_schema(engine, uri):
    dataset = engine.write_dataset(some_table(0), uri)
    assert dataset.count_rows() == 0
    assert dataset.to_table().schema == some_table().schema


def test_rows_are_cut_into_files(engine, uri):
    dataset = engine.write_dataset(some_table(1000), uri, max_rows_per_file=300)
    assert dataset.count_rows() == 1000
    assert dataset.versions()[0]["metadata"]["total_fragments"] == "4"
    assert dataset.to_table().to_pydict() == some_table(1000).to_pydict()


def test_insert_moves_the_handle(written):
    written.insert(some_table(2))
    assert (written.version, written.count_rows()) == (2, 12)


# ---- opening ----


def test_a_missing_table_is_named(engine, tmp_path):
    with pytest.raises(ValueError, match="nope"):
        engine.dataset(str(tmp_path / "nope"))


def test_a_directory_without_a_table_is_refused(engine, tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(ValueError, match="not found"):
        engine.dataset(str(tmp_path))


def test_a_missing_version_is_an_error(engine, written, uri):
    with pytest.raises(ValueError):
        engine.dataset(uri, version=99)
    with pytest.raises(OSError):
        written.checkout_version(99)


def test_handles_are_snapshots(engine, written, uri):
    engine.write_dataset(some_table(5), uri, mode="append")
    assert (written.version, written.count_rows(), written.latest_version) == (1, 10, 2)
    assert written.checkout_version(2).count_rows() == 15
    written.checkout_latest()
    assert written.count_rows() == 15


def test_paths_may_be_pathlib_paths(engine, tmp_path):
    engine.write_dataset(some_table(), tmp_path / "t")
    assert engine.dataset(tmp_path / "t").count_rows() == 10


def test_handles_can_be_pickled(engine, written):
    assert pickle.loads(pickle.dumps(written)).to_table() == written.to_table()


# ---- scanning ----


def test_a_scan_gives_the_rows_in_order(written):
    assert written.to_table() == some_table()
    assert pa.Table.from_batches(written.to_batches()) == some_table()
    pd.testing.assert_frame_equal(written.to_table().to_pandas(), some_table().to_pandas())


def test_columns_come_in_the_order_asked_for(written):
    assert written.to_table(columns=["s", "a"]).schema.names == ["s", "a"]
    assert written.to_table(columns=["s"]).to_pydict() == some_table().select(["s"]).to_pydict()


@pytest.mark.parametrize(
    "condition, expected",
    [
        ("a > 5", [6, 7, 8, 9]),
        ("a >= 5 AND a < 7", [5, 6]),
        ("a = 1 OR a = 3", [1, 3]),
        ("NOT a < 8", [8, 9]),
        ("a IN (2, 4, 77)", [2, 4]),
        ("a BETWEEN 2 AND 3", [2, 3]),
        ("s = 's5'", [5]),
        ("s IS NULL", [3, 7]),
        ("s IS NOT NULL AND a > 7", [8, 9]),
        ("s LIKE 's_' AND a != 2 AND a < 4", [0, 1]),
        ("a % 4 = 1", [1, 5, 9]),
        ("a + 1 = 4", [3]),
        ("s <> 's1'", [0, 2, 4, 5, 6, 8, 9]),
        ("a == 2", [2]),
        ("(a = 1 OR a = 2) AND s = 's2'", [2]),
        ("A = 3", [3]),
        ("`a` = 3", [3]),
    ],
)
def test_filters(written, condition, expected):
    assert written.to_table(filter=condition)["a"].to_pylist() == expected
    assert written.count_rows(filter=condition) == len(expected)


@pytest.mark.parametrize("condition", ["zz = 1", "a = = 1", "a = 'x'", "a +", "(a = 1"])
def test_a_filter_that_does_not_fit_is_a_value_error(written, condition):
    with pytest.raises(ValueError):
        written.to_table(filter=condition)


def test_unknown_columns_are_value_errors(written):
    with pytest.raises(ValueError, match="zz"):
        written.to_table(columns=["zz"])


def test_limit_and_offset_apply_after_the_filter(written):
    assert written.to_table(limit=2)["a"].to_pylist() == [0, 1]
    assert written.to_table(limit=2, offset=9)["a"].to_pylist() == [9]
    assert written.to_table(filter="a > 3", limit=2, offset=1)["a"].to_pylist() == [5, 6]
    assert written.to_table(offset=50).num_rows == 0
    for argument in ("limit", "offset"):
        with pytest.raises(ValueError):
            written.to_table(**{argument: -1})


def test_batch_size_bounds_batches(written):
    assert [batch.num_rows for batch in written.to_batches(batch_size=3)] == [3, 3, 3, 1]


def test_conditions_on_dictionary_columns_are_about_their_values(engine, uri):
    answers = pa.array(["yes", "no", None, "yes"]).dictionary_encode()
    dataset = engine.write_dataset(pa.table({"a": range(4), "d": answers}), uri)
    for condition, rows in (
        ("d = 'yes'", [0, 3]),
        ("d != 'yes'", [1]),
        ("d IN ('no', 'maybe')", [1]),
        ("d IS NOT NULL AND a > 0", [1, 3]),
    ):
        assert dataset.to_table(columns=["a"], filter=condition)["a"].to_pylist() == rows
    assert dataset.to_table(filter="d = 'no'")["d"].to_pylist() == ["no"]


@pytest.fixture
def nested(engine, uri):
    inner = pa.struct([("z", pa.string()), ("w", pa.float64())])
    rows = [{"x": 1, "y": {"z": "p", "w": 1.5}}, None, {"x": None, "y": None}]
    lists = pa.list_(pa.struct([("x", pa.int32()), ("y", pa.int32())]))
    columns = {
        "a": pa.array([1, 2, 3]),
        "s": pa.array(rows, pa.struct([("x", pa.int64()), ("y", inner)])),
        "l": pa.array([[{"x": 1, "y": 2}], None, []], lists),
        "d": pa.array([{"k.k": 1}, {"k.k": 2}, None], pa.struct([("k.k", pa.int64())])),
    }
    return engine.write_dataset(pa.table(columns), uri)


def test_scans_show_parts_of_structs_as_columns(nested):
    for columns in (["s.x"], ["s.y.z", "a", "s.x"], ["s.x", "s"], ["s", "s.y"], ["d.`k.k`"], ["`s`.x"], ["s.y", "_rowid"]):
        table = nested.to_table(columns=columns)
        assert table.column_names == columns
        assert sum(batch.num_rows for batch in nested.to_batches(columns=columns)) == 3
    assert nested.to_table(columns=["s.y.w", "s.x"]).to_pydict() == {"s.y.w": [1.5, None, None], "s.x": [1, None, None]}
    assert nested.to_table(columns=["s.y"]).schema.field("s.y").type == nested.schema.field("s").type.field("y").type
    assert nested.to_table(columns=["d.`k.k`"])["d.`k.k`"].to_pylist() == [1, 2, None]
    assert nested.to_table(columns=["s.y.z"], filter="s.x = 1").to_pydict() == {"s.y.z": ["p"]}
    assert nested.to_table(columns=["s.x", "a"], filter="a > 1", limit=1).to_pydict() == {"s.x": [None], "a": [2]}
    for columns in (["s.nope"], ["nope.x"], ["a.x"], ["s.x", "s.x"], ["l.item.x"], ["l.x"]):
        with pytest.raises(ValueError):
            nested.to_table(columns=columns)


def test_takes_show_what_is_asked_for_of_nested_columns(nested):
    def take(*columns):
        return nested.take([2, 0], columns=list(columns))

    assert take("s.x").to_pydict() == {"s": [{"x": None}, {"x": 1}]}
    assert take("s.y.z", "a", "s.x").to_pylist() == [
        {"s": {"x": None, "y": None}, "a": 3},
        {"s": {"x": 1, "y": {"z": "p"}}, "a": 1},
    ]
    assert take("l.item.x").to_pydict() == {"l": [[], [{"x": 1}]]}
    assert take("s.x", "s") == take("s")
    assert take("d.`k.k`").to_pydict() == {"d": [None, {"k.k": 1}]}


def test_batches_may_be_cut_by_their_bytes(engine, uri):
    dataset = engine.write_dataset(pa.table({"a": range(100_000)}), uri)
    batches = [batch.num_rows for batch in dataset.to_batches(batch_size_bytes=80_000)]
    assert sum(batches) == 100_000 and 5_000 < max(batches) < 20_000
    assert next(iter(dataset.to_batches(batch_size_bytes=0))).num_rows == 1
    for wrong, error in ((-1, OverflowError), (1.5, TypeError)):
        with pytest.raises(error):
            dataset.scanner(batch_size_bytes=wrong)


def test_row_ids_and_addresses(written):
    rows = written.to_table(with_row_id=True, with_row_address=True, limit=2)
    assert rows.schema.names == ["a", "s", "_rowid", "_rowaddr"]
    assert rows.to_pydict() == {"a": [0, 1], "s": ["s0", "s1"], "_rowid": [0, 1], "_rowaddr": [0, 1]}
    assert written.to_table(columns=["_rowid", "a"], limit=1).to_pydict() == {"_rowid": [0], "a": [0]}


def test_a_scanner_can_run_again(written):
    scanner = written.scanner(columns=["a"], filter="a > 7")
    assert scanner.to_table() == scanner.to_table()
    assert scanner.count_rows() == 2
    assert scanner.projected_schema.names == ["a"]


def test_head(written):
    assert written.head(3)["a"].to_pylist() == [0, 1, 2]


# ---- take ----


def test_take_keeps_order_and_repeats(written):
    assert written.take([3, 1, 1]).to_pydict() == {"a": [3, 1, 1], "s": [None, "s1", "s1"]}
    assert written.take(pa.array([9, 0]), columns=["s"]).to_pydict() == {"s": ["s9", "s0"]}


def test_take_outside_the_table(written):
    with pytest.raises(OSError):
        written.take([10])
    with pytest.raises(OverflowError):
        written.take([-1])


def test_take_over_several_files(engine, uri):
    dataset = engine.write_dataset(some_table(1000), uri, max_rows_per_file=77)
    picks = [999, 0, 500, 77, 76, 500]
    assert dataset.take(picks, columns=["a"])["a"].to_pylist() == picks


def test_the_extension_and_its_type_stub_name_the_same_things(pilum):
    import ast
    import inspect
    from pathlib import Path

    stub = ast.parse((Path(pilum.__file__).parent / "_pilum.pyi").read_text())
    named = {node.name for node in stub.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    members = {name for name, _ in inspect.getmembers(pilum._pilum) if not name.startswith("_")}
    assert members <= named
