#!/usr/bin/env python3
"""Events go through a model, and its results are scored as tracks against the truth, all in memory.

    score_events.py MODEL.onnx|DIR EVENTS.csv INPUTS.json >SCORES.json

EVENTS.csv has the truth, too (docs/scores.md). A compiled directory runs as integers, a model's file in floating point. Beside the model stands
what its clusterer makes of the hits alone."""
import json
import sys

import tessera

model, events, inputs = sys.argv[1:]
results = tessera.Engine(model, standardised=True).evaluate(tessera.read_events(events, inputs))
scores = tessera.score({"model": results, "no model": "baseline:angles"}, events, inputs=inputs, subset=bool(results.refused.any()))
metrics = ("trackml", "perfect", "double_majority", "lhc")
rows = [{"label": row.label, "min_cluster_size": row.min_cluster_size, "min_samples": row.min_samples, "events": row.events,
         **{name: getattr(row, name).mean for name in metrics}} for row in scores]
json.dump(rows, sys.stdout, indent=1)
print()
