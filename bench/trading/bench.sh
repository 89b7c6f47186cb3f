#!/bin/sh
# The way of an order in a live run: microseconds from before self:buy in on_quote to what
# the script, and another one on another worker, is told.  The orders are market orders,
# so a fill comes with the next quote.  At full speed that is on the tape already, and the
# other worker waits for a core where there are fewer than three.  At 20,000 quotes a
# second through a pipe, a write(2) each, a fill is 50 us away and threads sleep between.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tidewire=${B:-build}/tidewire
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$tidewire" "$here/../backtest/generate.lua" "${QUOTES:-400000}" "$dir/q.csv" "$dir/b.csv"
path() {
  printf '%-40s %8s %9s %9s\n' "$1" orders 'p50 us' 'p99 us'
  shift
  "$tidewire" run "$here/path.lua" --workers 2 --no-attach "$@" \
    2>"$dir/log" | grep -E ' [0-9.]+ +[0-9.]+$' || { cat "$dir/log" >&2; exit 1; }
}
path 'from the decision, at full speed' --set quotes="$dir/q.csv"
"${B:-build}/bench/fanout/generate" "${PACED:-100000}" 20000 "$dir/universe.csv" 1 |
  path 'from the decision, 20,000 quotes/s' --set paced=true
