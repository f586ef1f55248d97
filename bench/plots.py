"""Plots of bench.py's figures as SVG, written by hand: no library, the same figures give the same bytes."""
import math
import os
from xml.sax.saxutils import escape

INK, GRID, SOFT = "#222222", "#dddddd", "#666666"
# Okabe and Ito's colours, told apart by all kinds of colour vision; each series also has its own marker or dash.
COLOUR = {"monolithic": "#0072B2", "replicated": "#009E73", "paged": "#E69F00", "split": "#D55E00", "assisted": "#CC79A7",
          "onnxruntime": "#000000"}
SHAPE = {"monolithic": "circle", "replicated": "square", "paged": "diamond", "split": "triangle", "assisted": "down", "onnxruntime": "cross"}
FONT = 'font-family="Helvetica, Arial, DejaVu Sans, sans-serif"'


class Picture:
    def __init__(self, width, height, title):
        self.width, self.height, self.parts = width, height, []
        self.text(16, 28, title, size=17, weight="bold")

    def add(self, text, *args):
        self.parts.append(text % args)

    def text(self, x, y, text, size=13, anchor="start", colour=INK, weight="normal", turn=None):
        where = ' transform="rotate(%d %.1f %.1f)"' % (turn, x, y) if turn else ""
        self.add('<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" fill="%s" font-weight="%s"%s>%s</text>', x, y, size, anchor, colour,
                 weight, where, escape(text))

    def line(self, points, colour=INK, width=1.0, dash=""):
        self.add('<polyline points="%s" fill="none" stroke="%s" stroke-width="%.1f"%s/>', " ".join("%.1f,%.1f" % p for p in points), colour, width,
                 ' stroke-dasharray="%s"' % dash if dash else "")

    def box(self, x, y, w, h, colour, opacity=1.0):
        self.add('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity="%.2f"/>', x, y, w, h, colour, opacity)

    def mark(self, x, y, shape, colour, hollow=False):
        fill = "#ffffff" if hollow else colour
        outline = {"square": [(-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)], "diamond": [(0, -6), (6, 0), (0, 6), (-6, 0)],
                   "triangle": [(0, -6), (5.5, 4.5), (-5.5, 4.5)], "down": [(0, 6), (5.5, -4.5), (-5.5, -4.5)]}.get(shape)
        if outline:
            self.add('<polygon points="%s" fill="%s" stroke="%s" stroke-width="1.8"/>', " ".join("%.1f,%.1f" % (x + a, y + b) for a, b in outline),
                     fill, colour)
        elif shape == "cross":
            for a in (-1, 1):
                self.line([(x - 4.5, y - 4.5 * a), (x + 4.5, y + 4.5 * a)], colour, 2.2)
        else:
            self.add('<circle cx="%.1f" cy="%.1f" r="4.8" fill="%s" stroke="%s" stroke-width="1.8"/>', x, y, fill, colour)

    def save(self, path):
        with open(path, "w") as f:
            f.write('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" %s>\n' %
                    (self.width, self.height, self.width, self.height, FONT))
            f.write('<rect width="%d" height="%d" fill="#ffffff"/>\n' % (self.width, self.height))
            f.write("\n".join(self.parts) + "\n</svg>\n")


class Axes:
    """A frame with ticks; x and y are (low, high, ticks, log)."""

    def __init__(self, picture, box, x, y, x_title, y_title):
        self.left, self.top, self.right, self.bottom = box
        self.x, self.y, p = x, y, picture
        for tick in x[2]:
            at = self.at_x(tick)
            p.line([(at, self.top), (at, self.bottom)], GRID)
            p.text(at, self.bottom + 19, number(tick), anchor="middle")
        for tick in y[2]:
            at = self.at_y(tick)
            p.line([(self.left, at), (self.right, at)], GRID)
            p.text(self.left - 8, at + 4.5, number(tick), anchor="end")
        p.line([(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)], INK, 1.4)
        p.text((self.left + self.right) / 2, self.bottom + 42, x_title, size=14, anchor="middle")
        p.text(self.left - 62, (self.top + self.bottom) / 2, y_title, size=14, anchor="middle", turn=-90)

    @staticmethod
    def share(value, axis):
        low, high, _, log = axis
        return math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)

    def at_x(self, value):
        return self.left + (self.right - self.left) * self.share(value, self.x)

    def at_y(self, value):
        return self.bottom - (self.bottom - self.top) * self.share(value, self.y)


def number(value):
    return "{:,}".format(int(value)) if value == int(value) else "%g" % value


