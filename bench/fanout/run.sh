#!/bin/sh
# run.sh lua FILE UNIVERSE: the fan-out workload with its four statistics as Lua
# scripts on two workers.  FILE: FIX messages back to back (- for standard input);
# UNIVERSE: lines of id,symbol,sector,weight.  Prints the four checksum lines and
# `T seconds quotes`, from the first read to the last consumer's last quote.
here=$(cd "$(dirname "$0")" && pwd)
tidewire=${TIDEWIRE:-$here/../../build/tidewire}
case $1 in
lua) app=$here/fanout.lua ;;
*)   echo "run.sh: '$1' is not a mode: use run.sh lua FILE UNIVERSE" >&2; exit 2 ;;
esac
exec "$tidewire" run "$app" --workers 2 --set file="$2" --set universe="$3"
