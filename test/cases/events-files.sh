# Event files as other programs write them, numbers that are none, values of the wrong kind or unit: read right, or said where.
. "$(dirname "$0")/lib.sh"
run=("$tessera" run "$small_model" --engine float)
npy() { # npy FILE DESCR FORMAT ORDER: what `values` prints, one a line, as [1][N / 3][3]
    /usr/bin/python3 -c '
import struct, sys
path, descr, code, order = sys.argv[1:]
v = [float(x) for x in sys.stdin.read().split()]
h = "{%r: %r, %r: False, %r: (1, %d, 3), }" % ("descr", descr, "fortran_order", "shape", len(v) // 3)
h += " " * (63 - (10 + len(h)) % 64) + "\n"
open(path, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(h)) + h.encode() + struct.pack(order + str(len(v)) + code, *v))' "$@"
}

# The same events in other dialects: the same results.
quiet "plain" "${run[@]}" --events ev.csv --inputs in3.json -o plain.out
{
    head -n 1 ev.csv | sed 's/[a-z_]*/"&"/g'
    tail -n +2 ev.csv | sed 's/^/"/; s/,/","/g; s/$/"/'
} >quoted.csv
printf '\xef\xbb\xbf' | cat - ev.csv | sed 's/$/\r/' >crlf.csv
awk -F, 'BEGIN { OFS = "," } NR == 1 { print $1, $2, "what", $3, $4, $5; next } { print $1, $2, "\"a, \"\"b\"\"\n" NR "\"", " " $3 " ", "+" $4, $5 }' ev.csv | sed 's/+-/-/' >text.csv
{ echo; head -n 5 ev.csv; echo; tail -n +6 ev.csv; } | head -c -1 >blank.csv
for way in quoted crlf text blank; do
    quiet "$way" "${run[@]}" --events $way.csv --inputs in3.json -o $way.out
    check "$way: the same results" cmp plain.out $way.out
done
quiet "a pipe" "${run[@]}" --events <(cat ev.csv) --inputs in3.json -o pipe.out
check "a pipe: the same results" cmp plain.out pipe.out
quiet "standard input" bash -c '"$@" </dev/stdin' - "${run[@]}" --events /dev/stdin --inputs in3.json -o stdin.out <ev.csv
check "standard input: the same results" cmp plain.out stdin.out

# Numbers that are none.
sed '4s/^\([^,]*,[^,]*,[^,]*\),[^,]*/\1,1e42/' ev.csv >big.csv
fails "too large for single precision" "big.csv:4: column y is 1e\+42, which is not a finite single-precision number" \
    "${run[@]}" --events big.csv --inputs in3.json -o o.csv
sed '4s/^\([^,]*,[^,]*,[^,]*\),[^,]*/\1,1e40/' ev.csv >big.csv
fails "too large for single precision, though not once divided by 400" "big.csv:4: column y is 1e\+40" "${run[@]}" --events big.csv --inputs in3.json -o o.csv
sed '3s/^\([^,]*,[^,]*\),[^,]*/\1,1e38/' "$seeded_csv" >big.csv
fails "results that are no numbers" "big.csv: event 0: output 0 of hit_id [0-9]+ is not a number" "$tessera" run "$seeded_model" --engine float --events big.csv \
    --inputs "$seeded_inputs" -o o.csv
for bad in nan inf 0x1p3 1,5 '"1;5"' 1e999 one ''; do
    sed "3s/^\([^,]*,[^,]*\),[^,]*/\1,$bad/" ev.csv >bad.csv
    fails "x is '$bad'" "bad.csv:3: " "${run[@]}" --events bad.csv --inputs in3.json -o o.csv
done
check "no results of a failed run" test ! -e o.csv
fails "rows of an event apart" "goes on behind rows of another one; sort the file by event_id" "${run[@]}" --events <(cat ev.csv; sed -n 2p ev.csv) --inputs in3.json -o o.csv
fails "semicolons" "not separated by commas" "${run[@]}" --events <(tr , ';' <ev.csv) --inputs in3.json -o o.csv
fails "UTF-16" "NUL byte" "${run[@]}" --events <(sed 's/./&\x00/g' ev.csv) --inputs in3.json -o o.csv
sed '2s/,/,"/' ev.csv >ends.csv
fails "a quote without end" "ends.csv:2: a quote that is never closed" "${run[@]}" --events ends.csv --inputs in3.json -o o.csv

