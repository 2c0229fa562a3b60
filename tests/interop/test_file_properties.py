# SPDX-License-Identifier: Apache-2.0
"""Random schemas and data through single files, both ways, for each version.

PILUM_EXAMPLES sets how many files each test tries.
"""

import datetime
import decimal
import os

import hypothesis
import hypothesis.strategies as st
import pyarrow as pa
import pytest

EXAMPLES = int(os.environ.get("PILUM_EXAMPLES", "40"))

LEAVES = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-(2**7), 2**7 - 1),
    pa.uint16(): st.integers(0, 2**16 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1) | st.integers(0, 5),
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.just(7),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False) | st.sampled_from([0.0, 1.5]),
    pa.date32(): st.dates(),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(datetime.timezone.utc)),
    pa.duration("ms"): st.integers(-(2**40), 2**40).map(lambda ms: datetime.timedelta(milliseconds=ms)),
    pa.decimal128(20, 3): st.decimals(-(10**16), 10**16, places=3).map(lambda d: d.quantize(decimal.Decimal("0.001"))),
    pa.binary(5): st.binary(min_size=5, max_size=5),
    pa.string(): st.text(max_size=12) | st.sampled_from(["", "aa", "aab"]),
    pa.large_string(): st.text(max_size=40),
    pa.binary(): st.binary(max_size=20),
    pa.list_(pa.float32(), 3): st.lists(st.floats(width=32, allow_nan=False), min_size=3, max_size=3),
}


