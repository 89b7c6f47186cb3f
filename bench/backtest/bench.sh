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
"$tidewire" run "$here/live.lua" --set quotes="$dir/q.csv" --workers 1 --no-attach 2>&1 |
  grep -E '^CPU|records in'

# The same cross over 30,889 bars of a minute, beside other systems where they are.
minutes=$here/../../../shared/data/backtrader/2006-01-02-volume-min-001.txt.gz
if [ ! -e "$minutes" ]; then
  echo "no ../shared/data: nothing beside it"
  exit
fi
{
  echo Date,Time,Open,High,Low,Close,Volume,OpenInterest
  gzip -dc "$minutes" | tail -n +2
} > "$dir/minutes.csv"
printf 'tidewire: '
"$tidewire" "$here/beside.lua" "$here" "$dir/minutes.csv"
for peer in backtrader backtesting; do
  printf '%s: ' "$peer"
  if python3 -c "import $peer" 2>/dev/null; then
    python3 "$here/beside_$peer.py" "$dir/minutes.csv"
  else
    echo "python3 has none here"
  fi
done
