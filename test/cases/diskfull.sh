# A disk that is full at any moment: exit status 9 (12: within what Verilator writes) and what could not be written, the old result stays whole; or the new one is there, whole.
#
#   diskfull.sh [POINTS]   sizes of the file system (12); needs root: it mounts one of its own
. "$(dirname "$0")/lib.sh"
. "$root/test/cases/whole.sh"
points=${1:-12} bad=0 full=0 done=0
mkdir disk
if ! mount -t tmpfs -o size=64m tessera-test disk 2>/dev/null; then
    echo "skipped: no file system of its own can be mounted (not root?): full disks"
    works "compile" "${compile_a[@]}" -o d
    finish
fi
trap 'cd /; umount "$dir/disk"; rm -rf "$dir"' EXIT
"$tessera" events --events 2000 --tracks 1-1 --seed 1 -o many.csv >/dev/null 2>&1
run_many=("$tessera" run a --engine float --events many.csv) # a result of many pages
works "a result" "${run_many[@]}" -o disk/r.csv
cp disk/r.csv new.csv
kb() { du -sk --apparent-size "$1" | cut -f 1; }
blocks() { df -k --output=used disk | tail -n 1; }

# full_at ROOM WHAT WHOLE COMMAND...: with so many kB left; WHOLE: whether what is there then is an old or a new result
full_at() {
    local room=$1 what=$2 whole=$3 status
    shift 3
    mount -o "remount,size=$(($(blocks) + room))k" disk || { bad=$((bad + 1)); return; }
    "$@" >log 2>&1
    status=$?
    mount -o remount,size=64m disk
    case $status in
    0) done=$((done + 1)) ;;
    9 | 12) full=$((full + 1)); grep -qE "No space left on device|cannot write|is the disk full" log || { bad=$((bad + 1)); echo "$what, $room kB: $(tail -n 1 log)"; } ;;
    *) bad=$((bad + 1)); echo "$what, $room kB: exit status $status" ;;
    esac
    $whole || { bad=$((bad + 1)); echo "$what, $room kB, exit status $status: not whole: $(ls -A disk disk/d | tr '\n' ' ')"; }
    [ -z "$(leftovers disk)" ] || { bad=$((bad + 1)); echo "$what, $room kB: $(leftovers disk) is left over"; }
}
none_or_whole() { [ ! -e disk/d ] || is_whole disk/d; }
whole_with_theirs() { is_whole disk/d && theirs_are_there disk/d; }
whole_result() { cmp -s disk/r.csv new.csv || [ "$(cat disk/r.csv)" = old ]; }
rm disk/r.csv

before=$(blocks)
cp -r a disk/d
need=$(($(blocks) - before))
for ((i = 0; i < points; i++)); do
    case $((i % 4)) in
    0)
        rm -rf disk/d
        full_at $((need * (i + 1) / points + 4)) compile none_or_whole "${compile_a[@]}" -o disk/d
        ;;
    1)
        rm -rf disk/d disk/d.* && cp -r b disk/d && put_theirs disk/d
        full_at $((need * (i + 1) / points + 4)) "compile again" whole_with_theirs "${compile_a[@]}" -o disk/d
        ;;
    2)
        echo old >disk/r.csv
        full_at $(($(kb new.csv) * (i + 1) / points + 4)) run whole_result "${run_many[@]}" -o disk/r.csv
        ;;
    3)
        rm -rf disk/d disk/d.* && cp -r b disk/d && put_theirs disk/d
        full_at $((i * 4 / points * 4)) profile whole_with_theirs "$tessera" profile disk/d --events few.csv
        ;;
    esac
done
for room in 8 300; do # before the build directory, and within what Verilator writes
    rm -rf disk/d disk/d.* && cp -r b disk/d && put_theirs disk/d
    full_at $room simulate whole_with_theirs "$tessera" simulate disk/d --events few.csv --limit 1
done
echo "$((points + 2)) points: $full said that the disk is full, $done were done, $bad wrong"
check "some did not fit" test $full -gt $((points / 4))
[ $bad -eq 0 ] && report ok "full disks" || report not "$bad of $points points"
finish
