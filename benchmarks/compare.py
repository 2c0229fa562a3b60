# SPDX-License-Identifier: Apache-2.0
"""Pilum and pylance side by side: the same calls on the same data, back to back in one process.

    make bench           or, where both are installed,   python benchmarks/compare.py [--quick]

Each case is timed for the two engines in turn, several rounds; the table shows the median time of a call and the ratio.
Pilum's durable puts are synced to the disk, pylance's are not: one row shows both without the sync, one Pilum with it.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
import uuid

import numpy as np
import pyarrow as pa

import lance
import lance.mem_wal
import pilum
import pilum.mem_wal

PRIMARY_KEY = {"lance-schema:unenforced-primary-key": "true"}
ENGINES = {"pilum": pilum, "pylance": lance}


def make_table(rows: int, seed: int = 0) -> pa.Table:
    """A string key and columns of five kinds."""
    rng = np.random.default_rng(seed)
    schema = pa.schema(
        [
            pa.field("key", pa.string(), False, PRIMARY_KEY),
            pa.field("count", pa.int64()),
            pa.field("small", pa.int32()),
            pa.field("score", pa.float64()),
            pa.field("text", pa.string()),
            pa.field("vector", pa.list_(pa.float32(), 32)),
        ]
    )
    vector = pa.FixedSizeListArray.from_arrays(pa.array(rng.random(rows * 32, dtype=np.float32)), 32)
    return pa.table(
        {
            "key": [f"key/{i:09d}" for i in range(rows)],
            "count": rng.integers(0, 1 << 40, rows),
            "small": pa.array(rng.integers(0, 1000, rows), pa.int32()),
            "score": rng.random(rows),
            "text": [f"text {i % 977} of row {i}" for i in range(rows)],
            "vector": vector,
        },
        schema=schema,
    )


class Report:
    """Prints a line per case: the time of each engine, or of each and of Parquet, and how many times pylance's is
    Pilum's."""

    def __init__(self, parquet: bool = False) -> None:
        print(f"{'case':<48}{'pilum':>13}{'pylance':>13}{'ratio':>9}{'parquet' if parquet else '':>13}")

    def line(self, case: str, seconds: dict[str, float], show=None) -> None:
        show = show or show_time
        ratio = seconds["pylance"] / seconds["pilum"]
        parquet = show(seconds["parquet"]) if "parquet" in seconds else ""
        print(f"{case:<48}{show(seconds['pilum']):>13}{show(seconds['pylance']):>13}{ratio:>8.1f}x{parquet:>13}".rstrip(), flush=True)


