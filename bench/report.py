"""Writes docs/results.md from the figures that bench.py measured and the quoted ones of quoted.json."""
import os

import plots

RESOURCES = [("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"), ("bram36", "block RAM"), ("uram", "URAM")]
HEAD = ["mode", "on", "latency, cycles", "µs", "interval, cycles", "µs", "simulated latency", "simulated interval", "bit-exact"] + \
    [name for _, name in RESOURCES]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]) + "\n"


def lean(head, rows):
    """A table without the columns that no row fills."""
    keep = [i for i in range(len(head)) if i < 2 or any(row[i] != "-" for row in rows)]
    return table([head[i] for i in keep], [[row[i] for i in keep] for row in rows])


def thousands(value):
    return "{:,}".format(round(value))


def micro(cycles, clock):
    us = cycles / clock
    return thousands(us) if us >= 1000 else "%.1f" % us


def against(simulated, predicted):
    return "%s (%+.1f %%)" % (thousands(simulated), 100 * (predicted / simulated - 1))


def simulated(row):
    """Cells: latency of a lone event, interval of events back to back (each with how far the prediction is off), agreement of every bit."""
    lone, together = row.get("simulated"), row.get("together")
    if not lone:
        return ["-", "-", "-"]
    if "error" in lone or not together or "error" in together:
        return ["failed", "-", "see below"]
    words = lone["words"] + together["words"]
    exact = "yes, %s words" % thousands(words) if lone["bit_exact"] and together["bit_exact"] else "**NO**"
    event = lone["per_event"][0]
    return [against(event["latency_cycles"], event.get("predicted_cycles") or row["predicted"]["latency_cycles"]),
            against(together["interval_cycles"], together.get("predicted_interval_cycles") or row["predicted"]["interval_cycles"]), exact]


def asked_devices(row):
    """The devices of the command."""
    names = row["command"].split("--device ")[1].split()[0].split(",")
    return names[0] if len(names) == 1 else "%d x %s" % (len(names), names[0])


def devices(row):
    names = row["device"].split(",")
    used = [p["device"] for p in row["parts"]]
    text = names[0] if len(set(names)) == 1 and len(names) == 1 else "%d x %s" % (len(used), names[0])
    if row["mode"] == "replicated":
        text = "%s, %d rings" % (names[0], len(row["parts"]))
    elif row["mode"] == "split" and len(used) < len(names):
        text += " (of %d)" % len(names)
    return text


def shares(row):
    """Shares of the device. Of several devices: of each, in order."""
    cells = []
    for key, _ in RESOURCES:
        each = [p["need"][key] / p["has"][key] if p["has"][key] else None for p in row["parts"]]
        if None in each:
            cells.append("-")
        elif row["mode"] == "split":
            cells.append(" / ".join("%.0f" % (100 * e) for e in each) + " %")
        else:
            cells.append("%.0f %%" % (100 * sum(each)))
    return cells


def mode_row(row, label=None):
    name = label or row["asked"] + ("" if row.get("mode", row["asked"]) == row["asked"] else ": " + row["mode"])
    if "predicted" not in row:
        return [name] + [row.get("skipped") or "not on %s, see below" % asked_devices(row)] + ["-"] * (len(HEAD) - 2)
    p, clock = row["predicted"], row["clock_mhz"]
    return [name, devices(row), thousands(p["latency_cycles"]), micro(p["latency_cycles"], clock), thousands(p["interval_cycles"]),
            micro(p["interval_cycles"], clock)] + simulated(row) + shares(row)


def words(rows):
    """In the tool's own words: why a row has no figures, what waits for pages; and the time over the host's bus."""
    lines = []
    for r in rows:
        said = [w for w in r.get("why", []) if w.startswith("Paged,")]
        if any(w.startswith("Paged:") for w in r.get("why", [])):
            said.append(" ".join(w.replace("Paged: ", "", 1) for w in r["why"] if w.startswith(("Paged:", "Port"))))
        host = r.get("host") or {}
        if "bus" in host and "predicted" in host:
            said.append("with the way over the host's bus (%s Mbit/s, %g ns; %s), from the first token sent to the last result back: %s µs" % (
                thousands(host["bus"]["mbits"]), host["bus"]["ns"], host["bus"]["what"], micro(host["predicted"]["latency_cycles"], r["clock_mhz"])))
        said += ["`%s`" % e for e in [r.get("error")] + [r.get(k, {}).get("error") for k in ("simulated", "together")] if e]
        lines += ["- %s, %s hits, %s on %s: %s" % (r["title"], thousands(r["hits"]), r["asked"], asked_devices(r), w) for w in said]
    return "\n".join(lines) + "\n" if lines else ""


