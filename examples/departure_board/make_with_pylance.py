# SPDX-License-Identifier: Apache-2.0
"""The same board, written by the official engine.

    python make_with_pylance.py <data directory> <table> <shard id>

Base table, MemWAL and flushed generations; Pilum reads them afterwards and must give the same answers.
"""

import sys
from pathlib import Path

import lance
import pyarrow as pa

ROWS_PER_PUT = 256


def main() -> None:
    data, uri, shard = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    base = pa.ipc.open_file(data / "base.arrow").read_all()
    dataset = lance.write_dataset(base, uri, max_rows_per_file=100_000, data_storage_version="2.1")
    dataset.initialize_mem_wal(unsharded=True)
    events = pa.ipc.open_file(data / "events.arrow").read_all()
    with dataset.mem_wal_writer(shard, durable_write=True, max_memtable_rows=20_000) as writer:
        for start in range(0, events.num_rows, ROWS_PER_PUT):
            writer.put(events.slice(start, ROWS_PER_PUT).combine_chunks())
        stats = writer.stats()
    print(f"pylance {lance.__version__}: wrote {base.num_rows:,} rows and {events.num_rows:,} events, "
          f"{stats['memtable_flush_count']} generations")


if __name__ == "__main__":
    main()
