#!/usr/bin/env bash
# Debian packages of the tree as it is, into build/deb, by debhelper and without root (scripts/install.sh --deb installs what is needed).
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/build/deb
version=$(sed -n 's/.*define TESSERA_VERSION "\(.*\)"/\1/p' include/tessera/tessera.h)
said=$(dpkg-parsechangelog -l debian/changelog -S Version)
[ "$said" = "$version" ] || { echo "deb.sh: debian/changelog is of version $said, include/tessera/tessera.h of $version" >&2; exit 1; }
command -v dh >/dev/null && command -v dh_python3 >/dev/null || { echo "deb.sh: debhelper or dh-python is missing: scripts/install.sh --deb" >&2; exit 1; }
rm -rf "$out"
mkdir -p "$out/tessera-$version"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar --null -T - -cf - | tar -xf - -C "$out/tessera-$version"
cd "$out/tessera-$version"
export DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS-}"
dpkg-buildpackage --build=binary --no-sign >"$out/log" 2>&1 || { tail -n 40 "$out/log" >&2; echo "deb.sh: whole log: $out/log" >&2; exit 1; }
rm -rf "$out/tessera-$version"
ls -l "$out"/*.deb
