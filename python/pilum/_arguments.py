# SPDX-License-Identifier: Apache-2.0
"""What is common to the calls."""

from __future__ import annotations

import operator
from typing import Any


def refuse(**arguments: Any) -> None:
    """Raises for the first argument that is set: pylance has it, Pilum does not yet."""
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"pilum does not support the argument {name} yet")


def unsigned(value: Any, bits: int = 64) -> int:
    """The integer `value`. Raises OverflowError for one that `bits` cannot hold, TypeError for what is no integer."""
    number = operator.index(value)
    if number < 0:
        raise OverflowError("can't convert negative int to unsigned")
    if number >= 1 << bits:
        raise OverflowError("int too big to convert")
    return number
