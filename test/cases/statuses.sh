# Exit statuses are those of the manual page: each of them once, but for 1 (no kind of its own), 11 (in test/e2e, where simulators are built) and 13 (bugs).
. "$(dirname "$0")/lib.sh"
works "a design" "${small_compile[@]}" -o d
STATUS=2 fails "an option that is not there" "unknown option" "$tessera" plan d --no-such
STATUS=2 fails "a value out of range" "--stalls is '100'" "$tessera" simulate d --events ev.csv --stalls 100
STATUS=2 fails "options that contradict each other" "share one device" "${small_compile[@]}" --device zcu102,zcu102 --mode replicated -o e
STATUS=2 fails "more hits than the design takes" "--tokens 17: the design takes at most 16 hits; compile with --max-tokens 17" "$tessera" plan d --tokens 17
STATUS=4 fails "no such model" "nowhere.onnx: cannot read" "$tessera" inspect nowhere.onnx
STATUS=4 fails "no such events" "nowhere.csv" "$tessera" run d --engine integer --events nowhere.csv -o o.csv
STATUS=4 fails "no such directory" "not a directory" "$tessera" simulate nowhere --events ev.csv
STATUS=4 fails "no compiled design" "not a compiled design" "$tessera" plan .
head -c 2000 "$small_model" >cut.onnx
STATUS=5 fails "a model that is cut off" "truncated or damaged" "$tessera" inspect cut.onnx
sed '5s/[^,]*$/x/; 5s/,[^,]*,/,x,/' ev.csv >bad.csv
STATUS=5 fails "events that are no numbers" "not a" "$tessera" run d --engine integer --events bad.csv -o o.csv
echo '{"inputs": 3}' >bad.json
STATUS=5 fails "an inputs file that is none" '"inputs" must be a list' "$tessera" run d --engine integer --events ev.csv --inputs bad.json -o o.csv
sed 's/Softmax/Softmix/g' "$small_model" >other.onnx
STATUS=6 fails "a model that cannot be built" "Softmix, opset [0-9]+\): this operator is not supported" "$tessera" inspect other.onnx
STATUS=7 fails "a device that is too small" "would do" "$tessera" compile "$seeded_model" --device ice40up5k --events "$seeded_csv" --inputs "$seeded_inputs" -o e
grep -v '^0,' ev.csv >long.csv
works "a design for short events" "$tessera" compile "$small_model" --device zcu102 --max-tokens 9 --target-ii 200 --events ev.csv --inputs in3.json -o short
STATUS=7 fails "all events refused" "were refused" "$tessera" run short --engine integer --events long.csv -o o.csv
STATUS=3 fails "some events refused" "1 of 2 events were refused" "$tessera" run short --engine integer --events ev.csv -o o.csv
STATUS=8 fails "out of memory" "out of memory: " bash -c 'ulimit -v 60000; exec timeout 30 "$@"' - "${small_compile[@]}" -o e
mkdir others && echo mine >others/file
STATUS=9 fails "somebody else's directory" "was not made by tessera" "${small_compile[@]}" -o others
STATUS=9 fails "a place that is not there" "cannot write" "$tessera" run d --engine integer --events ev.csv -o nowhere/o.csv
if [ -w /dev/full ]; then
    STATUS=9 fails "standard output that is full" "cannot write standard output" bash -c '"$1" devices >/dev/full' - "$tessera"
fi
cp -r d lacks && rm lacks/model.tsm
STATUS=10 fails "a design that lacks a file" "model.tsm" "$tessera" plan lacks
cp -r d altered && sed -i 's/"latency_cycles": [0-9]/"latency_cycles": 9/' altered/report.json
STATUS=10 fails "a design whose report was altered" "not sound" "$tessera" plan altered
STATUS=12 fails "no Verilator" "cannot run" env PATH=/nowhere "$tessera" simulate d --events ev.csv
finish
