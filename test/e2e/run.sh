#!/usr/bin/env bash
# The whole flow through the command line, on the seeded model of models/. (Real models: real.sh.)
set -uo pipefail
cd "$(dirname "$0")/../.."
tessera=$PWD/${TESSERA:-build/tessera}
model=$PWD/models/seeded.onnx csv=$PWD/models/seeded.csv inputs=$PWD/models/seeded.inputs.json
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
dir="$scratch/it's \$HOME, \`echo\` #1" # as users name folders, and tools stumble over
mkdir "$dir"
passed=0 failed=0

check() { # WHAT COMMAND...
    local what=$1 start=$SECONDS
    shift
    if "$@" >"$dir/log" 2>&1; then passed=$((passed + 1)); echo "ok      $what ($((SECONDS - start)) s)"; else
        failed=$((failed + 1)); echo "FAILED  $what: $*"; tail -n 15 "$dir/log"
    fi
}
# report DIR EXPRESSION: a condition on DIR/report.json, as python sees it
report() {
    /usr/bin/python3 - "$1" "$2" <<'P'
import json, sys
r = json.load(open(sys.argv[1] + "/report.json"))
s, p = r.get("simulated"), r["predicted"]
print(json.dumps(s), json.dumps(p))
sys.exit(0 if eval(sys.argv[2]) else 1)
P
}
exact="s['bit_exact'] and s['mismatches'] == 0 and s['events'] == len(s['per_event'])"

# Tests in C, beside what follows: each waits for compilers and simulators of one thread most of the time.
beside() { # PROGRAM...
    local name start
    for name in "$@"; do
        start=$SECONDS
        if "build/test/${name}_test" >"$scratch/$name" 2>&1; then echo "ok      $name ($((SECONDS - start)) s)"; else
            echo "FAILED  $name"; tail -n 15 "$scratch/$name"
        fi
    done
}
programs=(ring system ring_packed ring_paged ring_forms ring_slices ring_norms)
beside "${programs[@]:0:3}" >"$scratch/lane1" &
lanes=$!
beside "${programs[@]:3}" >"$scratch/lane2" &
lanes+=" $!"

# Two compiles give the same bytes.
compile=("$tessera" compile "$model" --device zcu102 --inputs "$inputs" --events "$csv" --max-tokens 256 --target-ii 200)
check "compile" "${compile[@]}" -o "$dir/a"
check "compile again, into new folders" "${compile[@]}" -o "$dir/new/er/b"
check "byte-identical" diff -r "$dir/a" "$dir/new/er/b"
check "bytes of many models on many devices are known" test/e2e/bytes.sh
check "packages for vendors' tools, against schemas and what the guides say" test/e2e/vendor.sh
check "packages for boards, through their AXI tops with two clocks" test/e2e/board.sh whole pooled tokens paged
check "its Verilog is SystemVerilog, too" scripts/check_verilog.sh -d "$dir/a"
check "simulate" "$tessera" simulate "$dir/a" --events "$csv" --limit 4
check "bit-exact" report "$dir/a" "$exact and s['events'] == 4 and s['refused'] == 0"
check "lone events" "$tessera" simulate "$dir/a" --events "$csv" --limit 3 --lone
check "latency within 2 % of the prediction" report "$dir/a" "$exact and all(abs(e['latency_cycles'] / e['predicted_cycles'] - 1) < .02 for e in s['per_event'])"
check "stalls" "$tessera" simulate "$dir/a" --events "$csv" --limit 3 --stalls 30 --seed 7
check "bit-exact with stalls" report "$dir/a" "$exact and s['stall_percent'] == 30"
check "weights written at run time" "$tessera" simulate "$dir/a" --events "$csv" --limit 2 --load

# A weight that is not the model's: the hardware differs, and the command says so by its exit status.
cp -r "$dir/a" "$dir/spoiled"
spoil() { # the first digit that is not 0 of the biases of the embedding
    local image
    image=$(grep -l "[1-9a-f]" "$dir/spoiled"/mem/embed*_b_*.hex | head -n 1)
    sed -i '0,/[1-9a-f]/s/[1-9a-f]/0/' "$image"
}
check "an image is spoiled" spoil
differs() { "$@"; [ $? -eq 11 ]; }
check "hardware that differs is exit status 11" differs "$tessera" simulate "$dir/spoiled" --events "$csv" --limit 1
check "and so says the report" report "$dir/spoiled" "not s['bit_exact'] and s['mismatches'] > 0"

