# SPDX-License-Identifier: Apache-2.0
"""Vectors of type null, and rows of very many empty lists: forms that few use and each release reads in its own way."""

import pyarrow as pa
import pytest

VECTOR = pa.list_(pa.null(), 3)
NESTED = pa.list_(pa.list_(pa.null(), 2), 3)
VALUES = {
    "valid": pa.array([[None] * 3] * 5, VECTOR),
    "null": pa.array([[None] * 3, None, [None] * 3, None], VECTOR),
    "only null": pa.array([None, None], VECTOR),
    "list": pa.array([[[None] * 3], [], [[None] * 3] * 2], pa.list_(VECTOR)),
    "list and null": pa.array([[[None] * 3, None], [], None, [[None] * 3] * 2], pa.list_(VECTOR)),
    "struct": pa.array([{"a": [None] * 3}] * 3, pa.struct([("a", VECTOR)])),
    "struct and null": pa.array([{"a": [None] * 3}, None, {"a": None}], pa.struct([("a", VECTOR)])),
    "vectors": pa.array([[[None] * 2] * 3, None, [[None] * 2, None, None]], NESTED),
}


def write(engine, path, column, version):
    table = pa.table({"x": column})
    with engine.file.LanceFileWriter(str(path), table.schema, version=version) as writer:
        writer.write_batch(table)


def read(engine, path):
    return engine.file.LanceFileReader(str(path)).read_all().to_table()["x"].combine_chunks()


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("name", VALUES)
def test_pilum_reads_what_was_written_even_where_the_official_engine_does_not(pilum, official, tmp_path, name, version):
    column = VALUES[name]
    if name == "struct and null" and version == "2.0":
        pytest.skip("2.0 has no null structs")
    write(official, tmp_path / "f", column, version)
    assert read(pilum, tmp_path / "f") == column
    rows = pa.array([0, len(column) - 1])
    taken = pilum.file.LanceFileReader(str(tmp_path / "f")).take_rows(rows.to_pylist()).to_table()["x"]
    assert taken.combine_chunks() == column.take(rows)


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("name", VALUES)
def test_the_official_engine_reads_what_pilum_writes(pilum, official, tmp_path, name, version):
    column = VALUES[name]
    refused = {"2.0": ["struct and null"]}.get(version, ["vectors"])
    if name in refused:
        with pytest.raises((ValueError, NotImplementedError)):
            write(pilum, tmp_path / "f", column, version)
        return
    write(pilum, tmp_path / "f", column, version)
    assert read(official, tmp_path / "f") == column
    assert read(pilum, tmp_path / "f") == column


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_a_row_of_70000_empty_lists_in_a_struct(pilum, official, tmp_path, version):
    rows = [{"a": [[1]]}, {"a": [[]] * 70_000 + [[2]]}, {"a": [[2], [3]]}, None, {"a": None}]
    column = pa.array(rows, pa.struct([("a", pa.list_(pa.list_(pa.int32())))]))
    write(pilum, tmp_path / "f", column, version)
    assert read(pilum, tmp_path / "f") == column
    assert read(official, tmp_path / "f").to_pylist() == column.to_pylist()
    write(official, tmp_path / "g", column, version)
    assert read(pilum, tmp_path / "g").to_pylist() == column.to_pylist()
