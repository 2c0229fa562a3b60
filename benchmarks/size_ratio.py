# SPDX-License-Identifier: Apache-2.0
"""The size of Pilum's data files over pylance's: the same rows, every type in many shapes.

    make bench           or, where both are installed,   python benchmarks/size_ratio.py [--all] [--only uint8/runs]

Prints the cases whose ratio is above the goal (with --all: all of them), then mean and worst of each family of types.
Below 1: Pilum's file is smaller.
"""

import argparse
import collections
import decimal
import os
import re
import statistics
import sys
import tempfile
import uuid

import numpy as np
import pyarrow as pa

import lance
import pilum

ENGINES = {"pilum": pilum, "pylance": lance}
VERSIONS = ("2.0", "2.1", "2.2")
GOAL = 1.02
ROWS = 60_000
SEED = 7

WORDS = (
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you "
    "were her all she there would their we him been has when who will no more if out so said what up its about into than them "
    "can only other new some could time these two may then do first any my now such like our over man me even most made after "
    "also did many before must through back years where much your way well down should because each just those people how too "
    "little state good very make world still own see men work long get here between both life being under never day same another"
).split()

Shape = tuple[str, pa.Array]


def integer_shapes(rng: np.random.Generator, rows: int, bits: int) -> dict[str, np.ndarray]:
    """Patterns of unsigned integers of up to 63 bits, by name."""
    top = 1 << min(bits, 63)
    few = rng.integers(0, top, 20, dtype=np.uint64)
    return {
        "sorted": np.sort(rng.integers(0, top, rows, dtype=np.uint64)),
        "counting": np.arange(rows, dtype=np.uint64) % np.uint64(top),
        "small range": rng.integers(0, min(top, 100), rows, dtype=np.uint64),
        "full range": rng.integers(0, top, rows, dtype=np.uint64),
        "constant": np.full(rows, 42 % top, dtype=np.uint64),
        "few distinct": few[rng.integers(0, len(few), rows)],
        "runs": np.repeat(rng.integers(0, top, rows, dtype=np.uint64), rng.integers(1, 60, rows))[:rows],
        "runs of few": np.repeat(few[rng.integers(0, len(few), rows)], rng.integers(1, 600, rows))[:rows],
        "outliers": np.where(rng.random(rows) < 0.001, rng.integers(0, top, rows, dtype=np.uint64), rng.integers(0, min(top, 16), rows, dtype=np.uint64)),
    }


