# Events that the design does not take: one line for all of them, an exit status of their own; every event refused is a failure. Many events are
# read, run and written one after the other: memory does not grow with the file.
. "$(dirname "$0")/lib.sh"
works "compile" "$tessera" compile "$small_model" --device zcu102 --max-tokens 9 --target-ii 200 --events ev.csv --inputs in3.json -o d
run=("$tessera" run d --engine integer)
"${run[@]}" --events ev.csv -o some.csv 2>err
check "exit status 3" test $? -eq 3
check "one line" test "$(wc -l <err)" -eq 1
check "it says which and how many" grep -q "1 of 2 events were refused: the design takes at most 9 hits, and they have 12 to 12 (event_id 1)" err
check "the others are there" test "$(tail -n +2 some.csv | cut -d, -f1 | sort -u)" = 0
{ head -n 1 ev.csv; grep '^1,' ev.csv; } >long.csv
rm -f none.csv
fails "all refused" "all 1 event\(s\) were refused: the design takes at most 9 hits, and they have 12 to 12" "${run[@]}" --events long.csv -o none.csv
check "no results then" test ! -e none.csv
"$tessera" run "$small_model" --engine float --events ev.csv --inputs in3.json -o float.csv 2>err
check "the float engine takes all" test $? -eq 0

# 40,000 events, 260,000 hits, 12 MB; every third one is refused.
awk 'BEGIN {
    print "event_id,hit_id,x,y,z"
    for (e = 0; e < 40000; e++)
        for (h = 0; h < (e % 3 ? 5 : 10); h++) { s = e * 13 + h * 7; printf "%d,%d,%.3f,%.3f,%.3f\n", e, h, (s * 37) % 900 - 450, (s * 91) % 1000 - 500, (s * 53) % 1100 - 550 }
}' >many.csv
measure() { # COMMAND...: its status in $?, its largest memory in kB in $dir/kb, what it says in $dir/err
    /usr/bin/python3 -c '
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=open("err", "w"))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open("kb", "w"))
sys.exit(status)' "$@"
}
measure "${run[@]}" --events many.csv -o many.out
check "many: exit status 3" test $? -eq 3
check "many: one summary" grep -q "13334 of 40000 events were refused" err
check "many: at most 100 MB ($(cat kb) kB)" test "$(cat kb)" -lt 100000
check "many: in order, all of the others" cmp <(tail -n +2 many.out | cut -d, -f1) <(awk -F, 'NR > 1 && $1 % 3 && $2 == 0 { print $1 }' many.csv)
measure "${run[@]}" --events many.csv --limit 2 -o few.out
check "--limit reads no further" test "$(cut -d, -f1 few.out | sort -u | tr '\n' ' ')" = "1 event_id "
{ head -n 40 many.csv; echo "not,a,row"; } >damaged.csv
measure "${run[@]}" --events damaged.csv --limit 3 -o few.out
check "what is behind the limit is not read" test $? -eq 3
check "what is read is like the whole" cmp <(grep -E '^[12],' many.out) <(tail -n +2 few.out)
measure "$tessera" compile "$small_model" --device zcu102 --target-ii 200 --events many.csv --inputs in3.json -o e
check "compile takes many events" test $? -eq 0
check "compile: at most 200 MB ($(cat kb) kB)" test "$(cat kb)" -lt 200000
check "compile plans for the longest" grep -q '"max_tokens": 10' e/report.json
finish
