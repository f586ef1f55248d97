#!/usr/bin/env bash
# Shows that the tests notice faults: every line of test/mutations.txt puts a fault of about one bit into a copy of one source file,
# and the test that it names must fail. Usage, from anywhere: scripts/mutate.sh [--quick] [--list] [--check] [-j JOBS] [PATTERN...]
#   --quick   each RTL fault only against the case that the table names; without it, against all cases of its module
#   --list    shows the table and stops
#   --check   only whether every fault of the table still changes one line of a file that is there, and its test is there; runs none
#   PATTERN   only faults in files whose path contains one of these
# The tree itself is never changed: RTL faults go into a copied rtl/, C faults into a copied source tree, which is built once and then
# again for each fault. Before any fault, the unchanged copies must pass. Exit status 0 only if every fault was noticed.
set -uo pipefail
cd "$(dirname "$0")/.."
table=test/mutations.txt
quick=0 list=0 check=0 jobs=2
patterns=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --list) list=1 ;;
    --check) check=1 ;;
    -j) jobs=$2 && shift ;;
    -*) echo "usage: scripts/mutate.sh [--quick] [--list] [--check] [-j JOBS] [PATTERN...]" >&2 && exit 2 ;;
    *) patterns+=("$1") ;;
    esac
    shift
done

