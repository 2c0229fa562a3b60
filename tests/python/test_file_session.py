# SPDX-License-Identifier: Apache-2.0
"""LanceFileSession: data files in one folder, in both engines."""

import importlib
import pathlib

import pyarrow as pa
import pytest

ROWS = pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})


@pytest.fixture
def Session(engine):
    return importlib.import_module(f"{engine.__name__}.file").LanceFileSession


@pytest.fixture
def session(Session, tmp_path):
    return Session(tmp_path / "base")


def write(session, path, **options):
    with session.open_writer(path, **options) as writer:
        writer.write_batch(ROWS)


def test_files_are_found_by_their_path_from_the_base(session, tmp_path):
    assert not (tmp_path / "base").exists()
    assert session.list() == [] and not session.contains("a.lance")
    write(session, "a.lance")
    write(session, "sub/deep/b.lance", schema=ROWS.schema, version="2.0", data_cache_bytes=100, max_page_bytes=1000)
    write(session, "/sub/c.lance", keep_original_array=True)
    assert (tmp_path / "base/sub/deep/b.lance").exists()
    assert sorted(session.list()) == ["a.lance", "sub/c.lance", "sub/deep/b.lance"]
    for folder in ("sub", "/sub", "sub/"):
        assert sorted(session.list(folder)) == ["sub/c.lance", "sub/deep/b.lance"]
    assert session.list("a.lance") == session.list("none") == []
    assert [session.contains(p) for p in ("a.lance", "/a.lance", "sub/deep/b.lance")] == [True] * 3
    assert [session.contains(p) for p in ("sub", "none", "")] == [False] * 3


def test_readers_take_columns(session):
    write(session, "a.lance", version="2.2")
    assert session.open_reader("a.lance").read_all().to_table() == ROWS
    assert session.open_reader("/a.lance", ["b"]).read_all().to_table() == ROWS.select(["b"])
    assert session.open_reader("a.lance").metadata().minor_version == 2
    with pytest.raises((OSError, ValueError), match="no.lance"):  # ValueError in later releases of pylance
        session.open_reader("no.lance")
    with pytest.raises(OSError, match="'zz' not found"):
        session.open_reader("a.lance", ["zz"])
    with pytest.raises(ValueError, match="zero columns"):
        session.open_reader("a.lance", columns=[])


def test_a_writer_without_schema_or_rows_is_an_error(session):
    with pytest.raises(ValueError, match="[Ss]chema"):
        session.open_writer("a.lance").close()
    with pytest.raises(TypeError):
        session.open_writer("a.lance", ROWS.schema)


def test_files_of_any_kind_are_copied_in_and_out(session, tmp_path):
    local = tmp_path / "local"
    local.write_bytes(b"hello" * 1000)
    session.upload_file(local, "up/x.bin")
    session.upload_file(str(local), "up/y.bin")
    assert (tmp_path / "base/up/x.bin").read_bytes() == local.read_bytes()
    session.download_file("up/x.bin", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == local.read_bytes()
    local.write_bytes(b"new")
    session.upload_file(local, "up/x.bin")
    session.download_file("up/x.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == b"new"
    with pytest.raises(OSError, match="missing"):
        session.upload_file(tmp_path / "missing", "up/z.bin")
    with pytest.raises(OSError, match="missing"):
        session.download_file("up/missing", tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert sorted(session.list()) == ["up/x.bin", "up/y.bin"]


def test_the_base_is_a_path_or_a_uri(Session, session, tmp_path, monkeypatch):
    write(session, "a.lance")
    monkeypatch.chdir(tmp_path)
    for base in (str(tmp_path / "base"), pathlib.Path("base"), "base", f"file://{tmp_path}/base"):
        assert Session(base).list() == ["a.lance"]


def test_what_pilum_adds(pilum, tmp_path):
    from pilum.file import LanceFileSession

    session = LanceFileSession(tmp_path)
    for call in (session.contains, session.list, session.open_reader):
        with pytest.raises(ValueError, match="'../x' is not"):
            call("../x")
    with pytest.raises(NotImplementedError, match="storage_options"):
        LanceFileSession(tmp_path, {"region": "x"})
    with pytest.raises(RuntimeError, match="stop"):
        with session.open_writer("a.lance") as writer:
            writer.write_batch(ROWS)
            raise RuntimeError("stop")
    assert session.list() == [], "pylance leaves the rows that were written"
