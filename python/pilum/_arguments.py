# SPDX-License-Identifier: Apache-2.0
"""What is common to the calls."""

from __future__ import annotations

from typing import Any


def refuse(**arguments: Any) -> None:
    """Raises for the first argument that is set: pylance has it, Pilum does not yet."""
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise NotImplementedError(f"pilum does not support the argument {name} yet")
