# SPDX-License-Identifier: Apache-2.0
"""Arrow extension types through the Python API."""

import pyarrow as pa
import pytest

import pilum


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        (pa.uuid(), [b"0123456789abcdef", None]),
        (pa.fixed_shape_tensor(pa.float32(), [2, 2]), [[1, 2, 3, 4], None]),
        (pa.bool8(), [1, None]),
        (pa.opaque(pa.utf8(), "x", "y"), ["a", None]),
    ],
)
def test_extension_types_come_back(tmp_path, type_, values):
    column = pa.ExtensionArray.from_storage(type_, pa.array(values, type_.storage_type))
    nested = pa.StructArray.from_arrays([column], names=["x"])
    table = pa.table({"c": column, "s": nested})
    dataset = pilum.write_dataset(table, tmp_path / "t")
    assert dataset.schema == table.schema
    assert dataset.to_table() == table
    assert dataset.take([1]) == table.take([1])
    pilum.write_dataset(table, tmp_path / "t", mode="append")
