#!/usr/bin/env bash
# Weights in a file beside the model travel with the design: everything works when the original is gone. What is missing is said.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mkdir m
cp "$root"/test/models/cases/external.onnx "$root"/test/models/cases/external.onnx.data m/
compile=("$tessera" compile m/external.onnx --device zcu102 --max-tokens 16 --target-ii 200 --events ev.csv --inputs in3.json -o d)
works "compile with external data" "${compile[@]}"
rm -r m
works "the float engine of the design" "$tessera" run d --engine float --events ev.csv -o external.csv
works "the float engine of the same model with its weights inside" "$tessera" run "$small_model" --engine float --events ev.csv --inputs in3.json -o inside.csv
check "both give the same" cmp -s external.csv inside.csv
works "a trace" "$tessera" run d --engine integer --trace tr --events ev.csv -o o.csv
works "a profile" "$tessera" profile d --events ev.csv
works "the design's model compiled again" "$tessera" compile d/model.onnx --device zcu102 --max-tokens 16 --target-ii 200 --events ev.csv --inputs in3.json -o d2
check "its copy is the same" cmp -s d/model.onnx d2/model.onnx

mkdir -p n/sub
cp "$root"/test/models/cases/external.onnx n/
fails "a file that is not there" "external.onnx.data.*No such file or directory" "$tessera" inspect n/external.onnx
mkdir n/external.onnx.data
fails "a directory" "is not a file" "$tessera" inspect n/external.onnx
rmdir n/external.onnx.data
head -c 1000 "$root"/test/models/cases/external.onnx.data >n/external.onnx.data
fails "a file that ends early" "has 1000 bytes.*truncated" "$tessera" inspect n/external.onnx
ln -sf "$root"/test/models/cases/external.onnx.data n/external.onnx.data
fails "a link out of the model's directory" "outside of the model's directory" "$tessera" inspect n/external.onnx
# the location is a string of 18 characters: another one of the same length
for place in "../xternal.onnx.da" "/tmp/nal.onnx.data" "sub/../l.onnx.data"; do
    sed "s|external.onnx.data|$place|g" "$root"/test/models/cases/external.onnx >n/other.onnx
    cp "$root"/test/models/cases/external.onnx.data n/l.onnx.data
    fails "data at $place" "relative to the model's directory, without '..'" "$tessera" inspect n/other.onnx
done
finish
