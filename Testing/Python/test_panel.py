"""The module's panel on a test host of PySide6 and slicer-core, in a process of its own.

A pass says that the panel's logic runs: Register greyed out or not, what is said to the user, what lands in the scene.
It does not say that the panel runs in Slicer; Slicer's own tests do that.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from separate_process import ENVIRONMENT, run_scenarios, scenario_names

FILES = ("test_host.py", "test_sample_data.py", "test_vessel_inputs.py", "test_vessel_segmentation.py",
         "test_vessel_registration.py", "test_vessel_results.py", "test_vessel_module_life.py")
PACKAGES = "libegl1 libgl1 libxkbcommon0 libfontconfig1 libglib2.0-0 libdbus-1-3"
PROBE = "from PySide6 import QtWidgets, QtUiTools; QtWidgets.QApplication([]); import slicer"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, list[str]]:
    """For every scenario the failures of its cases; all run in one process, which may even crash."""
    probe = subprocess.run([sys.executable, "-c", PROBE], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if probe.returncode:
        reason = (probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
        pytest.skip(f"PySide6 does not load here ({reason}); on Debian install {PACKAGES} and pip install "
                    "PySide6-Essentials")
    return run_scenarios(FILES, tmp_path_factory.mktemp("panel"))


@pytest.mark.parametrize("scenario", scenario_names(FILES))
def test_panel(outcomes, scenario):
    assert scenario in outcomes, "The scenario did not run."
    assert not outcomes[scenario], "\n".join(outcomes[scenario])
