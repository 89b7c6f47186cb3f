#!/bin/sh
# The cache from Lua: a hit, reads and writes over threads, and a herd of requests
# for one expensive value.  Beside it Python, whose processes cache each for itself,
# and Guava's LoadingCache, where they are installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tidewire=${B:-build}/tidewire
guava=${GUAVA:-/usr/share/java/guava.jar}

"$tidewire" "$here/hit.lua"
"$tidewire" run "$here/handler.lua" 2>/dev/null
"$tidewire" "$here/mixed.lua"
if [ -f "$guava" ] && command -v java >/dev/null; then
  java -cp "$guava" "$here/Guava.java" hits
else
  echo "# no Guava here: GUAVA=its.jar, and java"
fi

printf '\n%-42s %11s %9s %9s\n' \
  '8 requests of a 100 ms f(x)' evaluations 'wall ms' 'CPU ms'
"$tidewire" "$here/herd.lua"
if [ -f "$guava" ] && command -v java >/dev/null; then
  java -cp "$guava" "$here/Guava.java" herd
fi
if command -v python3 >/dev/null; then
  python3 "$here/herd.py"
else
  echo "# no python3 here"
fi
