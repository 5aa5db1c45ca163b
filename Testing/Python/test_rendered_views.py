"""The views of the module as they are really drawn, offscreen, by slicer-core's displayable managers.

Rendered pixels are compared with projected points. A pass says nothing of Slicer's own widgets about the views.
"""

import subprocess
import sys

import pytest
from separate_process import ENVIRONMENT, HOST, run_scenarios, scenario_names

FILES = ("test_views.py",)
PROBE = "from panelhost.views import drawingProblem; print(drawingProblem())"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """For every scenario the failures of its cases."""
    probe = subprocess.run([sys.executable, "-c", PROBE], env=ENVIRONMENT, cwd=HOST, capture_output=True, text=True,
                           check=True)
    if probe.stdout.strip():
        pytest.skip(probe.stdout.strip())
    return run_scenarios(FILES, tmp_path_factory.mktemp("views"))


@pytest.mark.parametrize("scenario", scenario_names(FILES))
def test_view(outcomes, scenario):
    assert scenario in outcomes, "The scenario did not run."
    assert not outcomes[scenario], "\n".join(outcomes[scenario])
