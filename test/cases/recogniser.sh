# What exporters write is recognised, whatever axes and operators they chose; what is not says why.
. "$(dirname "$0")/lib.sh"
models=$root/test/models
awk 'BEGIN {
    print "event_id,hit_id,x,y,z"
    for (event = 0; event < 3; event++)
        for (hit = 0; hit < 16; hit++) printf "%d,%d,%.4f,%.4f,%.4f\n", event, hit, 300 * sin(hit * 2.4 + event), 300 * cos(hit * 1.3), 25 * hit - 190
}' >16.csv

inspected() { # WHAT PATTERN MODEL: inspect succeeds and says PATTERN
    works "$1" "$tessera" inspect "$3"
    check "$1: $2" grep -qaE -- "$2" .out .err
}

for form in "$models"/forms/*.onnx; do
    inspected "$(basename "$form")" "everything in the file is supported" "$form"
done

# Float as the file writes it, and hardware
for form in channels_first_batch time_first_free attention_multi_query_3d bare_residual_mean fixed_one norm_batch; do
    file=$models/forms/$form.onnx outputs='["a","b"]'
    echo "{\"inputs\":[{\"column\":\"x\",\"mean\":0,\"std\":200},{\"column\":\"y\",\"mean\":0,\"std\":200},{\"column\":\"z\",\"mean\":0,\"std\":150}],\"task\":\"regression\",\"outputs\":$outputs}" >in.json
    works "$form compiles" "$tessera" compile "$file" --device zcu102 --max-tokens 16 --target-ii 400 --events 16.csv --inputs in.json -o "$form"
    works "$form in float" "$tessera" run "$form" --engine float --events 16.csv -o float.csv
    works "$form in integers" "$tessera" run "$form" --engine integer --events 16.csv -o integer.csv
    check "$form: integers are close to float" awk -F, 'NR == FNR { a[FNR] = $(NF - 1); b[FNR] = $NF; next }
        FNR > 1 { d = a[FNR] - $(NF - 1); e = b[FNR] - $NF; if (d * d > 4e-4 || e * e > 4e-4) bad = 1; n++ } END { exit bad || n < 3 }' float.csv integer.csv
done
fails "an event that is too short for a fixed shape" "event 0 has 9 hits; the model takes exactly 16" \
    "$tessera" run "$models/forms/fixed_one.onnx" --engine float --events "$dir/ev.csv" --inputs in.json -o o.csv

# Why not
refused=$models/refused
fails "a batch that is fixed" "the batch is fixed at 8 \(input 'hits' is \[8, n, 3\]\); export with a batch of 1" "$tessera" inspect "$refused/form_batch_of_8.onnx"
fails "an attention bias" "attention bias: a constant for every pair of hits" "$tessera" inspect "$refused/form_score_bias.onnx"
fails "a causal mask" "a causal mask" "$tessera" inspect "$refused/form_score_causal.onnx"
fails "is_causal" "Attention.*is_causal" "$tessera" inspect "$refused/form_attention_causal.onnx"
fails "softcap" "Attention.*softcap" "$tessera" inspect "$refused/form_attention_softcap.onnx"
inspected "RMS norm" "norm last, without mean" "$models/torch_rms_norm.onnx"
fails "a norm on queries alone" "norm" "$tessera" inspect "$refused/torch_norm_on_q.onnx"
fails "no attention" "there is no encoder in this model" "$tessera" inspect "$refused/form_no_attention.onnx"
fails "cross attention" "only self-attention has hardware" "$tessera" inspect "$refused/onnx_cross_attention.onnx"
for file in "$refused"/*.onnx; do
    "$tessera" inspect "$file" >.out 2>.err
    check "$(basename "$file"): no advice that does not help" bash -c '! grep -q "dynamic axis" .out .err'
done

# The host's share
inspected "Fourier features" "in front: Sin, Cos, Concat" "$models/assisted/form_fourier.onnx"
check "a small share is no warning" test ! -s .err
inspected "an operator between layers" "warning: the host, one thread in floating point, computes 1 of the model's 3 attention blocks" "$models/assisted/form_between.onnx"
inspected "why" "why .*'LayerNormalization_.*' .*stands where the model's input was expected" "$models/assisted/form_between.onnx"
finish
