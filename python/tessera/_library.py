"""The shared library: found, loaded and called."""
from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import sysconfig
import threading
import warnings
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Callable, Optional, Union

from . import _structures as c
from ._report import Report
from .errors import TesseraWarning, of_code

SONAME = "libtessera.so.0"

#: Called while a call computes, on its thread. An exception that it raises cancels the call, and comes out of it.
ProgressCallback = Callable[[c.Progress], None]
PathLike = Union[str, "os.PathLike[str]"]

_log = logging.getLogger("tessera")


def candidates(soname: str, variable: str) -> list[str]:
    """Where a library may be, the first first: what the variable of the environment says, and nothing else then; beside this package, in the
    prefix it is installed in or the build directory; where the loader finds it."""
    said = os.environ.get(variable)
    if said:
        return [said]
    places = []
    folders = ["lib", "lib64", "lib/" + (sysconfig.get_config_var("MULTIARCH") or "")]
    for parent in list(Path(__file__).resolve().parents)[1:6]:
        places += [str(parent / folder / soname) for folder in folders if (parent / folder / soname).exists()]
    return places + [soname]


def load(soname: str, variable: str) -> ctypes.CDLL:
    """The first of them that is there."""
    failed: list[str] = []
    for place in candidates(soname, variable):
        try:
            return ctypes.CDLL(place)
        except OSError as error:
            failed.append(str(error))
    raise ImportError(f"{soname} is not found: {'; '.join(failed)}. Install it (Debian: libtessera0), or say where it is: {variable}=FILE")


def declare(library: ctypes.CDLL, header: str) -> None:
    for name, (result, parameters) in c.FUNCTIONS[header].items():
        if hasattr(library, name):  # one that an older library lacks is an error where it is called
            function = getattr(library, name)
            function.restype, function.argtypes = result, parameters


library = load(SONAME, "TESSERA_LIBRARY")
declare(library, "tessera")


def version() -> str:
    """"0.1.0", of the library that is there."""
    return str(library.tessera_version().decode())


if version().split(".")[:2] != c.VERSION.split(".")[:2]:
    raise ImportError(f"this package is for tessera {c.VERSION}, and {library._name} is {version()}")


# ---- Values for C

def path(value: PathLike, what: str) -> bytes:
    """A path as C has it."""
    if isinstance(value, (str, os.PathLike)):
        encoded = os.fsencode(value)
        if b"\0" not in encoded:
            return encoded
    raise TypeError(f"{what} is {value!r}; expected a path")


def optional_path(value: Optional[PathLike], what: str) -> Optional[bytes]:
    return None if value is None else path(value, what)


def text(value: Optional[str], what: str) -> Optional[bytes]:
    if value is None:
        return None
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{what} is {value!r}; expected a str")
    return value.encode("utf-8", "surrogateescape")


def whole(value: Optional[int], what: str) -> int:
    """An int of C; None: 0, which is the default's place."""
    if value is None:
        return 0
    try:
        number = value.__index__()
    except AttributeError:
        raise TypeError(f"{what} is {value!r}; expected an int") from None
    if not -(1 << 31) <= number < 1 << 31:
        raise of_code(c.tessera_code.USAGE, f"{what} is {number}, which is out of range")
    return number


def real(value: Optional[float], what: str) -> float:
    if value is None:
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} is {value!r}; expected a number") from None


def choice(kind: Any, value: str, what: str) -> int:
    """The number of an enumerator that is called so: "flip_always" of tessera_page_fault."""
    if isinstance(value, str):
        found = kind.__members__.get(value.upper().replace("-", "_"))
        if found is not None:
            return int(found)
    names = ", ".join(name.lower() for name in kind.__members__)
    raise of_code(c.tessera_code.USAGE, f"{what} is {value!r}; expected one of {names}")


# ---- Calls

class Handle:
    """What a call makes, freed when nothing needs it any more. place: for the call that fills it in."""

    def __init__(self, kind: str) -> None:
        self._free = getattr(library, f"tessera_{kind}_free")
        self.pointer = ctypes.POINTER(getattr(c, f"tessera_{kind}"))()

    @property
    def place(self) -> Any:
        return ctypes.byref(self.pointer)

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self._free(self.pointer)

    def report(self) -> Report:
        """Of the kind "report"."""
        said, data = library.tessera_report_text(self.pointer), library.tessera_report_json(self.pointer)
        return Report(said.decode("utf-8", "replace"), data.decode("utf-8", "replace"))


