# SPDX-License-Identifier: Apache-2.0
"""Random SQL filters over random tables: Pilum gives the rows that pylance gives, and DuckDB where the SQL is anybody's.

PILUM_EXAMPLES sets how many tables each test tries; each gets several filters. Pilum may say that it does not support
something, never give other rows. What the grammar leaves out on purpose, because pylance's answer depends on how it
simplifies an expression: casts that lose something, decimals beside floats, timestamps of two units, products of
literals beside a column of small integers.
"""

import collections
import datetime
import decimal
import os
import re

import duckdb
import hypothesis
import hypothesis.strategies as st
import pyarrow as pa
import pytest

EXAMPLES = int(os.environ.get("PILUM_EXAMPLES", "40"))

UTC = datetime.timezone.utc
INTEGERS = {"i8": pa.int8(), "i16": pa.int16(), "i32": pa.int32(), "i64": pa.int64()}
UNSIGNED = {"u8": pa.uint8(), "u16": pa.uint16(), "u32": pa.uint32(), "u64": pa.uint64()}
FLOATS = {"f32": pa.float32(), "f64": pa.float64()}
DECIMALS = {"n": pa.decimal128(10, 2), "m": pa.decimal128(20, 4)}
TEXTS = {"s": pa.string(), "l": pa.large_string()}
TIMES = {"d": pa.date32(), "t": pa.timestamp("us"), "z": pa.timestamp("us", "UTC")}
COLUMNS = {**INTEGERS, **UNSIGNED, **FLOATS, **DECIMALS, **TEXTS, **TIMES, "b": pa.bool_()}

SMALL = st.integers(-3, 12)
WORDS = ["", "a", "ab", "aB", "b%", "a_b", "a\\b", "\\", "a%", "é", "É", "ab\ncd", "7", "it's", "日本"]
DATES = st.sampled_from([datetime.date(1969, 12, 31), datetime.date(1970, 1, 1), datetime.date(2020, 2, 29)])
MOMENTS = st.sampled_from(
    [datetime.datetime(1969, 12, 31, 23, 59, 59, 999999), datetime.datetime(1970, 1, 1), datetime.datetime(2020, 2, 29, 1, 2, 3)]
)


def values_of(type_):
    """Values that meet each other and the literals often, and the ends of the type."""
    if pa.types.is_integer(type_):
        signed = pa.types.is_signed_integer(type_)
        low, high = (-(2 ** (type_.bit_width - 1)), 2 ** (type_.bit_width - 1) - 1) if signed else (0, 2**type_.bit_width - 1)
        return SMALL.map(lambda i: max(i, low)) | st.sampled_from([low, high, high // 2 + 1]) | st.integers(low, high)
    if pa.types.is_floating(type_):
        edges = [0.0, -0.0, 1.5, -1.5, 0.1, float("inf"), float("-inf"), float("nan"), -float("nan"), 1e30]
        return SMALL.map(float) | st.sampled_from(edges) | st.floats(width=type_.bit_width)
    if pa.types.is_decimal(type_):
        return (SMALL | st.integers(-(10**6), 10**6)).map(lambda i: decimal.Decimal(i) / 4)
    if pa.types.is_boolean(type_):
        return st.booleans()
    if pa.types.is_date(type_):
        return DATES | st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 1, 1))
    if pa.types.is_timestamp(type_):
        zone = UTC if type_.tz else None
        moments = MOMENTS | st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
        return moments.map(lambda moment: moment.replace(tzinfo=zone))
    return st.sampled_from(WORDS) | st.text("ab%_\\é", max_size=3)


