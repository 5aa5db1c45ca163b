"""What networks can run on here, told without loading PyTorch: that takes seconds."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DeviceReport:
    """``cuda`` is whether CUDA can be chosen, ``words`` one sentence about what is there."""

    cuda: bool
    words: str


def device_report() -> DeviceReport:
    """What is there. A PyTorch with CUDA that is not loaded yet is believed until it is first used."""
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        if torch.cuda.is_available():
            return DeviceReport(True, f"CUDA device: {torch.cuda.get_device_name(0)}.")
        return DeviceReport(False, "No CUDA device here: networks run on the processor.")
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return DeviceReport(False, "PyTorch is not installed yet.")
    libraries = list((Path(found.origin).parent / "lib").glob("*torch_cuda*"))
    if libraries:
        return DeviceReport(True, "Whether there is a CUDA device shows when a network first runs.")
    return DeviceReport(False, "This PyTorch is for processors only.")
