"""Models, and the designs that they become."""
from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence, Union, overload

import numpy.typing as npt

from . import _structures as c
from ._library import HEAR, Handle, PathLike, ProgressCallback, call, choice, library, optional_path, path, real, text, whole
from ._report import Report
from .engine import Engine, Results, run_file
from .errors import DiffersError, UsageError
from .events import Doubles, Events, EventsLike, Source, as_events
from .scores import Item, Scores, score

#: A way for data: bandwidth, in the unit that its argument has, or (bandwidth, latency in ns).
Way = Union[float, tuple[float, float]]


def devices() -> list[dict[str, Any]]:
    """The devices that the library knows, each as a dictionary with its name."""
    report = Handle("report")
    call("devices", report.place)
    return list(report.report().data)


def targets() -> dict[str, str]:
    """What Design.package makes packages for, and what each of them has."""
    made: dict[str, str] = {}
    while (name := library.tessera_target_name(len(made))) is not None:
        made[name.decode()] = library.tessera_target_what(len(made)).decode()
    return made


class Model:
    """A model's file, read, folded and recognised.

    model: .onnx
    graph: the folded graph is wanted, also of a model that cannot be built: then `error` is what is in the way, and not raised

    info: ModelInfo, or None where the model cannot be built
    """

    def __init__(self, model: PathLike, *, graph: bool = False, progress: Optional[ProgressCallback] = None) -> None:
        options = c.tessera_model_options(path=path(model, "model"), graph=bool(graph))
        self._handle, self._lock = Handle("model"), threading.Lock()
        self.error: Optional[Exception] = None
        self.info: Optional[c.ModelInfo] = None
        try:
            call("model_open", ctypes.byref(options), HEAR, self._handle.place, progress=progress)
        except Exception as error:
            if not self._handle.pointer:
                raise
            self.error = error
        info = c.tessera_model_info()
        if library.tessera_model_describe(self._handle.pointer, ctypes.byref(info)):
            self.info = c.ModelInfo._of(info)

    def _report(self, name: str) -> Report:
        report = Handle("report")
        with self._lock:
            call(name, self._handle.pointer, report.place)
        return report.report()

    def report(self) -> Report:
        """What the model computes, layer by layer."""
        if self.error is not None:
            raise self.error
        return self._report("model_report")

    def graph(self) -> str:
        """The folded graph, a line a node."""
        return self._report("model_graph").text

    def __repr__(self) -> str:
        i = self.info
        return f"<Model {i.name}: {i.layers} layers, {i.width} wide, {i.heads} heads, {i.parameters} parameters>" if i else f"<Model: {self.error}>"


