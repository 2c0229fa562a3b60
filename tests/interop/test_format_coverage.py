# SPDX-License-Identifier: Apache-2.0
"""docs/format-coverage.md says of Pilum what is so. `make docs-coverage` writes the page anew."""

import pathlib
import re

import pytest

from format_cases import VERSIONS, all_cases, column, read, write

PAGE = pathlib.Path(__file__).parents[2] / "docs/format-coverage.md"
STALE = "the page is stale: make docs-coverage"


def rows():
    """The name of each column on the page, with Pilum's part of each cell and whether there is a note."""
    for line in PAGE.read_text().splitlines():
        match = re.fullmatch(r"\| `(.*)` \|(.*)\|", line)
        if match:
            *cells, notes = [cell.strip() for cell in match[2].split("|")]
            yield match[1], dict(zip(VERSIONS, (cell.split(" ")[0] for cell in cells))), notes


def test_the_page_has_all_columns_and_a_reason_for_what_pilum_does_not():
    listed = list(rows())
    assert [name for name, _, _ in listed] == [case.name for case in all_cases()], STALE
    for name, marks, notes in listed:
        less = [version for version in VERSIONS[1:] if marks[version] != "rw"]
        assert not less or notes, f"{name} in {less}"


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_pilum_writes_what_the_page_says(pilum, tmp_path, version):
    import pilum.file  # noqa: F401

    for number, (case, (name, marks, _)) in enumerate(zip(all_cases(), rows())):
        done = []
        for data in ("values", "nulls"):
            path = str(tmp_path / f"{number}-{data}.lance")
            try:
                write(pilum, path, version, column(case, data))
            except (NotImplementedError, ValueError, OSError):
                continue
            read(pilum, path, version, column(case, data))
            done.append(data)
        if "w*" not in marks[version]:
            expected = ["values", "nulls"] if "w" in marks[version] else []
            assert done == expected, f"{name}: {STALE}"
        assert bool(done) == ("w" in marks[version]), f"{name}: {STALE}"
        if done:  # then without rows, too
            path = str(tmp_path / f"{number}-none.lance")
            write(pilum, path, version, column(case, "no rows"))
            read(pilum, path, version, column(case, "no rows"))
