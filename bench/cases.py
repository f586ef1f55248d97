"""What `make bench` measures: models, the ways to build each, and the comparisons. Data only; bench.py runs it."""

# Models: where from (a shipped file, seeded weights, or published weights in ../shared), the hits of an event that is planned for, the
# longest event that memories are sized for.
MODELS = {
    "encreg": dict(title="EncReg, shipped", shape="6/32/4/128, 8 in, 4 out", file="models/encreg", hits=512, longest=768),
    "enccla": dict(title="EncCla, shipped", shape="6/128/8/256, 8 in, 451 classes", file="models/enccla", hits=512, longest=512),
    "encreg_small": dict(title="EncReg, shipped, on a small device", shape="6/32/4/128, 8 in, 4 out", file="models/encreg", hits=512,
                         longest=512, device="ultra96"),
    "trackml": dict(title="EncReg, TrackML 10-50", shape="6/32/4/128, 3 in, 4 out", seeded="--layers 6 --d 32 --heads 4 --ff 128", hits=700,
                    longest=768),
    "trackml100": dict(title="EncReg, TrackML 50-100", shape="6/32/4/128, 3 in, 4 out", seeded="--layers 6 --d 32 --heads 4 --ff 128",
                       hits=1200, longest=1200),
    "redvid_helical": dict(title="EncReg, REDVID helical", shape="6/64/8/128, 3 in, 3 out",
                           seeded="--layers 6 --d 64 --heads 8 --ff 128 --outputs 3", hits=450, longest=450),
    "redvid_linear": dict(title="EncReg, REDVID linear", shape="6/32/8/128, 3 in, 3 out",
                          seeded="--layers 6 --d 32 --heads 8 --ff 128 --outputs 3", hits=27, longest=32),
    "trackml500": dict(title="EncReg, TrackML 200-500", shape="7/128/4/256, 3 in, 4 out", seeded="--layers 7 --d 128 --heads 4 --ff 256",
                       hits=5000, longest=5000, device="u55c"),
    "enccla451": dict(title="EncCla, TrackML 10-50", shape="6/128/8/256, 3 in, 451 classes",
                      seeded="--layers 6 --d 128 --heads 8 --ff 256 --outputs 451 --classes", hits=512, longest=512),
    "big256": dict(title="4.7 M parameters", shape="6/256/8/1024, 3 in, 4 out", seeded="--layers 6 --d 256 --heads 8 --ff 1024", hits=256,
                   longest=256),
    "big384": dict(title="10.6 M parameters, 8-bit weights", shape="6/384/12/1536, 3 in, 4 out",
                   seeded="--layers 6 --d 384 --heads 12 --ff 1536", hits=256, longest=256,
                   options="--formats w_embed=8,w_qkv=8,w_o=8,w_ffn1=8,w_ffn2=8,w_head=8"),
    "engine": dict(title="engine anomaly", shape="3/48/3/4, 1 in, mean, 2 classes",
                   seeded="--layers 3 --d 48 --heads 3 --ff 4 --features 1 --outputs 2 --classes --pool", hits=50, longest=50, device="vu13p"),
    "btagging": dict(title="b-tagging", shape="3/64/2/8, 6 in, mean, 3 classes",
                     seeded="--layers 3 --d 64 --heads 2 --ff 8 --features 6 --outputs 3 --classes --pool", hits=15, longest=15,
                     device="vu13p"),
    "waves": dict(title="gravitational waves", shape="2/64/2/4, 4 in, mean, 1 out",
                  seeded="--layers 2 --d 64 --heads 2 --ff 4 --features 4 --outputs 1 --pool", hits=100, longest=100, device="vu13p"),
}
PUBLISHED = {  # weights that others trained, in ../shared/data; the same shapes as above
    "pub_trackml": dict(title="EncReg, TrackML 50-100", shape="6/32/4/128, 3 in, 4 out", file="trackformers/encreg_trackml_50to100.onnx",
                        events="trackml/trackml_50to100.csv", inputs="trackml/encreg_trackml.inputs.json", hits=512, longest=768, device="ultra96"),
    "pub_helical": dict(title="EncReg, REDVID helical", shape="6/64/8/128, 3 in, 3 out", file="trackformers/encreg_redvid_10to50_helical.onnx",
                        events="trackml/redvid_like.csv", inputs="trackml/encreg_redvid.inputs.json", hits=450, longest=450, device="ultra96"),
    "pub_linear": dict(title="EncReg, REDVID linear", shape="6/32/8/128, 3 in, 3 out", file="trackformers/encreg_redvid_3_linear.onnx",
                       events="trackml/redvid_like.csv", inputs="trackml/encreg_redvid.inputs.json", hits=27, longest=32, device="ultra96"),
    "pub_enccla": dict(title="EncCla, TrackML 10-50", shape="6/128/8/256, 3 in, 451 classes", file="trackformers/enccla_trackml_10to50.onnx",
                       events="trackml/trackml_10to50.csv", inputs="trackml/enccla_trackml.inputs.json", hits=512, longest=512),
}

