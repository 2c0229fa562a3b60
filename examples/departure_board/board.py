# SPDX-License-Identifier: Apache-2.0
"""The departure board in Python: the same story as the C++ program, through the bindings.

    python board.py [data directory] [table]

by default build/demo/data, which `make demo` has prepared, and build/demo/board-python. ``import pilum as lance`` is all
that tells this script from one for pylance, but for the planner that sees a writer's own rows.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pyarrow as pa

import pilum as lance
from pilum.mem_wal import LsmScanner

ROWS_PER_PUT = 64


def read(data: Path, name: str) -> pa.Table:
    return pa.ipc.open_file(data / name).read_all()


def stream(data: Path, uri: str, shard: str, start: int) -> None:
    """Puts the events from `start` on; prints how many are acknowledged after each put. Runs as a process of its own."""
    events = read(data, "events.arrow").combine_chunks()
    keys = events["key"].combine_chunks()
    newest = {}
    acknowledged = start
    wrong = lookups = 0
    done = threading.Event()

    with lance.dataset(uri).mem_wal_writer(shard) as writer:
        planner = writer.point_lookup_planner()

        def look_up() -> None:
            nonlocal wrong, lookups
            choice = random.Random(2013)
            while not done.is_set():
                before = dict(newest)
                if not before:
                    continue
                key, version = choice.choice(list(before.items()))
                row = planner.lookup(pa.array([key]))
                lookups += 1
                # The newest acknowledged version, or one that was put since.
                found = None if row is None else row["updated_at"][0].value
                if found is None or found < version:
                    wrong += 1

        spectator = threading.Thread(target=look_up)
        spectator.start()
        for begin in range(start, events.num_rows, ROWS_PER_PUT):
            batch = events.slice(begin, ROWS_PER_PUT)
            writer.put(batch)
            acknowledged = begin + batch.num_rows
            print(acknowledged, flush=True)
            for key, at in zip(batch["key"].to_pylist(), batch["updated_at"].cast(pa.int64()).to_pylist()):
                newest[key] = max(at, newest.get(key, at))
        done.set()
        spectator.join()
    assert len(keys) == acknowledged
    print(f"  {lookups:,} lookups while writing, {wrong} wrong", file=sys.stderr)
    if wrong:
        sys.exit(1)


def run_stream(data: Path, uri: str, shard: str, start: int, kill_at: int) -> int:
    """Starts `stream` and kills it at `kill_at` acknowledged events. Returns how many were acknowledged."""
    arguments = [sys.executable, __file__, "--stream", str(data), uri, shard, str(start)]
    acknowledged = start
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            acknowledged = int(line)
            if acknowledged >= kill_at:
                os.kill(child.pid, signal.SIGKILL)
                break
    if child.returncode not in (0, -signal.SIGKILL):
        sys.exit(child.returncode)
    return acknowledged


def main() -> None:
    if sys.argv[1:2] == ["--stream"]:
        return stream(Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo/data")
    uri = sys.argv[2] if len(sys.argv) > 2 else "build/demo/board-python"
    shutil.rmtree(uri, ignore_errors=True)

    dataset = lance.write_dataset(read(data, "base.arrow"), uri, max_rows_per_file=100_000)
    dataset.initialize_mem_wal(unsharded=True, max_memtable_size=4 << 20)
    print(f"1. base table: {dataset.count_rows():,} rows")

    shard = str(uuid.uuid4())
    total = read(data, "events.arrow").num_rows
    start = time.time()
    killed_at = run_stream(data, uri, shard, 0, total // 2)
    print(f"2. killed at {killed_at:,} acknowledged events; a new process goes on")
    run_stream(data, uri, shard, killed_at, total + 1)
    print(f"3. {total:,} events in {time.time() - start:.1f} s")

    dataset = lance.dataset(uri)
    found = LsmScanner.from_snapshots(dataset, [dataset.mem_wal_shard_snapshot(shard)]).to_table().sort_by("key")
    truth = read(data, "truth.arrow").sort_by("key")
    assert found.cast(truth.schema) == truth, "the board is wrong"
    print(f"4. all {truth.num_rows:,} rows are as plain pandas says: 0 lost, 0 stale, 0 invented")


if __name__ == "__main__":
    main()