def of(found, name):
    return [r for r in found["rows"] if r["table"] == name]


def modes(found):
    text = ""
    models = []
    for r in of(found, "modes"):
        if r["model"] not in models:
            models.append(r["model"])
    for i, model in enumerate(models):
        rows = [r for r in of(found, "modes") if r["model"] == model]
        if i == 0:
            text += "## Ways to build the shipped models\n\n"
        if "shipped" not in rows[0]["title"] and "## Published shapes" not in text:
            text += "## Published shapes\n\nWeights are seeded (`train/seeded.py`), not trained: cycles do not depend on them, resources hardly. " \
                "Lengths are the longest published, for EncCla 512. Planned, not simulated: their rings are the shipped models' with other sizes.\n\n"
        clock = next((r["clock_mhz"] for r in rows if "clock_mhz" in r), 0)
        text += "### %s: %s, %s hits, %.0f MHz\n\n" % (rows[0]["title"], rows[0]["shape"], thousands(rows[0]["hits"]), clock)
        text += lean(HEAD, [mode_row(r) for r in rows]) + "\n" + words(rows) + "\n"
    return text


def small(found):
    rows = of(found, "small")
    if not rows:
        return ""
    body = [mode_row(r, "%s, %d hits, %s" % (r["title"], r["hits"], r["asked"] + ("" if r.get("mode", r["asked"]) == r["asked"] else ": " + r["mode"])))
            for r in rows]
    return "## Where one device does not hold the weights\n\n" + lean(["model, mode"] + HEAD[1:], body) + "\n" + words(rows) + "\n"


def published(found):
    rows = of(found, "published")
    if not rows:
        return ""
    if all("skipped" in r for r in rows):
        return "## Published weights\n\nSkipped in this run: %s.\n\n" % rows[0]["skipped"]
    body = [mode_row(r, "%s, %d hits" % (r["title"], r["hits"])) for r in rows]
    return "## Published weights\n\nTrained by others, monolithic. The shapes are those of above.\n\n" + \
        lean(["model"] + HEAD[1:], body) + "\n" + words(rows) + "\n"


def layer(found, quoted):
    rows = [r for r in of(found, "layer") if "predicted" in r]
    if not rows:
        return ""
    head = ["layer", "objective", "DSP", "block RAM", "LUT", "FF", "latency, cycles", "µs", "simulated latency", "bit-exact"]
    body = []
    for r in rows:
        objective = r["command"].split("--objective ")[1].split()[0]
        need, has, p = r["parts"][0]["need"], r["parts"][0]["has"], r["predicted"]
        body.append(["%s, %s hits" % (r["title"].split(",")[0], thousands(r["hits"])), objective] +
                    ["%s (%.1f %%)" % (thousands(need[k]) if k != "bram36" else "%g" % need[k], 100 * need[k] / has[k]) for k in ("dsp", "bram36", "lut", "ff")] +
                    [thousands(p["latency_cycles"]), micro(p["latency_cycles"], r["clock_mhz"]), simulated(r)[0], simulated(r)[2]])
    reference = next(q for q in quoted if q["what"].startswith("One encoder layer"))
    body.append(["*quoted:* " + reference["system"], "-", "-", "*76.1 %*", "-", "-", "-", "-", "-", "-"])
    return "## One encoder layer alone on a ZCU102\n\n`--hardware layers.0`: the first layer in hardware, all else on the host. With `area` the planner takes the " \
        "smallest that is at most twice as slow as the fastest. The last line is not ours: %s (%s).\n\n" % (reference["figure"], reference["source"]) + \
        table(head, body) + "\n"


