#!/usr/bin/env bash
# Designs as C: every mode through the command, words and values against the emulator, builds in an empty folder by every compiler, threads, undefined
# behaviour, the class for CMS. Usage: export.sh [models | thousand | speed]
#   models     every small model of test/models that compiles, and formats of many widths
#   thousand   1,000 fresh events of each shipped model
#   speed      of EncReg and EncCla beside the emulator's, one thread, 512 hits
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD tessera=$PWD/${TESSERA:-build/tessera} compare=$PWD/${COMPARE:-build/test/exported_test}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$scratch/log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED  $what: $*"; tail -n 15 "$scratch/log"; fi
}
end() { echo "$passed passed, $failed failed"; [ $failed -eq 0 ]; exit; }
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Werror)

printf '%s\n' '{"inputs": [{"column": "a"}, {"column": "b", "mean": 0.25, "std": 1.5}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$scratch/abc.json"
awk 'BEGIN { print "event_id,hit_id,a,b,c"
    for (e = 0; e < 3; e++) for (h = 0; h < 5 + 17 * e; h++) { k = 31 * e + 7 * h
        print e "," h "," (k * 13 % 97) / 32 - 1.5 "," (k * 29 % 89) / 32 - 1.25 "," (k * 53 % 101) / 32 - 1.75 } }' >"$scratch/abc.csv"

# export_as DIR FOLDER NAME OPTIONS...: into a shared library in FOLDER
export_as() {
    local dir=$1 to=$2 name=$3
    shift 3
    "$tessera" export "$dir" --target c --name "$name" -o "$to" "$@" &&
        (cd "$to" && gcc -std=c99 -O2 "${warnings[@]}" -fsanitize=undefined -fsanitize-undefined-trap-on-error -fPIC -shared "$name.c" -o "$name.so")
}
# same NAME COMPILE-ARGUMENTS...: compiled, exported, compared on random words
same() {
    local name=$1
    shift
    "$tessera" compile "$@" -o "$scratch/$name" && export_as "$scratch/$name" "$scratch/c" "$name" && "$compare" "$scratch/$name" "$scratch/c/$name.so" "$name"
}

models() { # every small model
    local path name inputs outputs events hits
    for path in test/models/*.onnx test/models/forms/*.onnx test/models/qdq/*.onnx test/models/cases/*.onnx; do
        name=m_$(basename "$path" .onnx)
        events=$scratch/abc.csv inputs=$scratch/abc.json
        for _ in 1 2 3; do
            "$tessera" compile "$path" --device zcu102 --events "$events" --inputs "$inputs" --max-tokens 64 -o "$scratch/$name" >"$scratch/log" 2>&1 && break
            outputs=$(sed -nE 's/.*lists 2 output\(s\), but .* has ([0-9]+).*/\1/p' "$scratch/log")
            hits=$(sed -nE 's/.*the model takes exactly ([0-9]+).*/\1/p' "$scratch/log")
            if [ -n "$outputs" ]; then
                inputs=$scratch/other.json
                sed "s/\[\"u\", \"v\"\]/[$(seq -s, "$outputs" | sed -E 's/([0-9]+)/"o\1"/g')]/" "$scratch/abc.json" >"$inputs"
            elif [ -n "$hits" ]; then
                events=$scratch/equal.csv
                awk -F, -v OFS=, -v n="$hits" 'NR > 1 { $1 = int((NR - 2) / n); $2 = NR } NR == 1 || NR - 1 <= n * int(66 / n)' "$scratch/abc.csv" >"$events"
            fi
        done
        [ -d "$scratch/$name" ] || { echo "notice: $path does not compile: $(tail -n 1 "$scratch/log" | cut -c 1-150)"; continue; }
        check "$path" export_as "$scratch/$name" "$scratch/c" "$name"
        check "$path: all words" "$compare" "$scratch/$name" "$scratch/c/$name.so" "$name"
    done
    local formats n=0
    for formats in w=8 act=8,act_in=8,w=4 packed auto q=18,k=18 act=14,w=14 residual=20,score=24 layers.0.q=9,layers.0.w_o=6,layers.1.w_o=14 p=15,v=16 in=18,out=24 w=16,qkv_in=16,ffn_in=16,hidden=16,ctx=16; do
        n=$((n + 1))
        check "formats $formats" same "f$n" models/seeded.onnx --formats "$formats" --device zcu104 --events models/seeded.csv --inputs models/seeded.inputs.json --calibrate 2 --select 1
    done
}

