# SPDX-License-Identifier: Apache-2.0
"""Single data files: Pilum, pylance and Parquet side by side, the same calls on the same rows, back to back.

    make bench           or, where Pilum and pylance are installed,   python benchmarks/compare_files.py [--quick]

The file that is read was written by pylance, the Parquet file by pyarrow with its defaults. The peak memory of writing
is that of a process that does nothing else, above what it has when it begins.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import lance.file
import pilum.file
from compare import ENGINES, Report, compare, show_size

BATCH_ROWS = 50_000
FORMATS = [*ENGINES, "parquet"]


def make_batch(rows: int, seed: int) -> pa.RecordBatch:
    """An integer, a double, a string, a vector and a list."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 9, rows)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    items = pa.array(rng.integers(0, 100_000, offsets[-1]), pa.int32())
    words = np.array(["red", "green", "blue", "small", "large", "round", "flat", "old", "new", "fast"])
    text = [" ".join(row) for row in words[rng.integers(0, len(words), (rows, 6))]]
    vector = pa.FixedSizeListArray.from_arrays(pa.array(rng.random(rows * 32, dtype=np.float32)), 32)
    columns = {
        "id": pa.array(rng.integers(0, 1 << 40, rows)),
        "score": pa.array(rng.random(rows)),
        "text": pa.array(text),
        "vector": vector,
        "tags": pa.ListArray.from_arrays(pa.array(offsets), items),
    }
    return pa.record_batch(columns)


def open_writer(engine: str, path: str, schema: pa.Schema):
    return pq.ParquetWriter(path, schema) if engine == "parquet" else ENGINES[engine].file.LanceFileWriter(path, schema)


def open_reader(engine: str, path: str, columns: list[str] | None = None):
    return ENGINES[engine].file.LanceFileReader(path, columns=columns)


def write(engine: str, path: str, batches) -> None:
    writer = None
    for batch in batches:
        writer = writer or open_writer(engine, path, batch.schema)
        writer.write_batch(batch)
    writer.close()


def resident(what: str) -> int:
    """VmRSS: the memory of this process; VmHWM: the most it had since the last reset."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(what))


def write_alone(engine: str, path: str, rows_path: str) -> None:
    """The child process of peak_memory: writes the batches of an IPC file, each of which it reads when it is written;
    as a table, if that is what the path ends with, all of them, which it has."""
    rows = pa.ipc.open_file(rows_path)
    table = rows.read_all().combine_chunks() if path.endswith(".table") else None
    rows.get_batch(0)
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    before = resident("VmRSS")
    if table is None:
        write(engine, path, (rows.get_batch(i) for i in range(rows.num_record_batches)))
    else:
        ENGINES[engine].write_dataset(table, path)
    print(resident("VmHWM") - before)


def peak_memory(engine: str, path: str, rows_path: str) -> int:
    command = [sys.executable, __file__, "--write-alone", engine, path, rows_path]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def bench_write(report: Report, directory: str, rows: int) -> None:
    batches = [make_batch(min(BATCH_ROWS, rows - row), row) for row in range(0, rows, BATCH_ROWS)]
    paths = {engine: os.path.join(directory, f"{engine}.file") for engine in FORMATS}
    report.line(f"write {rows:,} rows, 5 columns", compare({e: lambda _, e=e: write(e, paths[e], batches) for e in FORMATS}, 5))
    report.line("  bytes on disk", {e: os.path.getsize(paths[e]) for e in FORMATS}, show_size)
    rows_path = os.path.join(directory, "rows.arrow")
    with pa.ipc.new_file(rows_path, batches[0].schema) as file:
        for batch in batches:
            file.write_batch(batch)
    report.line("  peak memory", {e: peak_memory(e, paths[e] + ".alone", rows_path) for e in FORMATS}, show_size)
    tables = {e: peak_memory(e, paths[e] + ".table", rows_path) for e in ENGINES}
    report.line("  peak memory, write_dataset", tables, show_size)


def bench_scan(report: Report, directory: str) -> None:
    parquet = os.path.join(directory, "parquet.file")
    for columns in (None, ["id"], ["score"], ["text"], ["vector"], ["tags"]):
        readers = {e: open_reader(e, os.path.join(directory, "pylance.file"), columns) for e in ENGINES}
        calls = {e: lambda _, r=r: r.read_all().to_table() for e, r in readers.items()}
        case = f"scan of '{columns[0]}'" if columns else "full scan"
        report.line(case, compare({**calls, "parquet": lambda _, c=columns: pq.read_table(parquet, columns=c)}, 9))


def bench_take(report: Report, directory: str, rows: int) -> None:
    readers = {e: open_reader(e, os.path.join(directory, "pylance.file")) for e in ENGINES}
    parquet = pq.ParquetFile(os.path.join(directory, "parquet.file"))
    group_rows = parquet.metadata.row_group(0).num_rows
    choice = random.Random(1)

    def take_from_parquet(wanted):
        groups = sorted({row // group_rows for row in wanted})
        inside = [groups.index(row // group_rows) * group_rows + row % group_rows for row in wanted]
        return parquet.read_row_groups(groups).take(inside)

    for count, repeats in ((1, 200), (100, 20), (1000, 5)):
        wanted = [sorted(choice.sample(range(rows), count)) for _ in range(400)]
        calls = {e: lambda i, r=r: r.take_rows(wanted[i % 400]).to_table() for e, r in readers.items()}
        seconds = compare(calls, 9, repeats)
        seconds |= compare({"parquet": lambda i: take_from_parquet(wanted[i])}, 1)
        report.line(f"take {count:,} random row{'s' if count > 1 else ''}", seconds)


def main() -> None:
    if sys.argv[1:2] == ["--write-alone"]:
        write_alone(*sys.argv[2:])
        return
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true", help="a tenth of the rows")
    rows = 100_000 if arguments.parse_args().quick else 1_000_000
    print(f"{os.cpu_count()} CPUs; pylance beside Pilum: ratio above 1: pilum is faster, or smaller")
    report = Report(parquet=True)
    with tempfile.TemporaryDirectory(dir=os.environ.get("PILUM_BENCH_DIR")) as directory:
        bench_write(report, directory, rows)
        bench_scan(report, directory)
        bench_take(report, directory, rows)


if __name__ == "__main__":
    main()