class Design:
    """A compiled design: a directory that `compile` made. May be used by several threads.

    directory: its Path
    info: DesignInfo: what it is, its longest event, its clock
    compiled: the report of the call of `compile` that made it; None where it was opened
    """

    compiled: Optional[Report] = None

    def __init__(self, directory: PathLike) -> None:
        self.directory = Path(os.fspath(directory))
        self._handle, self._lock = Handle("design"), threading.Lock()
        self._engines: dict[tuple[str, bool], Engine] = {}
        call("design_open", path(directory, "directory"), self._handle.place)
        info = c.tessera_design_info()
        library.tessera_design_describe(self._handle.pointer, ctypes.byref(info))
        self.info = c.DesignInfo._of(info)

    def __repr__(self) -> str:
        i = self.info
        return f"<Design {i.model} in {self.directory}: {i.mode}, events of up to {i.max_tokens} hits, {i.clock_mhz:g} MHz>"

    # ---- events through it

    def engine(self, kind: str = "integer", *, standardised: bool = False, weights: Optional[PathLike] = None) -> Engine:
        """The design's model, "integer" or "float", opened once; with other weights (Design.weights) anew each time."""
        if weights is not None:
            return Engine(self.directory, kind, standardised=standardised, weights=weights)
        with self._lock:
            key = (kind, bool(standardised))
            if key not in self._engines:
                self._engines[key] = Engine(self.directory, kind, standardised=standardised)
            return self._engines[key]

    def evaluate(self, events: EventsLike, lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None, engine: str = "integer",
                 standardised: bool = False, progress: Optional[ProgressCallback] = None) -> Results:
        """Results, with which events were refused; for `score`. Arguments are those of `run`."""
        given = as_events(events, lengths, mask, standardised)
        return self.engine(engine, standardised=given.standardised).evaluate(given, progress=progress)

    @overload
    def run(self, events: npt.NDArray[Any], lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None, engine: str = "integer",
            standardised: bool = False, progress: Optional[ProgressCallback] = None) -> Doubles: ...

    @overload
    def run(self, events: Union[Sequence[Any], Events], lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None,
            engine: str = "integer", standardised: bool = False, progress: Optional[ProgressCallback] = None) -> list[Doubles]: ...

    def run(self, events: Any, lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None, engine: str = "integer",
            standardised: bool = False, progress: Optional[ProgressCallback] = None) -> Union[Doubles, list[Doubles]]:
        """Results of events, float64: [events][tokens][outputs] of [events][tokens][features] with lengths [events]. Engine.run says which
        other shapes there are, and what becomes of events that are refused.

        engine: "integer", bit for bit what the hardware gives, or "float", the model as its file writes it
        standardised: values are (value - mean) / std already; None of them are where False. Events of read_events know it themselves
        """
        if isinstance(events, Events):
            standardised = events.standardised
        made: Any = self.engine(engine, standardised=standardised).run(events, lengths, mask=mask, progress=progress)
        return made  # type: ignore[no-any-return]

    def run_file(self, events: Union[PathLike, EventsLike, None], output: PathLike, *, engine: str = "integer", samples: Optional[PathLike] = None,
                 inputs: Optional[PathLike] = None, lengths: Any = None, mask: Any = None, limit: Optional[int] = None, standardised: bool = False,
                 trace: Optional[PathLike] = None, logits: bool = False, weights: Optional[PathLike] = None,
                 progress: Optional[ProgressCallback] = None) -> c.RunSummary:
        """Events through the design into a results file: tessera.run_file."""
        return run_file(self.directory, events, output, engine=engine, samples=samples, inputs=inputs, lengths=lengths, mask=mask, limit=limit,
                        standardised=standardised, trace=trace, logits=logits, weights=weights, progress=progress)

    def score(self, results: Union[Item, Sequence[Item], Mapping[str, Item]], truth: PathLike, *, against: Optional[Item] = None, subset: bool = False,
              progress: Optional[ProgressCallback] = None) -> Scores:
        """tessera.score with the design's own inputs file."""
        own = self.directory / "inputs.json"
        return score(results, truth, inputs=own if own.exists() else None, against=against, subset=subset, progress=progress)

    # ---- what it is

    def predict(self, tokens: Optional[int] = None) -> c.Prediction:
        """Cycles and microseconds of an event of so many hits, 1 to info.max_tokens; None: info.plan_tokens."""
        made = c.tessera_prediction()
        with self._lock:
            call("design_predict", self._handle.pointer, whole(tokens, "tokens"), ctypes.byref(made))
        return c.Prediction._of(made)

    def report(self, tokens: Optional[int] = None, *, progress: Optional[ProgressCallback] = None) -> Report:
        """The same with resources, part by part, what was weighed and what decided."""
        report = Handle("report")
        with self._lock:
            call("design_report", self._handle.pointer, whole(tokens, "tokens"), HEAR, report.place, progress=progress)
        return report.report()

    def ring(self, part: int = -1) -> str:
        """What it is made of, a line a node: the ring of a part, 0 to info.parts - 1; -1: rings and what is between them."""
        report = Handle("report")
        with self._lock:
            call("design_ring", self._handle.pointer, whole(part, "part"), report.place)
        return report.report().text

    # ---- hardware

    def simulate(self, events: Union[PathLike, EventsLike, None] = None, *, samples: Optional[PathLike] = None, inputs: Optional[PathLike] = None,
                 lengths: Any = None, mask: Any = None, limit: Optional[int] = None, standardised: bool = False, stalls: int = 0, link_stalls: int = 0,
                 memory_stalls: int = 0, link_fault: str = "sound", link_wire: int = 0, link_word: int = 0, page_fault: str = "sound", page_part: int = 0,
                 page_number: int = 0, page_late: Optional[int] = None, part_stall: bool = False, stall_part: int = 0, stall_transfer: int = 0,
                 stall_cycles: Optional[int] = None, seed: int = 0, lone: bool = False, bus: bool = False, load: bool = False,
                 weights: Optional[PathLike] = None, after: int = 0, progress: Optional[ProgressCallback] = None) -> c.Simulation:
        """Events through the generated hardware, in Verilator; every word compared with the integer model. DiffersError where one differs: its
        `result` is the Simulation.

        events, samples, inputs, lengths, mask, limit, standardised: as of run_file
        stalls, link_stalls, memory_stalls: random pauses, percent: of hits and results, of links, of external memory
        link_fault: "sound", "flip", "drop", "hold", of word link_word on link_wire, 2 i: part i to i + 1, 2 i + 1: back
        page_fault: "sound", "late", "flip", "flip_always", "error", of page page_number of part page_part; page_late: cycles (10,000)
        part_stall: part stall_part stands still for stall_cycles (10,000) once it has given stall_transfer results
        seed: of the pauses
        lone: each event waits until the one before has left
        bus: of assisted designs: at the pace of the host's bus
        load: all weights are written at run time before the first event
        weights: a file of Design.weights, loaded once the first `after` events have left
        after: so many events see the design's own weights, the others the file's
        """
        source = Source(events, samples, inputs, lengths, mask, limit, standardised)
        options = c.tessera_simulate_options(
            directory=path(self.directory, "directory"), source=source.pointer, stalls=whole(stalls, "stalls"), link_stalls=whole(link_stalls, "link_stalls"),
            memory_stalls=whole(memory_stalls, "memory_stalls"), link_fault=choice(c.tessera_link_fault, link_fault, "link_fault"),
            link_wire=whole(link_wire, "link_wire"), link_word=whole(link_word, "link_word"),
            page_fault=choice(c.tessera_page_fault, page_fault, "page_fault"), page_part=whole(page_part, "page_part"),
            page_number=whole(page_number, "page_number"), page_late=whole(page_late, "page_late"), part_stall=bool(part_stall),
            stall_part=whole(stall_part, "stall_part"), stall_transfer=whole(stall_transfer, "stall_transfer"),
            stall_cycles=whole(stall_cycles, "stall_cycles"), seed=whole(seed, "seed"), lone=bool(lone), bus=bool(bus), load=bool(load),
            weights=optional_path(weights, "weights"), after=whole(after, "after"))
        made, report = c.tessera_simulation(), Handle("report")
        try:
            call("simulate", ctypes.byref(options), HEAR, ctypes.byref(made), report.place, progress=progress)
        except DiffersError as error:
            error.result = c.Simulation._of(made, report.report())
            raise
        return c.Simulation._of(made, report.report())

    def profile(self, events: Union[PathLike, EventsLike, None] = None, *, samples: Optional[PathLike] = None, inputs: Optional[PathLike] = None,
                lengths: Any = None, mask: Any = None, limit: Optional[int] = None, standardised: bool = False, all_tensors: bool = False,
                progress: Optional[ProgressCallback] = None) -> Report:
        """What the integer formats do to each tensor: ranges, saturation, signal to noise.

        events, samples, inputs, lengths, mask, standardised: as of run_file
        limit: only the first so many events (20)
        all_tensors: the report's text has all of them, not the worst twenty
        """
        source = Source(events, samples, inputs, lengths, mask, limit, standardised)
        options = c.tessera_profile_options(directory=path(self.directory, "directory"), source=source.pointer, all=bool(all_tensors))
        report = Handle("report")
        call("profile", ctypes.byref(options), HEAR, report.place, progress=progress, names={"all": "all_tensors"})
        return report.report()

    def synth(self, *, progress: Optional[ProgressCallback] = None) -> Report:
        """The design through Yosys: its resources beside the predicted ones. DiffersError where there are latches, products outside of DSPs, or
        paths longer than promised: its `result` is the Report."""
        report = Handle("report")
        try:
            call("synth", path(self.directory, "directory"), HEAR, report.place, progress=progress)
        except DiffersError as error:
            error.result = report.report()
            raise
        return report.report()

    def weights(self, model: PathLike, output: PathLike, *, events: Union[PathLike, EventsLike, None] = None, samples: Optional[PathLike] = None,
                inputs: Optional[PathLike] = None, lengths: Any = None, mask: Any = None, limit: Optional[int] = None, standardised: bool = False,
                calibrate: Optional[int] = None, progress: Optional[ProgressCallback] = None) -> Report:
        """Another model of the same shape for this design: its integers in the design's formats, every accumulator proved again, as the words of its
        memories and pages. UnsupportedError names the first difference of shapes; DoesNotFitError says by how much the hardware is too narrow.

        model: .onnx
        output: the file (docs/weights.md), for simulate, run_file, Engine and Device
        events, samples, lengths, mask, limit, standardised: events that calibrate
        inputs: where its inputs file is not the design's
        calibrate: on the first so many events (as of compile)
        """
        source = Source(events, samples, inputs, lengths, mask, limit, standardised)
        options = c.tessera_weights_options(model=path(model, "model"), directory=path(self.directory, "directory"), output=path(output, "output"),
                                            source=source.pointer, calibrate=whole(calibrate, "calibrate"))
        report = Handle("report")
        call("weights", ctypes.byref(options), HEAR, report.place, progress=progress)
        return report.report()

    def package(self, output: PathLike, target: str = "rtl", *, bus_bits: Optional[int] = None, bus_mhz: Optional[float] = None, status: str = "auto",
                weights: Optional[PathLike] = None, progress: Optional[ProgressCallback] = None) -> Report:
        """The design with a top for a board around it, AXI and all (docs/boards.md).

        output: the package's directory; appears whole or not at all, and only in place of an older package or design
        target: one of targets()
        bus_bits: of the streams of hits and results, 32, 64, ... 512 (the narrowest that takes a hit and gives a result a cycle)
        bus_mhz: of the buses' clock (the engine's)
        status: where an event's {error, refused} is in the stream of results: "tuser", of its last word; "word", a word of its own behind each event,
            and TUSER; "auto": as the target needs it
        weights: a file of Design.weights, which the package's bench loads between events
        """
        known = list(targets())
        if target not in known:
            raise UsageError(f"target is {target!r}; expected one of {', '.join(known)}")
        options = c.tessera_package_options(directory=path(self.directory, "directory"), output=path(output, "output"), target=known.index(target),
                                            bus_bits=whole(bus_bits, "bus_bits"), bus_mhz=real(bus_mhz, "bus_mhz"),
                                            status=choice(c.tessera_status, status, "status"), weights=optional_path(weights, "weights"))
        report = Handle("report")
        call("package", ctypes.byref(options), HEAR, report.place, progress=progress)
        return report.report()

    def export(self, output: PathLike, target: str = "c", *, name: Optional[str] = None, wrapper: str = "none",
               progress: Optional[ProgressCallback] = None) -> Report:
        """The integer model as source code that needs nothing else, bit for bit what the hardware computes (docs/exported-c.md).

        output: a directory, made where it is not there; files of these names that tessera has not made are refused
        target: c
        name: of files, functions and types, an identifier (the model's)
        wrapper: none, or cms: a class that CMS's trigger emulation loads from a shared library
        """
        options = c.tessera_export_options(directory=path(self.directory, "directory"), output=path(output, "output"),
                                           target=choice(c.tessera_export_target, target, "target"), name=text(name, "name"),
                                           wrapper=choice(c.tessera_export_wrapper, wrapper, "wrapper"))
        report = Handle("report")
        call("export", ctypes.byref(options), HEAR, report.place, progress=progress)
        return report.report()


