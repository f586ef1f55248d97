# Names of models, tensors, columns and files: nothing of them is taken as code by Verilog, JSON or CSV, or lost; a long one is cut where
# a tool would not take it. (Paths: paths.sh.)
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3

names=("a b" "a'b" 'a"b' 'a`touch hacked`b' 'a$(touch hacked)b' 'a$HOME' 'a#b' 'a%s%nb' 'a;b' 'a&b' 'a\' 'a=b' 'a,b' 'a:b@c' -- -dash --mode 7up module always_comb endmodule
    ts_sim ts_link $'a\nmodule b; endmodule' $'a\nendmodule' $'tab\tbell\a\e[1mx' $'\xff\xfe' $'caf\xe9' 'über' '模型' '\x41' .hidden 'a*b?' "$(printf 'n%.0s' {1..200})")

member() { $python -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]], end="")' "$@"; }
mkdir designs said
for i in "${!names[@]}"; do
    cp "$small_model" "./${names[$i]}.onnx"
    works "inspect ${names[$i]}" "$tessera" inspect --json "./${names[$i]}.onnx"
    cp .out said/$i
    works "compile ${names[$i]}" "$tessera" compile "${small_compile[@]:3}" -o designs/$i -- "./${names[$i]}.onnx"
    rm -f "./${names[$i]}.onnx"
done
# The name is everywhere in JSON, by another rule than the program's; a design differs from that of the first name in it and in nothing else.
works "names in JSON and in Verilog" $python - "${names[@]}" <<'P'
import json, os, re, sys, unicodedata
def plain(name):
    text = os.fsencode(name).decode("utf-8", "surrogateescape").replace("\\x", "\\x5cx")
    return "".join("\\x%02x" % (ord(c) & 255) if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
assert plain("a\n\udce9\\x") == r"a\x0a\xe9\x5cx"
def load(path):
    return json.load(open(path, encoding="utf-8"))
first = None
for i, name in enumerate(sys.argv[1:]):
    at = "designs/%d/" % i
    manifest = load(at + "manifest.json")
    top = manifest["top"]
    assert {load("said/%d" % i)["model"], manifest["model"], load(at + "report.json")["model"]} == {plain(name)}, name
    assert re.fullmatch("[A-Za-z_][A-Za-z0-9_]{0,59}", top), top
    text = open(at + "rtl/%s.v" % top, encoding="utf-8").read()
    begins = '// Ring engine of the model "%s": ' % plain(name)
    assert text.startswith(begins), text[:200]
    same = text.replace(begins, "").replace("module %s #" % top, "module #")
    assert "\nmodule #" in same
    first = first or same
    assert same == first, name
P
for i in "${!names[@]}"; do
    case ${names[$i]} in *$'\n'* | *\\ | $'\xff'* | module | nnn*) ;; *) continue ;; esac
    (cd designs/$i && iverilog -g2005 -t null -y rtl -y tb -I tb tb/tb.v && iverilog -g2012 -t null -y rtl -y tb -I tb tb/tb.v) >.verilog 2>&1
    check "Icarus reads ${names[$i]}: $(head -n 3 .verilog)" [ ! -s .verilog ]
done

# Two long names that begin alike stay two.
for end in 1 2; do
    cp "$small_model" "$(printf 'n%.0s' {1..130})$end.onnx"
    works "long name $end" "$tessera" compile "$(printf 'n%.0s' {1..130})$end.onnx" "${small_compile[@]:3}" -o "long$end"
done
check "their modules have two names" [ "$(member long1/manifest.json top)" != "$(member long2/manifest.json top)" ]
verilator --lint-only -Wno-fatal --language 1364-2005 -y long1/rtl --top-module "$(member long1/manifest.json top)" "long1/rtl/$(member long1/manifest.json top).v" >.verilog 2>&1
check "Verilator finds the top: $(grep -m 1 %Error .verilog)" eval '! grep -q %Error .verilog'

# Names inside of a file: every one of them gets bytes that are no UTF-8, line ends, quotes.
$python - "$root/test/models/assisted/conv_tokens.onnx" <<'P'
import sys
def varint(data, i):
    x = shift = 0
    while True:
        byte = data[i]
        x |= (byte & 127) << shift
        i, shift = i + 1, shift + 7
        if byte < 128:
            return x, i
def put(x):
    out = b""
    while x > 127:
        out += bytes([x & 127 | 128])
        x >>= 7
    return out + bytes([x])
