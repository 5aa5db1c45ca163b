"""Fine-tuning in a process of its own: the command ``suture-detection train`` on frames labelled in the scene."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import slicer
import VesselRegistrationLib
from VesselRegistrationLib.errors import UserError

FRAMES_FOLDER, NETWORK_FOLDER = "frames", "network"
"""What a fine-tuning writes into its folder: the labelled frames, and the training, which serves as weights."""

_PROGRAM = "import sys; from SutureDetectionLib.cli.main import main; sys.exit(main(sys.argv[1:]))"
_GRACE_S = 5.0

Launcher = Callable[[Sequence[str]], subprocess.Popen]


def trainingArguments(folder: Path, steps: int, weights: Path | None, device: str) -> list[str]:
    """The command line for the frames in a fine-tuning's folder; ``weights`` None begins with the shipped network."""
    arguments = ["train", "--labels", str(folder / FRAMES_FOLDER), "--out", str(folder / NETWORK_FOLDER),
                 "--steps", str(steps), "--device", device]
    return arguments + ([] if weights is None else ["--weights", str(weights)])


def launchTraining(arguments: Sequence[str]) -> subprocess.Popen:
    """Start Slicer's own Python with the command line of this module."""
    folders = [str(Path(__file__).parents[2]), str(Path(VesselRegistrationLib.__file__).parents[1])]
    paths = os.pathsep.join([*folders, *filter(None, [os.environ.get("PYTHONPATH")])])
    python = shutil.which("PythonSlicer") or sys.executable
    return slicer.util.launchConsoleProcess([python, "-c", _PROGRAM, *arguments], useStartupEnvironment=False,
                                            updateEnvironment={"PYTHONPATH": paths, "OMP_WAIT_POLICY": "passive"})


class FineTuning:
    """A fine-tuning that runs."""

    def __init__(self, folder: Path, steps: int, process: subprocess.Popen) -> None:
        """``process`` trains into ``folder``."""
        self.folder, self._steps, self._process = folder, steps, process
        self.cancelled = False

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def fraction(self) -> float:
        """How much of the training is done, 0 to 1."""
        from VesselRegistrationLib.training.log import read_log

        try:
            rows = read_log(self.folder / NETWORK_FOLDER)
        except UserError:  # the log begins with the training
            return 0.0
        return min(1.0, int(rows[-1]["step"]) / self._steps) if rows else 0.0

    def cancel(self) -> None:
        """End the process; the training's last checkpoint stays."""
        self.cancelled = True
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def result(self) -> tuple[Path, str]:
        """The trained network's folder and what the training said at its end. Raises UserError where it failed."""
        lines = [line for line in (self._process.communicate()[0] or "").splitlines() if line.strip()]
        if self.cancelled:
            raise UserError("The fine-tuning was cancelled: its frames stay in its folder.")
        if self._process.returncode:
            raise UserError(lines[-1] if lines else f"The fine-tuning ended with code {self._process.returncode}: "
                            "see its folder.")
        return self.folder / NETWORK_FOLDER, next((line for line in lines if line.startswith("On ")), "")
