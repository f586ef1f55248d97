#!/usr/bin/env bash
# Every C and C++ file of the tree is as clang-format leaves it; says which is not, and the command that mends it.
# Usage, from anywhere: scripts/check_style.sh [--mend] [FILE...]   (paths from the root of the tree)
set -uo pipefail
mend=0
[ "${1-}" != --mend ] || { mend=1; shift; }
cd "$(dirname "$0")/.." || exit 2
version=$(clang-format --version 2>/dev/null | grep -oE 'version [0-9]+' | cut -d ' ' -f 2)
if [ "$version" != 14 ]; then # others break lines elsewhere
    echo "check_style.sh: clang-format 14 is needed, ${version:-none} is there (scripts/install.sh --all installs Debian 12's)" >&2
    exit 2
fi
[ $# -gt 0 ] || mapfile -d '' found < <(find include src test bench train rtl \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) -print0 2>/dev/null)
files=("$@" "${found[@]-}")
[ -n "${files[-1]}" ] || unset 'files[-1]'
[ ${#files[@]} -gt 0 ] || { echo "check_style.sh: no C files in $PWD" >&2; exit 2; }
each() { printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 20 clang-format "$@" 2>&1; }
if [ $mend = 1 ]; then
    each -i
    exit
fi
said=$(each --dry-run -Werror) && { echo "${#files[@]} files are as clang-format leaves them"; exit 0; }
mapfile -t wrong < <(sed -nE 's/^([^:]+):[0-9]+:.*\[-Wclang-format-violations\]$/\1/p' <<<"$said" | sort -u)
[ ${#wrong[@]} -gt 0 ] || { echo "$said" >&2; exit 2; }
for file in "${wrong[@]}"; do echo "$file: not as clang-format leaves it"; done
echo "mend: clang-format -i ${wrong[*]}"
exit 1
