#!/usr/bin/env bash
# Wrong files and wrong usage through the command line: every one must fail, with a message that says what is wrong, and leave
# nothing behind. Needs build/tessera; uses the small model of models/.
set -uo pipefail
cd "$(dirname "$0")/../.."
tessera=$PWD/${TESSERA:-build/tessera}
model=$PWD/models/seeded.onnx csv=$PWD/models/seeded.csv inputs=$PWD/models/seeded.inputs.json
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

report() { # ok|not, what
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2"; fi
}

# fails WHAT PATTERN COMMAND...: an exit status of failure (1 to 12, no crash; STATUS=N: that one), PATTERN on stderr
fails() {
    local what=$1 pattern=$2 status
    shift 2
    "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    if [ $status -ge 1 ] && [ $status -le 12 ] && [ $status -eq "${STATUS:-$status}" ] && grep -qE -- "$pattern" "$dir/err"; then report ok "$what"; else
        report not "$what: exit status $status; $(head -c 600 "$dir/err")"
    fi
}
works() {
    local what=$1
    shift
    if "$@" >"$dir/out" 2>"$dir/err"; then report ok "$what"; else report not "$what: $(head -c 600 "$dir/err")"; fi
}

compile=("$tessera" compile "$model" --device zcu102 --inputs "$inputs")
fails "unknown verb" "unknown verb 'frobnicate'" "$tessera" frobnicate
fails "unknown option" "unknown option '--frob'" "$tessera" inspect "$model" --frob
fails "missing operand" "MODEL.onnx is missing" "$tessera" inspect
fails "no events" "give --events FILE, or" "$tessera" compile "$model" --device zcu102 -o "$dir/d"
fails "number out of range" "expected an integer from 1" "${compile[@]}" --events "$csv" --max-tokens 0 -o "$dir/d"
fails "unknown device lists the known ones" "zcu102.*|pynq-z2" "$tessera" compile "$model" --device zcu1o2 --inputs "$inputs" --events "$csv" -o "$dir/d"
split=("$tessera" compile "$model" --inputs "$inputs" --events "$csv" --max-tokens 64 -o "$dir/d")
fails "unknown device in a list" "zcu1o2.*known are" "${split[@]}" --device pynq-z2,zcu1o2
fails "empty list of devices" "--device ,: a list of 1 to 16" "${split[@]}" --device ,
fails "unknown mode" "choose one of auto, monolithic, replicated, paged, split" "${split[@]}" --device zcu102 --mode sliced
fails "unknown objective" "choose latency, throughput or area" "${split[@]}" --device zcu102 --objective speed
for link in fast 0 100: 100:-1 100:2x; do
    fails "link $link" "--link $link: give MBITS" "${split[@]}" --device pynq-z2,pynq-z2 --link $link
done
for memory in fast 0 0.0001 8: 8:-1 8:2x; do
    fails "memory $memory" "--memory $memory: give GBYTES" "${split[@]}" --device zcu102 --mode paged --memory $memory
done
fails "pages without a memory" "vu13p has no external memory" "${split[@]}" --device vu13p --mode paged
fails "three page buffers" "--page-buffers" "${split[@]}" --device zcu102 --mode paged --page-buffers 3
fails "odd parity" "--parity odd: choose none, pages or all" "${split[@]}" --device zcu102 --parity odd
fails "split over one device" "at least two devices" "${split[@]}" --device zcu102 --mode split
fails "rings on several devices" "share one device" "${split[@]}" --device zcu102,zcu102 --mode replicated
fails "pin of no stage" "no stage \"layers.9\"; stages are" "${split[@]}" --device pynq-z2,pynq-z2 --pin layers.9=0
fails "pin to no device" "there is no device 2" "${split[@]}" --device pynq-z2,pynq-z2 --pin head=2
fails "pin to one of two" "more than once" "${split[@]}" --device pynq-z2,pynq-z2 --pin head=pynq-z2
fails "pins against the order" "with these pins" "${split[@]}" --device pynq-z2,pynq-z2 --pin head=0,embed=1
fails "a block on two devices" "layers.0.ffn is pinned to devices 0 and 1" "${split[@]}" --device pynq-z2,pynq-z2 --pin layers.0=0,layers.0.ffn=1
fails "pins that leave nothing to split" "put all blocks on device 0" "${split[@]}" --device pynq-z2,pynq-z2 --pin embed=0,head=0 --mode split
fails "pins against one device" "keep the model from being on one device" "${split[@]}" --device pynq-z2,pynq-z2 --pin layers.0=0,layers.1=1 --mode monolithic
fails "too many tokens" "needs [0-9]+ BRAM36, [0-9]+ more than the 729 allowed .*no known device would do; or lower --max-tokens" "$tessera" compile "$model" \
    --inputs "$inputs" --events "$csv" --max-tokens 60000 --device zcu102 -o "$dir/d"
