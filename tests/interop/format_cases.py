# SPDX-License-Identifier: Apache-2.0
"""Columns of every Arrow type and of every way a field can ask to be stored, and one engine's half of
format_coverage.py:

    format_cases.py write ENGINE DIR SKIP    writes DIR/<number>-<version>-<data>.lance
    format_cases.py read ENGINE DIR SKIP     reads them and compares

ENGINE is "pilum" or "lance". Each line of the output is a JSON object about one file: "error" is null if all is well,
and missing if there is no file to read. SKIP jobs are left out: a process that dies is started again behind the job that
killed it.
"""

import dataclasses
import datetime
import decimal
import importlib
import json
import pathlib
import re
import shutil
import sys

import numpy as np
import pyarrow as pa

VERSIONS = ["0.1", "2.0", "2.1", "2.2"]
DATA = ["values", "nulls", "only nulls", "no rows"]
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


@dataclasses.dataclass(frozen=True)
class Case:
    """A row of the page: one column, stored as `metadata` asks."""

    section: str
    name: str
    field: pa.Field
    rows: int = 300
    spread: int = 10**6  # how many different values; negative: in runs


def leaf(type_, n, spread):
    """n values of a type without children."""
    index = np.arange(n, dtype=np.int64)
    index = index // 40 if spread < 0 else index * 7919 % spread
    width = getattr(type_, "bit_width", 0) // 8 if pa.types.is_primitive(type_) else 0
    if pa.types.is_null(type_):
        return pa.nulls(n)
    if pa.types.is_boolean(type_):
        return pa.array(index % 3 == 0)
    if pa.types.is_integer(type_):
        low = index if width == 1 else index * 3 - (200 if str(type_).startswith("int") else 0)
        return pa.array((low % 2 ** min(8 * width - 1, 62)).astype(type_.to_pandas_dtype()), type_)
    if pa.types.is_floating(type_):
        return pa.array((index % 1000 * 0.37).astype(type_.to_pandas_dtype()), type_)
    if pa.types.is_decimal(type_):
        with decimal.localcontext() as context:
            context.prec = 76
            return pa.array([decimal.Decimal(int(i) % 10**7).scaleb(-type_.scale) for i in index], type_)
    if pa.types.is_date(type_):
        return pa.array([datetime.date(1999, 1, 1) + datetime.timedelta(days=int(i) % 9999) for i in index], type_)
    if pa.types.is_time(type_) or pa.types.is_timestamp(type_) or pa.types.is_duration(type_):
        return pa.array((index * 13 % 86_400).astype(f"i{width}"), pa.int32() if width == 4 else pa.int64()).view(type_)
    if pa.types.is_interval(type_):
        return pa.array([pa.MonthDayNano([int(i) % 12, int(i) % 28, int(i)]) for i in index], type_)
    if pa.types.is_fixed_size_binary(type_):
        return pa.array([bytes((int(i) + k) % 251 for k in range(type_.byte_width)) for i in index], type_)
    text = [f"{i:x} and {i}" * (int(i) % 4) for i in index]
    if "string" in str(type_):
        return pa.array(text, type_)
    return pa.array([t.encode() for t in text], type_)


def mask(n, field, nulls):
    """Where a column is null: True is null. None: nowhere."""
    if nulls == 0 or not field.nullable:
        return None
    return pa.array(np.ones(n, bool) if nulls == 1 else np.arange(n) * 31 % 7 == sum(map(ord, field.name)) % 7)


def with_nulls(array, mask_):
    if mask_ is None or pa.types.is_null(array.type):
        return array
    if str(array.type).endswith("_view"):  # take does not know them
        return pa.array([None if null else value for value, null in zip(array.to_pylist(), mask_.to_pylist())], array.type)
    return array.take(pa.array(np.arange(len(array)), pa.int64(), mask=np.asarray(mask_)))


