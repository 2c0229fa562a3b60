#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the wheel, as `pip install .` would, and installs it into the given virtual environments. The build folder is
# kept and shares ccache with the main build: a second run takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf build/wheel
.venv/bin/pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheel \
  -C build-dir=build/wheel-build . || { echo "building the wheel failed" >&2; exit 1; }
for environment in "$@"; do
  "$environment/bin/pip" install -q --disable-pip-version-check --no-deps --force-reinstall build/wheel/pilum-*.whl
done
