"""Scores of a model in training, and what is shipped of it: ONNX file, inputs file, test events and card."""
import csv
import json
import os
import subprocess
import tempfile

import numpy as np
import torch

import events
import models
from encoder import export

SEEDS = {"choosing": 1002, "test": 1003, "shipped": 1004}
CHOOSING_EVENTS, TEST_EVENTS = 40, 200
SHIPPED_EVENTS = {"encreg": 20, "enccla": 20, "trigger": 100, "tiny": 100}


def event_rows(rows):
    """The rows of each event, in order."""
    cut = np.flatnonzero(np.diff(rows["event"])) + 1
    return np.split(rows, cut)


def evaluate(model, rows):
    """Outputs [hits, outputs] of each event, in float32 and one event at a time, as the host runs them."""
    with torch.no_grad():
        for event in event_rows(rows):
            hits = models.features(np.stack([event["x"], event["y"], event["z"]], -1))[None].to(next(model.parameters()).device)
            states, _ = model.states(hits, torch.zeros(hits.shape[:2], device=hits.device))
            yield model.output(states[-1])[0].cpu().numpy()


def write_results(path, model, rows, task):
    """What `tessera run` writes: event_id, hit_id and the outputs, or the class."""
    with open(path, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["event_id", "hit_id"] + (["class"] if task == "classification" else models.REGRESSED))
        for event, y in zip(event_rows(rows), evaluate(model, rows)):
            for e, h, values in zip(event["event"], event["hit"], y[:, 1:].argmax(-1)[:, None] + 1 if task == "classification" else y):
                out.writerow([e, h] + [repr(v) for v in values.tolist()])