def build(field, n, nulls, spread):
    """A column of n rows; `nulls` is the share of rows, and of the rows of its children, that are null: 0, some or 1."""
    type_, null = field.type, mask(n, field, nulls)
    below = min(nulls, 0.2)
    if isinstance(type_, pa.BaseExtensionType):
        storage = build(field.with_type(type_.storage_type), n, nulls, spread)
        if type_ == pa.json_():
            storage = pa.array([None if text is None else json.dumps({"text": text}, separators=(",", ":")) for text in storage.to_pylist()], pa.string())
        return pa.ExtensionArray.from_storage(type_, storage)
    if pa.types.is_struct(type_):
        children = [build(child, n, below, spread) for child in type_]
        if not children:
            return pa.array([{}] * n, type_) if null is None else pa.array([None if m else {} for m in null.to_pylist()], type_)
        return pa.StructArray.from_arrays(children, fields=list(type_), mask=null)
    if pa.types.is_fixed_size_list(type_):
        items = build(type_.value_field, n * type_.list_size, below, spread)
        return pa.FixedSizeListArray.from_arrays(items, type=type_, mask=null)
    lists = pa.types.is_list(type_) or pa.types.is_large_list(type_)
    views = pa.types.is_list_view(type_) or pa.types.is_large_list_view(type_)
    if lists or views or pa.types.is_map(type_):
        lengths = np.arange(n) * 5 % 4
        if null is not None:
            lengths = np.where(np.asarray(null), 0, lengths)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        wide = pa.types.is_large_list(type_) or pa.types.is_large_list_view(type_)
        offsets = pa.array(ends, pa.int64() if wide else pa.int32())
        if pa.types.is_map(type_):
            keys = build(type_.key_field, int(ends[-1]), 0, spread)
            items = build(type_.item_field, int(ends[-1]), below, spread)
            return pa.MapArray.from_arrays(offsets, keys, items, type=type_, mask=null)
        items = build(type_.value_field, int(ends[-1]), below, spread)
        if lists:
            kind = pa.LargeListArray if wide else pa.ListArray
            return kind.from_arrays(offsets, items, type=type_, mask=null)
        kind = pa.LargeListViewArray if wide else pa.ListViewArray
        return kind.from_arrays(offsets[:-1], pa.array(lengths, offsets.type), items, type=type_, mask=null)
    if pa.types.is_dictionary(type_):
        entries = build(pa.field("", type_.value_type, False), 20, 0, 10**6)
        keys = pa.array((np.arange(n) * 11 % 20).astype(type_.index_type.to_pandas_dtype()), mask=None if null is None else np.asarray(null))
        return pa.DictionaryArray.from_arrays(keys, entries, ordered=type_.ordered)
    if pa.types.is_run_end_encoded(type_):
        ends = pa.array(np.arange(7, n + 7, 7).clip(max=n), type_.run_end_type)
        return pa.RunEndEncodedArray.from_arrays(ends, build(pa.field("", type_.value_type), len(ends), below, spread), type=type_)
    if pa.types.is_union(type_):
        codes = pa.array(np.arange(n) % 2, pa.int8())
        children = [build(child, n, 0, spread) for child in type_]
        if type_.mode == "sparse":
            return pa.UnionArray.from_sparse(codes, children, [child.name for child in type_])
        return pa.UnionArray.from_dense(codes, pa.array(np.arange(n), pa.int32()), children, [child.name for child in type_])
    return with_nulls(leaf(type_, n, spread), null)


def column(case, data):
    rows = 0 if data == "no rows" else case.rows
    nulls = {"values": 0, "nulls": 0.2, "only nulls": 1, "no rows": 0}[data]
    array = build(case.field, rows, nulls, case.spread)
    return pa.table([array], schema=pa.schema([case.field]))