# Unknown members of an inputs file.
sed '1s/std/scale/' in3.json >scale.json
fails "scale for std" 'scale.json: inputs\[0\]: unknown member "scale"; known are column, mean, std' \
    "${run[@]}" --events ev.csv --inputs scale.json -o o.csv

# .npy: every type is the same event.
values() { awk -F, 'NR > 1 && $1 == 0 { print int($3); print int($4); print int($5) }' ev.csv; }
values | npy f4.npy '<f4' f '<'
works "float32" "${run[@]}" --events f4.npy --inputs in3.json -o f4.out
for type in '<f8 d <' '<f2 e <' '>f4 f >' '<i2 h <' '<i4 i <'; do
    read -r descr code order <<<"$type"
    values | if [ $code = h ] || [ $code = i ]; then sed 's/\..*//' | awk '{ print $1 + 0 }'; else cat; fi >v
    /usr/bin/python3 - "$descr" "$code" "$order" <<'P'
import struct, sys
descr, code, order = sys.argv[1:]
v = [float(x) for x in open("v").read().split()]
v = [int(x) for x in v] if code in "hi" else v
h = "{'descr': '%s', 'fortran_order': False, 'shape': (1, %d, 3), }" % (descr, len(v) // 3)
h += " " * (63 - (10 + len(h)) % 64) + "\n"
open("t.npy", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(h)) + h.encode() + struct.pack(order + str(len(v)) + code, *v))
P
    works "$descr" "${run[@]}" --events t.npy --inputs in3.json -o t.out
    check "$descr: the results of float32" cmp t.out f4.out
done
head -c -4 f4.npy >cut.npy
fails "truncated" "cut.npy: its shape does not fit the file: .*truncated" "${run[@]}" --events cut.npy --inputs in3.json -o o.csv
mkfifo pipe.npy
cat cut.npy >pipe.npy &
fails "truncated, from a pipe" "pipe.npy: reading stopped after 26 values: it is truncated" "${run[@]}" --events pipe.npy --inputs in3.json -o o.csv
cat f4.npy >pipe.npy &
works "from a pipe" "${run[@]}" --events pipe.npy --inputs in3.json -o pipe.out
check "from a pipe: the same results" cmp pipe.out f4.out

# Raw or standardised: it is said what is done, and the wrong one warns.
works "raw" "${run[@]}" --events f4.npy --inputs in3.json -o raw.out
says "raw values are said to be standardised" "note: f4.npy: raw values, standardised here as in3.json says"
values | awk '{ print $1 / 400 }' | npy std.npy '<f4' f '<'
works "standardised" "${run[@]}" --events std.npy --standardised --inputs in3.json -o std.out
says "it is said" "note: std.npy: values are taken as standardised"
check "standardised: the same results" cmp raw.out std.out
works "standardised twice" "${run[@]}" --events std.npy --inputs in3.json -o twice.out
says "standardised twice warns" "warning: std.npy: standardised as in3.json says, . has mean .* and spread .*Those that are standardised already need --standardised"
works "raw as standardised" "${run[@]}" --events f4.npy --standardised --inputs in3.json -o no.out
says "raw as standardised warns" "warning: f4.npy: .* are they raw values"
works "without an inputs file" "${run[@]}" --events f4.npy -o no.out
says "raw without an inputs file warns" "warning: f4.npy: .*give --inputs"
works "metres" "${run[@]}" --events <(awk -F, 'BEGIN { OFS = "," } NR > 1 { $3 /= 1000; $4 /= 1000; $5 /= 1000 } { print }' ev.csv) --inputs in3.json -o no.out
says "wrong units warn" "are the values in the units of that file"
sed 's/400/1/g' in3.json >one.json
works "an inputs file that does nothing" "${run[@]}" --events ev.csv --inputs one.json -o no.out
says "it warns" "leaves them so. Is it the model's"
finish
