#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the fuzz targets that were built into build-fuzz, one after another. Inputs that reached new code stay in
# build-fuzz/corpus/<target> and are where the next run starts; an input that ends the process is kept in
# build-fuzz/crashes, and the command to run it again is printed.
#
#   FUZZ_SECONDS   for each target (10)
#   FUZZ_TARGETS   which, as a shell pattern ('*')
set -uo pipefail
cd "$(dirname "$0")/.."

export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-19) && export ASAN_SYMBOLIZER_PATH

mkdir -p build-fuzz/crashes
failed=0
found=0
for program in build-fuzz/fuzz/*_fuzz; do
  target=$(basename "$program")
  # shellcheck disable=SC2053 # a pattern is wanted
  [[ $target == ${FUZZ_TARGETS:-*} ]] || continue
  found=$((found + 1))
  corpus=build-fuzz/corpus/$target
  log=build-fuzz/corpus/$target.log
  "$program" --seeds "$corpus" || exit 1
  if "$program" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=20 -rss_limit_mb=3072 -malloc_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="build-fuzz/crashes/$target-" "$corpus" >"$log" 2>&1; then
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -1)
    printf '%-32s %10s executions, %s\n' "$target" "$executions" "$coverage"
    continue
  fi
  failed=1
  artifact=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
  grep -E '^violated|^SUMMARY|runtime error' "$log" | head -3
  echo "$target FAILED; the log is $log, again: $program $artifact"
done
if [ $found -eq 0 ]; then
  echo "no fuzz target matches '${FUZZ_TARGETS:-*}'" >&2
  exit 2
fi
exit $failed
