#!/bin/sh
# Refits the cost table of the planner (src/ring/cost_table.def) to synthesis: see bench/fit_cost.py for the options.
set -eu
cd "$(dirname "$0")/.."
for python in python3 /usr/bin/python3; do
    if "$python" -c 'import numpy' 2>/dev/null; then
        exec "$python" bench/fit_cost.py "$@"
    fi
done
echo "bench/fit_cost.sh: needs Python with numpy" >&2
exit 1