def fixed_width_arrays(rng: np.random.Generator, type_: pa.DataType, rows: int) -> dict[str, pa.Array]:
    """The integer patterns, read as values of the type."""
    bits = 1 if pa.types.is_boolean(type_) else type_.bit_width
    arrays = {}
    for name, pattern in integer_shapes(rng, rows, bits).items():
        if bits == 1:
            arrays[name] = pa.array(pattern.astype(bool))
        elif pa.types.is_floating(type_):  # numbers, not bit patterns
            numbers = rng.standard_normal(rows) if name == "full range" else pattern.astype(np.float64) / 4
            arrays[name] = pa.array(numbers.astype(type_.to_pandas_dtype()))
        elif pa.types.is_decimal(type_):
            arrays[name] = pa.array([decimal.Decimal(int(v)).scaleb(-2) for v in pattern], type_)
        elif pa.types.is_primitive(type_):
            arrays[name] = pa.Array.from_buffers(type_, rows, [None, pa.py_buffer(pattern.astype(f"<u{bits // 8}"))])
        else:  # bytes
            arrays[name] = pa.array([int(v).to_bytes(8, "little").ljust(bits // 8, b"\x05")[: bits // 8] for v in pattern], type_)
    if not (pa.types.is_floating(type_) or pa.types.is_decimal(type_)) and bits > 64:
        arrays["random bytes"] = pa.array([rng.bytes(bits // 8) for _ in range(rows)], type_)
    return arrays


def sentence(rng: np.random.Generator, words: int) -> str:
    return " ".join(WORDS[i] for i in np.minimum(rng.geometric(0.03, words) - 1, len(WORDS) - 1))


def json_text(rng: np.random.Generator, i: int) -> str:
    tags = ",".join(f'"{WORDS[t]}"' for t in rng.integers(0, len(WORDS), rng.integers(0, 5)))
    return f'{{"id":{i},"user":"{uuid.UUID(bytes=rng.bytes(16))}","score":{rng.random():.4f},"active":{str(bool(i % 3)).lower()},"tags":[{tags}]}}'


def string_arrays(rng: np.random.Generator, type_: pa.DataType, rows: int) -> dict[str, pa.Array]:
    few = [sentence(rng, 3) for _ in range(30)]
    wide = max(rows // 60, 100)
    values = {
        "short": ["".join(chr(97 + c) for c in rng.integers(0, 26, rng.integers(0, 8))) for _ in range(rows)],
        "numbered": [f"key/{i:09d}" for i in range(rows)],
        "text": [sentence(rng, rng.integers(3, 30)) for _ in range(rows)],
        "long text": [sentence(rng, rng.integers(50, 400)) for _ in range(wide)],
        "very long text": [sentence(rng, 8000) for _ in range(24)],
        "uuid": [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(rows)],
        "json": [json_text(rng, i) for i in range(rows // 2)],
        "url": [f"https://www.{WORDS[rng.integers(len(WORDS))]}.example/{WORDS[i % 97]}/{i * 7919 % 100003}?q={i % 13}" for i in range(rows)],
        "hex": [rng.bytes(rng.integers(4, 40)).hex() for _ in range(rows // 2)],
        "constant": ["always the same"] * rows,
        "empty": [""] * rows,
        "few distinct": [few[i] for i in rng.integers(0, len(few), rows)],
        "half distinct": [f"item {i}" for i in rng.integers(0, rows // 3, rows)],
        "runs": [few[i] for i in np.repeat(rng.integers(0, len(few), rows), rng.integers(1, 60, rows))[:rows]],
        "sorted": sorted(sentence(rng, 4) for _ in range(rows)),
        "few rows": [sentence(rng, 5) for _ in range(50)],
    }
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        values = {name: [v.encode() for v in texts] for name, texts in values.items()}
        values["random bytes"] = [rng.bytes(rng.integers(0, 100)) for _ in range(rows)]
        values["wide random bytes"] = [rng.bytes(rng.integers(500, 5000)) for _ in range(wide)]
        values["wider random bytes"] = [rng.bytes(rng.integers(40_000, 60_000)) for _ in range(50)]
    return {name: pa.array(texts, type_) for name, texts in values.items()}


def with_nulls(rng: np.random.Generator, array: pa.Array, share: float) -> pa.Array:
    """Nulls where a draw says so; the values under them become zeros."""
    return pa.compute.if_else(pa.array(rng.random(len(array)) >= share), array, pa.scalar(None, array.type))


def list_of(rng: np.random.Generator, items: pa.Array, longest: int, null_share: float = 0.0, large: bool = False) -> pa.Array:
    lengths = rng.integers(0, longest + 1, 2 * len(items) // max(longest, 1) + 1)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    offsets = offsets[offsets <= len(items)]
    kind, array = (np.int64, pa.LargeListArray) if large else (np.int32, pa.ListArray)
    mask = pa.array(rng.random(len(offsets) - 1) < null_share) if null_share else None
    return array.from_arrays(pa.array(offsets.astype(kind)), items, mask=mask)


def nested_cases(rng: np.random.Generator, rows: int) -> dict[str, dict[str, pa.Array]]:
    integers = pa.array(rng.integers(0, 1000, rows, dtype=np.int32))
    doubles = pa.array(rng.random(rows))
    words = pa.array([WORDS[i] for i in rng.integers(0, len(WORDS), rows)])
    texts = pa.array([sentence(rng, rng.integers(1, 10)) for _ in range(rows)])
    lists = {}
    for item, array in {"int32": integers, "double": doubles, "string": texts, "bool": pa.array(rng.random(rows) < 0.5)}.items():
        lists[f"list<{item}>"] = {
            "short": list_of(rng, array, 3),
            "short, nulls": list_of(rng, array, 3, 0.1),
            "null items": list_of(rng, with_nulls(rng, array, 0.1), 5),
            "long": list_of(rng, array, 500),
            "one item": pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32)), array),
            "mostly empty": pa.ListArray.from_arrays(pa.array(np.repeat(np.arange(rows // 20 + 1, dtype=np.int32), 20)), array),
        }
    struct = pa.StructArray.from_arrays([integers, words, doubles], ["number", "word", "double"])
    vectors = {}
    for item, dims in (("float", (8, 64, 768)), ("halffloat", (16, 256)), ("int8", (4, 512)), ("double", (3,)), ("bool", (16,))):
        for dim in dims:
            n = max(min(rows, 4_000_000 // dim) // 2, 1000)
            type_ = pa.bool_() if item == "bool" else getattr(pa, {"float": "float32", "halffloat": "float16", "double": "float64", "int8": "int8"}[item])()
            numbers = rng.integers(-100, 100, n * dim)
            items = pa.array(numbers > 0) if item == "bool" else pa.array(numbers.astype(type_.to_pandas_dtype()))
            plain = pa.FixedSizeListArray.from_arrays(items, dim)
            vectors[f"{item}[{dim}]"] = {
                "random": plain,
                "constant": plain.take(pa.array([0] * n)),
                "null rows": pa.FixedSizeListArray.from_arrays(items, dim, mask=pa.array(rng.random(n) < 0.1)),
            }
            if item != "bool":
                vectors[f"{item}[{dim}]"]["null items"] = pa.FixedSizeListArray.from_arrays(with_nulls(rng, items, 0.1), dim)
    dictionaries = {
        "int8 of string": words.dictionary_encode().cast(pa.dictionary(pa.int16(), pa.string())),
        "int32 of string": texts.slice(0, rows // 3).dictionary_encode(),
        "int32 of int32": integers.dictionary_encode(),
        "null keys": with_nulls(rng, words, 0.1).dictionary_encode(),
    }
    return lists | vectors | {
        "large_list<string>": {"short": list_of(rng, texts, 4, large=True)},
        "list<list<int32>>": {"short": list_of(rng, list_of(rng, integers, 4, 0.1), 4, 0.1)},
        "struct": {
            "plain": struct,
            "nulls": pa.StructArray.from_arrays(struct.flatten(), struct.type.names, mask=pa.array(rng.random(rows) < 0.1)),
            "null children": pa.StructArray.from_arrays([with_nulls(rng, c, 0.1) for c in struct.flatten()], struct.type.names),
        },
        "list<struct>": {"short": list_of(rng, struct, 4), "nulls": list_of(rng, struct, 4, 0.2)},
        "map<string, int32>": {"short": pa.MapArray.from_arrays(list_of(rng, integers, 4).offsets, words, integers)},
        "dictionary": dictionaries,
        "null": {"all": pa.nulls(rows)},
    }


FIXED_TYPES = [
    pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
    pa.float16(), pa.float32(), pa.float64(), pa.date32(), pa.date64(), pa.time32("ms"), pa.time64("us"), pa.timestamp("us"),
    pa.duration("ns"), pa.decimal128(38, 2), pa.decimal256(70, 2), pa.binary(7), pa.binary(16), pa.binary(300),
]  # fmt: skip
STRING_TYPES = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]
OVERRIDDEN_TYPES = [pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.binary()]
OVERRIDES = {
    "lz4": {"lance-encoding:compression": "lz4"},
    "zstd": {"lance-encoding:compression": "zstd"},
    "zstd 9": {"lance-encoding:compression": "zstd", "lance-encoding:compression-level": "9"},
    "bss lz4": {"lance-encoding:compression": "lz4", "lance-encoding:bss": "on"},
    "bss zstd": {"lance-encoding:compression": "zstd", "lance-encoding:bss": "on"},
    "fsst": {"lance-encoding:compression": "fsst"},
    "none": {"lance-encoding:compression": "none"},
    "rle": {"lance-encoding:rle-threshold": "0.9"},
    "full-zip": {"lance-encoding:structural-encoding": "fullzip"},
    "dictionary zstd": {"lance-encoding:dict-values-compression": "zstd"},
}


def family_of(type_: pa.DataType) -> str:
    if pa.types.is_fixed_size_binary(type_) or pa.types.is_decimal(type_):
        return "decimals, fixed-size binary"
    if pa.types.is_nested(type_) or pa.types.is_dictionary(type_) or pa.types.is_null(type_):
        return "vectors" if pa.types.is_fixed_size_list(type_) else "lists, structs, dictionaries"
    return "strings, binary" if type_ in STRING_TYPES else "integers, floats, times"


def cases():
    """(family, type, shape, array, field metadata) of every case."""
    rng = np.random.default_rng(SEED)
    for type_ in FIXED_TYPES + STRING_TYPES:
        fixed = type_ in FIXED_TYPES
        wide = fixed and type_.bit_width > 64
        shapes = (fixed_width_arrays if fixed else string_arrays)(rng, type_, ROWS // 6 if wide else ROWS)
        for shape, array in shapes.items():
            yield family_of(type_), str(type_), shape, array, None
            yield family_of(type_), str(type_), f"{shape}, 10% null", with_nulls(rng, array, 0.1), None
        yield family_of(type_), str(type_), "nulls", pa.nulls(ROWS, type_), None
        if type_ in OVERRIDDEN_TYPES:
            for name, metadata in OVERRIDES.items():
                for shape, array in shapes.items():
                    yield "with field metadata", f"{type_}, {name}", shape, array, metadata
    for name, shapes in nested_cases(rng, ROWS).items():
        for shape, array in shapes.items():
            yield family_of(array.type), name, shape, array, None


def data_bytes(directory: str) -> int:
    data = os.path.join(directory, "data")
    return sum(os.path.getsize(os.path.join(data, name)) for name in os.listdir(data))


def sizes(array: pa.Array, metadata, version: str, directory: str) -> dict[str, int] | str:
    """Bytes of each engine's data file, or the name of the one that refuses the rows."""
    table = pa.table([array], schema=pa.schema([pa.field("x", array.type, metadata=metadata)]))
    written = {}
    for name, engine in reversed(ENGINES.items()):
        with tempfile.TemporaryDirectory(dir=directory) as parent:
            uri = os.path.join(parent, "table")
            try:
                engine.write_dataset(table, uri, data_storage_version=version)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:  # a panic of pylance is no Exception
                return name
            written[name] = data_bytes(uri)
    return written


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--all", action="store_true", help="a line per case")
    arguments.add_argument("--only", default="", help="a regular expression that type/shape must contain")
    options = arguments.parse_args()
    print(f"pilum {pilum.__version__} over pylance {lance.__version__}, bytes of data files")
    ratios: dict = collections.defaultdict(lambda: collections.defaultdict(list))
    refused: collections.Counter = collections.Counter()
    above = 0
    with tempfile.TemporaryDirectory(dir=os.environ.get("PILUM_BENCH_DIR")) as directory:
        for family, type_name, shape, array, metadata in cases():
            if not re.search(options.only, f"{type_name}/{shape}"):
                continue
            for version in VERSIONS:
                found = sizes(array, metadata, version, directory)
                case = f"{type_name:<30}{shape:<30}{version:<5}"
                if isinstance(found, str):
                    refused[found] += 1
                    if options.all:
                        print(f"{case}refused by {found}", flush=True)
                    continue
                ratio = found["pilum"] / found["pylance"]
                ratios[family][version].append(ratio)
                above += ratio > GOAL
                if options.all or ratio > GOAL:
                    print(f"{case}{found['pilum']:>10}{found['pylance']:>10}{ratio:>8.3f}", flush=True)
    print(f"{'':<30}{'cases':>6}" + "".join(f"{version + ': mean':>12}{'worst':>7}" for version in VERSIONS))
    for family, by_version in ratios.items():
        columns = [f"{statistics.fmean(r):>12.3f}{max(r):>7.3f}" if (r := by_version[v]) else f"{'-':>19}" for v in VERSIONS]
        print(f"{family:<30}{sum(map(len, by_version.values())):>6}" + "".join(columns))
    print(f"above {GOAL}: {above}; refused by pylance {refused['pylance']}, by pilum only {refused['pilum']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
