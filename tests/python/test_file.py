# SPDX-License-Identifier: Apache-2.0
"""pilum.file: single data files, with the calls of lance.file."""

import concurrent.futures
import pathlib

import pyarrow as pa
import pytest

from pilum.file import LanceFileReader, LanceFileWriter

ROWS = pa.table(
    {
        "a": pa.array(range(3000), pa.int64()),
        "b": [None if i % 7 == 0 else f"s{i}" for i in range(3000)],
        "c": pa.array([{"x": i, "y": [i] * (i % 3)} for i in range(3000)]),
    }
)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "folder" / "rows.lance")


@pytest.fixture
def reader(path):
    with LanceFileWriter(path) as writer:
        writer.write_batch(ROWS)
    return LanceFileReader(path)


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_rows_come_back_in_batches_of_the_size_asked_for(path, version):
    with LanceFileWriter(path, ROWS.schema, version=version) as writer:
        for batch in ROWS.to_batches(max_chunksize=700):
            writer.write_batch(batch)
        assert writer.close() == 3000
        assert writer.close() is None
    reader = LanceFileReader(pathlib.Path(path))
    assert reader.num_rows() == 3000
    assert reader.read_all().to_table() == ROWS
    assert [batch.num_rows for batch in reader.read_all(batch_size=1300).to_batches()] == [1300, 1300, 400]
    assert reader.read_range(2990, 10).to_table() == ROWS.slice(2990, 10)
    assert reader.read_range(5, 0).to_table().num_rows == 0
    assert reader.take_rows([1, 1, 5, 2999]).to_table() == ROWS.take([1, 1, 5, 2999])
    assert reader.take_rows([]).to_table().num_rows == 0


def test_columns_come_in_the_order_asked_for(path, reader):
    assert LanceFileReader(path, columns=["c", "a"]).read_all().to_table() == ROWS.select(["c", "a"])
    part = LanceFileReader(path, columns=["c.y", "a"]).take_rows([4, 8]).to_table()
    assert part.to_pylist() == [{"c": {"y": [4]}, "a": 4}, {"c": {"y": [8, 8]}, "a": 8}]
    both = LanceFileReader(path, columns=["c.y", "c.x"]).read_range(1, 1).to_table()
    assert both["c"].to_pylist() == [{"x": 1, "y": [1]}]
    with pytest.raises(OSError, match="'zz' not found"):
        LanceFileReader(path, columns=["zz"])
    with pytest.raises(OSError, match="'c.zz' not found"):
        LanceFileReader(path, columns=["c.zz"])
    with pytest.raises(ValueError, match="zero columns"):
        LanceFileReader(path, columns=[])


def test_rows_outside_of_the_file_are_value_errors(reader):
    for start, count in [(2990, 11), (3001, 1), (0, 2**63), (2**63, 1), (5, 2**63 - 1)]:
        with pytest.raises(ValueError, match="3000 rows"):
            reader.read_range(start, count)
    with pytest.raises(OverflowError):
        reader.read_range(-1, 2)
    with pytest.raises(ValueError, match="not in the file"):
        reader.take_rows([0, 2**63])
    with pytest.raises(TypeError):
        reader.take_rows([1.5])
    with pytest.raises(ValueError, match="row 3000"):
        reader.take_rows([5, 3000])
    with pytest.raises(ValueError, match="ascending"):
        reader.take_rows([5, 1])
    with pytest.raises(OverflowError):
        reader.take_rows([-1])


def test_metadata_tells_where_every_byte_is(path):
    writer = LanceFileWriter(path)
    writer.add_schema_metadata("early", "1")
    writer.write_batch(ROWS.to_batches()[0])
    writer.add_schema_metadata("late", "2")
    assert writer.add_global_buffer(b"hello") == 1
    assert writer.add_global_buffer(b"") == 2
    writer.close()
    reader = LanceFileReader(path)
    metadata = reader.metadata()
    assert (metadata.major_version, metadata.minor_version, metadata.num_rows) == (2, 1, 3000)
    assert metadata.schema.metadata == {b"early": b"1", b"late": b"2"}
    assert reader.read_all().to_table().schema == metadata.schema
    assert [reader.read_global_buffer(i) for i in (1, 2)] == [b"hello", b""]
    assert len(reader.read_global_buffer(0)) == metadata.global_buffers[0].size
    with pytest.raises(ValueError, match="index 3"):
        reader.read_global_buffer(3)

    assert len(metadata.columns) == 4, "a, b, c.x, c.y"
    statistics = reader.file_statistics().columns
    for column, told in zip(metadata.columns, statistics):
        assert told.num_pages == len(column.pages) == 1
        assert told.size_bytes == sum(buffer.size for buffer in column.pages[0].buffers) > 0
        assert "mini_block_layout" in column.pages[0].encoding
    used = sum(s.size_bytes for s in statistics)
    assert used <= metadata.num_data_bytes < used + 64 * 20, "all but the padding of the buffers"
    footer_and_tables = 40 + 16 * 3
    assert pathlib.Path(path).stat().st_size == footer_and_tables + metadata.num_data_bytes + (
        metadata.num_column_metadata_bytes + metadata.num_global_buffer_bytes
    )


def test_pages_hold_the_bytes_the_cache_has_for_a_column(path):
    numbers = pa.table({"a": pa.array([i * 0.37 for i in range(100_000)]), "b": pa.array([i * 0.7 for i in range(100_000)])})
    with LanceFileWriter(path, data_cache_bytes=200_000) as writer:
        for batch in numbers.to_batches(max_chunksize=1000):
            writer.write_batch(batch)
    pages = [column.num_pages for column in LanceFileReader(path).file_statistics().columns]
    assert pages == [8, 8], "800,000 bytes of each column, 100,000 in a page and the batch that fills it"
    assert LanceFileReader(path).read_all().to_table() == numbers