fails "more tokens than any design takes" "must have 1 to 65535 hits" "$tessera" compile "$model" --inputs "$inputs" --events "$csv" --max-tokens 65536 --device u250 -o "$dir/d"
fails "longer events planned for than taken" "cannot plan for 500 hits" "${split[@]}" --device zcu102 --plan-tokens 500
fails "hardly any of the device" "more than the 4 allowed \(2 % of 220\).*would do" "${split[@]}" --device pynq-z2 --utilisation 0.02
fails "an interval that nothing reaches" "needs [0-9]+ DSP, .*raise --target-ii" "${split[@]}" --device pynq-z2 --target-ii 1
fails "an interval on a larger device" "vek280 would do.*zcu104 would do. Or raise --target-ii" "${split[@]}" --device pynq-z2 --target-ii 20
fails "no external memory" "vu13p has no external memory" "${split[@]}" --device vu13p --mode paged
fails "rings that do not fit" "no two rings of .* fit pynq-z2 together" "$tessera" compile "$model" --inputs "$inputs" --events "$csv" --max-tokens 3000 --device pynq-z2 \
    --mode replicated -o "$dir/d"
real=../shared/data
if [ -e "$real/trackformers/enccla_trackml_10to50.onnx" ]; then
    enccla=("$tessera" compile "$real/trackformers/enccla_trackml_10to50.onnx" --events "$real/trackml/trackml_10to50.csv" --inputs
        "$real/trackml/enccla_trackml.inputs.json" --max-tokens 512 -o "$dir/d")
    fails "EncCla on a PYNQ-Z2" "does not fit pynq-z2 .* 512 hits: it needs [0-9]+ BRAM36, [0-9]+ more than the 112 allowed.*would do.*external memory it needs" \
        "${enccla[@]}" --device pynq-z2
    fails "EncCla on two PYNQ-Z2" "layers.0.attention alone.*BRAM36, .*aup-zu3 would do" "${enccla[@]}" --device pynq-z2,pynq-z2
