"""Results as tracks, scored against the truth (docs/scores.md)."""
from __future__ import annotations

import ctypes
from typing import Any, Iterator, Mapping, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _structures as c
from ._library import HEAR, Handle, PathLike, ProgressCallback, call, library, optional_path, path, text
from ._report import Report
from .engine import Results
from .errors import UsageError
from .events import Ids, Ints, pointer, numbers


class Candidates(NamedTuple):
    """The track candidates of an event.

    id: of the event
    hit_ids: [hits], in the order of the truth
    particle_ids: [hits]; 0: of no particle
    candidates: [hits]: hits with the same number >= 0 are one candidate, -1: of none; None: the event is not scored
    """

    id: int
    hit_ids: Ids
    particle_ids: Ids
    candidates: Optional[Ints]


#: What can be scored: results in memory, a file that run_file wrote, or a baseline, which needs no model: "baseline:angles",
#: "baseline:truth", "baseline:binned", "baseline:classes".
Item = Union[Results, PathLike]


class Scores(Sequence[c.ScoreRow]):
    """Rows of scores: candidates of each item, made one way or several. Those of `against` come first.

    scores[0] is a row, scores["label"] the first of that label; report has them as a table and as data.
    """

    def __init__(self, handle: Handle, report: Report) -> None:
        self._handle, self.report = handle, report
        row = c.tessera_score_row()
        self.rows: list[c.ScoreRow] = []
        for i in range(library.tessera_scores_count(handle.pointer)):
            library.tessera_scores_get(handle.pointer, i, ctypes.byref(row))
            self.rows.append(c.ScoreRow._of(row))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, str):
            return self.rows[index]
        return self.rows[self._index(index)]

    def __iter__(self) -> Iterator[c.ScoreRow]:
        return iter(self.rows)

    def __str__(self) -> str:
        return str(self.report)

    def _index(self, row: Union[int, str]) -> int:
        if not isinstance(row, str):
            return range(len(self.rows))[row]
        for i, one in enumerate(self.rows):
            if one.label == row:
                return i
        raise KeyError(row)

    @property
    def events(self) -> int:
        """Events of the truth."""
        return int(library.tessera_scores_events(self._handle.pointer))

    def candidates(self, row: Union[int, str], event: int) -> Candidates:
        """What a row's candidates are, of the event of that index in the truth."""
        made, at = c.tessera_candidates(), range(self.events)[event]
        library.tessera_scores_candidates(self._handle.pointer, self._index(row), at, ctypes.byref(made))

        def array(pointed: Any, kind: Any) -> Any:
            return np.ctypeslib.as_array(pointed, (made.hits,)).astype(kind) if made.hits else np.zeros(0, kind)

        return Candidates(made.id, array(made.hit_id, np.int64), array(made.particle_id, np.int64), array(made.candidate, np.int32) if made.candidate else None)


class _Items:
    """tessera_score_item of what a call was given; `keep` lives as long as them."""

    def __init__(self) -> None:
        self.keep: list[Any] = []

    def one(self, item: Item, label: Optional[str], inputs: Optional[PathLike]) -> Any:
        made = c.tessera_score_item(label=text(label, "label"))
        if isinstance(item, Results):
            if item.pooled:
                raise UsageError("results of a model that pools are of events, and no tracks")
            arrays = item.events._arrays()
            values, refused = numbers(item.values, "values", [2], np.float64), np.ascontiguousarray(item.refused, np.bool_)
            results = c.tessera_results(events=ctypes.pointer(arrays), outputs=values.shape[1], values=pointer(values, ctypes.c_double),
                                        refused=pointer(refused, ctypes.c_bool))
            self.keep += [arrays, values, refused, results]
            made.results = ctypes.pointer(results)
            inputs = inputs if inputs is not None else item.inputs
        elif isinstance(item, str) and item.startswith("baseline:"):
            made.baseline = text(item[len("baseline:") :], "baseline")
        else:
            made.file = path(item, "results")
        made.inputs = optional_path(inputs, "inputs")
        return made


def score(results: Union[Item, Sequence[Item], Mapping[str, Item]], truth: PathLike, *, inputs: Optional[PathLike] = None, against: Optional[Item] = None,
          subset: bool = False, progress: Optional[ProgressCallback] = None) -> Scores:
    """Results as tracks, scored against the truth.

    results: one thing to score, several, or several with their labels: Results, a file, or "baseline:angles" (Item); all hits are scored
    truth: CSV of the events, with particle_id and weight
    inputs: the model's inputs file, which says what its outputs are; None: a design's own, or what a file's header says
    against: to compare with, hit by hit and event by event
    subset: only the events that all results have
    """
    labelled: list[tuple[Optional[str], Item]]
    if isinstance(results, Mapping):
        labelled = [(label, item) for label, item in results.items()]
    elif isinstance(results, Results) or isinstance(results, str) or hasattr(results, "__fspath__"):
        labelled = [(None, results)]
    else:
        labelled = [(None, item) for item in results]
    items = _Items()
    listed = (c.tessera_score_item * len(labelled))(*(items.one(item, label, inputs) for label, item in labelled))
    options = c.tessera_score_options(item=listed, items=len(labelled), truth=path(truth, "truth"), subset=bool(subset))
    if against is not None:
        options.against = ctypes.pointer(items.one(against, None, inputs))
    scores, report = Handle("scores"), Handle("report")
    call("score", ctypes.byref(options), HEAR, scores.place, report.place, progress=progress)
    return Scores(scores, report.report())
