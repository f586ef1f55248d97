# Sourced by the files of test/cases: a scratch directory, small models with events, checks. Each file ends with `finish`.
#
#   $dir             scratch directory, removed at the end; the current directory
#   $root            the project
#   $tessera         the program, absolute: $TESSERA, or build/tessera
#   $seeded_model    models/seeded.onnx: tracking model of random weights, with $seeded_csv and $seeded_inputs
#   $small_model     test/models/torch_first.onnx: three inputs, two results, with ev.csv (two short events) and in3.json in $dir
#   $small_compile   array: compiles it for a ZCU102, small; add -o DIR
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tessera=${TESSERA:-build/tessera}
case $tessera in /*) ;; *) tessera=$root/$tessera ;; esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
passed=0 failed=0

seeded_model=$root/models/seeded.onnx seeded_csv=$root/models/seeded.csv seeded_inputs=$root/models/seeded.inputs.json
small_model=$root/test/models/torch_first.onnx
awk 'BEGIN {
    print "event_id,hit_id,x,y,z,particle_id,weight,px,py,pz,q"
    for (event = 0; event < 2; event++)
        for (hit = 1; hit <= 9 + 3 * event; hit++) {
            phi = hit * 2.39996 + event; r = 30 + 60 * (hit % 6)
            printf "%d,%d,%.4f,%.4f,%.4f,%d,1,%.4f,%.4f,0.25,%d\n", event, hit, r * cos(phi), r * sin(phi), 25 * hit - 130, 1 + hit % 3, cos(phi), sin(phi), 1 - 2 * (hit % 2)
        }
}' >ev.csv
echo '{"inputs":[{"column":"x","mean":0,"std":400},{"column":"y","mean":0,"std":400},{"column":"z","mean":0,"std":400}],"task":"regression","outputs":["a","b"]}' >in3.json
small_compile=("$tessera" compile "$small_model" --device zcu102 --max-tokens 16 --target-ii 200 --events ev.csv --inputs in3.json)

report() { # ok|not, what
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED: %s\n' "$2"; fi
}

# check WHAT COMMAND...: COMMAND, a test of the shell or of a result, is true
check() {
    local what=$1
    shift
    if "$@"; then report ok "$what"; else report not "$what"; fi
}

# fails WHAT PATTERN COMMAND...: an exit status of failure (1 to 12, no crash; STATUS=N: that one), PATTERN on stderr. Leaves .out and .err in $dir, as works does.
fails() {
    local what=$1 pattern=$2 status
    shift 2
    "$@" >"$dir/.out" 2>"$dir/.err"
    status=$?
    if [ $status -ge 1 ] && [ $status -le 12 ] && [ $status -eq "${STATUS:-$status}" ] && grep -qaE -- "$pattern" "$dir/.err"; then report ok "$what"; else
        report not "$what: exit status $status; $(head -c 600 "$dir/.err")"
    fi
}

# works WHAT COMMAND...: exit status 0
works() {
    local what=$1 status
    shift
    "$@" >"$dir/.out" 2>"$dir/.err"
    status=$?
    if [ $status -eq 0 ]; then report ok "$what"; else report not "$what: exit status $status; $(head -c 600 "$dir/.err")"; fi
}

# quiet WHAT COMMAND...: works, and nothing on stderr
quiet() {
    works "$@"
    [ ! -s "$dir/.err" ] || report not "$1 says: $(head -c 600 "$dir/.err")"
}

# says WHAT PATTERN: the command before it printed PATTERN, on standard output or standard error
says() {
    if cat "$dir/.out" "$dir/.err" | grep -qaE -- "$2"; then report ok "$1"; else report not "$1: no '$2' in $(cat "$dir/.out" "$dir/.err" | head -c 600)"; fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ] && [ $passed -gt 0 ]
    exit
}