fi
fails "no cut fits" "no cut over the 2 devices fits: layers.0.attention alone:.*more than the" "${split[@]}" --device ice40up5k,ice40up5k
fails "no such model" "no-such.onnx" "$tessera" inspect "$dir/no-such.onnx"
fails "model is a directory" "directory" "$tessera" inspect "$dir"
fails "no such events" "no-such.csv: cannot read" "${compile[@]}" --events "$dir/no-such.csv" -o "$dir/d"
fails "CSV without inputs file" "--inputs FILE.json is needed" "$tessera" compile "$model" --device zcu102 --events "$csv" -o "$dir/d"
: >"$dir/empty.csv"
fails "empty CSV" "the file is empty" "${compile[@]}" --events "$dir/empty.csv" -o "$dir/d"
head -n 1 "$csv" >"$dir/header.csv"
fails "CSV without hits" "no hits" "${compile[@]}" --events "$dir/header.csv" -o "$dir/d"
cut -d, -f1-4 "$csv" >"$dir/column.csv"
fails "missing column" "column 'z' is missing" "${compile[@]}" --events "$dir/column.csv" -o "$dir/d"
sed '3s/,[^,]*,/,nan,/2' "$csv" >"$dir/nan.csv"
fails "NaN in the events" "nan.csv:3: column" "${compile[@]}" --events "$dir/nan.csv" -o "$dir/d"
head -c 5000 "$csv" >"$dir/cut.csv"
fails "truncated CSV" "cut.csv:[0-9]+:" "${compile[@]}" --events "$dir/cut.csv" -o "$dir/d"
sed 's/"theta", *//; s/"theta",//' "$inputs" >"$dir/outputs.json"
tr -d '\n' <"$inputs" | sed 's/"theta", *//' >"$dir/outputs.json"
fails "inputs file of another model" "output" "$tessera" compile "$model" --device zcu102 --inputs "$dir/outputs.json" --events "$csv" -o "$dir/d"
fails "unwritable output" "proc" "${compile[@]}" --events "$csv" -o /proc/tessera-out
mkdir "$dir/mine" && echo precious >"$dir/mine/file"
fails "somebody else's directory" "mine" "${compile[@]}" --events "$csv" -o "$dir/mine"
[ "$(cat "$dir/mine/file")" = precious ] && report ok kept || report not "somebody else's directory was touched"
qdq=$PWD/test/models/qdq
fails "rounded to fewer bits than any format has" "asks for 3 bits for 'q', which has 4 to 18" "$tessera" inspect "$qdq/refused/three_bits.onnx"
fails "weights with scales of inputs" "have scales along the layer's inputs" "$tessera" inspect "$qdq/refused/scales_of_inputs.onnx"
fails "zero point outside of the codes" "the zero point 3000 lies outside" "$tessera" inspect "$qdq/refused/zero_outside.onnx"
printf 'event_id,hit_id,a,b,c\n1,1,0.1,0.2,0.3\n1,2,0.3,-0.2,0.1\n' >"$dir/qdq.csv"
printf '{"inputs": [{"column": "a"}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$dir/qdq.json"
fails "formats that contradict the model's file" "the model was quantised in training to 12 bits" "$tessera" compile "$qdq/exact.onnx" \
    --device zcu102 --events "$dir/qdq.csv" --inputs "$dir/qdq.json" --formats qkv_in=10 -o "$dir/d"
fails "unknown format" "qkv_in" "${compile[@]}" --events "$csv" --formats norm=8 -o "$dir/d"
fails "format out of range" "q" "${compile[@]}" --events "$csv" --formats q=40 -o "$dir/d"

# Assisted designs: slices that cannot be, and inputs that do not belong to the model.
for slice in layers.9 foo embed head 2-1 layers.1-layers.0 layers.0.ffn-0.attention layers.0- ""; do
    fails "--hardware '$slice' lists what could be" "--hardware $slice: .*this model has embed, layers.0 ... layers.[0-9]+, head" "${compile[@]}" --events "$csv" --hardware="$slice" -o "$dir/d"
done
fails "assistance where none is needed" "all of this model fits zcu102, so no host is needed" "${compile[@]}" --events "$csv" --mode assisted --max-tokens 64 -o "$dir/d"
fails "assistance where nothing helps" "seeded_0_1 does not fit ice40up5k" "${split[@]}" --device ice40up5k --mode assisted
fails "a host's bus without a host" "--host: it belongs to --hardware" "${compile[@]}" --events "$csv" --host 1000 -o "$dir/d"
for way in fast 0 100: 100:-1 100:2x; do
    fails "--host $way" "--host $way: give MBITS" "${compile[@]}" --events "$csv" --hardware layers.0 --host $way -o "$dir/d"
