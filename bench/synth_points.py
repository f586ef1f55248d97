"""Compares the resources that the planner predicts with those that Yosys finds, at the points of bench/synth_points.txt: DSPs and memories
must agree exactly, LUTs within 10 %, flip-flops within 15 %. Writes bench/results/synth_points.json, point by point, and prints a table.

    bench/synth_points.sh [--list] [--print] [--keep DIR] [--anew] [POINT ...]

With points named, only these run, and the results of the others stay as they were. Synthesis is not repeated where the design, its
Verilog but for comments and its memory images, and Yosys are those of the last run. Exit status 0 only if every point is within bounds."""
import argparse
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
POINTS = os.path.join(ROOT, "bench/synth_points.txt")
RESULTS = os.path.join(ROOT, "bench/results/synth_points.json")
TESSERA = os.path.abspath(os.environ.get("TESSERA", os.path.join(ROOT, "build/tessera")))
DATA = os.environ.get("DATA", os.path.normpath(os.path.join(ROOT, "../shared/data")))
LEAST = 8 # points of a whole run
BOUNDS = {"dsp": 0, "bram36": 0, "uram": 0, "lut": 0.10, "ff": 0.15}


def read_points():
    points = {}
    with open(POINTS) as f:
        for line in f:
            words = line.split(None, 2)
            if words and not words[0].startswith("#"):
                points[words[0]] = (words[1], words[2].strip())
    return points


def deviation(predicted, found):
    return 0.0 if predicted == found else predicted / found - 1 if found else float("inf")


def tessera(*arguments):
    """What it prints, and its error where it fails."""
    run = subprocess.run([TESSERA, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    error = [line for line in run.stderr.splitlines() if " ..." not in line]
    return run.stdout, None if run.returncode == 0 else "\n".join(error[-3:])


def predict(ring):
    """Of the ring alone, without the ends of links, from the table of tessera plan."""
    text, error = tessera("plan", ring)
    found = dict(re.findall(r"^  (lut|ff|dsp|bram36|uram) +([0-9.]+) ", text, re.M))
    if error or len(found) != len(BOUNDS):
        raise RuntimeError("plan: " + (error or "prints no resources"))
    return {name: float(value) for name, value in found.items()}


def fingerprint(ring, tool):
    """Of all that synthesis reads."""
    total = hashlib.sha256(tool.encode())
    for folder in ("rtl", "mem"):
        for name in sorted(os.listdir(os.path.join(ring, folder))):
            with open(os.path.join(ring, folder, name), "rb") as f:
                text = f.read()
                if folder == "rtl":
                    text = b"".join(re.sub(rb"//[^\n]*", b"", text).split())
                total.update(name.encode() + text)
    return total.hexdigest()


def measure(name, part, arguments, folder, before):
    """The point's line of results."""
    design = os.path.join(folder, name)
    _, error = tessera("compile", *shlex.split(arguments.replace("{data}", DATA)), "-o", design)
    if error:
        raise RuntimeError("compile: " + error)
    with open(os.path.join(design, "report.json")) as f:
        mode = json.load(f)["mode"]
    ring = design if part == "-" else os.path.join(design, part)
    design_now = fingerprint(ring, subprocess.run(["yosys", "-V"], stdout=subprocess.PIPE, text=True).stdout)
    line = {"mode": mode, "part": None if part == "-" else part, "device": None, "arguments": arguments, "design": design_now, "tool": None,
            "seconds": None, "predicted": predict(ring), "synthesised": None, "error": None}
    if before and before["design"] == design_now:
        line.update((key, before[key]) for key in ("device", "tool", "seconds", "synthesised", "error"))
    else:
        began = time.time()
        _, line["error"] = tessera("synth", ring)
        with open(os.path.join(ring, "report.json")) as f:
            report = json.load(f)
        if "synthesised" not in report:
            raise RuntimeError("synth: " + (line["error"] or "no result"))
        line.update(device=report["device"], tool=report["synthesised"]["tool"], seconds=round(time.time() - began),
                    synthesised=report["synthesised"]["resources"])
    predicted, found = line["predicted"], line["synthesised"]
    line["deviation"] = {}
    for name in BOUNDS:
        line["deviation"][name] = round(deviation(predicted[name], found[name]), 4)
    # An error is a latch, a product in LUTs or a path longer than promised.
    line["within"] = not line["error"] and all(abs(line["deviation"][name]) <= bound for name, bound in BOUNDS.items())
    return line


def table(results):
    print("%-20s %-11s %-8s %17s %17s %11s %13s %9s" % ("point", "mode", "device", "LUT", "FF", "DSP", "BRAM36", "URAM"))
    for name, r in results.items():
        p, s, d = r["predicted"], r["synthesised"], r["deviation"]
        text = ["%d/%d %+.1f%%" % (p[k], s[k], 100 * d[k]) for k in ("lut", "ff")] + ["%g/%g" % (p[k], s[k]) for k in ("dsp", "bram36", "uram")]
        print("%-20s %-11s %-8s %20s %21s %10s %13s %9s %s" % (name, r["mode"], r["device"], *text, "" if r["within"] else "  " + (r["error"] or "OUT OF BOUNDS")))
    print("predicted/synthesised; bounds: DSP, BRAM36 and URAM exact, LUT 10 %, FF 15 %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="show the points and stop")
    parser.add_argument("--print", action="store_true", help="show the results of the last run and stop")
    parser.add_argument("--anew", action="store_true", help="synthesise again what is as it was in the last run")
    parser.add_argument("--keep", metavar="DIR", help="where to make the designs, which then stay")
    parser.add_argument("point", nargs="*")
    options = parser.parse_args()
    points, results = read_points(), {}
    if os.path.exists(RESULTS):
        with open(RESULTS) as f:
            results = json.load(f)
    if options.list:
        for name, (part, arguments) in points.items():
            print("%-20s %-6s %s" % (name, part, arguments))
        return 0
    if options.print:
        table(results)
        return 0
    unknown = [name for name in options.point if name not in points]
    if unknown:
        parser.error("no point %s; --list shows those that there are" % ", ".join(unknown))
    results = {name: r for name, r in results.items() if name in points}
    failed = run = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in options.point or points:
            part, arguments = points[name]
            if "{data}" in arguments and not os.path.isdir(DATA):
                print("skipped %s: no %s" % (name, DATA))
                continue
            print("synthesising %s ..." % name, file=sys.stderr, flush=True)
            try:
                line = measure(name, part, arguments, options.keep or folder, None if options.anew else results.get(name))
            except (RuntimeError, OSError) as error:
                print("FAILED  %s: %s" % (name, error), flush=True)
                results.pop(name, None)
                failed += 1
                continue
            run += 1
            failed += not line["within"]
            results[name] = line
            results = {n: results[n] for n in points if n in results}
            os.makedirs(os.path.dirname(RESULTS), exist_ok=True)
            with open(RESULTS + ".new", "w") as f:
                json.dump(results, f, indent=1)
                f.write("\n")
            os.replace(RESULTS + ".new", RESULTS)
    table(results)
    print("%d points compared, %d out of bounds or failed" % (run, failed))
    if run < (len(options.point) or LEAST):
        print("too few: %s" % ("some could not run" if options.point else "at least %d belong to a whole run" % LEAST))
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
