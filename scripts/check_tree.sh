#!/usr/bin/env bash
# What a reader of the tree may rely on, checked. Usage, from anywhere: scripts/check_tree.sh [--root DIR] [CHECK...]   (checks: --help)
# What does not hold yet is a line of scripts/tree_exceptions.txt; a line that is not needed any more is an error, so that the list shrinks.
set -uo pipefail
checks=(
    "guards   every header has an include guard, TS_FILE_H or TS_ROOM_FILE_H, that no other has; include/tessera/ TESSERA_H or TESSERA_FILE_H"
    "alone    every header compiles by itself, with the build's warnings"
    "rooms    no file of src/ includes what is below its room in README.md's tour; every room is in the tour"
    "circles  no files of src/ include each other in a circle, unless a header says 'In a circle with ROOM/FILE.h: why'"
    "public   the command line includes its own headers, tessera/tessera.h and the system's; include/ includes the system's"
    "options  the library's texts name members of options, ts_option(\"max_tokens\"), and not the command's --max-tokens"
    "long     a file of src/ of more than 600 lines says why: 'Long because ...' in its first comment"
    "names    files and ts_ identifiers that comments and documents cite are there"
    "links    links and paths of README.md and docs/ lead to something"
)
scripts=$(cd "$(dirname "$0")" && pwd)
root=$scripts/..
if [ "${1-}" = --help ]; then printf '%s\n' "${checks[@]}"; exit 0; fi
if [ "${1-}" = --root ]; then root=$2; shift 2; fi
cd "$root" || exit 2
exceptions=scripts/tree_exceptions.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A check prints, a line each and tab-separated: what an exception would say, and the message for who has to mend it.