wanted() { # FILE
    local pattern
    [ ${#patterns[@]} -gt 0 ] || return 0
    for pattern in "${patterns[@]}"; do [[ $1 == *"$pattern"* ]] && return 0; done
    return 1
}

files=() tests=() faults=() watched=() # watched: ts_watch must be the first to notice
while read -r file test fault; do
    case $file in '' | '#'*) continue ;; esac
    wanted "$file" || continue
    files+=("$file") tests+=("${test#!}") faults+=("$fault")
    [[ $test == !* ]] && watched+=(1) || watched+=(0)
done <"$table"
if [ $list = 1 ]; then
    for i in "${!files[@]}"; do printf '%-28s %-18s %s\n' "${files[i]}" "${tests[i]}" "${faults[i]}"; done
    exit 0
fi

work=$(mktemp -d)
mkdir "$work/results"
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# result I VERDICT [REASON]: one line on the screen and one file.
result() {
    local line
    line=$(printf '%-12s %s  %s  (%s)%s' "$2" "${files[$1]}" "${faults[$1]}" "${tests[$1]}" "${3:+: $3}")
    echo "$line"
    echo "$line" >"$work/results/$1"
}

# inject I FILE: the fault in FILE, a copy of its source. Fails, with a result, unless it changes exactly one line.
inject() {
    local lines
    sed -i -e "${faults[$1]}" "$2" 2>"$work/sed-$1" || { result "$1" error "$(head -n 1 "$work/sed-$1")" && return 1; }
    lines=$(diff "${files[$1]}" "$2" | grep -c '^>')
    [ "$lines" = 1 ] || { result "$1" error "the expression changes $lines lines, not one" && return 1; }
}

# ---- The table's own completeness
missing=0 applied=0
for file in rtl/ts_*.v src/num/*.c src/emu/*.c; do
    wanted "$file" || continue
    grep -q "^$file " "$table" || { echo "error        $file has no fault in $table" && missing=$((missing + 1)); }
done

test_is_there() { # I: a program of test/unit, or a case of test/rtl/cases.txt
    if [[ ${files[$1]} == rtl/* ]]; then
        awk -v test="${tests[$1]}:" 'BEGIN { split(test, part, ":") } $1 == part[1] && index($2, part[2]) == 1 { found = 1 } END { exit !found }' test/rtl/cases.txt
    else
        [ -f "test/unit/${tests[$1]}.c" ]
    fi
}
if [ $check = 1 ]; then
    for i in "${!files[@]}"; do
        if [ ! -f "${files[i]}" ]; then
            result "$i" error "there is no such file"
        elif ! test_is_there "$i"; then
            result "$i" error "there is no such test"
        else
            cp "${files[i]}" "$work/copy"
            inject "$i" "$work/copy" && applied=$((applied + 1))
        fi
    done
    failed=$((${#files[@]} - applied + missing))
    echo "$applied faults of $table apply, $failed do not"
    [ $failed = 0 ] && [ $applied -gt 0 ]
    exit
fi

# ---- RTL. A test is MODULE or MODULE:PARAMETERS, the beginning of the parameters of the case that --quick runs.
rtl_case() { # TEST
    [[ $quick = 0 || $1 != *:* ]] || echo "${1#*:}"
}

# rtl_bench RTL BUILD JOBS CASE MODULE...: test/rtl/run.sh with its exit status.
rtl_bench() {
    local option=()
    [ $quick = 0 ] || option=(-c "$4")
    RTL=$1 BUILD=$2 test/rtl/run.sh -f -j "$3" "${option[@]}" "${@:5}"
}

# Every bench that the faults name, with the unchanged modules. Files in $work/rtl-good name the tests that passed.
rtl_baseline() { # TEST...
    local case test modules
    mkdir "$work/rtl-good"
    cp -r rtl "$work/rtl"
    while read -r case; do
        modules=()
        for test in "$@"; do [ "$(rtl_case "$test")" != "$case" ] || modules+=("${test%%:*}"); done
        rtl_bench "$work/rtl" "$work/base" "$jobs" "$case" "${modules[@]}" >"$work/base.log" 2>&1
        for test in "$@"; do
            [ "$(rtl_case "$test")" = "$case" ] || continue
            grep -q "^pass  ${test%%:*} " "$work/base.log" && ! grep -q "^FAIL  ${test%%:*} " "$work/base.log" && touch "$work/rtl-good/$test"
        done
        grep '^FAIL' "$work/base.log" | sed 's/^/unchanged: /'
    done < <(for test in "$@"; do echo "$(rtl_case "$test")"; done | sort -u)
}

rtl_fault() { # I
    local test=${tests[$1]} dir=$work/fault-$1
    [ -f "$work/rtl-good/$test" ] || { result "$1" error "the unchanged module does not pass" && return; }
    mkdir -p "$dir/build"
    cp -r rtl "$dir/rtl"
    cp -a "$work/base/common" "$dir/build/common"
    inject "$1" "$dir/${files[$1]}" || return
    rtl_bench "$dir/rtl" "$dir/build" 1 "$(rtl_case "$test")" "${test%%:*}" >"$dir/log" 2>&1
    case $? in
    0) result "$1" "NOT NOTICED" ;;
    1) if [ "${watched[$1]}" = 1 ] && ! grep -q 'FAIL: .*watch: ' "$dir/log"; then
        result "$1" "NOT NOTICED" "by ts_watch"
    else
        result "$1" noticed
    fi ;;
    *) result "$1" error "does not compile" ;;
    esac
    rm -rf "$dir"
}

# ---- C. A test is a program of test/unit. The copy has one build directory, so that its faults follow each other.
c_faults() { # I...
    local i file tree=$work/tree targets good=" "
    mkdir "$tree"
    for file in CMakeLists.txt devices include rtl scripts src test; do
        [ ! -e $file ] || cp -r $file "$tree/"
    done
    mapfile -t targets < <(for i in "$@"; do echo "${tests[i]}"; done | sort -u)
    cmake -G Ninja -S "$tree" -B "$tree/build" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O1 >"$work/cmake.log" 2>&1
    for file in "${targets[@]}"; do
        c_build "$file" >"$work/c-$file.log" 2>&1 && c_run "$file" >"$work/c-$file.log" 2>&1 && good+="$file " ||
            { echo "unchanged: $file" && tail -n 20 "$work/c-$file.log"; }
    done
    for i in "$@"; do
        file=${files[i]}
        [[ $good == *" ${tests[i]} "* ]] || { result "$i" error "the unchanged copy does not pass" && continue; }
        if inject "$i" "$tree/$file"; then
            if ! c_build "${tests[i]}" >"$work/c-$i.log" 2>&1; then
                result "$i" error "does not compile"
            elif c_run "${tests[i]}" >"$work/c-$i.log" 2>&1; then
                result "$i" "NOT NOTICED"
            else
                result "$i" noticed
            fi
        fi
        cp "$file" "$tree/$file"
    done
}
c_build() { cmake --build "$work/tree/build" -j "$jobs" --target "$1"; }
c_run() { (cd "$work/tree/build/test" && timeout 120 "./$1"); }

c=() rtl=() rtl_tests=()
for i in "${!files[@]}"; do
    if [ ! -f "${files[i]}" ]; then
        result "$i" error "there is no such file"
    elif [[ ${files[i]} == rtl/* ]]; then
        rtl+=("$i") rtl_tests+=("${tests[i]}")
    else
        c+=("$i")
    fi
done
[ ${#c[@]} = 0 ] || c_faults "${c[@]}" &
if [ ${#rtl[@]} -gt 0 ]; then
    mapfile -t rtl_tests < <(printf '%s\n' "${rtl_tests[@]}" | sort -u)
    rtl_baseline "${rtl_tests[@]}"
    for i in "${rtl[@]}"; do
        rtl_fault "$i" &
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    done
fi
wait

passed=$(cat "$work"/results/* /dev/null | grep -c '^noticed ')
failed=$((${#files[@]} - passed + missing))
cat "$work"/results/* /dev/null | grep -v '^noticed ' | sed 's/^/failed: /'
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ "$passed" -gt 0 ]
