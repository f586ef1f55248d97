#!/usr/bin/env python3
"""Events go through a model, and its results are scored as tracks against the truth, all in memory: through the shared library.

    score_events.py MODEL.onnx|DIR EVENTS.csv INPUTS.json [LIBRARY] >SCORES.json

EVENTS.csv has the truth, too (docs/scores.md). A compiled directory runs as integers, a model's file in floating point. Beside the model stands
what its clusterer makes of the hits alone."""
import ctypes
import json
import os
import sys

import numpy as np

from run_events import B, D, FLOAT, I, INTEGER, P, S, Arrays, Sized, Source, Tessera, I64


class Results(Sized):
    _fields_ = [("size", S), ("events", ctypes.POINTER(Arrays)), ("outputs", I), ("values", ctypes.POINTER(D)), ("refused", ctypes.POINTER(B))]


class ScoreItem(Sized):
    _fields_ = [("size", S), ("label", P), ("file", P), ("results", ctypes.POINTER(Results)), ("baseline", P), ("inputs", P)]


class ScoreOptions(Sized):
    _fields_ = [("size", S), ("item", ctypes.POINTER(ScoreItem)), ("items", I), ("against", ctypes.POINTER(ScoreItem)), ("truth", P), ("subset", B)]


class Estimate(ctypes.Structure):
    _fields_ = [("mean", D), ("error", D)]


METRICS = ("trackml", "perfect", "double_majority", "lhc")


class ScoreRow(Sized):  # members behind these are left out: the size says so
    _fields_ = [("size", S), ("label", P), ("item", I), ("min_cluster_size", I), ("min_samples", I), ("columns", I), ("outputs", I), ("events", I),
                ("ignored", I)] + [(name, Estimate) for name in METRICS]


def pointer(array, kind):
    return array.ctypes.data_as(ctypes.POINTER(kind))


def score(tessera, items, truth, subset):
    """[{label, min_cluster_size, min_samples, events, trackml, ...}]: of each item, made in every way."""
    handle, row, rows = ctypes.c_void_p(), ScoreRow(), []
    options = ScoreOptions(item=items, items=len(items), truth=truth.encode(), subset=subset)
    tessera.library.tessera_scores_get.restype = B
    tessera.call("score", ctypes.byref(options), None, ctypes.byref(handle), None)
    while tessera.library.tessera_scores_get(handle, len(rows), ctypes.byref(row)):
        rows.append({"label": row.label.decode(), "min_cluster_size": row.min_cluster_size, "min_samples": row.min_samples, "events": row.events})
        rows[-1].update((name, getattr(row, name).mean) for name in METRICS)
    tessera.library.tessera_scores_free(handle)
    return rows


def main(model, events_file, inputs_file, library="libtessera.so.0"):
    tessera = Tessera(library)
    events = tessera.events(Source(events=events_file.encode(), inputs=inputs_file.encode()))
    hits = np.array([len(values) for _, _, values in events], np.int32)
    values = np.ascontiguousarray(np.concatenate([values for _, _, values in events]), np.float32)
    ids = np.array([event for event, _, _ in events], np.int64)
    hit_ids = np.concatenate([np.array(own, np.int64) for _, own, _ in events])
    engine = tessera.engine(INTEGER if os.path.isdir(model) else FLOAT, model)
    results = tessera.run(engine, hits, values)
    tessera.library.tessera_engine_free(engine)
    first = np.concatenate(([0], np.cumsum(hits[:-1]))).astype(int)
    refused = np.isnan(results[:, 0])[np.minimum(first, len(results) - 1)] & (hits > 0)

    arrays = Arrays(events=len(hits), features=values.shape[1], hits=pointer(hits, ctypes.c_int32), values=pointer(values, ctypes.c_float),
                    id=pointer(ids, I64), hit_id=pointer(hit_ids, I64))
    mine = Results(events=ctypes.pointer(arrays), outputs=results.shape[1], values=pointer(results, D), refused=pointer(refused, B))
    items = (ScoreItem * 2)()
    items[0] = ScoreItem(label=b"model", results=ctypes.pointer(mine), inputs=inputs_file.encode())
    items[1] = ScoreItem(label=b"no model", baseline=b"angles")
    json.dump(score(tessera, items, events_file, bool(refused.any())), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
