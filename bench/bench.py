#!/usr/bin/env python3
"""Measures what docs/results.md compares, and writes it: every row of cases.py is compiled by the tool, some are simulated, and onnxruntime
runs the same models on this machine. Raw figures go to bench/results/, the page and its plots to docs/ (report.py, plots.py).

    make bench            everything: 30 to 45 minutes on two cores
    make bench QUICK=1    a dozen rows, one simulation, into out/bench/quick/: a few minutes
    bench/bench.py --page [DIR]   page and plots again, from bench/results/measured.json (docs)
    bench/bench.py --onnxruntime  onnxruntime measured again (on a quieter machine), the rest kept

Environment: TESSERA, the program (build/tessera); ORT_FROM, a folder with onnxruntime-node (out/onnxruntime, from scripts/install.sh --bench)."""
import csv
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time

import cases
import plots
import report

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = "../shared/data"
OUT = "out/bench"
TESSERA = os.environ.get("TESSERA", "build/tessera")
ORT = os.environ.get("ORT_FROM", "out/onnxruntime")


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command):
    """What a command printed on stdout and stderr, its status, and the seconds (wall, processor) that it took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, done.stderr, done.returncode, round(time.time() - start, 2), round(cpu, 2)


def must(*command):
    out, err, status, wall, cpu = run(*command)
    if status != 0:
        sys.exit("bench: %s\nfailed: %s" % (" ".join(command), err))
    return out, wall


def paths(name):
    """ONNX file, events, inputs file of a model; None where its weights are absent. Seeded ones are made here."""
    m = cases.PUBLISHED.get(name) or cases.MODELS[name]
    if name in cases.PUBLISHED:
        return [os.path.join(SHARED, m[k]) for k in ("file", "events", "inputs")] if os.path.isdir(SHARED) else None
    prefix = m.get("file") or "%s/models/%s" % (OUT, name)
    if "seeded" in m and not os.path.exists(prefix + ".inputs.json"):
        if run("/usr/bin/python3", "-c", "import torch")[2] != 0:
            return None
        os.makedirs(os.path.dirname(prefix), exist_ok=True)
        must("/usr/bin/python3", "-W", "ignore", "train/seeded.py", "--distinct", *m["seeded"].split(), "-o", prefix)
    return [prefix + e for e in (".onnx", ".csv", ".inputs.json")]


def events_of(source, lengths, target):
    """Writes events of exactly these lengths: the hits of `source`, one after the other, from the start again where they are used up."""
    rows = list(csv.reader(open(source)))
    with open(target, "w") as f:
        out, at = csv.writer(f, lineterminator="\n"), 0
        out.writerow(rows[0])
        for event, n in enumerate(lengths):
            for hit in range(n):
                out.writerow([event, hit] + rows[1 + at % (len(rows) - 1)][2:])
                at += 1
    return target


def parts_of(r):
    """Of each ring: its device, what it needs (column `device` of the report) and what the device has."""
    if "parts" in r:
        return [dict(device=p["device"], need=p["predicted"]["resources"]["device"], has=p["device_has"], interval=p["predicted"]["interval_cycles"])
                for p in r["parts"]]
    return [dict(device=r["device"], need=r["predicted"]["resources"]["device"], has=r["device_has"], interval=r["predicted"]["interval_cycles"])]


def simulate(design, source, lengths, lone):
    """Events of these lengths through the simulated hardware; figures of the report, and of the simulator."""
    events = events_of(source, lengths, OUT + "/events.csv")
    out, err, status, wall, _ = run(TESSERA, "simulate", design, "--events", events, *(["--lone"] if lone else []))
    r = json.load(open(design + "/report.json")).get("simulated")
    if status not in (0, 1) or r is None or (status == 1 and r["bit_exact"]):
        return dict(error=err.strip().split("\n")[-1])
    built = re.search(r"simulator built in (\d+) s", out)
    ran = re.search(r"cycles simulated in ([\d.]+) s", out)
    keep = {k: r.get(k) for k in ("bit_exact", "mismatches", "events", "refused", "flagged", "words", "cycles", "interval_cycles", "mac_utilisation",
                                  "predicted_interval_cycles", "per_event")}
    return dict(keep, build_s=int(built[1]) if built else 0, run_s=float(ran[1]) if ran else None, parts=r.get("parts"))


def compile_again(design, command):
    """Compiles, and keeps the simulator of an earlier run where the design is the same to the byte."""
    old = design + ".old"
    shutil.rmtree(old, ignore_errors=True)
    if os.path.isdir(design):
        os.rename(design, old)
    found = run(TESSERA, *command)
    if found[2] == 0 and os.path.isdir(old + "/sim") and run("diff", "-rq", "-x", "sim", "-x", "report.json", old, design)[2] == 0:
        os.rename(old + "/sim", design + "/sim")
    shutil.rmtree(old, ignore_errors=True)
    return found


def build(table, name, model, mode, options):
    m = cases.PUBLISHED.get(model) or cases.MODELS[model]
    row = dict(table=table, name=name, model=model, title=m["title"], shape=m["shape"], asked=mode, hits=m["hits"])
    files = paths(model)
    if files is None:
        return dict(row, skipped="../shared/data is not there" if model in cases.PUBLISHED else "python3-torch is not installed")
    options = re.sub(r"\bD\b", m.get("device", "zcu102"), options).split() + m.get("options", "").split()
    for option, value in (("--max-tokens", m["longest"]), ("--plan-tokens", m["hits"])):
        if option not in options:
            options += [option, str(value)]
    row["hits"] = int(options[options.index("--plan-tokens") + 1])
    design = "%s/designs/%s" % (OUT, name)
    command = ["compile", files[0], "--events", files[1], "--inputs", files[2]] + options + ["-o", design]
    row["command"] = "tessera " + " ".join(command)
    out, err, status, row["seconds"], row["cpu_seconds"] = compile_again(design, command)
    if status != 0:
        say = [line for line in err.strip().split("\n") if "warning:" not in line]
        return dict(row, error=re.sub(r"^tessera \w+: ", "", say[-1] if say else "status %d" % status))
    r = json.load(open(design + "/report.json"))
    row.update(mode=r["mode"], device=r["device"], clock_mhz=r["clock_mhz"], predicted={k: v for k, v in r["predicted"].items() if k != "resources"},
               parts=parts_of(r), why=[line for line in r["why"].split("\n") if line and "weighed:" not in line and "chosen:" not in line], host=r.get("host"))
    return row


def simulate_row(row, events):
    design, source = "%s/designs/%s" % (OUT, row["name"]), paths(row["model"])[1]
    row["simulated"] = simulate(design, source, [row["hits"]], True)
    if "error" not in row["simulated"]:
        row["together"] = simulate(design, source, [row["hits"]] * events, False)


def latencies(rows):
    """Latency of a lone event at several lengths: predicted for every mode that fits, simulated where the simulator is there."""
    curves = []
    for row in rows:
        if row["table"] != "modes" or row["model"] not in cases.LENGTHS or "predicted" not in row:
            continue
        design = "%s/designs/%s" % (OUT, row["name"])
        points = []
        for n in cases.LENGTHS[row["model"]]:
            r = json.loads(must(TESSERA, "plan", design, "--tokens", str(n), "--json")[0])["predicted"]
            points.append({k: r[k] for k in ("tokens", "latency_cycles", "interval_cycles", "mac_utilisation", "mac_units")})
        curve = dict(model=row["model"], mode=row["mode"], clock_mhz=row["clock_mhz"], points=points)
        if "bit_exact" in row.get("simulated", {}) and row["mode"] == "monolithic":
            curve["simulated"] = simulate(design, paths(row["model"])[1], cases.LENGTHS[row["model"]], True)
        curves.append(curve)
    return curves


def onnxruntime(quick):
    if not os.path.isdir(ORT + "/node_modules/onnxruntime-node") or not shutil.which("node"):
        say("bench: onnxruntime is not there (scripts/install.sh --bench): skipped")
        return dict(skipped="onnxruntime-node is not installed (scripts/install.sh --bench)")
    # At real-time priority where that is allowed: other work on the machine then does not interrupt it.
    realtime = shutil.which("chrt") is not None and run("chrt", "-f", "10", "true")[2] == 0
    result = dict(load=os.getloadavg()[0], realtime=realtime, models={})
    for model, lengths in cases.LENGTHS.items():
        lengths = lengths[::3] if quick else lengths
        features = len(json.load(open(paths(model)[2]))["inputs"])
        for threads in (1, 2):
            say("  onnxruntime, %s, %d thread(s)" % (model, threads))
            os.environ["ORT_FROM"] = os.path.abspath(ORT) + "/"
            out = must(*(["chrt", "-f", "10"] if realtime else []), "node", "bench/ort.mjs", paths(model)[0], str(features), str(threads), ",".join(map(str, lengths)))[0]
            found = json.loads(out)
            result["version"] = found["version"]
            result["models"].setdefault(model, {})[str(threads)] = found["rows"]
    return result


def speeds(rows):
    """The tool's own engines: hits a second through the float and the integer model."""
    found = {}
    for model in cases.LENGTHS:
        design = next(("%s/designs/%s" % (OUT, r["name"]) for r in rows if r["model"] == model and "predicted" in r), None)
        if not design:
            continue
        n, count = cases.MODELS[model]["hits"], 20
        events = events_of(paths(model)[1], [n] * count, OUT + "/events.csv")
        for engine in ("integer", "float"):
            wall = must(TESSERA, "run", design, "--engine", engine, "--events", events, "-o", OUT + "/out.csv")[1]
            found["%s-%s" % (model, engine)] = dict(hits=n, events=count, seconds=wall)
    return found


