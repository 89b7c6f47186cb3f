#!/bin/sh
# run.sh lua|native FILE UNIVERSE: the fan-out workload with its four statistics as Lua
# scripts on two workers, or declared in them on one, which keeps up.  FILE: FIX
# messages back to back (- for standard input); UNIVERSE: lines of
# id,symbol,sector,weight.  Prints the four checksum lines and `T seconds quotes`, from
# the first read to the last consumer's last quote.
here=$(cd "$(dirname "$0")" && pwd)
tidewire=${TIDEWIRE:-$here/../../build/tidewire}
case $1 in
lua)    form=s workers=2 ;;
native) form=n workers=1 ;;
*)      echo "run.sh: '$1' is no mode: use run.sh lua|native FILE UNIVERSE" >&2; exit 2 ;;
esac
exec "$tidewire" run "$here/fanout.lua" --workers $workers --set form=$form \
  --set file="$2" --set universe="$3"