thousand() {
    local name events columns
    for name in seeded trigger encreg encreg_qat enccla; do
        local model=models/$name
        "$tessera" compile "$model.onnx" --device u250 --events "models/${name%_qat}.csv" --inputs "$model.inputs.json" --calibrate 5 --max-tokens 512 -o "$scratch/$name" >"$scratch/log" 2>&1 ||
            "$tessera" compile "$model.onnx" --device zcu102 --events "models/${name%_qat}.csv" --inputs "$model.inputs.json" --calibrate 5 --max-tokens 512 -o "$scratch/$name" >"$scratch/log" 2>&1
        events=$scratch/$name.csv
        [ "$name" = trigger ] && columns=2-6 || columns=10-40
        "$tessera" events --events 1000 --tracks $columns --seed 77 -o "$events" >/dev/null
        "$tessera" export "$scratch/$name" --target c --name "$name" -o "$scratch/c" >/dev/null
        check "$name builds" gcc -std=c99 -O2 "${warnings[@]}" -fPIC -shared "$scratch/c/$name.c" -o "$scratch/c/$name.so"
        check "$name: 1,000 events" "$compare" "$scratch/$name" "$scratch/c/$name.so" "$name" "$events"
        grep -E '^[0-9]+ events' "$scratch/log" | sed "s/^/$name: /"
    done
}

speed() {
    local name how
    for name in encreg enccla; do
        "$tessera" compile "models/$name.onnx" --device zcu102 --events "models/$name.csv" --inputs "models/$name.inputs.json" --calibrate 5 --max-tokens 512 -o "$scratch/$name" >/dev/null 2>&1
        "$tessera" export "$scratch/$name" --target c --name "$name" -o "$scratch/c" >/dev/null
        for how in "gcc -O2" "gcc -O3" "clang -O2" "gcc -O2 -march=native" "clang -O2 -march=native" "gcc -O3 -DTESSERA_PLAIN_C" "clang -O2 -DTESSERA_PLAIN_C"; do
            # shellcheck disable=SC2086
            check "$name, $how" $how -std=c99 -fPIC -shared "$scratch/c/$name.c" -o "$scratch/c/$name.so"
            check "$name, $how: runs" env OMP_NUM_THREADS=1 "$compare" "$scratch/$name" "$scratch/c/$name.so" "$name" speed 512
            echo "$name, $how: $(grep hits: "$scratch/log")"
            [[ $how == *PLAIN* ]] || check "$name, $how: at least half as fast" awk '/hits:/ { exit $(NF - 3) < .5 }' "$scratch/log"
        done
    done
}

case ${1-} in
speed) speed; end ;;
models) models; end ;;
thousand) thousand; end ;;
'') ;;
*) echo "export.sh: no such part: $1" >&2; exit 2 ;;
esac

# ---- One model, every mode and form, with the CSV that the command writes
small=(--events "$scratch/abc.csv" --inputs "$scratch/abc.json" --max-tokens 24)
seeded=(models/seeded.onnx --events models/seeded.csv --inputs models/seeded.inputs.json --max-tokens 24 --calibrate 2)
check "whole" same whole test/models/torch_pre.onnx "${small[@]}" --device zcu102
check "pooled" same pooled test/models/torch_mean.onnx "${small[@]}" --device pynq-z2
check "norms on q and k, RMS" same norms test/models/torch_qk_rms_norm_all.onnx "${small[@]}" --device zcu102
check "final norm, GELU" same final test/models/torch_pre_gelu_final.onnx "${small[@]}" --device zcu102
check "quantised in training" same qdq test/models/qdq/exact.onnx "${small[@]}" --device zcu102
check "packed" same packed "${seeded[@]}" --device zcu104 --formats packed --select 1
check "paged" same paged "${seeded[@]}" --device pynq-z2 --mode paged
check "split" same split "${seeded[@]}" --device pynq-z2,pynq-z2 --mode split
check "replicated" same replicated "${seeded[@]}" --device u250 --mode replicated
check "assisted" same assisted test/models/torch_pre.onnx "${small[@]}" --device zcu102 --hardware layers.0.ffn-1
check "an assisted one says so" grep -q "layers.0.ffn-1 of a larger model" "$scratch/c/assisted.h"