def tessera(a, *arguments):
    return subprocess.run([a.tessera, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def scores(a, results, truth, inputs):
    """Rows of `tessera score`: (what, clusterer, {metric: (mean, standard error)})."""
    metrics = ("trackml", "perfect", "double_majority", "lhc")
    for row in json.loads(tessera(a, "score", results, "--truth", truth, "--inputs", inputs, "--json"))["rows"]:
        clusterer = row["clusterer"]
        kind = "HDBSCAN (%d, %d)" % (clusterer["min_cluster_size"], clusterer["min_samples"]) if clusterer["method"] == "hdbscan" else "classes"
        yield row["label"], kind, {m: (row[m]["mean"], row[m]["standard_error"]) for m in metrics}


def make_events(a, config, path, count, seed):
    """Fresh events; those that are too long for the model are left out, as the hardware refuses them."""
    events.generate(a.tessera, path, count, config["tracks"], seed)
    if config["longest"]:
        rows = events.read(path)
        short = {r["event"][0] for r in event_rows(rows) if len(r) <= config["longest"]}
        with open(path) as f:
            header, *lines = f.readlines()
        with open(path, "w") as f:
            f.write(header)
            f.writelines(line for line in lines if int(line.split(",", 1)[0]) in short)
    return events.read(path)


def validate(model, a, config):
    """Score on events kept for choosing: the log's line."""
    path, inputs = os.path.join(a.out, "choosing.csv"), os.path.join(a.out, "inputs.json")
    if not os.path.exists(path):
        make_events(a, config, path, CHOOSING_EVENTS, SEEDS["choosing"])
    with open(inputs, "w") as f:
        json.dump(models.inputs_file(config["task"]), f)
    results = os.path.join(a.out, "choosing.out.csv")
    write_results(results, model, events.read(path), config["task"])
    return ", ".join("%s: trackml %.4f +- %.4f, double majority %.4f" % (kind, *m["trackml"], m["double_majority"][0])
                     for _, kind, m in scores(a, results, path, inputs))


def onnx_weights(path, like):
    """Weights of a model written by encoder.export: matrices have lost their names and are transposed, but stand in the order of computation."""
    import onnx
    from onnx import numpy_helper
    graph = onnx.load(path).graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    used = [values[n.input[1]] for n in graph.node if n.op_type == "MatMul" and n.input[1] in values]
    names = ["embedding.weight"]
    for i in range(len(like.encoder.layers)):
        names += ["encoder.layers.%d.%s.weight" % (i, n) for n in ("self_attn.in_proj", "self_attn.out_proj", "linear1", "linear2")]
    names = [n.replace("in_proj.weight", "in_proj_weight") for n in names + ["head.weight"]]
    names = [n for n in names if n not in values]  # a projection that became a Gemm has kept its name
    if len(used) != len(names):
        raise SystemExit("%s: %d matrices, but this model has %d; was it exported by this script?" % (path, len(used), len(names)))
    found = dict(zip(names, (w.T for w in used)))
    return {k: torch.from_numpy(np.array(found.get(k, values.get(k)), dtype=np.float32)) for k in like.state_dict()}


def check_float_engine(a, model, prefix, task):
    """Difference between the exported file in tessera's float engine and PyTorch, on the shipped events: the largest, and the 99.9 % quantile."""
    rows = events.read(prefix + ".csv")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.csv")
        logits = ["--logits"] if task == "classification" else []
        tessera(a, "run", prefix + ".onnx", "--engine", "float", "--events", prefix + ".csv", "--inputs", prefix + ".inputs.json", *logits, "-o", out)
        ours = np.loadtxt(out, delimiter=",", skiprows=1)[:, 2:]
    theirs = np.concatenate(list(evaluate(model, rows)))
    difference = np.abs(ours - theirs)
    worst, most = float(difference.max()), float(np.quantile(difference, 0.999))
    if most > 1e-4 or worst > 1e-2:  # a few hits between two tracks amplify the last bit of a float
        raise SystemExit("%s.onnx: the float engine differs from PyTorch by %g, 99.9 %% of values by less than %g" % (prefix, worst, most))
    return worst, most


def table(lines):
    text = ["| candidates of | by | trackml | perfect | double majority | lhc |", "|---|---|---|---|---|---|"]
    for label, kind, m in lines:
        text.append("| %s | %s | %s |" % (label, kind, " | ".join("%.4f +- %.4f" % m[k] for k in ("trackml", "perfect", "double_majority", "lhc"))))
    return "\n".join(text)


CARD = """# {name}

A Transformer encoder for tracks, trained on simulated events of `tessera events`; {date}.

| | |
|---|---|
| task | {task} |
| shape | {layers} post-norm layers, width {d}, {heads} heads, FFN {ff}, ReLU; {parameters} parameters |
| inputs | {inputs} of a hit, scaled as `{name}.inputs.json` says |
| outputs | {outputs} |
| training data | {seen_events:.3g} events ({seen_hits:.3g} hits) of up to {hi} tracks, put together from {pool} simulated tracks (seed {seed}) by rotation and reflection: {passes:.1f} passes over the tracks' hits |
| training | {steps} steps of AdamW ({plans}), {hours:.2f} hours of one process on {device}, weights averaged |
| command | `{command}` |

## Scores

On {tested} fresh events{short} (`tessera events --events {count} --tracks {lo}-{hi} --seed {test_seed}`), none of them used for training or choosing; mean and
standard error over the events:

{table}

Definitions: docs/scores.md. Reproduce with

    build/tessera events --events {count} --tracks {lo}-{hi} --seed {test_seed} -o test.csv
    build/tessera run models/{name}.onnx --engine float --events test.csv --inputs models/{name}.inputs.json -o out.csv
    build/tessera score out.csv{baselines} --truth test.csv --inputs models/{name}.inputs.json

{note}On `{name}.csv` ({shipped} events, seed {shipped_seed}) the float engine and PyTorch differ by at most {worst:.1g}, 99.9 % of outputs by less than {most:.1g}.

## Limits

The detector and its physics are those of docs/events.md: ideal cylinders and disks, no multiple scattering, no energy loss, no secondaries. The model has not
seen real events, and nothing is claimed about them.
"""

OUTPUTS = {
    "regression": "theta, sin phi, cos phi and charge of the particle's momentum at its vertex, for each hit",
    "classification": "451 classes a hit: 1 + 15 * (bin of phi among 30 equal bins of [0, 2 pi)) + (bin of theta among 15), of the particle's momentum at its "
                      "vertex; class 0 is no track. Edges of theta (quantiles at the default |eta| < 4): {edges}",
}


def ship(a, config, run, log):
    """Exports the averaged weights to FOLDER/NAME.onnx with inputs file, events and card."""
    name, task, model = a.model, config["task"], run.average
    prefix = os.path.join(a.ship, name)
    os.makedirs(a.ship, exist_ok=True)
    export(model, len(models.INPUTS), prefix + ".onnx", "logits" if task == "classification" else "track_params")
    with open(prefix + ".inputs.json", "w") as f:
        json.dump(models.inputs_file(task), f, indent=1)
        f.write("\n")
    make_events(a, config, prefix + ".csv", SHIPPED_EVENTS[name], SEEDS["shipped"])
    shipped = len(event_rows(events.read(prefix + ".csv")))
    log(tessera(a, "inspect", prefix + ".onnx"))
    worst, most = check_float_engine(a, model, prefix, task)
    baselines = ",baseline:binned,baseline:classes" if task == "classification" else ",baseline:angles,baseline:truth"
    with tempfile.TemporaryDirectory() as folder:
        test, out = os.path.join(folder, "test.csv"), os.path.join(folder, "out.csv")
        tested = len(event_rows(make_events(a, config, test, TEST_EVENTS, SEEDS["test"])))
        tessera(a, "run", prefix + ".onnx", "--engine", "float", "--events", test, "--inputs", prefix + ".inputs.json", "-o", out)
        lines = list(scores(a, "%s=%s%s" % (name, out, baselines), test, prefix + ".inputs.json"))
    with np.load(os.path.join(a.out, "tracks.npz")) as f:
        pool_hits, pool = len(f["position"]), len(f["q"])
    limit = config["longest"]
    plans = "; ".join("from step %d on --steps %d" % p for p in run.count["plans"])
    note = "Events of more than %d hits are left out of these figures (the hardware refuses them).\n\n" % limit if limit else ""
    card = CARD.format(
        name=name, date=a.date, task=task, parameters=sum(p.numel() for p in model.parameters()), inputs=", ".join(c for c, _, _ in models.INPUTS),
        outputs=OUTPUTS[task].format(edges=", ".join("%.4f" % e for e in models.theta_edges())), seen_events=run.count["events"],
        seen_hits=run.count["hits"], passes=run.count["hits"] / pool_hits, pool=pool, seed=a.seed, steps=run.count["step"], hours=run.count["hours"],
        device="a GPU" if run.device == "cuda" else "a CPU shared with other work", lo=config["tracks"][0], hi=config["tracks"][1],
        command="python3 train/train.py %s --out run/%s --ship models" % (name, name), plans=plans, tested=tested, count=TEST_EVENTS,
        short=" of at most %d hits" % limit if limit else "", test_seed=SEEDS["test"],
        table=table(lines), baselines=baselines, note=note,
        worst=worst, most=most, shipped=shipped, shipped_seed=SEEDS["shipped"], **config["shape"])
    with open(prefix + ".md", "w") as f:
        f.write(card)
    log(table(lines))
