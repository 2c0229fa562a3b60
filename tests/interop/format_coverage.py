# SPDX-License-Identifier: Apache-2.0
"""docs/format-coverage.md: which columns Pilum and two releases of pylance read and write.

    format_coverage.py PAGE     tries every column of format_cases.py in both directions and writes PAGE

Runs in the environment that has Pilum and pylance 8.0.0; PILUM_LANCE14_PYTHON names the interpreter of the other one.
Takes minutes; test_format_coverage.py checks in seconds that the page is not stale.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import format_cases
from format_cases import DATA, VERSIONS

WORKER = pathlib.Path(__file__).with_name("format_cases.py")
ENGINES = ["Pilum", "8.0.0", "14.0.2"]

SECTIONS = {
    "types": "Types without children",
    "dictionaries": "Dictionaries",
    "vectors": "Fixed-size lists of numbers: vectors",
    "nested": "Structs, lists and maps",
    "other": "Unions, run ends, extensions",
    "packed": "Packed structs",
    "metadata": "What the metadata of a field asks for",
}

# Why Pilum does not read or write something: "<version> <read or write>: <its error>", and what the page says.
REASONS = [
    ("^0.1 write", None),  # said once, in the text
    ("decimal(32|64)|interval|list_view|union|run_end", "The format has no name for the type."),
    ("time zone '", "8.0.0 panics on the schema of a file whose time zone is an offset, so Pilum writes none."),
    ("dictionaries of |Nested type|columns of type struct<a", "A dictionary's values have a type without parameters: the format's name for them has no place for any."),
    ("vectors of nulls in vectors", "Vectors of nulls have a form of their own in each release; 8.0.0 reads back only some of its own, Pilum all. Pilum writes one that every release reads, which vectors of vectors of nulls do not have."),
    ("vectors of |fixed_size_list:(string|dict)", "Vectors hold values of a fixed number of bits. Upstream writes others as long as there is no value among them."),
    ("struct without fields must|structs without fields (in lists|that are null)", "Structs without fields are columns with room for neither nulls nor lists from 2.1 on. 8.0.0 misreads the columns behind one, so Pilum writes it only at the end."),
    ("packed structs without fields", "A packed struct without fields has no rows."),
    ("null values, which files of version 2.0|null packed structs", "2.0 has no place for null structs: Pilum and 14.0.2 refuse to write them, 8.0.0 loses them."),
    ("need version 2.2|hold no fixed_size_list", "Maps, fixed-size lists of structs and packed structs with strings need version 2.2."),
    ("maps with sorted keys", "The format has no sorted keys."),
    ("no release reads lists", "Upstream does not read lists in or around fixed-size lists of structs; Pilum reads them but does not write them."),
    ("child of type|columns of type list", "Children of packed structs are numbers, bytes, strings, vectors, and structs with strings among them. Upstream writes others, some of which it cannot read."),
    ("with vectors have no form", "Packed structs with vectors have no form that can be read in 2.1."),
    ("256 bytes and more", "Rows of 256 bytes and more have no form in 2.1 and 2.2 if all children are of a fixed width."),
    ("is not miniblock or fullzip|is not a compression scheme", "What the key says is unknown: an error in every version; upstream looks at it only when it needs it."),
    ("children contains null|of a packed struct contains null", "Packed structs have no place for nulls of their children."),
]


def run(command, engine, folder):
    """One result per job."""
    interpreter = os.environ["PILUM_LANCE14_PYTHON"] if engine == "14.0.2" else sys.executable
    results, total = [], sum(1 for _ in format_cases.jobs())
    while len(results) < total:
        module = "pilum" if engine == "Pilum" else "lance"
        arguments = [interpreter, WORKER, command, module, folder, str(len(results))]
        done = subprocess.run([str(part) for part in arguments], capture_output=True, text=True)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if not lines and done.returncode == 1:
            raise RuntimeError(done.stderr)
        results += lines
        if len(results) < total:
            results.append({"error": f"the process ends with {done.returncode}"})
    return results


def measure(folder):
    """writes[engine][job] and reads[writer, reader][job]: None, or what went wrong; not there: there was no file."""
    writes, reads = {}, {}
    for writer in ENGINES:
        (folder / writer).mkdir()
        writes[writer] = {i: result["error"] for i, result in enumerate(run("write", writer, folder / writer))}
        for reader in ENGINES:
            results = run("read", reader, folder / writer)
            reads[writer, reader] = {i: result["error"] for i, result in enumerate(results) if "error" in result}
    return writes, reads


def mark(letter, outcomes):
    """`outcomes`: for each kind of data whether it goes well. A letter, one with a star (only some do), or nothing."""
    good = {data for data, well in outcomes if well}
    if not good & {"values", "nulls"}:
        return ""
    return letter if all(well for _, well in outcomes) else letter + "*"


def reasons_for(errors):
    notes = []
    for error in errors:
        note = next((note for pattern, note in REASONS if re.search(pattern, error)), "?")
        if note == "?":
            raise RuntimeError(f"no reason for: {error}")
        if note and note not in notes:
            notes.append(note)
    return notes


def cell(version, jobs, writes, reads):
    """What the page says of one column in one version, and why Pilum's part is not more. @param jobs: data -> job."""
    sound = {(w, d): reads[w, w].get(job, "") is None for w in ENGINES for d, job in jobs.items()}
    marks, errors = [], []
    for engine in ENGINES:
        readable = [(d, reads[w, engine][job] is None) for d, job in jobs.items() for w in ENGINES if sound[w, d]]
        written = [(d, sound[engine, d]) for d in jobs]
        marks.append(mark("r", readable) + mark("w", written) or "–")
    for data, job in jobs.items():
        errors.append(("write", writes["Pilum"][job]))
        errors += [("read", reads[w, "Pilum"][job]) for w in ENGINES if sound[w, data]]
    text = "rw" if marks == ["rw"] * 3 else " ".join(marks)
    return text, reasons_for(f"{version} {what}: {error}" for what, error in errors if error)


