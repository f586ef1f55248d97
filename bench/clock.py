#!/usr/bin/python3
"""How fast each stage of a design could be clocked: the cell delays of its longest path between registers, in ns, and the path by name.

    bench/clock.py [--list] [--print] [--anew] [--accept] [-j N] [--only TEXT] [POINT ...]     (make clock)

Each module below the tops of a packaged design, with the parameters that it has there, is flattened, mapped by Yosys for 7-series parts
(synth_xilinx -abc9) and timed by Yosys' own `sta` over the cells' specify blocks. These are delays of cells, no routing: with as much again
for the wires, 2.0 ns are 250 MHz on a Kintex-7; UltraScale+ cells are nearly twice as fast (docs/hardware.md). Memories and DSPs count where
Yosys' cells have arcs.

Prints each stage beside the figure of bench/results/clock.json; one that got 10 % slower is an error (exit status 1) and leaves the committed
figure as it is, unless --accept. Stages whose Verilog is as it was are not mapped again. --only: stages whose module or instance has TEXT."""
import argparse
import concurrent.futures
import functools
import glob
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
POINTS = os.path.join(ROOT, "bench/clock_points.txt")
RESULTS = os.path.join(ROOT, "bench/results/clock.json")
TESSERA = os.path.abspath(os.environ.get("TESSERA", os.path.join(ROOT, "build/tessera")))
DATA = os.environ.get("DATA", os.path.normpath(os.path.join(ROOT, "../shared/data")))
SLOWER = 0.10
LISTED = 1.5 # ns: faster stages are in the file only


def read_points():
    points = {}
    with open(POINTS) as f:
        for line in f:
            words = line.split(None, 1)
            if words and not words[0].startswith("#"):
                points[words[0]] = words[1].strip()
    return points


def run(arguments, cwd):
    done = subprocess.run(arguments, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(arguments[:2]), "\n".join(done.stdout.splitlines()[-5:])))
    return done.stdout


def package(name, arguments, folder):
    """Directories of the point's devices, each with a whole top."""
    design, out = os.path.join(folder, name), os.path.join(folder, name + "-board")
    run([TESSERA, "compile", *shlex.split(arguments.replace("{data}", DATA)), "-o", design], ROOT)
    run([TESSERA, "package", design, "--target", "rtl", "-o", out], ROOT)
    devices = [os.path.dirname(rtl) for rtl in sorted(glob.glob(os.path.join(out, "**", "rtl"), recursive=True))
               if glob.glob(os.path.join(rtl, "*_board.v"))]
    if not devices:
        raise RuntimeError("the package has no top")
    return devices


def stages_of(device):
    """(top, {module with its parameters: its instances}), of all that is inside the modules that are written for this design."""
    top = os.path.basename(glob.glob(os.path.join(device, "rtl/*_board.v"))[0])[:-2]
    netlist = os.path.join(device, "hierarchy.json")
    run(["yosys", "-q", "-p", "read_verilog rtl/*.v; hierarchy -check -top %s; proc; write_json %s" % (top, netlist)], device)
    with open(netlist) as f:
        modules = json.load(f)["modules"]
    os.remove(netlist)
    found, todo = {}, [(top, "")]
    while todo:
        module, path = todo.pop()
        for instance, cell in modules[module]["cells"].items():
            kind = cell["type"]
            if re.search(r"\bts_", kind):
                found.setdefault(kind, []).append(path + instance)
            elif kind in modules:
                todo.append((kind, path + instance + "."))
    return top, found


def stage_name(module, instances):
    return "%s %s" % (re.search(r"\bts_\w+", module).group(), ", ".join(sorted(instances)))


def fingerprint(device, module):
    """Of what a stage is made from: its name, which has its parameters, and all modules of the library that the design has."""
    total = hashlib.sha256(run(["yosys", "-V"], device).encode() + module.encode())
    for path in sorted(glob.glob(os.path.join(device, "rtl/ts_*.v"))):
        with open(path, "rb") as f:
            total.update(b"".join(re.sub(rb"//[^\n]*", b"", f.read()).split()))
    return total.hexdigest()[:16]


# The second `hierarchy` makes ports of block RAMs as wide as their cells are, without which abc9 ends at them.
SCRIPT = """read_verilog rtl/*.v
hierarchy -check -top %s
rename %s stage
hierarchy -top stage
flatten
synth_xilinx -family xc7 -abc9 -noiopad -noclkbuf -top stage -run begin:map_luts
hierarchy -top stage
synth_xilinx -family xc7 -abc9 -noiopad -noclkbuf -top stage -run map_luts:
read_verilog -lib -specify +/xilinx/cells_sim.v
tee -o %s sta
"""