done
fails "half a layer on two devices" "with half a layer is one ring" "${split[@]}" --device zcu102,zcu102 --hardware layers.0.ffn
fails "half a layer in several rings" "with half a layer is one ring" "${split[@]}" --device zcu102 --hardware layers.0.attention --mode replicated
fails "stages of a slice pinned" "--pin .*: stages of a slice cannot be pinned" "${split[@]}" --device zcu102,zcu102 --hardware layers.0 --pin layers.0=0
fails "formats searched for a slice" "give bits, NAME=BITS" "${compile[@]}" --events "$csv" --hardware layers.0 --formats auto -o "$dir/d"
fails "samples for a model of hits" "takes events of any number of hits; give them with --events" "$tessera" compile "$model" --device zcu102 --input "$dir/x.npy" -o "$dir/d"
conv=("$tessera" compile test/models/assisted/conv_tokens.onnx --device zcu102 -o "$dir/d")
fails "hits for a model of images" "has a fixed shape; give samples with --input" "${conv[@]}" --events "$csv" --inputs "$inputs"
fails "both hits and samples" "give --events FILE, or" "${conv[@]}" --events "$csv" --input "$dir/x.npy"
fails "no such samples" "x.npy: cannot read" "${conv[@]}" --input "$dir/x.npy"
/usr/bin/python3 -c 'import sys, numpy
numpy.save(sys.argv[1] + "/shape.npy", numpy.zeros((3, 2, 8, 9), numpy.float32))
numpy.save(sys.argv[1] + "/none.npy", numpy.zeros((0, 2, 8, 8), numpy.float32))
numpy.save(sys.argv[1] + "/nan.npy", numpy.full((3, 2, 8, 8), numpy.nan, numpy.float32))
numpy.save(sys.argv[1] + "/good.npy", numpy.random.default_rng(1).normal(size=(3, 2, 8, 8)).astype(numpy.float32))' "$dir"
fails "samples of another shape" "needs an array \[samples, 2, 8, 8\]" "${conv[@]}" --input "$dir/shape.npy"
fails "no sample" "none.npy" "${conv[@]}" --input "$dir/none.npy"
fails "samples that are no numbers" "not a finite number" "${conv[@]}" --input "$dir/nan.npy"
works "assisted" "$tessera" compile test/models/assisted/conv_tokens.onnx --device zcu102 --input "$dir/good.npy" -o "$dir/conv"
cp test/models/assisted/conv_tokens_pre_norm.onnx "$dir/conv/model.onnx"
fails "a model of another size in the design" "model.onnx has [0-9]+ bytes, it should have" "$tessera" run "$dir/conv" --engine integer --input "$dir/good.npy" -o "$dir/out.csv"
sed -i -E 's/("model.onnx": )[0-9]+/\1null/' "$dir/conv/manifest.json" # as if it had the same
fails "another model in the design" "model.onnx is not the model of this design|the hardware reads" "$tessera" run "$dir/conv" --engine integer --input "$dir/good.npy" -o "$dir/out.csv"
cp "$model" "$dir/conv/model.onnx"
fails "a model of hits in the design" "model.onnx is not the model of this design" "$tessera" run "$dir/conv" --engine integer --input "$dir/good.npy" -o "$dir/out.csv"
works "a slice" "${compile[@]}" --events "$csv" --hardware layers.0 --max-tokens 64 --target-ii 400 -o "$dir/conv"
fails "trace of the wrong events" "give them with --events" "$tessera" profile "$dir/conv" --input "$dir/good.npy"
works "all of it" "${compile[@]}" --events "$csv" --max-tokens 64 --target-ii 400 -o "$dir/conv"
fails "a bus where there is no host" "--bus: all of .* is in hardware" "$tessera" simulate "$dir/conv" --events "$csv" --bus
rm -rf "$dir/conv"

# The event generator.
events=("$tessera" events --events 2 --seed 1)
fails "events without tracks" "--tracks LO-HI is required" "${events[@]}" -o "$dir/e.csv"
fails "events without seed" "--seed S is required" "$tessera" events --events 2 --tracks 1-2 -o "$dir/e.csv"
for tracks in 0-5 5-2 10-1001 -3 x 3- 3-4-5 1.5 ""; do
    fails "tracks '$tracks'" "--tracks is '$tracks'; expected LO-HI" "${events[@]}" --tracks="$tracks" -o "$dir/e.csv"
