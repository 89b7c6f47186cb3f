#!/bin/sh
# What a program that prints one line takes from its start to its end: the least of a few
# rounds, in ms.  A built program checks its seal and opens the app first.
set -eu
build=${B:-build}
n=${STARTS:-100}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo 'print "started"' >"$dir/line.lua"
cat >"$dir/app.lua" <<'APP'
print "started"
if not os.getenv "BUILDING" then os.exit(true) end
require "tw.app".feed.synthetic { limit = 1 }
APP
BUILDING=1 "$build/tidewire" build "$dir/app.lua" -o "$dir/bot" >/dev/null
measure() {
  name=$1; shift
  for _ in 1 2 3 4 5; do
    begin=$(date +%s%N)
    i=0
    while [ "$i" -lt "$n" ]; do "$@" >/dev/null; i=$((i + 1)); done
    echo $((($(date +%s%N) - begin) / n))
  done | sort -n |
    awk -v name="$name" 'NR == 1 { printf "%-20s %6.2f ms\n", name, $1 / 1e6 }'
}
measure /bin/true /bin/true
measure tidewire "$build/tidewire" "$dir/line.lua"
measure 'a built program' "$dir/bot"
for lua in lua5.4 luajit; do
  if command -v "$lua" >/dev/null; then measure "$lua" "$lua" "$dir/line.lua"; fi
done
