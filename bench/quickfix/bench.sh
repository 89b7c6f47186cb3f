#!/bin/sh
# FIX messages read, checked and written, beside QuickFIX where it is installed (Debian:
# libquickfix-dev); DICTIONARY is its FIX44.xml.
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
${CXX:-c++} -std=c++14 -O2 -Wno-deprecated -o "$dir/beside" "$here/beside.cpp" \
    -lquickfix -lpthread
"$dir/beside" "$dictionary" "$dir/35=D" "$dir/35=W x 10" "$dir/35=X x 3"