def decades(values):
    """A logarithmic axis around the values: ticks at 1, 2, 5."""
    low, high = min(values) / 1.15, max(values) * 1.15
    ticks = [m * 10.0 ** e for e in range(-3, 9) for m in (1, 2, 5)]
    return low, high, [t for t in ticks if low <= t <= high], True


def upto(value):
    """A linear axis from 0, four to eight ticks."""
    step = 10.0 ** math.floor(math.log10(value))
    step = next(s for s in (step / 5, step / 2, step) if value / s <= 8)
    count = math.ceil(value / step)
    return 0, count * step, [step * i for i in range(count + 1)], False


def best_ort(found, model):
    """The fastest of the thread counts, by the fastest run: other work on the machine slows onnxruntime, never the model of the hardware."""
    threads = found["onnxruntime"].get("models", {}).get(model, {})
    rows = {}
    for count in threads.values():
        for r in count:
            if r["hits"] not in rows or r["fastest_ms"] < rows[r["hits"]]:
                rows[r["hits"]] = r["fastest_ms"]
    return sorted(rows.items())


def latency(found, model, title, path):
    curves = [c for c in found["latencies"] if c["model"] == model]
    series = [(c["mode"], [(p["tokens"], p["latency_cycles"] / c["clock_mhz"]) for p in c["points"]], False) for c in curves]
    series += [("onnxruntime", [(n, ms * 1000) for n, ms in best_ort(found, model)], False)]
    series = [s for s in series if s[1]]
    if not series:
        return
    p = Picture(860, 500, title)
    points = [q for s in series for q in s[1]]
    hits = sorted({q[0] for q in points})
    axes = Axes(p, (92, 50, 610, 430), (hits[0] / 1.08, hits[-1] * 1.08, hits, True), decades([q[1] for q in points]), "hits in the event",
                "latency of a lone event, µs")
    y = 74
    for mode, line, _ in series:
        p.line([(axes.at_x(a), axes.at_y(b)) for a, b in line], COLOUR[mode], 2.2, "6 4" if mode == "onnxruntime" else "")
        for a, b in line:
            p.mark(axes.at_x(a), axes.at_y(b), SHAPE[mode], COLOUR[mode], hollow=mode != "onnxruntime")
        p.line([(630, y - 5), (660, y - 5)], COLOUR[mode], 2.2, "6 4" if mode == "onnxruntime" else "")
        p.mark(645, y - 5, SHAPE[mode], COLOUR[mode], hollow=mode != "onnxruntime")
        p.text(668, y, mode + (" (measured)" if mode == "onnxruntime" else ""))
        y += 26
    simulated = [(e["tokens"], e["latency_cycles"] / c["clock_mhz"]) for c in curves for e in c.get("simulated", {}).get("per_event", [])]
    for a, b in simulated:
        p.mark(axes.at_x(a), axes.at_y(b), "circle", COLOUR["monolithic"])
    notes = (["filled: simulated"] if simulated else []) + ["hollow: predicted, at", "the plan's clock", "assisted: the three layers in", "hardware only"]
    for note in notes:
        p.text(630, y + 8, note, colour=SOFT)
        y += 19
    p.save(path)


def scaling(found, path):
    models = [(m, [r for r in found["rows"] if r["table"] == "scaling" and r["model"] == m and "predicted" in r]) for m in ("encreg", "enccla")]
    models = [(m, [(int(r["name"].rsplit("x", 1)[1]), r["predicted"]["interval_cycles"] / r["clock_mhz"]) for r in rows]) for m, rows in models if rows]
    if not models:
        return
    p = Picture(860, 460, "Interval against the number of ZCU102 (512 hits, predicted)")
    points = [q for _, line in models for q in line]
    counts = sorted({q[0] for q in points})
    low = min(line[0][1] / counts[-1] for _, line in models)
    axes = Axes(p, (92, 50, 640, 390), (counts[0] - 0.2, counts[-1] + 0.2, counts, False), decades([low] + [q[1] for q in points]),
                "devices given", "interval, µs")
    for i, (model, line) in enumerate(models):
        colour, shape = (COLOUR["monolithic"], "circle") if i == 0 else (COLOUR["split"], "triangle")
        first = line[0]
        p.line([(axes.at_x(n), axes.at_y(first[1] * first[0] / n)) for n in counts], SOFT, 1.4, "4 4")
        p.line([(axes.at_x(a), axes.at_y(b)) for a, b in line], colour, 2.2)
        for a, b in line:
            p.mark(axes.at_x(a), axes.at_y(b), shape, colour)
        p.line([(660, 70 + 26 * i), (690, 70 + 26 * i)], colour, 2.2)
        p.mark(675, 70 + 26 * i, shape, colour)
        p.text(698, 75 + 26 * i, {"encreg": "EncReg", "enccla": "EncCla"}[model])
    p.line([(660, 122), (690, 122)], SOFT, 1.4, "4 4")
    p.text(698, 127, "one device / n")
    p.save(path)