def time_stage(device, top, module):
    """The longest path between registers: {ns, from, to, through}."""
    with tempfile.NamedTemporaryFile("w", suffix=".ys") as script, tempfile.NamedTemporaryFile("r", suffix=".sta") as report:
        script.write(SCRIPT % (top, module, report.name))
        script.flush()
        run(["nice", "yosys", "-q", "-s", script.name], device)
        text = report.read()
    latest = re.search(r"Latest arrival time in 'stage' is (\d+)", text)
    if not latest:
        raise RuntimeError("no arrival time from sta")
    # From the end to the start, a cell a line and below it the signal that it gives.
    path = re.findall(r"^ +\d+ \S+ \((.*)\)\n +(\S.*)$", text, re.M)
    cells = [re.match(r"[A-Z0-9]+", kind).group() for kind, _ in path if kind[0] != "<"]
    named = [signal.replace("\\", "").replace(" [", "[") for _, signal in path if signal[0] not in "$0"]
    return {"ns": int(latest.group(1)) / 1000, "from": named[-1] if named else "", "to": named[0] if named else "",
            "through": squeeze(reversed(cells))}


def squeeze(cells):
    """FDRE LUT6 LUT6 CARRY4: FDRE LUT6*2 CARRY4."""
    runs = []
    for cell in cells:
        if runs and runs[-1][0] == cell:
            runs[-1][1] += 1
        else:
            runs.append([cell, 1])
    return " ".join(cell if n == 1 else "%s*%d" % (cell, n) for cell, n in runs)


def slower(now, before):
    return before is not None and now["ns"] > before["ns"] * (1 + SLOWER)


def show(name, now, before):
    if now["ns"] >= LISTED or slower(now, before):
        print("  %5.2f ns %s %-52s %s -> %s: %s" % (now["ns"], "(%5.2f)" % before["ns"] if before else "  (new)", name, now["from"], now["to"],
                                                  now["through"]), flush=True)


def measure(name, arguments, folder, before, options, pool, done):
    """({stage: its line}, how many could not be timed) of the point; done(stage, line) as each one is."""
    jobs, lines, failed = {}, {}, 0
    for device in package(name, arguments, folder):
        top, found = stages_of(device)
        for module, instances in found.items():
            stage = stage_name(module, instances)
            if stage in lines or stage in jobs or (options.only and options.only not in stage):
                continue
            made_of = fingerprint(device, module)
            if stage in before and before[stage]["made_of"] == made_of and not options.anew:
                lines[stage] = before[stage]
            else:
                jobs[stage] = made_of, pool.submit(time_stage, device, top, module)
    for count, (stage, (made_of, job)) in enumerate(jobs.items(), 1):
        try:
            lines[stage] = {"made_of": made_of, **job.result()}
            done(stage, lines[stage])
        except RuntimeError as error:
            print("FAILED  %s, %s: %s" % (name, stage, error), flush=True)
            failed += 1
        print("%s: %d of %d stages mapped" % (name, count, len(jobs)), file=sys.stderr, flush=True)
    return lines, failed


def save(results):
    with open(RESULTS + ".new", "w") as f:
        json.dump(results, f, indent=1, sort_keys=True)
        f.write("\n")
    os.replace(RESULTS + ".new", RESULTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="show the points and stop")
    parser.add_argument("--print", action="store_true", help="show the committed figures and stop")
    parser.add_argument("--anew", action="store_true", help="map stages again that are as they were")
    parser.add_argument("--accept", action="store_true", help="take the figures of slower stages, too")
    parser.add_argument("--only", metavar="TEXT", help="only stages whose module or instances have it in their names")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="so many at the same time (2)")
    parser.add_argument("point", nargs="*")
    options = parser.parse_args()
    points, results = read_points(), {}
    if os.path.exists(RESULTS):
        with open(RESULTS) as f:
            results = {name: stages for name, stages in json.load(f).items() if name in points}
    if options.list:
        for name, arguments in points.items():
            print("%-15s %s" % (name, arguments))
        return 0
    unknown = [name for name in options.point if name not in points]
    if unknown:
        parser.error("no point %s; --list shows those that there are" % ", ".join(unknown))
    wrong = 0

    def keep(name, before, stage, line):
        """A figure that is committed stays where the stage is slower now, and so does the place of an interrupted run."""
        if not slower(line, before.get(stage)) or options.accept:
            results.setdefault(name, {})[stage] = line
            save(results)

    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for name in options.point or points:
            before = dict(results.get(name, {}))
            if options.print:
                lines = before
            elif "{data}" in points[name] and not os.path.isdir(DATA):
                print("skipped %s: no %s" % (name, DATA))
                continue
            else:
                try:
                    lines, failed = measure(name, points[name], folder, before, options, pool, functools.partial(keep, name, before))
                    wrong += failed
                except (RuntimeError, OSError) as error:
                    print("FAILED  %s: %s" % (name, error), flush=True)
                    wrong += 1
                    continue
                if not options.only: # stages that the design has no more
                    results[name] = {stage: line for stage, line in results.get(name, {}).items() if stage in lines}
                    save(results)
            print("%s: %.2f ns" % (name, max((line["ns"] for line in lines.values()), default=0)))
            for stage, line in sorted(lines.items(), key=lambda item: -item[1]["ns"]):
                show(stage, line, before.get(stage))
                if slower(line, before.get(stage)):
                    print("          SLOWER by %.0f %%" % (100 * (line["ns"] / before[stage]["ns"] - 1)))
                    wrong += 1
    print("%d stages slower or points failed" % wrong)
    return 1 if wrong and not options.accept else 0


if __name__ == "__main__":
    sys.exit(main())
