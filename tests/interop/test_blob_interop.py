# SPDX-License-Identifier: Apache-2.0
"""Blob columns in both directions: each engine reads the values, the nulls and the sidecars the other wrote."""

import random

import lance
import pyarrow as pa
import pytest

import pilum

SIZES = [0, 1, 63, 64, 65, 1_000, 65_536, 65_537, 300_000, 5_000_000]
RELEASE_8 = lance.__version__.startswith("8.")


def some_values(rng, n, nulls):
    return [None if rng.random() < nulls else rng.randbytes(rng.choice(SIZES[: 10 if i < 4 else 8])) for i in range(n)]


def v1_table(values):
    field = pa.field("b", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
    schema = pa.schema([pa.field("i", pa.int64()), field])
    return pa.table([pa.array(range(len(values)), pa.int64()), pa.array(values, pa.large_binary())], schema=schema)


def v2_table(values, **thresholds):
    schema = pa.schema([pa.field("i", pa.int64()), pilum.blob_field("b", **thresholds)])
    return pa.table([pa.array(range(len(values)), pa.int64()), pilum.blob_array(values)], schema=schema)


def nested_table(values, structs):
    """A struct of a blob and a number; `structs` says which of them are not null."""
    blobs = pilum.blob_array(values)
    fields = [pilum.blob_field("b"), pa.field("k", pa.int64())]
    mask = pa.array([not present for present in structs])
    column = pa.StructArray.from_arrays([blobs, pa.array(range(len(values)))], fields=fields, mask=mask)
    return pa.table({"i": range(len(values)), "s": column})


def official_bytes(dataset, column, values):
    """The values that are not null, through the official reader, by position."""
    rows = [i for i, value in enumerate(values) if value is not None]
    if not rows:
        return []
    return [blob.read() for blob in dataset.take_blobs(column, indices=rows)]


def our_bytes(dataset, column, n):
    blobs = dataset.take_blobs(column, indices=range(n))
    return [None if blob is None else blob.read() for blob in blobs]


@pytest.mark.parametrize("nulls", [0, 0.3, 1])
@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("seed", range(3))
def test_pilum_reads_the_blobs_that_the_release_writes(tmp_path, version, nulls, seed):
    rng = random.Random(seed)
    values = some_values(rng, rng.choice([1, 5, 40]), nulls)
    table = v2_table(values) if version == "2.2" else v1_table(values)
    lance.write_dataset(table, tmp_path / "t", data_storage_version=version, max_rows_per_file=17)
    ours = pilum.dataset(tmp_path / "t")
    assert ours.to_table(blob_handling="all_binary")["b"].to_pylist() == values
    assert our_bytes(ours, "b", len(values)) == values
    assert [value for _, value in ours.read_blobs("b", indices=range(len(values)))] == values
    official = lance.dataset(tmp_path / "t").to_table()
    if version == "2.2" and RELEASE_8:  # it shows its own nulls as zeros
        zeros = {"kind": 0, "position": 0, "size": 0, "blob_id": 0, "blob_uri": ""}
        mine = ours.to_table()
        assert mine.schema == official.schema
        assert [row or zeros for row in mine["b"].to_pylist()] == official["b"].to_pylist()
    else:
        assert ours.to_table() == official


@pytest.mark.parametrize("nulls", [0, 0.3, 1])
@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("seed", range(3))
def test_the_release_reads_the_blobs_that_pilum_writes(tmp_path, version, nulls, seed):
    rng = random.Random(100 + seed)
    values = some_values(rng, rng.choice([1, 5, 40]), nulls)
    table = v2_table(values) if version == "2.2" else v1_table(values)
    ours = pilum.write_dataset(table, tmp_path / "t", data_storage_version=version, max_rows_per_file=17)
    theirs = lance.dataset(tmp_path / "t")
    assert official_bytes(theirs, "b", values) == [value for value in values if value is not None]
    assert theirs.to_table() == ours.to_table()
    assert theirs.schema == ours.schema
    if not RELEASE_8:
        assert theirs.to_table(blob_handling="all_binary")["b"].to_pylist() == values


@pytest.mark.parametrize("writer", [lance, pilum], ids=["release", "pilum"])
def test_blobs_in_structs(tmp_path, writer):
    values = [b"x", None, b"", b"y" * 70_000, b"z", None]
    structs = [True, True, True, True, False, False]
    expected = [value if present else None for value, present in zip(values, structs)]
    writer.write_dataset(nested_table(values, structs), tmp_path / "t", data_storage_version="2.2")
    ours, theirs = pilum.dataset(tmp_path / "t"), lance.dataset(tmp_path / "t")
    assert our_bytes(ours, "s.b", len(values)) == expected
    assert official_bytes(theirs, "s.b", expected) == [value for value in expected if value is not None]
    rows = ours.to_table(blob_handling="all_binary")["s"].to_pylist()
    assert [row and row["k"] for row in rows] == [0, 1, 2, 3, None, None]
    assert [row and row["b"] for row in rows] == expected


def test_descriptions_of_version_1_in_structs_are_read(tmp_path):
    field = pa.field("b", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
    values, structs = [b"x", None, b"", b"y" * 70_000, b"z", None], [True, True, True, True, False, False]
    mask = pa.array([not present for present in structs])
    column = pa.StructArray.from_arrays([pa.array(values, pa.large_binary())], fields=[field], mask=mask)
    lance.write_dataset(pa.table({"s": column}), tmp_path / "t", data_storage_version="2.1")
    ours = pilum.dataset(tmp_path / "t")
    assert our_bytes(ours, "s.b", 6) == [b"x", None, b"", b"y" * 70_000, None, None]
    assert ours.to_table(blob_handling="all_binary")["s"].to_pylist()[3:5] == [{"b": b"y" * 70_000}, None]


@pytest.mark.skipif(RELEASE_8, reason="8.0.0 does not write blobs in lists")
def test_blobs_in_lists_are_read(tmp_path):
    values = [b"x", None, b"", b"y" * 70_000, b"z"]
    item = pilum.blob_field("item")
    offsets = pa.array([0, 2, None, 4, 5], pa.int32())
    column = pa.ListArray.from_arrays(offsets, pilum.blob_array(values), type=pa.list_(item))
    table = pa.table([column], schema=pa.schema([pa.field("l", pa.list_(item))]))
    lance.write_dataset(table, tmp_path / "t", data_storage_version="2.2")
    ours = pilum.dataset(tmp_path / "t")
    assert ours.to_table() == lance.dataset(tmp_path / "t").to_table()
    expected = [[b"x", None], [b"", b"y" * 70_000], None, [b"z"]]
    assert ours.to_table(blob_handling="all_binary")["l"].to_pylist() == expected
    with pytest.raises(NotImplementedError, match="in a list"):
        ours.take_blobs("l.item", indices=[0])


def test_values_outside_of_the_table(tmp_path):
    (tmp_path / "outside.bin").write_bytes(b"0123456789")
    uri = f"file://{tmp_path}/outside.bin"
    table = v2_table([uri, pilum.Blob.from_uri(uri, 2, 3), b"own", None])
    for name, writer, options in [
        ("a", pilum, {"allow_external_blob_outside_bases": True}),
        ("b", lance, {"allow_external_blob_outside_bases": True}),
        ("c", pilum, {"external_blob_mode": "ingest"}),
        ("d", lance, {"external_blob_mode": "ingest"}),
    ]:
        writer.write_dataset(table, tmp_path / name, data_storage_version="2.2", **options)
        expected = [b"0123456789", b"234", b"own", None]
        ours, theirs = pilum.dataset(tmp_path / name), lance.dataset(tmp_path / name)
        assert our_bytes(ours, "b", 4) == expected
        assert official_bytes(theirs, "b", expected) == expected[:3]
        assert ours.to_table()["b"].to_pylist()[:3] == theirs.to_table()["b"].to_pylist()[:3]
    for writer in (pilum, lance):
        with pytest.raises(OSError, match="outside"):
            writer.write_dataset(table, tmp_path / "e", data_storage_version="2.2")


def test_values_relative_to_a_base_path(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "one.bin").write_bytes(b"0123456789")
    table = v2_table([f"file://{base}/one.bin"])
    bases = [lance.DatasetBasePath(str(base), name="media", id=1)]
    lance.write_dataset(table, tmp_path / "t", data_storage_version="2.2", initial_bases=bases)
    ours = pilum.dataset(tmp_path / "t")
    assert ours.to_table()["b"].to_pylist()[0]["blob_id"] == 1
    assert our_bytes(ours, "b", 1) == [b"0123456789"]
    appended = pilum.write_dataset(table, tmp_path / "t", mode="append")
    assert appended.to_table()["b"].to_pylist()[0] == appended.to_table()["b"].to_pylist()[1]
    assert lance.dataset(tmp_path / "t").take_blobs("b", indices=[1])[0].read() == b"0123456789"


def test_both_cut_packs_and_choose_places_alike(tmp_path):
    values = [b"a" * 40, b"b" * 41, b"c" * 100, b"d" * 101, b"e" * 60, b"f" * 50, b"", None]
    table = v2_table(values, inline_size_threshold=40, dedicated_size_threshold=100)
    kinds = {}
    for name, writer in (("pilum", pilum), ("lance", lance)):
        writer.write_dataset(table, tmp_path / name, data_storage_version="2.2", blob_pack_file_size_threshold=150)
        rows = pilum.dataset(tmp_path / name).to_table()["b"].to_pylist()
        places = [row and (row["kind"], row["size"], row["blob_id"], row["kind"] == 1 and row["position"]) for row in rows]
        sidecars = sorted((path.name, path.stat().st_size) for path in (tmp_path / name).glob("data/*/*.blob"))
        kinds[name] = places, sidecars
    assert kinds["pilum"] == kinds["lance"]


def test_appends_keep_the_thresholds_of_the_table(tmp_path):
    lance.write_dataset(v2_table([b"x" * 100], inline_size_threshold=10), tmp_path / "t", data_storage_version="2.2")
    for thresholds in ({}, {"inline_size_threshold": 10}):
        pilum.write_dataset(v2_table([b"x" * 100], **thresholds), tmp_path / "t", mode="append")
    for writer in (pilum, lance):
        with pytest.raises(OSError, match="thresholds?"):
            writer.write_dataset(v2_table([b"x"], inline_size_threshold=11), tmp_path / "t", mode="append")
    assert {row["kind"] for row in lance.dataset(tmp_path / "t").to_table()["b"].to_pylist()} == {1}


def test_descriptions_are_not_written_as_if_they_were_blobs(tmp_path):
    for version, table in (("2.1", v1_table([b"x"])), ("2.2", v2_table([b"x"]))):
        source = pilum.write_dataset(table, tmp_path / version, data_storage_version=version)
        with pytest.raises(OSError, match="descriptions of another file"):
            pilum.write_dataset(source, tmp_path / "copy", data_storage_version="2.2")


def test_a_column_without_nulls_takes_none(tmp_path):
    field = pilum.blob_field("b", nullable=False)
    table = pa.table([pilum.blob_array([b"a", pilum.Blob()])], schema=pa.schema([field]))
    with pytest.raises(OSError, match="null values"):
        pilum.write_dataset(table, tmp_path / "t", data_storage_version="2.2")


def test_uris_are_decoded_and_do_not_leave_their_base(tmp_path):
    base = tmp_path / "a base"
    base.mkdir()
    (base / "x y.bin").write_bytes(b"inside")
    (tmp_path / "x.bin").write_bytes(b"outside")
    quoted = f"file://{tmp_path}/a%20base"
    bases = [lance.DatasetBasePath(quoted, name="media", id=1)]
    table = v2_table([f"{quoted}/x%20y.bin"])
    lance.write_dataset(table, tmp_path / "t", data_storage_version="2.2", initial_bases=bases)
    pilum.write_dataset(table, tmp_path / "t", mode="append")
    assert our_bytes(pilum.dataset(tmp_path / "t"), "b", 2) == [b"inside", b"inside"]
    assert [blob.read() for blob in lance.dataset(tmp_path / "t").take_blobs("b", indices=[0, 1])] == [b"inside"] * 2
    with pytest.raises(OSError, match="outside"):
        pilum.write_dataset(v2_table([f"{quoted}/../x.bin"]), tmp_path / "t", mode="append")


def test_a_place_out_of_reach_is_no_damage(tmp_path):
    (tmp_path / "gone.bin").write_bytes(b"x")
    table = v2_table([f"file://{tmp_path}/gone.bin"])
    pilum.write_dataset(table, tmp_path / "t", data_storage_version="2.2", allow_external_blob_outside_bases=True)
    (tmp_path / "gone.bin").unlink()
    with pytest.raises(OSError, match="gone.bin"):
        pilum.dataset(tmp_path / "t").take_blobs("b", indices=[0])


def test_thresholds_are_compared_one_by_one(tmp_path):
    table = v2_table([b"x"], inline_size_threshold=100, dedicated_size_threshold=500)
    for name, writer in (("a", pilum), ("b", lance)):
        writer.write_dataset(table, tmp_path / name, data_storage_version="2.2")
        writer.write_dataset(v2_table([b"x"], inline_size_threshold=100), tmp_path / name, mode="append")
        with pytest.raises(OSError, match="threshold"):
            writer.write_dataset(v2_table([b"x"], inline_size_threshold=65536), tmp_path / name, mode="append")


def test_an_empty_value_in_front_of_a_file_is_none_null(tmp_path):
    lance.write_dataset(v2_table([b"", None, b"x"]), tmp_path / "t", data_storage_version="2.2")
    assert our_bytes(pilum.dataset(tmp_path / "t"), "b", 3) == [b"", None, b"x"]


def test_parts_of_descriptions_are_read(tmp_path):
    lance.write_dataset(v2_table([b"abc", None]), tmp_path / "t", data_storage_version="2.2")
    (file,) = (tmp_path / "t" / "data").glob("*.lance")
    rows = pilum.file.LanceFileReader(str(file), columns=["b.size"]).read_all().to_table()["b"].to_pylist()
    assert rows == [{"size": 3}, None]