@st.composite
def tables(draw):
    num_rows = draw(st.sampled_from([1, 5, 12, 40]))
    names = draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=3, max_size=8, unique=True))
    columns = {}
    for name in names:
        pattern = draw(st.lists(st.none() | values_of(COLUMNS[name]), min_size=1, max_size=12))
        columns[name] = pa.array((pattern * num_rows)[:num_rows], COLUMNS[name])
    return pa.table(columns)


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def literal(draw, name):
    """A literal that may stand beside column `name`."""
    type_ = COLUMNS[name]
    if pa.types.is_boolean(type_):
        return draw(st.sampled_from(["true", "false"]))
    if pa.types.is_date(type_):
        return f"DATE '{draw(DATES)}'"
    if pa.types.is_timestamp(type_):
        return draw(MOMENTS.map(lambda t: f"TIMESTAMP '{t}'") | DATES.map(lambda d: f"DATE '{d}'"))
    if pa.types.is_integer(type_):
        return str(draw(SMALL | st.sampled_from([100, 127, -128, 255, 40000, 2**31, 2**63 - 1])))
    if pa.types.is_decimal(type_):
        return str(draw(SMALL))
    if pa.types.is_floating(type_):
        return str(draw(SMALL | st.sampled_from([0.0, -0.0, 1.5, 0.1, 1e30, 2**60])))
    return quote(draw(st.sampled_from(WORDS)))


COMPARISONS = st.sampled_from(["=", "==", "!=", "<>", "<", "<=", ">", ">="])


