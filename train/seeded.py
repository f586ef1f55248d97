#!/usr/bin/env python3
"""Makes a seeded (not trained) EncReg-shaped encoder and a few events of a toy detector, for demos and tests.

    python3 train/seeded.py --layers 2 --d 32 --heads 4 --ff 128 -o models/seeded

writes models/seeded.onnx, models/seeded.inputs.json and models/seeded.csv. The outputs have no physical meaning; the
hardware does not know that. Weights are scaled so that attention is neither flat nor frozen. --norm, --qk-norm and --act write the layers out as
models of today have them (pre-norm)."""
import argparse
import json
import math
import random

import torch

COLUMNS = [("x", 0, 400), ("y", 0, 400), ("z", 0, 400), ("r", 400, 300), ("sin_phi", 0, 0.7), ("cos_phi", 0, 0.7), ("eta", 0, 2),
           ("cos_theta", 0, 0.8)]  # mean, std
NAMES = ["theta", "sin_phi", "cos_phi", "q"]


class RmsNorm(torch.nn.Module):
    def __init__(self, d, eps=1e-6):
        super().__init__()
        self.weight, self.eps = torch.nn.Parameter(torch.ones(d)), eps

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


NORMS = {"layer": torch.nn.LayerNorm, "rms": RmsNorm}
ACTIVATIONS = {"relu": torch.nn.ReLU, "gelu": torch.nn.GELU, "silu": torch.nn.SiLU, "mish": torch.nn.Mish, "hard_swish": torch.nn.Hardswish,
               "elu": torch.nn.ELU, "tanh": torch.nn.Tanh, "softplus": torch.nn.Softplus}


