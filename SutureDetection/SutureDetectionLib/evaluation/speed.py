"""Seconds and memory from picture to points, of two detectors in one run."""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
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
    """Median seconds from picture to points, and peak memory in MB above that of the bare program."""

    ours_s: float
    paper_s: float
    ours_mb: float
    paper_mb: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.paper_s / self.ours_s

    def as_text(self) -> str:
        """Two sentences. Only the ratios mean something on another machine."""
        return (f"Picture to points on {THREADS} threads, in turn: ours {1000 * self.ours_s:.0f} ms, the paper's "
                f"network as published with its read-out {1000 * self.paper_s:.0f} ms, {self.ratio:.1f} "
                f"times faster. Peak memory: {self.ours_mb:.0f} MB against {self.paper_mb:.0f} MB.")


def compare_speed(ours: "SutureDetector", paper: "SutureDetector", image: np.ndarray, repeats: int = 15) -> tuple[
        float, float]:
    """Median seconds of both on one image, run in turn so that a busy machine slows both."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    seconds: tuple[list[float], list[float]] = ([], [])
    try:
        for turn in range(_WARM_UP + repeats):
            for detector, taken in zip((ours, paper), seconds, strict=True):
                start = time.perf_counter()
                detector.detect(image)
                if turn >= _WARM_UP:
                    taken.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


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
