"""The panel of Suture Detection on the test host, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from separate_process import ENVIRONMENT, run_scenarios, scenario_names
from test_panel import PACKAGES, PROBE

FILES = ("test_suture_detection.py",)


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
def test_suture_panel(outcomes, scenario):
    assert scenario in outcomes, "The scenario did not run."
    assert not outcomes[scenario], "\n".join(outcomes[scenario])
