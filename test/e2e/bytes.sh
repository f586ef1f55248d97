#!/usr/bin/env bash
# Compiled designs have the bytes that they had: hashes of twenty (model, device, mode) points against bytes.txt. A change of what the compiler writes
# that is meant to be one is committed with the new hashes. Usage: bytes.sh [--write] [DIR]
#   --write   bytes.txt is made anew
#   DIR       designs are written there and stay: two programs (TESSERA=...) are compared by diff -r
set -uo pipefail
cd "$(dirname "$0")/../.."
tessera=${TESSERA:-build/tessera} known=test/e2e/bytes.txt write=
if [ "${1-}" = --write ]; then write=1; shift; fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
designs=${1:-$scratch/designs}
mkdir -p "$designs"

printf '%s\n' '{"inputs": [{"column": "a"}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$scratch/abc.json"
awk 'BEGIN { print "event_id,hit_id,a,b,c"
    for (e = 0; e < 3; e++) for (h = 0; h < 5 + 17 * e; h++) { k = 31 * e + 7 * h
        print e "," h "," (k * 13 % 97) / 32 - 1.5 "," (k * 29 % 89) / 32 - 1.25 "," (k * 53 % 101) / 32 - 1.75 } }' >"$scratch/abc.csv"
/usr/bin/python3 -c 'import sys, numpy
numpy.save(sys.argv[1], (numpy.arange(8 * 2 * 8 * 8) * 37 % 101 / 32 - 1.5).reshape(8, 2, 8, 8).astype(numpy.float32))' "$scratch/conv.npy"

shipped() { # NAME: a model and its events
    printf '%s\n' "models/$1.onnx" --events "models/${1%_qat}.csv" --inputs "models/$1.inputs.json" --calibrate 2
}
abc() { # NAME: a small model of the tests
    printf '%s\n' "test/models/$1.onnx" --events "$scratch/abc.csv" --inputs "$scratch/abc.json" --max-tokens 64 --device zcu102 --target-ii 40
}
failed=0
design() { # NAME MODEL-AND-OPTIONS...
    local name=$1
    shift
    "$tessera" compile "$@" -o "$designs/$name" >"$scratch/log" 2>&1 && return
    failed=$((failed + 1)); echo "FAILED  $name does not compile"; tail -n 5 "$scratch/log"
}
mapfile -t seeded < <(shipped seeded)
mapfile -t encreg < <(shipped encreg)
mapfile -t encreg_qat < <(shipped encreg_qat)
mapfile -t enccla < <(shipped enccla)
mapfile -t trigger < <(shipped trigger)
mapfile -t qdq < <(abc qdq/exact)
mapfile -t pooled < <(abc torch_mean)
mapfile -t final < <(abc torch_pre_gelu_final)
mapfile -t slice < <(abc torch_pre)
design seeded "${seeded[@]}" --device zcu102
design seeded_packed "${seeded[@]}" --device zcu104 --formats packed --select 1
design seeded_paged "${seeded[@]}" --device pynq-z2 --mode paged
design encreg_zcu102 "${encreg[@]}" --device zcu102
design encreg_pynq "${encreg[@]}" --device pynq-z2
design encreg_throughput "${encreg[@]}" --device zcu102,zcu102 --objective throughput
design encreg_rings "${encreg[@]}" --device u250 --mode replicated
design encreg_split "${encreg[@]}" --device pynq-z2,pynq-z2 --mode split --link 5000:800
design encreg_assisted "${encreg[@]}" --device zcu102 --hardware layers.1-3
design encreg_qat "${encreg_qat[@]}" --device zcu102 --formats p=11
design enccla_paged "${enccla[@]}" --device ultra96 --max-tokens 192
design enccla_split "${enccla[@]}" --device ultra96,ultra96,ultra96,ultra96 --max-tokens 64
design enccla_uram "${enccla[@]}" --device kv260,kv260 --max-tokens 64
design enccla_logits "${enccla[@]}" --device u250 --max-tokens 64 --logits
design trigger "${trigger[@]}" --device vu13p
design qdq "${qdq[@]}"
design pooled "${pooled[@]}"
design final_norm "${final[@]}"
design slice "${slice[@]}" --hardware layers.0.ffn-2.attention
design conv test/models/assisted/conv_tokens.onnx --device zcu102 --input "$scratch/conv.npy" --target-ii 40

# A line a design and kind of file. Files that are copies of the tree's (modules, templates of benches) are left out, their sizes in manifests too.
/usr/bin/python3 - "$designs" >"$scratch/bytes.txt" <<'P'
import hashlib, json, os, sys
root = sys.argv[1]
copies = {"model.onnx"} | {"rtl/" + name for name in os.listdir("rtl")} | {"tb/" + name for name in os.listdir("src/sim/templates")}
whole = lambda name: name.split("/", 1)[1] if name.startswith("part") else name
for design in sorted(os.listdir(root)):
    kinds = {}
    for folder, _, files in os.walk(os.path.join(root, design)):
        for file in files:
            path = os.path.join(folder, file)
            name = os.path.relpath(path, os.path.join(root, design))
            own = whole(name)
            if own in copies:
                continue
            data = open(path, "rb").read()
            if own == "manifest.json":
                manifest = json.loads(data)
                manifest["files"] = {n: s for n, s in manifest["files"].items() if whole(n) not in copies}
                data = json.dumps(manifest, sort_keys=False).encode()
            kinds.setdefault(own.split("/")[0], []).append(name + " " + hashlib.sha256(data).hexdigest())
    for kind, lines in sorted(kinds.items()):
        print(design, kind, hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16])
P
if [ -n "$write" ]; then [ $failed -eq 0 ] && cp "$scratch/bytes.txt" "$known"; exit; fi
diff "$known" "$scratch/bytes.txt" || failed=$((failed + 1))
echo "$(cut -d ' ' -f 1 "$known" | sort -u | wc -l) designs, $failed failed"
[ $failed -eq 0 ]
