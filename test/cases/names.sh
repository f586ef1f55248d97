# Names and paths: nothing of them is lost or taken as code.
. "$(dirname "$0")/lib.sh"
name=$(printf 'n%.0s' {1..130})
cp "$small_model" "$name.onnx"
works "compile" "$tessera" compile "$name.onnx" "${small_compile[@]:3}" -o d
check "the manifest has the whole name" grep -q "$name" d/manifest.json
finish
