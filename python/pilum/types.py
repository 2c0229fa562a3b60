# SPDX-License-Identifier: Apache-2.0
"""What may be written: everything that can give Arrow record batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Optional

import pyarrow as pa
import pyarrow.dataset

#: A pyarrow Table, RecordBatch, RecordBatchReader, Dataset or Scanner, a pandas or polars DataFrame, a dict of columns,
#: a list of row dicts, anything with ``__arrow_c_stream__``, or (with a schema) an iterable of record batches.
ReaderLike = Any


def coerce_reader(data: ReaderLike, schema: Optional[pa.Schema] = None) -> pa.RecordBatchReader:
    """A reader of `data`.

    `schema` is needed for iterables of batches, and where given the other kinds are converted to it.

    Raises
    ------
    TypeError
        Not data.
    ValueError
        An iterable of batches without a schema.
    """
    if isinstance(data, pa.RecordBatchReader):
        return data
    if isinstance(data, pa.Table):
        return data.to_reader()
    if isinstance(data, pa.RecordBatch):
        return pa.RecordBatchReader.from_batches(data.schema, [data])
    if isinstance(data, pa.dataset.Dataset):
        return data.scanner().to_reader()
    if isinstance(data, pa.dataset.Scanner):
        return data.to_reader()
    if type(data).__module__.startswith("pandas") and type(data).__name__ == "DataFrame":
        return pa.Table.from_pandas(data, schema=schema).to_reader()
    if isinstance(data, dict):
        batch = pa.RecordBatch.from_pydict(data, schema=schema)
        return pa.RecordBatchReader.from_batches(batch.schema, [batch])
    if isinstance(data, list) and data and isinstance(data[0], dict):
        batch = pa.RecordBatch.from_pylist(data, schema=schema)
        return pa.RecordBatchReader.from_batches(batch.schema, [batch])
    if hasattr(data, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(data, schema=schema)
    if isinstance(data, Iterable):
        if schema is None:
            raise ValueError("Must provide schema to write dataset from RecordBatch iterable")
        return pa.RecordBatchReader.from_batches(schema, _cast_batches(data, schema))
    raise TypeError(f"Unknown data type {type(data)}: it gives no Arrow record batches")


def _cast_batches(batches: Iterable[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if not isinstance(batch, pa.RecordBatch):
            raise TypeError(f"Expected RecordBatch, got {type(batch)}")
        if batch.schema == schema:
            yield batch
        else:
            yield from pa.Table.from_batches([batch]).select(schema.names).cast(schema).to_batches()
