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
"$tidewire" convert "$dir/minutes.csv" "$dir/minutes.tape" --set interval=1m 2>/dev/null
row() {
  name=$1
  shift
  printf '%s;' "$name"
  "$@"
}
python() {
  if python3 -c "import $1" 2>/dev/null; then
    row "$2" python3 "$here/$3.py" "$dir/minutes.csv"
  else
    echo "$2;none here"
  fi
}
{
  row "plain Python, a loop" python3 "$here/beside_plain.py" "$dir/minutes.csv"
  row "tidewire" "$tidewire" "$here/beside.lua" "$here/minute.lua" "$dir/minutes.csv"
  row "  from a tape file" \
    "$tidewire" "$here/beside.lua" "$here/minute.lua" "$dir/minutes.tape"
  row "  declared" "$tidewire" "$here/beside.lua" "$here/declared.lua" "$dir/minutes.csv"
  row "  declared, from a tape file" \
    "$tidewire" "$here/beside.lua" "$here/declared.lua" "$dir/minutes.tape"
  python backtrader backtrader beside_backtrader
  python backtesting backtesting.py beside_backtesting
} | awk -F ';' '
  BEGIN { printf "%-32s %9s  %s\n", "the cross, minutes", "bars/s", "to plain Python" }
  { n = split($2, word, " "); rate = word[n - 1] }
  $2 !~ /bars\/s$/ { printf "%-32s %9s\n", $1, $2; next }
  NR == 1 { plain = rate }
  { printf "%-32s %9d  %15.2f   %d orders\n", $1, rate, rate / plain, word[3] }'
