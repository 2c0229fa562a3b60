# SPDX-License-Identifier: Apache-2.0
"""Single data files: what ``lance.file`` is in pylance 8.0.0.

For tables use :func:`pilum.dataset`; a file of a table is one fragment's columns, without deletions.
"""

from __future__ import annotations

import operator
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Callable, List, Optional, Union

import pyarrow as pa

from . import _pilum
from ._arguments import refuse, unsigned

__all__ = [
    "LanceBufferDescriptor",
    "LanceColumnMetadata",
    "LanceColumnStatistics",
    "LanceFileMetadata",
    "LanceFileReader",
    "LanceFileSession",
    "LanceFileStatistics",
    "LanceFileWriter",
    "LancePageMetadata",
    "ReaderResults",
    "stable_version",
]


_LAST = 2**63 - 1  # no file has such a row


def stable_version() -> str:
    """The version that files have if none is asked for."""
    return _pilum.stable_version()


@dataclass(frozen=True)
class LanceBufferDescriptor:
    """Bytes of a file."""

    position: int
    size: int


@dataclass(frozen=True)
class LancePageMetadata:
    """Some rows of a column. `encoding` is the page's message as text."""

    buffers: list[LanceBufferDescriptor]
    encoding: str


@dataclass(frozen=True)
class LanceColumnMetadata:
    """A column of a file: a leaf of its schema, in version 2.0 every node."""

    column_buffers: list[LanceBufferDescriptor]
    pages: list[LancePageMetadata]


@dataclass(frozen=True)
class LanceFileMetadata:
    """What the footer tells. Sizes are in bytes."""

    major_version: int
    minor_version: int
    schema: pa.Schema
    num_rows: int
    num_data_bytes: int
    num_column_metadata_bytes: int
    num_global_buffer_bytes: int
    global_buffers: list[LanceBufferDescriptor]
    columns: list[LanceColumnMetadata]


@dataclass(frozen=True)
class LanceColumnStatistics:
    """Pages of a column and the bytes of their buffers."""

    num_pages: int
    size_bytes: int


@dataclass(frozen=True)
class LanceFileStatistics:
    """One entry per column of the file."""

    columns: list[LanceColumnStatistics]


class ReaderResults:
    """Rows of a file, as batches or as a table. They can be taken once."""

    def __init__(self, reader: pa.RecordBatchReader):
        self.reader = reader

    def to_batches(self) -> pa.RecordBatchReader:
        """The rows as they come."""
        return self.reader

    def to_table(self) -> pa.Table:
        """All rows."""
        return self.reader.read_all()


def _buffers(ranges: list[tuple[int, int]]) -> list[LanceBufferDescriptor]:
    return [LanceBufferDescriptor(position, size) for position, size in ranges]