@st.composite
def types(draw, version, depth=2):
    """A type the version holds, and the strategy of its values. Version 2.0 has no null structs."""
    kinds = ["leaf", "leaf"] if depth == 0 else ["leaf", "leaf", "list", "large_list", "struct"]
    kind = draw(st.sampled_from(kinds))
    if kind == "leaf":
        return draw(st.sampled_from(list(LEAVES.items())))
    if kind == "struct":
        children = [draw(types(version, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        nullable = [draw(st.booleans()) for _ in children]
        type_ = pa.struct([pa.field(f"f{i}", t, n) for i, ((t, _), n) in enumerate(zip(children, nullable))])
        values = [optional(t, v, version) if n else v for (t, v), n in zip(children, nullable)]
        return type_, st.fixed_dictionaries({f"f{i}": v for i, v in enumerate(values)})
    item, values = draw(types(version, depth - 1))
    make = pa.list_ if kind == "list" else pa.large_list
    return make(item), st.lists(optional(item, values, version), max_size=4)


def optional(type_, values, version):
    if version == "2.0" and pa.types.is_struct(type_):
        return values
    return st.none() | values


@st.composite
def tables(draw, version):
    """A table of up to four columns: a short random pattern of rows, repeated."""
    columns, fields = [], []
    num_rows = draw(st.sampled_from([0, 1, 2, 9, 33, 1500]))
    for i in range(draw(st.integers(1, 4))):
        type_, values = draw(types(version))
        nullable = draw(st.booleans())
        pattern = draw(st.lists(optional(type_, values, version) if nullable else values, min_size=1, max_size=9))
        columns.append(pa.array((pattern * (num_rows // len(pattern) + 1))[:num_rows], type_))
        fields.append(pa.field(f"c{i}", type_, nullable))
    table = pa.table(columns, schema=pa.schema(fields))
    begin = draw(st.integers(0, min(3, num_rows)))  # a slice: offsets that are not zero
    return table.slice(begin)


def write(engine, path, table, version, rows_per_batch):
    with engine.LanceFileWriter(path, table.schema, version=version) as writer:
        for batch in table.to_batches(max_chunksize=rows_per_batch):
            writer.write_batch(batch)


def check(reader, expected, random):
    """Scans, ranges and takes of `reader` give the rows of `expected`."""
    n = expected.num_rows
    assert reader.num_rows() == n
    if n == 0:
        assert reader.read_all().to_table().num_rows == 0
        return
    assert reader.read_all(batch_size=random.choice([1, 100, 4096])).to_table().to_pylist() == expected.to_pylist()
    begin = random.randrange(n)
    length = random.randrange(n - begin) + 1
    assert reader.read_range(begin, length).to_table().to_pylist() == expected.slice(begin, length).to_pylist()
    rows = sorted({random.randrange(n) for _ in range(5)})
    assert reader.take_rows(rows).to_table().to_pylist() == expected.take(rows).to_pylist()


settings = hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(hypothesis.HealthCheck), derandomize=True
)


@pytest.fixture(scope="module")
def engines():
    import lance.file
    import pilum.file

    return pilum.file, lance.file


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


def is_panic(error):
    return type(error).__name__ == "PanicException"


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_what_pilum_writes_both_read(engines, folder, version):
    ours, theirs = engines

    @settings
    @hypothesis.given(tables(version), st.sampled_from([1, 7, 4096]), st.randoms(use_true_random=False))
    def property(table, rows_per_batch, random):
        path = str(folder / f"ours-{version}.lance")
        write(ours, path, table, version, rows_per_batch)
        for engine in (ours, theirs):
            check(engine.LanceFileReader(path), table, random)

    property()


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_what_pylance_writes_pilum_reads_as_pylance_does(engines, folder, version):
    ours, theirs = engines

    @settings
    @hypothesis.given(tables(version), st.sampled_from([7, 4096]), st.randoms(use_true_random=False))
    def property(table, rows_per_batch, random):
        path = str(folder / f"theirs-{version}.lance")
        try:
            write(theirs, path, table, version, rows_per_batch)
            seen = theirs.LanceFileReader(path).read_all().to_table()
        except BaseException as error:
            if not isinstance(error, Exception) and not is_panic(error):
                raise  # Ctrl-C
            hypothesis.reject()
        check(ours.LanceFileReader(path), seen, random)

    property()


def is_packable(type_, version):
    """Whether packed structs of the version can have such a child."""
    fixed = pa.types.is_primitive(type_) or pa.types.is_fixed_size_binary(type_)
    return (fixed or version == "2.2") and not pa.types.is_boolean(type_)


@st.composite
def packed_tables(draw, version):
    """A packed struct `p` of up to five children, alone, in a struct or in a list."""
    kinds = [leaf for leaf in LEAVES.items() if is_packable(leaf[0], version)]
    children = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5))
    fields = [pa.field(f"f{i}", type_, False) for i, (type_, _) in enumerate(children)]
    field = pa.field("p", pa.struct(fields), version != "2.0", {"lance-encoding:packed": "true"})
    rows = st.fixed_dictionaries({f"f{i}": values for i, (_, values) in enumerate(children)})
    rows = optional(field.type, rows, version)
    around = draw(st.sampled_from(["nothing", "struct", "list"]))
    if around == "struct":
        field, rows = pa.field("s", pa.struct([field, pa.field("n", pa.int8())]), False), st.fixed_dictionaries({"p": rows, "n": st.integers(0, 9)})
    elif around == "list":
        field, rows = pa.field("l", pa.list_(field), False), st.lists(rows, min_size=1, max_size=4)
    pattern = draw(st.lists(rows, min_size=1, max_size=9))
    num_rows = draw(st.sampled_from([1, 9, 700]))
    return pa.table([pa.array((pattern * num_rows)[:num_rows], field.type)], schema=pa.schema([field]))


def part(value, path, names):
    """What reading `names` of the packed struct at the end of `path` makes of a value."""
    if value is None:
        return None
    if path == []:
        return {name: value[name] for name in names}
    if isinstance(value, list):
        return [part(item, path[1:], names) for item in value]
    return {path[0]: part(value[path[0]], path[1:], names)}


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("writer", ["pilum", "pylance"])
def test_packed_structs_and_parts_of_them(engines, folder, version, writer):
    ours, theirs = engines

    @settings
    @hypothesis.given(packed_tables(version), st.sampled_from([7, 4096]), st.randoms(use_true_random=False))
    def property(table, rows_per_batch, random):
        path = str(folder / f"packed-{version}.lance")
        if writer == "pylance":
            rows_per_batch = 4096  # it panics on structs cut from larger ones
        write(ours if writer == "pilum" else theirs, path, table, version, rows_per_batch)
        for engine in (ours, theirs):
            check(engine.LanceFileReader(path), table, random)
        outer = {"p": "p", "s": "s.p", "l": "l.p"}[table.schema.names[0]]
        packed = table.schema.field(0).type if outer == "p" else table.schema.field(0).type.field(0).type
        names = [name for name in (field.name for field in packed) if random.random() < 0.5] or ["f0"]
        reader = ours.LanceFileReader(path, columns=[f"{outer}.{name}" for name in names])
        whole = table.column(0).to_pylist()
        steps = outer.split(".")[1:]
        assert reader.read_all().to_table().column(0).to_pylist() == [part(value, steps, names) for value in whole]

    property()