done
fails "no events" "--events is '0'; expected an integer from 1" "$tessera" events --events 0 --seed 1 --tracks 1-2 -o "$dir/e.csv"
fails "negative seed" "--seed is '-1'" "$tessera" events --events 2 --seed=-1 --tracks 1-2 -o "$dir/e.csv"
fails "efficiency above 1" "--efficiency is '1.1'; expected a number from 0 to 1" "${events[@]}" --tracks 1-2 --efficiency 1.1 -o "$dir/e.csv"
fails "noise that is no number" "--noise is 'nan'" "${events[@]}" --tracks 1-2 --noise nan -o "$dir/e.csv"
fails "smearing below 0" "--smear is '-1'" "${events[@]}" --tracks 1-2 --smear=-1 -o "$dir/e.csv"
fails "unknown geometry lists the known ones" "unknown geometry \"cms\"; known are redvid-like, trackml-like" "${events[@]}" --tracks 1-2 --geometry cms -o "$dir/e.csv"
fails "no such geometry file" "no-such.json: cannot read" "${events[@]}" --tracks 1-2 --geometry "$dir/no-such.json" -o "$dir/e.csv"
head -c 300 geometries/trackml-like.json >"$dir/cut.json"
fails "truncated geometry" "cut.json:[0-9]+:[0-9]+: not valid JSON" "${events[@]}" --tracks 1-2 --geometry "$dir/cut.json" -o "$dir/e.csv"
sed 's/half_length_mm/half_lenght_mm/' geometries/trackml-like.json >"$dir/typo.json"
fails "mistyped member" "barrel\[0\]: unknown member \"half_lenght_mm\"" "${events[@]}" --tracks 1-2 --geometry "$dir/typo.json" -o "$dir/e.csv"
fails "no track of three hits" "none of 10000 particles in a row left 3 hits" "${events[@]}" --tracks 1-2 --efficiency 0 -o "$dir/e.csv"
fails "events into a missing directory" "none/e.csv: cannot write" "${events[@]}" --tracks 1-2 -o "$dir/none/e.csv"
fails "events onto a directory" "cannot write" "${events[@]}" --tracks 1-2 -o "$dir/mine"
compgen -G "$dir/e.csv*" >/dev/null && report not "a failed run of events left a file" || report ok nothing

# Scores. Results are made of the events themselves: "outputs" that are the hits' positions.
score=("$tessera" score)
results=$dir/results.csv
{ echo event_id,hit_id,theta,sin_phi,cos_phi,q; tail -n +2 "$csv" | awk -F, '{print $1","$2","$3","$4","$5",1"}'; } >"$results"
works "score" "${score[@]}" "$results" --truth "$csv" --inputs "$inputs" --against "float=$results" --json
fails "score without truth" "--truth FILE.csv is required" "${score[@]}" "$results"
cut -d, -f1-5 "$csv" >"$dir/blind.csv"
fails "events without truth" "blind.csv: column 'particle_id' is missing" "${score[@]}" "$results" --truth "$dir/blind.csv"
fails "no such results" "no-such.csv: cannot read" "${score[@]}" "$dir/no-such.csv" --truth "$csv"
sed '4s/^[^,]*,[^,]*/0,123456789/' "$results" >"$dir/other.csv"
fails "hits that do not match" "other.csv:4: hit 123456789 of event 0 is not in" "${score[@]}" "$dir/other.csv" --truth "$csv"
sed '4p' "$results" >"$dir/twice.csv"
fails "a hit that repeats" "twice.csv:5: hit [0-9]+ stands twice" "${score[@]}" "$dir/twice.csv" --truth "$csv"
sed '4d' "$results" >"$dir/short.csv"
fails "a hit that is missing" "short.csv: hit [0-9]+ of event [0-9]+ is missing" "${score[@]}" "$dir/short.csv" --truth "$csv"
sed '4s/,1$/,nan/' "$results" >"$dir/nan-out.csv"
fails "NaN in the outputs" "nan-out.csv:4: column q is 'nan'" "${score[@]}" "$dir/nan-out.csv" --truth "$csv"
first=$(sed -n 2p "$results" | cut -d, -f1)
grep -v "^$first," "$results" >"$dir/less.csv"
fails "a missing event" "event $first of .* is missing .*--subset" "${score[@]}" "$dir/less.csv" --truth "$csv"
works "a missing event, left out on request" "${score[@]}" "$dir/less.csv" --truth "$csv" --subset
head -n 1 "$results" >"$dir/none.csv"
fails "no event in all files" "no event of .* is in all the results files" "${score[@]}" "$dir/none.csv" --truth "$csv" --subset
sed 's/theta/thetta/' "$results" >"$dir/names.csv"
fails "results of another model" "column 'theta' is missing" "${score[@]}" "$dir/names.csv" --truth "$csv" --inputs "$inputs"
awk -F, 'BEGIN{OFS=","} NR>1{$6=0} {print}' "$csv" >"$dir/noise.csv"
fails "no particle at all" "no event to score has a hit of a particle" "${score[@]}" "$results" --truth "$dir/noise.csv"
fails "unknown baseline" "unknown baseline 'guess'; there are: angles" "${score[@]}" baseline:guess --truth "$csv"
fails "bins without an inputs file" "needs an inputs file with \"bins\"" "${score[@]}" baseline:binned --truth "$csv"
fails "nothing to pair" "no results with the same inputs file" "${score[@]}" baseline:angles --against "$results" --truth "$csv"
fails "empty item" "expected .LABEL=.FILE.csv" "${score[@]}" "a=,b=" --truth "$csv"
printf 'event_id,hit_id,particle_id,weight\n1,1,5,1\n' >"$dir/one.csv"
printf 'event_id,hit_id,a\n1,1,0.5\n' >"$dir/one-out.csv"
works "an event of one hit" "${score[@]}" "$dir/one-out.csv" --truth "$dir/one.csv"