class LanceFileReader:
    """Reads one data file.

    Parameters
    ----------
    path : str or Path
        A local path or a ``file://`` URI.
    columns : list of str, optional
        Top-level columns, or parts of nested ones (``"a.b"``), in the order they shall have. All if not given.
    storage_options, namespace_client, table_id
        Not supported: only local files.

    Raises
    ------
    OSError
        No such file, not a Lance file, a damaged one, or one without such a column.
    """

    def __init__(
        self,
        path: Union[str, os.PathLike[str]],
        storage_options: Optional[dict[str, str]] = None,
        columns: Optional[list[str]] = None,
        *,
        namespace_client: Optional[Any] = None,
        table_id: Optional[list[str]] = None,
    ):
        refuse(storage_options=storage_options, namespace_client=namespace_client, table_id=table_id)
        self._reader = _pilum.open_file_reader(os.fspath(path), columns)

    @classmethod
    def _of(cls, reader: _pilum.FileReader) -> LanceFileReader:
        self = cls.__new__(cls)
        self._reader = reader
        return self

    def read_all(self, *, batch_size: int = 1024, batch_readahead: int = 16) -> ReaderResults:
        """All rows, `batch_size` in a batch. How far is read ahead depends on the threads there are."""
        return self.read_range(0, self.num_rows(), batch_size=batch_size, batch_readahead=batch_readahead)

    def read_range(
        self, start: int, num_rows: int, *, batch_size: int = 1024, batch_readahead: int = 16
    ) -> ReaderResults:
        """`num_rows` rows from row `start` on.

        Raises
        ------
        ValueError
            The range leaves the file.
        OverflowError
            A negative number.
        """
        return ReaderResults(
            self._reader.read_range(min(unsigned(start), _LAST), min(unsigned(num_rows), _LAST), batch_size)
        )

    def take_rows(self, indices: Any, *, batch_size: int = 1024, batch_readahead: int = 16) -> ReaderResults:
        """These rows. `indices` ascend and may repeat.

        Raises
        ------
        ValueError
            They do not ascend, or one is not in the file.
        OverflowError
            A negative one.
        """
        rows = [operator.index(index) for index in indices]
        for first, second in zip(rows, rows[1:]):
            if first > second:
                raise ValueError(f"Indices must be sorted in ascending order for file API, got {first} > {second}")
        if rows and unsigned(rows[0]) <= unsigned(rows[-1]) > _LAST:
            raise ValueError(f"Row {rows[-1]} is not in the file")
        return ReaderResults(self._reader.take_rows(rows, batch_size))

    def metadata(self) -> LanceFileMetadata:
        """Schema, sizes, and where every page is."""
        told = self._reader.describe()
        told["global_buffers"] = _buffers(told["global_buffers"])
        told["columns"] = [
            LanceColumnMetadata(
                _buffers(buffers), [LancePageMetadata(_buffers(ranges), encoding) for ranges, encoding in pages]
            )
            for buffers, pages in told["columns"]
        ]
        return LanceFileMetadata(**told)

    def file_statistics(self) -> LanceFileStatistics:
        """Pages and bytes of each column."""
        return LanceFileStatistics(
            [
                LanceColumnStatistics(len(column.pages), sum(buffer.size for page in column.pages for buffer in page.buffers))
                for column in self.metadata().columns
            ]
        )

    def read_global_buffer(self, index: int) -> bytes:
        """Global buffer `index`; 0 is the schema descriptor, those of the user begin at 1.

        Raises
        ------
        ValueError
            There is no such buffer.
        """
        return self._reader.read_global_buffer(index)

    def num_rows(self) -> int:
        """Rows in the file."""
        return self._reader.num_rows


class LanceFileWriter:
    """Writes one data file. It appears under its name when it is closed; as a context manager it is closed at the end,
    and when the block raises nothing is left.

    Parameters
    ----------
    path : str or Path
        A local path or a ``file://`` URI; missing folders are made.
    schema : pyarrow.Schema, optional
        Of the first batch if not given.
    data_cache_bytes : int, optional
        Bytes that all columns together gather before they write pages; 8 MiB, or 512 KiB for each of many
        columns, if not given.
    version : str, optional
        "2.0", "2.1" (the default), "2.2", or an alias of pylance's.
    max_page_bytes : int, optional
        Accepted for scripts of pylance, which itself uses it in version 2.0 only: arrays are cut into pages of
        `data_cache_bytes` here.
    storage_options, namespace_client, table_id
        Not supported: only local files.
    """

    def __init__(
        self,
        path: Union[str, os.PathLike[str]],
        schema: Optional[pa.Schema] = None,
        *,
        data_cache_bytes: Optional[int] = None,
        version: Optional[str] = None,
        storage_options: Optional[dict[str, str]] = None,
        namespace_client: Optional[Any] = None,
        table_id: Optional[list[str]] = None,
        max_page_bytes: Optional[int] = None,
    ):
        refuse(storage_options=storage_options, namespace_client=namespace_client, table_id=table_id)
        self._start(lambda schema: _pilum.open_file_writer(os.fspath(path), schema, data_cache_bytes, version), schema)

    @classmethod
    def _of(cls, open: Callable[[pa.Schema], _pilum.FileWriter], schema: Optional[pa.Schema]) -> LanceFileWriter:
        self = cls.__new__(cls)
        self._start(open, schema)
        return self

    def _start(self, open: Callable[[pa.Schema], _pilum.FileWriter], schema: Optional[pa.Schema]) -> None:
        self._open = open
        self._writer = None if schema is None else open(schema)
        self._metadata: dict[str, str] = {}  # given before there was a writer
        self.closed = False

    def write_batch(self, batch: Union[pa.RecordBatch, pa.Table]) -> None:
        """Appends rows. Columns are found by name.

        Raises
        ------
        ValueError
            A column is missing or has nulls where its field does not allow any.
        TypeError
            A column has another type than the schema says.
        OSError
            The writer is closed, or the disk cannot be written.
        """
        if self.closed:
            raise OSError("the file is closed")
        if self._writer is None:
            self._writer = self._open(batch.schema)
            for key, value in self._metadata.items():
                self._writer.add_schema_metadata(key, value)
        self._writer.write(batch)

    def close(self) -> Optional[int]:
        """Finishes the file. Returns its rows; the second time None.

        Raises
        ------
        ValueError
            There was neither a schema nor a batch.
        """
        if self.closed:
            return None
        self.closed = True
        if self._writer is None:
            raise ValueError("No schema provided on writer open and no data provided: the schema is unknown")
        writer, self._writer = self._writer, None  # also when it fails: the unfinished file goes with it
        return writer.finish()

    def add_schema_metadata(self, key: str, value: str) -> None:
        """Adds to the metadata of the file's schema, until it is closed."""
        if self.closed:
            raise OSError("the file is closed")
        if self._writer is None:
            self._metadata[key] = value
        else:
            self._writer.add_schema_metadata(key, value)

    def add_global_buffer(self, data: bytes) -> int:
        """Stores bytes beside the columns. Returns their index, from 1."""
        if self.closed:
            raise OSError("the file is closed")
        if self._writer is None:
            raise ValueError("a writer without a schema has no file yet: give one, or write a batch first")
        return self._writer.add_global_buffer(data)

    def __enter__(self) -> LanceFileWriter:
        return self

    def __exit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc_value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if exc_type is None:
            self.close()
            return
        self.closed = True
        self._writer = None  # drops the file