def flat_types():
    zones = [pa.timestamp("us", zone) for zone in ("UTC", "Europe/Berlin", "+01:00")]
    yield from [pa.null(), pa.bool_(), *INTEGERS, pa.float16(), pa.float32(), pa.float64()]
    yield from [pa.decimal32(7, 2), pa.decimal64(15, 2), pa.decimal128(20, 3), pa.decimal256(50, 3), pa.date32(), pa.date64()]
    yield from [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"), *(pa.timestamp(u) for u in ("s", "ms", "us", "ns")), *zones]
    yield from [*(pa.duration(u) for u in ("s", "ms", "us", "ns")), pa.month_day_nano_interval()]
    yield from [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]
    yield from [pa.binary(5), pa.binary(16), pa.binary(300)]


def dictionary_types():
    yield from (pa.dictionary(index, pa.string()) for index in INTEGERS)
    for value in [pa.large_string(), pa.binary(), pa.large_binary(), pa.bool_(), pa.int8(), pa.int32(), pa.int64(), pa.uint64(), pa.float16()]:
        yield pa.dictionary(pa.int32(), value)
    for value in [pa.float64(), pa.date32(), pa.timestamp("us"), pa.decimal128(20, 3), pa.binary(5), pa.list_(pa.int32(), 3)]:
        yield pa.dictionary(pa.int32(), value)
    yield from [pa.dictionary(pa.int16(), pa.string(), ordered=True), pa.dictionary(pa.int16(), pa.struct([("a", pa.int32())]))]


def vector_types():
    for item in [pa.int8(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.timestamp("ms"), pa.decimal128(20, 3), pa.binary(5), pa.null()]:
        yield pa.list_(item, 3)
    yield pa.list_(pa.list_(pa.null(), 2), 3)
    yield from [pa.list_(pa.float32(), 96), pa.list_(pa.bool_(), 1024), pa.list_(pa.list_(pa.int16(), 2), 3), pa.list_(pa.list_(pa.float32(), 32), 8)]
    yield from [pa.list_(item, 3) for item in (pa.string(), pa.list_(pa.int32()), pa.dictionary(pa.int8(), pa.string()))]


def nested_types():
    pair = pa.struct([("a", pa.int32()), ("b", pa.string())])
    deep = pa.struct([("x", pa.struct([("f", pa.float64()), ("l", pa.list_(pa.int16()))])), ("b", pa.bool_())])
    strict = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.string(), False)])
    yield from [pair, strict, deep, pa.struct([]), pa.struct([("n", pa.null()), ("a", pa.int32())]), pa.struct([("e", pa.struct([])), ("a", pa.int32())])]
    yield from [pa.struct([("d", pa.dictionary(pa.int8(), pa.string()))]), pa.struct([("v", pa.list_(pa.float32(), 96))])]
    for item in [pa.int32(), pa.bool_(), pa.string(), pa.string_view(), pa.null(), pair, pa.struct([]), pa.dictionary(pa.int8(), pa.string())]:
        yield pa.list_(item)
    yield from [pa.list_(pa.list_(pa.float32(), 4)), pa.list_(pa.list_(pa.float32(), 96)), pa.list_(pa.list_(pa.int32())), pa.large_list(pa.int32())]
    yield from [pa.large_list(pair), pa.large_list(pa.list_(pa.large_list(pa.string()))), pa.list_view(pa.int32()), pa.large_list_view(pa.int32())]
    yield from [pa.struct([("l", pa.list_(pair))]), pa.list_(pa.struct([("l", pa.list_(pa.string())), ("v", pa.list_(pa.float32(), 96))]))]
    yield from [pa.map_(pa.string(), pa.int32()), pa.map_(pa.int16(), pair), pa.map_(pa.string(), pa.map_(pa.string(), pa.int32()))]
    yield from [pa.map_(pa.string(), pa.int32(), keys_sorted=True), pa.list_(pa.map_(pa.int16(), pa.list_(pa.string()))), pa.struct([("m", pa.map_(pa.string(), pa.int32()))])]
    yield from [pa.list_(pair, 3), pa.list_(pa.struct([("p", pa.list_(pair, 2))]), 2), pa.struct([("s", pa.list_(pair, 2))]), pa.list_(pa.list_(pair, 2))]
    yield from [pa.list_(pa.struct([("l", pa.list_(pa.int32()))]), 2)]


def other_types():
    yield from [pa.dense_union([pa.field("a", pa.int32()), pa.field("b", pa.string())]), pa.sparse_union([pa.field("a", pa.int32()), pa.field("b", pa.string())])]
    yield from [pa.run_end_encoded(pa.int32(), pa.string()), pa.uuid(), pa.bool8(), pa.json_(), pa.opaque(pa.binary(), "point", "geo"), pa.fixed_shape_tensor(pa.float32(), [2, 3])]