def onnxruntime(found):
    o = found["onnxruntime"]
    text = "## onnxruntime on this machine's cores\n\n"
    if "skipped" in o:
        return text + "Skipped in this run: %s.\n\n" % o["skipped"]
    text += "onnxruntime %s, float, one event at a time, after five runs of warm-up. `fastest` is the fastest run, `median` the median: other work on the machine " \
        "(load %.1f when this began%s) moves the median. The hardware's column is *cycles times a stated clock*, simulated where marked, and not a board.\n\n" % \
        (o["version"], o["load"], "; it ran at real-time priority" if o.get("realtime") else "")
    head = ["model", "hits", "1 thread: fastest, ms", "median", "2 threads: fastest, ms", "median", "monolithic on a ZCU102, ms", "ratio to the fastest"]
    body = []
    for model, threads in o["models"].items():
        curve = next((c for c in found["latencies"] if c["model"] == model and c["mode"] == "monolithic"), None)
        for i, first in enumerate(threads["1"]):
            second, n, ours, mark, ratio = threads["2"][i], first["hits"], None, "", "-"
            if curve:
                ours = next((p["latency_cycles"] for p in curve["points"] if p["tokens"] == n), None)
                seen = [e["latency_cycles"] for e in curve.get("simulated", {}).get("per_event", []) if e["tokens"] == n]
                ours, mark = (seen[0], ", simulated") if seen else (ours, ", predicted")
                ours = ours and ours / curve["clock_mhz"] / 1000
                ratio = "%.1f" % (min(first["fastest_ms"], second["fastest_ms"]) / ours) if ours else "-"
            body.append([{"encreg": "EncReg", "enccla": "EncCla"}[model], n] + ["%.2f" % r[k] for r in (first, second) for k in ("fastest_ms", "median_ms")] +
                        ["%.3f%s" % (ours, mark) if ours else "-", ratio])
    return text + table(head, body) + "\n![EncReg](results/latency-encreg.svg)\n\n![EncCla](results/latency-enccla.svg)\n\n"


def small_models(found):
    rows = of(found, "small_models")
    if not rows:
        return ""
    body = [mode_row(r, "%s, %d tokens, %s" % (r["title"], r["hits"], r["asked"])) for r in rows]
    planned = [r["predicted"]["latency_cycles"] / r["clock_mhz"] for r in rows if "predicted" in r and r["mode"] == "monolithic"]
    ours = "Ours take %.1f to %.1f µs: with so few tokens a layer's depth (adder trees, softmax, norms: some 300 cycles) is most of the time. The ring is made " \
        "for hundreds of hits.\n" % (min(planned), max(planned)) if planned else ""
    return "## Models of the size that hls4ml has been used for\n\nSequence, features, blocks, heads, key width and FFN as published; the width of the model, which " \
        "our sources do not give, is taken as heads times key width; seeded weights, 12 bits, one result an event. VU13P, 200 MHz.\n*Quoted for these three " \
        "(not measured here): less than 2 µs; arXiv:2402.01047, arXiv:2409.05207, abstracts.*\n" + ours + "\n" + lean(["model, mode"] + HEAD[1:], body) + "\n" + words(rows) + "\n"


def scaling(found):
    rows = [r for r in of(found, "scaling") if "predicted" in r]
    if not rows:
        return ""
    head = ["model", "devices given", "mode", "rings", "interval, cycles", "µs", "latency, cycles", "times the interval of one"]
    first, body = {}, []
    for r in rows:
        p = r["predicted"]
        first.setdefault(r["model"], p["interval_cycles"])
        body.append([r["title"].split(",")[0], r["name"].rsplit("x", 1)[1], r["mode"], len(r["parts"]), thousands(p["interval_cycles"]),
                     micro(p["interval_cycles"], r["clock_mhz"]), thousands(p["latency_cycles"]), "1 / %.2f" % (first[r["model"]] / p["interval_cycles"])])
    return "## More devices\n\n`--device zcu102,... --objective throughput`, 512 hits, predicted. The planner uses fewer than it is given where those are as good.\n\n" + table(head, body) + "\n![interval](results/scaling.svg)\n\n"


