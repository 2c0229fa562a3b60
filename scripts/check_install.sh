#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the build, builds examples/consumer against nothing but the installed tree, and runs it.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf build/install build/consumer-table
cmake --install build --component cpp --prefix build/install >/dev/null
cmake --install build --component cli --prefix build/install >/dev/null
cmake -S examples/consumer -B build/consumer -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$PWD/build/install" \
  -DPILUM_PYTHON="$PWD/.venv/bin/python" >/dev/null
cmake --build build/consumer
build/consumer/consumer build/consumer-table | grep -q "row 1"
[ "$(build/install/bin/pilum schema build/consumer-table | head -n 1)" = "id: int64 not null primary key" ]
echo "examples/consumer: built against the installed tree, runs"
