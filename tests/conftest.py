# SPDX-License-Identifier: Apache-2.0
"""Engines under test.

`engine` is Pilum and, where the interpreter has pylance, pylance too: a test that takes it says what both do. `official`
is pylance alone; tests that take it need an interpreter with both, which is how `make test` runs tests/interop.
"""

import importlib
import importlib.util

import pytest

ENGINES = [name for name in ("pilum", "lance") if importlib.util.find_spec(name) is not None]


@pytest.fixture(params=ENGINES)
def engine(request):
    return importlib.import_module(request.param)


@pytest.fixture
def pilum():
    return importlib.import_module("pilum")


@pytest.fixture
def official():
    return importlib.import_module("lance")


@pytest.fixture
def uri(tmp_path):
    return str(tmp_path / "table.lance")