RESOURCES = [("lut", "LUT", "#0072B2"), ("ff", "FF", "#56B4E9"), ("dsp", "DSP", "#D55E00"), ("bram36", "block RAM", "#E69F00")]


def shares(row):
    """Of each resource, the share of a device that all its rings use: of the fullest device where there are several."""
    split = row["mode"] == "split"
    result = {}
    for key, _, _ in RESOURCES + [("uram", "", "")]:
        each = [p["need"][key] / p["has"][key] if p["has"][key] else 0.0 for p in row["parts"]]
        result[key] = max(each) if split else sum(each)
    return result


def resources(found, path):
    rows = [r for r in found["rows"] if r["table"] == "modes" and r["model"] in ("encreg", "enccla") and "parts" in r]
    if not rows:
        return
    p = Picture(max(780, 130 + 92 * len(rows)), 424, "Share of a ZCU102 that each mode uses (the fuller one of two), predicted")
    right = 92 + 92 * len(rows)
    axes = Axes(p, (92, 78, right, 370), (0, 1, [], False), (0, 100, range(0, 101, 20), False), "", "of the device, %")
    for i, row in enumerate(rows):
        left = 92 + 92 * i + 10
        for j, (key, _, colour) in enumerate(RESOURCES):
            value = 100 * shares(row)[key]
            p.box(left + 18 * j, axes.at_y(min(value, 100)), 16, axes.bottom - axes.at_y(min(value, 100)), colour)
            p.text(left + 18 * j + 8, axes.at_y(min(value, 100)) - 4, "%.0f" % value, size=11, anchor="middle")
        p.text(left + 35, 390, {"encreg": "EncReg", "enccla": "EncCla"}[row["model"]], anchor="middle")
        p.text(left + 35, 407, row["mode"], anchor="middle")
    p.line([(92, axes.at_y(80)), (right, axes.at_y(80))], INK, 1.4, "5 4")
    p.line([(536, 53), (566, 53)], INK, 1.4, "5 4")
    p.text(574, 58, "the planner's limit, 80 %")
    for j, (_, name, colour) in enumerate(RESOURCES):
        p.box(96 + 110 * j, 46, 14, 14, colour)
        p.text(115 + 110 * j, 58, name)
    p.save(path)


def limit(found, path):
    """Interval over what it would be with every multiplier busy in every cycle: busy is the products' share of the multiply slots."""
    rows = [r for r in found["rows"] if r["table"] == "modes" and "predicted" in r and (r["model"] in ("encreg", "enccla") or r["mode"] == "monolithic")]
    if not rows:
        return
    p = Picture(940, 112 + 28 * len(rows), "Interval of waiting events beside the limit: all multipliers busy in every cycle")
    bottom = 52 + 28 * len(rows)
    low, high, ticks, log = upto(max(1 / r["predicted"]["mac_utilisation"] for r in rows))
    axes = Axes(p, (350, 46, 750, bottom), (low, high, ticks, log), (0, 1, [], False), "times the limit (predicted)", "")
    for i, r in enumerate(rows):
        y, cycles, busy = 66 + 28 * i, r["predicted"]["interval_cycles"], r["predicted"]["mac_utilisation"]
        p.text(340, y + 5, "%s, %s, %s hits" % (r["title"].replace(", shipped", ""), r["mode"], number(r["hits"])), anchor="end")
        p.box(350, y - 8, axes.at_x(1 / busy) - 350, 17, COLOUR[r["mode"]], 0.45)
        p.box(350, y - 8, axes.at_x(1) - 350, 17, COLOUR[r["mode"]])
        p.text(max(axes.at_x(1 / busy), axes.at_x(1)) + 6, y + 5, "%s of %s cycles" % (number(round(cycles * busy)), number(cycles)))
    p.line([(axes.at_x(1), 46), (axes.at_x(1), bottom)], INK, 1.4, "5 4")
    p.save(path)


def draw(found, folder):
    os.makedirs(folder, exist_ok=True)
    latency(found, "encreg", "EncReg (6/32/4/128): latency on a ZCU102 and in onnxruntime", folder + "/latency-encreg.svg")
    latency(found, "enccla", "EncCla (6/128/8/256): latency on a ZCU102 and in onnxruntime", folder + "/latency-enccla.svg")
    scaling(found, folder + "/scaling.svg")
    resources(found, folder + "/resources.svg")
    limit(found, folder + "/limit.svg")