def test_a_writer_that_fails_leaves_no_file(path):
    with pytest.raises(ValueError, match="missing the column `b`"):
        with LanceFileWriter(path, ROWS.schema) as writer:
            writer.write_batch(ROWS)
            writer.write_batch(ROWS.select(["a"]))
    assert list(pathlib.Path(path).parent.iterdir()) == []
    with pytest.raises(ValueError, match="schema is unknown"):
        LanceFileWriter(path).close()
    with pytest.raises(ValueError, match="Unknown Lance storage version: 9.9"):
        LanceFileWriter(path, ROWS.schema, version="9.9")
    with pytest.raises(NotImplementedError, match="storage_options"):
        LanceFileWriter(path, ROWS.schema, storage_options={"region": "x"})
    writer = LanceFileWriter(path, ROWS.schema)
    writer.close()
    for call in (lambda: writer.write_batch(ROWS), lambda: writer.add_schema_metadata("k", "v")):
        with pytest.raises(OSError, match="closed"):
            call()
    assert LanceFileReader(path).read_all().to_table() == ROWS.slice(0, 0)


def test_files_without_rows_or_columns_are_files(path):
    for rows in (ROWS.slice(0, 0), pa.table({})):
        with LanceFileWriter(path, rows.schema) as writer:
            writer.write_batch(rows)
        reader = LanceFileReader(path)
        assert reader.num_rows() == 0
        assert reader.metadata().schema == rows.schema
        got = reader.read_all().to_table()
        assert (got.num_rows, got.schema) == (0, rows.schema)


def test_threads_may_share_a_writer(path):
    batches = [pa.record_batch({"a": [i] * 500, "s": [f"text {i}"] * 500}) for i in range(64)]
    with LanceFileWriter(path, batches[0].schema, data_cache_bytes=1 << 12) as writer:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(writer.write_batch, batches))
    table = LanceFileReader(path).read_all().to_table()
    assert sorted(table["a"].to_pylist()) == sorted(list(range(64)) * 500)
    assert table["s"].to_pylist() == [f"text {i}" for i in table["a"].to_pylist()]


def test_names_in_uris_are_decoded(tmp_path):
    with LanceFileWriter(f"file://{tmp_path}/a%20b.lance") as writer:
        writer.write_batch(ROWS)
    assert LanceFileReader(str(tmp_path / "a b.lance")).num_rows() == 3000


def test_an_error_that_shows_only_at_the_end_leaves_no_file_either(path):
    empty = pa.table({"s": pa.array([{}] * 99 + [None], pa.struct([]))})
    writer = LanceFileWriter(path, empty.schema)
    writer.write_batch(empty)  # waits for its page
    with pytest.raises(NotImplementedError, match="structs without fields that are null"):
        writer.close()
    assert writer.close() is None
    assert list(pathlib.Path(path).parent.iterdir()) == []


def test_extensions_and_views_at_any_depth_come_back(path):
    views = pa.array([["a", None], [], None, ["a text that is longer than a view"]], pa.list_(pa.string_view()))
    ids = pa.array([bytes([i]) * 16 for i in range(4)], pa.binary(16))
    columns = {"id": pa.ExtensionArray.from_storage(pa.uuid(), ids), "v": views}
    columns["s"] = pa.StructArray.from_arrays([columns["id"], views], ["id", "v"])
    rows = pa.table(columns)
    with LanceFileWriter(path, rows.schema) as writer:
        writer.write_batch(rows.slice(1))
    back = LanceFileReader(path).read_all().to_table()
    assert back.schema.field("id").type == pa.uuid() == back.schema.field("s").type.field("id").type
    assert back.schema.field("v").type == pa.list_(pa.string())
    assert back.to_pylist() == rows.slice(1).to_pylist()


def test_a_part_of_a_packed_struct_is_that_of_the_whole(path):
    children = [pa.field("x", pa.int32(), False), pa.field("y", pa.binary(3), False), pa.field("z", pa.float64(), False)]
    packed = pa.field("p", pa.struct(children), metadata={"lance-encoding:packed": "true"})
    rows = pa.table([[{"x": i, "y": b"%03d" % i, "z": i / 4} for i in range(99)] + [None]], schema=pa.schema([packed]))
    with LanceFileWriter(path, rows.schema) as writer:
        writer.write_batch(rows)
    for columns in (["p.y"], ["p.z", "p.x"], ["p"], ["p.z"]):
        reader = LanceFileReader(path, columns=columns)
        names = [c.name for c in children if columns == ["p"] or f"p.{c.name}" in columns]
        expected = [row and {name: row[name] for name in names} for row in rows["p"].to_pylist()]
        assert reader.read_all().to_table()["p"].to_pylist() == expected
        assert reader.take_rows([3, 98, 99]).to_table()["p"].to_pylist() == [expected[3], *expected[98:]]


def test_what_is_no_file_of_lance_is_an_os_error_that_names_it(path, reader):
    with pytest.raises(OSError, match="no.lance"):
        LanceFileReader(path.replace("rows", "no"))
    whole = pathlib.Path(path).read_bytes()
    for damaged in (whole[:-1], whole[:20], b"", b"x" * 100):
        pathlib.Path(path).write_bytes(damaged)
        with pytest.raises(OSError, match="rows.lance"):
            LanceFileReader(path)
