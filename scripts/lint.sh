#!/usr/bin/env bash
# clang-tidy and cppcheck over the C sources (advice; the compilers' warnings are the gate), and the gates over the Verilog.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
cmake --preset clang -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null
if command -v clang-tidy >/dev/null; then
    git ls-files 'src/*.c' | xargs clang-tidy --quiet -p build-clang --checks='-*,bugprone-*,-bugprone-easily-swappable-parameters,clang-analyzer-*' || status=1
fi
if command -v cppcheck >/dev/null; then
    cppcheck --quiet --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -Isrc src || status=1
fi
for v in rtl/*.v; do
    iverilog -g2005 -Wall -t null -y rtl "$v" || status=1
done
exit $status
