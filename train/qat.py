#!/usr/bin/env python3
"""Fine-tunes a shipped regression model with rounded weights and activations and exports it with its steps (QuantizeLinear, DequantizeLinear).

    OMP_NUM_THREADS=1 python3 train/qat.py encreg --out run/encreg_qat --ship models            # train, or go on, and ship
    OMP_NUM_THREADS=1 python3 train/qat.py encreg --out run/encreg_qat --ship models --steps 0  # ship what there is so far

quantised.py says what is rounded; README.md beside this file why."""
import argparse
import copy
import datetime
import json
import os
import sys
import tempfile
import time

import numpy as np
import torch

import events
import ship
from encoder import Encoder
from models import INPUTS, MODELS, features, inputs_file, outputs, targets
from quantised import BITS, Quantised, export
from train import Loss, learning_rate, relabel, robust

CALIBRATION_EVENTS = 20
STEP_RATE = 0.1  # learning rate of the steps' logarithms, relative to that of the weights


class Tuning:
    """Rounded model, its float teacher, averaged weights, optimiser, counters."""

    def __init__(self, a, config, pool):
        self.model = Encoder(len(INPUTS), outputs=outputs(config["task"]), **config["shape"])
        self.model.load_state_dict(ship.onnx_weights(a.warm, self.model))
        self.teacher = copy.deepcopy(self.model).requires_grad_(False)
        self.quantised = Quantised(self.model)
        rng = np.random.default_rng([a.seed, 0])
        some = [features(e[0])[None] for e in pool.compose(rng, CALIBRATION_EVENTS, config["tracks"])]
        self.quantised.centre(some)
        self.quantised.calibrate(some)
        self.average = copy.deepcopy(self.quantised)
        steps = {id(p) for p in self.quantised.steps()}
        rest = [p for p in self.quantised.parameters() if id(p) not in steps]
        self.optimiser = torch.optim.AdamW([{"params": rest, "share": 1.0}, {"params": self.quantised.steps(), "share": STEP_RATE, "weight_decay": 0.0}],
                                           lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01, foreach=True)
        self.count = dict(step=0, chunk=1, events=0, hits=0, hours=0.0)

    def parts(self):
        return {"quantised": self.quantised, "average": self.average, "optimiser": self.optimiser}

    def save(self, path):
        torch.save({"count": self.count, **{k: v.state_dict() for k, v in self.parts().items()}}, path + ".part")
        os.replace(path + ".part", path)

    def load(self, path):
        saved = torch.load(path)
        for k, v in self.parts().items():
            v.load_state_dict(saved[k])
        self.count = saved["count"]

    def loss(self, batch):
        """The truth, agreement within a track (as train.py), and what the float model says."""
        position, particle, momentum, q = batch
        regressed, _ = targets(momentum, q)
        real = torch.from_numpy(particle >= 0)
        label = torch.from_numpy(relabel(particle).astype(np.float32))
        hits = features(position)
        out = self.quantised(hits)
        with torch.no_grad():
            states, _ = self.teacher.states(hits, label)
            taught = self.teacher.head(states[-1])
        return {"value": robust(out - regressed, 0.05)[real].sum(-1).mean(), "spread": Loss.spread(out, label, real),
                "teacher": robust(out - taught, 0.05)[real].sum(-1).mean()}

    def step(self, batch, rate):
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.optimiser.zero_grad(set_to_none=True)
        parts = self.loss(batch)
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(list(self.quantised.parameters()), 1.0)
        self.optimiser.step()
        self.count["step"] += 1
        decay = min(0.998, (1 + self.count["step"]) / (10 + self.count["step"]))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.quantised.parameters()):
                mean.lerp_(now, 1 - decay)
        return {k: float(v.detach()) for k, v in parts.items()}


def stage(progress):
    """Short events first: most of the time goes into attention, and roundings are the same in all events."""
    return (5, 20) if progress < 0.3 else (10, 50)


def tune(a, config, t, pool, log):
    start = time.time() - 3600 * t.count["hours"]
    sums, scored = {}, time.time()
    while t.count["step"] < a.steps:
        tracks = stage(t.count["step"] / a.steps)
        rng = np.random.default_rng([a.seed, t.count["chunk"]])
        for batch in events.batches(pool, rng, tracks, config["hits"], 200):
            if t.count["step"] >= a.steps:
                break
            parts = t.step(batch, learning_rate(t.count["step"], a.steps, a.rate))
            t.count["events"] += len(batch[0])
            t.count["hits"] += batch[0].shape[0] * batch[0].shape[1]
            t.count["hours"] = (time.time() - start) / 3600
            for k, v in parts.items():
                sums.setdefault(k, []).append(v)
            if t.count["step"] % a.log_every == 0:
                log("step %6d  tracks %d-%d  events %d  hits %.3g  hours %.3f  %s" % (
                    t.count["step"], *tracks, t.count["events"], t.count["hits"], t.count["hours"],
                    "  ".join("%s %.4f" % (k, np.mean(v)) for k, v in sums.items())))
                sums = {}
            if time.time() - scored > 60 * a.score_minutes or t.count["step"] == a.steps:
                scored = time.time()
                log("step %6d  averaged weights, rounded: %s" % (t.count["step"], ship.validate(t.average, a, config)))
                t.save(os.path.join(a.out, "checkpoint.pt"))
        t.count["chunk"] += 1
        t.save(os.path.join(a.out, "checkpoint.pt"))


