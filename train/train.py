#!/usr/bin/env python3
"""Trains one of the shipped models, exports it and writes its card.

    python3 train/train.py encreg --out run/encreg --ship models            # train, or go on with what is in run/encreg, and ship it
    python3 train/train.py encreg --steps 0 --out run/encreg --ship models  # ship what there is so far

README.md beside this file says what the loss is made of and why."""
import argparse
import copy
import datetime
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import events
from encoder import Encoder
from models import INPUTS, MODELS, classes, features, outputs, targets
from ship import onnx_weights, ship, validate


def robust(error, scale):
    """Quadratic below `scale`, linear above: a hit that belongs to two tracks equally must not outweigh all that can be made precise."""
    return scale * (torch.sqrt(1 + (error / scale) ** 2) - 1)


class Loss(torch.nn.Module):
    """The loss, and the linears behind each layer that it needs; these are not exported."""

    def __init__(self, task, d, layers, heads):
        super().__init__()
        self.task, self.guided = task, heads // 2
        self.layer_heads = torch.nn.ModuleList(torch.nn.Linear(d, 5) for _ in range(layers))

    def forward(self, model, batch, progress):
        position, particle, momentum, q = batch
        device = model.head.weight.device
        regressed, layered = (t.to(device) for t in targets(momentum, q))
        real = torch.from_numpy(particle >= 0).to(device)
        label = torch.from_numpy(relabel(particle).astype(np.float32)).to(device)
        states, owns = model.states(features(position).to(device), label)
        out = model.head(states[-1])
        part = {}
        if self.task == "classification":
            part["class"] = F.cross_entropy(out[real], torch.from_numpy(classes(momentum)).to(device)[real])
        else:
            part["value"] = robust(out - regressed, 0.05)[real].sum(-1).mean()
            part["spread"] = self.spread(out, label, real)
        part["layers"] = sum(robust(h(s) - layered, 0.05)[real].sum(-1).mean() for h, s in zip(self.layer_heads, states)) / len(states)
        # Half of the heads of the middle layers are told to attend to the hits of the query's own particle.
        middle = owns[1:-1] or owns
        part["attention"] = -sum((o[:, :self.guided] * real[:, None]).mean() for o in middle) / len(middle)
        weight = {"class": 1, "value": 1, "spread": 1, "layers": 0.5, "attention": 0.1 * max(0, 1 - progress / 0.8)}
        return sum(weight[k] * v for k, v in part.items()), {k: float(v.detach()) for k, v in part.items()}

    @staticmethod
    def spread(out, label, real):
        """Mean distance of a hit's outputs from the mean of its track's: clusters are what counts."""
        index = label.long() + torch.arange(len(label), device=label.device)[:, None] * (int(label.max()) + 1)
        index, flat = index[real], out[real]
        size = torch.zeros(int(index.max()) + 1, device=out.device).index_add(0, index, torch.ones_like(flat[:, 0]))
        mean = torch.zeros(len(size), flat.shape[1], device=out.device).index_add(0, index, flat) / size[:, None].clamp(min=1)
        return robust(torch.sqrt(((flat - mean[index]) ** 2).sum(-1) + 1e-8), 0.05).mean()


def relabel(particle):
    """Particle numbers from 1 within each event, 0 for noise: small enough for floats."""
    lowest = np.where(particle >= 0, particle, np.iinfo(particle.dtype).max).min(-1, keepdims=True)
    return np.where(particle >= 0, particle - lowest + 1, 0)


class Run:
    """All that a training is: model, loss, averaged weights, optimiser, counters. Saved whole, so that it can go on at any time."""

    def __init__(self, a, config):
        torch.manual_seed(a.seed)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        shape = config["shape"]
        self.model = Encoder(len(INPUTS), outputs=outputs(config["task"]), **shape).to(self.device)
        self.loss = Loss(config["task"], shape["d"], shape["layers"], shape["heads"]).to(self.device)
        self.average = copy.deepcopy(self.model)
        self.parameters = list(self.model.parameters()) + list(self.loss.parameters())
        self.optimiser = torch.optim.AdamW(self.parameters, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01, foreach=True)
        self.count = dict(step=0, chunk=0, events=0, hits=0, hours=0.0, score=0.0)

    def parts(self):
        return {"model": self.model, "loss": self.loss, "average": self.average, "optimiser": self.optimiser}

    def save(self, path):
        torch.save({"count": self.count, **{k: v.state_dict() for k, v in self.parts().items()}}, path + ".part")
        os.replace(path + ".part", path)

    def load(self, path):
        saved = torch.load(path, map_location=self.device)
        for k, v in self.parts().items():
            v.load_state_dict(saved[k])
        self.count = saved["count"]

    def warm_start(self, path):
        """Weights of another run's checkpoint, or of a model that was exported by it."""
        if path.endswith(".onnx"):
            self.model.load_state_dict(onnx_weights(path, self.model))
        else:
            saved = torch.load(path, map_location=self.device)
            self.model.load_state_dict(saved["average"])
            self.loss.load_state_dict(saved["loss"])
        self.average.load_state_dict(self.model.state_dict())

    def step(self, batch, progress, rate):
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss, parts = self.loss(self.model, batch, progress)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.count["step"] += 1
        decay = min(0.998, (1 + self.count["step"]) / (10 + self.count["step"]))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.model.parameters()):
                mean.lerp_(now, 1 - decay)
        return parts


