# SPDX-License-Identifier: Apache-2.0
"""Real-time upserts: writers of shards, and reads over the base table, flushed generations and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Optional, Union

import pyarrow as pa

from . import _pilum
from ._arguments import unsigned
from .types import ReaderLike, coerce_reader

if TYPE_CHECKING:
    from .dataset import LanceDataset


@dataclass
class ShardingField:
    """How a column tells the shard of a row."""

    field_id: str
    source_ids: list[int]
    transform: Optional[str] = None
    expression: Optional[str] = None
    result_type: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass
class ShardingSpec:
    """The sharding of a table."""

    spec_id: int
    fields: list[ShardingField]


@dataclass
class MergedGeneration:
    """A flushed generation whose rows are in the base table."""

    shard_id: str
    generation: int


def evaluate_sharding_spec(
    batch: pa.RecordBatch, spec: Union[ShardingSpec, Mapping[str, object]], schema: _pilum.LanceSchema
) -> pa.RecordBatch:
    """The shard key of each row of `batch`: one column per field of `spec`, named by its `field_id`.

    Parameters
    ----------
    batch
        Rows with the source columns.
    spec
        A `ShardingSpec`, or one of the dicts in `LanceDataset.mem_wal_index_details`.
    schema
        `LanceDataset.lance_schema`, which knows the columns' ids.

    Raises
    ------
    TypeError
        `batch` is no RecordBatch.
    ValueError
        A transform, column or type that cannot be evaluated.
    """
    if not isinstance(batch, pa.RecordBatch):
        raise TypeError(f"Expected pyarrow.RecordBatch, got {type(batch)!r}")
    return _pilum.evaluate_sharding_spec(batch, dict(spec) if isinstance(spec, Mapping) else asdict(spec), schema)


class ShardSnapshot:
    """The flushed generations of one shard that a reader is to see. The ``with_*`` methods change and return it.

    Raises
    ------
    ValueError
        `shard_id` is no UUID.
    """

    def __init__(self, shard_id: str) -> None:
        self._raw = _pilum.ShardSnapshot(shard_id)

    @classmethod
    def _wrap(cls, raw: _pilum.ShardSnapshot) -> ShardSnapshot:
        snapshot = cls.__new__(cls)
        snapshot._raw = raw
        return snapshot

    @property
    def shard_id(self) -> str:
        """UUID of the shard."""
        return self._raw.shard_id

    @property
    def current_generation(self) -> int:
        """The generation that takes writes."""
        return self._raw.current_generation

    @property
    def flushed_generations(self) -> list[tuple[int, str]]:
        """Pairs of generation and folder."""
        return self._raw.flushed_generations

    def with_spec_id(self, spec_id: int) -> ShardSnapshot:
        """Sets the sharding spec of the shard."""
        self._raw.with_spec_id(unsigned(spec_id, 32))
        return self

    def with_current_generation(self, generation: int) -> ShardSnapshot:
        """Sets the generation that takes writes."""
        self._raw.with_current_generation(unsigned(generation))
        return self

    def with_flushed_generation(self, generation: int, path: str) -> ShardSnapshot:
        """Adds a flushed generation: its number and its folder in the shard's directory."""
        self._raw.with_flushed_generation(unsigned(generation), path)
        return self

    def __repr__(self) -> str:
        return (
            f"_ShardSnapshot(shard_id='{self.shard_id}', current_gen={self.current_generation}, "
            f"flushed_gens={len(self.flushed_generations)})"
        )


