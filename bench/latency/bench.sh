#!/bin/sh
# 20,000 quotes a second through a pipe, one write(2) each: microseconds from the
# read to the last of four Lua statistics on two workers, and what it costs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${B:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '%-12s %8s %9s %9s %9s %15s\n' \
  latency quotes 'p50 us' 'p99 us' 'p99.9 us' 'CPU s a second'
"$build/bench/fanout/generate" 1 0 "$dir/universe.csv" >/dev/null
"$build/bench/fanout/generate" "${QUOTES:-100000}" 20000 "$dir/universe.csv" |
  "$build/tidewire" run "$here/latency.lua" --workers 2 --set dir="$dir" \
    --set universe="$dir/universe.csv" 2>"$dir/log" || { cat "$dir/log" >&2; exit 1; }
