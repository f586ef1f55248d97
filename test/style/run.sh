#!/usr/bin/env bash
# The checks of the tree notice what they are for: each fault is put into a copy of the tree, one after the other, and its check must fail
# and say where. Usage, from anywhere: test/style/run.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
tree=$(mktemp -d)
trap 'rm -rf "$whole"' EXIT
for part in .clang-format CMakeLists.txt README.md demo.sh test.sh bench devices docs geometries include models rtl scripts src train test; do
    [ ! -e $part ] || cp -r $part "$tree/"
done
rm -rf "$tree/test/style" # it has what is not there in it
whole=$tree small=$tree/small
mkdir -p "$small/src" # for checks that run a compiler over every file
cp -r .clang-format CMakeLists.txt scripts "$small"
cp -r src/base "$small/src/base"
passed=0 failed=0

# fault FILE COMMAND EXPECTED [TEXT]: TEXT (or what comes in on stdin) goes behind FILE's lines, or FILE is made of it; COMMAND must fail then
# and say EXPECTED. FILE is put back.
fault() {
    local file=$1 output status
    mkdir -p "$tree/$(dirname "$file")"
    [ ! -e "$file" ] || cp "$file" "$tree/before"
    if [ $# -gt 3 ]; then printf '%b\n' "$4" >>"$tree/$file"; else cat >>"$tree/$file"; fi
    # shellcheck disable=SC2086
    output=$(cd "$tree" && scripts/$2 2>&1)
    status=$?
    if [ $status = 1 ] && grep -qF -e "$3" <<<"$output"; then
        passed=$((passed + 1))
    else
        echo "FAIL: $2: status $status, expected '$3' with $file changed; it says:"
        sed 's/^/    /' <<<"${output:-nothing}" | head -n 20
        failed=$((failed + 1))
    fi
    if [ -e "$file" ]; then mv "$tree/before" "$tree/$file"; else rm "$tree/$file"; fi
    case $file in src/zz/*) rmdir "$tree/src/zz" ;; esac
}
header() { printf '#ifndef %s\n#define %s\n%s\n#endif\n' "$1" "$1" "$2"; } # GUARD TEXT

tree=$small
fault src/base/map.c check_style.sh 'mend: clang-format -i src/base/map.c' 'int  zz;'
fault test/rtl/zz.cpp check_style.sh 'test/rtl/zz.cpp: not as clang-format leaves it' 'int  zz;'
fault src/base/zz.h 'check_tree.sh alone' "src/base/zz.h:3: does not compile by itself: unknown type name" < <(header TS_ZZ_H 'size_t zz(void);')
tree=$whole
fault src/base/zz.h 'check_tree.sh guards' 'src/base/zz.h: no include guard' 'int zz;'
fault src/base/zz.h 'check_tree.sh guards' 'src/base/zz.h: its include guard ZZ should be TS_ZZ_H' < <(header ZZ 'int zz;')
fault src/num/map.h 'check_tree.sh guards' 'src/num/map.h: its include guard TS_MAP_H is that of src/base/map.h, too: call it TS_NUM_MAP_H' < <(header TS_MAP_H 'int zz;')
fault include/tessera/zz.h 'check_tree.sh guards' 'its include guard TS_ZZ_H should be TESSERA_ZZ_H' < <(header TS_ZZ_H 'int zz;')
fault src/base/map.c 'check_tree.sh rooms' 'includes graph/graph.h, but src/graph/ is below src/base/' '#include "graph/graph.h"'
fault src/base/map.c 'check_tree.sh rooms' 'includes map.h without its room' '#include "map.h"'
fault src/zz/zz.c 'check_tree.sh rooms' 'src/zz/ is not in the table' ''
fault src/physics/spanning_tree.c 'check_tree.sh circles' 'src/physics/hdbscan.c:' '#include "physics/hdbscan.h"'
fault src/base/map.h 'check_tree.sh circles' 'src/base/map.h: says that base/map is in a circle with base/err, which is not so any more' '/* In a circle with base/err.h: why */'
fault src/cli/zz.c 'check_tree.sh public' 'src/cli/zz.c: the command line includes what is not public: base/err.h emu/emu.h' '#include "cli/args.h"\n#include "base/err.h"\n#include "emu/emu.h"'
fault src/flow/zz.c 'check_tree.sh options' 'src/flow/zz.c:2: a text of the library names the option --max-tokens' 'int zz;\nstatic const char *why = "lower --max-tokens";'
fault include/tessera/zz.h 'check_tree.sh public' 'include/tessera/zz.h:1: a public header includes base/err.h' '#include "base/err.h"'
fault src/base/zz.c 'check_tree.sh long' 'src/base/zz.c: 601 lines, over 600' < <(echo '/* Long because */'; yes '' | head -n 600)
fault src/base/map.c 'check_tree.sh names' 'cites zz.c, which is not there' '/* as\n   in zz.c */'
fault src/base/map.c 'check_tree.sh names' 'cites num/map.h, which is not there' '// see num/map.h.'
fault rtl/ts_skid.v 'check_tree.sh names' 'cites ts_zz, which is not there' '/* ts_zz */'
fault docs/paging.md 'check_tree.sh names' 'cites TS_ZZ_MAX, which is not there' 'at most `TS_ZZ_MAX`'
fault docs/paging.md 'check_tree.sh names' 'cites ts_zz_, which is not there' 'all of `ts_zz_*`'
fault README.md 'check_tree.sh links' ': names src/zz/, which is not there' 'in `src/zz/`'
fault README.md 'check_tree.sh links' 'links to docs/zz.md, which is not there' 'see [it](docs/zz.md)'
fault README.md 'check_tree.sh links' 'has no such heading' 'see [it](docs/paging.md#zz)'
fault scripts/tree_exceptions.txt 'check_tree.sh long' '"long src/base/map.c" is not needed any more' 'long src/base/map.c'
fault scripts/tree_exceptions.txt 'check_tree.sh circles' 'says that base/map is in a circle with base/err, which is not so any more' 'circles base/map base/err'
fault test/mutations.txt 'mutate.sh --check src/num/fixed.h' 'changes 0 lines, not one' 'src/num/fixed.h fixed_test s/zz/yy/'
fault test/mutations.txt 'mutate.sh --check src/num/fixed.h' 'there is no such test' 'src/num/fixed.h zz_test s/x > hi ? hi/x > hi ? hi + 1/'
fault rtl/ts_zz.v 'mutate.sh --check ts_zz' 'rtl/ts_zz.v has no fault' ''

echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
