# SPDX-License-Identifier: Apache-2.0
"""DuckDB over a table, through the Arrow interfaces both know."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc


def test_duckdb_queries_a_dataset_with_its_filters_pushed_down(pilum, uri):
    pilum.write_dataset(pa.table({"a": range(1000), "s": [f"x{i % 10}" for i in range(1000)]}), uri, max_rows_per_file=300)
    flights = pilum.dataset(uri)  # noqa: F841  (DuckDB finds it by its name)
    assert duckdb.sql("select count(*), max(a) from flights where s = 'x3' and a > 500").fetchall() == [(50, 993)]
    assert duckdb.sql("select s, count(*) from flights group by s order by s limit 2").fetchall() == [("x0", 100), ("x1", 100)]


def test_duckdb_reads_what_a_writer_holds(pilum, uri):
    key = {"lance-schema:unenforced-primary-key": "true"}
    schema = pa.schema([pa.field("id", pa.string(), False, key), pa.field("n", pa.int64())])
    dataset = pilum.write_dataset(pa.table({"id": ["a", "b"], "n": [1, 2]}, schema=schema), uri)
    dataset.initialize_mem_wal(unsharded=True)
    with dataset.mem_wal_writer("11111111-2222-4333-8444-555555555555") as writer:
        writer.put(pa.table({"id": ["b", "c"], "n": [20, 30]}, schema=schema))
        rows = writer.lsm_scanner().to_table()  # noqa: F841
        assert duckdb.sql("select sum(n) from rows").fetchall() == [(51,)]


def test_filters_may_be_pyarrow_expressions(pilum, official, uri):
    pilum.write_dataset(pa.table({"a": range(100), "s": [None if i % 3 == 0 else str(i) for i in range(100)]}), uri)
    for expression in (pc.field("a") < 5, (pc.field("a") > 90) & pc.field("s").is_valid(), pc.field("a").isin([3, 4, 500])):
        expected = official.dataset(uri).to_table(filter=expression)
        assert pilum.dataset(uri).to_table(filter=expression) == expected
        assert pilum.dataset(uri).count_rows(filter=expression) == expected.num_rows
