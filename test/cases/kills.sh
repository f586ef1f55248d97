# Killed at any moment: the old result or the new one is there, whole, and nothing of the user's is gone; what is left over goes with the next run.
#
#   kills.sh [COUNT]   kills in all (40); with 100 or more of them also while simulating, where there is Verilator
. "$(dirname "$0")/lib.sh"
. "$root/test/cases/whole.sh"
count=${1:-40}
works "a result" "$tessera" run a --engine integer --events ev.csv -o a.csv
head -n 5 ev.csv >short.csv
works "another result" "$tessera" run a --engine integer --events short.csv -o b.csv

# killed MOMENT COMMAND...: within so many milliseconds of its start, at random
killed() {
    local most=$1
    shift
    { timeout -s KILL "$(awk -v r=$RANDOM -v most="$most" 'BEGIN {printf "%.4f", r / 32768 * most / 1000}')" "$@" >/dev/null; } 2>/dev/null
}
# Milliseconds of a command, the longest of three.
takes() {
    local i start most=0 ms
    for i in 1 2 3; do
        start=$(date +%s%N)
        "$@" >/dev/null 2>&1
        ms=$((($(date +%s%N) - start) / 1000000 + 2))
        [ $ms -gt $most ] && most=$ms
    done
    echo $most
}
wrong() { bad=$((bad + 1)); echo "$1, kill $2: $(sum_of d | head -c 8), $(ls -A | tr '\n' ' ')"; }

kinds=(new again result update)
if [ "$count" -ge 100 ] && command -v verilator >/dev/null; then
    works "the simulator is built" "$tessera" simulate a --events few.csv
    kinds+=(simulate)
fi
each=$((count / ${#kinds[@]}))
for kind in "${kinds[@]}"; do
    bad=0
    rm -rf d d.old d.new && put_theirs d
    [ $kind = simulate ] && cp -r a/. d || cp -r b/. d
    cp b.csv r.csv
    case $kind in
    new | again) most=$(takes "${compile_a[@]}" -o t) ;;
    result) most=$(takes "$tessera" run a --engine integer --events ev.csv -o t.csv) ;;
    update) most=$(takes "$tessera" profile a --events few.csv) ;;
    simulate) most=$(takes "$tessera" simulate a --events few.csv) ;;
    esac
    for ((i = 1; i <= each; i++)); do
        case $kind in
        new)
            rm -rf d
            killed "$most" "${compile_a[@]}" -o d
            [ ! -e d ] || is_whole d || wrong $kind $i
            ;;
        again)
            [ $((i % 2)) = 0 ] && compile=("${compile_a[@]}") || compile=("${compile_b[@]}")
            killed "$most" "${compile[@]}" -o d
            is_whole d && theirs_are_there d || wrong $kind $i
            ;;
        result)
            [ $((i % 2)) = 0 ] && events=ev.csv || events=short.csv
            killed "$most" "$tessera" run a --engine integer --events $events -o r.csv
            cmp -s r.csv a.csv || cmp -s r.csv b.csv || wrong $kind $i
            ;;
        update | simulate)
            [ $kind = update ] && verb=profile || verb=simulate
            killed "$most" "$tessera" $verb d --events few.csv
            is_whole d && theirs_are_there d || wrong $kind $i
            ;;
        esac
    done
    echo "$kind: $each kills within $most ms, $bad wrong, $(find . -name '.*.tessera-*' | wc -l) left over"
    [ $bad -eq 0 ] && report ok "$kind" || report not "$kind: $bad of $each kills do harm"
done
# Signals that can be caught leave nothing.
for signal in INT TERM HUP; do
    for i in 1 2 3; do
        { timeout -s $signal "0.0$((RANDOM % 9 + 1))" "${compile_b[@]}" -o caught >/dev/null; } 2>/dev/null
        { timeout -s $signal "0.0$((RANDOM % 9 + 1))" "$tessera" events --events 5000 --tracks 10-50 --seed 1 -o caught.csv >/dev/null; } 2>/dev/null
    done
done
check "what is interrupted leaves nothing: $(ls -A | grep caught | tr '\n' ' ')" test -z "$(ls -A | grep '^\.caught')"
works "a last compile" "${compile_a[@]}" -o d
works "a last result" "$tessera" run a --engine integer --events ev.csv -o r.csv
works "a last update" "$tessera" profile d --events few.csv
check "nothing is left over: $(leftovers)" test -z "$(leftovers)"
check "the user's files are there" theirs_are_there d
finish
