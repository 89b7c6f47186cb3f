#!/bin/sh
# A sweep of 512 runs over one tape file: runs a second with one job and with two, memory
# with up to eight, and what it takes to keep the results.
# RECORDS of the file; REPEAT: how often, the medians.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tidewire=${B:-build}/tidewire
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$tidewire" "$here/../backtest/generate.lua" "${RECORDS:-50000}" "$dir/q.csv" "$dir/b.csv"
"$tidewire" convert "$dir/q.csv" "$dir/q.tape"
"$tidewire" "$here/sweep.lua" "$tidewire" "$here" "$dir" "${REPEAT:-3}"
"$tidewire" "$here/store.lua" "$dir/store.db"
