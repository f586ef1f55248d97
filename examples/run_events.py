#!/usr/bin/env python3
"""A model becomes a design, and events go through its integer model, which gives what the hardware would: through the shared library.

    run_events.py MODEL.onnx EVENTS.csv INPUTS.json DIR [LIBRARY] >RESULTS.csv

Events are read by the library, as the inputs file says, and are arrays of numpy then. docs/library.md goes through it."""
import ctypes
import json
import sys

import numpy as np

P, I, I64, D, B, S = ctypes.c_char_p, ctypes.c_int, ctypes.c_int64, ctypes.c_double, ctypes.c_bool, ctypes.c_size_t
FLOAT, INTEGER = 0, 1


class Sized(ctypes.Structure):
    """A structure that begins with its size."""

    def __init__(self, **members):
        super().__init__(size=ctypes.sizeof(self), **members)


class Error(ctypes.Structure):
    _fields_ = [("code", I), ("message", ctypes.c_char * 1024)]


class Arrays(Sized):
    _fields_ = [("size", S), ("events", I64), ("features", I), ("hits", ctypes.POINTER(ctypes.c_int32)), ("values", ctypes.POINTER(ctypes.c_float)),
                ("id", ctypes.POINTER(I64)), ("hit_id", ctypes.POINTER(I64))]


class Source(Sized):
    _fields_ = [("size", S), ("events", P), ("samples", P), ("arrays", ctypes.POINTER(Arrays)), ("inputs", P), ("lengths", P), ("mask", P), ("limit", I),
                ("standardised", B)]


class Way(ctypes.Structure):
    _fields_ = [("bandwidth", D), ("latency_ns", D)]


class CompileOptions(Sized):
    _fields_ = [("size", S), ("model", P), ("output", P), ("device", ctypes.POINTER(P)), ("devices", I), ("mode", I), ("objective", I),
                ("link", ctypes.POINTER(Way)), ("memory", ctypes.POINTER(Way)), ("host", ctypes.POINTER(Way)), ("pin", P), ("hardware", P),
                ("source", ctypes.POINTER(Source)), ("formats", P), ("loss", D), ("calibrate", I), ("select", I), ("max_tokens", I), ("plan_tokens", I),
                ("target_ii", I), ("page_buffers", I), ("clock_mhz", D), ("utilisation", D), ("logits", B)]


class Event(Sized):
    _fields_ = [("size", S), ("id", I64), ("hits", I), ("features", I), ("values", ctypes.POINTER(ctypes.c_float)), ("hit_id", ctypes.POINTER(I64))]


class EngineOptions(Sized):
    _fields_ = [("size", S), ("kind", I), ("path", P), ("inputs", P), ("standardised", B)]


class EngineInfo(Sized):
    _fields_ = [("size", S), ("features", I), ("outputs", I), ("pooled", B), ("max_tokens", I)]  # members behind these are left out: the size says so


class Tessera:
    """The calls that this script needs; a call that fails raises its message."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.tessera_engine_rows.restype = I64
        self.library.tessera_report_json.restype = P
        self.library.tessera_events_get.restype = B

    def call(self, name, *arguments):
        error = Error()
        if getattr(self.library, "tessera_" + name)(*arguments, ctypes.byref(error)) != 0:
            raise RuntimeError(error.message.decode())

    def compile(self, **members):
        """The report, as a dictionary."""
        report = ctypes.c_void_p()
        self.call("compile", ctypes.byref(CompileOptions(**members)), None, ctypes.byref(report))
        made = json.loads(self.library.tessera_report_json(report))
        self.library.tessera_report_free(report)
        return made

    def events(self, source):
        """[(id, hit ids, values [hits][features])], standardised."""
        handle, event, all_events = ctypes.c_void_p(), Event(), []
        self.call("events_read", ctypes.byref(source), None, ctypes.byref(handle))
        while self.library.tessera_events_get(handle, I64(len(all_events)), ctypes.byref(event)):
            values = np.ctypeslib.as_array(event.values, (event.hits, event.features)).copy()
            all_events.append((event.id, event.hit_id[: event.hits], values))
        self.library.tessera_events_free(handle)
        return all_events

    def engine(self, kind, path):
        """Takes standardised values."""
        engine = ctypes.c_void_p()
        self.call("engine_open", ctypes.byref(EngineOptions(kind=kind, path=path.encode(), standardised=True)), None, ctypes.byref(engine))
        return engine

    def run(self, engine, hits, values):
        """hits: [events]; values: [sum of hits][features]. Results: [rows][outputs], NaN for events that are refused."""
        info = EngineInfo()
        self.library.tessera_engine_describe(engine, ctypes.byref(info))
        hits, values = np.ascontiguousarray(hits, np.int32), np.ascontiguousarray(values, np.float32)
        arrays = Arrays(events=len(hits), features=values.shape[1], hits=hits.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)),
                        values=values.ctypes.data_as(ctypes.POINTER(ctypes.c_float)))
        results = np.zeros((self.library.tessera_engine_rows(engine, ctypes.byref(arrays)), info.outputs))
        self.call("engine_run", engine, ctypes.byref(arrays), results.ctypes.data_as(ctypes.POINTER(D)), None, None)
        return results


def main(model, events_file, inputs_file, directory, library="libtessera.so.0"):
    tessera = Tessera(library)
    source = Source(events=events_file.encode(), inputs=inputs_file.encode())
    report = tessera.compile(model=model.encode(), output=directory.encode(), device=(P * 1)(b"zcu102"), devices=1, source=ctypes.pointer(source))
    print("predicted:", report["predicted"]["latency_cycles"], "cycles", file=sys.stderr)
    events = tessera.events(source)
    engine = tessera.engine(INTEGER, directory)
    results = tessera.run(engine, [len(values) for _, _, values in events], np.concatenate([values for _, _, values in events]))
    hits = ((event, hit) for event, hit_ids, _ in events for hit in hit_ids)
    for (event, hit), row in zip(hits, results):
        print(event, hit, *("%.9g" % value for value in row), sep=",")
    tessera.library.tessera_engine_free(engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