def learning_rate(step, steps, peak):
    """Warm-up over 300 steps, flat, then a cosine down to a hundredth over the last 60 %."""
    fall = max(0.0, (step / steps - 0.4) / 0.6)
    return peak * min(1, (step + 1) / 300) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, fall))))


def train(a, config, run, log):
    pool = events.Pool.make(a.tessera, os.path.join(a.out, "tracks.npz"), a.pool, a.seed)
    start = time.time() - 3600 * run.count["hours"]
    sums, scored = {}, time.time()
    plans = run.count.setdefault("plans", [])
    if not plans or plans[-1][1] != a.steps:
        plans.append((run.count["step"], a.steps))
    while run.count["step"] < a.steps:
        progress = run.count["step"] / a.steps
        tracks = next(t for end, t in config["stages"] if progress < end)
        rng = np.random.default_rng([a.seed, run.count["chunk"]])
        for batch in events.batches(pool, rng, tracks, config["hits"], 500 if tracks[1] > 8 else 2000, config["longest"]):
            if run.count["step"] >= a.steps:
                break
            parts = run.step(batch, run.count["step"] / a.steps, learning_rate(run.count["step"], a.steps, a.rate or config["rate"]))
            run.count["events"] += len(batch[0])
            run.count["hits"] += batch[0].shape[0] * batch[0].shape[1]
            run.count["hours"] = (time.time() - start) / 3600
            for k, v in parts.items():
                sums.setdefault(k, []).append(v)
            if run.count["step"] % a.log_every == 0:
                log("step %6d  tracks %d-%d  events %d  hits %.3g  hours %.3f  %s" % (
                    run.count["step"], *tracks, run.count["events"], run.count["hits"], run.count["hours"],
                    "  ".join("%s %.4f" % (k, np.mean(v)) for k, v in sums.items())))
                sums = {}
            if time.time() - scored > 60 * a.score_minutes or run.count["step"] == a.steps:
                scored = time.time()
                score = validate(run.average, a, config)
                log("step %6d  averaged weights: %s" % (run.count["step"], score))
                run.save(os.path.join(a.out, "checkpoint.pt"))
        run.count["chunk"] += 1
        run.save(os.path.join(a.out, "checkpoint.pt"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=sorted(MODELS))
    p.add_argument("--out", required=True, metavar="DIR", help="checkpoints, log, tracks; goes on with what is there")
    p.add_argument("--steps", type=int, help="optimiser steps in all (models.py); 0: none, only --ship")
    p.add_argument("--rate", type=float, help="peak learning rate")
    p.add_argument("--pool", type=int, default=200000, metavar="N", help="simulated tracks that events are made of (200000)")
    p.add_argument("--seed", type=int, default=1001)
    p.add_argument("--from", dest="warm", metavar="FILE", help="start from these weights: a checkpoint.pt or an exported .onnx of the same shape")
    p.add_argument("--tessera", default="build/tessera", metavar="PATH")
    p.add_argument("--log-every", type=int, default=200, metavar="STEPS")
    p.add_argument("--score-minutes", type=float, default=10, metavar="M")
    p.add_argument("--ship", metavar="FOLDER", help="export the averaged weights and write inputs file, test events and card")
    p.add_argument("--date", default=datetime.date.today().isoformat(), help="date on the card (today)")
    a = p.parse_args()
    config = MODELS[a.model]
    a.steps = config["steps"] if a.steps is None else a.steps
    os.makedirs(a.out, exist_ok=True)
    with open(os.path.join(a.out, "log.txt"), "a") as file:
        def log(text):
            print(text, flush=True)
            file.write(text + "\n")
            file.flush()
        run = Run(a, config)
        checkpoint = os.path.join(a.out, "checkpoint.pt")
        if os.path.exists(checkpoint):
            run.load(checkpoint)
            log("goes on at step %d" % run.count["step"])
        elif a.warm:
            run.warm_start(a.warm)
            log("starts from %s" % a.warm)
        log("%s: %s" % (run.device, " ".join(sys.argv)))
        if a.steps:
            train(a, config, run, log)
        if a.ship:
            ship(a, config, run, log)


if __name__ == "__main__":
    main()
