# SPDX-License-Identifier: Apache-2.0
"""Tables: open, write, scan, take."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset

from . import _pilum
from ._arguments import refuse, unsigned
from .blob import BlobFile
from .types import ReaderLike, coerce_reader

if TYPE_CHECKING:
    import pandas as pd

    from .mem_wal import ShardSnapshot, ShardWriter

PathLike = Union[str, Path]


def _check_number(name: str, value: Optional[int]) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{name} must be non-negative")


def _to_filter(filter: Any) -> dict[str, Any]:
    """The arguments of the extension's scan for a filter in any form pylance takes."""
    if filter is None:
        return {}
    if isinstance(filter, str):
        return {"filter": filter}
    if isinstance(filter, pa.compute.Expression):
        # Expressions cross the border in the form in which pyarrow pickles them.
        return {"serialized_filter": filter.__reduce__()[1][0].to_pybytes()}
    raise NotImplementedError(f"filters of type {type(filter)}")


_HNSW_DEFAULTS = {"num_edges": 20, "ef_construction": 150, "max_level": 7}


def _writer_options(
    hnsw_params: Optional[dict[str, dict[str, int]]],
    durable_write: Optional[bool],
    sync_indexed_write: Optional[bool],
    **numbers: Optional[int],
) -> dict[str, str]:
    """The options that are given, as text."""
    given = {name: str(unsigned(value)) for name, value in numbers.items() if value is not None}
    for name, flag in (("durable_write", durable_write), ("sync_indexed_write", sync_indexed_write)):
        if flag is not None and not isinstance(flag, bool):
            raise TypeError(f"{name} must be a bool, not {flag!r}")
        if flag is not None:
            given[name] = str(flag).lower()
    for index, parameters in (hnsw_params or {}).items():
        if not isinstance(parameters, dict):
            raise TypeError(f"hnsw_params of index '{index}' must be a dict, not {parameters!r}")
        for name in parameters:
            if name not in _HNSW_DEFAULTS:
                raise ValueError(
                    f"unknown HNSW build param '{name}' for index '{index}'; expected one of {list(_HNSW_DEFAULTS)}"
                )
        for name, default in _HNSW_DEFAULTS.items():
            given[f"hnsw.{index}.{name}"] = str(unsigned(parameters.get(name, default), 32))
    return given


def _to_names(columns: Any) -> Optional[list[str]]:
    if columns is None:
        return None
    if isinstance(columns, dict):
        raise NotImplementedError("computed columns ({name: expression})")
    return list(columns)


_BLOB_HANDLING = ("all_binary", "all_descriptions", "blobs_descriptions")


def _resolve_selection(**selections: Any) -> tuple[list[int], str]:
    """The rows of the one selection that is given, and its name."""
    given = [(rows, name) for name, rows in selections.items() if rows is not None]
    if len(given) != 1:
        raise ValueError("Exactly one of ids, indices, or addresses must be specified")
    rows, name = given[0]
    rows = rows.to_pylist() if isinstance(rows, (pa.Array, pa.ChunkedArray)) else rows
    return [unsigned(row) for row in rows], name


