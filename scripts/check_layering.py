# SPDX-License-Identifier: Apache-2.0
"""Fails when a source includes a header of a layer that its own layer does not depend on.

The layers and what they depend on are the pilum_layer(<name> DEPENDS ...) calls in src/pilum/**/CMakeLists.txt; this
script only reads them. Usage: check_layering.py [source root]
"""

import re
import sys
from pathlib import Path

LAYER = re.compile(r"pilum_layer\(\s*(\S+)(.*?)\)", re.DOTALL)
DEPENDS = re.compile(r"\bDEPENDS\s+(.*?)(?=\b(?:LINK|SOURCES|TESTS|FUZZERS|BENCHMARKS)\b|$)", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s+"pilum/(.+)/[^/]+"', re.MULTILINE)


def read_layers(root: Path) -> dict[str, set[str]]:
    """Direct dependencies by layer."""
    layers = {}
    for path in root.glob("**/CMakeLists.txt"):
        for name, arguments in LAYER.findall(path.read_text()):
            depends = DEPENDS.search(arguments)
            layers[name] = set(depends.group(1).split()) if depends else set()
    return layers


def closure(layers: dict[str, set[str]], name: str) -> set[str]:
    """`name` and everything below it."""
    seen, todo = set(), [name]
    while todo:
        layer = todo.pop()
        if layer in seen:
            continue
        if layer not in layers:
            raise SystemExit(f"layer '{name}' depends on '{layer}', which no CMakeLists.txt declares")
        seen.add(layer)
        todo.extend(layers[layer])
    return seen


def violations(root: Path) -> list[str]:
    layers = read_layers(root)
    if not layers:
        raise SystemExit(f"no pilum_layer() below {root}")
    found = []
    for layer in sorted(layers):
        allowed = closure(layers, layer)
        for source in sorted((root / layer).glob("*.*")):
            if source.suffix not in (".h", ".cc"):
                continue
            for included in INCLUDE.findall(source.read_text()):
                if included not in allowed:
                    found.append(f"{source}: layer '{layer}' must not include '{included}'")
    return found


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "src" / "pilum"
    found = violations(root)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
