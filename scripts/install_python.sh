#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the wheel, as `pip install .` would, and installs it into the given virtual environments. The build folder is
# kept, beside that of the main build: at the same depth ccache knows the files of one in the other.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf build/wheel
.venv/bin/pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheel \
  -C build-dir=build-wheel . || { echo "building the wheel failed" >&2; exit 1; }
for environment in "$@"; do
  "$environment/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall build/wheel/pilum-*.whl
done
