#!/bin/sh
# FIX messages read, checked and written, and orders there and back over loopback, beside
# QuickFIX where it is installed (Debian: libquickfix-dev); DICTIONARY is its FIX44.xml.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
B=${B:-build}
dictionary=${DICTIONARY:-$here/../../../shared/fix-at/spec/FIX44.xml}
"$B/bench/fix_check"
if ! pkg-config --exists quickfix || [ ! -r "$dictionary" ]; then
    echo "No QuickFIX here, or no dictionary for it (DICTIONARY=FIX44.xml)."
    exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$B/bench/fix_check" "$dir"
for name in beside echo; do
    ${CXX:-c++} -std=c++14 -O2 -Wno-deprecated -o "$dir/$name" "$here/$name.cpp" \
        -lquickfix -lpthread
done
"$dir/beside" "$dictionary" "$dir/35=D" "$dir/35=W x 10" "$dir/35=X x 3"
mkfifo "$dir/in" "$dir/out"
port=$((20000 + $$ % 10000))
"$dir/echo" $port "$dictionary" <"$dir/in" >"$dir/out" &
exec 3>"$dir/in" 4<"$dir/out"
read -r ready <&4
[ "$ready" = ready ] || { echo "QuickFIX: $ready"; exit 1; }
"$B/bench/fix_engine" $port
