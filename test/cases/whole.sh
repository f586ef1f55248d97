# Sourced behind lib.sh: two designs of one model, and which of them a directory is.
cc -O1 -shared -fPIC -o faults.so "$root/test/preload/faults.c" || { echo "cannot build the shim"; exit 1; }
awk -F, 'NR == 1 || $2 <= 3' ev.csv >few.csv
compile_a=("$tessera" compile "$small_model" --device zcu102 --max-tokens 16 --target-ii 200 --events few.csv --inputs in3.json)
compile_b=("$tessera" compile "$small_model" --device zcu102 --max-tokens 24 --target-ii 200 --events few.csv --inputs in3.json)
sum_of() { (cd "$1" 2>/dev/null && find . -type f ! -path './vivado/*' ! -path './sim/*' ! -name report.json ! -name '.*.tessera-*' | LC_ALL=C sort | xargs -r md5sum | md5sum); }
works "one design" "${compile_a[@]}" -o a
works "another one" "${compile_b[@]}" -o b
sum_a=$(sum_of a) sum_b=$(sum_of b)
check "they differ" test "$sum_a" != "$sum_b"

# is_whole DIR: it is one of the two, and what is in its report can be read
is_whole() {
    local sum
    sum=$(sum_of "$1")
    { [ "$sum" = "$sum_a" ] || [ "$sum" = "$sum_b" ]; } && grep -q '"predicted"' "$1/report.json" && tail -n 1 "$1/report.json" | grep -q '^}$'
}
# Somebody else's files in a design and beside it.
put_theirs() { mkdir -p "$1/vivado" && echo mine | tee "$1/vivado/p.xpr" "$1.old" "$1.new" >/dev/null; }
theirs_are_there() { [ "$(cat "$1/vivado/p.xpr" "$1.old" "$1.new" 2>&1 | sort -u)" = mine ]; }
leftovers() { find "${1:-.}" -name '.*.tessera-*' | head -n 3; }
