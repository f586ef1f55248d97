#!/bin/sh
# What the planner predicts against what synthesis finds: see bench/synth_points.py for the options. Takes the better part of an hour.
exec /usr/bin/python3 "$(dirname "$0")/synth_points.py" "$@"