class ExecutionPlan:
    """A plan: printable, and runnable as often as wanted with equal results."""

    def __init__(self, _raw: _pilum.ExecutionPlan, _dataset_schema: pa.Schema) -> None:
        self._raw = _raw
        self._dataset_schema = _dataset_schema

    @property
    def schema(self) -> pa.Schema:
        """Schema of the result."""
        return self._raw.schema

    @property
    def dataset_schema(self) -> pa.Schema:
        """Schema of the base table."""
        return self._dataset_schema

    def explain(self) -> str:
        """The tree of nodes as text."""
        return self._raw.explain()

    def to_reader(self) -> pa.RecordBatchReader:
        """Runs the plan; the rows as a stream."""
        return self._raw.to_reader()

    def to_batches(self) -> list[pa.RecordBatch]:
        """Runs the plan; the rows as batches."""
        return list(self.to_reader())

    def to_table(self) -> pa.Table:
        """Runs the plan; the rows as a table."""
        return self.to_reader().read_all()


class LsmScanner:
    """Scans base table, generations and memory as one table in which each key is there once, in its newest version.

    Options change the scanner and return it. Each read sees the newest state of the writer it was made from, if any.
    """

    def __init__(self, _raw: _pilum.LsmScanner) -> None:
        self._raw = _raw

    @staticmethod
    def from_snapshots(dataset: LanceDataset, shard_snapshots: list[ShardSnapshot]) -> LsmScanner:
        """A scanner of the base table and the generations that the snapshots list.

        Raises
        ------
        ValueError
            The table has no primary key.
        """
        return LsmScanner(_pilum.new_lsm_scanner(dataset._ds, [snapshot._raw for snapshot in shard_snapshots]))

    def project(self, columns: list[str]) -> LsmScanner:
        """Columns of the result; the key columns are appended where they are missing."""
        self._raw.project(list(columns))
        return self

    def filter(self, expr: str) -> LsmScanner:
        """SQL condition on the newest version of each row. Raises ValueError if it does not fit the table."""
        self._raw.filter(expr)
        return self

    def limit(self, n: int, offset: Optional[int] = None) -> LsmScanner:
        """At most `n` rows, after leaving out `offset`."""
        self._raw.limit(unsigned(n, 63), None if offset is None else unsigned(offset, 63))
        return self

    def with_row_address(self) -> LsmScanner:
        """Appends `_rowaddr`: of rows of the base table, null for others."""
        self._raw.with_row_address()
        return self

    def with_memtable_gen(self) -> LsmScanner:
        """Appends `_memtable_gen`: the generation of the row, 0 in the base table."""
        self._raw.with_memtable_gen()
        return self

    def explain_plan(self) -> str:
        """How the rows are found."""
        return self._raw.create_plan().explain()

    def to_table(self) -> pa.Table:
        """All rows."""
        return self._raw.create_plan().to_reader().read_all()

    def to_batches(self) -> list[pa.RecordBatch]:
        """All rows as batches."""
        return list(self._raw.create_plan().to_reader())

    def to_batch(self) -> pa.RecordBatch:
        """All rows as one batch."""
        table = self.to_table()
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)

    def count_rows(self) -> int:
        """Number of rows."""
        return self._raw.count_rows()


