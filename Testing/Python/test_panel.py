"""The module's panel on a test host of PySide6 and slicer-core, in a process of its own.

A pass says that the panel's logic runs: Register greyed out or not, what is said to the user, what lands in the scene.
It does not say that the panel runs in Slicer; Slicer's own tests do that.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCENARIOS = Path(__file__).parents[1] / "PanelHost" / "scenarios"
FILES = ("test_host.py", "test_sample_data.py", "test_vessel_registration.py")
PACKAGES = "libegl1 libgl1 libxkbcommon0 libfontconfig1 libglib2.0-0 libdbus-1-3"
PROBE = "from PySide6 import QtWidgets, QtUiTools; QtWidgets.QApplication([]); import slicer"
ENVIRONMENT = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "2"}


def scenarios() -> list[str]:
    """The names of all scenarios, without importing them: file and function."""
    return [f"{file}::{node.name}" for file in FILES for node in ast.parse((SCENARIOS / file).read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, list[str]]:
    """For every scenario the failures of its cases; all run in one process, which may even crash."""
    probe = subprocess.run([sys.executable, "-c", PROBE], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if probe.returncode:
        reason = (probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
        pytest.skip(f"PySide6 does not load here ({reason}); on Debian install {PACKAGES} and pip install "
                    "PySide6-Essentials")
    report = tmp_path_factory.mktemp("panel") / "report.xml"
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}",
         "-o", "python_functions=test*", *(str(SCENARIOS / file) for file in FILES)],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=600)
    assert report.is_file(), f"The process of the panel ended with {run.returncode}:\n{run.stdout}\n{run.stderr}"
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2]}.py::{case.get('name', '').partition('[')[0]}"
        problems = [problem.text or "" for kind in ("failure", "error", "skipped") for problem in case.findall(kind)]
        found.setdefault(name, []).extend(problems)
    return found


@pytest.mark.parametrize("scenario", scenarios())
def test_panel(outcomes, scenario):
    assert scenario in outcomes, "The scenario did not run."
    assert not outcomes[scenario], "\n".join(outcomes[scenario])
