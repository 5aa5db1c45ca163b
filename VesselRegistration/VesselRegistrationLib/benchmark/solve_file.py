"""Solves one case from a file in a process of its own, to see how much memory that takes. See ``memory``."""

import json
import resource
import sys
from pathlib import Path

import numpy as np

from ..geometry.carm import CArmView
from ..mesh.surface import SurfaceModel
from ..pose.confidence import assess
from ..pose.evidence import ViewEvidence
from ..pose.solver import PoseModel, solve_pose


def solve_file(path: str) -> None:
    """Solve and judge the case of a file and print the peak memory of this process in MiB."""
    with np.load(path) as case:
        views = [CArmView(**view) for view in json.loads(str(case["views"]))]
        evidence = [ViewEvidence.from_mask(view, mask) for view, mask in zip(views, case["masks"], strict=True)]
        model = SurfaceModel(case["vertices"], case["triangles"])
        assess(solve_pose(PoseModel(model), evidence, case["start"]), evidence)
    print(_peak_memory_mib())


def _peak_memory_mib() -> float:
    if sys.platform == "linux":
        # Linux hands the parent's ru_maxrss down to a child; the high water mark of its own memory is in /proc.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return float(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