# One hit, the longest event, one too long between others.
/usr/bin/python3 - "$csv" "$dir/lengths.csv" <<'P'
import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
out = csv.writer(open(sys.argv[2], "w"), lineterminator="\n")
out.writerow(rows[0])
for event, n in enumerate((1, 256, 257, 3, 2, 256, 300, 1, 97)):
    for hit in range(n):
        out.writerow([event, hit] + rows[1 + (event * 31 + hit) % (len(rows) - 1)][2:])
P
refuses() { "$@"; [ $? -eq 3 ]; } # done, but for events that the design does not take
check "1, longest, too long" refuses "$tessera" simulate "$dir/a" --events "$dir/lengths.csv"
check "refused whole, others right" report "$dir/a" "$exact and s['refused'] == 2 and [e['tokens'] for e in s['per_event'] if 'latency_cycles' not in e] == [257, 300]"

for engine in integer rtl; do
    check "refused events, --engine $engine" refuses "$tessera" run "$dir/a" --engine $engine --events "$dir/lengths.csv" -o "$dir/refused_$engine.csv"
done
check "both leave out the same events" cmp "$dir/refused_integer.csv" "$dir/refused_rtl.csv"
for engine in float integer rtl; do
    check "run --engine $engine" "$tessera" run "$dir/a" --engine $engine --events "$csv" --limit 2 -o "$dir/$engine.csv"
done
check "integer and rtl write the same file" cmp "$dir/integer.csv" "$dir/rtl.csv"
exported() { # the exported C, called by the example, which takes the columns that the model reads
    "$tessera" export "$dir/a" --target c --name model -o "$dir/c" && gcc -std=c99 -O2 -I"$dir/c" examples/run_exported.c "$dir/c/model.c" -o "$dir/run" &&
        { echo event_id,hit_id; awk -F, 'NR > 1 && seen[$1]++ == 0 { events++ } NR > 1 && events <= 2 { print $1 "," $2 "," $3 "," $4 "," $5 }' "$csv"; } | "$dir/run" >"$dir/c.csv" &&
        [ -s "$dir/c.csv" ] && tail -n +2 "$dir/rtl.csv" | cmp - "$dir/c.csv"
}
check "exported C writes what the hardware gives" exported
check "designs as C" test/e2e/export.sh
as_c() { # NAME EVENTS: of a design that was simulated on these events
    "$tessera" export "$dir/$1" --target c --name "$1" -o "$dir/c" && gcc -std=c99 -O2 -fPIC -shared "$dir/c/$1.c" -o "$dir/c/$1.so" &&
        build/test/exported_test "$dir/$1" "$dir/c/$1.so" "$1" "$2"
}
check "exported C on the simulated events" as_c a "$csv"
check "and on refused ones" as_c a "$dir/lengths.csv"
check "trace" "$tessera" run "$dir/a" --engine rtl --events "$csv" --limit 1 --trace "$dir/trace" -o "$dir/trace.csv"
cp "$dir/log" "$dir/trace.log"
check "no stage differs" grep -q "none in any stage" "$dir/trace.log"
awk -F, '$1 != 0 && $1 != 1' "$dir/lengths.csv" >"$dir/long_first.csv" # begins with the one that is too long
for engine in integer rtl; do
    check "trace behind a refused event, --engine $engine" refuses "$tessera" run "$dir/a" --engine $engine --events "$dir/long_first.csv" --limit 4 \
        --trace "$dir/trace" -o "$dir/long_first_$engine.csv"
    cp "$dir/log" "$dir/trace.log"
    check "of one that the design takes" grep -q "stages of event 3, 3 hits" "$dir/trace.log"
done
check "no stage differs there" grep -q "none in any stage" "$dir/trace.log"
check "refused events are refused with a trace, too" cmp "$dir/long_first_integer.csv" "$dir/long_first_rtl.csv"

# Weights in external memory: what a plan by itself chooses, pauses and faults of the memory.
check "paged: compile" "$tessera" compile "$model" --device pynq-z2 --mode paged --inputs "$inputs" --events "$csv" --max-tokens 256 -o "$dir/paged"
check "paged: its Verilog is SystemVerilog, too" scripts/check_verilog.sh -d "$dir/paged"
check "paged: lone events" "$tessera" simulate "$dir/paged" --events "$csv" --limit 2 --lone
check "paged: latency within 2 % of the prediction" report "$dir/paged" "$exact and all(abs(e['latency_cycles'] / e['predicted_cycles'] - 1) < .02 for e in s['per_event'])"
check "paged: pauses of memory" "$tessera" simulate "$dir/paged" --events "$csv" --limit 2 --memory-stalls 40 --stalls 10
check "paged: a late page" "$tessera" simulate "$dir/paged" --events "$csv" --limit 2 --page-fault late:0:9:20000
check "is late and does no harm" report "$dir/paged" "$exact and s['flagged'] == 0 and any(t['late'] for t in s['pages'][0]['stages'])"
check "paged: a page that cannot be read" "$tessera" simulate "$dir/paged" --events "$csv" --limit 3 --page-fault error:0:9
check "spoils its own event" report "$dir/paged" "$exact and [e.get('flagged', False) for e in s['per_event']] == [False, True, False] and s['pages'][0]['fetched_again'] >= 3"

