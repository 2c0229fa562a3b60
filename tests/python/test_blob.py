# SPDX-License-Identifier: Apache-2.0
"""Blob columns through the Python API alone."""

import io
import os
import resource

import pandas as pd
import pyarrow as pa
import pytest

import pilum
from pilum import Blob, BlobColumn, BlobFile, blob_array, blob_field

VALUES = [b"hello world", None, b"", b"x" * 70_000]


@pytest.fixture
def dataset(tmp_path):
    schema = pa.schema([pa.field("i", pa.int64()), blob_field("b")])
    table = pa.table([pa.array([1, 2, 3, 4]), blob_array(VALUES)], schema=schema)
    return pilum.write_dataset(table, tmp_path / "t", data_storage_version="2.2")


def test_scans_describe_blobs_unless_asked_for_bytes(dataset):
    assert dataset.schema.field("b").type.extension_name == "lance.blob.v2"
    described = dataset.to_table().schema.field("b")
    assert [field.name for field in described.type] == ["kind", "position", "size", "blob_id", "blob_uri"]
    assert described.metadata[b"lance-encoding:blob"] == b"true"
    assert dataset.to_table(blob_handling="all_descriptions") == dataset.to_table()
    assert dataset.to_table(blob_handling="all_binary")["b"].to_pylist() == VALUES
    assert dataset.take([3, 0])["b"].to_pylist()[0]["kind"] == 1
    assert dataset.to_table(columns=["i"], filter="b is null")["i"].to_pylist() == [2]
    with pytest.raises(ValueError, match="Invalid blob_handling: x"):
        dataset.scanner(blob_handling="x")


def test_selections_of_blobs(dataset):
    sizes = [blob and blob.size() for blob in dataset.take_blobs("b", indices=[3, 1, 0, 0])]
    assert sizes == [70_000, None, 11, 11]
    assert dataset.read_blobs("b", addresses=pa.array([2, 0])) == [(2, b""), (0, b"hello world")]
    assert dataset.read_blobs("b", ids=[1]) == [(1, None)]
    for selection in ({}, {"ids": [0], "indices": [0]}):
        with pytest.raises(ValueError, match="Exactly one of"):
            dataset.take_blobs("b", **selection)
    with pytest.raises(ValueError, match="not a blob column"):
        dataset.take_blobs("i", indices=[0])
    with pytest.raises(RuntimeError, match="'zz' not found"):
        dataset.take_blobs("zz", indices=[0])
    with pytest.raises(ValueError, match="row 9"):
        dataset.take_blobs("b", indices=[9])
    with pytest.raises(OverflowError):
        dataset.take_blobs("b", indices=[-1])