def _blob_paths(fields: Any, parent: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where blobs are described in a schema."""
    for field in fields:
        path = (*parent, field.name)
        if (field.metadata or {}).get(b"lance-encoding:blob") == b"true":
            yield path
        elif pa.types.is_struct(field.type):
            yield from _blob_paths(field.type, path)


def _place(row: Any, path: tuple[str, ...], value: Any) -> Any:
    """`row` with `value` at `path`."""
    if not path:
        return value
    return None if row is None else {**row, path[0]: _place(row[path[0]], path[1:], value)}


class LanceScanner(pa.dataset.Scanner):
    """A planned scan. Each call runs it anew."""

    def __init__(self, scanner: _pilum.Scanner, dataset: LanceDataset, again: Callable[..., LanceScanner]) -> None:
        self._scanner = scanner
        self._dataset = dataset
        self._again = again  # plans the same scan with other arguments

    @property
    def projected_schema(self) -> pa.Schema:
        """Schema of the result."""
        return self._scanner.schema

    @property
    def dataset_schema(self) -> pa.Schema:
        """Schema of the table."""
        return self._dataset.schema

    def to_reader(self) -> pa.RecordBatchReader:
        """The rows as a stream."""
        return self._scanner.to_reader()

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, batch by batch."""
        yield from self.to_reader()

    def scan_batches(self) -> Iterator[pa.RecordBatch]:
        """The same as `to_batches`."""
        return self.to_batches()

    def to_table(self) -> pa.Table:
        """All rows in memory."""
        return self._scanner.to_table()

    def to_pandas(self, *, blob_mode: str = "lazy", **kwargs: Any) -> pd.DataFrame:
        """All rows as a pandas DataFrame; `kwargs` go to pyarrow.Table.to_pandas.

        Blob columns are `BlobFile` objects (``"lazy"``), ``"bytes"`` or ``"descriptions"``.
        """
        if blob_mode not in ("lazy", "bytes", "descriptions"):
            raise ValueError("blob_mode must be one of: 'lazy', 'bytes', 'descriptions'")
        paths = list(_blob_paths(self.projected_schema))
        if not paths or blob_mode == "descriptions":
            return self.to_table().to_pandas(**kwargs)
        if blob_mode == "bytes":
            return self._again(blob_handling="all_binary").to_table().to_pandas(**kwargs)
        table = self._again(blob_handling="blobs_descriptions", with_row_address=True).to_table()
        addresses = table["_rowaddr"].to_pylist()
        frame = table.select(self.projected_schema.names).to_pandas(**kwargs)
        for path in paths:
            files = self._dataset.take_blobs(".".join(path), addresses=addresses)
            rows = table[path[0]].to_pylist() if len(path) > 1 else [None] * len(files)
            frame[path[0]] = [_place(row, path[1:], value) for row, value in zip(rows, files)]
        return frame

    def head(self, num_rows: int) -> pa.Table:
        """The first rows."""
        batches: list[pa.RecordBatch] = []
        left = num_rows
        for batch in self.to_batches():
            if left <= 0:
                break
            batches.append(batch.slice(0, left))
            left -= batches[-1].num_rows
        return pa.Table.from_batches(batches, schema=self.projected_schema)

    def take(self, indices: Any) -> pa.Table:
        """Rows of the result by position."""
        return self.to_table().take(pa.array(indices, pa.int64()))

    def count_rows(self) -> int:
        """Number of rows of the result."""
        return self._scanner.count_rows()

    def explain_plan(self, verbose: bool = False) -> str:
        """How the rows are found, for people."""
        return self._scanner.explain()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_reader().__arrow_c_stream__(requested_schema)


class LanceDataset(pa.dataset.Dataset):
    """One version of a Lance table. Made by `dataset` and `write_dataset`."""

    def __init__(
        self,
        uri: PathLike,
        version: Optional[Union[int, str]] = None,
        *,
        _dataset: Optional[_pilum.Dataset] = None,
    ) -> None:
        if isinstance(version, str):
            refuse(tag=version)
        self._ds = _dataset if _dataset is not None else _pilum.open_dataset(os.fspath(uri), version)

    def __reduce__(self) -> Any:
        return LanceDataset, (self.uri, self.version)

    def __len__(self) -> int:
        return self.count_rows()

    @classmethod
    def _wrap(cls, dataset: _pilum.Dataset) -> LanceDataset:
        return cls(dataset.uri, _dataset=dataset)

    @property
    def uri(self) -> str:
        """Where the table is."""
        return self._ds.uri

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the table."""
        return self._ds.schema

    @property
    def lance_schema(self) -> _pilum.LanceSchema:
        """The schema with the ids of its fields."""
        return self._ds.lance_schema

    @property
    def data_storage_version(self) -> str:
        """File format version of the table: "2.0", "2.1" or "2.2"."""
        return self._ds.data_storage_version

    @property
    def has_index(self) -> bool:
        """Whether the table has any index."""
        return bool(self._ds.index_names)

    def config(self) -> dict[str, str]:
        """The table's configuration."""
        return self._ds.config

    # ---- versions ----

    @property
    def version(self) -> int:
        """The version this handle reads."""
        return self._ds.version

    @property
    def latest_version(self) -> int:
        """The newest version in storage."""
        return self._ds.checkout_latest().version

    def versions(self) -> list[dict[str, Any]]:
        """All versions, oldest first: dicts of `version`, `timestamp` (local time) and `metadata` (counts)."""
        found = self._ds.versions()
        for version in found:
            seconds = version.pop("timestamp_ns") / 1e9
            version["timestamp"] = datetime.datetime.fromtimestamp(seconds)
        return found

    def checkout_version(self, version: Union[int, str, tuple[Optional[str], Optional[int]]]) -> LanceDataset:
        """The same table at another version. Raises OSError if there is none."""
        if not isinstance(version, int):
            raise NotImplementedError("checking out tags and branches")
        return self._wrap(self._ds.checkout(version))

    def checkout_latest(self) -> None:
        """Moves this handle to the newest version."""
        self._ds = self._ds.checkout_latest()

    # ---- reading ----

    def scanner(
        self,
        columns: Optional[Union[list[str], dict[str, str]]] = None,
        filter: Optional[Union[str, pa.compute.Expression]] = None,
        limit: Optional[int] = None,
        offset: Optional[int] = None,
        nearest: Optional[dict] = None,
        batch_size: Optional[int] = None,
        batch_size_bytes: Optional[int] = None,
        batch_readahead: Optional[int] = None,
        fragment_readahead: Optional[int] = None,
        scan_in_order: Optional[bool] = None,
        fragments: Optional[Any] = None,
        index_segments: Optional[Any] = None,
        full_text_query: Optional[Any] = None,
        *,
        prefilter: Optional[bool] = None,
        with_row_id: Optional[bool] = None,
        with_row_address: Optional[bool] = None,
        use_stats: Optional[bool] = None,
        fast_search: Optional[bool] = None,
        io_buffer_size: Optional[int] = None,
        late_materialization: Optional[Union[bool, list[str]]] = None,
        blob_handling: Optional[str] = None,
        use_scalar_index: Optional[bool] = None,
        include_deleted_rows: Optional[bool] = None,
        scan_stats_callback: Optional[Any] = None,
        strict_batch_size: Optional[bool] = None,
        order_by: Optional[list[Any]] = None,
        disable_scoring_autoprojection: Optional[bool] = None,
        substrait_aggregate: Optional[bytes] = None,
        **kwargs: Any,
    ) -> LanceScanner:
        """Plans a scan.

        Parameters
        ----------
        columns
            Names, in the order wanted; all if not given. `_rowid` and `_rowaddr` may be named.
        filter
            SQL condition such as ``"origin = 'JFK' AND distance > 500"``; rows for which it is null are left out.
        limit, offset
            Of the rows that pass the filter.
        batch_size
            Most rows in one batch.
        batch_size_bytes
            About how many bytes a batch has, however many rows these are.
        with_row_id, with_row_address
            Append the column `_rowid`, `_rowaddr`.
        blob_handling
            Blob columns as ``"blobs_descriptions"`` (the default: where the values are; see `take_blobs`) or
            ``"all_binary"`` (the values).

        Raises
        ------
        ValueError
            An unknown column, a filter that does not parse or fit the schema, a negative limit or offset.
        NotImplementedError
            An argument of pylance that Pilum does not support yet.
        """
        refuse(
            nearest=nearest,
            fragments=fragments,
            index_segments=index_segments,
            full_text_query=full_text_query,
            include_deleted_rows=include_deleted_rows,
            scan_stats_callback=scan_stats_callback,
            strict_batch_size=strict_batch_size,
            order_by=order_by,
            substrait_aggregate=substrait_aggregate,
        )
        for name in kwargs:
            # What pyarrow.dataset.Scanner takes and a scan of a Lance table has no use for.
            if name not in ("use_threads", "memory_pool", "cache_metadata", "fragment_scan_options"):
                raise TypeError(f"scanner() got an unexpected keyword argument '{name}'")
        if blob_handling is not None and blob_handling not in _BLOB_HANDLING:
            expected = ", ".join(_BLOB_HANDLING)
            raise ValueError(f"Invalid blob_handling: {blob_handling}. Expected one of: {expected}")
        _check_number("Limit", limit)
        _check_number("Offset", offset)
        columns = _to_names(columns)  # now, should it be an iterator: the scan may be planned again
        planned = self._ds.new_scan(
            columns=columns,
            **_to_filter(filter),
            limit=limit,
            offset=offset,
            batch_size=batch_size,
            batch_size_bytes=None if batch_size_bytes is None else unsigned(batch_size_bytes, 63),
            with_row_id=bool(with_row_id),
            with_row_address=bool(with_row_address),
            scan_in_order=scan_in_order is not False,
            use_scalar_index=use_scalar_index is not False,
            blob_bytes=blob_handling == "all_binary",
        )

        def again(**changes: Any) -> LanceScanner:
            arguments = {
                "columns": columns,
                "filter": filter,
                "limit": limit,
                "offset": offset,
                "batch_size": batch_size,
                "batch_size_bytes": batch_size_bytes,
                "scan_in_order": scan_in_order,
                "with_row_id": with_row_id,
                "with_row_address": with_row_address,
                "use_scalar_index": use_scalar_index,
            }
            return self.scanner(**{**arguments, **changes})

        return LanceScanner(planned, self, again)

    def to_table(self, columns: Any = None, filter: Any = None, limit: Any = None, offset: Any = None, **kwargs: Any) -> pa.Table:
        """Rows in memory. Arguments: see `scanner`."""
        return self.scanner(columns, filter, limit, offset, **kwargs).to_table()

    def to_batches(
        self, columns: Any = None, filter: Any = None, limit: Any = None, offset: Any = None, **kwargs: Any
    ) -> Iterator[pa.RecordBatch]:
        """Rows batch by batch. Arguments: see `scanner`."""
        return self.scanner(columns, filter, limit, offset, **kwargs).to_batches()

    def to_pandas(
        self,
        columns: Any = None,
        filter: Any = None,
        limit: Any = None,
        offset: Any = None,
        *,
        blob_mode: str = "lazy",
        **kwargs: Any,
    ) -> pd.DataFrame:
        """Rows as a pandas DataFrame. Arguments: see `scanner`; `blob_mode`: see `LanceScanner.to_pandas`."""
        return self.scanner(columns, filter, limit, offset, **kwargs).to_pandas(blob_mode=blob_mode)

    def head(self, num_rows: int, **kwargs: Any) -> pa.Table:
        """The first rows."""
        return self.scanner(limit=num_rows, **kwargs).to_table()

    def count_rows(self, filter: Optional[Union[str, pa.compute.Expression]] = None, **kwargs: Any) -> int:
        """Number of rows, or of those that pass `filter`."""
        if filter is None:
            return self._ds.count_rows("")
        return self._ds.new_scan(columns=[], **_to_filter(filter)).count_rows()

    def take(self, indices: Any, columns: Optional[Union[list[str], dict[str, str]]] = None) -> pa.Table:
        """Rows by position, in the order asked for; repeats are allowed.

        Raises
        ------
        OverflowError
            A negative index.
        OSError
            An index past the end.
        """
        offsets = indices.to_pylist() if isinstance(indices, (pa.Array, pa.ChunkedArray)) else list(indices)
        if any(offset < 0 for offset in offsets):
            raise OverflowError("can't convert negative int to unsigned")
        return self._ds.take(offsets, _to_names(columns) or [])

    def take_blobs(
        self,
        blob_column: str,
        ids: Optional[Any] = None,
        addresses: Optional[Any] = None,
        indices: Optional[Any] = None,
    ) -> list[Optional[BlobFile]]:
        """Values of a blob column as files, in the order asked for; None for a null, as in pylance 14.

        Parameters
        ----------
        blob_column
            A name, or a path such as ``"document.scan"``.
        ids, addresses, indices
            Exactly one of: row ids, row addresses, positions.

        Raises
        ------
        ValueError
            Not a blob column, or no such row.
        RuntimeError
            No such column.
        """
        found = self._find_blobs(self._ds.take_blobs, blob_column, ids=ids, addresses=addresses, indices=indices)
        return [None if blob is None else BlobFile(blob) for _, blob in found]

    def read_blobs(
        self,
        blob_column: str,
        ids: Optional[Any] = None,
        addresses: Optional[Any] = None,
        indices: Optional[Any] = None,
        *,
        io_buffer_size: Optional[int] = None,
        preserve_order: Optional[bool] = None,
    ) -> list[tuple[int, Optional[bytes]]]:
        """The same as pairs of row address and bytes. Neighbours in a file are read at once."""
        if io_buffer_size is not None and io_buffer_size <= 0:
            raise ValueError("io_buffer_size must be positive")
        return self._find_blobs(self._ds.read_blobs, blob_column, ids=ids, addresses=addresses, indices=indices)

    def _find_blobs(self, find: Callable[..., list[Any]], column: str, **selections: Any) -> list[Any]:
        try:
            return find(column, *_resolve_selection(**selections))
        except KeyError as error:  # pylance's class for an unknown column
            raise RuntimeError(error.args[0]) from None

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.scanner().__arrow_c_stream__(requested_schema)

    # ---- MemWAL ----

    def initialize_mem_wal(
        self,
        *,
        maintained_indexes: Optional[list[str]] = None,
        bucket_column: Optional[str] = None,
        num_buckets: Optional[int] = None,
        identity_column: Optional[str] = None,
        unsharded: bool = False,
        durable_write: Optional[bool] = None,
        sync_indexed_write: Optional[bool] = None,
        max_wal_buffer_size: Optional[int] = None,
        max_wal_flush_interval_ms: Optional[int] = None,
        max_memtable_size: Optional[int] = None,
        max_memtable_rows: Optional[int] = None,
        max_memtable_batches: Optional[int] = None,
        max_unflushed_memtable_bytes: Optional[int] = None,
        manifest_scan_batch_size: Optional[int] = None,
        async_index_buffer_rows: Optional[int] = None,
        async_index_interval_ms: Optional[int] = None,
        backpressure_log_interval_ms: Optional[int] = None,
        stats_log_interval_ms: Optional[int] = None,
        hnsw_params: Optional[dict[str, dict[str, int]]] = None,
    ) -> None:
        """Makes the table ready for `mem_wal_writer`, by one commit; this handle moves to the new version.

        Parameters
        ----------
        maintained_indexes
            Indexes of the table that flushed generations are to have as well.
        bucket_column, num_buckets
            Rows are spread over shards by a hash of the column.
        identity_column
            A shard per value of the column.
        unsharded
            One shard.
        durable_write, max_wal_buffer_size, ...
            Options that the table records for its writers.

        Raises
        ------
        ValueError
            More than one way of sharding.
        OSError
            MemWAL is initialised already, a column or index does not exist or cannot be used.
        """
        if (bucket_column is None) != (num_buckets is None):
            raise ValueError("bucket sharding requires both bucket_column and num_buckets")
        if sum([bucket_column is not None, identity_column is not None, unsharded]) > 1:
            raise ValueError("at most one of bucket_column, identity_column and unsharded may be set")
        if isinstance(maintained_indexes, str):
            raise TypeError("maintained_indexes must be a list of names, not a str")
        transform, column = "unsharded" if unsharded else "", ""
        if bucket_column is not None:
            transform, column = "bucket", bucket_column
        if identity_column is not None:
            transform, column = "identity", identity_column
        self._ds = _pilum.initialize_mem_wal(
            self._ds,
            transform=transform,
            column=column,
            num_buckets=0 if num_buckets is None else unsigned(num_buckets, 32),
            maintained_indexes=list(maintained_indexes or []),
            defaults=_writer_options(
                durable_write=durable_write,
                sync_indexed_write=sync_indexed_write,
                max_wal_buffer_size=max_wal_buffer_size,
                max_wal_flush_interval_ms=max_wal_flush_interval_ms,
                max_memtable_size=max_memtable_size,
                max_memtable_rows=max_memtable_rows,
                max_memtable_batches=max_memtable_batches,
                max_unflushed_memtable_bytes=max_unflushed_memtable_bytes,
                manifest_scan_batch_size=manifest_scan_batch_size,
                async_index_buffer_rows=async_index_buffer_rows,
                async_index_interval_ms=async_index_interval_ms,
                backpressure_log_interval_ms=backpressure_log_interval_ms,
                stats_log_interval_ms=stats_log_interval_ms,
                hnsw_params=hnsw_params,
            ),
        )

    def mem_wal_index_details(self) -> Optional[dict]:
        """What this version records about its MemWAL, or None: `num_shards`, `maintained_indexes`,
        `writer_config_defaults`, `sharding_specs` and, beyond pylance, `merged_generations`."""
        return _pilum.mem_wal_index_details(self._ds)

    def mem_wal_writer(
        self,
        shard_id: str,
        *,
        durable_write: Optional[bool] = None,
        sync_indexed_write: Optional[bool] = None,
        max_wal_buffer_size: Optional[int] = None,
        max_wal_flush_interval_ms: Optional[int] = None,
        max_memtable_size: Optional[int] = None,
        max_memtable_rows: Optional[int] = None,
        max_memtable_batches: Optional[int] = None,
        max_unflushed_memtable_bytes: Optional[int] = None,
        manifest_scan_batch_size: Optional[int] = None,
        async_index_buffer_rows: Optional[int] = None,
        async_index_interval_ms: Optional[int] = None,
        backpressure_log_interval_ms: Optional[int] = None,
        stats_log_interval_ms: Optional[int] = None,
        hnsw_params: Optional[dict[str, dict[str, int]]] = None,
        durability: str = "power_loss",
    ) -> ShardWriter:
        """Opens the writer of a shard, which takes it over from whoever wrote before, and replays its log.

        Options that are not given are those the table records (`initialize_mem_wal`), then pylance's defaults.
        `durability` is Pilum's own: ``"power_loss"`` syncs files and directories before a put returns,
        ``"process_crash"`` leaves the bytes with the operating system, as pylance does.

        Raises
        ------
        ValueError
            `shard_id` is no UUID.
        OSError
            MemWAL is not initialised, the primary key cannot be used, the log is damaged.
        """
        from .mem_wal import ShardWriter

        if durability not in ("power_loss", "process_crash"):
            raise ValueError(f"unknown durability '{durability}'")
        options = _writer_options(
            durable_write=durable_write,
            sync_indexed_write=sync_indexed_write,
            max_wal_buffer_size=max_wal_buffer_size,
            max_wal_flush_interval_ms=max_wal_flush_interval_ms,
            max_memtable_size=max_memtable_size,
            max_memtable_rows=max_memtable_rows,
            max_memtable_batches=max_memtable_batches,
            max_unflushed_memtable_bytes=max_unflushed_memtable_bytes,
            manifest_scan_batch_size=manifest_scan_batch_size,
            async_index_buffer_rows=async_index_buffer_rows,
            async_index_interval_ms=async_index_interval_ms,
            backpressure_log_interval_ms=backpressure_log_interval_ms,
            stats_log_interval_ms=stats_log_interval_ms,
            hnsw_params=hnsw_params,
        )
        return ShardWriter(_pilum.open_shard_writer(self._ds, shard_id, options, durability == "power_loss"))

    def list_mem_wal_latest_shard_ids(self) -> list[str]:
        """UUIDs of the shards in storage, ascending."""
        return _pilum.list_shard_ids(self._ds)

    def mem_wal_shard_snapshot(self, shard_id: str) -> Optional[ShardSnapshot]:
        """The flushed generations of a shard, or None if there is no such shard."""
        from .mem_wal import ShardSnapshot

        raw = _pilum.read_shard_snapshot(self._ds, shard_id)
        return None if raw is None else ShardSnapshot._wrap(raw)

    def prewarm_mem_wal(self, shard_snapshots: list[ShardSnapshot]) -> None:
        """Opens the generations that the snapshots list, and their indexes, so that first reads find them open."""
        _pilum.prewarm_mem_wal(self._ds, [snapshot._raw for snapshot in shard_snapshots])

    # ---- writing ----

    def insert(self, data: ReaderLike, *, mode: str = "append", **kwargs: Any) -> None:
        """Writes rows and moves this handle to the new version. Arguments: see `write_dataset`."""
        self._ds = write_dataset(data, self.uri, mode=mode, **kwargs)._ds


def dataset(
    uri: Optional[PathLike] = None,
    version: Optional[Union[int, str]] = None,
    asof: Optional[Any] = None,
    block_size: Optional[int] = None,
    commit_lock: Optional[Any] = None,
    index_cache_size: Optional[int] = None,
    storage_options: Optional[dict[str, str]] = None,
    default_scan_options: Optional[dict[str, Any]] = None,
    metadata_cache_size_bytes: Optional[int] = None,
    index_cache_size_bytes: Optional[int] = None,
    read_params: Optional[dict[str, Any]] = None,
    session: Optional[Any] = None,
    namespace_client: Optional[Any] = None,
    table_id: Optional[list[str]] = None,
) -> LanceDataset:
    """Opens a table.

    Parameters
    ----------
    uri
        Directory of the table.
    version
        A version number; the latest if not given.

    Raises
    ------
    ValueError
        No table there, or no such version.
    """
    refuse(
        asof=asof,
        commit_lock=commit_lock,
        storage_options=storage_options,
        default_scan_options=default_scan_options,
        read_params=read_params,
        session=session,
        namespace_client=namespace_client,
        table_id=table_id,
    )
    if uri is None:
        raise ValueError("uri is required")
    return LanceDataset(uri, version)


def write_dataset(
    data_obj: ReaderLike,
    uri: Optional[Union[PathLike, LanceDataset]] = None,
    schema: Optional[pa.Schema] = None,
    mode: str = "create",
    *,
    max_rows_per_file: int = 1024 * 1024,
    max_rows_per_group: int = 1024,
    max_bytes_per_file: int = 90 * 1024 * 1024 * 1024,
    commit_lock: Optional[Any] = None,
    progress: Optional[Any] = None,
    storage_options: Optional[dict[str, str]] = None,
    data_storage_version: Optional[str] = None,
    use_legacy_format: Optional[bool] = None,
    enable_v2_manifest_paths: bool = True,
    enable_stable_row_ids: bool = False,
    auto_cleanup_options: Optional[Any] = None,
    commit_message: Optional[str] = None,
    transaction_properties: Optional[dict[str, str]] = None,
    initial_bases: Optional[list[Any]] = None,
    target_bases: Optional[list[str]] = None,
    external_blob_mode: str = "reference",
    allow_external_blob_outside_bases: bool = False,
    blob_pack_file_size_threshold: Optional[int] = None,
) -> LanceDataset:
    """Writes rows as a new table or a new version of one.

    Parameters
    ----------
    data_obj
        See `pilum.types.ReaderLike`.
    uri
        Directory of the table, or the table.
    mode
        ``"create"`` fails if there is a table, ``"append"`` adds to it, ``"overwrite"`` makes a version with these rows
        only (older versions stay readable); both create a table that is missing.
    max_rows_per_file, max_bytes_per_file
        Where a data file ends and the next begins.
    data_storage_version
        ``"2.0"``, ``"2.1"`` (the default for new tables), ``"2.2"`` or ``"stable"``.
    external_blob_mode
        Blobs given as URIs: ``"reference"`` stores the URI, ``"ingest"`` copies the bytes.
    allow_external_blob_outside_bases
        Whether such URIs may be outside of the table's base paths.
    blob_pack_file_size_threshold
        Bytes after which a file of packed blobs is full; 1 GiB if not given.

    Raises
    ------
    OSError
        The table exists already (create), or its schema differs (append).
    ValueError
        An unknown mode or storage version.
    TypeError
        `data_obj` gives no record batches.
    """
    refuse(
        commit_lock=commit_lock,
        progress=progress,
        storage_options=storage_options,
        use_legacy_format=use_legacy_format,
        enable_stable_row_ids=enable_stable_row_ids,
        auto_cleanup_options=auto_cleanup_options,
        initial_bases=initial_bases,
        target_bases=target_bases,
    )
    if not enable_v2_manifest_paths:
        raise NotImplementedError("writing V1 manifest names")
    if uri is None:
        raise ValueError("uri is required")
    if external_blob_mode not in ("reference", "ingest"):
        raise ValueError(f"Invalid external_blob_mode: {external_blob_mode}. Expected 'reference' or 'ingest'.")
    if allow_external_blob_outside_bases and external_blob_mode == "ingest":
        raise ValueError("allow_external_blob_outside_bases is only valid when external_blob_mode='reference'")
    properties = dict(transaction_properties or {})
    if commit_message is not None:
        properties["__lance_commit_message"] = commit_message
    written = _pilum.write_dataset(
        coerce_reader(data_obj, schema),
        uri.uri if isinstance(uri, LanceDataset) else os.fspath(uri),
        mode=mode,
        max_rows_per_file=max_rows_per_file,
        max_bytes_per_file=max_bytes_per_file,
        data_storage_version=data_storage_version,
        transaction_properties=properties,
        ingest_blobs=external_blob_mode == "ingest",
        allow_external_blob_outside_bases=allow_external_blob_outside_bases,
        blob_pack_file_size_threshold=blob_pack_file_size_threshold,
    )
    return LanceDataset._wrap(written)
