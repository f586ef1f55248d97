#!/usr/bin/env python3
"""Refits src/ring/cost_table.def: synthesises every module of rtl/ over a grid of parameters with Yosys (hierarchy kept), counts the
LUTs and flip-flops of the module itself, and solves for the factors of its terms.

    bench/fit_cost.py [--family xc7|xcup] [--check] [MODULE ...]

--check prints how far the table is off, without changing it. Needs numpy. bench/fit_cost.sh finds a Python that has it."""
import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = os.path.join(ROOT, "src/ring/cost_table.def")

# The functions that terms may use: as in src/ring/cost.h.
def clog2(x):
    return (x - 1).bit_length() if x > 1 else 0


def cdiv(a, b):
    return -(-a // b)


def tree_levels(n, w, ow):
    for level in range(1, clog2(n) + 1):
        yield level, cdiv(n, 1 << level), min(w + level, ow), cdiv(n, 1 << (level - 1))


def tree_adds(n, w, ow):
    return sum((before // 2) * width for _, _, width, before in tree_levels(n, w, ow))


def tree_regs(n, w, ow, reg):
    return sum(count * width for level, count, width, _ in tree_levels(n, w, ow) if level % reg == 0 or level == clog2(n))


def pairs_regs(n, reg):
    levels = clog2(n)
    return sum(1 << (levels - level) for level in range(1, levels + 1) if level % reg == 0 or level == levels)


FUNCTIONS = {"clog2": clog2, "cdiv": cdiv, "imin": min, "imax": max, "tree_adds": tree_adds, "tree_regs": tree_regs,
             "pairs_regs": pairs_regs}


def grid(**values):
    """Every combination of the values given as lists."""
    lists = {k: v if isinstance(v, list) else [v] for k, v in values.items()}
    return [dict(zip(lists, combination)) for combination in itertools.product(*lists.values())]


class vector(tuple):
    """Values of a parameter made of fields of so many bits, the first one lowest."""

    def __new__(cls, bits, values):
        return super().__new__(cls, (bits, tuple(values)))

    def verilog(self):
        bits, values = self
        return "%d'h%x" % (bits * len(values), sum(v << bits * i for i, v in enumerate(values)))


def pages(stages, layers, lanes, words=300, groups=3):
    """A loader of pages for so many stages and layers."""
    return dict(STAGES=stages, COUNT=stages * layers, LANES=lanes, SCHEDULE=vector(8, [i % stages for i in range(stages * layers)]),
                BUFFERS=vector(2, [1 + s % 2 for s in range(stages)]), WORDS=vector(16, [words + 64 * s for s in range(stages)]),
                GROUPS=vector(8, [groups + s for s in range(stages)]), BURSTS=8)


LINEAR = dict(XW=12, XSIGNED=1, WW=12, LW=3, S1=3, S2=16, REG=2)
GRIDS = {
    "ts_skid": grid(WIDTH=[5, 64, 515]),
    "ts_fifo_lut": grid(WIDTH=[4, 40], DEPTH=[2, 4, 5, 9, 16, 32, 50]),
    "ts_fifo": grid(WIDTH=[20], DEPTH=[16, 50, 64, 300], STYLE="block"),
    "ts_queue": grid(WIDTH=[20], DEPTH=[16, 65, 192, 520, 769]),
    "ts_queue_narrow": grid(WIDTH=[60, 300], DEPTH=[20, 193], BEATS=[2, 3, 5, 8]),
    "ts_collect": grid(WIDTH=[12, 40], BEATS=[2, 3, 8, 32], DEPTH=[3, 4]),
    "ts_fork": grid(WIDTH=[20, 100]),
    "ts_merge": grid(WIDTH=[20, 100, 300]),
    "ts_route": grid(WIDTH=[20, 100]),
    "ts_tree": grid(N=[3, 8, 21], W=[12, 24], OW=[28], REG=[1, 2]),
    "ts_pack": grid(N=[1, 8], W=[8, 10]),
    "ts_requant": grid(IW=[28, 32], S1=[0, 5], S2=16, BIASW=0, EW=3, OW=[12, 16], VARBITS=[0, 1]) +
                  grid(IW=16, S1=0, S2=[12, 18], BIASW=[0, 40], EW=3, OW=12, VARBITS=[0, 1]) +
                  grid(IW=19, S1=1, S2=18, BIASW=[30, 44], EW=1, OW=16, VARBITS=0),
    "ts_linear": [dict(LINEAR, **g) for g in [
        dict(K=8, M=8, PK=2, PM=2, NR=1, ACCW=28, YW=12, PAGES=1, VARBITS=0, BEATS=0),
        dict(K=16, M=12, PK=4, PM=4, NR=1, ACCW=28, YW=12, PAGES=2, VARBITS=1, BEATS=0),
        dict(K=32, M=32, PK=4, PM=4, NR=2, ACCW=30, YW=16, PAGES=6, VARBITS=0, BEATS=0),
        dict(K=32, M=4, PK=2, PM=1, NR=1, ACCW=30, YW=16, PAGES=1, VARBITS=0, BEATS=1),
        dict(K=3, M=24, PK=3, PM=4, NR=4, ACCW=26, YW=12, PAGES=1, VARBITS=0, BEATS=0),
        dict(K=32, M=48, PK=2, PM=6, NR=1, ACCW=28, YW=12, PAGES=6, VARBITS=1, BEATS=0),
        dict(K=64, M=16, PK=4, PM=2, NR=1, ACCW=32, YW=16, PAGES=6, VARBITS=0, BEATS=0),
        dict(K=32, M=45, PK=4, PM=5, NR=1, ACCW=28, YW=14, PAGES=1, VARBITS=0, BEATS=1)]],
    "ts_parity": grid(WIDTH=[13, 37, 73, 145, 289, 469, 721, 1441]),
    "ts_parity_watch": [dict(N=n, IDS=vector(8, [4 * i for i in range(n)]), EVW=evw) for n in (1, 2, 4, 12, 30, 45) for evw in (3, 4)],
    "ts_page_mem": [dict(DEPTH=64, STYLE="block", **g) for g in grid(WIDTH=[96, 432, 1500], LANES=[1, 2, 4, 8])],
    "ts_page_gate": grid(BUFFERS=[1, 2], TURNS=[2, 6, 12], LW=3, TAGW=5, EVW=[3, 4], LATE=[5000, 100000]),
    "ts_page_burst": grid(BYTES=[8, 16, 32, 64], ADDRW=40, OFFW=32, BURSTS=[4, 16]),
    "ts_page_unpack": grid(LANES=[1, 2, 4, 8]),
    "ts_crc": grid(W=64, SHIFT=32),
    "ts_page_loader": [pages(*p) for p in [(1, 6, 1), (2, 6, 2), (4, 6, 1), (4, 6, 4), (3, 12, 8), (4, 2, 2), (4, 12, 4)]],
    "ts_page_poison": grid(GATES=[1, 2, 4], EVW=[3, 4, 5]),
    "ts_rqvec": grid(D=[16, 32, 128], NR=[1, 2, 3, 16], XW=16, S2=14, BIASW=[0, 30], YW=12, VARBITS=0, PAGES=[6], LW=3),
    "ts_pick": grid(N=[2, 3, 4, 8, 13, 16, 32], WIDTH=[8, 30]),
    "ts_page": grid(LW=3, PAGES=[2, 6], STRIDE=[4, 7, 16, 24], AW=[5, 8]),
    "ts_radd": [dict(D=d, NR=d, W=w, TAGW=5) for d in (16, 32, 128) for w in (16, 17, 18, 20)]
               + [dict(D=d, NR=nr, W=w, TAGW=5) for d, nr in ((16, 4), (32, 8), (64, 4), (100, 7), (128, 8), (128, 32)) for w in (16, 18)],
    "ts_norm": [dict(W=16, YW=16, YSHIFT=18, EPSW=12, PAGES=6, LW=3, TAGW=5, REG=2, **g) for g in [
        dict(D=8, NP=2, TSHIFT=2, BIASW=30), dict(D=16, NP=4, TSHIFT=4, BIASW=34), dict(D=32, NP=2, TSHIFT=4, BIASW=34),
        dict(D=32, NP=8, TSHIFT=4, BIASW=40), dict(D=32, NP=4, TSHIFT=5, BIASW=34), dict(D=24, NP=5, TSHIFT=4, BIASW=34),
        dict(D=16, NP=1, TSHIFT=3, BIASW=36), dict(D=64, NP=4, TSHIFT=5, BIASW=34),
        dict(MEAN=0, D=8, NP=2, TSHIFT=0, BIASW=30), dict(MEAN=0, D=16, NP=4, TSHIFT=0, BIASW=34), dict(MEAN=0, D=32, NP=8, TSHIFT=0, BIASW=40),
        dict(MEAN=0, D=24, NP=5, TSHIFT=0, BIASW=34), dict(MEAN=0, D=16, NP=1, TSHIFT=0, BIASW=36)]],
    "ts_qknorm": [dict(MEAN=0, W=16, XW=16, QW=12, KW=12, VW=12, YW=12, TSHIFT=0, QYSHIFT=16, KYSHIFT=16, QBIASW=34, KBIASW=34, EPSW=12, PAGES=4,
                       LW=2, TAGW=4, REG=2, **g) for g in [
        dict(D=4, GROUPS=2, NP=1), dict(D=8, GROUPS=4, NP=2), dict(D=4, GROUPS=8, NP=1), dict(D=12, GROUPS=1, NP=2)]],
    "ts_beats": grid(BEATS=[1, 2, 4, 7, 16, 32]),
    "ts_recip": grid(DW=[12, 18, 24], SIDEW=[6, 40, 80], DIGITS=[1, 2]),
    "ts_isqrt": grid(SIDEW=[8, 20], DIGITS=[1, 2, 3]),
    "ts_rsqrt": grid(VW=[30, 36, 42, 48], SIDEW=[2, 6]),
    "ts_admit": grid(WIDTH=30, NMAX=[16, 192, 768, 5000], QDEPTH=8, LW=3, TAGW=5),
    "ts_output": grid(OPW=[1, 2, 4], YW=[12, 16], BPT=[1, 4, 30], ZEROS=1, LW=3, TAGW=5) + grid(OPW=[8, 32], YW=16, LANEW=16, BPT=1, ZEROS=0, LW=3, TAGW=5),
    "ts_argmax": grid(M=[10, 451], PM=4, NR=[1, 2, 4], YW=[12, 16], TAGW=5),
    "ts_pool": [dict(W=16, LW=3, TAGW=5, **g) for g in grid(D=[8, 32], NMAX=[64, 768], MODE=["mean", "max", "first"])],
    "ts_attn_kv": [dict(LW=3, KW=12, **g) for g in grid(H=4, DH=8, PKEY=[1, 3, 8], PH=[1, 4], PD=[2, 8], NMAX=[64, 512], VW=[8, 12])],
    "ts_attn_query": [dict(LW=3, EW=12, QW=12, ROW=8, **g) for g in grid(H=4, DH=8, PQ=[1, 2], PH=[1, 4], PD=[2, 8], NMAX=[64, 512])],
    "ts_attn_sched": [dict(LW=3, **g) for g in [
        dict(PQ=1, PKEY=4, HG=1, DC=1, HOW=3, PLACES=32, BANK=16, SCORES=16, NW=7, SPW=5, WW=1, KAW=5, SAW=5),
        dict(PQ=1, PKEY=21, HG=1, DC=1, HOW=5, PLACES=32, BANK=37, SCORES=37, NW=10, SPW=6, WW=1, KAW=7, SAW=7),
        dict(PQ=2, PKEY=4, HG=4, DC=1, HOW=5, PLACES=32, BANK=512, SCORES=128, NW=10, SPW=10, WW=2, KAW=10, SAW=8),
        dict(PQ=1, PKEY=2, HG=4, DC=4, HOW=4, PLACES=32, BANK=1536, SCORES=96, NW=8, SPW=11, WW=4, KAW=12, SAW=8),
        dict(PQ=4, PKEY=11, HG=2, DC=2, HOW=6, PLACES=32, BANK=280, SCORES=70, NW=10, SPW=9, WW=2, KAW=10, SAW=8)]],
    "ts_attn_walk": [dict(**g) for g in grid(NW=[7, 10], PKEY=[1, 4, 21], DC=[1, 4], STEP=[4], KAW=[6, 10], SAW=7)],
    "ts_attn_total": [dict(SHIFT=10, SW=12, **g) for g in grid(DOTW=26, SUMW=26, DC=1, CARRY=[0, 1]) +
                      grid(DOTW=24, SUMW=[26, 28], DC=4, CARRY=[0, 1])],
    "ts_attn_round": grid(IW=[24, 27, 30, 42], SHIFT=[8, 12, 24], OW=[8, 12]),
    "ts_attn_scale": grid(PW=12, VW=[8, 12], SUMW=[18, 21, 24], CW=12, SHIFT=20) ,
    "ts_attn_max": grid(PKEY=[1, 2, 5, 8, 21], SW=[10, 14], REG=[1, 2]),
    "ts_attn_sum": grid(PKEY=[1, 4, 11], PW=12, SUMW=[18, 22], REG=2),
    "ts_attn_acc": grid(DOTW=[24, 26], DC=[1, 4], ACCW=[26, 34]),
    "ts_attn_weight": grid(SW=[12, 14], FW=[4, 6, 8], PW=[8, 12]),
    "ts_attn_final": [dict(PW=12, VW=12, SUMW=21, ACCW=33, CW=12, C2=20, LAYERS=6, LW=3, REG=2, PLACES=32, **g) for g in
                      grid(H=4, DH=8, PQ=[1, 2], PH=[1, 4], NF=[1, 2, 8])],
    "ts_attention": [dict(LAYERS=6, LW=3, TAGW=5, NMAX=64, REG=2, **g) for g in grid(H=4, DH=8, PQ=1, PKEY=[1, 3], PH=[1, 4], PD=[2, 8])],
    "ts_mem": grid(WIDTH=[12, 72, 100, 300], DEPTH=[32], STYLE="block", CFG=1, CFG_ID=5),
}

LUTS = re.compile(r"^LUT[1-6]$")
DELAYS = ("SRL16E", "SRLC32E")


def image(width, words):
    """Contents that synthesis cannot simplify: an exp2 table."""
    return "\n".join("%x" % round(2 ** (-f / words) * ((1 << width) - 1)) for f in range(words)) + "\n"


def instance(module, params, number, folder):
    params = dict(params)
    if module == "ts_attn_weight":
        params["INIT"] = "x%d_" % number
        with open(os.path.join(folder, "x%d_000.hex" % number), "w") as f:
            f.write(image(params["PW"], 1 << params["FW"]))
    if module == "ts_attn_scale":
        params["ACCW"] = params["SUMW"] + params["VW"]
    arguments = ", ".join(".%s(%s)" % (k, '"%s"' % v if isinstance(v, str) else v.verilog() if isinstance(v, vector) else v) for k, v in params.items())
    return "module t%d;\n    (* keep *) %s #(%s) dut ();\nendmodule\n" % (number, module, arguments)


def read_stat(path):
    """{module: {cell: count}} from the text of Yosys' stat (its JSON is broken in 0.23 where there is a hierarchy)."""
    modules, cells = {}, None
    with open(path) as f:
        for line in f:
            title = re.match(r"=== (.*) ===", line)
            if title:
                cells = modules.setdefault(title.group(1), {})
            cell = re.match(r"     (\S+) +(\d+)$", line)
            if cell and cells is not None:
                cells[cell.group(1)] = int(cell.group(2))
    return modules


def synthesise(module, points, family, folder):
    """(LUTs, flip-flops) of `module` itself at every point, in one run. Shift registers count as LUTs."""
    with open(os.path.join(folder, "t.v"), "w") as f:
        for number, params in enumerate(points):
            f.write(instance(module, params, number, folder))
        f.write("module t;\n%sendmodule\n" % "".join("    (* keep *) t%d i%d ();\n" % (n, n) for n in range(len(points))))
    sources = " ".join(sorted(os.path.join(ROOT, "rtl", f) for f in os.listdir(os.path.join(ROOT, "rtl")) if f.endswith(".v")))
    with open(os.path.join(folder, "t.ys"), "w") as f:
        f.write("read_verilog -defer %s t.v\nhierarchy -check -top t\nsetattr -mod -set keep_hierarchy 1 *\n"
                "synth_xilinx -family %s -noiopad -noclkbuf\ntee -q -o stat.txt stat\n" % (sources, family))
    run = subprocess.run(["nice", "yosys", "-q", "-s", "t.ys"], cwd=folder, capture_output=True, text=True)
    if run.returncode:
        sys.exit("%s: %s" % (module, run.stderr[-2000:] + run.stdout[-2000:]))
    modules = read_stat(os.path.join(folder, "stat.txt"))
    found = []
    for number in range(len(points)):
        cells = modules[next(iter(modules["t%d" % number]))]
        luts = sum(n for cell, n in cells.items() if LUTS.match(cell) or cell in DELAYS)
        ffs = sum(n for cell, n in cells.items() if cell.startswith("FD"))
        found.append((luts, 0 if module == "ts_mem" else ffs))
    return found


def read_table():
    blocks, block = {}, None
    with open(TABLE) as f:
        lines = f.read().splitlines()
    for number, line in enumerate(lines):
        start = re.match(r"COST\((\w+),", line)
        if start:
            block = blocks.setdefault("ts_" + start.group(1), {"LET": [], "LUT": [], "FF": []})
        entry = re.match(r"(LET|LUT|FF)\(([^,]+), (.*)\)\s*$", line)
        if entry and block is not None:
            block[entry.group(1)].append((number, entry.group(2), entry.group(3).strip()))
    return lines, blocks


def defaults(module):
    """Integer parameters of a module as its source states them."""
    with open(os.path.join(ROOT, "rtl", module + ".v")) as f:
        text = f.read()
    return {k: int(v) for k, v in re.findall(r"parameter\s+(\w+)\s*=\s*(\d+)\s*[,\n)]", text)}


def evaluate(block, module, params):
    names = dict(FUNCTIONS)
    names.update(defaults(module))
    names.update(params)
    if module == "ts_attn_scale":
        names["ACCW"] = names["SUMW"] + names["VW"]
    for mode in ("mean", "max", "first"):
        names[mode.upper()] = int(params.get("MODE") == mode)
    for _, name, expression in block["LET"]:
        names[name] = eval(expression.replace("/", "//"), {}, names)
    return {kind: [float(eval(e, {}, names)) for _, _, e in block[kind]] for kind in ("LUT", "FF")}


def solve(rows, targets):
    """Least squares of relative errors, no factor below zero: the worst negative term is dropped until none is left."""
    a, y = np.array(rows), np.array(targets, float)
    weight = 1 / np.maximum(y, 8)
    active = [i for i in range(a.shape[1]) if a[:, i].any()]
    while True:
        x = np.zeros(a.shape[1])
        if active:
            x[active] = np.linalg.lstsq(a[:, active] * weight[:, None], y * weight, rcond=None)[0]
        if not active or x.min() >= -1e-6:
            return np.maximum(x, 0)
        active.remove(int(np.argmin(x)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", default="xc7")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("module", nargs="*")
    options = parser.parse_args()
    lines, blocks = read_table()
    for module in options.module or GRIDS:
        block = blocks[module]
        points = GRIDS[module]
        with tempfile.TemporaryDirectory() as folder:
            found = synthesise(module, points, options.family, folder)
        luts, ffs = [lut for lut, _ in found], [ff for _, ff in found]
        values = [evaluate(block, module, params) for params in points]
        features = {kind: [v[kind] for v in values] for kind in ("LUT", "FF")}
        for kind, target in (("LUT", luts), ("FF", ffs)):
            if not block[kind]:
                continue
            factors = np.array([float(f) for _, f, _ in block[kind]]) if options.check else solve(features[kind], target)
            got = np.array(features[kind]) @ factors
            error = np.abs(got - target) / np.maximum(target, 8)
            print("%-16s %-3s %3d points, %6d to %6d, worst error %5.1f %%, mean %5.1f %%" %
                  (module, kind, len(target), min(target), max(target), 100 * error.max(), 100 * error.mean()), flush=True)
            for (number, _, expression), factor in zip(block[kind], factors):
                lines[number] = "%s(%.4g, %s)" % (kind, round(factor, 4), expression)
        if not options.check:
            with open(TABLE + ".new", "w") as f:
                f.write("\n".join(lines) + "\n")
            os.replace(TABLE + ".new", TABLE)


if __name__ == "__main__":
    main()
