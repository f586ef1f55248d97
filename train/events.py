"""Events for training: a pool of simulated tracks, from which any number of new events are put together.

Tracks of one event of `tessera events` are independent of each other and the detector is a set of cylinders and disks, so that a track that is
rotated about the beam, reflected in z or reflected in y (which exchanges the charges) is as likely as the track itself. An event made of tracks
of different events, each moved so, is a new event of the same distribution."""
import os
import subprocess

import numpy as np

ROW = np.dtype([("event", "i8"), ("hit", "i8"), ("x", "f8"), ("y", "f8"), ("z", "f8"), ("particle", "i8"), ("weight", "f8"), ("px", "f8"), ("py", "f8"),
                ("pz", "f8"), ("q", "f8")])


def generate(tessera, path, events, tracks, seed):
    """Writes events of the default detector and physics to the CSV `path`."""
    subprocess.run([tessera, "events", "--events", str(events), "--tracks", "%d-%d" % tuple(tracks), "--seed", str(seed), "-o", path], check=True,
                   stdout=subprocess.DEVNULL)


def read(path):
    """Rows of an events CSV, as written by `tessera events`."""
    return np.loadtxt(path, dtype=ROW, delimiter=",", skiprows=1, ndmin=1)


def columns(names, x, y, z):
    """Input columns by name, [hits, len(names)]: x, y, z and what the host derives from them (src/data/events.c)."""
    r = np.hypot(x, y)
    rho = np.hypot(r, z)
    known = {"x": lambda: x, "y": lambda: y, "z": lambda: z, "r": lambda: r, "phi": lambda: np.arctan2(y, x), "theta": lambda: np.arctan2(r, z),
             "eta": lambda: np.arcsinh(z / r), "sin_phi": lambda: y / r, "cos_phi": lambda: x / r, "sin_theta": lambda: r / rho,
             "cos_theta": lambda: z / rho}
    return np.stack([known[n]() for n in names], -1)


class Pool:
    """Tracks: hits grouped by particle, and their particles' momenta. Noise hits apart."""

    def __init__(self, position, start, momentum, q, noise):
        self.position, self.start, self.momentum, self.q, self.noise = position, start, momentum, q, noise
        self.size = np.diff(start)

    @classmethod
    def make(cls, tessera, path, tracks, seed):
        """Generates the tracks once and keeps them in the file `path`."""
        if not os.path.exists(path):
            csv = path + ".csv"
            generate(tessera, csv, tracks // 50, (50, 50), seed)
            rows = read(csv)
            os.remove(csv)
            noise = rows[rows["particle"] == 0]
            rows = rows[rows["particle"] != 0]
            rows = rows[np.lexsort((rows["particle"], rows["event"]))]
            first = np.flatnonzero(np.r_[True, (np.diff(rows["particle"]) != 0) | (np.diff(rows["event"]) != 0)])
            xyz = lambda t: np.stack([t["x"], t["y"], t["z"]], -1).astype(np.float32)
            head = rows[first]
            momentum = np.stack([head["px"], head["py"], head["pz"]], -1)
            np.savez(path + ".part.npz", position=xyz(rows), start=np.r_[first, len(rows)], momentum=momentum, q=head["q"], noise=xyz(noise))
            os.replace(path + ".part.npz", path)
        with np.load(path) as f:
            return cls(f["position"], f["start"], f["momentum"], f["q"], f["noise"])

    def compose(self, rng, events, tracks, noise=0.02):
        """`events` new events of tracks[0] ... tracks[1] tracks: a list of (position [hits, 3], particle [hits], momentum [hits, 3], q [hits]), hits
        in random order, particle -1 for noise, whose momentum and charge mean nothing."""
        count = rng.integers(tracks[0], tracks[1] + 1, events)
        track = rng.integers(0, len(self.q), count.sum())
        hits = self.size[track]
        extra = rng.poisson(noise * np.add.reduceat(hits, np.r_[0, np.cumsum(count)[:-1]]))
        owner = np.repeat(np.arange(len(track)), hits)
        at = np.arange(hits.sum()) - np.repeat(np.cumsum(hits) - hits, hits) + np.repeat(self.start[track], hits)
        c, s, up, side = draw_moves(rng, len(track))
        position = move(self.position[at], c[owner], s[owner], up[owner], side[owner])
        momentum = move(self.momentum[track], c, s, up, side)[owner]
        q = (self.q[track] * side)[owner]
        stray = move(self.noise[rng.integers(0, len(self.noise), extra.sum())], *draw_moves(rng, extra.sum()))
        event = np.r_[np.repeat(np.repeat(np.arange(events), count), hits), np.repeat(np.arange(events), extra)]
        position, momentum = np.concatenate([position, stray]), np.concatenate([momentum, np.ones_like(stray)])
        q, owner = np.r_[q, np.ones(len(stray))], np.r_[owner, np.full(len(stray), -1)]
        order = np.lexsort((rng.random(len(event)), event))
        cut = np.searchsorted(event[order], np.arange(1, events))
        return list(zip(*(np.split(a[order], cut) for a in (position, owner, momentum, q))))


def draw_moves(rng, n):
    angle = rng.uniform(-np.pi, np.pi, n)
    return np.cos(angle), np.sin(angle), rng.choice((-1.0, 1.0), n), rng.choice((-1.0, 1.0), n)


def move(p, c, s, up, side):
    """Rotates [n, 3] vectors about z by (c, s) after reflecting z by `up` and y by `side`."""
    x, y = p[:, 0], p[:, 1] * side
    return np.stack([c * x - s * y, s * x + c * y, p[:, 2] * up], -1)


def batches(pool, rng, tracks, tokens, chunk, longest=None):
    """Batches of events of equal length, about `tokens` hits each, from `chunk` new events: (position, particle, momentum, q) with leading dimensions
    [events, hits]. Events of nearly equal length are cut to the shortest of them; hits are in random order, so that random ones go."""
    events = pool.compose(rng, chunk, tracks)
    if longest:
        events = [e for e in events if len(e[0]) <= longest]
    events.sort(key=lambda e: len(e[0]))
    groups, at = [], 0
    while at < len(events):
        n = len(events[at][0])
        group = events[at:at + max(1, tokens // n)]
        at += len(group)
        if len(group[-1][0]) - n <= 2 + n // 16:
            groups.append([np.stack([a[:n] for a in arrays]) for arrays in zip(*group)])
    rng.shuffle(groups)
    return groups