CARD = """# {name}_qat

`{name}`, fine-tuned with rounded weights and activations so that every product shares a DSP48E2 with a second one; {date}. The file
has its steps in QuantizeLinear and DequantizeLinear nodes (docs/quantised-models.md).

| | |
|---|---|
| from | `models/{name}.onnx` (its card says what it computes) |
| weights | {w_embed} bits in the embedding, {w} elsewhere; one scale an output |
| activations | {activations} bits; probabilities (unsigned) 11 with `--formats p=11` |
| training data | {seen_events:.3g} events ({seen_hits:.3g} hits) of up to {hi} tracks, put together from {pool} simulated tracks (seed {seed}) by rotation and reflection |
| training | {steps} steps of AdamW, {hours:.2f} hours of one process on a CPU shared with other work, weights and steps averaged |
| command | `python3 train/qat.py {name} --steps {steps} --rate {rate:g} --out run/{name}_qat --ship models` |

## Scores

On {tested} fresh events (`tessera events --events {tested} --tracks {lo}-{hi} --seed {test_seed}`), none of them used for training or choosing; mean and
standard error over the events. The integer engine is bit for bit what the hardware computes.

{table}

Integer {name}_qat against its file run as a graph: median |difference| {median:.2g} % of the outputs' standard deviation, 95th percentile {p95:.2g} %; paired
loss of trackml {loss:+.4f} +- {loss_error:.4f} (HDBSCAN (5, 2)).

"The same formats" are `--formats {packed}`.
Integer models are calibrated on 20 events (seed {formats_seed}), {name}_qat for what its file leaves open; `packed` chooses by 20 more. The fine-tuning is
further training, too: a score above the float model's is no credit to the rounding. Reproduce with

    build/tessera events --events {formats_events} --tracks {lo}-{hi} --seed {formats_seed} -o formats.csv
    build/tessera compile models/{name}_qat.onnx --formats p=11 --device zcu102 --events formats.csv --inputs models/{name}_qat.inputs.json --max-tokens 768 -o design
    build/tessera events --events {tested} --tracks {lo}-{hi} --seed {test_seed} -o test.csv
    build/tessera run design --engine integer --events test.csv -o out.csv
    build/tessera score out.csv --truth test.csv --inputs models/{name}_qat.inputs.json
"""

FORMATS_SEED, FORMATS_EVENTS = 1006, 40  # events that calibrate, and by which `--formats packed` chooses
PACKED = "w_embed={w_embed},w_qkv={w},w_o={w},w_ffn1={w},w_ffn2={w},w_head={w},q={q},k={k},v={v},p=11,hidden={hidden}".format(**BITS)


def run_integer(a, folder, label, onnx, formats, calibration, inputs, test):
    """Results of the integer engine."""
    design, out = os.path.join(folder, label), os.path.join(folder, label + ".csv")
    ship.tessera(a, "compile", onnx, "--formats", formats, "--device", "zcu102", "--events", calibration, "--inputs", inputs, "--max-tokens", "768", "-o", design)
    ship.tessera(a, "run", design, "--engine", "integer", "--events", test, "-o", out)
    return out


def difference(a, results, graph, test, inputs):
    """What the integer engine adds to the file's own roundings: differences of the outputs in per cent, paired loss of the track score."""
    for row in json.loads(ship.tessera(a, "score", results, "--truth", test, "--inputs", inputs, "--against", graph, "--json"))["rows"]:
        if row["clusterer"]["min_cluster_size"] == 5 and row["file"] == os.path.basename(results):
            return dict(median=100 * row["difference"]["median"], p95=100 * row["difference"]["p95"], loss=row["loss"]["trackml"]["mean"],
                        loss_error=row["loss"]["trackml"]["standard_error"])
    raise SystemExit("no score of %s" % results)