# Damaged models: every truncation and many flipped bits end in an error or, where the bit does not matter, in a result.
size=$(stat -c %s "$model")
for at in 0 1 7 100 $((size / 3)) $((size / 2)) $((size - 1)); do
    head -c "$at" "$model" >"$dir/cut.onnx"
    fails "model cut at $at bytes" "cut.onnx" "$tessera" inspect "$dir/cut.onnx"
done
crashes=0
for i in $(seq 1 60); do
    cp "$model" "$dir/flip.onnx"
    at=$(((i * 7919 * 131) % size))
    byte=$(od -An -tu1 -j $at -N 1 "$model")
    printf "\\x$(printf %02x $((byte ^ (1 << (i % 8)))))" | dd of="$dir/flip.onnx" bs=1 seek=$at conv=notrunc status=none
    timeout 20 "$tessera" inspect "$dir/flip.onnx" >/dev/null 2>"$dir/err"
    status=$?
    [ $status -le 12 ] || { crashes=$((crashes + 1)); echo "bit flip at byte $at: exit status $status"; }
done
[ $crashes -eq 0 ] && report ok flips || report not "$crashes bit flips crash or hang"

# A compiled directory that is damaged is not loaded.
works "compile" "${compile[@]}" --events "$csv" --max-tokens 64 --target-ii 400 -o "$dir/good"
for name in model.tsm manifest.json; do
    cp -r "$dir/good" "$dir/broken"
    half=$(($(stat -c %s "$dir/good/$name") / 2))
    head -c $half "$dir/good/$name" >"$dir/broken/$name"
    fails "half of $name" "broken" "$tessera" run "$dir/broken" --engine integer --events "$csv" -o "$dir/out.csv"
    [ ! -e "$dir/out.csv" ] && report ok nothing || report not "a result appeared in spite of half of $name"
    rm -rf "$dir/broken"
done
fails "--tokens beyond the design" "at most 64" "$tessera" plan "$dir/good" --tokens 65
fails "unknown engine" "expected float, integer or rtl" "$tessera" run "$dir/good" --engine magic --events "$csv" -o "$dir/out.csv"
fails "integer engine on a model file" "a directory that a model was compiled into" "$tessera" run "$model" --engine integer --events "$csv" --inputs "$inputs" -o "$dir/out.csv"
fails "results into a missing directory" "cannot write" "$tessera" run "$dir/good" --engine integer --events "$csv" -o "$dir/none/out.csv"
fails "profile of a model file" "directory that" "$tessera" profile "$model" --events "$csv"

