# SPDX-License-Identifier: Apache-2.0
"""Blob columns: values of any size, written as bytes or as URIs, read when asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Optional, Union

import pyarrow as pa

from . import _pilum
from ._arguments import unsigned

_MAX_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Blob:
    """A value to write: bytes, or a URI with, if it is not all of what is there, position and size in bytes."""

    data: Optional[bytes] = None
    uri: Optional[str] = None
    position: Optional[int] = None
    size: Optional[int] = None

    def __post_init__(self) -> None:
        sliced = self.position is not None or self.size is not None
        if self.data is not None and self.uri is not None:
            raise ValueError("a blob has either data or uri")
        if self.uri == "":
            raise ValueError("the uri of a blob is empty")
        if sliced and self.uri is None:
            raise ValueError("position and size need a uri")
        if (self.position is None) != (self.size is None):
            raise ValueError("position and size are set both or not at all")

    @staticmethod
    def from_bytes(data: Union[bytes, bytearray, memoryview]) -> Blob:
        """A value given as bytes."""
        return Blob(data=bytes(data))

    @staticmethod
    def from_uri(uri: str, position: Optional[int] = None, size: Optional[int] = None) -> Blob:
        """What is at `uri`, or `size` bytes of it from `position`."""
        if min(position or 0, size or 0) < 0:
            raise ValueError("position and size of a blob must be non-negative")
        return Blob(uri=uri, position=position, size=size)

    @staticmethod
    def empty() -> Blob:
        """A value without bytes; not a null."""
        return Blob(data=b"")


class BlobType(pa.ExtensionType):
    """The type of a blob column as it is written. Reads show descriptions, or bytes if asked for."""

    def __init__(self) -> None:
        fields = [("data", pa.large_binary()), ("uri", pa.utf8()), ("position", pa.uint64()), ("size", pa.uint64())]
        super().__init__(pa.struct(fields), "lance.blob.v2")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> BlobType:
        return cls()

    def __arrow_ext_class__(self) -> type:
        return BlobArray


try:
    pa.register_extension_type(BlobType())
except pa.ArrowKeyError:
    pass  # pylance is loaded too: columns that are read get its class, which has the same storage


class BlobArray(pa.ExtensionArray):
    """An array of blobs to write. Made by `blob_array`."""

    @classmethod
    def from_pylist(cls, values: list[Any]) -> BlobArray:
        """See `blob_array`."""
        blobs = [_to_blob(value) for value in values]
        columns = [
            pa.array([None if blob is None else getattr(blob, field.name) for blob in blobs], field.type)
            for field in BlobType().storage_type
        ]
        mask = pa.array([blob is None for blob in blobs], pa.bool_())
        storage = pa.StructArray.from_arrays(columns, fields=list(BlobType().storage_type), mask=mask)
        return pa.ExtensionArray.from_storage(BlobType(), storage)


def _to_blob(value: Any) -> Optional[Blob]:
    if value is None or isinstance(value, Blob):
        return value
    if isinstance(value, str):
        return Blob(uri=value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Blob.from_bytes(value)
    if all(hasattr(value, name) for name in ("data", "uri", "position", "size")):
        return Blob(value.data, value.uri, value.position, value.size)  # pylance's
    raise TypeError(f"BlobArray values must be bytes-like, str (URI), Blob, or None; got {type(value)}")


def blob_array(values: list[Any]) -> BlobArray:
    """An array for a blob column.

    Parameters
    ----------
    values
        Bytes, `str` (a URI), `Blob`, or None.

    Raises
    ------
    TypeError
        Any other value.
    """
    return BlobArray.from_pylist(values)


def _check_threshold(name: str, value: Optional[int], lowest: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    if value < lowest:
        raise ValueError(f"{name} must be {'positive' if lowest else 'non-negative'}")
    if value > _MAX_SIZE:
        raise OverflowError(f"{name} must fit in 63 bits")


def blob_field(
    name: str,
    *,
    nullable: bool = True,
    inline_size_threshold: Optional[int] = None,
    dedicated_size_threshold: Optional[int] = None,
) -> pa.Field:
    """The field of a blob column.

    Parameters
    ----------
    inline_size_threshold
        Bytes up to which a value stays in the data file; 64 KiB if not given. Larger ones share files.
    dedicated_size_threshold
        Bytes above which a value has a file of its own; 4 MiB if not given.
    """
    _check_threshold("inline_size_threshold", inline_size_threshold, 0)
    _check_threshold("dedicated_size_threshold", dedicated_size_threshold, 1)
    thresholds = {"inline": inline_size_threshold, "dedicated": dedicated_size_threshold}
    metadata = {
        f"lance-encoding:blob-{kind}-size-threshold": str(value) for kind, value in thresholds.items() if value is not None
    }
    return pa.field(name, BlobType(), nullable=nullable, metadata=metadata or None)


class BlobIterator:
    """The values of a `BlobColumn`, one by one."""

    def __init__(self, binary_iter: Iterator[pa.BinaryScalar]) -> None:
        self.binary_iter = binary_iter

    def __iter__(self) -> BlobIterator:
        return self

    def __next__(self) -> Optional[IO[bytes]]:
        value = next(self.binary_iter).as_py()
        return None if value is None else io.BytesIO(value)


class BlobColumn:
    """A binary column whose values are read as files; None for a null."""

    def __init__(self, blob_column: Union[pa.Array, pa.ChunkedArray]) -> None:
        if not isinstance(blob_column, (pa.Array, pa.ChunkedArray)):
            raise ValueError(f"Expected a pyarrow.Array or pyarrow.ChunkedArray, got {type(blob_column)}")
        if not pa.types.is_large_binary(blob_column.type) and not pa.types.is_binary(blob_column.type):
            raise ValueError(f"Expected a binary array, got {blob_column.type}")
        self.blob_column = blob_column

    def __iter__(self) -> BlobIterator:
        return BlobIterator(iter(self.blob_column))


class BlobFile(io.RawIOBase):
    """A value of a blob column as a file. Nothing is read before it is asked for."""

    def __init__(self, inner: _pilum.BlobFile) -> None:
        """For this library: `LanceDataset.take_blobs` makes them."""
        self.inner = inner
        self._position = 0

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("Blob file is already closed")

    def close(self) -> None:
        """Lets go of the file that holds the value."""
        if not self.closed:
            self.inner.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._check_open()
        if whence not in (io.SEEK_SET, io.SEEK_CUR, io.SEEK_END):
            raise ValueError(f"Invalid whence: {whence}")
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size()}[whence]
        self._position = unsigned(position)
        return position

    def size(self) -> int:
        """Length of the value in bytes."""
        return self.inner.size

    def readall(self) -> bytes:
        return self._read_up_to(self.size())

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._read_up_to(len(view))
        view[: len(data)] = data
        return len(data)

    def _read_up_to(self, length: int) -> bytes:
        self._check_open()
        begin = min(self._position, self.size())
        data = self.inner.read(begin, min(length, self.size() - begin))
        self._position += len(data)
        return data

    def read_range(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; where the file stands does not change."""
        self._check_open()
        if unsigned(offset) + unsigned(length) > self.size():
            raise ValueError(f"Blob range end {offset + length} exceeds blob size {self.size()}")
        return self.inner.read(offset, length)

    def __repr__(self) -> str:
        return f"<BlobFile size={self.size()}>"
