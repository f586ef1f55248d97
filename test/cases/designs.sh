# Design directories: what is not tessera's stays, a design can be made again from its own files, one of which a file is missing is refused by every verb
# and named, and no other directory is taken for a part.
. "$(dirname "$0")/lib.sh"
cp "$small_model" model.onnx # the name that a design's own copy has
small_compile[2]=model.onnx
cc -O1 -shared -fPIC -o faults.so "$root/test/preload/faults.c" || { echo "cannot build the shim"; exit 1; }

# Made again from its own copies of the model and the inputs file, with somebody else's files in it; also where names cannot be exchanged at once.
again() { # WHAT [VARIABLE=VALUE...]
    local what=$1
    shift
    rm -rf d
    works "$what: compile" "${small_compile[@]}" -o d
    mkdir -p d/vivado/project d/empty d/sim && echo mine | tee d/vivado/project/p.xpr d/notes.txt d/rtl/own.v >/dev/null
    ln -s notes.txt d/link && echo '#!/bin/sh' >d/sim/sim-0123456789abcdef && echo old >d/sim/sim-0123456789abcdef-run-1.log
    inode=$(stat -c %i d/vivado/project/p.xpr)
    works "$what: compile again from its own files" env "$@" "$tessera" compile d/model.onnx --device zcu102 --max-tokens 16 --target-ii 300 --events ev.csv \
        --inputs d/inputs.json -o d
    for file in vivado/project/p.xpr notes.txt rtl/own.v link; do check "$what: d/$file stays" grep -q mine d/$file; done
    check "$what: the same file" test "$inode" = "$(stat -c %i d/vivado/project/p.xpr)"
    check "$what: a link stays, an empty directory, too" test -L d/link -a -d d/empty
    check "$what: built simulators stay, what else was there does not" test -e d/sim/sim-0123456789abcdef -a ! -e d/sim/sim-0123456789abcdef-run-1.log
    check "$what: the copies are whole" cmp d/model.onnx "$small_model"
    check "$what: the inputs file is whole" cmp d/inputs.json in3.json
    works "$what: plan" "$tessera" plan d
    works "$what: run" "$tessera" run d --engine integer --events ev.csv -o o.csv
    check "$what: no leftovers" test -z "$(find . -name '.*tessera*')"
}
again "an exchange"
again "two renamings" LD_PRELOAD="$dir/faults.so" NO_EXCHANGE=1
works "the same into a new directory" "$tessera" compile model.onnx --device zcu102 --max-tokens 16 --target-ii 300 --events ev.csv --inputs in3.json -o fresh
check "the manifest lists its own files only" cmp d/manifest.json fresh/manifest.json
check "two compiles, the same bytes" diff -r fresh d -x vivado -x notes.txt -x own.v -x link -x empty -x sim

# A file of others where the new design has one of its own.
cp -r d e && rm e/inputs.json && sed -i '/"inputs.json"/d' e/manifest.json && echo mine >e/inputs.json
fails "a file of that name" "e/inputs.json: is not the old design's, and the new one has a file of that name" "${small_compile[@]}" -o e
check "it stays" grep -q mine e/inputs.json
cp -r d e2
fails "into what is no design" "e2/rtl: is not empty and was not made by tessera" "${small_compile[@]}" -o e2/rtl
cp -r d e3 && echo '{"tessera_manifest": 1}' >e3/manifest.json
fails "a design of an older version" "version 1 of the manifest" "$tessera" plan e3
works "it is compiled again" "${small_compile[@]}" -o e3
check "others' files stay in it, too" cmp e3/notes.txt e3/vivado/project/p.xpr
works "it is a design" "$tessera" plan e3
echo '{' >e3/manifest.json
fails "a manifest that says nothing" "e3: what is in there cannot be told from files of others" "${small_compile[@]}" -o e3
check "nothing was touched" test "$(cat e3/manifest.json)" = '{' -a -e e3/notes.txt
mkdir inside && cd inside
fails "where the shell is" "cannot replace the directory that this is run from" "$tessera" compile "$small_model" --device zcu102 --events ../ev.csv --inputs ../in3.json -o .
cd ..

# Half a design. Every verb that loads one says which file.
verbs() { # WHAT PATTERN
    fails "$1: plan" "$2" "$tessera" plan broken
    fails "$1: run, integer" "$2" "$tessera" run broken --engine integer --events ev.csv -o out.csv
    fails "$1: run, float" "$2" "$tessera" run broken --engine float --events ev.csv -o out.csv
    fails "$1: simulate" "$2" "$tessera" simulate broken --events ev.csv
    fails "$1: profile" "$2" "$tessera" profile broken --events ev.csv
    fails "$1: synth" "$2" "$tessera" synth broken
    rm -rf broken
}
for file in inputs.json model.onnx report.json model.tsm manifest.json rtl/ts_mul.v mem/hits.hex; do
    cp -r fresh broken && rm broken/$file
    verbs "without $file" "broken/$file: .*No such file"
done
cp -r fresh broken && truncate -s -1 broken/rtl/ts_mul.v
verbs "a file cut off" "broken/rtl/ts_mul.v has [0-9]+ bytes, it should have"
/usr/bin/python3 - "$dir/ev.npy" <<'P'
import numpy, sys
numpy.save(sys.argv[1], numpy.random.default_rng(1).normal(size=(2, 5, 3)).astype(numpy.float32))
P
cp -r fresh broken && rm broken/inputs.json
fails "no other scaling in its place" "broken/inputs.json: .*missing" "$tessera" run broken --engine integer --events ev.npy -o out.csv
rm -rf broken

# Parts.
works "a split" "$tessera" compile "$seeded_model" --device pynq-z2,pynq-z2 --mode split --max-tokens 16 --target-ii 400 --events "$seeded_csv" \
    --inputs "$seeded_inputs" -o two
for part in . .. part0/.. part1 ../two two ""; do
    cp -r two broken && sed -i "s|\"directory\": \"part0\"|\"directory\": \"$part\"|" broken/manifest.json
    verbs "a part in \"$part\"" "part 0 is in .*; it must be in .part0."
done
cp -r two broken && sed -i 's|^  "model":|  "parts": [{"directory": "part0"}], "model":|' broken/part0/manifest.json
verbs "a part with parts" "a part of a design cannot have parts"

# What is printed and does not get out.
if [ -c /dev/full ]; then
    full() { "$@" >/dev/full; }
    for command in "devices" "devices --json" "inspect $small_model" "inspect $small_model --json" "plan fresh" "plan fresh --json" "--help" "compile --help" \
        "run fresh --engine integer --events ev.csv -o /dev/stdout"; do
        fails "$command, disk full" "cannot write.*No space left" full "$tessera" $command
    done
    fails "compile, disk full" "cannot write standard output: No space left" full "${small_compile[@]}" -o fresh
    fails "score, disk full" "cannot write standard output: No space left" full "$tessera" score baseline:angles@$seeded_inputs --truth "$seeded_csv"
fi
closed() { "$@" >&-; }
fails "standard output is closed" "cannot write standard output: Bad file" closed "$tessera" devices
works "standard output is closed and not needed" closed "$tessera" run fresh --engine integer --events ev.csv -o closed.csv
works "results" "$tessera" run fresh --engine integer --events ev.csv -o open.csv
check "nothing was printed into them" cmp closed.csv open.csv
finish
