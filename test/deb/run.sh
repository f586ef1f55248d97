#!/usr/bin/env bash
# The Debian packages: built, looked at by lintian, installed by dpkg -i in a minimal Debian 12 beside nothing but what they depend on, used there
# (the command, C, Python), and removed. Root; a minute of processors. Usage: test/deb/run.sh [ROOT]   ROOT: a minimal Debian that is there already
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $what"; tail -n 20 "$work/log"; fi
}
end() { echo "$passed passed, $failed failed"; [ $failed -eq 0 ]; exit; }

debs=$root/build/deb
command -v dh lintian >/dev/null || { echo "skipped: no debhelper or lintian (scripts/install.sh --deb)"; exit 0; }
check "make deb" make -s -C "$root" deb
[ $failed -eq 0 ] || end
names=$(for deb in "$debs"/*.deb; do dpkg-deb -f "$deb" Package; done | sort | tr '\n' ' ')
check "a .deb of every package of debian/control" test "$names" = "$(sed -n 's/^Package: //p' "$root/debian/control" | sort | tr '\n' ' ')"
check "lintian has no errors and no warnings" lintian --allow-root --fail-on error,warning "$debs"/*.changes
check "and finds what is wrong" bash -c '
    dpkg-deb -R "$1"/tessera_*.deb "$2" && rm -r "$2"/usr/share/man "$2"/usr/share/doc/tessera/copyright && dpkg-deb -b "$2" "$2.deb" &&
    lintian --allow-root --fail-on error "$2.deb" | grep -q "no-copyright-file"' - "$debs" "$work/broken"

[ "$(id -u)" -eq 0 ] && command -v mmdebstrap >/dev/null || { echo "skipped: a minimal Debian needs root and mmdebstrap"; end; }
debian=$work/root
if [ $# -gt 0 ]; then
    cp -a "$1" "$debian"
else
    # What the packages depend on, and a compiler for the C example. Depends of our own are given by dpkg -i.
    needs=$(for deb in "$debs"/*.deb; do dpkg-deb -f "$deb" Depends; done | tr ',' '\n' | sed -E 's/\(.*//; s/:any//; s/\|.*//; s/ //g' | grep -v tessera | sort -u | paste -sd,)
    mmdebstrap --quiet --variant=minbase --include="$needs,libopenblas0-pthread,gcc,libc6-dev,pkg-config" bookworm "$debian" >"$work/log" 2>&1 ||
        { cat "$work/log"; echo "FAILED: no minimal Debian"; failed=$((failed + 1)); end; }
fi
mkdir -p "$debian/debs" "$debian/trial" && cp "$debs"/*.deb "$debian/debs/"
mapfile -t blas < <(env | grep '^OPENBLAS_') # kernels of other processors round otherwise where formats are calibrated
within() { chroot "$debian" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/trial LC_ALL=C.UTF-8 "${blas[@]}" sh -c "cd /trial && $1"; }
check "dpkg -i" within 'dpkg -i /debs/*.deb'
check "dpkg --audit" test -z "$(within 'dpkg --audit')"
check "the command" within 'tessera devices | grep -q zcu102'

# The same events through the command of the tree, of the package, C and Python.
examples=/usr/share/doc/python3-tessera/examples files="few.csv $examples/models/encreg.inputs.json" model=$examples/models/encreg.onnx
awk -F, 'NR == 1 || $1 < 4' "$root/models/encreg.csv" | tee "$work/few.csv" >"$debian/trial/few.csv"
check "the tree's command" sh -c 'cd "$2" && "$1"/build/tessera compile "$1"/models/encreg.onnx --device zcu102 --events few.csv --inputs "$1"/models/encreg.inputs.json -o want &&
    "$1"/build/tessera run want --engine integer --events few.csv -o want.csv && tail -n +2 want.csv >want.rows' - "$root" "$work"
check "compiles in there" within "tessera compile $model --device zcu102 --events few.csv --inputs ${files#* } -o command"
check "to the same design" diff -r "$work/want" "$debian/trial/command"
check "Python" within "python3 $examples/run_events.py $model $files python >python.rows"
check "gives the same bits" cmp "$work/want.rows" "$debian/trial/python.rows"
check "in the same design" diff -r "$work/want" "$debian/trial/python"
check "C" within "cc /usr/share/doc/libtessera-dev/examples/run_events.c \$(pkg-config --cflags --libs tessera) -o example && ./example $model $files c >c.rows"
check "gives the same bits" cmp "$work/want.rows" "$debian/trial/c.rows"
check "C, static" within 'cc /usr/share/doc/libtessera-dev/examples/run_events.c $(pkg-config --static --cflags --libs tessera | sed "s/-ltessera/-l:libtessera.a/") -o static'
check "a package, and its emulator" within "tessera package python -o board && python3 -c '
import numpy, tessera
events = tessera.read_events(\"few.csv\", \"${files#* }\")
with tessera.Device(\"board\") as device:
    numpy.testing.assert_array_equal(device.evaluate(events).values, tessera.Design(\"python\").evaluate(events).values)'"
check "scores from Python" within "python3 $examples/score_events.py python $files | grep -q double_majority"
check "Python's packages know it" within 'python3 -c "import importlib.metadata as m, tessera; assert m.version(\"tessera\") == tessera.__version__"'
check "dpkg --purge" within "dpkg --purge $names"
check "leaves nothing" test -z "$(find "$debian/usr" -path '*tessera*')"
end
