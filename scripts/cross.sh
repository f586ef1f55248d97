#!/usr/bin/env bash
# The host library for other processors: built with Debian's compilers, its tests run below qemu-user. Usage: cross.sh [aarch64|armhf ...]
# Needs gcc-aarch64-linux-gnu, gcc-arm-linux-gnueabihf and qemu-user (scripts/install.sh --cross).
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- aarch64 armhf
passed=0 failed=0
for target in "$@"; do
    build=build-$target log=build-$target/log
    mkdir -p "$build"
    if cmake -S src/run -B "$build" -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/$target.cmake" -DCMAKE_BUILD_TYPE=Release >"$log" 2>&1 &&
        cmake --build "$build" -j2 >>"$log" 2>&1 && ctest --test-dir "$build" --output-on-failure -j2 >>"$log" 2>&1; then
        library=$(find "$build/lib" -name 'libtessera-run.so.*.*.*')
        needed=$(readelf -d "$library" | sed -nE 's/.*NEEDED.*\[(.*)\]/\1/p' | tr '\n' ' ')
        strip=$(sed -nE 's/^CMAKE_STRIP:.*=(.*)/\1/p' "$build/CMakeCache.txt")
        "$strip" -o "$build/stripped.so" "$library"
        size=$(stat -c %s "$build/stripped.so")
        # armhf's own loader is no library beside the C library, but is listed like one
        if [ "$size" -lt 200000 ] && ! grep -qvE '^(libc\.so\.6|ld-linux.*) *$' < <(tr ' ' '\n' <<<"$needed" | grep .); then
            passed=$((passed + 1))
            echo "ok      $target: $(grep -oE '[0-9]+% tests passed, .*' "$log"); $size bytes, needs $needed"
            continue
        fi
        echo "its library has $size bytes and needs $needed" >>"$log"
    fi
    failed=$((failed + 1))
    echo "FAILED  $target"
    tail -n 30 "$log"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