def machine():
    flags = re.search(r"^flags\s*:(.*)$", open("/proc/cpuinfo").read(), re.M)
    words = flags[1].split() if flags else []
    return dict(cores=os.cpu_count(), architecture=os.uname().machine, vectors="AVX-512" if "avx512f" in words else "AVX2" if "avx2" in words else "")


def version():
    commit = must("git", "rev-parse", "--short", "HEAD")[0].strip()
    changed = must("git", "status", "--porcelain", "--untracked-files=no", "src", "rtl", "devices", "bench")[0]
    changed = [line for line in changed.split("\n") if line and "bench/results" not in line]
    return dict(commit=commit, changed=bool(changed), date=time.strftime("%Y-%m-%d", time.gmtime()))


def save(found, path):
    with open(path, "w") as f:
        json.dump(found, f, indent=1, sort_keys=True)
        f.write("\n")


def write_page(found, page):
    plots.draw(found, os.path.splitext(page)[0])
    report.write(found, json.load(open("bench/quoted.json")), page)


def main():
    quick = sys.argv[1:] == ["--quick"]
    page_only = len(sys.argv) in (2, 3) and sys.argv[1] == "--page"
    onnxruntime_only = sys.argv[1:] == ["--onnxruntime"]
    if sys.argv[1:] and not (quick or page_only or onnxruntime_only):
        sys.exit(__doc__)
    folder = os.path.abspath(sys.argv[2]) if len(sys.argv) == 3 else os.path.join(ROOT, "docs")
    os.chdir(ROOT)
    if page_only or onnxruntime_only:
        found = json.load(open("bench/results/measured.json"))
        if onnxruntime_only:
            found["onnxruntime"] = onnxruntime(False)
            save(found, "bench/results/measured.json")
        return write_page(found, folder + "/results.md")
    results, page = (OUT + "/quick", OUT + "/quick/results.md") if quick else ("bench/results", "docs/results.md")
    os.makedirs(results, exist_ok=True)
    start, rows = time.time(), []
    todo = [c for c in cases.rows() if not quick or c[1] in cases.QUICK]
    found = dict(version=version(), machine=machine(), quick=quick)
    found["onnxruntime"] = onnxruntime(quick)  # first: nothing else of ours runs beside it

    def progress(i, count, what):
        say("[%3d/%d, %4d s] %s" % (i + 1, count, time.time() - start, what))

    for i, case in enumerate(todo):
        progress(i, len(todo), "compile " + case[1])
        rows.append(build(*case[:5]))
        if "error" in rows[-1]:
            say("      " + rows[-1]["error"])
    found.update(rows=rows, speeds=speeds(rows))
    wanted = [(rows[i], case[5]) for i, case in enumerate(todo) if case[5] and "predicted" in rows[i] and (not quick or case[1] in cases.QUICK_SIMULATED)]
    wanted.sort(key=lambda w: w[0]["predicted"]["mac_units"] > 700)  # those that take minutes to build come last
    for i, (row, events) in enumerate(wanted):
        progress(i, len(wanted), "simulate %s, %d multipliers" % (row["name"], row["predicted"]["mac_units"]))
        simulate_row(row, events)
        found["unfinished"] = [row["name"] for row, _ in wanted[i + 1:]]
        save(found, OUT + "/measured.json")  # if the run is cut off
    found.update(latencies=latencies(rows), seconds=round(time.time() - start))
    save(found, results + "/measured.json")
    write_page(found, page)
    say("bench: %s, %d rows in %d s" % (page, len(rows), time.time() - start))
    bad = [r["name"] for r in rows for k in ("simulated", "together") if r.get(k) and not r[k].get("bit_exact")]
    if bad:
        sys.exit("bench: not bit-exact or not simulated: " + ", ".join(bad))


if __name__ == "__main__":
    main()
