"""Engines: a model on events in memory."""
from __future__ import annotations

import ctypes
import os
from typing import Any, Iterator, Optional, Sequence, Union, overload

import numpy as np
import numpy.typing as npt

from . import _structures as c
from ._library import HEAR, Handle, PathLike, ProgressCallback, call, choice, library, optional_path, path, warn
from .errors import RefusedWarning, UsageError
from .events import Bools, Doubles, Events, EventsLike, Floats, Ints, as_events, numbers, pad, pointer

CHUNK = 1 << 16  # hits of a call of C, behind which interrupts and progress are heard


class Results:
    """What a model makes of events.

    values: [sum of lengths][outputs], or [events][outputs] where pooled; float64; NaN for events that were refused
    refused: [events]: had more hits than the design takes
    events: the Events that they are of
    pooled: one row an event, not one a hit
    inputs: the inputs file that says what the outputs are, or None

    len(results) is the number of events; results[i] is [hits][outputs] or, where pooled, [outputs], and so is what iteration gives.
    """

    def __init__(self, values: Doubles, refused: Bools, events: Events, pooled: bool, inputs: Optional[PathLike] = None) -> None:
        self.values, self.refused, self.events, self.pooled, self.inputs = values, refused, events, pooled, inputs

    @classmethod
    def of(cls, values: npt.ArrayLike, events: Events, *, inputs: Optional[PathLike] = None) -> Results:
        """Results that something else computed, to be scored: [events][tokens][outputs], the hits of an event first, or [sum of lengths][outputs];
        events with a NaN are refused ones."""
        given = numbers(values, "values", [2, 3], np.float64)
        if given.ndim == 3:
            if len(given) != len(events) or given.shape[1] < events.lengths.max(initial=0):
                raise UsageError(f"values: shape {list(given.shape)} for {len(events)} events of up to {events.lengths.max(initial=0)} hits")
            given = given[np.arange(given.shape[1]) < events.lengths[:, None]]
        if len(given) != len(events.values):
            raise UsageError(f"values: {len(given)} rows for {len(events.values)} hits")
        wrong = np.concatenate([[0], np.cumsum(np.isnan(given).any(axis=1))])
        return cls(given, wrong[events.first[1:]] > wrong[events.first[:-1]], events, False, inputs)

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, index: int) -> Doubles:
        at = range(len(self))[index]
        own: Doubles = self.values[at] if self.pooled else self.values[self.events.first[at] : self.events.first[at + 1]]
        return own

    def __iter__(self) -> Iterator[Doubles]:
        return (self[i] for i in range(len(self)))

    def padded(self, fill: float = np.nan, tokens: Optional[int] = None) -> Doubles:
        """[events][longest, or tokens][outputs] with `fill` behind the hits of shorter events; where pooled [events][outputs]."""
        if self.pooled:
            return self.values
        made: Doubles = pad(self.values, self.events.lengths, fill)
        more = (tokens or made.shape[1]) - made.shape[1]
        return np.pad(made, ((0, 0), (0, more), (0, 0)), constant_values=fill) if more > 0 else made

    def __repr__(self) -> str:
        return f"<Results: {self.values.shape[1]} outputs of {len(self)} events, {int(self.refused.sum())} refused>"