# The ways to build a model on its device D, side by side. Latency decides, but where several events are under way.
MODES = {
    "monolithic": "--device D --mode monolithic",
    "replicated": "--device D --mode replicated --objective throughput",
    "paged": "--device D --mode paged",
    "split": "--device D,D --mode split --objective throughput",
    "assisted": "--device D --hardware layers.0-2",
}


def rows():
    """(table, name, model, mode, options, simulate): simulate is how many events back to back, 0 for a plan only."""
    for model in MODELS:
        if model.startswith("big") or MODELS[model].get("device") == "vu13p":
            continue
        for mode, options in MODES.items():
            # Simulated: all modes on the small device; one each of the large rings, whose simulators take minutes to build.
            events = 4 if model == "encreg_small" else 3 if (model, mode) in (("encreg", "monolithic"), ("enccla", "monolithic")) else 0
            yield "modes", "%s-%s" % (model, mode), model, mode, options, events
    for mode, options, events in (("monolithic", "--device ultra96 --mode monolithic", 0), ("auto", "--device ultra96", 3),
                                  ("split", "--device ultra96,ultra96,ultra96,ultra96 --objective throughput", 6)):
        yield "small", "enccla192-%s" % mode, "enccla", mode, options + " --max-tokens 192 --plan-tokens 192", events
    yield "small", "enccla-pynq", "enccla", "auto", "--device pynq-z2", 0
    for model in ("big256", "big384"):
        for mode in ("monolithic", "paged"):
            yield "small", "%s-%s" % (model, mode), model, mode, MODES[mode], 0
    for model in PUBLISHED:
        yield "published", model, model, "monolithic", MODES["monolithic"], 0 if model == "pub_enccla" else 2
    for objective in ("latency", "area"):
        yield "layer", "layer-enccla-" + objective, "enccla", "assisted", "--device D --hardware layers.0 --objective " + objective, \
            3 if objective == "area" else 0
        yield "layer", "layer-encreg-" + objective, "encreg", "assisted", "--device D --hardware layers.0 --objective " + objective, 0
    for model in ("engine", "btagging", "waves"):
        yield "small_models", model + "-monolithic", model, "monolithic", "--device D --mode monolithic --clock 200", 0
        yield "small_models", model + "-replicated", model, "replicated", "--device D --mode replicated --objective throughput --clock 200", 0
    for model in ("encreg", "enccla"):
        for count in range(1, 7):
            yield "scaling", "%s-x%d" % (model, count), model, "auto", "--device %s --objective throughput" % ",".join(["D"] * count), 0


QUICK = {"encreg-monolithic", "encreg_small-monolithic", "encreg_small-replicated", "encreg_small-split", "encreg_small-assisted",
         "encreg_small-paged", "redvid_linear-monolithic", "enccla192-monolithic", "enccla192-split", "layer-enccla-latency",
         "btagging-monolithic", "encreg-x1", "encreg-x2"}
QUICK_SIMULATED = {"encreg_small-monolithic"}

# Lengths of events: how latency grows with hits, in hardware (by prediction, and simulated where `modes` simulates) and in onnxruntime.
LENGTHS = {"encreg": (60, 100, 200, 300, 512, 768), "enccla": (60, 100, 200, 300, 512)}