class LsmPointLookupPlanner:
    """Finds rows by primary key in generations and base table, newest first.

    Parameters
    ----------
    dataset
        The base table.
    shard_snapshots
        Generations to look in.
    pk_columns
        The key; that of the schema if not given.

    Raises
    ------
    ValueError
        There is no primary key.
    """

    def __init__(
        self,
        dataset: LanceDataset,
        shard_snapshots: list[ShardSnapshot],
        pk_columns: Optional[list[str]] = None,
    ) -> None:
        raw = [snapshot._raw for snapshot in shard_snapshots]
        self._raw = _pilum.new_point_lookup_planner(dataset._ds, raw, list(pk_columns or []))
        self._dataset_schema = dataset.schema

    def plan_lookup(self, pk_value: pa.Array, columns: Optional[list[str]] = None) -> ExecutionPlan:
        """Plans the lookup of one key.

        Parameters
        ----------
        pk_value
            An array of one value; for a composite key of one struct with a field per key column.
        columns
            Of the result, which has the key columns in any case.

        Raises
        ------
        ValueError
            `pk_value` is not one key.
        OSError
            A value that cannot be compared with the key, an unknown column, a generation that cannot be opened.
        """
        return ExecutionPlan(self._raw.plan_lookup(pk_value, columns), self._dataset_schema)

    def lookup(self, pk_value: pa.Array, columns: Optional[list[str]] = None) -> Optional[pa.RecordBatch]:
        """The newest row of a key as a batch of one, or None: what `plan_lookup` finds, without a plan."""
        return self._raw.lookup(pk_value, columns)

    def lookup_many(self, pk_values: pa.Array, columns: Optional[list[str]] = None) -> pa.RecordBatch:
        """The newest rows of those keys that have one, in the order of the keys."""
        return self._raw.lookup_many(pk_values, columns)

    def plan_point_lookup(self, pk_values: pa.Array, columns: Optional[list[str]] = None) -> ExecutionPlan:
        """Runs `lookup_many` and wraps the rows as a plan."""
        return ExecutionPlan(self._raw.plan_point_lookup(pk_values, columns), self._dataset_schema)


class ShardWriter:
    """The one writer of a shard; made by `LanceDataset.mem_wal_writer`. As a context manager it closes itself.

    All methods may be called from many threads. A `put` of a durable writer returns when its rows are on disk and
    visible; puts that wait at the same time share one write.
    """

    def __init__(self, _raw: _pilum.ShardWriter) -> None:
        self._raw = _raw

    @property
    def shard_id(self) -> str:
        """UUID of the shard."""
        return self._raw.shard_id

    def put(self, data: ReaderLike, *, schema: Optional[pa.Schema] = None) -> None:
        """Upserts rows: a row replaces older ones with its key.

        Raises
        ------
        OSError
            The schema differs from the table's, a key is null, text is not UTF-8, the table's version cannot hold a null
            (2.0: null structs), another writer owns the shard, the writer is closed, or the log cannot be written;
            after the last the rows may or may not be there, and the writer takes no more.
        """
        if not isinstance(data, pa.RecordBatch):
            data = coerce_reader(data, schema)
        self._raw.put(data)

    def lsm_scanner(self, shard_snapshots: Optional[list[ShardSnapshot]] = None) -> LsmScanner:
        """A scanner that sees everything this writer has taken, and the snapshots of other shards."""
        snapshots = [snapshot._raw for snapshot in shard_snapshots or []]
        return LsmScanner(_pilum.new_lsm_scanner(self._raw.dataset, snapshots, self._raw))

    def point_lookup_planner(self, shard_snapshots: Optional[list[ShardSnapshot]] = None) -> LsmPointLookupPlanner:
        """A planner that sees everything this writer has taken, at every lookup."""
        snapshots = [snapshot._raw for snapshot in shard_snapshots or []]
        planner = LsmPointLookupPlanner.__new__(LsmPointLookupPlanner)
        planner._raw = _pilum.new_point_lookup_planner(self._raw.dataset, snapshots, [], self._raw)
        planner._dataset_schema = self._raw.dataset.schema
        return planner

    def snapshot(self) -> ShardSnapshot:
        """The flushed generations as of now."""
        return ShardSnapshot._wrap(self._raw.snapshot())

    def flush(self) -> None:
        """Makes the rows in memory a generation, and returns when it is on disk."""
        self._raw.force_seal_active()
        self._raw.wait_for_flush_drain()

    def stats(self) -> dict[str, int]:
        """Counts and times of puts, log writes and flushes since the writer was opened."""
        return self._raw.stats()

    def memtable_stats(self) -> dict[str, Any]:
        """Size of the active memtable and how much of it the log holds."""
        return self._raw.memtable_stats()

    def close(self) -> None:
        """Flushes all rows and stops. Again: nothing. Raises OSError with what could not be written."""
        self._raw.close()

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> bool:
        self.close()
        return False