# The example gives what the command writes.
"$tessera" export "$scratch/whole" --target c --wrapper cms --name model -o "$scratch/empty" >/dev/null
check "the example builds" gcc -std=c99 -D_DEFAULT_SOURCE -O2 -I"$scratch/empty" "${warnings[@]}" examples/run_exported.c "$scratch/empty/model.c" -o "$scratch/run"
check "the command runs" "$tessera" run "$scratch/whole" --engine integer --events "$scratch/abc.csv" --limit 2 -o "$scratch/want.csv"
awk -F, 'NR == 1 || $1 < 2' "$scratch/abc.csv" | "$scratch/run" >"$scratch/got.csv"
check "both write the same" diff <(tail -n +2 "$scratch/want.csv") "$scratch/got.csv"
awk -F, 'NR == 1 || $1 == 2' "$scratch/abc.csv" | "$scratch/run" >"$scratch/got.csv" 2>"$scratch/err"
check "an event that is too long is refused" test ! -s "$scratch/got.csv" -a -s "$scratch/err"

# ---- Nothing but the two files, every compiler, both languages, no memory of its own
pushd "$scratch/empty" >/dev/null || exit 1
check "three files" test "$(echo *)" = "model.c model.h model_emulator.cpp"
for how in "gcc -std=c99" "gcc -std=c11 -O3" "clang -std=c99" "g++ -x c++ -std=c++11" "g++ -x c++ -std=c++20" "clang++ -x c++ -std=c++11" "gcc -std=c99 -DTESSERA_PLAIN_C" \
    "clang -std=c99 -DTESSERA_PLAIN_C" "g++ -x c++ -std=c++17 -march=native" "gcc -std=c99 -m32 -fsyntax-only -mno-sse"; do
    # -m32 needs no headers of its own but stdint.h
    [[ $how != *-m32* ]] || echo '#include <string.h>' | gcc -m32 -fsyntax-only -xc - 2>/dev/null || continue
    # shellcheck disable=SC2086
    check "$how" $how -O2 "${warnings[@]}" -c model.c -o "$scratch/model.o"
done
gcc -std=c99 -O2 -c model.c -o "$scratch/model.o"
check "it asks for nothing but copies of memory" test -z "$(nm -u "$scratch/model.o" | grep -vE ' (memcpy|memset|memmove|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$')"
check "and has nothing that changes" bash -c "! objdump -t '$scratch/model.o' | grep -E ' O \.(data|bss)[[:space:]]|\*COM\*'"
sed 's/\(MODEL_BUILD 0x\)./\10/; s/\(MODEL_BUILD 0x.\)./\10/' model.h >"$scratch/other.h"
mkdir "$scratch/mixed" && cp model.c "$scratch/mixed" && cp "$scratch/other.h" "$scratch/mixed/model.h"
check "with another header it does not compile" bash -c "! gcc -std=c99 -fsyntax-only '$scratch/mixed/model.c'"
popd >/dev/null || exit 1

# ---- Two threads, and what the sanitizers see
for build in "clang -fsanitize=thread" "gcc -fsanitize=address,undefined -fno-sanitize-recover=all" "clang -fsanitize=address,undefined -fno-sanitize-recover=all -DTESSERA_PLAIN_C"; do
    # shellcheck disable=SC2086
    check "threads: $build" $build -std=c99 -D_DEFAULT_SOURCE -g -O1 -I"$scratch/empty" test/e2e/export_threads.c "$scratch/empty/model.c" -lpthread -o "$scratch/threads"
    check "threads: $build: runs" "$scratch/threads"
done

# ---- The class
check "CMS: the library" g++ -std=c++17 -O2 "${warnings[@]}" -fPIC -shared -Itest/e2e/cms -I"$scratch/empty" "$scratch/empty/model_emulator.cpp" "$scratch/empty/model.c" -o "$scratch/model.so"
check "CMS: by clang" clang++ -std=c++17 "${warnings[@]}" -fsyntax-only -Itest/e2e/cms "$scratch/empty/model_emulator.cpp"
check "CMS: a program that loads it" g++ -std=c++17 -O1 -Itest/e2e/cms -I"$scratch/empty" test/e2e/cms/load.cpp "$scratch/empty/model.c" -ldl -o "$scratch/load"
check "CMS: loads and agrees" "$scratch/load" "$scratch/model.so"

# ---- Wrong usage
refused() { # STATUS COMMAND...
    local status=$1
    shift
    "$@"
    [ $? -eq "$status" ]
}
check "no design" refused 4 "$tessera" export "$scratch/nowhere" --target c -o "$scratch/x"
check "no such target" refused 2 "$tessera" export "$scratch/whole" --target rust -o "$scratch/x"
check "no such wrapper" refused 2 "$tessera" export "$scratch/whole" --wrapper atlas -o "$scratch/x"
check "no identifier" refused 2 "$tessera" export "$scratch/whole" --name a-b -o "$scratch/x"
check "nothing was written" test ! -e "$scratch/x"
end
