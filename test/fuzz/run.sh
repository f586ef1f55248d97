#!/usr/bin/env bash
# Fuzzes every harness of test/fuzz for a while, two at a time, from its committed corpus: test/fuzz/run.sh [-m MINUTES] [-j JOBS] [-s SEED] [NAME...]
# New inputs collect in build-fuzz/corpus/NAME, crashes in build-fuzz/crashes; test/fuzz/run.sh --minimise puts the smallest set of inputs that
# reaches what all of them reach into test/fuzz/corpus. Prints executions, edges and when the last new edge was found. Exit status 0 only if
# nothing crashed, leaked, hung or took more than 2 GiB. Needs clang; works without the builds of the other tests.
set -uo pipefail
cd "$(dirname "$0")/../.."
minutes=1 jobs=2 seed=0 minimise=0 names=()
while [ $# -gt 0 ]; do
    case $1 in
    -m) minutes=$2 && shift ;;
    -j) jobs=$2 && shift ;;
    -s) seed=$2 && shift ;; # of libFuzzer; 0: another one every time
    --minimise) minimise=1 ;;
    --help) sed -n '2,6s/^# //p' "$0" && exit 0 ;;
    -*) echo "usage: test/fuzz/run.sh [-m MINUTES] [-j JOBS] [-s SEED] [--minimise] [NAME...]" >&2 && exit 2 ;;
    *) names+=("$1") ;;
    esac
    shift
done
[ ${#names[@]} -gt 0 ] || for f in test/fuzz/*_fuzz.c; do f=${f##*/} names+=("${f%_fuzz.c}"); done
{ cmake --preset fuzz && cmake --build build-fuzz; } >build-fuzz.log 2>&1 || { tail -n 20 build-fuzz.log; exit 1; }
mv build-fuzz.log build-fuzz/build.log

out=$PWD/build-fuzz
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=1 # one thread a process: the processes are many
largest() { case $1 in onnx | design) echo 16384 ;; tsm) echo 12288 ;; *) echo 4096 ;; esac; }

largest_kept() { case $1 in onnx) echo 6600 ;; tsm) echo 7330 ;; design) echo 12000 ;; *) echo 6000 ;; esac; }

# Of all inputs that are small enough to be kept in the repository.
minimise() { # NAME
    local name=$1 keep=$out/minimal/$1 from=$out/minimal/$1.from
    rm -rf "$keep" "$from" && mkdir -p "$keep" "$from" "test/fuzz/corpus/$name"
    local dir
    for dir in "test/fuzz/corpus/$name" "$out/corpus/$name"; do find "$dir" -type f -size "-$(largest_kept "$name")c" -exec cp -t "$from" {} +; done
    "$out/fuzz/${name}_fuzz" -merge=1 -timeout=20 -rss_limit_mb=2048 "$keep" "$from" >"$out/$name.merge.log" 2>&1 || return 1
    rm -rf "test/fuzz/corpus/$name" && mv "$keep" "test/fuzz/corpus/$name"
    echo "$name: $(find "test/fuzz/corpus/$name" -type f | wc -l) inputs, $(cat "test/fuzz/corpus/$name"/* | wc -c) bytes"
}
if [ $minimise = 1 ]; then
    for name in "${names[@]}"; do minimise "$name" || { tail -n 5 "$out/$name.merge.log"; exit 1; }; done
    exit 0
fi

fuzz() { # NAME
    local name=$1 log=$out/$1.log crashes=$out/crashes/$1
    mkdir -p "$out/corpus/$name" "$crashes"
    "$out/fuzz/${name}_fuzz" -seed="$seed" -max_total_time=$((minutes * 60)) -timeout=20 -rss_limit_mb=2048 -max_len="$(largest "$name")" -print_final_stats=1 \
        -artifact_prefix="$crashes/" "$out/corpus/$name" "test/fuzz/corpus/$name" >"$log" 2>&1
    local status=$? runs edges last
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2)
    # libFuzzer says NEW with the number of executions where coverage grew: the last such line, as a share of all.
    last=$(awk -v all="${runs:-0}" '/^#[0-9]+[ \t]+NEW/ && $4 > most { most = $4; n = substr($1, 2) } END { printf "%.0f", all ? 100 * n / all : 0 }' "$log")
    printf '%-8s %10s executions %7s edges, the last new one at %3s %%  %s\n' "$name" "${runs:-?}" "${edges:-?}" "$last" "$([ $status = 0 ] && echo ok || echo FAILED)"
    [ $status = 0 ] || { grep -E 'ERROR|SUMMARY|runtime error|broken invariant|_fuzz.c:[0-9]+:' "$log" | head -n 4 | sed 's/^/    /'; echo "    inputs: $crashes"; }
    return $status
}
failed=0
for name in "${names[@]}"; do
    fuzz "$name" &
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || failed=1; done
done
while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n || failed=1; done
[ $failed = 0 ] && echo "nothing crashed"
exit $failed