class Engine:
    """A model on events: in floating point, or as the integers of a design, which are bit for bit what the hardware gives.

    directory: that of a design, or, of "float", a model (.onnx)
    kind: "integer" or "float"; None: "integer" of a directory, "float" of a file
    inputs: inputs file of a model; None: a directory's own; without one values go to the model as they are
    standardised: all values are taken as they are
    weights: of "integer": a file of Design.weights, instead of the design's own

    Any number of threads may run one engine.
    """

    def __init__(self, directory: PathLike, kind: Optional[str] = None, *, inputs: Optional[PathLike] = None, standardised: bool = False,
                 weights: Optional[PathLike] = None, progress: Optional[ProgressCallback] = None) -> None:
        if kind is None:
            kind = "integer" if os.path.isdir(directory) else "float"
        options = c.tessera_engine_options(kind=choice(c.tessera_engine_kind, kind, "kind"), path=path(directory, "directory"), inputs=optional_path(inputs, "inputs"),
                                           standardised=bool(standardised), weights=optional_path(weights, "weights"))
        self._handle = Handle("engine")
        call("engine_open", ctypes.byref(options), HEAR, self._handle.place, progress=progress)
        self.kind, self.standardised = kind.lower(), bool(standardised)
        own = os.path.join(os.fspath(directory), "inputs.json")
        self._inputs: Optional[PathLike] = inputs if inputs is not None else own if os.path.isdir(directory) and os.path.exists(own) else None
        made = c.tessera_engine_info()
        library.tessera_engine_describe(self._handle.pointer, ctypes.byref(made))
        self.info = c.EngineInfo._of(made)

    def __repr__(self) -> str:
        return f"<Engine: {self.kind}, {self.info.features} values a hit, {self.info.outputs} outputs {'an event' if self.info.pooled else 'a hit'}>"

    def evaluate(self, events: EventsLike, lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None,
                 progress: Optional[ProgressCallback] = None) -> Results:
        """Results of events, with which of them were refused. Takes what `run` takes; without a warning."""
        given = as_events(events, lengths, mask, self.standardised)
        if given.features != self.info.features:
            raise UsageError(f"events: {given.features} values a hit; the model takes {self.info.features}")
        if given.standardised != self.standardised and self._inputs is not None:
            raise UsageError("events are standardised already, and the engine would do that again: open it with standardised=True" if given.standardised else
                             "events are raw, and the engine takes standardised ones: open it without standardised=True")
        pooled = self.info.pooled
        values = np.full((len(given) if pooled else len(given.values), self.info.outputs), np.nan)
        refused = np.zeros(len(given), np.bool_)
        start = 0
        while start < len(given):
            stop = max(start + 1, int(np.searchsorted(given.first, given.first[start] + CHUNK, "right")) - 1)
            part = given._part(start, min(stop, len(given)))
            rows = values[start:stop] if pooled else values[given.first[start] : given.first[min(stop, len(given))]]
            call("engine_run", self._handle.pointer, ctypes.byref(part._arrays()), pointer(rows, ctypes.c_double),
                 pointer(refused[start:stop], ctypes.c_bool), None)
            start = min(stop, len(given))
            if progress is not None:
                progress(c.Progress(None, start / len(given), start, len(given)))
        return Results(values, refused, given, pooled, self._inputs)

    @overload
    def run(self, events: npt.NDArray[Any], lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None,
            progress: Optional[ProgressCallback] = None) -> Doubles: ...

    @overload
    def run(self, events: Union[Sequence[Any], Events], lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None,
            progress: Optional[ProgressCallback] = None) -> list[Doubles]: ...

    def run(self, events: EventsLike, lengths: Optional[npt.ArrayLike] = None, *, mask: Optional[npt.ArrayLike] = None,
            progress: Optional[ProgressCallback] = None) -> Union[Doubles, list[Doubles]]:
        """Results of events, in the shape that these come in:

        - [events][tokens][features], with lengths [events] or a mask [events][tokens] that is true at padding: [events][tokens][outputs],
          NaN behind an event's hits
        - [hits][features], one event: [hits][outputs]
        - [sum of lengths][features] with lengths [events]: [sum of lengths][outputs]
        - a list of [hits][features], or Events: a list of [hits][outputs]

        Of a model that pools, an event has [outputs] in place of [hits][outputs] everywhere. Values are raw ones, which become
        (value - mean) / std as the inputs file says, unless the engine takes standardised ones. Results are float64; of the integer engine
        they are exactly word * scale. Those of refused events, which have more than info.max_tokens hits, are NaN, and a RefusedWarning says so.
        """
        made = self.evaluate(events, lengths, mask=mask, progress=progress)
        count = int(made.refused.sum())
        if count:
            warn(f"{count} of {len(made)} events were refused: the design takes at most {self.info.max_tokens} hits; their results are NaN", RefusedWarning)
        return shaped(made, events, lengths, mask)

    # ---- words

    def run_words(self, words: npt.ArrayLike, lengths: npt.ArrayLike) -> Ints:
        """The integer engine's words as they go into the hardware and come out of it, without the host's share of an assisted design.

        words: [sum of lengths][info.word_features], integers within info.input_bits
        lengths: [events]
        returns [sum of lengths][info.word_outputs], or [events][...] where info.word_pooled; int32; zeros for refused events
        """
        given, hits = self._words(words, self.info.word_features), numbers(lengths, "lengths", [1], np.int32)
        if (hits < 0).any() or hits.sum(dtype=np.int64) != len(given):
            raise UsageError(f"lengths: {hits.sum(dtype=np.int64)} hits, and {len(given)} rows of words")
        made: Ints = np.zeros((len(hits) if self.info.word_pooled else len(given), self.info.word_outputs), np.int32)
        call("engine_run_words", self._handle.pointer, len(hits), pointer(hits, ctypes.c_int32), pointer(given, ctypes.c_int32), pointer(made, ctypes.c_int32))
        return made

    def to_words(self, values: npt.ArrayLike) -> Ints:
        """[rows][info.word_features] of standardised values as words, int32."""
        given: Floats = self._rows(numbers(values, "values", [2]), "values", self.info.word_features)
        made: Ints = np.zeros(given.shape, np.int32)
        call("engine_to_words", self._handle.pointer, len(given), pointer(given, ctypes.c_float), pointer(made, ctypes.c_int32))
        return made

    def from_words(self, words: npt.ArrayLike) -> Doubles:
        """[rows][info.word_outputs] words as real values."""
        given = self._words(words, self.info.word_outputs)
        made: Doubles = np.zeros(given.shape)
        call("engine_from_words", self._handle.pointer, len(given), pointer(given, ctypes.c_int32), pointer(made, ctypes.c_double))
        return made

    def front(self, values: npt.ArrayLike) -> Ints:
        """The host's share of an assisted design in front of the hardware; of any other design the same as to_words.

        values: of one event, standardised: [hits][info.features]
        returns the words of the tokens that the hardware takes: [tokens][info.word_features]
        """
        given = self._event(values)
        tokens = ctypes.c_int32()
        call("engine_front", self._handle.pointer, len(given), pointer(given, ctypes.c_float), ctypes.byref(tokens), None)
        made: Ints = np.zeros((tokens.value, self.info.word_features), np.int32)
        call("engine_front", self._handle.pointer, len(given), pointer(given, ctypes.c_float), ctypes.byref(tokens), pointer(made, ctypes.c_int32))
        return made

    def back(self, values: npt.ArrayLike, words: npt.ArrayLike) -> Doubles:
        """The host's share of an assisted design behind the hardware; of any other design the same as from_words.

        values: of the event, as front takes them
        words: that the hardware gave: [tokens, or 1 where info.word_pooled][info.word_outputs]
        returns results as `run` has them: [hits, or 1 where info.pooled][info.outputs]
        """
        given, own = self._event(values), self._words(words, self.info.word_outputs)
        tokens = ctypes.c_int32()
        call("engine_front", self._handle.pointer, len(given), pointer(given, ctypes.c_float), ctypes.byref(tokens), None)
        rows = 1 if self.info.word_pooled else tokens.value
        if len(own) != rows:
            raise UsageError(f"words: {len(own)} rows; the hardware gives {rows} of such an event")
        made: Doubles = np.zeros((1 if self.info.pooled else len(given), self.info.outputs))
        call("engine_back", self._handle.pointer, len(given), pointer(given, ctypes.c_float), pointer(own, ctypes.c_int32), pointer(made, ctypes.c_double))
        return made

    def _event(self, values: npt.ArrayLike) -> Floats:
        return self._rows(numbers(values, "values", [2]), "values", self.info.features)

    def _words(self, words: npt.ArrayLike, width: int) -> Ints:
        return self._rows(numbers(words, "words", [2], np.int32), "words", width)

    def _rows(self, rows: npt.NDArray[Any], what: str, width: int) -> npt.NDArray[Any]:
        if self.kind != "integer":
            raise UsageError("words are the integer engine's")
        if rows.shape[1] != width:
            raise UsageError(f"{what}: rows of {rows.shape[1]}; expected {width}")
        return rows