class _Interrupts:
    """While a call of C goes on, what a signal raises is kept for later: raised where a callback begins it would be lost."""

    def __init__(self) -> None:
        self.raised: Optional[BaseException] = None
        self._before: Any = None

    def _handler(self, number: int, frame: Optional[FrameType]) -> None:
        try:
            self._before(number, frame)
        except BaseException as raised:  # KeyboardInterrupt is none of Exception
            self.raised = self.raised or raised

    def __enter__(self) -> _Interrupts:
        if threading.current_thread() is threading.main_thread():  # where Python hears signals
            self._before = signal.getsignal(signal.SIGINT)
            try:
                if callable(self._before):
                    signal.signal(signal.SIGINT, self._handler)
            except ValueError:  # not the main interpreter
                self._before = None
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if callable(self._before):
            signal.signal(signal.SIGINT, self._before)


class _Listener:
    """The callbacks of one call."""

    def __init__(self, progress: Optional[ProgressCallback], names: dict[str, str], interrupts: _Interrupts) -> None:
        self.warnings: list[str] = []
        self.raised: Optional[BaseException] = None
        self._progress, self._interrupts = progress, interrupts
        self._names = {member.encode(): ctypes.create_string_buffer(name.encode()) for member, name in names.items()}
        self._callbacks = c.tessera_callbacks()
        types: dict[str, Any] = {field[0]: field[1] for field in c.tessera_callbacks._fields_}
        self._callbacks.message = types["message"](self._on_message)
        self._callbacks.progress = types["progress"](self._on_progress)
        self._callbacks.option = types["option"](self._on_option)
        self._callbacks.cancel = types["cancel"](self._on_cancel)
        self.pointer = ctypes.byref(self._callbacks)

    def _on_message(self, _: Any, kind: int, said: bytes) -> None:
        try:
            decoded = said.decode("utf-8", "replace")
            if kind == c.tessera_message_kind.WARNING:
                self.warnings.append(decoded)  # raised as warnings behind the call, since a filter may make errors of them
            else:
                _log.info("%s", decoded)
        except BaseException as raised:
            self.raised = self.raised or raised

    def _on_progress(self, _: Any, now: Any) -> None:
        if self._progress is None or self.raised is not None:
            return
        try:
            self._progress(c.Progress._of(now.contents))
        except BaseException as raised:
            self.raised = raised

    def _on_option(self, _: Any, member: bytes) -> Optional[int]:
        own = self._names.get(member)
        return ctypes.addressof(own) if own is not None else None

    def _on_cancel(self, _: Any) -> bool:
        return self.raised is not None or self._interrupts.raised is not None


HEAR = object()  # among the arguments of `call`: where the function takes callbacks


def call(name: str, *arguments: Any, progress: Optional[ProgressCallback] = None, names: Optional[dict[str, str]] = None) -> None:
    """tessera_NAME(arguments..., &error); raises its error. The interpreter is free for other threads meanwhile."""
    function = getattr(library, "tessera_" + name, None)
    if function is None:
        raise of_code(c.tessera_code.USAGE, f"{library._name}, which is tessera {version()}, has no tessera_{name}")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress is {progress!r}; expected a function")
    error = c.tessera_error()
    with _Interrupts() as interrupts:
        listener = _Listener(progress, names or {}, interrupts)
        code = function(*(listener.pointer if one is HEAR else one for one in arguments), ctypes.byref(error))
    for raised in (interrupts.raised, listener.raised):
        if raised is not None:
            raise raised
    for said in listener.warnings:
        warn(said, TesseraWarning)
    if code != c.tessera_code.OK:
        raise of_code(code, error.message.decode("utf-8", "replace"))


def warn(said: str, kind: type[Warning]) -> None:
    """As of the line that called the package."""
    level, frame = 1, sys._getframe()
    package = os.path.dirname(__file__)
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == package:
        level, frame = level + 1, frame.f_back
    warnings.warn(said, kind, stacklevel=level)


def remove_temporaries() -> None:
    """Removes the files and directories that calls have not finished, which carry on in vain: for the end of the process."""
    library.tessera_remove_temporaries()


def code_name(code: int) -> str:
    """What a code of tessera.h is called: "no such file"."""
    return str(library.tessera_code_name(int(code)).decode())
