"""Seconds and memory from picture to points, of two detectors in one run."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import HEIGHT, WIDTH

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector

THREADS = 2
_WARM_UP = 3


@dataclass(frozen=True)
class SpeedComparison:
    """Median seconds from picture to points, and peak memory in MB above that of the bare program.

    ``openvino_s`` is ours by OpenVINO, None where that is not installed.
    """

    ours_s: float
    paper_s: float
    openvino_s: float | None
    ours_mb: float
    paper_mb: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.paper_s / self.ours_s

    def as_text(self) -> str:
        """Two sentences. Only the ratios mean something on another machine."""
        faster = (f"; by OpenVINO {1000 * self.openvino_s:.0f} ms, {self.paper_s / self.openvino_s:.1f} times"
                  if self.openvino_s is not None else "")
        return (f"Picture to points on {THREADS} threads, in turn: the paper's network as published with its read-out "
                f"{1000 * self.paper_s:.0f} ms; ours {1000 * self.ours_s:.0f} ms, {self.ratio:.1f} times faster"
                f"{faster}. Peak memory: {self.ours_mb:.0f} MB against the paper's {self.paper_mb:.0f} MB.")


def compare_speed(ours: "SutureDetector", paper: "SutureDetector", image: np.ndarray) -> SpeedComparison:
    """Time both on one image, and ours by OpenVINO where it is installed; memory in processes of their own."""
    from ..detection.detector import SutureDetector

    detectors = [ours, paper]
    if find_spec("openvino") is not None:
        detectors.append(SutureDetector(ours.network, ours.threshold, ours.origin, "cpu", "openvino"))
    seconds = median_seconds(detectors, image)
    return SpeedComparison(seconds[0], seconds[1], seconds[2] if len(seconds) == 3 else None, peak_memory_mb("ours"),
                           peak_memory_mb("paper"))


def median_seconds(detectors: Sequence["SutureDetector"], image: np.ndarray, repeats: int = 15) -> list[float]:
    """Median seconds of each detector on one image, run in turn so that a busy machine slows all of them."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    seconds: list[list[float]] = [[] for _ in detectors]
    try:
        for turn in range(_WARM_UP + repeats):
            for detector, taken in zip(detectors, seconds, strict=True):
                start = time.perf_counter()
                detector.detect(image)
                if turn >= _WARM_UP:
                    taken.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return [statistics.median(taken) for taken in seconds]


def untrained_peer() -> "SutureDetector":
    """The paper's variant 1 with random weights: as fast as a trained one."""
    from ..detection.detector import Origin, SutureDetector
    from ..networks.suture_unet import VARIANT_1, SutureUNet

    return SutureDetector(SutureUNet(VARIANT_1), 0.5, Origin("untrained", "", {"variant": VARIANT_1}), "cpu")


def peak_memory_mb(network: str) -> float:
    """Memory that detection takes in a process of its own, in MB: "ours" or "paper". NaN where it is not told."""
    done = subprocess.run([sys.executable, "-m", "SutureDetectionLib.evaluation.speed", network], capture_output=True,
                          text=True, check=False, cwd=Path(__file__).parents[2], env=_environment())
    try:
        return float(done.stdout.split()[-1])
    except (ValueError, IndexError):
        return float("nan")


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def _measure(network: str) -> None:
    """Print by how many MB the memory grows at most while pictures are worked on (Linux tells)."""
    import torch

    from ..detection.detector import Origin, SutureDetector
    from ..networks.stitch_net import StitchNet

    torch.set_num_threads(THREADS)
    detector = SutureDetector(StitchNet(), 0.5, Origin("", "", {}), "cpu") if network == "ours" else untrained_peer()
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    before = _status_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    for _ in range(3):
        detector.detect(image, 0.99)
    print(_status_mb("VmHWM") - before)


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    _measure(sys.argv[1])
