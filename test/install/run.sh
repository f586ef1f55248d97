#!/usr/bin/env bash
# The installed package from outside: make install DESTDIR=, the names that the libraries give, examples/ built by pkg-config and CMake, shared and
# static and under AddressSanitizer, the Python script; all must give the bits of the command line.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$dir/log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $what"; tail -n 20 "$dir/log"; fi
}
make -s -C "$root" install DESTDIR="$dir/tree" PREFIX=/tessera >"$dir/log" 2>&1 || { cat "$dir/log"; echo "0 passed, 1 failed"; exit 1; }
export PYTHONDONTWRITEBYTECODE=1
prefix=$dir/tree/tessera lib=$(dirname "$(find "$dir/tree" -name libtessera.a)")
export PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib
cp -r "$root/examples" "$dir/examples" && cd "$dir/examples" || exit 1

for file in bin/tessera include/tessera/tessera.h share/man/man1/tessera.1 share/man/man1/tessera-export.1 share/man/man1/tessera-package.1; do check "$file is installed" test -f "$prefix/$file"; done
check "the shared library's name" test "$(readelf -d "$lib/libtessera.so" | grep -o 'libtessera.so.[0-9]*' | head -n 1)" = libtessera.so.0
names() { # FILE OPTIONS: names that are none of ours
    nm --defined-only "${@:2}" "$1" | awk 'NF == 3 { print $3 }' | grep -v '^tessera_'
}
declared() { grep -o 'tessera_[a-z_]*(' "$prefix/include/tessera/tessera.h" | tr -d '(' | grep -v '^tessera_init$' | sort -u; }
check "the shared library gives only tessera_*" test -z "$(names "$lib/libtessera.so" -D)"
check "the static library gives only tessera_*, and what OpenBLAS asks for" test "$(names "$lib/libtessera.a" -g)" = openblas_num_threads_env
check "the shared library has every function of the header" test -z "$(declared | comm -23 - <(nm -D --defined-only "$lib/libtessera.so" | awk '{ print $3 }' | sort))"
check "the header's version is the package's" test "$(pkg-config --modversion tessera)" = "$(sed -n 's/.*TESSERA_VERSION "\(.*\)"/\1/p' "$prefix/include/tessera/tessera.h")"
# The host library: its names, what it needs, its size; and its example, by pkg-config.
run=$lib/libtessera-run.so
check "the host library's name" test "$(readelf -d "$run" | grep -o 'libtessera-run.so.[0-9]*' | head -n 1)" = libtessera-run.so.0
check "the host library gives only tessera_*" test -z "$(names "$run" -D)$(names "$lib/libtessera-run.a" -g)"
check "the host library has every function of its header" test -z "$(grep -o 'tessera_run_[a-z_]*(' "$prefix/include/tessera/tessera_run.h" | tr -d '(' | sort -u | comm -23 - <(nm -D --defined-only "$run" | awk '{ print $3 }' | sort))"
check "the host library needs nothing but the C library" test "$(readelf -d "$run" | sed -nE 's/.*NEEDED.*\[(.*)\]/\1/p' | tr '\n' ' ')" = "libc.so.6 "
check "the host library is stripped to less than 200 kB" bash -c 'strip -o run.so "$1" && test "$(stat -c %s run.so)" -lt 200000' - "$run"
cat >header.cpp <<'E'
#include <tessera/tessera.h>
#include <tessera/tessera_run.h>
int main()
{
    tessera_run_event event = TESSERA_INIT(tessera_run_event);
    if (event.size != sizeof event)
        return 1;
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_events *events;
    return tessera_events_read(&source, nullptr, &events, nullptr) == TESSERA_USAGE && source.size == sizeof source ? 0 : 1;
}
E
check "the header is C++" g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags tessera) header.cpp $(pkg-config --libs tessera) -o header
check "and works in it" ./header

strict="-std=c99 -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror -Wno-declaration-after-statement"
check "pkg-config, shared" cc $strict run_events.c $(pkg-config --cflags --libs tessera) -o shared
check "pkg-config, static" cc $strict run_events.c $(pkg-config --cflags tessera) "$lib/libtessera.a" $(pkg-config --static --libs tessera | sed 's/-ltessera//') -o static
check "pkg-config, AddressSanitizer" cc $strict -fsanitize=address run_events.c $(pkg-config --cflags --libs tessera) -o asan
check "CMake configures" cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release
check "CMake builds" cmake --build build
check "static needs no shared library" bash -c '! ldd static | grep libtessera'
check "shared needs it" bash -c 'ldd shared | grep "libtessera.so.0 => /"'

