"""Peak memory of the solver, in a process that does nothing else."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..errors import UserError
from .cases import CaseSpec, build_case

_PACKAGE = __name__.split(".", maxsplit=1)[0]
_PACKAGE_PARENT = Path(__file__).resolve().parents[2]


def peak_memory_mib(spec: CaseSpec) -> float | None:
    """Peak resident memory, MiB, of a fresh Python that loads a case and solves it; None where it cannot be measured.

    It counts the interpreter and all libraries. Windows has no such measure in Python's standard library.
    """
    if sys.platform == "win32":
        return None
    case = build_case(spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.npz"
        views = json.dumps([asdict(view) for view in case.geometry.views])
        np.savez(path, vertices=case.anatomy.model.vertices, triangles=case.anatomy.model.triangles,
                 masks=np.array(case.masks), start=case.geometry.start, views=np.array(views))
        command = f"import sys; from {_PACKAGE}.benchmark.solve_file import solve_file; solve_file(sys.argv[1])"
        paths = [str(_PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
        child = subprocess.run([sys.executable, "-c", command, str(path)], capture_output=True, text=True, check=False,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"})
    if child.returncode != 0:
        raise UserError("The memory of the solver could not be measured, its process failed: run the benchmark again "
                        "with --debug.")
    return float(child.stdout)
