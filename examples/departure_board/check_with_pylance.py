# SPDX-License-Identifier: Apache-2.0
"""Reads the departure board with the official engine and compares it with the truth, row for row.

    python check_with_pylance.py <data directory> <table> <shard id> <generation>=<folder>...

Run by an interpreter that has pylance, after the writer has closed the shard. The last arguments are the shard's
flushed generations, as `pilum mem-wal status --generations` prints them.
"""

import random
import sys
from pathlib import Path

import lance
import pyarrow as pa
from lance.mem_wal import LsmPointLookupPlanner, LsmScanner, ShardSnapshot

NUM_LOOKUPS = 1000


def fail(message: str) -> None:
    sys.exit(f"pylance {lance.__version__} disagrees: {message}")


def main() -> None:
    data, uri, shard = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    truth = pa.ipc.open_file(data / "truth.arrow").read_all().sort_by("key")
    dataset = lance.dataset(uri)
    snapshot = ShardSnapshot(shard)
    for argument in sys.argv[4:]:
        generation, folder = argument.split("=", 1)
        snapshot = snapshot.with_flushed_generation(int(generation), folder)

    rows = LsmScanner.from_snapshots(dataset, [snapshot]).to_table().sort_by("key")
    if rows.num_rows != truth.num_rows:
        fail(f"{rows.num_rows:,} rows instead of {truth.num_rows:,}")
    rows = rows.select(truth.schema.names).cast(truth.schema)
    for name in truth.schema.names:
        if rows[name].combine_chunks() != truth[name].combine_chunks():
            fail(f"column {name} of a full scan differs")

    planner = LsmPointLookupPlanner(dataset, [snapshot])
    choice = random.Random(2013)
    expected = {row["key"]: row for row in truth.take(choice.sample(range(truth.num_rows), NUM_LOOKUPS)).to_pylist()}
    for key, row in expected.items():
        found = planner.plan_lookup(pa.array([key])).to_table().to_pylist()
        if found != [row]:
            fail(f"looking up {key} gives {found}")
    print(f"pylance {lance.__version__}: {dataset.count_rows():,} rows in the base table, {rows.num_rows:,} in all; "
          f"full scan and {NUM_LOOKUPS:,} lookups agree row for row")


if __name__ == "__main__":
    main()
