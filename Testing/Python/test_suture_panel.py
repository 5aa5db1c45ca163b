"""The panel of Suture Detection on the test host, and its views as they are drawn, each in a process of its own.

A pass says that the panel's logic runs; it does not say that the panel runs in Slicer.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from separate_process import ENVIRONMENT, HOST, run_scenarios, scenario_names
from test_panel import PACKAGES
from test_panel import PROBE as QT_PROBE
from test_rendered_views import PROBE as DRAWING_PROBE

PANEL = tuple(f"suture/test_{theme}.py" for theme in (
    "frames", "detection", "corrections", "labels", "fine_tuning", "space", "module_life"))
VIEWS = ("suture/test_views.py",)


@pytest.fixture(scope="module")
def has_qt() -> None:
    """Skip where PySide6 does not load."""
    probe = run(QT_PROBE)
    if probe.returncode:
        reason = (probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]
        pytest.skip(f"PySide6 does not load here ({reason}); on Debian install {PACKAGES} and pip install "
                    "PySide6-Essentials")


@pytest.fixture(scope="module")
def panel_outcomes(has_qt, tmp_path_factory) -> dict[str, list[str]]:
    """For every scenario the failures of its cases; all run in one process, which may even crash."""
    return run_scenarios(PANEL, tmp_path_factory.mktemp("panel"))


@pytest.fixture(scope="module")
def view_outcomes(has_qt, tmp_path_factory) -> dict[str, list[str]]:
    """The same for the views; skip where VTK cannot draw."""
    problem = run(DRAWING_PROBE).stdout.strip()
    if problem:
        pytest.skip(problem)
    return run_scenarios(VIEWS, tmp_path_factory.mktemp("views"))


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, cwd=HOST, capture_output=True, text=True,
                          check=False)


def check(outcomes: dict[str, list[str]], scenario: str) -> None:
    assert scenario in outcomes, "The scenario did not run."
    problems: Sequence[str] = outcomes[scenario]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("scenario", scenario_names(PANEL))
def test_suture_panel(panel_outcomes, scenario):
    check(panel_outcomes, scenario)


@pytest.mark.parametrize("scenario", scenario_names(VIEWS))
def test_suture_views(view_outcomes, scenario):
    check(view_outcomes, scenario)