# A design whose plan or claims were changed is not sound, and `tessera plan` says so.
works "a plan that is sound" "$tessera" plan "$dir/good"
grep -q "^plan verified" "$dir/out" && report ok verified || report not "tessera plan does not say that it verified the plan"
works "compile a split" "$tessera" compile "$model" --inputs "$inputs" --events "$csv" --max-tokens 64 --device pynq-z2,pynq-z2 --mode split -o "$dir/two"
works "a split that is sound" "$tessera" plan "$dir/two"
# Faults for simulation that cannot be, or could never happen.
STATUS=6 fails "overlay of several devices" "links to other devices" "$tessera" package "$dir/two" --target pynq -o "$dir/board"
works "package of several devices" "$tessera" package "$dir/two" -o "$dir/board"
works "package of a part" "$tessera" package "$dir/two/part1" -o "$dir/board"
works "package in its place" "$tessera" package "$dir/good" --target yosys -o "$dir/board"
STATUS=2 fails "package for nobody" "choose rtl, yosys" "$tessera" package "$dir/good" --target quartus -o "$dir/board"
STATUS=2 fails "package of an odd width" "bus-bits: a stream of 96 bits" "$tessera" package "$dir/good" --bus-bits 96 -o "$dir/board"
STATUS=2 fails "package with a status nowhere" "choose tuser or word" "$tessera" package "$dir/good" --status lost -o "$dir/board"
STATUS=2 fails "package for a card that is none" 'no "card"' "$tessera" package "$dir/good" --target vitis -o "$dir/board"
STATUS=4 fails "package of nothing" "not a compiled design" "$tessera" package "$dir/nowhere" -o "$dir/board"
fails "package over others' files" "was not made by tessera" "$tessera" package "$dir/good" -o "$dir"
works "compile a paged one" "${compile[@]}" --events "$csv" --max-tokens 256 --target-ii 400 --mode paged -o "$dir/paged"
simulate() { "$tessera" simulate "$dir/$1" --events "$csv" --limit 2 "${@:2}"; }
for fault in flip flip:0 flip:0:-1 flip:x:1 flop:0:1 flip:0:1:5 late:0:1:0 late:0:1:2000000000 late:0:1:5:6; do
    fails "page fault $fault" "--page-fault $fault: give KIND:PART:PAGE" simulate paged --page-fault $fault
done
fails "a page that no event uses" "page 999 of part 0 .*: the events use [0-9]+ pages" simulate paged --page-fault flip:0:999
fails "a page of no part" "has no part 3" simulate paged --page-fault flip:3:1
fails "a page of weights on chip" "all its weights on chip" simulate good --page-fault flip:0:1
fails "pauses of no memory" "all its weights on chip" simulate good --memory-stalls 10
fails "nothing but pauses of memory" "--memory-stalls is '96'" simulate paged --memory-stalls 96
for stall in 1 x:1 0:-1 0:1:0 0:1:2:3; do
    fails "part stall $stall" "--part-stall $stall: give PART:TRANSFER" simulate two --part-stall $stall
done
fails "a part of one ring stands still" "is one ring" simulate good --part-stall 0:1
fails "no such part stands still" "has no part 2" simulate two --part-stall 2:1
fails "behind a transfer that never comes" "never gives transfer 100000" simulate two --part-stall 1:100000
cp -r "$dir/paged" "$dir/broken"
truncate -s -8 "$dir/broken/mem/pages.bin"
fails "pages that are cut off" "mem/pages.bin has [0-9]+ bytes, it should have [0-9]+" simulate broken
rm "$dir/broken/mem/pages.bin"
fails "no pages" "mem/pages.bin: No such file" "$tessera" plan "$dir/broken"
rm -rf "$dir/broken"
altered() { # WHAT PATTERN DIRECTORY FILE SED
    cp -r "$dir/$3" "$dir/broken"
    sed -i -E "$5" "$dir/broken/$4"
    cmp -s "$dir/$3/$4" "$dir/broken/$4" && report not "$1: nothing was changed"
    fails "$1" "$2" "$tessera" plan "$dir/broken"
    rm -rf "$dir/broken"
}
altered "a claim that is too good" "this plan is not sound.*it says" good report.json 's/"interval_cycles": [0-9]+/"interval_cycles": 17/'
altered "a short FIFO" "not sound.*the residual FIFO holds 2 tokens" good manifest.json 's/"mid_depth": [0-9]+/"mid_depth": 2/'
altered "more than the device has" "not sound.*ice40up5k: .* are needed, .* more than" good manifest.json 's/"device": "zcu102"/"device": "ice40up5k"/'
altered "less of the device allowed" "not sound.*more than the .* allowed \(1 %" good report.json 's/"utilisation": [0-9.]+/"utilisation": 0.01/'
altered "a faster link" "not sound.*the way to part 1 takes" two manifest.json 's/"token_cycles": [0-9.]+/"token_cycles": 0.1/'
altered "words that no link has" "words of 40 bits; they have" two manifest.json 's/"word_bits": [0-9]+/"word_bits": 40/'
altered "another order of the parts" "must be in \"part0\"" two manifest.json '/"directory"/{s/part0/partX/;s/part1/part0/;s/partX/part1/}'
altered "both parts on one device" "not sound.*both on device 0" two manifest.json 's/"device_number": 1/"device_number": 0/'
altered "another mode" "not sound.*monolithic is one ring" two manifest.json 's/"mode": "split"/"mode": "monolithic"/'
altered "a head in front" "not sound.*head belongs to the last part" two manifest.json '0,/"head": false/s//"head": true/'

