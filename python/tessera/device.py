"""Events through a compiled design's hardware: on a board, simulated, or emulated (docs/host.md). By libtessera-run."""
from __future__ import annotations

import ctypes
import os
import threading
import time
from collections import deque
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _structures as c
from ._library import PathLike, ProgressCallback, declare, library, load, optional_path, path, real, text, warn, whole
from .engine import Results, shaped
from .errors import DiffersError, Error, NotYetError, RefusedWarning, UsageError, of_code
from .events import Doubles, EventsLike, Ints, as_events, numbers, pointer

SLICE = 0.1  # seconds that a call of C waits at most: between two of them interrupts are heard
NEXT = (1 << 64) - 1  # TESSERA_RUN_NEXT

_loading = threading.Lock()
_loaded: Optional[ctypes.CDLL] = None


def _library() -> ctypes.CDLL:
    global _loaded
    with _loading:
        if _loaded is None:
            _loaded = load("libtessera-run.so.0", "TESSERA_RUN_LIBRARY")
            declare(_loaded, "tessera_run")
        return _loaded


def run_version() -> str:
    """"0.1.0", of libtessera-run."""
    return str(_library().tessera_run_version().decode())


class DeviceResult(NamedTuple):
    """What came out of a Device for an event.

    number: that submit gave
    status: "done"; "refused": too many hits for the hardware; "damaged": on a link, by a page, by a memory: rows are not to be trusted;
        "lost": inside of a device that was reset
    values: [hits][outputs], or [1][outputs] where pooled; float64; no rows where refused or lost
    latency: seconds between the last submitted value and the result, as the library saw them
    words: [rows][word_outputs] int32, as the hardware gives them; None where they were not asked for
    """

    number: int
    status: str
    values: Doubles
    latency: float
    words: Optional[Ints] = None


