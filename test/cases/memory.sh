# Too little memory, and files that would need too much: a message and an exit status (8: out of memory; 5: a file that is none), at once; never an abort, never a program that waits for ever.
. "$(dirname "$0")/lib.sh"
model=$root/models/encreg.onnx csv=$root/models/encreg.csv inputs=$root/models/encreg.inputs.json
within() { # KILOBYTES COMMAND...: with so much address space and half a minute
    (ulimit -v "$1" && shift && exec timeout 30 "$@")
}
for kb in 60000 100000 160000; do
    fails "compile in $kb kB" "out of memory: [0-9]+ bytes for" within $kb "$tessera" compile "$model" --device zcu102 --events "$csv" --inputs "$inputs" -o d
    check "nothing is left of it" test ! -e d -a -z "$(find . -name '*.tessera-*')"
done
truncate -s 100G sparse.csv
fails "events of 100 GB of nothing" "sparse.csv: not a text file" within 4000000 "$tessera" run "$model" --engine float --events sparse.csv --inputs "$inputs" -o o.csv
truncate -s 100G sparse.json
fails "an inputs file of 100 GB" "sparse.json: " within 4000000 "$tessera" run "$model" --engine float --events "$csv" --inputs sparse.json -o o.csv
truncate -s 100G sparse.onnx
fails "a model of 100 GB" "sparse.onnx: " within 4000000 "$tessera" inspect sparse.onnx
awk 'BEGIN { print "event_id,hit_id,x,y,z"; for (i = 0; i < 60000; i++) printf "1,%d,%d,%d,%d\n", i, i % 97 + 1, i % 89, i % 83 }' >long.csv
fails "an event whose scores do not fit" "out of memory|event 1" within 3000000 "$tessera" run "$small_model" --engine float --events long.csv --inputs in3.json -o o.csv
check "no results" test ! -e o.csv
finish