def packed_cases():
    """Structs in one column."""
    kinds = {
        "numbers": [pa.int32(), pa.float64()],
        "many kinds of one width": [pa.uint8(), pa.date32(), pa.timestamp("us"), pa.binary(5), pa.decimal128(20, 3), pa.float16()],
        "a boolean": [pa.int32(), pa.bool_()],
        "a vector": [pa.int32(), pa.list_(pa.float32(), 4)],
        "a wide vector": [pa.int32(), pa.list_(pa.float32(), 96)],
        "a nested vector": [pa.int32(), pa.list_(pa.list_(pa.int16(), 2), 3)],
        "a string": [pa.int32(), pa.string()],
        "a large string": [pa.large_string(), pa.int64()],
        "only strings": [pa.string(), pa.binary()],
        "a string and a vector": [pa.string(), pa.list_(pa.float32(), 4), pa.int8()],
        "256 bytes": [pa.binary(200), pa.binary(56)],
        "a struct of numbers": [pa.int32(), pa.struct([pa.field("x", pa.int32(), False)])],
        "a struct with a string": [pa.int32(), pa.struct([pa.field("x", pa.int32(), False), pa.field("y", pa.string(), False)])],
        "a list": [pa.int32(), pa.list_(pa.int32())],
        "a dictionary": [pa.int32(), pa.dictionary(pa.int8(), pa.string())],
        "a null column": [pa.int32(), pa.null()],
        "nothing": [],
    }
    for name, types in kinds.items():
        type_ = pa.struct([pa.field(f"f{i}", t, pa.types.is_null(t)) for i, t in enumerate(types)])
        yield Case("packed", f"packed struct with {name}", pa.field("c", type_, metadata={"lance-encoding:packed": "true"}))
    numbers = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.float64(), False)])
    text = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.string(), False)])
    compressed = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.string(), False, {"lance-encoding:compression": "zstd"})])
    fsst = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.string(), False, {"lance-encoding:compression": "fsst"})])
    nullable = pa.struct([("a", pa.int32()), ("b", pa.float64())])
    packed = {"lance-encoding:packed": "true"}
    yield Case("packed", "packed struct with children that are null", pa.field("c", nullable, False, packed))
    yield Case("packed", "packed struct, fullzip", pa.field("c", numbers, metadata={**packed, "lance-encoding:structural-encoding": "fullzip"}))
    yield Case("packed", "packed struct with a string, miniblock", pa.field("c", text, metadata={**packed, "lance-encoding:structural-encoding": "miniblock"}))
    yield Case("packed", "packed struct with a string of zstd", pa.field("c", compressed, metadata=packed), rows=5000)
    yield Case("packed", "packed struct with a string of fsst", pa.field("c", fsst, metadata=packed), rows=5000)
    yield Case("packed", "list of packed structs", pa.field("c", pa.list_(pa.field("item", numbers, metadata=packed))))
    yield Case("packed", "list of packed structs with a string", pa.field("c", pa.list_(pa.field("item", text, metadata=packed))))
    yield Case("packed", "struct of packed structs", pa.field("c", pa.struct([pa.field("p", numbers, metadata=packed), pa.field("q", pa.int8())])))
    yield Case("packed", "struct of packed structs with a string", pa.field("c", pa.struct([pa.field("p", text, metadata=packed), pa.field("q", pa.int8())])))


def metadata_cases():
    """What the metadata of a field asks for, on types that it concerns."""
    texts, numbers = [pa.string(), pa.large_binary()], [pa.int32(), pa.float64()]
    wide = [pa.list_(pa.float32(), 4), pa.list_(pa.float32(), 96)]
    asks = [
        ("structural-encoding=miniblock", [*numbers, *texts, pa.bool_(), *wide, pa.decimal128(20, 3), pa.list_(pa.int32()), pa.dictionary(pa.int8(), pa.string())], 300),
        ("structural-encoding=fullzip", [*numbers, *texts, pa.bool_(), *wide, pa.list_(pa.bool_(), 8), pa.list_(pa.list_(pa.int16(), 2), 3)], 300),
        ("structural-encoding=fullzip", [pa.decimal128(20, 3), pa.list_(pa.int32()), pa.list_(pa.string()), pa.struct([("a", pa.int32())]), pa.dictionary(pa.int8(), pa.string())], 300),
        ("structural-encoding=other", [pa.int32()], 300),
        *((f"compression={scheme}", [*numbers, *texts, wide[0], pa.bool_(), pa.decimal128(20, 3)], 5000) for scheme in ("none", "lz4", "zstd", "fsst")),
        ("compression=zstd compression-level=9", [pa.float64(), pa.string()], 5000),
        ("compression=other", [pa.string()], 300),
        ("compression=zstd bss=on", [pa.float32(), pa.float64(), pa.int32(), pa.int64()], 5000),
        ("compression=lz4 bss=off", [pa.float64()], 5000),
        ("rle-threshold=0.9", [pa.int8(), pa.int32(), pa.float64()], 5000),
        ("dict-divisor=100000", [pa.string(), pa.int64()], 5000),
        ("dict-size-ratio=0.01", [pa.string(), pa.decimal128(20, 3)], 5000),
        *((f"dict-values-compression={scheme}", [pa.string(), pa.int64()], 5000) for scheme in ("none", "lz4", "zstd")),
        ("minichunk-size=512", texts, 5000),
        ("minichunk-size=100000", texts, 5000),
        ("structural-encoding=fullzip compression=zstd", texts, 5000),
    ]
    for ask, types, rows in asks:
        metadata = {f"lance-encoding:{key}": value for key, value in (part.split("=") for part in ask.split())}
        for type_ in types:
            spread = -1 if "rle" in ask else 50 if "dict-values" in ask else 10**6
            yield Case("metadata", f"{short(type_)}, {ask}", pa.field("c", type_, metadata=metadata), rows, spread)


