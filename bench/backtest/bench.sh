#!/bin/sh
# A strategy over a million quotes and bars: records a second of one processor; the same
# quotes through the threads of a live run, whose processor time is all of theirs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tidewire=${B:-build}/tidewire
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$tidewire" "$here/generate.lua" "${RECORDS:-1000000}" "$dir/q.csv" "$dir/b.csv"
"$tidewire" "$here/backtest.lua" "$here" "$dir/q.csv" "$dir/b.csv"
"$tidewire" run "$here/live.lua" --set quotes="$dir/q.csv" --workers 1 --no-attach |
  grep -E '^CPU|records in'
