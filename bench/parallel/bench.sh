#!/bin/sh
# 16 computations on the pool of one process, beside two processes with 8 of them each;
# then what a warm call and return of the pool takes.  REPEAT: how often, the medians.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tidewire=${B:-build}/tidewire
"$tidewire" "$here/parallel.lua" "$tidewire" "$here/parallel.lua" "${REPEAT:-5}"
"$tidewire" "$here/calls.lua"
"$tidewire" run "$here/market.lua" --workers 1 --seconds 20