def short(type_):
    """The type's name without what is the same everywhere."""
    name = str(type_).replace(", indices=", ", ").replace(", ordered=0", "").replace("dictionary<values=", "dictionary<")
    name = re.sub(r"extension<([\w.]+)(\[.*\])?(<.*>)?>", r"\1", name)
    return name.replace("item: ", "").replace("element: ", "").replace(" ('", " (").replace("')", ")")


def all_cases():
    sections = {"types": flat_types(), "dictionaries": dictionary_types(), "vectors": vector_types(), "nested": nested_types(), "other": other_types()}
    cases = [Case(section, short(type_), pa.field("c", type_)) for section, types in sections.items() for type_ in types]
    return [*cases, *packed_cases(), *metadata_cases()]


def jobs():
    """(number of the case, case, version, data): one file each. Files of 0.1 are tables."""
    for version in VERSIONS:
        for number, case in enumerate(all_cases()):
            for data in DATA:
                if not (version == "0.1" and case.section == "metadata"):  # it knows none
                    yield number, case, version, data


def path_of(folder, number, version, data):
    return str(pathlib.Path(folder) / f"{number}-{version}-{data.replace(' ', '-')}.lance")


def is_table(version, table):
    """Files of 0.1 are written as tables; JSON is text in tables only, files show how it is stored."""
    return version == "0.1" or table.schema.types == [pa.json_()]


def write(engine, path, version, table):
    if is_table(version, table):
        engine.write_dataset(table, path, data_storage_version="legacy" if version == "0.1" else version)
        return
    with engine.file.LanceFileWriter(path, table.schema, version=version) as writer:
        writer.write_batch(table)


def plain(column):
    """What a column holds, as Python has it; of extensions their storage."""
    if len(column) == 0:
        return []
    array = column.combine_chunks()
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    return array.to_pylist()


def blurred(value):
    """The value as version 0.1 keeps it: null, zero and empty are one."""
    if isinstance(value, dict):
        value = {name: blurred(child) for name, child in value.items()}
        return value if any(child is not None for child in value.values()) else None
    if isinstance(value, list):
        value = [blurred(item) for item in value]
        return value if any(item is not None for item in value) else None
    if isinstance(value, bytes):
        return value.strip(b"\0") or None
    if isinstance(value, datetime.datetime):
        return value if value.timestamp() else None
    return None if value in (datetime.date(1970, 1, 1), datetime.time()) else value or None


def same(got, want, version):
    if version == "0.1":
        got, want = map(blurred, got), map(blurred, want)
    return repr(list(got)) == repr(list(want))  # NaN is equal to itself


def read(engine, path, version, table):
    """Raises unless all rows, some in the middle and single ones are those of `table`."""
    want = plain(table["c"])
    n = len(want)
    if is_table(version, table):
        dataset = engine.dataset(path)
        checks = [(dataset.to_table(), want)]
        if n:
            checks.append((dataset.take([1, n - 2]), [want[1], want[n - 2]]))
    else:
        reader = engine.file.LanceFileReader
        checks = [(reader(path).read_all().to_table(), want)]
        if n:
            checks.append((reader(path).read_range(n // 3, n // 3).to_table(), want[n // 3 : 2 * (n // 3)]))
            checks.append((reader(path).take_rows([1, n // 2, n - 2]).to_table(), [want[1], want[n // 2], want[n - 2]]))
    for got, expected in checks:
        if not same(plain(got["c"]), expected, version):
            raise ValueError("other values than those written")


def attempt(action, *arguments):
    """None, or what went wrong. The panics of pylance are no Exceptions."""
    try:
        action(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:600]
    return None


def remove(path):
    path = pathlib.Path(path)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def main():
    command, name, folder, skip = sys.argv[1:]
    engine = importlib.import_module(name)
    importlib.import_module(f"{name}.file")
    for i, (number, case, version, data) in enumerate(jobs()):
        if i < int(skip):
            continue
        path, result = path_of(folder, number, version, data), {}
        if command == "write":
            result["error"] = attempt(write, engine, path, version, column(case, data))
            if result["error"]:
                remove(path)  # pylance leaves what it began
        elif pathlib.Path(path).exists():
            result["error"] = attempt(read, engine, path, version, column(case, data))
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