class LanceFileSession:
    """Data files in one folder.

    Parameters
    ----------
    base_path : str or Path
        A local path or a ``file://`` URI. It need not exist: the first file makes it.
    storage_options, namespace_client, table_id
        Not supported: only local files.

    Paths of the methods are relative to it; they may begin with "/" and must not contain "..".
    """

    def __init__(
        self,
        base_path: Union[str, os.PathLike[str]],
        storage_options: Optional[dict[str, str]] = None,
        namespace_client: Optional[Any] = None,
        table_id: Optional[List[str]] = None,
    ):
        refuse(storage_options=storage_options, namespace_client=namespace_client, table_id=table_id)
        self._session = _pilum.open_file_session(os.fspath(base_path))

    def open_reader(self, path: str, columns: Optional[List[str]] = None) -> LanceFileReader:
        """As :class:`LanceFileReader` does."""
        return LanceFileReader._of(self._session.open_reader(path, columns))

    def open_writer(
        self,
        path: str,
        *,
        schema: Optional[pa.Schema] = None,
        data_cache_bytes: Optional[int] = None,
        version: Optional[str] = None,
        keep_original_array: Optional[bool] = None,
        max_page_bytes: Optional[int] = None,
    ) -> LanceFileWriter:
        """As :class:`LanceFileWriter` does. `keep_original_array` and `max_page_bytes` are accepted for scripts of
        pylance; arrays are never copied until their page is written."""
        return LanceFileWriter._of(
            lambda schema: self._session.open_writer(path, schema, data_cache_bytes, version), schema
        )

    def contains(self, path: str) -> bool:
        """Whether there is a file at `path`; a folder is none."""
        return self._session.contains(path)

    def list(self, path: Optional[str] = None) -> List[str]:
        """The files in a folder and in those below it, as paths from the base path, in order. The folder need not
        exist. All files if not given."""
        return self._session.list(path or "")

    def upload_file(self, local_path: Union[str, os.PathLike[str]], remote_path: str) -> None:
        """Copies a local file, of any kind, to `remote_path`. A file that is there is replaced at once."""
        self._session.upload(os.fspath(local_path), remote_path)

    def download_file(self, remote_path: str, local_path: Union[str, os.PathLike[str]]) -> None:
        """Copies the file at `remote_path` to a local one; missing folders are made."""
        self._session.download(remote_path, os.fspath(local_path))