# Devices of the user's own.
own=$dir/card.json
card() { # SED: a device file, changed
    sed -E "$1" devices/zcu102.json >"$own"
}
card 's/"name": "zcu102"/"name": "mycard"/'
works "a device of the user's own" "$tessera" compile "$model" --inputs "$inputs" --device "$own" --events "$csv" --max-tokens 64 --target-ii 400 -o "$dir/card"
rm "$own"
works "its design without the file" "$tessera" plan "$dir/card"
rm -rf "$dir/card"
for wrong in 's/"lut": 274080/"lut": "many"/|"lut" must be a number' 's/"ff": 548160/"ff": -1/|"ff" must be a number of at least' \
    's/"uram": 0,/"uram": 0, "urams": 3,/|unknown member "urams"' 's/"a_bits"/"abits"/|dsp: unknown member "abits"' \
    's/"dsp": \{[^}]*\}/"dsp": 2520/|"dsp" must be an object' 's/"slr": 1/"slr": 1.5/|"slr" must be an integer' \
    's/"mbits": 10000/"mbits": 0/|"mbits" must be a number of at least 1' 's/"ns": 500/"speed": 500/|link: unknown member "speed"' \
    's/"lutram": 144000/"lutram": 344000/|"lutram" is 344000, and there are 274080' 's#"name": "zcu102"#"name": "../zcu102"#|"name" is' \
    's/"yosys_family": "xcup"/"yosys_family": "xc9"/|known are xcup' '/"lut":/d|no "lut"' 's/"source": "[^"]*"/"source": 5/|"source" must be a text'; do
    card "${wrong%%|*}"
    fails "device file: ${wrong%%|*}" "card.json: .*${wrong##*|}" "$tessera" compile "$model" --inputs "$inputs" --device "$own" --events "$csv" -o "$dir/d"
done

# Doubtful events: a model comes out all the same, with a warning that names the tensor, with given formats and with a search for them.
/usr/bin/python3 - "$csv" "$dir" <<'P'
import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
head, rows = rows[0], rows[1:]
def write(name, body):
    with open(sys.argv[2] + "/" + name + ".csv", "w") as f:
        csv.writer(f, lineterminator="\n").writerows([head] + body)
first = [r for r in rows if r[0] == rows[0][0]]
write("constant", [r[:4] + ["7.5"] + r[5:] for r in rows])
write("outlier", [(r[:2] + ["1e6"] + r[3:] if i == 40 else r) for i, r in enumerate(rows)])
write("one", first)
write("copies", [[str(e)] + r[1:] for e in range(6) for r in first])
P
warns() { # WHAT PATTERN EVENTS: compiled with warnings, by given formats and by a search
    local formats
    for formats in w=12 auto; do
        works "$1, --formats $formats" "${compile[@]}" --events "$dir/$3.csv" --formats $formats --max-tokens 256 --target-ii 400 -o "$dir/doubt"
        grep -qE "warning: .*$2" "$dir/err" && report ok warned || report not "$1, --formats $formats: no warning; $(head -c 600 "$dir/err")"
        works "$1, --formats $formats: run" "$tessera" run "$dir/doubt" --engine integer --events "$csv" --limit 2 -o "$dir/out.csv"
        rm -rf "$dir/doubt" "$dir/out.csv"
    done
}
warns "constant input" "in: column 'z' is always" constant
warns "an outlier of 1e6" "in: column 'x' reaches" outlier
warns "one event" "calibrated on one event" one
warns "copies of one event" "copies of one event" copies
[ ! -e "$dir/d" ] && report ok nothing || report not "a failed compile left its directory behind"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
