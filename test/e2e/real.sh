#!/usr/bin/env bash
# Published and trained models on real events. Usage: test/e2e/real.sh TESSERA DATA TEMP   (called by ./test.sh real where ../shared is there)
set -uo pipefail
tessera=$1 data=$2 dir=$3
models=$data/trackformers events=$data/trackml
status=0

step() { # WHAT COMMAND...
    local what=$1 start=$SECONDS
    shift
    if "$@" >"$dir/step" 2>&1; then echo "ok      real: $what ($((SECONDS - start)) s)"; else
        status=1
        echo "FAILED  real: $what: $*"
        tail -n 15 "$dir/step"
    fi
}

# compare A.csv B.csv WHAT: max and rms difference, median |a-b| over the standard deviation of b, by hit
compare() {
    /usr/bin/python3 - "$@" <<'P'
import csv, math, sys
a, b = (list(csv.reader(open(p)))[1:] for p in sys.argv[1:3])
ids = {tuple(r[:2]): r[2:] for r in a}
pairs = [[(float(x), float(y)) for x, y in zip(ids[tuple(r[:2])], r[2:])] for r in b]
diff = [abs(x - y) for p in pairs for x, y in p]
relative = []
for c in range(len(pairs[0])):
    column = [p[c] for p in pairs]
    mean = sum(y for _, y in column) / len(column)
    std = math.sqrt(sum((y - mean) ** 2 for _, y in column) / len(column))
    relative += [abs(x - y) / std for x, y in column]
relative.sort()
largest, rms = max(diff), math.sqrt(sum(d * d for d in diff) / len(diff))
median, p95 = relative[len(relative) // 2], relative[len(relative) * 95 // 100]
print("max %.3g rms %.3g median %.3f %% 95th %.2f %%" % (largest, rms, 100 * median, 100 * p95))
sys.exit(0 if eval(sys.argv[3]) else 1)
P
}
report() {
    /usr/bin/python3 - "$1" "$2" <<'P'
import json, sys
r = json.load(open(sys.argv[1] + "/report.json"))
s, p = r["simulated"], r["predicted"]
print(json.dumps(s), json.dumps(p))
sys.exit(0 if eval(sys.argv[2]) else 1)
P
}

# loss INTEGER.csv FLOAT.csv TRUTH INPUTS CONDITION: of the trackml score, by the inputs file's clusterer: loss, its standard error se; median, p95
loss() {
    "$tessera" score "$1" --against "$2" --truth "$3" --inputs "$4" --subset --json >"$dir/score.json" || return 1
    /usr/bin/python3 - "$dir/score.json" "$5" <<'P'
import json, sys
row = next(r for r in json.load(open(sys.argv[1]))["rows"] if "loss" in r)
loss, se = row["loss"]["trackml"]["mean"], row["loss"]["trackml"]["standard_error"]
median, p95 = row["difference"].get("median"), row["difference"].get("p95")
print("loss %.4f +- %.4f, median %s, p95 %s" % (loss, se, median, p95))
sys.exit(0 if eval(sys.argv[2]) else 1)
P
}
# as_c NAME EVENTS: a design's exported C against the integer model on the events that it is simulated on
as_c() {
    "$tessera" export "$dir/$1" --target c --name "m_$1" -o "$dir/c" && gcc -std=c99 -O2 -fPIC -shared "$dir/c/m_$1.c" -o "$dir/c/$1.so" &&
        "$(dirname "$tessera")/test/exported_test" "$dir/$1" "$dir/c/$1.so" "m_$1" "$2"
}
# found DIR CONDITION: of what a search for formats reports, s; its verdict on events that took no part, t
found() {
    /usr/bin/python3 - "$1" "$2" <<'P'
import json, sys
s = json.load(open(sys.argv[1] + "/report.json"))["search"]
t = s.get("test", {})
print(s["dsp_cost"], s["selection"], t)
sys.exit(0 if eval(sys.argv[2]) else 1)
P
}

inputs=$events/encreg_trackml.inputs.json
encreg=$models/encreg_trackml_50to100.onnx
step "float reference" "$tessera" run "$encreg" --engine float --events "$events/trackml_50to100.csv" --inputs "$inputs" --limit 10 -o "$dir/float.csv"
step "float reference agrees with onnxruntime" compare "$dir/float.csv" "$events/trackml_50to100.float.csv" "largest <= 5e-3 and rms <= 1e-4"
cla=$models/enccla_trackml_10to50.onnx
step "float reference of EncCla" "$tessera" run "$cla" --engine float --events "$events/trackml_10to50.csv" --inputs "$events/enccla_trackml.inputs.json" --limit 10 -o "$dir/floatcla.csv"
step "EncCla agrees with onnxruntime" compare "$dir/floatcla.csv" "$events/trackml_10to50.float.csv" "largest <= 5e-3 and rms <= 1e-4"

step "compile EncReg" "$tessera" compile "$encreg" --device zcu102 --clock 250 --max-tokens 768 --plan-tokens 512 --events "$events/trackml_50to100.csv" --inputs "$inputs" -o "$dir/encreg"
step "integer" "$tessera" run "$dir/encreg" --engine integer --events "$events/trackml_50to100_test.csv" -o "$dir/int.csv"
step "float, same events" "$tessera" run "$dir/encreg" --engine float --events "$events/trackml_50to100_test.csv" -o "$dir/flt.csv"
step "integer within 1.2 % of float" compare "$dir/int.csv" "$dir/flt.csv" "median <= 0.012"
step "simulate three events of 512 hits" "$tessera" simulate "$dir/encreg" --events "$events/trackml_512.csv"
step "bit-exact, latency, utilisation" report "$dir/encreg" "s['bit_exact'] and s['mismatches'] == 0 and s['events'] == 3 and s['mac_utilisation'] >= 0.88 and all(abs(e['latency_cycles'] / e['predicted_cycles'] - 1) <= .02 for e in s['per_event']) and abs(s['interval_cycles'] / p['interval_cycles'] - 1) <= .02 and p['resources']['yosys']['dsp'] >= .65 * 2520"
step "30 % stalls" "$tessera" simulate "$dir/encreg" --events "$events/trackml_512.csv" --stalls 30
step "bit-exact with stalls" report "$dir/encreg" "s['bit_exact'] and s['mismatches'] == 0 and s['events'] == 3 and s['stall_percent'] == 30"
step "exported C on these events" as_c encreg "$events/trackml_512.csv"
step "exported C on others" as_c encreg "$events/trackml_50to100_test.csv"
step "three events of another file" "$tessera" simulate "$dir/encreg" --events "$events/trackml_50to100_test.csv" --limit 3
step "bit-exact" report "$dir/encreg" "s['bit_exact'] and s['mismatches'] == 0 and s['events'] == 3"

# Formats chosen by the tool, on events that took no part in choosing.
search() { # NAME MODEL EVENTS INPUTS OPTIONS...: compiles to $dir/NAME
    local name=$1 model=$2 from=$3 columns=$4
    shift 4
    step "$name: search" "$tessera" compile "$model" --device zcu102 --max-tokens 768 --events "$from" --inputs "$columns" "$@" -o "$dir/$name"
}
search auto "$encreg" "$events/trackml_50to100.csv" "$inputs" --plan-tokens 512 --formats auto
search packed "$encreg" "$events/trackml_50to100.csv" "$inputs" --plan-tokens 512 --formats packed
search exact "$encreg" "$events/trackml_50to100.csv" "$inputs" --plan-tokens 512 --formats auto --loss 0.002
for name in auto packed exact; do
    step "$name: test events" "$tessera" run "$dir/$name" --engine integer --events "$events/trackml_50to100_test.csv" -o "$dir/$name.csv"
done
judge() { loss "$dir/$1.csv" "$dir/flt.csv" "$events/trackml_50to100_test.csv" "$inputs" "$2"; }
step "auto: loss" judge auto "loss <= .005 and loss + se <= .012 and median <= .04 and p95 <= .4"
step "auto: DSP cost" found "$dir/auto" "s['dsp_cost'] <= .7"
step "packed: loss" judge packed "loss <= .03"
step "packed: DSP cost" found "$dir/packed" "s['dsp_cost'] == .5"
step "loss of 0.002" judge exact "loss <= .002 and median <= .01"
for name in auto packed; do
    step "$name: simulate an event of 512 hits" "$tessera" simulate "$dir/$name" --events "$events/trackml_512.csv" --limit 1 --stalls 20
    step "$name: bit-exact" report "$dir/$name" "s['bit_exact'] and s['mismatches'] == 0 and s['events'] == 1"
    step "$name: exported C" as_c "$name" "$events/trackml_512.csv"
done
search enccla_auto "$cla" "$events/trackml_10to50.csv" "$events/enccla_trackml.inputs.json" --formats auto --logits
step "EncCla: DSP cost, agreement where float is sure" found "$dir/enccla_auto" "s['dsp_cost'] <= .6 and t['argmax_agreement_above_median_margin'] >= .99"
for engine in float integer; do
    step "EncCla: $engine" "$tessera" run "$dir/enccla_auto" --engine $engine --events "$events/trackml_10to50_test.csv" --limit 60 -o "$dir/enccla_$engine.csv"
done
step "EncCla: loss" loss "$dir/enccla_integer.csv" "$dir/enccla_float.csv" "$events/trackml_10to50_test.csv" "$events/enccla_trackml.inputs.json" "loss <= .003"

# The other models: small, slow rings, so that their simulators build quickly; one event each.
small=(--device zcu102 --max-tokens 768 --target-ii 400)
other() { # NAME MODEL EVENTS INPUTS
    step "$1: compile" "$tessera" compile "$2" "${small[@]}" --events "$3" --inputs "$4" -o "$dir/$1"
    step "$1: simulate" "$tessera" simulate "$dir/$1" --events "$3" --limit 1
}
other redvid_helical "$models/encreg_redvid_10to50_helical.onnx" "$events/redvid_like.csv" "$events/encreg_redvid.inputs.json"
other redvid_linear "$models/encreg_redvid_3_linear.onnx" "$events/redvid_like.csv" "$events/encreg_redvid.inputs.json"
other enccla "$cla" "$events/trackml_10to50.csv" "$events/enccla_trackml.inputs.json"
other masked "$models/encreg_trackml_50to100_masked_opset17.onnx" "$events/trackml_50to100.csv" "$inputs"

# The masked model on padded events gives the unmasked model's outputs: the same rows, with padding rows between.
/usr/bin/python3 - "$events/trackml_50to100.csv" "$inputs" "$dir" <<'P'
import csv, json, sys
rows = list(csv.reader(open(sys.argv[1])))
some = [r for r in rows[1:] if r[0] == rows[1][0]]
inputs = json.load(open(sys.argv[2]))
inputs["mask"] = "padding"
json.dump(inputs, open(sys.argv[3] + "/padded.json", "w"))
with open(sys.argv[3] + "/padded.csv", "w") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(rows[0] + ["padding"])
    for i, r in enumerate(some):
        out.writerow(r + [0])
        if i % 3 == 0:
            out.writerow([r[0], 10**9 + i] + ["7"] * (len(r) - 2) + [1])
with open(sys.argv[3] + "/plain.csv", "w") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(rows[0])
    out.writerows(some)
P
for engine in float integer rtl; do
    step "padded, $engine" "$tessera" run "$dir/masked" --engine $engine --events "$dir/padded.csv" --inputs "$dir/padded.json" -o "$dir/padded_$engine.csv"
    step "unpadded, $engine" "$tessera" run "$dir/masked" --engine $engine --events "$dir/plain.csv" -o "$dir/plain_$engine.csv"
    step "padding changes nothing, $engine" compare "$dir/padded_$engine.csv" "$dir/plain_$engine.csv" "largest == 0"
done

# Assisted: vision transformers whose tokenizer and pooling the host computes, against the outputs that come with them.
expected() { # OUT.csv EXPECTED.npy SHARE: root mean square of the differences at most SHARE of that of the expected
    /usr/bin/python3 - "$@" <<'P'
import csv, sys, numpy
got = numpy.array([[float(x) for x in row[1:]] for row in list(csv.reader(open(sys.argv[1])))[1:]])
want = numpy.load(sys.argv[2])
off = numpy.linalg.norm(got - want) / numpy.linalg.norm(want)
print("relative error %.2g" % off)
sys.exit(0 if got.shape == want.shape and off <= float(sys.argv[3]) else 1)
P
}
for pair in cct_1_16_16_8:100 cct_2_32_32_128_opset20:600; do
    name=${pair%:*} sample=$data/exporters/${pair%:*}
    step "$name: float" "$tessera" run "$sample.onnx" --engine float --input "$sample.input.npy" -o "$dir/$name.float.csv"
    step "$name: float reference" expected "$dir/$name.float.csv" "$sample.output.npy" 1e-4
    step "$name: compile" "$tessera" compile "$sample.onnx" --device zcu102 --input "$sample.input.npy" --target-ii "${pair#*:}" -o "$dir/$name"
    step "$name: simulate over the host's bus" "$tessera" simulate "$dir/$name" --input "$sample.input.npy" --lone --bus
    step "$name: bit-exact, predicted within 3 %" report "$dir/$name" "s['bit_exact'] and s['mismatches'] == 0 and s['events'] == 1 and abs(s['with_bus'][0]['predicted_cycles'] / s['with_bus'][0]['latency_cycles'] - 1) <= .03"
    step "$name: rtl" "$tessera" run "$dir/$name" --engine rtl --input "$sample.input.npy" -o "$dir/$name.csv"
    step "$name: close to the expected output" expected "$dir/$name.csv" "$sample.output.npy" .02
done

# Slices of published models, the rest on the host.
slice() { # NAME MODEL SLICE EVENTS INPUTS SHARE: median of the differences from float, over the standard deviation
    step "$1 $3: compile" "$tessera" compile "$2" "${small[@]}" --hardware "$3" --events "$4" --inputs "$5" -o "$dir/$1"
    step "$1 $3: integer" "$tessera" run "$dir/$1" --engine integer --events "$4" --limit 4 --logits -o "$dir/$1.csv"
    step "$1 $3: float" "$tessera" run "$dir/$1" --engine float --events "$4" --limit 4 --logits -o "$dir/$1.float.csv"
    step "$1 $3: near the float model" compare "$dir/$1.csv" "$dir/$1.float.csv" "median <= $6"
}
slice encreg_slice "$encreg" layers.2-4 "$events/trackml_50to100.csv" "$inputs" .012
step "encreg_slice: simulate" "$tessera" simulate "$dir/encreg_slice" --events "$events/trackml_50to100.csv" --limit 2
step "encreg_slice: bit-exact" report "$dir/encreg_slice" "s['bit_exact'] and s['mismatches'] == 0 and s['events'] == 2"
slice masked_slice "$models/encreg_trackml_50to100_masked_opset17.onnx" embed-layers.1.attention "$events/trackml_50to100.csv" "$inputs" .012
slice enccla_slice "$cla" layers.3.ffn-head "$events/trackml_10to50.csv" "$events/enccla_trackml.inputs.json" .012
exit $status