class Device:
    """A package (Design.package) on devices that are there. `with Device(...) as device` closes it at the end.

    package: its directory
    backend: how the devices are reached, KIND or KIND:ARGUMENTS; of several devices one each with ';' in between, first device first, or one
        for all: "emulator", the integer model behind the registers of a board; "sim", the simulated hardware, through its AXI ports; "uio:...",
        a Zynq's devices below /dev; "xrt:...", a card below XRT. docs/host.md has the arguments
    depth: events that are submitted and whose results nobody has taken yet, at most (16)
    timeout: seconds within which a device does what it is asked, and an event comes out of it (10)
    weights: a file of weights that is loaded before the first event; None: those that are built in

    info: DeviceInfo

    Any number of threads may use one. Seconds: 0 does not wait, None stands for the timeout.
    """

    def __init__(self, package: PathLike, backend: str = "emulator", *, depth: Optional[int] = None, timeout: Optional[float] = None,
                 weights: Optional[PathLike] = None) -> None:
        self._runner, self._free, self._users = ctypes.POINTER(c.tessera_runner)(), threading.Condition(), 0
        own = _library()
        options = c.tessera_run_open_options(package=path(package, "package"), backend=text(backend, "backend"), depth=whole(depth, "depth"),
                                             timeout=real(timeout, "timeout"), weights=optional_path(weights, "weights"),
                                             compiler=os.fsencode(library._name))
        error = c.tessera_error()
        self._check(own.tessera_run_open(ctypes.byref(options), ctypes.byref(self._runner), ctypes.byref(error)), error)
        info = c.tessera_run_info()
        own.tessera_run_describe(self._runner, ctypes.byref(info))
        self.info = c.DeviceInfo._of(info)

    @staticmethod
    def _check(code: int, error: Any) -> None:
        if code != c.tessera_code.OK:
            raise of_code(code, error.message.decode("utf-8", "replace"))

    @contextmanager
    def _use(self) -> Iterator[Any]:
        """The handle, which stays open meanwhile."""
        with self._free:
            if not self._runner:
                raise UsageError("the device is closed")
            self._users += 1
        try:
            yield self._runner
        finally:
            with self._free:
                self._users -= 1
                self._free.notify_all()

    def _call(self, name: str, *arguments: Any) -> None:
        error = c.tessera_error()
        with self._use() as runner:
            code = getattr(_library(), "tessera_run_" + name)(runner, *arguments, ctypes.byref(error))
        self._check(code, error)

    def _repeat(self, seconds: Optional[float], function: Callable[[float], None]) -> None:
        """function(seconds that it waits), until it has what it waits for."""
        until = time.monotonic() + (self.info.timeout if seconds is None else max(0.0, real(seconds, "seconds")))
        while True:
            left = until - time.monotonic()
            try:
                return function(min(SLICE, max(0.0, left)))
            except NotYetError:
                if left <= 0:
                    raise

    def __repr__(self) -> str:
        i = self.info
        return f"<Device {i.model}: {i.devices} by {i.backend}, events of up to {i.max_tokens} hits{'' if self._runner else ', closed'}>"

    def close(self) -> None:
        """What is still inside is lost; devices are left reset where that can be done. Waits for calls of other threads."""
        with self._free:
            runner, self._runner = self._runner, ctypes.POINTER(c.tessera_runner)()
            self._free.wait_for(lambda: self._users == 0)
        if runner:
            _library().tessera_run_close(runner)

    def __enter__(self) -> Device:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_runner", None):
            self.close()

    # ---- Events

    def submit(self, event: Union[npt.ArrayLike, Mapping[str, npt.ArrayLike]], *, standardised: bool = False, words: bool = False,
               seconds: Optional[float] = None) -> int:
        """An event goes in; its number comes back: 0, 1, 2, ... in the order of submission. Waits for room; NotYetError where there is none by
        then.

        event: [hits][info.features]; of samples of a fixed shape (info.features is 0) a sample of info.sample values; or columns {name: [hits]},
            those of info.column, in double precision
        standardised: values are taken as they are, not as (value - mean) / std of the package's inputs
        words: they are integers as the hardware takes them, [hits][info.word_features], without the host's share
        """
        i = self.info
        made = c.tessera_run_event(standardised=bool(standardised), hits=1)
        if isinstance(event, Mapping):
            names = i.column or []
            if sorted(event) != sorted(names) or words:
                raise UsageError(f"columns {', '.join(event)}; the device takes {', '.join(names) or 'none by name'}")
            keep = [numbers(event[name], name, [1], np.float64) for name in names]
            if len({len(column) for column in keep}) != 1:
                raise UsageError("event: columns of different lengths")
            made.hits = len(keep[0])
            made.columns = (ctypes.POINTER(ctypes.c_double) * len(keep))(*(pointer(column, ctypes.c_double) for column in keep))
        elif words:
            keep = [self._event(numbers(event, "event", [2], np.int32), i.word_features)]
            made.hits, made.words = len(keep[0]), pointer(keep[0], ctypes.c_int32)
        elif i.features == 0:
            keep = [self._event(numbers(np.ravel(event)[None], "event", [2]), i.sample)]
            made.values = pointer(keep[0], ctypes.c_float)
        else:
            keep = [self._event(numbers(event, "event", [2]), i.features)]
            made.hits, made.values = len(keep[0]), pointer(keep[0], ctypes.c_float)
        number = ctypes.c_uint64()
        self._repeat(seconds, lambda wait: self._call("submit", ctypes.byref(made), wait, ctypes.byref(number)))
        return number.value

    @staticmethod
    def _event(values: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
        if values.shape[1] != width:
            raise UsageError(f"event: {values.shape[1]} values a hit; the device takes {width}")
        return values

    def wait(self, number: Optional[int] = None, *, words: bool = False, seconds: Optional[float] = None) -> DeviceResult:
        """The result of an event, or of the first one that is done, which is then taken. NotYetError where there is none by then: nothing is lost.
        Of a lost event the error that was met, TimedOutError for instance.

        words: the hardware's integers are wanted, too
        """
        rows, made = max(1, self.info.max_tokens), c.tessera_run_result()
        while True:
            values = np.empty((rows, self.info.outputs))
            integers: Optional[Ints] = np.empty((rows, self.info.word_outputs), np.int32) if words else None
            made.values, made.words, made.room = pointer(values, ctypes.c_double), pointer(integers, ctypes.c_int32), rows
            try:
                self._repeat(seconds, lambda wait: self._call("wait", NEXT if number is None else int(number), wait, ctypes.byref(made)))
            except UsageError:
                if made.rows <= rows:
                    raise
                rows = made.rows  # where the host has a share, events may be longer than the hardware's
                continue
            status = c.tessera_run_status(made.status).name.lower()
            given = integers[: made.rows] if integers is not None else None
            return DeviceResult(made.number, status, values[: made.rows], made.latency * 1e-9, given)

    def poll(self) -> tuple[int, int]:
        """Moves what can be moved without waiting. How many events are done and wait to be taken, and how many are not."""
        inside = ctypes.c_int()
        with self._use() as runner:
            done = _library().tessera_run_poll(runner, ctypes.byref(inside))
        return int(done), inside.value

    def evaluate(self, events: EventsLike, lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None,
                 standardised: bool = False, progress: Optional[ProgressCallback] = None) -> Results:
        """Results of events as Engine.evaluate has them, with as many events inside at a time as the depth allows. DiffersError where an event
        comes back damaged. Whatever ends it early leaves nothing inside."""
        given = as_events(events, lengths, mask, standardised)
        pooled = self.info.pooled
        values = np.full((len(given) if pooled else len(given.values), self.info.outputs), np.nan)
        refused = np.zeros(len(given), np.bool_)
        under_way: deque[tuple[int, int]] = deque()  # number, index of the event

        def take() -> None:
            number, index = under_way.popleft()
            result = self.wait(number)
            if result.status == "damaged":
                raise DiffersError(f"event {given.ids[index]} was damaged on its way through the hardware")
            refused[index] = result.status == "refused"
            if not refused[index]:
                first = index if pooled else given.first[index]
                values[first : first + len(result.values)] = result.values
            if progress is not None:
                progress(c.Progress(None, (index + 1) / len(given), index + 1, len(given)))

        try:
            for index, event in enumerate(given):
                if len(event.values) == 0:
                    continue  # nothing goes in, and nothing comes out
                if len(under_way) >= self.info.depth:
                    take()
                under_way.append((self.submit(event.values, standardised=given.standardised), index))
            while under_way:
                take()
        except BaseException:
            for number, _ in under_way:
                try:
                    self.wait(number)
                except Error:
                    pass
            raise
        return Results(values, refused, given, pooled)

    def run(self, events: EventsLike, lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None, standardised: bool = False,
            progress: Optional[ProgressCallback] = None) -> Union[Doubles, list[Doubles]]:
        """Results of events in the shape that these come in, as Engine.run has them; the bits are the integer engine's."""
        made = self.evaluate(events, lengths, mask=mask, standardised=standardised, progress=progress)
        count = int(made.refused.sum())
        if count:
            warn(f"{count} of {len(made)} events were refused: the design takes at most {self.info.max_tokens} hits; their results are NaN", RefusedWarning)
        return shaped(made, events, lengths, mask)

    # ---- Control

    def reset(self, seconds: Optional[float] = None) -> None:
        """Events that are in devices come out, as they would, and then their rings are reset (loaded weights stay). After a time-out, when all is
        lost: what still comes out is thrown away, and what does not come back is reset hard where the back end can."""
        self._call("reset", -1.0 if seconds is None else real(seconds, "seconds"))

    def load(self, weights: PathLike) -> None:
        """Waits until no event is inside, then writes the file's memories and checks them. Events that are submitted meanwhile wait."""
        self._call("load", path(weights, "weights"))

    def statistics(self, device: int = 0) -> c.DeviceCounters:
        """Counters of a device, latched in the same cycle, and what was counted here."""
        made = c.tessera_run_counters()
        self._call("statistics", whole(device, "device"), ctypes.byref(made))
        return c.DeviceCounters._of(made)

    def read(self, address: int, device: int = 0) -> int:
        """A register of a device, by its address in bytes: for bringing up boards."""
        value = ctypes.c_uint32()
        self._call("read", whole(device, "device"), whole(address, "address"), ctypes.byref(value))
        return value.value

    def write(self, address: int, value: int, device: int = 0) -> None:
        """The same, written: 32 bits."""
        if not 0 <= int(value) < 1 << 32:
            raise UsageError(f"value is {value}; a register has 32 bits")
        self._call("write", whole(device, "device"), whole(address, "address"), int(value))
