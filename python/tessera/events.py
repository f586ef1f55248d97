"""Events: hits of a detector, as a model takes them."""
from __future__ import annotations

import ctypes
import os
from typing import Any, Iterator, NamedTuple, Optional, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _structures as c
from ._library import HEAR, Handle, PathLike, ProgressCallback, call, library, optional_path, path, real, whole
from ._report import Report
from .errors import UsageError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Ids = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Event(NamedTuple):
    """One event.

    id: a number of its own
    values: [hits][features], float32
    hit_ids: [hits], int64
    """

    id: int
    values: Floats
    hit_ids: Ids


def numbers(value: Any, what: str, dimensions: Sequence[int], kind: type[Any] = np.float32) -> npt.NDArray[Any]:
    """An array of C's order and of that type; TypeError or UsageError where it is none, or has other dimensions."""
    try:
        made = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise UsageError(f"{what}: rows of different lengths; expected an array") from None
    if made.dtype.kind not in ("iu" if np.issubdtype(kind, np.integer) else "fiu") and made.size:
        raise TypeError(f"{what}: values of type {made.dtype}; expected {np.dtype(kind)}, or what becomes it")
    if made.ndim not in dimensions:
        raise UsageError(f"{what}: {made.ndim} dimensions, shape {list(made.shape)}; expected {' or '.join(map(str, dimensions))}")
    if np.issubdtype(kind, np.integer) and made.size and not np.can_cast(made.dtype, kind, "safe"):
        limits = np.iinfo(kind)
        least, most = int(made.min()), int(made.max())
        if least < limits.min or most > limits.max:
            raise UsageError(f"{what}: values {least} to {most}; expected {np.dtype(kind)}")
    with np.errstate(over="ignore"):  # infinite then, which the library says
        return np.ascontiguousarray(made, kind)


def pointer(array: Optional[npt.NDArray[Any]], kind: Any) -> Any:
    return None if array is None else array.ctypes.data_as(ctypes.POINTER(kind))


