#!/bin/sh
# From exec to the first line of Lua and the end: milliseconds a start, of a built
# program, of tidewire, and of other interpreters where they are.
set -eu
build=${B:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
starts=${STARTS:-200}
echo 'os.exit(0)' >"$dir/app.lua"
cat >"$dir/bot.lua" <<'END'
local app = require "tw.app"
app.feed.synthetic {}
if os.getenv "FIRST" then os.exit(0) end
END
"$build/tidewire" build "$dir/bot.lua" -o "$dir/bot" >/dev/null
printf '%-22s %8s\n' start ms
start() {
    name=$1; shift
    "$@" >/dev/null
    i=0 from=$(date +%s%N)
    while [ $i -lt "$starts" ]; do "$@" >/dev/null; i=$((i + 1)); done
    echo "$name $(($(date +%s%N) - from)) $starts" \
      | awk '{ printf "%-22s %8.2f\n", $1, $2 / $3 / 1e6 }'
}
export FIRST=1
start bot "$dir/bot" --no-attach
start tidewire "$build/tidewire" "$dir/app.lua"
for other in lua5.4 luajit; do
    if command -v $other >/dev/null; then start $other $other "$dir/app.lua"; fi
done
