"""What goes wrong, as exceptions: one class for each code of tessera.h, which are builtin exceptions, too, where there is one that fits."""
from __future__ import annotations

from ._structures import tessera_code as Code


class Error(Exception):
    """A call failed: the message says what is wrong, where, and what to do."""

    code: Code = Code.FAILED

    @property
    def message(self) -> str:
        """What is wrong, where, and what to do."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        return self.message


class UsageError(Error, ValueError):
    """Arguments that contradict each other, or a value that is out of range."""

    code = Code.USAGE


class NoFileError(Error, FileNotFoundError):
    """A file or directory is not there or may not be read."""

    code = Code.NO_FILE


class BadFileError(Error, ValueError):
    """A file is there and is not what it should be: syntax, truncated, columns, values."""

    code = Code.BAD_FILE


class UnsupportedError(Error, NotImplementedError):
    """The model is understood, but cannot be built."""

    code = Code.UNSUPPORTED


class DoesNotFitError(Error):
    """A device, a memory or a limit of time is too small."""

    code = Code.DOES_NOT_FIT


class OutOfMemoryError(Error, MemoryError):
    """Of this machine; what the call had made is given back."""

    code = Code.OUT_OF_MEMORY


class NotWrittenError(Error, OSError):
    """An output could not be written: disk full, no permission, somebody else's directory."""

    code = Code.NOT_WRITTEN


class DamagedError(Error):
    """A compiled design that lacks files, was altered, or does not belong to its model."""

    code = Code.DAMAGED


class DiffersError(Error):
    """Hardware that is not what was promised: results differ, or what synthesis finds does.

    result: what the call would have returned (a Simulation or a Report), with what differs.
    """

    code = Code.DIFFERS
    result: object = None


class NoToolError(Error):
    """Verilator or Yosys is missing, or fails."""

    code = Code.NO_TOOL


class InternalError(Error):
    """A bug in tessera: please report it."""

    code = Code.INTERNAL


class CancelledError(Error):
    """The call was cancelled. What cancelled it is raised instead: KeyboardInterrupt, or the exception of a `progress`."""

    code = Code.CANCELLED


class NotYetError(Error, TimeoutError):
    """Of a Device: there was no room, or no result, in the time given: ask again."""

    code = Code.NOT_YET


class TimedOutError(Error, TimeoutError):
    """A device did not do in its time what it should."""

    code = Code.TIMED_OUT


class NoDeviceError(Error, OSError):
    """A device is not there, is of another build, or answers with errors."""

    code = Code.NO_DEVICE


class TesseraWarning(UserWarning):
    """What is likely to be wrong, and yet no error."""


class RefusedWarning(TesseraWarning):
    """Events have more hits than the design takes; their results are NaN."""


_CLASSES: dict[int, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}


def of_code(code: int, message: str) -> Error:
    """The exception for a code of tessera.h."""
    if code in _CLASSES:
        return _CLASSES[code](message)
    error = Error(message)
    if code in Code._value2member_map_:
        error.code = Code(code)
    return error
