#!/usr/bin/env bash
# What an extension touches is what docs/adding-an-operator.md says: names of activations, norms and stages are in the files of its table, in all of them,
# and in no other file of src/; every file that the page names is there. Usage, from anywhere: scripts/check_extension.sh
set -uo pipefail
cd "$(dirname "$0")/.."
page=docs/adding-an-operator.md
status=0 rows=0
wrong() { echo "$page: $*"; status=1; }
while IFS=$'\t' read -r what names files; do
    rows=$((rows + 1))
    found=$(grep -rlP --include='*.[ch]' --include='*.def' -- "$names" src | sort)
    listed=$(grep -oE 'src/[a-z0-9_/.]+' <<<"$files" | sort)
    [ -n "$found" ] || wrong "$what: nothing is called $names"
    for file in $(comm -23 <(echo "$found") <(echo "$listed")); do
        wrong "$what: $file names one and is not in the table: $(grep -noP -m 1 -- "$names" "$file")"
    done
    for file in $(comm -13 <(echo "$found") <(echo "$listed")); do wrong "$what: $file is in the table and names none"; done
done < <(sed -n '/^## Who may know/,$p' "$page" | grep '^|' | tail -n +3 | sed 's/\\|/\x01/g' |
    awk -F'|' '{ gsub(/^ +| +$/, "", $2); match($3, /`[^`]*`/); names = substr($3, RSTART + 1, RLENGTH - 2); gsub(/\001/, "|", names); print $2 "\t" names "\t" $4 }')
for file in $(grep -oE '`(src|rtl|test|docs|bench|scripts|train)/[A-Za-z0-9_/.]+`' "$page" | tr -d '`' | sort -u); do
    [ -e "$file" ] || wrong "names $file, which is not there"
done
[ $rows -gt 0 ] || wrong "its table is not found"
[ $status = 0 ] && echo "$rows kinds of extension touch what $page says"
exit $status
