#!/bin/sh
# 64 pairs of moving averages over 8 currency pairs of 10,000 prices, in one Lua state and
# in all of the pool; beside other languages, where ../shared/peers has the same grid.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
peers=$here/../../../shared/peers/burgers
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${B:-build}/tidewire" "$here/burgers.lua" "$dir"
if [ ! -d "$peers" ]; then
  echo "no ../shared/peers/burgers: nothing beside it"
  exit
fi
peer() {
  name=$1
  shift
  if ! command -v "$1" >/dev/null; then
    echo "$name: no $1 here"
    return
  fi
  for _ in 1 2 3; do "$@" "$dir/bars.txt"; done |
    awk -v name="$name" '/^pnl/ { answer = $0 }
      /seconds/ { sub(/seconds/, "") } /^(T )? *[0-9.]+ *$/ { v = $NF
      if (!best || v < best) best = v } END { print name ": " best " s  " answer }'
}
"${B:-build}/tidewire" -e "package.path = '$here/?.lua;' .. package.path
  for _, pair in ipairs(require 'prices'(10000)) do
    print(pair.name .. ' ' .. table.concat(pair, ' '))
  end" > "$dir/bars.txt"
cc -O2 -o "$dir/grid" "$peers/bt.c" -pthread 2>/dev/null &&
  peer "C, one thread" "$dir/grid"
peer "Lua 5.4, one process" lua5.4 "$peers/bt.lua"
peer "Python, one process" python3 "$peers/bt.py" seq
peer "Python, two processes" python3 "$peers/bt.py" pool2