check "split: compile" "$tessera" compile "$model" --device pynq-z2,pynq-z2 --mode split --inputs "$inputs" --events "$csv" --max-tokens 64 -o "$dir/two"
check "split: its Verilog is SystemVerilog, too" scripts/check_verilog.sh -d "$dir/two"

# A model that was quantised in training: formats of the file, the first q, k, v not fused with the embedding.
printf '%s\n' '{"inputs": [{"column": "a"}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$dir/qdq.json"
awk 'BEGIN { srand(3); print "event_id,hit_id,a,b,c"
    for (e = 0; e < 3; e++) for (h = 0; h < 5 + 17 * e; h++) print e "," h "," 3 * rand() - 1.5 "," 3 * rand() - 1.5 "," 3 * rand() - 1.5 }' >"$dir/qdq.csv"
check "quantised in training: compile" "$tessera" compile test/models/qdq/exact.onnx --device zcu102 --inputs "$dir/qdq.json" --events "$dir/qdq.csv" \
    --max-tokens 64 --target-ii 40 -o "$dir/qdq"
check "quantised in training: simulate with stalls" "$tessera" simulate "$dir/qdq" --events "$dir/qdq.csv" --stalls 20
check "quantised in training: bit-exact" report "$dir/qdq" "$exact and s['events'] == 3"
check "quantised in training: exported C" as_c qdq "$dir/qdq.csv"

check "fine-tuned EncReg: compile" "$tessera" compile models/encreg_qat.onnx --formats p=11 --device zcu102 --events models/encreg.csv \
    --inputs models/encreg_qat.inputs.json -o "$dir/qat"
cp "$dir/log" "$dir/qat.log"
check "every product shares a DSP" grep -qE "^Two products a DSP in embed0, qkv, o, ffn1, ffn2, head0, scores.*, context" "$dir/qat.log"
check "nothing of the file is left out" awk '/warning: .*node /{ exit 1 }' "$dir/qat.log"

# A mask that the model computes from its data: the float engine says where it fires on a real hit, and only there.
printf '%s\n' '{"inputs": [{"column": "a", "mean": 0, "std": 1}, {"column": "b", "mean": 0, "std": 1}, {"column": "c", "mean": 0, "std": 1}],' \
    '"task": "regression", "outputs": ["p", "q"]}' >"$dir/abc.json"
printf '%s\n' event_id,hit_id,a,b,c 7,1,1,2,3 7,20,1,-3,2 8,1,1,1,1 >"$dir/zero.csv"
data_mask() { # EVENTS LINES: how many lines the warning has
    "$tessera" run test/models/onnx_data_mask.onnx --engine float --events "$1" --inputs "$dir/abc.json" -o "$dir/data_mask.csv" 2>"$dir/warnings"
    local status=$?
    cat "$dir/warnings"
    [ $status -eq 0 ] && [ "$(wc -l <"$dir/warnings")" -eq "$2" ]
}
check "mask from data fires on a hit" data_mask "$dir/zero.csv" 2
check "and is named" grep -q 'event 7: on 1 of 2 hits, hit_id 20$' "$dir/warnings"
grep -v 20 "$dir/zero.csv" >"$dir/nonzero.csv"
check "mask from data does not fire" data_mask "$dir/nonzero.csv" 0