def show_time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} us"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def show_size(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def compare(calls: dict, rounds: int, repeats: int = 1) -> dict[str, float]:
    """Median seconds per call of each engine; they take turns. A call gets the number of its repetition."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for name, call in calls.items():
        call(0)
    for round_number in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for i in range(repeats):
                call(round_number * repeats + i)
            times[name].append((time.perf_counter() - start) / repeats)
    return {name: statistics.median(samples) for name, samples in times.items()}


def bench_tables(report: Report, directory: str, rows: int) -> None:
    table = make_table(rows)
    uris = {name: os.path.join(directory, f"table-{name}") for name in ENGINES}

    def writer(name):
        def write(_):
            shutil.rmtree(uris[name], ignore_errors=True)
            ENGINES[name].write_dataset(table, uris[name])

        return write

    report.line(f"write {rows:,} rows, 6 columns", compare({n: writer(n) for n in ENGINES}, 3))
    sizes = {n: sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(uris[n]) for f in fs) for n in ENGINES}
    report.line("  bytes on disk", sizes, show_size)

    shared = ENGINES["pylance"].write_dataset(table, os.path.join(directory, "shared"), max_rows_per_file=250_000).uri
    opened = {n: e.dataset(shared) for n, e in ENGINES.items()}
    report.line("full scan", compare({n: lambda _, d=d: d.to_table() for n, d in opened.items()}, 5))
    report.line("scan of two columns", compare({n: lambda _, d=d: d.to_table(columns=["count", "score"]) for n, d in opened.items()}, 5))
    report.line("filter small = 7", compare({n: lambda _, d=d: d.to_table(filter="small = 7") for n, d in opened.items()}, 5))
    choice = random.Random(1)
    one = [[choice.randrange(rows)] for _ in range(2000)]
    many = [[choice.randrange(rows) for _ in range(1000)] for _ in range(50)]
    report.line("take 1 row", compare({n: lambda i, d=d: d.take(one[i % len(one)]) for n, d in opened.items()}, 5, 100))
    report.line("take 1,000 random rows", compare({n: lambda i, d=d: d.take(many[i % len(many)]) for n, d in opened.items()}, 5, 4))


def own_batches(rows: int, count: int) -> list[pa.RecordBatch]:
    """Batches that share no memory. pylance counts all that a slice could see; after the rotation of a memtable that is
    full by this count, its puts would return before their rows are in the log."""
    table = make_table(rows * count, seed=rows)
    return [table.slice(i * rows, rows).take(np.arange(rows)).combine_chunks().to_batches()[0] for i in range(count)]


def bench_puts(report: Report, directory: str, puts: int) -> None:
    for batch_rows in (1, 100, 1000):
        batches = own_batches(batch_rows, 64)
        writers = {}
        for name, engine, options in (
            ("synced", pilum, {}),
            ("pilum", pilum, {"durability": "process_crash"}),
            ("pylance", lance, {}),
        ):
            dataset = engine.write_dataset(make_table(10), os.path.join(directory, f"puts-{name}-{batch_rows}"))
            dataset.initialize_mem_wal(unsharded=True)
            writers[name] = dataset.mem_wal_writer(str(uuid.uuid4()), durable_write=True, **options)
        calls = {n: lambda i, w=w: w.put(batches[i % len(batches)]) for n, w in writers.items()}
        seconds = compare(calls, 5, puts)
        report.line(f"durable put, {batch_rows} rows, neither syncs", seconds)
        report.line(f"durable put, {batch_rows} rows, pilum syncs", {"pilum": seconds["synced"], "pylance": seconds["pylance"]})
        for writer in writers.values():
            writer.close()


def bench_lookups(report: Report, directory: str, rows: int, repeats: int) -> None:
    """Lookups in a table of `rows` base rows of which the last tenth is in two generations and the last hundredth in
    memory."""
    table = make_table(rows)
    uri = os.path.join(directory, "lookups")
    shard = str(uuid.uuid4())
    dataset = lance.write_dataset(table, uri, max_rows_per_file=rows // 4)
    dataset.initialize_mem_wal(unsharded=True)
    with lance.dataset(uri).mem_wal_writer(shard) as writer:
        writer.put(table.slice(rows - rows // 10, rows // 20))
    with lance.dataset(uri).mem_wal_writer(shard) as writer:
        writer.put(table.slice(rows - rows // 20, rows // 20))
    flushed = pilum.dataset(uri).mem_wal_shard_snapshot(shard).flushed_generations
    keys = table["key"].combine_chunks()
    choice = random.Random(3)

    def key_of(first, last):
        return keys.slice(choice.randrange(first, last), 1)

    def planners():
        made = {}
        for name, engine in ENGINES.items():
            snapshot = engine.mem_wal.ShardSnapshot(shard)
            for generation, path in flushed:
                snapshot = snapshot.with_flushed_generation(generation, path)
            made[name] = engine.mem_wal.LsmPointLookupPlanner(engine.dataset(uri), [snapshot])
        return made

    def lookup(name, planner, first, last):
        wanted = [key_of(first, last) for _ in range(500)]
        if name == "pilum":
            return lambda i: planner.lookup(wanted[i % 500])
        return lambda i: planner.plan_lookup(wanted[i % 500]).to_table()

    def run(case, first, last, n):
        report.line(case, compare({name: lookup(name, p, first, last) for name, p in planners().items()}, 5, n))

    base_end = rows - rows // 10
    run("lookup in a flushed generation", base_end, rows, repeats)
    run("lookup in the base table, no index", 0, base_end, max(repeats // 10, 1))
    lance.dataset(uri).create_scalar_index("key", "BTREE")
    run("lookup in the base table, BTree", 0, base_end, repeats)

    hot = make_table(2000, seed=9)
    writers = {}
    for name, engine in ENGINES.items():
        fresh = engine.write_dataset(make_table(10), os.path.join(directory, f"hot-{name}"))
        fresh.initialize_mem_wal(unsharded=True)
        writers[name] = fresh.mem_wal_writer(str(uuid.uuid4()))
        writers[name].put(hot)
    texts = hot["key"].to_pylist()
    planner = writers["pilum"].point_lookup_planner()
    calls = {
        "pilum": lambda i: planner.lookup(hot["key"].chunk(0).slice(i * 37 % 2000, 1)),
        "pylance": lambda i: writers["pylance"].lsm_scanner().filter(f"key = '{texts[i * 37 % 2000]}'").to_table(),
    }
    report.line("lookup in the memtable", compare(calls, 5, repeats))
    for writer in writers.values():
        writer.close()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="a tenth of the rows")
    scale = 10 if arguments.parse_args().quick else 1
    print(f"pilum {pilum.__version__}, pylance {lance.__version__}, {os.cpu_count()} CPUs, median of 5 rounds; ratio above 1: pilum is faster")
    report = Report()
    with tempfile.TemporaryDirectory(dir=os.environ.get("PILUM_BENCH_DIR")) as directory:
        bench_tables(report, directory, 1_000_000 // scale)
        bench_puts(report, directory, 50)
        bench_lookups(report, directory, 400_000 // scale, 50)


if __name__ == "__main__":
    sys.exit(main())