def test_a_blob_is_a_file(dataset):
    blob = dataset.take_blobs("b", indices=[0])[0]
    assert isinstance(blob, BlobFile) and isinstance(blob, io.RawIOBase)
    assert (blob.readable(), blob.seekable(), blob.writable()) == (True, True, False)
    assert blob.read(5) == b"hello" and blob.tell() == 5
    assert blob.read() == b" world" and blob.read() == b""
    assert blob.seek(-5, io.SEEK_END) == 6 and blob.readall() == b"world"
    assert blob.seek(100) == 100 and blob.read() == b""
    blob.seek(0)
    assert blob.seek(2, io.SEEK_CUR) == 2
    buffer = bytearray(4)
    assert blob.readinto(buffer) == 4 and bytes(buffer) == b"llo "
    assert blob.read_range(6, 5) == b"world" and blob.tell() == 6
    assert io.BufferedReader(dataset.take_blobs("b", indices=[3])[0]).read(3) == b"xxx"
    with pytest.raises(ValueError, match="exceeds blob size 11"):
        blob.read_range(6, 6)
    with pytest.raises(OverflowError):
        blob.seek(-1)
    with pytest.raises(ValueError, match="Invalid whence"):
        blob.seek(0, 7)
    assert repr(blob) == "<BlobFile size=11>"
    blob.close()
    assert blob.closed
    for use in (blob.read, blob.tell, lambda: blob.read_range(0, 1)):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_more_blobs_than_files_may_be_open(tmp_path):
    outside = [tmp_path / f"{i}.bin" for i in range(300)]
    for i, path in enumerate(outside):
        path.write_bytes(b"%d" % i)
    uris = [Blob.from_uri(path.as_uri(), 0, 1) if i % 2 else path.as_uri() for i, path in enumerate(outside)]
    for values, wanted in ((uris, [str(i).encode()[: 1 if i % 2 else None] for i in range(300)]),
                           ([b"x" * 20] * 300, [b"x" * 20] * 300)):
        schema = pa.schema([blob_field("b", inline_size_threshold=0, dedicated_size_threshold=10)])
        table = pa.table([blob_array(values)], schema=schema)
        dataset = pilum.write_dataset(
            table, tmp_path / "t", mode="overwrite", data_storage_version="2.2", allow_external_blob_outside_bases=True
        )
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 40, limits[1]))
        try:
            blobs = dataset.take_blobs("b", indices=range(300))
            assert [value for _, value in dataset.read_blobs("b", indices=range(300))] == wanted
            assert dataset.to_table(blob_handling="all_binary")["b"].to_pylist() == wanted
            for blob, value in zip(blobs, wanted):
                assert blob.read() == value
                blob.close()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_pandas_gets_files_bytes_or_descriptions(dataset):
    frame = dataset.to_pandas()
    assert list(frame.columns) == ["i", "b"]
    assert [blob and blob.read() for blob in frame["b"]] == VALUES
    assert list(dataset.to_pandas(blob_mode="bytes")["b"]) == VALUES
    assert dataset.to_pandas(blob_mode="descriptions")["b"][0]["size"] == 11
    assert list(dataset.to_pandas(columns=["b"], filter="i > 2").columns) == ["b"]
    with pytest.raises(ValueError, match="blob_mode must be one of"):
        dataset.to_pandas(blob_mode="x")
    assert isinstance(dataset.scanner(columns=["i"]).to_pandas(), pd.DataFrame)


def test_values_to_write():
    assert Blob.from_bytes(bytearray(b"x")) == Blob(data=b"x")
    assert Blob.empty() == Blob(data=b"")
    storage = blob_array([b"x", "file:///a", Blob.from_uri("file:///b", 1, 2), None]).storage.to_pylist()
    assert storage[2] == {"data": None, "uri": "file:///b", "position": 1, "size": 2}
    assert storage[3] is None
    for arguments in (
        {"data": b"x", "uri": "u"},
        {"uri": ""},
        {"position": 1, "size": 1},
        {"uri": "u", "position": 1},
        {"data": b"", "position": 1, "size": 2},
    ):
        with pytest.raises(ValueError):
            Blob(**arguments)
    with pytest.raises(ValueError):
        Blob.from_uri("u", -1, 2)
    with pytest.raises(TypeError):
        blob_array([1])


def test_thresholds_of_fields():
    metadata = blob_field("b", inline_size_threshold=0, dedicated_size_threshold=5).metadata
    assert metadata[b"lance-encoding:blob-inline-size-threshold"] == b"0"
    assert metadata[b"lance-encoding:blob-dedicated-size-threshold"] == b"5"
    assert not blob_field("b").metadata
    for threshold, error in ((-1, ValueError), (True, TypeError), ("1", TypeError), (2**64, OverflowError)):
        with pytest.raises(error):
            blob_field("b", inline_size_threshold=threshold)
    with pytest.raises(ValueError):
        blob_field("b", dedicated_size_threshold=0)


def test_options_of_writes(tmp_path):
    table = pa.table({"i": [1]})
    with pytest.raises(ValueError, match="external_blob_mode"):
        pilum.write_dataset(table, tmp_path / "t", external_blob_mode="x")
    with pytest.raises(ValueError, match="only valid"):
        pilum.write_dataset(
            table, tmp_path / "t", external_blob_mode="ingest", allow_external_blob_outside_bases=True
        )


def test_blob_columns_are_read_as_files():
    files = list(BlobColumn(pa.chunked_array([pa.array([b"a", None], pa.large_binary())])))
    assert files[0].read() == b"a" and files[1] is None
    with pytest.raises(ValueError):
        BlobColumn(pa.array([1]))
