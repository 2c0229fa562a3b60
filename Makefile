# SPDX-License-Identifier: Apache-2.0
# make demo   the main job on real data
# make test   builds and runs every test
# make bench  Pilum and pylance side by side
# make docs-coverage   writes docs/format-coverage.md anew
# make        builds the libraries and the pilum command into build/, and installs the Python package into .venv
# Each installs what is missing.
.DEFAULT_GOAL := build
.PHONY: setup configure build demo test bench docs-coverage lint format asan tsan fuzz clean

JOBS ?= $(shell nproc)
SOURCES = $(shell git ls-files '*.h' '*.cc')

setup:
	@scripts/setup.sh

configure: setup
	@cmake --preset release > build-configure.log || { cat build-configure.log; exit 1; }
	@rm -f build-configure.log

build: configure
	@cmake --build --preset release -j $(JOBS)
	@scripts/install_python.sh .venv

demo:
	@scripts/setup.sh --test
	@$(MAKE) --no-print-directory configure
	@cmake --build --preset release -j $(JOBS) --target departure_board pilum_cli
	@scripts/install_python.sh .venv
	@scripts/demo.sh

test:
	@scripts/setup.sh --test
	@$(MAKE) --no-print-directory build
	@scripts/install_python.sh build/venv-lance8 build/venv-lance14
	@ctest --preset release
	@.venv/bin/python -m pytest -q tests/layering tests/python
	@PILUM_BUILD_DIR=$(CURDIR)/build PILUM_LANCE8_PYTHON=$(CURDIR)/build/venv-lance8/bin/python \
	  PILUM_LANCE14_PYTHON=$(CURDIR)/build/venv-lance14/bin/python \
	  build/venv-lance8/bin/python -m pytest -q tests/python tests/interop tests/crash
	@build/venv-lance14/bin/python -m pytest -q tests/python tests/interop/test_table_interop.py \
	  tests/interop/test_mem_wal_interop.py tests/interop/test_blob_interop.py tests/interop/test_json_interop.py \
	  tests/interop/test_null_vector_interop.py
	@scripts/check_install.sh

bench:
	@scripts/setup.sh --test
	@$(MAKE) --no-print-directory build
	@scripts/install_python.sh build/venv-lance8
	@build/venv-lance8/bin/python benchmarks/compare.py
	@build/venv-lance8/bin/python benchmarks/compare_files.py
	@build/venv-lance8/bin/python benchmarks/size_ratio.py

# What Pilum and two releases of pylance read and write of each other: docs/format-coverage.md.
docs-coverage:
	@scripts/setup.sh --test
	@$(MAKE) --no-print-directory build
	@scripts/install_python.sh build/venv-lance8
	@PILUM_LANCE14_PYTHON=$(CURDIR)/build/venv-lance14/bin/python \
	  build/venv-lance8/bin/python tests/interop/format_coverage.py docs/format-coverage.md

lint:
	@scripts/setup.sh --lint
	@clang-format-19 --dry-run -Werror $(SOURCES)
	@.venv/bin/python scripts/check_layering.py

format:
	@clang-format-19 -i $(SOURCES)

# Address and undefined-behaviour sanitizers over every unit test. They see memory of malloc, not that of other pools.
asan:
	@cmake --preset asan -DPILUM_BUILD_CLI=OFF -DPILUM_BUILD_EXAMPLES=OFF > /dev/null
	@cmake --build --preset asan -j $(JOBS)
	@ARROW_DEFAULT_MEMORY_POOL=system ASAN_OPTIONS=detect_leaks=0 \
	  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ctest --preset asan

THREADED = pilum_util_test pilum_io_test pilum_table_test pilum_dataset_test pilum_mem_wal_test
empty :=
space := $(empty) $(empty)

# Thread sanitizer over the layers with threads in them.
tsan:
	@cmake --preset tsan -DPILUM_BUILD_CLI=OFF -DPILUM_BUILD_EXAMPLES=OFF > /dev/null
	@cmake --build --preset tsan -j $(JOBS) --target $(THREADED)
	@ARROW_DEFAULT_MEMORY_POOL=system TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/tsan.supp ctest --preset tsan -R '^($(subst $(space),|,$(THREADED)))$$'

# Coverage-guided mutation of everything that parses bytes: FUZZ_SECONDS for each target, FUZZ_TARGETS='*_page_fuzz'.
fuzz:
	@scripts/setup.sh --fuzz
	@cmake --preset fuzz > /dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	@scripts/fuzz.sh

clean:
	@rm -rf build build-*
