# SPDX-License-Identifier: Apache-2.0
"""The layering check passes on the tree and finds what it is there to find."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "scripts" / "check_layering.py"


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)


def make_layer(root, name, depends, includes):
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "CMakeLists.txt").write_text(f"pilum_layer({name}\n  DEPENDS {depends}\n  SOURCES x.cc)\n")
    (folder / "x.cc").write_text("".join(f'#include "pilum/{layer}/x.h"\n' for layer in includes))


def test_the_tree_is_layered():
    result = run()
    assert result.returncode == 0, result.stderr


def test_an_include_across_the_grain_is_found(tmp_path):
    make_layer(tmp_path, "low", "", ["top"])
    make_layer(tmp_path, "top", "low", ["low"])
    result = run(str(tmp_path))
    assert result.returncode == 1
    assert "layer 'low' must not include 'top'" in result.stderr
    assert "layer 'top'" not in result.stderr


def test_what_a_dependency_sees_may_be_included(tmp_path):
    make_layer(tmp_path, "a", "", [])
    make_layer(tmp_path, "b", "a", ["a"])
    make_layer(tmp_path, "c", "b", ["a", "b"])
    assert run(str(tmp_path)).returncode == 0


def test_an_unknown_dependency_is_an_error(tmp_path):
    make_layer(tmp_path, "a", "nowhere", [])
    result = run(str(tmp_path))
    assert result.returncode != 0
    assert "nowhere" in result.stderr