def ship_quantised(a, config, t, log):
    """Exports the averaged weights and steps to FOLDER/NAME_qat.onnx with inputs file and card."""
    prefix = os.path.join(a.ship, a.model + "_qat")
    inputs = prefix + ".inputs.json"
    export(t.average, len(INPUTS), prefix + ".onnx", "track_params")
    with open(inputs, "w") as f:
        json.dump(inputs_file(config["task"]), f, indent=1)
        f.write("\n")
    log(ship.tessera(a, "inspect", prefix + ".onnx"))
    with tempfile.TemporaryDirectory() as folder:
        test, floating, calibration = (os.path.join(folder, n + ".csv") for n in ("test", "float", "formats"))
        events.generate(a.tessera, calibration, FORMATS_EVENTS, config["tracks"], FORMATS_SEED)
        tested = len(ship.event_rows(ship.make_events(a, config, test, ship.TEST_EVENTS, ship.SEEDS["test"])))
        ship.tessera(a, "run", a.warm, "--engine", "float", "--events", test, "--inputs", inputs, "-o", floating)
        integer = lambda label, onnx, formats: run_integer(a, folder, label, onnx, formats, calibration, inputs, test)
        results = {"%s, float" % a.model: floating,
                   "%s_qat, integer" % a.model: integer("qat", prefix + ".onnx", "p=11"),
                   "%s, integer, not fine-tuned: the same formats" % a.model: integer("same", a.warm, PACKED),
                   "%s, integer, not fine-tuned: --formats packed" % a.model: integer("packed", a.warm, "packed"),
                   "%s, integer, not fine-tuned: default formats" % a.model: integer("default", a.warm, "")}
        graph = os.path.join(folder, "graph.csv")
        ship.tessera(a, "run", prefix + ".onnx", "--engine", "float", "--events", test, "--inputs", inputs, "-o", graph)
        added = difference(a, results["%s_qat, integer" % a.model], graph, test, inputs)
        files = {k: os.path.basename(v)[:-4] for k, v in results.items()}
        lines = [(what, kind, m) for what, path in results.items() for _, kind, m in ship.scores(a, "%s=%s" % (files[what], path), test, inputs)]
    names = {"in": "inputs", "qkv_in": "norm outputs to q, k, v", "q": "queries", "k": "keys", "v": "values", "ctx": "context", "ffn_in": "norm outputs to "
             "the FFN", "hidden": "hidden (unsigned)", "head_in": "head input"}
    card = CARD.format(name=a.model, date=a.date, w_embed=BITS["w_embed"], w=BITS["w"], activations=", ".join("%s %d" % (n, BITS[k]) for k, n in names.items()),
                       seen_events=t.count["events"], seen_hits=t.count["hits"], hi=config["tracks"][1], lo=config["tracks"][0], pool=a.pool, seed=a.seed,
                       steps=t.count["step"], rate=a.rate, hours=t.count["hours"], tested=tested, test_seed=ship.SEEDS["test"], table=ship.table(lines),
                       packed=PACKED, formats_seed=FORMATS_SEED, formats_events=FORMATS_EVENTS, **added)
    with open(prefix + ".md", "w") as f:
        f.write(card)
    log(ship.table(lines))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=sorted(k for k, m in MODELS.items() if m["task"] == "regression"))
    p.add_argument("--out", required=True, metavar="DIR", help="checkpoint, log, tracks; goes on with what is there")
    p.add_argument("--from", dest="warm", metavar="FILE", help="the float model (models/MODEL.onnx)")
    p.add_argument("--steps", type=int, default=3000, help="optimiser steps in all (3000); 0: none, only --ship")
    p.add_argument("--rate", type=float, default=5e-4, help="peak learning rate (5e-4)")
    p.add_argument("--pool", type=int, default=200000, metavar="N", help="simulated tracks that events are made of (200000)")
    p.add_argument("--seed", type=int, default=1005)
    p.add_argument("--tessera", default="build/tessera", metavar="PATH")
    p.add_argument("--log-every", type=int, default=100, metavar="STEPS")
    p.add_argument("--score-minutes", type=float, default=5, metavar="M")
    p.add_argument("--ship", metavar="FOLDER", help="export the averaged weights and write inputs file and card")
    p.add_argument("--date", default=datetime.date.today().isoformat(), help="date on the card (today)")
    a = p.parse_args()
    a.warm = a.warm or "models/%s.onnx" % a.model
    config = MODELS[a.model]
    os.makedirs(a.out, exist_ok=True)
    with open(os.path.join(a.out, "log.txt"), "a") as file:
        def log(text):
            print(text, flush=True)
            file.write(text + "\n")
            file.flush()
        pool = events.Pool.make(a.tessera, os.path.join(a.out, "tracks.npz"), a.pool, a.seed)
        t = Tuning(a, config, pool)
        checkpoint = os.path.join(a.out, "checkpoint.pt")
        if os.path.exists(checkpoint):
            t.load(checkpoint)
            log("goes on at step %d" % t.count["step"])
        log(" ".join(sys.argv))
        if a.steps:
            tune(a, config, t, pool, log)
        if a.ship:
            ship_quantised(a, config, t, log)


if __name__ == "__main__":
    main()
