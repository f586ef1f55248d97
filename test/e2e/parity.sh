#!/usr/bin/env bash
# Bits flipped at random in memories of simulated designs with parity: each that is used is counted, its events are in error, and none is
# silently wrong; scrubbed, they are right (parity.cpp). Usage: parity.sh [FLIPS [NAME...|all]]: 100 each in a paged design and one whose weights are on
# chip; by name "pages" (page buffers alone), "rings" (several on a device) and "seeded" (larger) too.
set -uo pipefail
cd "$(dirname "$0")/../.."
tessera=$PWD/${TESSERA:-build/tessera}
flips=${1:-100}
wanted=("${@:2}")
[ ${#wanted[@]} -gt 0 ] || wanted=(paged resident)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '%s\n' '{"inputs": [{"column": "a"}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$scratch/abc.json"
awk 'BEGIN { print "event_id,hit_id,a,b,c"
    for (e = 0; e < 3; e++) for (h = 0; h < 3 + 4 * e; h++) { k = 31 * e + 7 * h
        print e "," h "," (k * 13 % 97) / 32 - 1.5 "," (k * 29 % 89) / 32 - 1.25 "," (k * 53 % 101) / 32 - 1.75 } }' >"$scratch/abc.csv"
root=$(verilator --getenv VERILATOR_ROOT)
cat >"$scratch/visible.vlt" <<'V'
`verilator_config
public_flat_rw -module "ts_mem" -var "array"
public_flat_rd -module "ts_mem_checked" -var "raddr"
public_flat_rd -module "ts_mem_checked" -var "used"
public_flat_rd -module "ts_page_mem" -var "raddr"
public_flat_rd -module "ts_page_mem" -var "used"
V

# try ONLY DIR: flips are in memories with ONLY in their names
try() {
    cd "$2" || return 1
    local top="tb/ts_sim_top.v tb/ts_sim_memory.v"
    [ -f tb/ts_sim_top.v ] || top=rtl/$(sed -n 's/^ *"top": "\(.*\)",$/\1/p' manifest.json).v
    # shellcheck disable=SC2086
    verilator --cc --prefix Vring --language 1364-2005 -O3 -Wno-fatal -Wno-lint --noassert --output-split 20000 -y rtl $(printf -- '-y %s ' part*/rtl) --Mdir sim "$scratch/visible.vlt" $top &&
        { for f in sim/Vring*.cpp; do echo "#include \"$2/$f\""; done >sim/unity.cpp; } &&
        ${OBJCACHE-} ${CXX:-g++} -std=c++17 -O1 -Isim -Itb -I"$OLDPWD/src" -I"$OLDPWD/test/rtl" -isystem "$root/include" -isystem "$root/include/vltstd" \
            -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TRACE=0 sim/unity.cpp "$OLDPWD/test/e2e/parity.cpp" "$OLDPWD/test/rtl/bench.cpp" "$root/include/verilated.cpp" \
            "$root/include/verilated_threads.cpp" -pthread -o parity || return 1
    # shellcheck disable=SC2086
    ./parity "$flips" 1 $1
}
passed=0 failed=0
# parity NAME ONLY MODEL OPTIONS...: of test/models, or none, where OPTIONS name one
parity() {
    local name=$1 only=$2 model=$3 start=$SECONDS
    [[ " ${wanted[*]} " == *" $name "* || ${wanted[0]} = all ]] || return
    shift 3
    if (if [ -n "$model" ]; then "$tessera" compile "test/models/$model.onnx" --events "$scratch/abc.csv" --inputs "$scratch/abc.json" --max-tokens 12 \
        --target-ii 40 "$@" -o "$scratch/$name"; else "$tessera" compile "$@" -o "$scratch/$name"; fi && try "$only" "$scratch/$name") >"$scratch/log" 2>&1; then
        passed=$((passed + 1)); echo "ok      $name: $(grep '^PASS' "$scratch/log") ($((SECONDS - start)) s)"
    else
        failed=$((failed + 1)); echo "FAILED  $name"; tail -n 20 "$scratch/log"
    fi
}
parity paged "" torch_pre --device pynq-z2 --mode paged --parity all
parity pages g_paged torch_pre --device pynq-z2 --mode paged
parity rings "" torch_pre --device u250 --mode replicated --parity all
parity resident "" torch_pre_gelu_final --device pynq-z2 --parity all
parity seeded "" "" models/seeded.onnx --events models/seeded.csv --inputs models/seeded.inputs.json --calibrate 2 --device pynq-z2 --mode paged --parity all
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
