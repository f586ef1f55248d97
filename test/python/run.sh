#!/usr/bin/env bash
# The Python package of the build: its structures against what the C compiler says of the headers, every call and error, types by mypy. Debian's
# Python; where mypy is not there its check is left out.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1-$root/build}
python=/usr/bin/python3
passed=0 failed=0
export PYTHONPATH=$build/python PYTHONDONTWRITEBYTECODE=1 MPLBACKEND=Agg
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$dir/log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $what"; tail -n 40 "$dir/log"; fi
}
for test in "$root"/test/python/*_test.py; do check "$(basename "$test")" $python -W error::ResourceWarning "$test"; done
if [ -x /usr/bin/mypy ]; then
    check "mypy --strict" env -u PYTHONPATH sh -c 'cd "$1" && /usr/bin/mypy --strict --cache-dir "$2" --python-executable '$python' tessera' - "$build/python" "$dir/mypy"
else
    echo "skipped: no /usr/bin/mypy"
fi
if $python -c 'import setuptools, pip, wheel' 2>/dev/null; then
    cp -r "$root/python" "$dir/python" && mkdir "$dir/include" && cp -r "$root/include/tessera" "$dir/include/"
    check "pip makes and installs a wheel" env -u PYTHONPATH $python -m pip install --quiet --no-build-isolation --no-deps --no-index --target "$dir/site" "$dir/python"
    check "which works" env PYTHONPATH="$dir/site" TESSERA_LIBRARY="$build/lib/libtessera.so.0" $python -c 'import tessera; assert tessera.devices() and "'"$dir"'" in tessera.__file__'
else
    echo "skipped: no pip, setuptools and wheel"
fi
# The example: with onnxruntime where npm's is there, and with a module that stands for Python's and computes in floating point here.
tracks() { # DIRECTORY: its picture is one, and both models score the same but for rounding
    $python -W ignore "$root/examples/tracks.py" "$root"/models/encreg.{onnx,csv,inputs.json} "$1/design" "$1/tracks.png" >"$1/said" || return
    cat "$1/said"
    $python - "$1" <<'P'
import re, sys
import matplotlib.image
with open(sys.argv[1] + "/said") as file:
    said = file.read()
assert 1e-6 < float(re.search(r"differ by (\S+)", said).group(1)) < 1e-3
scores = dict(re.findall(r"(\w+) +HDBSCAN \(5, 2\) +(\S+)", said))
assert abs(float(scores["hardware"]) - float(scores["onnxruntime"])) < 0.01 and float(scores["hardware"]) > 0.95, scores
picture = matplotlib.image.imread(sys.argv[1] + "/tracks.png")
assert picture.shape[0] > 600 and 0.02 < (picture[..., :3] != 1).any(axis=2).mean() < 0.5
P
}
if $python -c 'import matplotlib' 2>/dev/null; then
    mkdir "$dir/stands_for" "$dir/node"
    cat >"$dir/stands_for/onnxruntime.py" <<'P'
import types
import tessera
class InferenceSession:
    def __init__(self, model, providers):
        self.engine = tessera.Engine(model, "float", standardised=True)
    def get_inputs(self):
        return [types.SimpleNamespace(name="x")]
    def run(self, _, given):
        return [self.engine.run(given["x"])]
P
    PYTHONPATH=$PYTHONPATH:$dir/stands_for check "examples/tracks.py" tracks "$dir/stands_for"
    if [ -d "$root/out/onnxruntime/node_modules/onnxruntime-node" ] && command -v node >/dev/null; then check "and with onnxruntime" tracks "$dir/node"; fi
else
    echo "skipped: no matplotlib"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
