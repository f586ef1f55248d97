#!/usr/bin/env bash
# The library from several threads under ThreadSanitizer. Usage: run.sh BUILD (make tsan builds build-tsan).
# One OpenMP thread a call: libgomp is not built for ThreadSanitizer, which does not see that its barriers order what is on both sides.
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$(cd "${1:-build-tsan}" && pwd)
failed=0
for name in api_threads api_run; do
    OMP_NUM_THREADS=1 TSAN_OPTIONS="halt_on_error=1" "$build/test/${name}_test" || failed=1
done
[ $failed -eq 0 ] && echo "2 passed, 0 failed"
exit $failed