class Filters:
    """Conditions over the columns of a table. `plain`: only such as mean the same in any SQL."""

    def __init__(self, draw, names, plain):
        self.draw, self.names, self.plain = draw, names, plain

    def one_of(self, *kinds):
        return self.draw(st.sampled_from(kinds))

    def column(self, *groups):
        """A column of these groups, or none."""
        names = [name for name in self.names if any(name in group for group in groups)]
        return self.draw(st.sampled_from(names)) if names else None

    def condition(self, depth):
        kind = self.one_of("leaf", "leaf", "and", "or", "not", "is") if depth > 0 else "leaf"
        if kind == "leaf":
            return self.leaf()
        inner = f"({self.condition(depth - 1)})"
        if kind == "not":
            return f"NOT {inner}"
        if kind == "is":
            return inner + self.one_of(" IS TRUE", " IS NOT TRUE", " IS FALSE", " IS NOT FALSE", " IS NULL", " IS NOT NULL")
        return f"{inner} {kind.upper()} ({self.condition(depth - 1)})"

    def leaf(self):
        kinds = ["compare", "compare", "in", "between", "null", "like", "pair"]
        if not self.plain:
            kinds += ["calculate", "calculate", "function", "cast", "constant", "fractions"]
        return getattr(self, self.one_of(*kinds))() or self.compare()

    def any_column(self):
        return self.draw(st.sampled_from(self.names))

    def compare(self):
        name = self.any_column()
        sides = [name, literal(self.draw, name)]
        if not self.plain and self.one_of(*range(12)) == 0:
            sides[1] = "NULL"
        if self.one_of(True, False, False):
            sides.reverse()
        return f"{sides[0]} {self.draw(COMPARISONS)} {sides[1]}"

    def many(self, name, count):
        return ", ".join(literal(self.draw, name) for _ in range(count))

    def no(self):
        return self.one_of("", "", "NOT ")

    def in_(self):
        name = self.any_column()
        null = ", NULL" if self.one_of(True, False, False) else ""
        return f"{name} {self.no()}IN ({self.many(name, self.one_of(1, 2, 5))}{null})"

    def between(self):
        name = self.any_column()
        return f"{name} {self.no()}BETWEEN {literal(self.draw, name)} AND {literal(self.draw, name)}"

    def null(self):
        return f"{self.any_column()} IS {self.no()}NULL"

    def like(self):
        if (name := self.column(TEXTS)) is None:
            return None
        pattern = self.draw(st.text("ab%_é", max_size=4) if self.plain else st.text("abB%_\\é", max_size=5))
        return f"{name} {self.no()}{self.one_of('LIKE', 'LIKE', 'ILIKE')} {quote(pattern)}"

    def pair(self):
        """Two columns of a family."""
        families = [[INTEGERS, UNSIGNED], [TEXTS], [TIMES], [{"b": 0}]]
        if not self.plain:
            families += [[INTEGERS, UNSIGNED, FLOATS], [INTEGERS, UNSIGNED, DECIMALS]]
        groups = self.draw(st.sampled_from(families))
        left, right = self.column(*groups), self.column(*groups)
        return None if left is None else f"{left} {self.draw(COMPARISONS)} {right}"

    def calculate(self):
        """A calculation, of one column or two, against a literal or a column."""
        groups = self.draw(st.sampled_from([[INTEGERS, UNSIGNED], [INTEGERS, FLOATS], [INTEGERS, DECIMALS]]))
        left, right = self.column(*groups), self.column(*groups)
        if left is None:
            return None
        right = right if self.one_of(True, False) else str(self.draw(SMALL))
        value = f"{left} {self.one_of('+', '-', '*', '/', '%')} {right}"
        if self.one_of(True, False, False):
            value = f"-({value})" if self.one_of(True, False) else f"({value}) + 1"
        whole = groups[1] is DECIMALS or "u64" in (left, right)  # calculated as decimals
        against = str(self.draw(SMALL)) if whole else self.one_of(str(self.draw(SMALL)), "1.5")
        if self.one_of(True, False, False):
            return f"{value} {self.no()}IN ({against}, 2)"
        return f"{value} {self.draw(COMPARISONS)} {against}"

    def fractions(self):
        """Literals in a calculation take the type of the column of fractions."""
        name = self.column(FLOATS)
        divisor = self.one_of("2", "3.0", "-4")
        return None if name is None else f"{name} {self.draw(COMPARISONS)} {self.draw(SMALL)} {self.one_of('+', '/')} {divisor}"

    def function(self):
        if (name := self.column(TEXTS)) is not None and self.one_of(True, False):
            word = quote(self.draw(st.sampled_from(WORDS)))
            return self.one_of(
                f"lower({name}) = {word}",
                f"upper({name}) IN ({word}, 'AB')",
                f"length({name}) {self.draw(COMPARISONS)} {self.one_of(0, 1, 2)}",
                f"octet_length({name}) < 3",
                f"starts_with({name}, {word})",
                f"ends_with({name}, {word})",
                f"contains({name}, {word})",
                f"reverse({name}) = {word}",
                f"coalesce({name}, 'none') = {word}",
                f"{name} || {word} = {word}",
                f"{name} || 7 = '7'",
                f"regexp_like({name}, '^a.?b')",
            )
        if (name := self.column(FLOATS, INTEGERS)) is None:
            return None
        return self.one_of(
            f"abs({name}) {self.draw(COMPARISONS)} {self.draw(SMALL)}",
            f"sqrt(abs({name})) {self.draw(COMPARISONS)} {self.draw(SMALL)}",
            f"coalesce({name}, 300) {self.draw(COMPARISONS)} {self.draw(SMALL)}",
            f"coalesce({name}, {self.column(FLOATS, INTEGERS)}) {self.draw(COMPARISONS)} {self.draw(SMALL)}",
            f"is_valid({name})",
            f"{name} = NULL",
        )

    def cast(self):
        """Casts that lose nothing."""
        name = self.any_column()
        type_ = COLUMNS[name]
        small = str(self.draw(SMALL))
        if pa.types.is_integer(type_) and name != "u64":
            to = self.one_of("bigint", "double", "string", "decimal(30,2)", "boolean")
        elif pa.types.is_boolean(type_):
            to = self.one_of("int", "string", "boolean")
        elif pa.types.is_date(type_):
            to = self.one_of("string", "timestamp")
        elif pa.types.is_timestamp(type_):
            to = "date"
        elif name == "f32":
            to = self.one_of("double", "boolean")
        else:
            return None
        against = {
            "string": quote(self.one_of("7", "true", "1970-01-01")),
            "boolean": "true",
            "timestamp": "TIMESTAMP '1970-01-01'",
            "date": "DATE '1970-01-01'",
        }.get(to, small)
        form = self.one_of(f"CAST({name} AS {to})", f"{name}::{to}")
        return f"{form} {self.draw(COMPARISONS)} {against}"

    def constant(self):
        return self.one_of("true", "false", "1 = 1", "1 < 1.5", "NULL = 1", "'a' LIKE 'A'", "NOT NULL", "NULL IS NULL")


setattr(Filters, "in", Filters.in_)

