"""tessera: a trained Transformer (ONNX) becomes FPGA hardware.

    design = tessera.compile("encreg.onnx", "out/encreg", "zcu102", events="hits.csv", inputs="encreg.inputs.json")
    results = design.run(array, lengths)    # [events][tokens][features] -> [events][tokens][outputs], bit for bit what the hardware gives

Over the shared library libtessera, whose header tessera.h says all there is to a call; docs/python.md has examples. Errors are exceptions,
subclasses of tessera.Error; warnings are TesseraWarning, notes go to the logger "tessera". Calls let other threads run meanwhile; Ctrl-C
cancels them where they next say how far they are.
"""
from ._library import code_name, remove_temporaries, version
from ._report import Report
from ._structures import (
    DesignInfo, DeviceCounters, DeviceInfo, EngineInfo, Estimate, ModelInfo, Prediction, Progress, RunSummary, ScoreRow, Simulation,
    tessera_code as Code,
)
from .design import Design, Model, compile, devices, targets
from .device import Device, DeviceResult, run_version
from .engine import Engine, Results, run_file
from .errors import (
    BadFileError, CancelledError, DamagedError, DiffersError, DoesNotFitError, Error, InternalError, NoDeviceError, NoFileError, NotWrittenError,
    NotYetError, NoToolError, OutOfMemoryError, RefusedWarning, TesseraWarning, TimedOutError, UnsupportedError, UsageError,
)
from .events import Event, Events, generate, read_events
from .scores import Candidates, Scores, score

__version__ = version()
__all__ = [
    "BadFileError", "CancelledError", "Candidates", "Code", "DamagedError", "Design", "DesignInfo", "Device", "DeviceCounters", "DeviceInfo", "DeviceResult",
    "DiffersError", "DoesNotFitError", "Engine",
    "EngineInfo", "Error", "Estimate", "Event", "Events", "InternalError", "Model", "ModelInfo", "NoDeviceError", "NoFileError", "NoToolError", "NotWrittenError", "NotYetError",
    "OutOfMemoryError", "Prediction", "Progress", "RefusedWarning", "Report", "Results", "RunSummary", "ScoreRow", "Scores", "Simulation",
    "TesseraWarning", "TimedOutError", "UnsupportedError", "UsageError", "code_name", "compile", "devices", "generate", "read_events", "remove_temporaries",
    "run_file", "run_version", "score", "targets", "version",
]
