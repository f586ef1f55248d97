# Several commands at once: of two compiles into one directory each ends well or says why not, and the design that is there is whole, always; so it is for
# who reads it or adds to its report meanwhile.
#
#   concurrent.sh [PAIRS]   (15)
. "$(dirname "$0")/lib.sh"
. "$root/test/cases/whole.sh"
pairs=${1:-15} bad=0 both=0 one=0 readers=0 updates=0
rm -rf d && put_theirs d && cp -r a/. d
for ((i = 1; i <= pairs; i++)); do
    [ $((i % 3)) = 0 ] && rm -rf d && put_theirs d && rm -rf d/vivado # into nothing
    "${compile_a[@]}" -o d >log.a 2>&1 &
    first=$!
    { sleep "0.0$((RANDOM % 6))"; exec "${compile_b[@]}" -o d; } >log.b 2>&1 &
    second=$!
    reader=
    if [ $((i % 3)) != 0 ]; then
        "$tessera" run d --engine integer --events few.csv -o read.csv >log.r 2>&1 &
        reader=$!
        "$tessera" profile d --events few.csv >log.p 2>&1 &
        update=$!
    fi
    wait $first; status_a=$?
    wait $second; status_b=$?
    if [ -n "$reader" ]; then
        if wait $reader; then readers=$((readers + 1)); elif ! grep -q "was replaced by another design" log.r; then
            bad=$((bad + 1)); echo "pair $i, reader: $(tail -n 1 log.r)"
        fi
        if wait $update; then updates=$((updates + 1)); elif ! grep -qE "was replaced by another design|another design was compiled there" log.p; then
            bad=$((bad + 1)); echo "pair $i, update: $(tail -n 1 log.p)"
        fi
    fi
    case $status_a$status_b in
    00) both=$((both + 1)) ;;
    01 | 10) one=$((one + 1)); tail -qn 1 log.a log.b | grep "^tessera" | head -n 1; [ -s log.a ] || [ -s log.b ] || { bad=$((bad + 1)); echo "pair $i: not a word"; } ;;
    *) bad=$((bad + 1)); echo "pair $i: exit status $status_a, $status_b: $(tail -qn 1 log.a log.b)" ;;
    esac
    is_whole d || { bad=$((bad + 1)); echo "pair $i: not whole: $(ls -A d)"; }
    [ $((i % 3)) = 0 ] || theirs_are_there d || { bad=$((bad + 1)); echo "pair $i: the user's files are gone"; }
    [ -d d/vivado ] || put_theirs d
done
echo "$pairs pairs: both compiled in $both, one in $one; $readers read, $updates added to the report; $bad wrong"
[ $bad -eq 0 ] && report ok pairs || report not "$bad of $pairs pairs"
check "nothing is left over: $(leftovers)" test -z "$(leftovers)"
finish
