# Out of memory: whichever allocation fails, the command says so and ends with exit status 8 (out of memory), or ends as if nothing had been; never by a signal, never with
# half a result, never with what was there gone.
#
#   allocations.sh [POINTS [LAST]]   so many of the first LAST allocations of each command (33, 2000; as many: all)
. "$(dirname "$0")/lib.sh"
points=${1:-33} last=${2:-2000}
cc -O1 -shared -fPIC -o faults.so "$root/test/preload/faults.c" || { echo "cannot build the shim"; exit 1; }
awk -F, 'NR == 1 || $2 <= 3' ev.csv >few.csv
print_files() { (cd "$1" && find . -type f | LC_ALL=C sort | xargs cat) | md5sum; }

sweep() { # WHAT COMMAND...
    local what=$1 status bad=0 ended=0 same=0 i count step
    shift
    rm -rf work && mkdir work && cp -r few.csv in3.json work
    [ "$what" = compile ] || cp -r design work
    (cd work && FAIL_COUNT=$dir/count LD_PRELOAD=$dir/faults.so "$@" >../want 2>/dev/null) || { report not "$what does not work"; return; }
    local files
    files=$(print_files work)
    count=$(cat count)
    [ "$count" -le "$last" ] || count=$last
    step=$((count > points ? count / points : 1))
    for ((i = 1; i <= count; i += step)); do
        (cd work && FAIL_AT=$i LD_PRELOAD=$dir/faults.so timeout 60 "$@" >../got 2>../err)
        status=$?
        if [ $status -eq 0 ] && cmp -s want got; then same=$((same + 1))
        elif [ $status -eq 1 ] && grep -qE '^((Allocating cleared memory|Memory allocation) failed|libgomp: Out of memory.*)$' err; then ended=$((ended + 1)) # libgomp's own, as it starts
        elif [ $status -eq 8 ] && [ -s err ] && ! grep -q "bug in tessera" err; then ended=$((ended + 1))
        else
            echo "$what, allocation $i: exit status $status, $(tail -n 1 err | head -c 200)"
            bad=$((bad + 1))
        fi
        if [ "$files" != "$(print_files work)" ]; then
            echo "$what, allocation $i: its files have changed: $(find work -name '.*.tessera-*' | head -n 3)"
            bad=$((bad + 1))
            files=$(print_files work)
        fi
    done
    echo "$what, $count allocations, each ${step}th: $ended ended with exit status 8, $same as without the failure, $bad wrong"
    check "$what: all but a few fail" test $ended -gt $((same / 4))
    [ $bad -eq 0 ] && report ok "$what" || report not "$what: $bad allocations whose failure is not told or does harm"
}

compile=("$tessera" compile "$small_model" --device zcu102 --max-tokens 16 --target-ii 200 --events few.csv --inputs in3.json)
works "a design" "${compile[@]}" -o design
sweep inspect "$tessera" inspect "$small_model" --json
sweep compile "${compile[@]}" -o d
sweep plan "$tessera" plan design
sweep run "$tessera" run design --engine integer --events few.csv -o r.csv
finish