class Layer(torch.nn.Module):
    """Pre-norm, with norms on queries and keys: of each head (ViT-22B, Qwen3), or of all (OLMo2)."""

    def __init__(self, d, heads, ff, norm, qk_norm, act):
        super().__init__()
        self.heads, self.qk_norm = heads, qk_norm
        self.norm1, self.norm2 = NORMS[norm](d), NORMS[norm](d)
        self.q, self.k, self.v, self.out = (torch.nn.Linear(d, d) for _ in range(4))
        if qk_norm != "none":
            self.q_norm, self.k_norm = (NORMS[norm](d if qk_norm == "all" else d // heads) for _ in range(2))
        self.ff1, self.act, self.ff2 = torch.nn.Linear(d, ff), ACTIVATIONS[act](), torch.nn.Linear(ff, d)

    def attend(self, x):
        b, n, d = x.shape
        q, k, v = self.q(x), self.k(x), self.v(x)
        if self.qk_norm == "all":
            q, k = self.q_norm(q), self.k_norm(k)
        q, k, v = (y.view(b, n, self.heads, d // self.heads) for y in (q, k, v))
        if self.qk_norm == "heads":
            q, k = self.q_norm(q), self.k_norm(k)
        q, k, v = (y.transpose(1, 2) for y in (q, k, v))
        p = (q @ k.transpose(-1, -2) / math.sqrt(d // self.heads)).softmax(-1)
        return self.out((p @ v).transpose(1, 2).reshape(b, n, d))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.ff2(self.act(self.ff1(self.norm2(x))))


class Written(torch.nn.Module):
    def __init__(self, a):
        super().__init__()
        self.pool = a.pool
        self.embedding, self.head = torch.nn.Linear(a.features, a.d), torch.nn.Linear(a.d, a.outputs)
        self.encoder = torch.nn.Sequential(*(Layer(a.d, a.heads, a.ff, a.norm, a.qk_norm, a.act) for _ in range(a.layers)), NORMS[a.norm](a.d))

    def forward(self, hits):
        x = self.encoder(self.embedding(hits))
        return self.head(x.mean(1) if self.pool else x)


class Encoder(torch.nn.Module):
    def __init__(self, features, d, heads, ff, layers, outputs, pool):
        super().__init__()
        self.pool = pool
        self.embedding = torch.nn.Linear(features, d)
        layer = torch.nn.TransformerEncoderLayer(d, heads, ff, dropout=0.0, batch_first=True)
        self.encoder = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = torch.nn.Linear(d, outputs)

    def forward(self, hits):
        x = self.encoder(self.embedding(hits))
        return self.head(x.mean(1) if self.pool else x)


def make_model(a):
    torch.manual_seed(a.seed)
    written = a.norm or a.qk_norm or a.act
    a.norm, a.qk_norm, a.act = a.norm or "layer", a.qk_norm or "none", a.act or "relu"
    model = Written(a) if written else Encoder(a.features, a.d, a.heads, a.ff, a.layers, a.outputs, a.pool)
    if a.distinct:
        for module in model.encoder.modules():
            if isinstance(module, (torch.nn.Linear, torch.nn.MultiheadAttention)):
                (module._reset_parameters if isinstance(module, torch.nn.MultiheadAttention) else module.reset_parameters)()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "in_proj_weight" in name or name.endswith((".q.weight", ".k.weight")):
                p *= 1.6
            elif "norm" in name:
                p += 0.1 * torch.randn_like(p)
            elif "bias" in name:
                p += 0.1 * torch.randn_like(p)
    model.train(False)
    for p in model.parameters():  # keeps PyTorch's fused encoder path, which has no ONNX form, off
        p.requires_grad_(True)
    out = {0: "batch"} if a.pool else {0: "batch", 1: "hits"}
    torch.onnx.export(model, torch.zeros(1, 7, a.features), a.output + ".onnx", opset_version=14, input_names=["hits"],
                      output_names=["track_params"], dynamic_axes={"hits": {0: "batch", 1: "hits"}, "track_params": out})


def make_events(a):
    rng = random.Random(a.seed)
    layers = [32, 72, 116, 172, 260, 360, 500, 660, 820, 1020]  # mm
    with open(a.output + ".csv", "w") as f:
        f.write("event_id,hit_id,x,y,z,particle_id,weight,px,py,pz,q\n")
        for event in range(a.events):
            hits = []
            for particle in range(1, rng.randint(*a.tracks) + 1):
                phi, cot, z0, q = rng.uniform(-math.pi, math.pi), rng.uniform(-1.2, 1.2), rng.gauss(0, 5.5), rng.choice((-1, 1))
                pt = 0.3 + rng.expovariate(1 / 0.6)
                radius = pt / (0.3 * 2.0) * 1000  # mm, in a field of 2 T
                for r in layers:
                    if r > 1.9 * radius or rng.random() > 0.97:
                        break
                    turn = 2 * math.asin(r / (2 * radius))
                    at = phi - q * turn / 2
                    hits.append((r * math.cos(at) + rng.gauss(0, 0.05), r * math.sin(at) + rng.gauss(0, 0.05), z0 + cot * radius * turn,
                                 particle, 1, pt * math.cos(phi), pt * math.sin(phi), pt * cot, q))
            rng.shuffle(hits)
            for i, h in enumerate(hits):
                f.write("%d,%d,%.5g,%.5g,%.6g,%d,%d,%.5g,%.5g,%.5g,%d\n" % ((event, i + 1) + h))
    inputs = {"inputs": [{"column": c, "mean": m, "std": s} for c, m, s in COLUMNS[:a.features]]}
    if a.classes:
        inputs.update(task="classification", outputs=a.outputs)
    else:
        names = NAMES[:a.outputs] if a.outputs <= len(NAMES) else ["y%d" % i for i in range(a.outputs)]
        inputs.update(task="regression", outputs=names)
        if not a.pool:
            inputs["cluster"] = {"method": "hdbscan", "columns": names, "min_cluster_size": 5, "min_samples": 2}
    with open(a.output + ".inputs.json", "w") as f:
        json.dump(inputs, f, indent=1)
        f.write("\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--layers", type=int, default=2)
    p.add_argument("--d", type=int, default=32)
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--ff", type=int, default=128)
    p.add_argument("--features", type=int, default=3, choices=range(1, len(COLUMNS) + 1), help="columns of a hit")
    p.add_argument("--outputs", type=int, default=4)
    p.add_argument("--classes", action="store_true", help="the outputs are logits")
    p.add_argument("--pool", action="store_true", help="the head sees the mean of all tokens: one result an event")
    p.add_argument("--norm", choices=NORMS)
    p.add_argument("--qk-norm", choices=("none", "heads", "all"))
    p.add_argument("--act", choices=ACTIVATIONS)
    p.add_argument("--events", type=int, default=30)
    p.add_argument("--tracks", type=int, nargs=2, default=(10, 25), metavar=("LOW", "HIGH"))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--distinct", action="store_true", help="draw every layer's matrices anew; otherwise all layers begin with the same, in a smaller file")
    p.add_argument("-o", "--output", required=True, metavar="PREFIX")
    a = p.parse_args()
    make_model(a)
    make_events(a)


if __name__ == "__main__":
    main()
