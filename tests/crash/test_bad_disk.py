# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the disk under a MemWAL is one error that says what and where; nothing acknowledged is lost."""

import os
import subprocess
import sys
import uuid

import pyarrow as pa
import pytest

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), False, {"lance-schema:unenforced-primary-key": "true"}),
        pa.field("s", pa.string()),
    ]
)
PROLOGUE = """
import os, resource, signal, sys, pyarrow as pa, pilum
uri, shard = sys.argv[1:]
dataset = pilum.dataset(uri)
rows = lambda *ids, s="s": pa.table({"id": list(ids), "s": [s] * len(ids)}, schema=dataset.schema)
ids = lambda writer: sorted(writer.lsm_scanner().to_table()["id"].to_pylist())
def attempt(what, call):
    try:
        call()
        print(what, "OK")
    except OSError as error:
        print(what, error)
"""


@pytest.fixture
def shard():
    return str(uuid.uuid4())


@pytest.fixture
def table(pilum, uri):
    dataset = pilum.write_dataset(pa.table({"id": [0], "s": ["base"]}, schema=SCHEMA), uri)
    dataset.initialize_mem_wal(unsharded=True)
    return dataset


def run(program, uri, shard):
    """The lines that `program` prints, in a process of its own that must end by itself."""
    arguments = [sys.executable, "-c", PROLOGUE + program, uri, shard]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def reopened(dataset, shard):
    with dataset.mem_wal_writer(shard) as writer:
        return sorted(writer.lsm_scanner().to_table()["id"].to_pylist())


def test_a_full_disk_during_a_flush(table, uri, shard):
    """A file size limit stands in for it: log entries fit, the bloom filter of a generation does not."""
    lines = run(
        """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = dataset.mem_wal_writer(shard, max_memtable_batches=2, max_unflushed_memtable_bytes=100_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
writer.put(rows(1))
attempt("flush", writer.flush)
for i in range(2, 10):
    attempt("put", lambda: writer.put(rows(i)))
print(ids(writer))
attempt("close", writer.close)
attempt("again", writer.close)
""",
        uri,
        shard,
    )
    flush, *puts, visible, close, again = lines
    for line in [flush, close, *(put for put in puts if put != "put OK")]:
        assert "File too large" in line and shard in line, line
    assert puts[0] == "put OK" and puts[-1] != "put OK", "at last it waits for a flush that fails"
    acknowledged = [0, 1, *(i for i, put in zip(range(2, 10), puts) if put == "put OK")]
    assert visible == str(acknowledged)
    assert again == "again OK"
    assert reopened(table, shard) == acknowledged


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_directory_that_becomes_read_only(table, uri, shard, tmp_path):
    with table.mem_wal_writer(shard) as writer:
        writer.put(pa.table({"id": [1], "s": ["s"]}, schema=SCHEMA))
    for directory in [tmp_path, *tmp_path.parents]:
        if directory != directory.parent:
            directory.chmod(directory.stat().st_mode | 0o055)
    lines = run(
        """
writer = dataset.mem_wal_writer(shard)
writer.put(rows(2))
os.setuid(65534)
attempt("put", lambda: writer.put(rows(3)))
print(ids(writer))
attempt("put", lambda: writer.put(rows(4)))
attempt("close", writer.close)
attempt("open", lambda: dataset.mem_wal_writer(shard))
attempt("initialize", lambda: pilum.dataset(uri).initialize_mem_wal())
""",
        uri,
        shard,
    )
    put, visible, again, close, opened, initialised = lines
    for line in (put, again, close):
        assert "Permission denied" in line and f"{shard}/wal/" in line, line
    assert visible == "[0, 1, 2]"
    assert "Permission denied" in opened and f"{shard}/manifest/" in opened
    assert "already initialized" in initialised
    assert reopened(table, shard) == [0, 1, 2]


def newest(folder, suffix):
    return max((f for f in folder.iterdir() if f.name.endswith(suffix)), key=lambda f: f.name[::-1].split(".", 1)[1])


@pytest.mark.parametrize("kind, suffix", [("wal", ".arrow"), ("manifest", ".binpb")])
@pytest.mark.parametrize("damage", ["empty", "cut", "flipped"])
def test_a_damaged_file_is_named_and_left_as_it_is(pilum, table, uri, tmp_path, shard, kind, suffix, damage):
    writer = table.mem_wal_writer(shard)
    for i in range(1, 4):
        writer.put(pa.table({"id": [i], "s": ["s"]}, schema=SCHEMA))
    del writer  # not closed: the rows are in the log only
    folder = next(p for p in tmp_path.rglob(shard)) / kind
    victim = newest(folder, suffix)
    good = victim.read_bytes()
    bad = {"empty": b"", "cut": good[:-9], "flipped": bytes([good[0] ^ 0x40]) + good[1:]}[damage]
    victim.write_bytes(bad)
    for _ in range(2):
        with pytest.raises(OSError, match=f"{shard}/{kind}/{victim.name} at byte"):
            pilum.dataset(uri).mem_wal_writer(shard)
    assert victim.read_bytes() == bad
    victim.write_bytes(good)
    assert reopened(pilum.dataset(uri), shard) == [0, 1, 2, 3]