model=$root/models/encreg.onnx events=few.csv inputs=$root/models/encreg.inputs.json
awk -F, 'NR == 1 || $1 < 6' "$root/models/encreg.csv" >few.csv
check "the command compiles" "$prefix/bin/tessera" compile "$model" --device zcu102 --events $events --inputs "$inputs" -o want
check "the command runs events" "$prefix/bin/tessera" run want --engine integer --events $events -o want.csv
tail -n +2 want.csv >want.rows
rows=$(wc -l <want.rows)
check "there are results" test "$rows" -gt 100
same() { # WHAT COMMAND...
    local what=$1
    shift
    "$@" "$model" $events "$inputs" got >got.csv 2>"$dir/err"
    check "$what gives the command's bits" bash -c "cmp got.csv want.rows || { head -n 5 '$dir/err'; false; }"
    check "$what makes the command's design" diff -r want got
    rm -rf got got.csv
}
for program in ./shared ./static ./build/run_events ./build/run_events_static; do same "$program" $program; done
same "AddressSanitizer" env ASAN_OPTIONS=detect_leaks=1 ./asan
export PYTHONPATH=$prefix/lib/python3/dist-packages # and the package finds the library from there
check "the Python package is installed" test -f "$PYTHONPATH/tessera/py.typed"
same "Python" env -u LD_LIBRARY_PATH /usr/bin/python3 run_events.py
# Numbers have points wherever the host program's have commas.
if localedef -i de_DE -f UTF-8 "$dir/de_DE.UTF-8" >/dev/null 2>&1; then
    export LOCPATH=$dir
    check "the locale has commas" test "$(LC_ALL=de_DE.UTF-8 /usr/bin/python3 -c 'import locale; locale.setlocale(locale.LC_ALL, ""); print(locale.str(0.5))')" = 0,5
    same "Python with commas" env LC_ALL=de_DE.UTF-8 /usr/bin/python3 -c \
        'import locale, runpy, sys; locale.setlocale(locale.LC_ALL, ""); sys.argv[0] = "run_events.py"; runpy.run_path("run_events.py", run_name="__main__")'
    unset LOCPATH
else
    echo "skipped: no locale with commas can be made here"
fi

# Events through the host library, emulated, are the command's.
check "the example for boards builds" cc $strict board_events.c $(pkg-config --cflags --libs tessera-run) -lm -o board_events
check "a design is packaged" "$prefix/bin/tessera" package want -o board
check "the example for boards runs" bash -c './board_events board emulator few.csv >board.csv'
check "and gives the command's bits" cmp board.csv want.rows

# Scores of results in memory are those of the file that the command writes: of the float model, and of the design, which refuses an event.
awk -F, 'NR == 1 || $1 > 13' "$root/models/encreg.csv" >fresh.csv
longest=$(awk -F, 'NR > 1 { n[$1]++ } END { for (e in n) if (n[e] > most) most = n[e]; print most }' fresh.csv)
"$prefix/bin/tessera" compile "$model" --device zcu102 --events $events --inputs "$inputs" --max-tokens $((longest - 1)) -o short >/dev/null 2>&1
for engine in float integer; do
    source=$model
    [ $engine = float ] || source=short
    "$prefix/bin/tessera" run $source --engine $engine --events fresh.csv --inputs "$inputs" -o scored.csv >/dev/null 2>"$dir/err"
    check "run --engine $engine" test $? -eq $([ $engine = float ] && echo 0 || echo 3)
    "$prefix/bin/tessera" score model=scored.csv,baseline:angles --subset --inputs "$inputs" --truth fresh.csv --json >want.json
    check "score_events.py, $engine" /usr/bin/python3 score_events.py $source fresh.csv "$inputs"
    grep -v Warning "$dir/log" | grep -v "^  [a-z]" >got.json
    check "gives the command's scores, $engine" /usr/bin/python3 - <<'P'
import json
got, want = json.load(open("got.json")), json.load(open("want.json"))["rows"]
print(got, want)
assert len(got) == len(want) >= 3
for mine, row in zip(got, want):
    assert mine["min_cluster_size"] == row["clusterer"]["min_cluster_size"] and mine["events"] == row["events"] > 0
    for name in ("trackml", "perfect", "double_majority", "lhc"):
        assert mine[name] == row[name]["mean"], name
P
done

# What is wrong comes back as a code and a message.
./shared nowhere.onnx $events "$inputs" got >/dev/null 2>err
check "a model that is not there is code 4" test $? -eq 4
check "and a message" grep -q 'run_events: no such file: nowhere.onnx' err
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