def render(writes, reads):
    by_case = {}
    for i, (number, _, version, data) in enumerate(format_cases.jobs()):
        by_case.setdefault((number, version), {})[data] = i
    notes, sections = [], {section: [] for section in SECTIONS}
    for number, case in enumerate(format_cases.all_cases()):
        row, numbers = [], []
        for version in VERSIONS:
            if (number, version) not in by_case:
                row.append("")
                continue
            text, reasons = cell(version, by_case[number, version], writes, reads)
            row.append(text)
            notes += [reason for reason in reasons if reason not in notes]
            numbers += [notes.index(reason) + 1 for reason in reasons]
        marks = " ".join(f"[{n}]" for n in sorted(set(numbers)))
        sections[case.section].append(f"| `{case.name}` | {' | '.join(row)} | {marks} |")
    lines = [HEAD]
    for section, title in SECTIONS.items():
        lines += [f"## {title}", "", f"| column | {' | '.join(VERSIONS)} | notes |", "|---" * (len(VERSIONS) + 2) + "|"]
        lines += [*sections[section], ""]
    lines += ["## Notes", "", *(f"{i + 1}. {note}" for i, note in enumerate(notes)), ""]
    return "\n".join(lines)


HEAD = """# What files hold

Written by `make docs-coverage`, which has Pilum, pylance 8.0.0 and pylance 14.0.2 write every column of this page and read
what each of them wrote: a scan, a range and single rows, compared with what was given. Each column is tried with values,
with nulls at every level, with nothing but nulls, and without rows.

A cell is what each of the three does, Pilum first, then 8.0.0 and 14.0.2: `r` reads every file that its own writer reads
back, `w` writes files that it reads back itself. `*`: not with all four kinds of data. `–`: neither. `rw` alone: all three
do both. The notes say why Pilum's part is not more.

Files of version 0.1 are tables, which Pilum does not write. Null, zero and empty are the same to most of its types, and to
this page. Columns of JSON are tried in tables too. Blobs are not on the page. Of parts of packed structs
(`columns=["p.x"]`) both releases give other children's bytes, or panic; Pilum reads them.
"""


def main():
    with tempfile.TemporaryDirectory() as folder:
        writes, reads = measure(pathlib.Path(folder))
    pathlib.Path(sys.argv[1]).write_text(render(writes, reads))


if __name__ == "__main__":
    main()