# Assisted: a model with a convolutional tokenizer, and any slice of one that is all hardware.
samples() { # FILE SEED DIM...: a .npy of random values
    /usr/bin/python3 -c 'import sys, numpy
file, seed, *shape = sys.argv[1:]
numpy.save(file, numpy.random.default_rng(int(seed)).normal(size=tuple(map(int, shape))).astype(numpy.float32))' "$@"
}
near() { # A.csv B.csv SHARE: root mean square of the differences at most SHARE of that of B
    /usr/bin/python3 - "$@" <<'P'
import csv, sys
a, b = (list(csv.reader(open(p))) for p in sys.argv[1:3])
assert a[0] == b[0] and len(a) == len(b) > 1
pairs = [(float(x), float(y)) for r, s in zip(a[1:], b[1:]) for x, y in zip(r[1:], s[1:])]
off = (sum((x - y) ** 2 for x, y in pairs) / sum(y * y for _, y in pairs)) ** .5
print("off by %.4f %%" % (100 * off))
sys.exit(0 if off <= float(sys.argv[3]) else 1)
P
}
engines() { # NAME EVENTS...: all three engines agree on DIR/NAME
    local name=$1 engine
    shift
    for engine in float integer rtl; do
        check "$name: --engine $engine" "$tessera" run "$dir/$name" --engine $engine "$@" -o "$dir/$name.$engine.csv"
    done
    check "$name: integer and rtl write the same file" cmp "$dir/$name.integer.csv" "$dir/$name.rtl.csv"
    check "$name: near the float model" near "$dir/$name.integer.csv" "$dir/$name.float.csv" .005
}
samples "$dir/few.npy" 1 24 2 8 8
samples "$dir/fresh.npy" 2 6 2 8 8
conv=(compile test/models/assisted/conv_tokens.onnx --device zcu102 --input "$dir/few.npy" --target-ii 40)
check "assisted: inspect" "$tessera" inspect "${conv[1]}"
cp "$dir/log" "$dir/conv.log"
check "it names what has no hardware" grep -q "why .*'Conv_0' (Conv) has no hardware" "$dir/conv.log"
check "assisted: compile" "$tessera" "${conv[@]}" -o "$dir/conv"
check "assisted: compile again" "$tessera" "${conv[@]}" -o "$dir/conv2"
check "assisted: byte-identical" diff -r "$dir/conv" "$dir/conv2"
engines conv --input "$dir/fresh.npy"
check "assisted: simulate over the host's bus" "$tessera" simulate "$dir/conv" --input "$dir/fresh.npy" --lone --bus
check "assisted: bit-exact, times as the host sees them" report "$dir/conv" "$exact and s['events'] == len(s['with_bus']) == 6 and r['host']['measured']['events'] == 6 and all(abs(e['predicted_cycles'] / e['latency_cycles'] - 1) < .03 for e in s['with_bus'])"
check "assisted: profile" "$tessera" profile "$dir/conv" --input "$dir/fresh.npy"
check "assisted: trace" "$tessera" run "$dir/conv" --engine integer --input "$dir/fresh.npy" --trace "$dir/conv.trace" -o "$dir/trace.csv"
slice=layers.0.ffn-2.attention
check "slice: compile" "$tessera" compile test/models/torch_pre.onnx --hardware $slice --device zcu102 --inputs "$dir/qdq.json" --events "$dir/qdq.csv" \
    --max-tokens 64 --target-ii 40 -o "$dir/slice"
engines slice --events "$dir/qdq.csv"
check "slice: simulate with stalls" "$tessera" simulate "$dir/slice" --events "$dir/qdq.csv" --stalls 20
check "slice: bit-exact" report "$dir/slice" "$exact and s['events'] == 3 and r['host']['hardware'] == '$slice'"
sed 's/\["u", "v"\]/["u", "v", "w"]/' "$dir/qdq.json" >"$dir/three.json"
check "any number of hits: compile" "$tessera" compile test/models/assisted/directions.onnx --device zcu102 --inputs "$dir/three.json" \
    --events "$dir/qdq.csv" -o "$dir/directions"
for engine in float integer; do
    check "any number of hits: --engine $engine" "$tessera" run "$dir/directions" --engine $engine --events "$dir/qdq.csv" -o "$dir/directions.$engine.csv"
done
check "any number of hits: near the float model" near "$dir/directions.integer.csv" "$dir/directions.float.csv" .005

# The shipped models find the tracks of fresh events, as integers too; limits and reasons: train/README.md.
physics() {
    scripts/physics.sh 40 1005 >"$dir/physics" || return 1
    cat "$dir/physics"
    awk '
        /^EncReg\(.*\(5, 2\)/ { n += $5 >= .85; encreg = $5 }
        /^EncCla\(/ { n += $3 >= .88 }
        /^no model.*\(5, 2\)/ { n += encreg >= $8 + .05 }
        END { exit n != 5 }' "$dir/physics"
}
check "track scores of the shipped models" physics

# The page of results is what its measurements give, to the byte: nobody edited it.
results() { bench/bench.py --page "$dir/docs" && cmp "$dir/docs/results.md" docs/results.md && diff -r "$dir/docs/results" docs/results; }
check "docs/results.md" results

wait $lanes
cat "$scratch"/lane?
ok=$(cat "$scratch"/lane? | grep -c '^ok ')
passed=$((passed + ok)) failed=$((failed + ${#programs[@]} - ok))
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