def speed(found):
    rows = [r for r in found["rows"] if "predicted" in r]
    text = "## The tool itself\n\n"
    slow = max(rows, key=lambda r: r["cpu_seconds"])
    body = [["compile (read, calibrate, plan, write), median of %d" % len(rows), "%.1f s" % sorted(r["cpu_seconds"] for r in rows)[len(rows) // 2]],
            ["compile, slowest: %s, %s" % (slow["title"], slow["asked"]), "%.1f s" % slow["cpu_seconds"]]]
    for r in rows:
        s = r.get("simulated") or {}
        if s.get("build_s"):
            t = r.get("together", {})
            body.append(["simulator of %s, %s (%s multipliers)" % (r["title"].split(",")[0], r["mode"], thousands(r["predicted"]["mac_units"])),
                         "built in %d s%s" % (s["build_s"], ", %s cycles a second" % thousands(t["cycles"] / t["run_s"]) if t.get("run_s") else "")])
    for name, s in sorted(found["speeds"].items()):
        model, engine = name.split("-")
        body.append(["%s, %s engine, events of %d hits" % ({"encreg": "EncReg", "enccla": "EncCla"}[model], engine, s["hits"]),
                     "%.1f ms an event" % (1000 * s["seconds"] / s["events"])])
    return text + "Seconds of compiling are processor seconds of one thread; the others are wall time on a machine that did other work, too.\n\n" + \
        table(["what", "figure"], body) + "\n"


def commands(found):
    lines = ["<details><summary>Commands of all rows</summary>\n", "    make        # the tool; then, for the seeded models and the files of events, make bench\n"]
    lines += ["    " + r["command"].replace("tessera compile", "build/tessera compile", 1) for r in found["rows"] if "command" in r]
    return "## Commands\n\nEach row is one `tessera compile`; a simulated row is followed by `tessera simulate DIR --events FILE`, once with `--lone`. FILE has events of exactly " \
        "the stated length, made of the hits of the model's events file. `tessera plan DIR --tokens N` predicts other lengths. Raw figures: " \
        "[bench/results/measured.json](../bench/results/measured.json).\n\n" + "\n".join(lines) + "\n\n</details>\n"


def write(found, quoted, path):
    m, v = found["machine"], found["version"]
    text = """# Results

Written by `make bench` from one run: tool of commit %s%s, %s, %d cores (%s%s), %d minutes. Do not edit.

- **Hardware figures are cycles times a stated clock.** No board has been run and no vendor's tool. *Predicted* cycles are the planner's; *simulated* ones are
  of the generated Verilog in Verilator, every output word compared with the integer model (in brackets: how far the prediction is off).
- **Latency** is that of a lone event, from its last hit in to its last result out. **Interval** is that of events waiting back to back.
- Rows aim at latency; replicated, and where several devices are given, at throughput. Formats are the default (12 bits) where nothing else is said. Shares
  are of the whole device (column `device` of the report), which the planner keeps below 80 %%; where several devices are used, of each.
- Assisted rows have the first three layers in hardware; latency and interval are of that part alone. What the host does comes on top.
- Predicted resources against synthesis: [bench/synth_points.txt](../bench/synth_points.txt).

""" % (v["commit"], " with changes" if v["changed"] else "", v["date"], m["cores"], m["architecture"], ", " + m["vectors"] if m["vectors"] else "",
       round(found["seconds"] / 60))
    if found.get("unfinished"):
        text += "The run was cut off before it simulated: %s.\n\n" % ", ".join(found["unfinished"])
    text += modes(found) + "![resources](results/resources.svg)\n\n![limit](results/limit.svg)\n\n"
    text += published(found) + small(found) + layer(found, quoted) + scaling(found) + onnxruntime(found) + small_models(found) + speed(found)
    text += "## Quoted figures\n\nOf others, by others, on other machines and with other models' weights; none was measured here.\n\n"
    text += table(["what", "system", "figure", "source"], [[q[k] for k in ("what", "system", "figure", "source")] for q in quoted]) + "\n"
    text += commands(found)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
