"""What each shipped model is: shape, training stages, inputs, targets, classes. `tessera` reads the same from its inputs file."""
import math

import numpy as np
import torch

import events

PHI_BINS, THETA_BINS = 30, 15
ETA_MAX = 4.0
REGRESSED = ["theta", "sin_phi", "cos_phi", "q"]

# Columns that the models take, and how they are scaled. The mean of r is the only one that symmetry does not make zero.
INPUTS = [("x", 0, 400), ("y", 0, 400), ("z", 0, 1000), ("r", 400, 300), ("sin_phi", 0, 0.7), ("cos_phi", 0, 0.7), ("eta", 0, 2), ("cos_theta", 0, 0.8)]

# stages: (share of the steps at which a stage ends, fewest and most tracks of its events). Attention costs the square of an event's length, so that
# what can be learnt on short events is learnt there. hits: of a batch; rate: peak learning rate.
MODELS = {
    "encreg": dict(task="regression", shape=dict(d=32, heads=4, ff=128, layers=6), tracks=(10, 50), longest=None, rate=2e-3, hits=2048, steps=16000,
                   stages=[(0.1, (2, 8)), (0.3, (5, 20)), (1, (10, 50))]),
    "enccla": dict(task="classification", shape=dict(d=128, heads=8, ff=256, layers=6), tracks=(10, 50), longest=None, rate=1e-3, hits=2048, steps=10000,
                   stages=[(0.1, (2, 8)), (0.4, (5, 20)), (1, (10, 50))]),
    # Scored on two tracks or more: one alone in its event is no cluster, however good the model.
    "trigger": dict(task="regression", shape=dict(d=16, heads=2, ff=32, layers=2), tracks=(2, 3), longest=32, rate=4e-3, hits=1024, steps=15000,
                    stages=[(1, (1, 3))]),
    # The smallest that says something which a hit alone does not: the charge, and the direction at the vertex.
    "tiny": dict(task="regression", shape=dict(d=8, heads=1, ff=8, layers=1), tracks=(2, 3), longest=24, rate=4e-3, hits=1024, steps=15000,
                 stages=[(1, (1, 2))]),
}


def theta_edges():
    """Quantiles of theta where eta is uniform in +-ETA_MAX, from 0 to pi."""
    edges = 2 * np.arctan(np.exp(-np.linspace(-ETA_MAX, ETA_MAX, THETA_BINS + 1)))[::-1]
    return [0.0] + [float(e) for e in edges[1:-1]] + [math.pi]


def classes(momentum):
    """1 + THETA_BINS * (bin of phi in [0, 2 pi)) + (bin of theta), of momenta [..., 3]; class 0 is no track."""
    phi = np.arctan2(momentum[..., 1], momentum[..., 0]) % (2 * np.pi)
    theta = np.arctan2(np.hypot(momentum[..., 0], momentum[..., 1]), momentum[..., 2])
    phi_bin = np.minimum((phi * (PHI_BINS / (2 * np.pi))).astype(int), PHI_BINS - 1)
    return 1 + THETA_BINS * phi_bin + np.searchsorted(theta_edges()[1:-1], theta, side="right")


def outputs(task):
    """Number of outputs a hit."""
    return 1 + PHI_BINS * THETA_BINS if task == "classification" else len(REGRESSED)


def inputs_file(task):
    """The model's inputs file, as the host reads it."""
    text = {"inputs": [{"column": c, "mean": m, "std": s} for c, m, s in INPUTS], "task": task}
    if task == "classification":
        text.update(outputs=outputs(task), ignore_classes=[0], bins={"phi": PHI_BINS, "theta": theta_edges()})
    else:
        text.update(outputs=REGRESSED, cluster={"method": "hdbscan", "columns": REGRESSED, "min_cluster_size": 5, "min_samples": 2})
    return text


def features(position):
    """Standardised model inputs of hits at position [..., 3]."""
    flat = events.columns([c for c, _, _ in INPUTS], *position.reshape(-1, 3).astype(np.float64).T)
    flat = (flat - [m for _, m, _ in INPUTS]) / [s for _, _, s in INPUTS]
    return torch.from_numpy(flat.astype(np.float32).reshape(position.shape[:-1] + (len(INPUTS),)))


def targets(momentum, q):
    """What is regressed [..., 4], and what every layer is asked for besides [..., 5]: eta / 2, sin phi, cos phi, q and the curvature."""
    pt = np.hypot(momentum[..., 0], momentum[..., 1])
    sin, cos = momentum[..., 1] / pt, momentum[..., 0] / pt
    regressed = np.stack([np.arctan2(pt, momentum[..., 2]), sin, cos, q], -1)
    layered = np.stack([np.arcsinh(momentum[..., 2] / pt) / 2, sin, cos, q, 0.3 * q / pt], -1)
    return torch.from_numpy(regressed.astype(np.float32)), torch.from_numpy(layered.astype(np.float32))
