# SPDX-License-Identifier: Apache-2.0
"""A writer is killed at a random instant, again and again: what it has acknowledged is there, in order, in both engines."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid

import pyarrow as pa
import pytest

WRITER = """
import sys, pyarrow as pa, pilum
uri, shard, start = sys.argv[1], sys.argv[2], int(sys.argv[3])
writer = pilum.dataset(uri).mem_wal_writer(shard, max_memtable_batches=7)
schema = pilum.dataset(uri).schema
print("ready", flush=True)
for i in range(start, 10**9):
    writer.put(pa.table({"id": [i % 40, 1000 + i], "n": [i, i]}, schema=schema))
    print(i, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_loses_no_acknowledged_row(pilum, uri, seed):
    print("seed", seed)
    choice = random.Random(seed)
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), False, {"lance-schema:unenforced-primary-key": "true"}),
            pa.field("n", pa.int64()),
        ]
    )
    dataset = pilum.write_dataset(pa.table({"id": [0], "n": [-1]}, schema=schema), uri)
    dataset.initialize_mem_wal(unsharded=True)
    shard = str(uuid.uuid4())
    acknowledged = -1
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, uri, shard, str(acknowledged + 1)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout.readline() == "ready\n"
        time.sleep(choice.random() * 0.15)
        os.kill(child.pid, signal.SIGKILL)
        lines = child.stdout.read().split()
        child.wait()
        acknowledged = int(lines[-1]) if lines else acknowledged
        check(pilum, uri, shard, acknowledged)


def check(pilum, uri, shard, acknowledged):
    """Opens the shard as the next writer and closes it, which flushes all; then scans."""
    with pilum.dataset(uri).mem_wal_writer(shard) as writer:
        rows = {row["id"]: row["n"] for row in writer.lsm_scanner().to_table().to_pylist()}
    for i in range(acknowledged + 1):
        assert rows[1000 + i] == i
    for key in range(min(40, acknowledged + 1)):
        newest = key + (acknowledged - key) // 40 * 40
        assert rows[key] in (newest, newest + 40), "the newest acknowledged version, or one put that was on its way"
    assert len(rows) <= 40 + acknowledged + 2 or acknowledged < 40


def test_pylance_reads_what_a_killed_writer_left(pilum, official, uri):
    import pilum.mem_wal

    schema = pa.schema(
        [
            pa.field("id", pa.int64(), False, {"lance-schema:unenforced-primary-key": "true"}),
            pa.field("n", pa.int64()),
        ]
    )
    pilum.write_dataset(pa.table({"id": [0], "n": [-1]}, schema=schema), uri).initialize_mem_wal(unsharded=True)
    shard = str(uuid.uuid4())
    child = subprocess.Popen([sys.executable, "-c", WRITER, uri, shard, "0"], stdout=subprocess.PIPE, text=True)
    acknowledged = -1
    for line in child.stdout:
        if line != "ready\n":
            acknowledged = int(line)
        if acknowledged == 30:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    writer = official.dataset(uri).mem_wal_writer(shard)
    rows = {row["id"]: row["n"] for row in writer.lsm_scanner().to_table().to_pylist()}
    writer.close()
    assert all(rows[1000 + i] == i for i in range(acknowledged + 1))


def test_a_full_disk_is_one_clear_error(pilum, uri):
    """A file size limit stands in for a full disk: the put says so, what was there before stays."""
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), False, {"lance-schema:unenforced-primary-key": "true"}),
            pa.field("s", pa.string()),
        ]
    )
    pilum.write_dataset(pa.table({"id": [0], "s": ["base"]}, schema=schema), uri).initialize_mem_wal(unsharded=True)
    program = """
import resource, signal, sys, pyarrow as pa, pilum
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
uri, shard = sys.argv[1:]
writer = pilum.dataset(uri).mem_wal_writer(shard)
schema = pilum.dataset(uri).schema
writer.put(pa.table({"id": [1], "s": ["small"]}, schema=schema))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    writer.put(pa.table({"id": [2], "s": ["x" * 1_000_000]}, schema=schema))
except OSError as error:
    print(error)
print(sorted(writer.lsm_scanner().to_table()["id"].to_pylist()))
"""
    shard = str(uuid.uuid4())
    done = subprocess.run([sys.executable, "-c", program, uri, shard], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout and "wal" in done.stdout
    assert done.stdout.endswith("[0, 1]\n")
    with pilum.dataset(uri).mem_wal_writer(shard) as writer:
        assert sorted(writer.lsm_scanner().to_table()["id"].to_pylist()) == [0, 1]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_read_only_directory_is_one_clear_error(pilum, uri, tmp_path):
    table = pa.table({"a": [1]})
    pilum.write_dataset(table, uri)
    program = f"""
import os, sys, pyarrow as pa, pilum
os.setuid(65534)
for mode in ("append", "overwrite"):
    try:
        pilum.write_dataset(pa.table({{"a": [2]}}), {uri!r}, mode=mode)
    except OSError as error:
        print("OSError:", error)
print(pilum.dataset({uri!r}).count_rows())
"""
    for directory in [tmp_path, *tmp_path.parents]:
        if not directory.stat().st_mode & 0o005 == 0o005 and directory != directory.parent:
            directory.chmod(directory.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and lines[2] == "1"
    assert all("Permission denied" in line and "table.lance" in line for line in lines[:2]), lines