headers() { find include src test bench -name '*.h' 2>/dev/null | sort; }
sources() { find src include \( -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.def' \) 2>/dev/null | sort; }
# Every #include "..." of src/: file, line, what is included
includes() { sources | xargs grep -HnE '^ *# *include *"' | sed -E 's/^([^:]+):([0-9]+):[^"]*"([^"]*)".*/\1\t\2\t\3/'; }

check_guards() {
    local file guard name room should other
    declare -A owner=()
    while read -r file; do
        guard=$(sed -nE 's/^ *#//p' "$file" | head -n 1 | sed -nE 's/^ifndef ([A-Za-z0-9_]+)$/\1/p')
        name=$(basename "$file" .h) room=$(basename "$(dirname "$file")")
        name=${name^^} room=${room^^}
        should=TS_${name#TS_}_H other=TS_${room}_${name#TS_}_H
        case $file in
        include/tessera/tessera.h) should=TESSERA_H other=TESSERA_H ;;
        include/tessera/*) should=TESSERA_${name#TESSERA_}_H other=$should ;;
        esac
        if [ -z "$guard" ] || ! grep -qxF "#define $guard" "$file"; then
            printf '%s\t%s\n' "$file" "$file: no include guard: #ifndef $should, #define $should before everything else, #endif at the end"
        elif [ "$guard" != "$should" ] && [ "$guard" != "$other" ]; then
            printf '%s\t%s\n' "$file" "$file: its include guard $guard should be $should, or $other where another has that"
        elif [ -n "${owner[$guard]-}" ]; then
            printf '%s\t%s\n' "$file" "$file: its include guard $guard is that of ${owner[$guard]}, too: call it $other"
        fi
        [ -z "$guard" ] || owner[$guard]=$file
    done < <(headers)
}

check_alone() {
    local flags cxx onnx verilator
    onnx=$(find /usr/include /usr/local/include -path '*/onnx/onnx.proto' -print -quit)
    mkdir -p "$work/gen"
    if ! protoc-c --proto_path="${onnx%/onnx/onnx.proto}" --c_out="$work/gen" onnx/onnx.proto; then
        printf 'protoc-c\t%s\n' "protoc-c cannot make onnx.pb-c.h, which headers need"
        return
    fi
    verilator=$(verilator --getenv VERILATOR_ROOT)
    # The build's own warnings and definitions
    mapfile -t flags < <(sed -n '/^add_compile_options(-Wall/,/)/p' CMakeLists.txt | sed 's/add_compile_options(//; s/)//' | tr -s ' \n' '\n' | grep '^-')
    [ ${#flags[@]} -gt 5 ] || { printf 'flags\t%s\n' "CMakeLists.txt: no add_compile_options(-Wall ...) to take the build's flags from"; return; }
    flags+=(-Werror -Wno-unused-function -isystem "$work/gen" -Iinclude -Isrc -Itest/unit -Itest/fuzz)
    # shellcheck disable=SC2046
    flags+=($(pkg-config --cflags jansson libprotobuf-c openblas cmocka))
    headers | grep -vE '^test/(rtl|e2e/cms)/' | xargs -P "$(nproc)" -n 12 gcc -fsyntax-only -x c -std=c11 "${flags[@]}" >"$work/alone.c" 2>&1
    cxx=(-std=c++17 -Wall -Isrc -Itest/rtl -isystem "$verilator/include" -isystem "$verilator/include/vltstd")
    headers | grep -E '^test/(rtl|e2e/cms)/' | xargs -r g++ -fsyntax-only -x c++ "${cxx[@]}" >"$work/alone.cpp" 2>&1
    sed -nE 's/^((include|src|test|bench)[^:]*\.h):([0-9]+):[0-9]+: (fatal )?error: (.*)/\1\t\1:\3: does not compile by itself: \5/p' "$work"/alone.c "$work"/alone.cpp |
        awk -F '\t' '!seen[$1]++'
    grep -hE '^(gcc|g\+\+|cc1|cc1plus): ' "$work"/alone.c "$work"/alone.cpp | sed 's/^/compiler\t/' | sort -u
}

# Rooms of the tour in order, one a line; src/main.c is one, too.
tour() {
    sed -n '/^## A tour of the source/,/^## [^A]/p' README.md | sed -nE 's/^\| (`[^|]*`) \|.*/\1/p' | grep -oE '`src/[a-z_]+(/|\.c)`' | sed -E 's,^`src/,,; s,/?`$,,'
}

check_rooms() {
    local room
    tour >"$work/tour"
    for room in src/*/ src/*.c; do
        room=${room#src/}
        grep -qxF "${room%/}" "$work/tour" || printf 'src/%s\t%s\n' "$room" "src/$room is not in the table of README.md's tour: give it its place there"
    done
    while read -r room; do
        [ -e "src/$room" ] || printf 'src/%s\t%s\n' "$room" "README.md: the tour's table has src/$room, which is not there"
    done <"$work/tour"
    includes | awk -F '\t' -v tour="$work/tour" '
        BEGIN { while ((getline room <tour) > 0) place[room] = ++n }
        $1 ~ /^src\/(sim|board)\/templates\// { next } # built outside of the tree
        {
            split($1, from, "/"); split($3, to, "/")
            if ($3 ~ /\.pb-c\.h$/ || to[1] == "tessera") next
            if ($3 !~ /\//) { print $1 " " $3 "\t" $1 ":" $2 ": includes " $3 " without its room"; next }
            if (!(from[2] in place) || !(to[1] in place) || place[to[1]] <= place[from[2]]) next
            print $1 " " $3 "\t" $1 ":" $2 ": includes " $3 ", but src/" to[1] "/ is below src/" from[2] "/ in the tour of README.md: move what is needed up, or the caller down"
        }'
}

# Files by their name without .c or .h, since a .c and its .h are one thing: NAME includes NAME. Headers and exceptions take lines away.
check_circles() {
    local a b rest file
    includes | sed -E 's/^(src|include)\///; s/\.(c|h|cpp|def)\t[0-9]+\t/ /; s/\.(c|h|def)$//' | awk '$1 != $2' | sort -u >"$work/edges"
    {
        sed -n "s/^circles  *//p" "$exceptions" 2>/dev/null
        grep -rnoE 'In a circle with [a-z_0-9]+/[a-z_0-9]+\.[ch]: *[^ ]' --include='*.h' src | sed -E 's,^src/([^:]+)\.h:[0-9]+:In a circle with ([^.]*).*,\1 \2,'
    } | awk '{ print $1, $2 }' | sort -u >"$work/allowed"
    comm -23 "$work/edges" "$work/allowed" >"$work/checked"
    # tsort goes on behind a circle, and names the files of each
    tsort "$work/checked" 2>&1 >/dev/null | sed -n 's/^tsort: //p' | awk '
        function show() { if (n) print "circle of" names "\t" names; n = 0; names = "" }
        / input contains a loop/ { show(); next }
        { names = names " " $1; n++ }
        END { show() }' | while IFS=$'\t' read -r a rest; do
        printf '%s\tin a circle:%s\n' "$a" "$rest"
        grep -hxFf <(for a in $rest; do for b in $rest; do echo "$a $b"; done; done) "$work/checked" | while read -r a b; do
            printf '\t    %s\n' "$(grep -nE "^ *# *include \"$b\.[a-z]+\"" "src/$a".[ch] /dev/null | head -n 1)"
        done
    done
    # What is allowed must be needed: without it there is still the way back.
    awk 'FNR == NR { next_of[$1] = next_of[$1] " " $2; next }
        function leads(from, to,   i, n, list) {
            if (from == to) return 1
            if (seen[from]++) return 0
            n = split(next_of[from], list)
            for (i = 1; i <= n; i++) if (leads(list[i], to)) return 1
            return 0
        }
        { split("", seen); if (!leads($2, $1)) print }' "$work/checked" "$work/allowed" | while read -r a b; do
        file=src/$a.h
        grep -qE "^circles  *$a  *$b( |$)" "$exceptions" && file=$exceptions
        printf 'stale\t%s\n' "$file: says that $a is in a circle with $b, which is not so any more: take the line out"
    done
}

check_public() {
    includes | awk -F '\t' '
        $1 ~ /^src\/(cli\/|main\.c$)/ && $3 !~ /^cli\// && $3 != "tessera/tessera.h" {
            list[$1] = list[$1] " " $3
        }
        END { for (file in list) print file "\t" file ": the command line includes what is not public:" list[file] }' | sort
    includes | awk -F '\t' '$1 ~ /^include\// && $3 !~ /^tessera\// { print $1 "\t" $1 ":" $2 ": a public header includes " $3 ", which is not installed" }'
}

check_options() { # but for what it starts: simulators and Yosys, and of makefiles
    sources | grep -vE '^src/(cli/|main\.c$|sim/|synth/|board/package_[a-z]+\.c$)' | xargs grep -HnE '^[^/]*"[^"]*--[a-z][^"]*"' | sed -nE 's/^([^:]+):([0-9]+):.*(--[a-z][a-z-]*).*/\1\t\1:\2: a text of the library names the option \3/p'
}

check_long() {
    local file lines
    while read -r lines file; do
        [ "$file" != total ] && [ "$lines" -gt 600 ] || continue
        sed -n '1,/\*\//p' "$file" | head -n 40 | tr -s ' *\n' ' ' | grep -q 'Long because [A-Za-z0-9]' ||
            printf '%s\t%s\n' "$file" "$file: $lines lines, over 600: split it, or say 'Long because ...' in its first comment"
    done < <(sources | xargs wc -l)
}

check_names() {
    local paths=$work/paths file line name
    find ./* -type f ! -path './build*' ! -path './out/*' ! -path '*/corpus/*' ! -name '*.pyc' ! -path "./$exceptions" | sed 's,^\./,,' | sort >"$paths"
    grep -E '\.(c|h|cpp|def|v|md|1|sh|py|txt)$' "$paths" | xargs awk -v paths="$paths" -f "$scripts/check_names.awk" |
        while IFS=$'\t' read -r file line name; do
            printf '%s %s\t%s\n' "$file" "$name" "$file:$line: cites $name, which is not there"
        done
}

# Markdown: [text](target), relative to the document, with its anchor; `path/...` from the root of the tree.
check_links() {
    local file line target path anchor
    grep -nHoE '\]\([^) ]+\)' README.md docs/*.md models/*.md train/*.md test/*/*.md 2>/dev/null | sed -E 's/^([^:]+):([0-9]+):\]\((.*)\)$/\1 \2 \3/' | while read -r file line target; do
        case $target in *://* | mailto:*) continue ;; esac
        path=${target%%#*} anchor=
        [[ $target != *#* ]] || anchor=${target#*#}
        [ -z "$path" ] && path=$file || path=$(dirname "$file")/$path
        if [ ! -e "$path" ]; then
            printf '%s %s\t%s\n' "$file" "$target" "$file:$line: links to $target, which is not there"
        elif [ -n "$anchor" ] && ! grep -E '^#+ ' "$path" | sed -E 's/^#+ //' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-' | grep -qxF -e "$anchor"; then
            printf '%s %s\t%s\n' "$file" "$target" "$file:$line: links to $target, but $path has no such heading"
        fi
    done
    grep -nHoE '`[a-z]+/[^` ]*' README.md docs/*.md models/*.md train/*.md test/*/*.md 2>/dev/null | sed -E 's/^([^:]+):([0-9]+):`/\1 \2 /' | while read -r file line target; do
        [ -d "${target%%/*}" ] && [[ $target != build/* && $target != out/* && $target != rtl/NAME* && ! $target =~ [A-Z]{4} ]] || continue
        target=${target%%[:,;(]*}
        if [[ $target == *[\*\[{\<]* ]]; then
            [[ $target == *[\<{]* ]] || compgen -G "$target" >/dev/null && continue
        elif [ -e "$target" ]; then
            continue
        fi
        printf '%s %s\t%s\n' "$file" "$target" "$file:$line: names $target, which is not there"
    done
}

# ---- Each check, less the exceptions
status=0 count=0
for line in "${checks[@]}"; do
    name=${line%% *}
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    count=$((count + 1))
    "check_$name" >"$work/$name" &
done
[ $count -gt 0 ] || { echo "check_tree.sh: no such check: $*" >&2; exit 2; }
wait
for line in "${checks[@]}"; do
    name=${line%% *}
    [ -f "$work/$name" ] || continue
    if ! awk -F '\t' -v name="$name" -v rules="${line#* }" -v file="$exceptions" '
        BEGIN {
            while ((getline row <file) > 0) if (split(row, part, / +/) && part[1] == name && name != "circles") {
                key = part[2]
                if (name ~ /^(rooms|names|links)$/) key = key " " part[3]
                allowed[key] = ++n
                order[n] = key
            }
        }
        $1 in allowed { used[$1] = 1; next }
        {
            if (!bad++) { sub(/^ +/, "", rules); print name ": " rules }
            print "    " $2
        }
        END {
            for (i = 1; i <= n; i++) if (!(order[i] in used)) {
                if (!bad++) print name ":"
                print "    " file ": \"" name " " order[i] "\" is not needed any more: take the line out"
            }
            exit bad > 0
        }' "$work/$name"; then
        status=1
    fi
done
[ $status = 0 ] && echo "$count checks of the tree passed, 0 failed"
exit $status