def shaped(made: Results, events: EventsLike, lengths: Any, mask: Any) -> Union[Doubles, list[Doubles]]:
    """Results in the shape that events came in."""
    if not isinstance(events, np.ndarray):
        return list(made)
    if events.ndim == 3:
        if mask is None or made.pooled:
            return made.padded(tokens=events.shape[1])
        spread = np.full(events.shape[:2] + made.values.shape[1:], np.nan)
        spread[np.asarray(mask) == 0] = made.values
        return spread
    return made[0] if lengths is None else made.values


def run_file(directory: PathLike, events: Union[PathLike, EventsLike, None] = None, output: Optional[PathLike] = None, *, engine: Optional[str] = None,
             samples: Optional[PathLike] = None, inputs: Optional[PathLike] = None, lengths: Any = None, mask: Any = None, limit: Optional[int] = None,
             standardised: bool = False, trace: Optional[PathLike] = None, logits: bool = False,
             weights: Optional[PathLike] = None, progress: Optional[ProgressCallback] = None) -> c.RunSummary:
    """Events through a model into a results file, with memory that does not grow with the file of events (but for "rtl").

    directory: of a design, or, of "float", a model (.onnx)
    events: a file (.npy or CSV), or arrays as Engine.run takes them
    output: CSV: event_id,hit_id,<outputs>, in the order of the events
    engine: "float", "integer" or "rtl", the hardware, simulated by Verilator; None: as of Engine
    samples: .npy [samples][...] in place of events, for models whose input has a fixed shape
    inputs, lengths, mask, limit, standardised: as of read_events
    trace: a directory: every stage of the first event, float beside integer (and hardware)
    logits: of classifiers: all logits, not the class and its value
    weights: of a directory: a file of Design.weights, instead of the design's own
    """
    from .events import Source

    if output is None:
        raise UsageError("output is needed: the results file")
    kind = engine if engine is not None else "integer" if os.path.isdir(directory) else "float"
    source = Source(events, samples, inputs, lengths, mask, limit, standardised)
    options = c.tessera_run_options(path=path(directory, "directory"), engine=choice(c.tessera_engine_kind, kind, "engine"), source=source.pointer,
                                    output=path(output, "output"), trace=optional_path(trace, "trace"), logits=bool(logits),
                                    weights=optional_path(weights, "weights"))
    summary, report = c.tessera_run_summary(), Handle("report")
    call("run", ctypes.byref(options), HEAR, ctypes.byref(summary), report.place, progress=progress)
    return c.RunSummary._of(summary, report.report())
