#!/bin/sh
# One FIX stream, four statistics: tidewire with Lua scripts and with declared ones
# beside one plain C loop and Python processes with queues, in the same run.  The peers
# and their data come from ../shared/peers where that is there; else tidewire runs alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${B:-build}
peers=$here/../../../shared/peers
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export UNIVERSE="$dir/universe.csv" TIDEWIRE="$build/tidewire"

# row NAME C_SECONDS_A_QUOTE: reads `T seconds quotes` on standard input.
row() {
  awk -v name="$1" -v c="$2" \
    '/^T/ { printf "%-34s %12.0f %12.3f\n", name, $3 / $2, c * $3 / $2 }'
}
seconds_a_quote() { awk '/^T/ { printf "%.12f", $2 / $3 }'; }

printf '%-34s %12s %12s\n' fan-out quotes/s 'to plain C'
if [ -d "$peers" ]; then
  cc -O2 -o "$dir/gen" "$peers/tools/gen.c" -lm
  cc -O2 -ffp-contract=off -o "$dir/cpeer" "$peers/c/peer.c" -lm -lpthread
  "$dir/gen" 1000000 1 "$dir/fix" "$UNIVERSE"
  "$dir/gen" 20000 1 "$dir/fix.small" "$UNIVERSE"
  want=$("$dir/cpeer" single "$dir/fix" | grep '^S' | sort)
  for round in 1 2 3; do
    c=$("$dir/cpeer" single "$dir/fix" | seconds_a_quote)
    echo "T $c 1" | row "plain C, one thread" "$c"
    for form in lua native; do
      out=$(sh "$here/run.sh" $form "$dir/fix" "$UNIVERSE" 2>"$dir/log.$form")
      if [ "$(echo "$out" | grep '^S' | sort)" != "$want" ]; then
        echo "checksums differ" >&2
        exit 1
      fi
      echo "$out" | row "tidewire, four scripts, $form" "$c"
    done
  done
  for form in lua native; do
    sed -n "s/.*us of CPU/# tidewire, $form: &/p" "$dir/log.$form"
  done
  if command -v python3 >/dev/null; then
    python3 "$peers/python/peer.py" mpq "$dir/fix.small" |
      row "Python, a queue per process" "$c"
  else
    echo "# no python3: its peer is left out"
  fi
else
  echo "# no ../shared/peers: plain C and Python are left out, the data is our own"
  "$build/bench/fanout/generate" 1000000 0 "$UNIVERSE" >"$dir/fix"
  for form in lua native; do
    sh "$here/run.sh" $form "$dir/fix" "$UNIVERSE" 2>/dev/null |
      row "tidewire, four scripts, $form" 0
  done
fi