bad = b"\xff'\n\"\\`"
# message -> field -> "name" (a string to spoil) or the message in it
schema = {"model": {2: "name", 3: "name", 6: "name", 7: "graph"}, "graph": {1: "node", 2: "name", 5: "tensor", 10: "name", 11: "value", 12: "value", 13: "value"},
    "node": {1: "name", 2: "name", 3: "name", 6: "name"}, "tensor": {8: "name", 12: "name"}, "value": {1: "name", 3: "name"}}
def spoil(data, message):
    out, i = b"", 0
    while i < len(data):
        key, i = varint(data, i)
        out += put(key)
        wire = key & 7
        if wire == 0:
            x, i = varint(data, i)
            out += put(x)
        elif wire == 2:
            n, i = varint(data, i)
            part, i = data[i:i + n], i + n
            kind = schema[message].get(key >> 3)
            # an empty name stands for an input that is not there
            part = part + bad if kind == "name" and part else spoil(part, kind) if kind in schema else part
            out += put(len(part)) + part
        else:
            n = 8 if wire == 1 else 4
            out, i = out + data[i:i + n], i + n
    return out
data = open(sys.argv[1], "rb").read()
schema["value"].pop(3)
open("spoilt.onnx", "wb").write(spoil(data, "model"))
import numpy
numpy.save("samples.npy", numpy.random.default_rng(1).normal(size=(3, 2, 8, 8)).astype(numpy.float32))
P
works "spoilt names: inspect" "$tessera" inspect --json spoilt.onnx
check "spoilt names: JSON, escaped" $python -c 'import json, sys; text = open(".out").read(); json.loads(text); sys.exit("\\\\xff" not in text)'
works "spoilt names: the graph" "$tessera" inspect --graph spoilt.onnx
check "spoilt names: one line a node" [ "$(grep -cE '^(graph|input|output|constant|%|_)' .out)" = "$(wc -l <.out)" ]
works "spoilt names: compile" "$tessera" compile spoilt.onnx --device zcu102 --mode assisted --input samples.npy -o spoilt
for engine in float integer; do works "spoilt names: run, $engine" "$tessera" run spoilt --engine $engine --input samples.npy -o spoilt.$engine.csv; done
works "the same with good names" "$tessera" compile "$root/test/models/assisted/conv_tokens.onnx" --device zcu102 --mode assisted --input samples.npy -o good
works "run it" "$tessera" run good --engine integer --input samples.npy -o good.integer.csv
check "spoilt names change no value" cmp good.integer.csv spoilt.integer.csv
check "its Verilog is the same" diff -r good/mem spoilt/mem

# Outputs whose names have commas and quotes, files whose names are not UTF-8.
cp ev.csv $'ev\xff.csv'
sed 's/"outputs":.*/"outputs":["a, in \\"mm\\"","b\\u00b2"]}/' in3.json >quoted.json
works "calibrated on a name that is not UTF-8" "$tessera" compile "$small_model" --device zcu102 --max-tokens 16 --target-ii 200 --events $'ev\xff.csv' --inputs quoted.json -o quoted
check "report.json has it" [ "$($python -c 'import json; print(json.load(open("quoted/report.json"))["calibration"]["file"])')" = 'ev\xff.csv' ]
works "run" "$tessera" run quoted --engine integer --events ev.csv -o quoted.csv
check "names of columns are quoted" $python -c 'import csv, sys; rows = list(csv.reader(open("quoted.csv"))); sys.exit(rows[0][-2:] != ["a, in \"mm\"", "b²"] or len({len(r) for r in rows}) != 1)'
works "events" "$tessera" events --events 2 --tracks 5-9 --seed 1 -o $'hits\xff.csv'
cp "$root/models/encreg.onnx" .
works "results" "$tessera" run encreg.onnx --engine float --events $'hits\xff.csv' --inputs "$root/models/encreg.inputs.json" -o $'out, \xff@=.csv'
works "score" "$tessera" score $'out, \xff@=.csv' --truth $'hits\xff.csv' --inputs "$root/models/encreg.inputs.json" --json
check "score names the files" $python -c 'import json, sys; r = json.load(open(".out")); sys.exit((r["truth"], r["rows"][0]["file"]) != ("hits\\xff.csv", "out, \\xff@=.csv"))'

check "nothing was executed" [ -z "$(find "$dir" -name hacked)" ]
finish