def _way(given: Optional[Way], what: str) -> Any:
    """NULL, or a pointer to it."""
    if given is None:
        return None
    both = given if isinstance(given, tuple) else (given, -1.0)
    if len(both) != 2:
        raise TypeError(f"{what} is {given!r}; expected a bandwidth, or (bandwidth, latency in ns)")
    return ctypes.pointer(c.tessera_way(real(both[0], what), real(both[1], what)))


def compile(model: PathLike, output: PathLike, device: Union[str, PathLike, Sequence[PathLike]], *, events: Union[PathLike, EventsLike, None] = None,
            samples: Optional[PathLike] = None, inputs: Optional[PathLike] = None, lengths: Any = None, mask: Any = None, limit: Optional[int] = None,
            standardised: bool = False, mode: str = "auto", objective: str = "latency", link: Optional[Way] = None, memory: Optional[Way] = None,
            host: Optional[Way] = None, pin: Union[str, Mapping[str, Union[str, int]], None] = None, hardware: Optional[str] = None,
            formats: Union[PathLike, Mapping[str, int], None] = None, loss: Optional[float] = None, calibrate: Optional[int] = None,
            select: Optional[int] = None, max_tokens: Optional[int] = None, plan_tokens: Optional[int] = None, target_ii: Optional[int] = None,
            page_buffers: Optional[int] = None, clock_mhz: Optional[float] = None, utilisation: Optional[float] = None, logits: bool = False,
            parity: str = "pages", acc_margin: int = 0, progress: Optional[ProgressCallback] = None) -> Design:
    """A model (.onnx) becomes a directory of hardware. What is None has its default, which is in brackets here.

    model: .onnx
    output: the directory; appears whole or not at all, and only in place of an older design
    device: name of one (devices()), or a file ending in .json; several: a list, in the order of the chain

    Events that calibrate, and whose lengths are planned for:
    events: a file (.npy or CSV), or arrays as Engine.run takes them
    samples: .npy [samples][...] in place of events, for models whose input has a fixed shape
    inputs: inputs file (JSON): which columns are inputs, mean, std, task; it goes into the design; needed with CSV
    lengths, mask, limit, standardised: as of read_events

    How it is built:
    mode: "auto", "monolithic", "replicated", "paged", "split", "assisted" (docs/partitioning.md)
    objective: what the planner prefers: "latency", "throughput", "area"
    link: between devices, Mbit/s (the slower of two neighbours' own; 500 ns)
    memory: external memory of every device, GB/s (80 % of its peak; the device's latency)
    host: of assisted designs: to the host and back, Mbit/s (the device's)
    pin: {"layers.2": "DEVICE", ...} or "STAGE=DEVICE,...": which device of the list, by its name or its number from 0, has layers.2,
        layers.0.ffn, head (any)
    hardware: "FIRST[-LAST]", such as layers.2-4: the host does the rest (all that has hardware)
    formats: "auto", "packed", {"NAME": bits}, "NAME=BITS,..." or a file (12 bits; docs/quantisation.md)
    loss: of formats "auto": tracks found that may be lost, as a share (0.005)
    calibrate: on the first so many events (20; fewer once they have 16,000 hits)
    select: of "auto", "packed": choose by so many events (20)
    max_tokens: longest event that the design takes, hits (that of the events)
    plan_tokens: plan for events of so many hits (the events' lengths)
    target_ii: cycles a token and layer (the best that fits)
    page_buffers: paged: of every paged stage, 1 or 2 (chosen for each)
    clock_mhz: of the engine (the device's default)
    utilisation: share of every resource that may be used (0.8)
    logits: of classifiers: all logits, not arg-max and its value
    acc_margin: headroom for weights that come later: bits of accumulators and what goes with them, 0 to 8
    parity: which memories' words have a parity bit: "none", "pages", "all" (docs/boards.md)

    progress: called with a Progress now and then. An exception that it raises ends the call, as Ctrl-C does: nothing is left of the output.

    returns the Design; its `compiled` is the report: predicted cycles and resources, what was weighed, what decided
    """
    names = [device] if isinstance(device, (str, os.PathLike)) else list(device)
    listed = (ctypes.c_char_p * max(1, len(names)))(*(path(name, "device") for name in names))
    source = Source(events, samples, inputs, lengths, mask, limit, standardised)
    pins = ",".join(f"{stage}={name}" for stage, name in pin.items()) if isinstance(pin, Mapping) else pin
    bits = ",".join(f"{name}={whole(count, 'formats')}" for name, count in formats.items()) if isinstance(formats, Mapping) else formats
    options = c.tessera_compile_options(
        model=path(model, "model"), output=path(output, "output"), device=listed, devices=len(names), mode=choice(c.tessera_mode, mode, "mode"),
        objective=choice(c.tessera_objective, objective, "objective"), link=_way(link, "link"), memory=_way(memory, "memory"), host=_way(host, "host"),
        pin=text(pins, "pin"), hardware=text(hardware, "hardware"), source=source.pointer, formats=optional_path(bits, "formats"), loss=real(loss, "loss"),
        calibrate=whole(calibrate, "calibrate"), select=whole(select, "select"), max_tokens=whole(max_tokens, "max_tokens"),
        plan_tokens=whole(plan_tokens, "plan_tokens"), target_ii=whole(target_ii, "target_ii"), page_buffers=whole(page_buffers, "page_buffers"),
        clock_mhz=real(clock_mhz, "clock_mhz"), utilisation=real(utilisation, "utilisation"), logits=bool(logits),
        parity=choice(c.tessera_parity, parity, "parity"), acc_margin=whole(acc_margin, "acc_margin"))
    report = Handle("report")
    call("compile", ctypes.byref(options), HEAR, report.place, progress=progress)
    design = Design(output)
    design.compiled = report.report()
    return design
