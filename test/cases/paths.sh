# Paths: designs whose directory has everything that a shell, make or Verilog takes for something else are simulated and synthesised all
# the same, and nothing of the path is executed. (Paths of split, paged and other designs: test/e2e, in directories of such names.)
. "$(dirname "$0")/lib.sh"

place="$dir/"$'b`touch hacked`x \'"$HOME#:%;&\xff'
mkdir "$place" "$dir/t m"
works "compile there" "${small_compile[@]}" -o "$place/d \$e"
TMPDIR="$dir/t m" works "simulate there" "$tessera" simulate "$place/d \$e" --events ev.csv --limit 1
says "bit-exact" "bit-exact with the integer model"
works "profile there" "$tessera" profile "$place/d \$e" --events ev.csv
works "plan there" "$tessera" plan "$place/d \$e"
works "run there" "$tessera" run "$place/d \$e" --engine rtl --events ev.csv --limit 1 -o "$place/o.csv"
works "run there, integers" "$tessera" run "$place/d \$e" --engine integer --events ev.csv --limit 1 -o "$place/i.csv"
check "the same" cmp "$place/o.csv" "$place/i.csv"
check "the simulator is kept, the build is not" [ "$(ls "$place/d \$e/sim" | sed 's/-.*//' | tr '\n' ' ')" = "build.log sim " ]
check "the build is gone" [ -z "$(find "$dir/t m" -mindepth 1)" ]
# A build of the same design elsewhere: a stand-in for Yosys sees the same scripts and a TMPDIR that it can give to a shell.
mkdir bin
printf '%s\n' '#!/bin/sh' 'echo "$TMPDIR|$*" >>"$SEEN"' 'cat "$3" >>"$SEEN" 2>/dev/null' 'case $2 in *word*) exit 0 ;; esac; exit 1' >bin/yosys
chmod +x bin/yosys
n=0
works "compile at a plain place" "${small_compile[@]}" -o plain
for at in plain "$place/d \$e"; do
    SEEN="$dir/seen" PATH="$dir/bin:$PATH" TMPDIR="$dir/t m" fails "synthesis stops at the stand-in" "word.json|yosys" "$tessera" synth "$at"
    mv seen "seen.$((++n))"
    cat "$at"/synth/*.ys >"scripts.$n"
done
check "Yosys is given the same everywhere" cmp seen.1 seen.2
check "no temporary directory that a shell would split" grep -q '^|' seen.1
check "its scripts have no path" cmp scripts.1 scripts.2
check "nothing was executed" [ -z "$(find "$dir" -name hacked)" ]
finish