class Events:
    """Events in memory, their hits one after the other.

    values: [sum of lengths][features], finite; becomes float32
    lengths: [events], hits of each event; None: it is one event
    ids: [events], no two the same, for messages and results; None: 0, 1, 2, ...
    hit_ids: [sum of lengths], in an event no two the same; None: 0, 1, 2, ... in every event
    standardised: values are (value - mean) / std already, and not raw ones, in the columns' units

    len(events) is their number, events[i] and iteration give each as an Event, and a slice gives Events.
    """

    def __init__(self, values: npt.ArrayLike, lengths: Optional[npt.ArrayLike] = None, *, ids: Optional[npt.ArrayLike] = None,
                 hit_ids: Optional[npt.ArrayLike] = None, standardised: bool = False) -> None:
        self.values: Floats = numbers(values, "values", [2])
        self.lengths: Ints = numbers([len(self.values)] if lengths is None else lengths, "lengths", [1], np.int32)
        self.standardised = bool(standardised)
        if (self.lengths < 0).any() or self.lengths.sum(dtype=np.int64) != len(self.values):
            raise UsageError(f"lengths: {self.lengths.sum(dtype=np.int64)} hits in {len(self.lengths)} events, and {len(self.values)} rows of values")
        self.ids: Ids = np.arange(len(self.lengths), dtype=np.int64) if ids is None else numbers(ids, "ids", [1], np.int64)
        self.first: Ids = np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])
        if hit_ids is None:
            self.hit_ids: Ids = np.arange(len(self.values), dtype=np.int64) - np.repeat(self.first[:-1], self.lengths)
        else:
            self.hit_ids = numbers(hit_ids, "hit_ids", [1], np.int64)
        if len(self.ids) != len(self.lengths) or len(self.hit_ids) != len(self.values):
            raise UsageError(f"{len(self.ids)} ids and {len(self.hit_ids)} hit_ids for {len(self.lengths)} events of {len(self.values)} hits")

    @property
    def features(self) -> int:
        """Values of a hit."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[Event]:
        return (self._get(i) for i in range(len(self)))

    def _get(self, index: int) -> Event:
        own = slice(self.first[index], self.first[index + 1])
        return Event(int(self.ids[index]), self.values[own], self.hit_ids[own])

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self._get(range(len(self))[index])
        start, stop, step = index.indices(len(self))
        if step != 1:
            raise UsageError(f"every {step}-th event: only slices of events behind each other can be taken")
        return self._part(start, max(start, stop))

    def _part(self, start: int, stop: int) -> Events:
        own = slice(self.first[start], self.first[stop])
        return Events(self.values[own], self.lengths[start:stop], ids=self.ids[start:stop], hit_ids=self.hit_ids[own], standardised=self.standardised)

    def padded(self, fill: float = 0) -> Floats:
        """[events][longest][features], with `fill` behind the hits of shorter events."""
        return pad(self.values, self.lengths, fill)

    def __repr__(self) -> str:
        return f"<Events: {len(self)} of {len(self.values)} hits, {self.features} {'standardised' if self.standardised else 'raw'} values each>"

    def _arrays(self, ids: bool = True) -> Any:
        """For C; `keep` are the arrays that it points into."""
        made = c.tessera_arrays(events=len(self), features=self.features, hits=pointer(self.lengths, ctypes.c_int32), values=pointer(self.values, ctypes.c_float))
        if ids:
            made.id, made.hit_id = pointer(self.ids, ctypes.c_int64), pointer(self.hit_ids, ctypes.c_int64)
        made.keep = self
        return made


def pad(rows: npt.NDArray[Any], lengths: Ints, fill: float) -> npt.NDArray[Any]:
    """[sum of lengths][n] as [events][longest][n]."""
    longest = int(lengths.max()) if len(lengths) else 0
    padded = np.full((len(lengths), longest) + rows.shape[1:], fill, rows.dtype)
    padded[np.arange(longest) < lengths[:, None]] = rows
    return padded


#: What calls take as events: one array, arrays of each event, or Events.
EventsLike = Union[npt.NDArray[Any], Sequence[Any], Events]


def as_events(events: EventsLike, lengths: Optional[npt.ArrayLike] = None, mask: Optional[npt.ArrayLike] = None, standardised: bool = False) -> Events:
    """Events of

    - Events, as they are;
    - [events][tokens][features] with lengths [events], or a mask [events][tokens] that is true at padding, or neither: all tokens are hits;
    - [hits][features], which is one event, or with lengths [events] the hits of all events;
    - a list of arrays [hits][features], one an event.
    """
    if isinstance(events, Events):
        if lengths is not None or mask is not None:
            raise UsageError("lengths and mask belong to arrays; Events have their own")
        return events
    if isinstance(events, (list, tuple)) and not (lengths is None and mask is None and len(events) == 0):
        if any(np.ndim(one) == 2 for one in events) and lengths is None and mask is None:
            parts = [numbers(one, f"events[{i}]", [2]) for i, one in enumerate(events)]
            if len({part.shape[1] for part in parts}) > 1:
                raise UsageError(f"events: hits of {' and '.join(sorted({str(part.shape[1]) for part in parts}))} values; all have the same")
            return Events(np.concatenate(parts), [len(part) for part in parts], standardised=standardised)
    array = numbers(events, "events", [2, 3])
    if array.ndim == 2:
        if mask is not None:
            raise UsageError("mask belongs to events of shape [events][tokens][features]")
        return Events(array, lengths, standardised=standardised)
    count, tokens = array.shape[:2]
    if mask is not None and lengths is not None:
        raise UsageError("lengths and mask: give one of them")
    if mask is not None:
        padding = np.asarray(mask)
        if padding.shape != (count, tokens):
            raise UsageError(f"mask: shape {list(padding.shape)}; expected {[count, tokens]}")
        hits = padding == 0
    else:
        own = np.full(count, tokens, np.int32) if lengths is None else numbers(lengths, "lengths", [1], np.int32)
        if own.shape != (count,) or (own < 0).any() or (own > tokens).any():
            raise UsageError(f"lengths: {list(own.shape)} from {own.min() if own.size else 0} to {own.max() if own.size else 0}; expected {[count]} from 0 to {tokens}")
        hits = np.arange(tokens) < own[:, None]
    return Events(array[hits], hits.sum(axis=1), hit_ids=np.nonzero(hits)[1], standardised=standardised)


class Source:
    """tessera_source of what a call was given; `keep` lives as long as it."""

    def __init__(self, events: Union[PathLike, EventsLike, None], samples: Optional[PathLike] = None, inputs: Optional[PathLike] = None, lengths: Any = None,
                 mask: Any = None, limit: Optional[int] = None, standardised: bool = False) -> None:
        made = c.tessera_source(inputs=optional_path(inputs, "inputs"), samples=optional_path(samples, "samples"), limit=whole(limit, "limit"),
                                standardised=bool(standardised))
        self.keep: Any = None
        if events is None or isinstance(events, (str, bytes)) or hasattr(events, "__fspath__"):
            made.events = optional_path(events, "events")  # type: ignore[arg-type]
            made.lengths, made.mask = optional_path(lengths, "lengths"), optional_path(mask, "mask")
        else:
            own = as_events(events, lengths, mask, standardised)
            self.keep = own._arrays()
            made.arrays = ctypes.pointer(self.keep)
            made.standardised = own.standardised
        self.own = made

    @property
    def pointer(self) -> Any:
        return ctypes.pointer(self.own)


def read_events(events: PathLike, inputs: Optional[PathLike] = None, *, lengths: Optional[PathLike] = None, mask: Optional[PathLike] = None,
                limit: Optional[int] = None, standardised: bool = False, progress: Optional[ProgressCallback] = None) -> Events:
    """Events of a file as a model takes them: its columns, padding dropped, standardised where there is an inputs file.

    events: .npy [events][tokens][features], or CSV, a row a hit, with event_id and hit_id
    inputs: inputs file (JSON): which columns are inputs, mean, std; needed with CSV
    lengths, mask: .npy [events], true tokens of .npy events; .npy [events][tokens], nonzero = padding
    limit: only the first so many events
    standardised: values are taken as they are in any case
    """
    source = Source(os.fspath(events), None, inputs, lengths, mask, limit, standardised)
    handle = Handle("events")
    call("events_read", source.pointer, HEAR, handle.place, progress=progress)
    count = library.tessera_events_count(handle.pointer)
    one = c.tessera_event()
    values: list[Floats] = []
    hit_ids: list[Ids] = []
    ids: list[int] = []
    features = 0
    for i in range(count):
        library.tessera_events_get(handle.pointer, i, ctypes.byref(one))
        features = one.features
        ids.append(one.id)
        if one.hits:
            values.append(np.ctypeslib.as_array(one.values, (one.hits, one.features)).copy())
            hit_ids.append(np.ctypeslib.as_array(one.hit_id, (one.hits,)).copy())
        else:
            values.append(np.zeros((0, one.features), np.float32))
            hit_ids.append(np.zeros(0, np.int64))
    if not values:
        return Events(np.zeros((0, max(1, features)), np.float32), np.zeros(0, np.int32), standardised=True)
    return Events(np.concatenate(values), [len(own) for own in values], ids=ids, hit_ids=np.concatenate(hit_ids), standardised=inputs is not None or standardised)


def generate(output: PathLike, events: int, tracks: tuple[int, int], *, seed: int = 0, first_event: int = 0, geometry: Optional[PathLike] = None,
             field: Optional[float] = None, noise: Optional[float] = None, efficiency: Optional[float] = None, overlap: Optional[float] = None,
             smear_um: Optional[float] = None, progress: Optional[ProgressCallback] = None) -> Report:
    """Makes events of a simulated tracking detector, with truth (docs/events.md). The same arguments give the same bytes everywhere.

    output: CSV
    events: how many
    tracks: least and most of an event, 1 to 1000, uniform
    seed, first_event: of the random numbers; the number of the first event
    geometry: "trackml-like" (default), "redvid-like" or a file ending in .json
    field: tesla, along z
    noise: noise hits for every hit of a track
    efficiency: share of crossings that make a hit
    overlap: share of hits doubled by an overlapping module
    smear_um: resolution, micrometres, each way
    """
    options = c.tessera_generate_options()
    library.tessera_generate_defaults(ctypes.byref(options))
    try:
        least, most = tracks
    except (TypeError, ValueError):
        raise TypeError(f"tracks is {tracks!r}; expected (least, most)") from None
    options.output = path(output, "output")
    options.events, options.tracks_least, options.tracks_most = whole(events, "events"), whole(least, "tracks"), whole(most, "tracks")
    options.seed, options.first_event, options.geometry = whole(seed, "seed"), whole(first_event, "first_event"), optional_path(geometry, "geometry")
    given = {"field": field, "noise": noise, "efficiency": efficiency, "overlap": overlap, "smear_um": smear_um}
    for name, value in given.items():
        if value is not None:
            setattr(options, name, real(value, name))
    report = Handle("report")
    call("generate", ctypes.byref(options), HEAR, report.place, progress=progress)
    return report.report()
