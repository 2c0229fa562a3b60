# SPDX-License-Identifier: Apache-2.0
"""Pilum: a native engine for Lance tables with real-time upserts.

The names, arguments, defaults, results and exceptions are those of pylance 8.0.0, so that a script that says
``import lance`` runs with ``import pilum as lance``. An argument of pylance that Pilum does not support yet raises
NotImplementedError when it is given, never is it ignored.
"""

from __future__ import annotations

import pyarrow  # noqa: F401  (loads the Arrow libraries the extension module is linked to)

from . import blob, file, mem_wal
from .blob import Blob, BlobArray, BlobColumn, BlobFile, BlobIterator, BlobType, blob_array, blob_field
from .dataset import LanceDataset, LanceScanner, dataset, write_dataset
from .types import ReaderLike

__version__ = "0.1.0"

__all__ = [
    "Blob",
    "BlobArray",
    "BlobColumn",
    "BlobFile",
    "BlobIterator",
    "BlobType",
    "LanceDataset",
    "LanceScanner",
    "ReaderLike",
    "__version__",
    "blob",
    "blob_array",
    "blob_field",
    "dataset",
    "file",
    "mem_wal",
    "write_dataset",
]
