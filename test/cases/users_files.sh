# Users' files: nothing of theirs is replaced, followed or removed; what is no regular file is written to; an output is no input.
. "$(dirname "$0")/lib.sh"
run=("$tessera" run "$small_model" --engine float --events ev.csv --inputs in3.json)
no_leftovers() { ! find . -name '.*.tessera-*' | grep -q .; }

# Names that look like temporaries, ours of today and of before.
works "a design" "${small_compile[@]}" -o d
cp -r d d.old
mkdir d.new .d.tessera-0123456789ab && echo mine | tee d.new/notes.txt .d.tessera-0123456789ab/notes.txt .r.csv.tessera-0123456789ab r.csv.new >/dev/null
echo secret >victim && ln -s victim x.csv.new
works "recompile" "${small_compile[@]}" --target-ii 300 -o d
works "results" "${run[@]}" -o r.csv
works "results beside a link" "${run[@]}" -o x.csv
check "a design of another name stays" test -s d.old/model.tsm -a -s d.old/rtl/ts_mul.v
for file in d.new/notes.txt .d.tessera-0123456789ab/notes.txt .r.csv.tessera-0123456789ab r.csv.new; do
    check "$file stays" grep -q mine $file
done
check "a link's target stays" grep -q secret victim
check "results are a file" test -f x.csv -a ! -L x.csv
rm -rf .d.tessera-0123456789ab .r.csv.tessera-0123456789ab
check "no temporary stays" no_leftovers

# Devices, pipes and links as outputs.
mkfifo pipe
cat pipe >piped.csv &
works "into a pipe" "${run[@]}" -o pipe
wait $!
check "the pipe had the results" cmp piped.csv r.csv
check "it is a pipe still" test -p pipe
works "into standard output" "${run[@]}" -o /dev/stdout
check "standard output had the results" cmp .out r.csv
works "into a process" "${run[@]}" -o >(cat >process.csv)
for _ in 1 2 3 4 5 6 7 8 9; do cmp -s process.csv r.csv || sleep 0.2; done
check "the process had the results" cmp process.csv r.csv
if mknod -m 666 null c 1 3 2>/dev/null && : >null; then
    works "into a device" "${run[@]}" -o null
    works "events into a device" "$tessera" events --events 1 --tracks 2-3 --seed 1 -o null
    check "it is a device still" test -c null
    mknod -m 666 full c 1 7
    fails "into a full device" "full: cannot write: No space left" "${run[@]}" -o full
else
    echo "notice: not root: no devices of its own to write to"
fi
mkdir -p below && echo old >below/target.csv && ln -s below/target.csv link.csv && ln -s below/new.csv dangling.csv && ln -s "$dir/below" links
works "into a link" "${run[@]}" -o link.csv
works "into a link to nothing" "${run[@]}" -o dangling.csv
check "links stay" test -L link.csv -a -L dangling.csv
check "what a link points to has the results" cmp r.csv below/target.csv
check "what pointed to nothing has the results" cmp r.csv below/new.csv
fails "into a link to a directory" "it is a directory" "${run[@]}" -o links
check "it is a link still" test -L links
ln -s there linked && mkdir there
works "a design through a link" "${small_compile[@]}" -o linked
check "the link stays" test -L linked -a -s there/manifest.json
ln -s . loop1 && rm loop1 && ln -s loop2 loop1 && ln -s loop1 loop2
fails "links in circles" "loop1: cannot write" "${run[@]}" -o loop1

# Permissions: of the umask, or of the file that is replaced.
umask 027
works "results, umask 027" "${run[@]}" -o mode.csv
check "as the umask has it" test "$(stat -c %a mode.csv)" = 640
chmod 604 mode.csv
works "again" "${run[@]}" -o mode.csv
check "as it was" test "$(stat -c %a mode.csv)" = 604
works "a design, umask 027" "${small_compile[@]}" -o mode
check "as the umask has it" test "$(stat -c %a mode mode/rtl mode/manifest.json | tr '\n' ' ')" = "750 750 640 "
umask 022

# An output that is an input.
cp "$small_model" m.onnx
ln ev.csv hard.csv
ln -s ev.csv soft.csv
cp -r d own
before=$(cat ev.csv in3.json m.onnx own/*.* | md5sum)
source=(--engine float --events ev.csv --inputs in3.json)
fails "over the events" "-o ev.csv is the events file" "$tessera" run m.onnx "${source[@]}" -o ev.csv
fails "over the events by another name" "-o hard.csv is the events file" "$tessera" run m.onnx "${source[@]}" -o hard.csv
fails "over the events through a link" "-o soft.csv is the events file" "$tessera" run m.onnx "${source[@]}" -o soft.csv
fails "over the inputs file" "-o in3.json is the inputs file" "$tessera" run m.onnx "${source[@]}" -o in3.json
fails "over the model" "-o m.onnx is the model" "$tessera" run m.onnx "${source[@]}" -o m.onnx
for file in model.tsm manifest.json report.json model.onnx rtl/ts_mul.v; do
    fails "over $file of the design" "is a file of the design" "$tessera" run own --engine integer --events ev.csv -o own/$file
done
/usr/bin/python3 - m.onnx external.onnx <<'P'
import onnx, sys
onnx.save_model(onnx.load(sys.argv[1]), sys.argv[2], save_as_external_data=True, all_tensors_to_one_file=True, location="weights.bin", size_threshold=0)
P
weights=$(md5sum <weights.bin)
fails "over the model's weights" "-o weights.bin is a file that the model's weights are in" "$tessera" run external.onnx "${source[@]}" -o weights.bin
check "they are there" test "$weights" = "$(md5sum <weights.bin)"
cp "$root/geometries/trackml-like.json" geometry.json
fails "over the geometry" "-o geometry.json is the geometry" "$tessera" events --events 1 --tracks 2-3 --seed 1 --geometry geometry.json -o geometry.json
check "nothing of them changed" test "$before" = "$(cat ev.csv in3.json m.onnx own/*.* | md5sum)"
fails "into a directory" "it is a directory" "${run[@]}" -o below
fails "into a directory that is not there, before any work" "none/r.csv: cannot write: none: No such file" "${run[@]}" -o none/r.csv

# Pipes as inputs.
for way in "cat ev.csv" "gzip -c ev.csv | gzip -dc"; do
    works "events from a pipe" "${run[@]:0:6}" <(eval "$way") --inputs <(cat in3.json) -o p.csv
    check "the same results" cmp p.csv r.csv
done
works "events from standard input" "${run[@]:0:6}" /dev/stdin --inputs in3.json -o p.csv < <(cat ev.csv)
works "inspect a pipe" "$tessera" inspect <(cat "$small_model")
works "compile from pipes" "$tessera" compile <(cat "$small_model") "${small_compile[@]:3:6}" --events <(cat ev.csv) --inputs <(cat in3.json) -o p
check "the model is whole" cmp p/model.onnx "$small_model"
check "the inputs file is whole" cmp p/inputs.json in3.json
truncate -s 300M big.json
fails "JSON that nobody wrote" "big.json: has [0-9]+ bytes; .* may have at most" "${run[@]:0:8}" big.json -o p.csv
truncate -s 100G big.onnx
fails "a model that nobody made" "big.onnx: has [0-9]+ bytes; an ONNX file .* may have at most" "$tessera" inspect big.onnx
finish
