#!/usr/bin/env python3
"""A model becomes a design, and events go through its integer model, which gives what the hardware would.

    run_events.py MODEL.onnx EVENTS.csv INPUTS.json DIR >RESULTS.csv"""
import sys

import tessera

model, events_file, inputs, directory = sys.argv[1:]
design = tessera.compile(model, directory, "zcu102", events=events_file, inputs=inputs)
print("predicted:", design.compiled["predicted"]["latency_cycles"], "cycles", file=sys.stderr)
events = tessera.read_events(events_file, inputs)
for event, rows in zip(events, design.run(events)):
    for hit, row in zip(event.hit_ids, rows):
        print(event.id, hit, *("%.9g" % value for value in row), sep=",")
