#!/bin/sh
# 100,000 quotes a second, four scripts in the states of two workers: how long a quote
# takes to a handler, without reloads, and with one each 12 ms: around them, and half way
# between two, in the same run.  Each quote is counted in each script: a lost one, or one
# that comes twice, fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${B:-build}
n=${RELOADS:-1000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for i in 1 2 3 4; do cp "$here/counting.lua" "$dir/s$i.lua"; done
cp "$here/reload.lua" "$here/leader.lua" "$dir"
printf '%-22s %8s %9s %9s %9s %9s\n' \
  'quote to handler' quotes 'p50 us' 'p99 us' 'p99.9 us' 'max us'
for reloads in 0 "$n"; do
  "$build/tidewire" run "$dir/reload.lua" --no-attach --workers 2 \
    --set reloads="$reloads" --set quotes="${QUOTES:-$((n * 1400))}" 2>"$dir/log" ||
    { tail -30 "$dir/log" >&2; exit 1; }
done
sed -n 's/.*paused \([0-9.]*\) ms$/\1/p' "$dir/log" | sort -n | awk '{ ms[NR] = $1 }
  END { printf "instances stood still: p50 %s ms, p99 %s ms, max %s ms (%d reloads)\n",
               ms[int((NR + 1) / 2)], ms[int(NR * 0.99)], ms[NR], NR }'