# What pylance refuses although it has a meaning.
UPSTREAM_LIMITS = re.compile(
    r"could not convert to literal of type"  # literals of decimals; a right side that is calculated
)
# What no engine can answer for some rows.
ROW_ERRORS = re.compile(r"(?i)divide by zero|overflow|not in range|Cannot cast|Can't cast|too large|out of range")


def rows_or_error(dataset, sql):
    try:
        rows = dataset.to_table(columns=[], filter=sql, with_row_id=True).column("_rowid").to_pylist()
        assert dataset.count_rows(filter=sql) == len(rows)
        return rows, None
    except AssertionError:
        raise
    except Exception as error:
        return None, error


def verdict(sql, ours, theirs, our_error, their_error):
    """How two answers compare; "defect" if they may not differ so."""
    if our_error is None and their_error is None:
        return "same rows" if ours == theirs else "defect"
    if our_error is not None and their_error is not None:
        return "both refuse"
    if our_error is not None:
        known = isinstance(our_error, NotImplementedError) or "could not convert to literal" in str(our_error)
        if known:
            return "not supported"
        # pylance may leave a side of AND and OR out when the other decides all rows of a batch.
        skips = re.search(r"\) (AND|OR) \(", sql) is not None and ROW_ERRORS.search(str(our_error)) is not None
        return "a row's error" if skips else "defect"
    return "upstream refuses" if UPSTREAM_LIMITS.search(str(their_error)) else "defect"


settings = hypothesis.settings(  # the default run is the same each time, longer ones are not
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(hypothesis.HealthCheck), derandomize=EXAMPLES <= 40
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("filters")


@st.composite
def filters_of(draw, table, plain):
    return [Filters(draw, table.column_names, plain).condition(draw(st.integers(0, 2))) for _ in range(8)]


def write(engine, folder, table, data):
    path = str(folder / "table.lance")
    dataset = engine.write_dataset(table, path, mode="overwrite", max_rows_per_file=data.draw(st.sampled_from([7, 100])))
    indexable = [name for name in table.column_names if name not in DECIMALS and name != "l"]
    if indexable and data.draw(st.sampled_from([True, False, False])):
        dataset.create_scalar_index(data.draw(st.sampled_from(indexable)), "BTREE")
    return path


def test_filters_give_the_rows_pylance_gives(pilum, official, folder):
    seen = collections.Counter()

    @settings
    @hypothesis.given(st.data())
    def property(data):
        table = data.draw(tables())
        path = write(official, folder, table, data)
        ours, theirs = pilum.dataset(path), official.dataset(path)
        for sql in data.draw(filters_of(table, plain=False)):
            answers = [rows_or_error(dataset, sql) for dataset in (ours, theirs)]
            (our_rows, our_error), (their_rows, their_error) = answers
            outcome = verdict(sql, our_rows, their_rows, our_error, their_error)
            seen[outcome] += 1
            assert outcome != "defect", f"{sql}\npilum:   {our_rows} {our_error!r}\npylance: {their_rows} {their_error!r}\n{table}"

    property()
    print(dict(seen))
    assert seen["same rows"] > 0.8 * sum(seen.values()), seen


def test_plain_filters_give_the_rows_duckdb_gives(pilum, folder):
    @settings
    @hypothesis.given(st.data())
    def property(data):
        table = data.draw(tables())
        names = [name for name in table.column_names if name not in FLOATS]
        hypothesis.assume(names)
        path = str(folder / "ours.lance")
        dataset = pilum.write_dataset(table.select(names), path, mode="overwrite", max_rows_per_file=7)
        numbered = table.append_column("row", pa.array(range(table.num_rows)))  # noqa: F841  (DuckDB finds it by its name)
        for sql in data.draw(filters_of(table.select(names), plain=True)):
            rows, error = rows_or_error(dataset, sql)
            if error is not None:
                assert "could not convert to literal" in str(error), f"{sql}: {error!r}"
                continue
            expected = [row for (row,) in duckdb.sql(f"SELECT row FROM numbered WHERE {sql} ORDER BY row").fetchall()]
            positions = [(row >> 32) * 7 + (row & 0xFFFFFFFF) for row in rows]
            assert positions == expected, f"{sql}\n{table.to_pydict()}"

    property()
