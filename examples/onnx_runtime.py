"""A model in onnxruntime: the Python package where it is installed, else npm's by node (scripts/install.sh --bench puts it into out/)."""
import os
import subprocess
import tempfile

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def infer(model, array, lengths):
    """[events][tokens][features] with lengths [events]: [events][tokens][outputs], NaN behind an event's hits. Each event alone, as hardware takes
    it. ImportError where there is no onnxruntime."""
    events = [np.ascontiguousarray(event[:hits], np.float32) for event, hits in zip(array, lengths)]
    try:
        import onnxruntime
    except ImportError:
        rows = by_node(model, events)
    else:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        rows = np.concatenate([session.run(None, {session.get_inputs()[0].name: event[None]})[0][0] for event in events])
    made = np.full((len(array), array.shape[1], rows.shape[1]), np.nan)
    made[np.arange(array.shape[1]) < np.asarray(lengths)[:, None]] = rows
    return made


def by_node(model, events):
    """[sum of hits][outputs]."""
    modules = os.environ.get("ORT_FROM", os.path.join(ROOT, "out/onnxruntime/x.js"))
    if not os.path.isdir(os.path.join(os.path.dirname(modules), "node_modules/onnxruntime-node")):
        raise ImportError("no onnxruntime: neither Python's nor npm's (scripts/install.sh --bench)")
    with tempfile.TemporaryDirectory() as folder:
        np.concatenate(events).tofile(folder + "/x")
        hits = ",".join(str(len(event)) for event in events)
        subprocess.run(["node", os.path.join(ROOT, "test/e2e/ort.mjs"), model, folder + "/x", hits, str(events[0].shape[1]), folder + "/y"], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "ORT_FROM": modules})
        return np.fromfile(folder + "/y", np.float32).reshape(sum(map(len, events)), -1)
