"""The panel of Suture Detection on an empty scene, with frames, and after Detect."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import slicer

MODULE_FILE = Path(__file__).parents[4] / "SutureDetection" / "SutureDetection.py"
sys.path[:0] = [str(Path(__file__).parent), str(MODULE_FILE.parent), str(MODULE_FILE.parents[1] / "VesselRegistration")]

from panel_user import said  # noqa: E402
from suture_cases import ColourDetector, writeFrames  # noqa: E402


@pytest.fixture(scope="session")
def moduleFile():
    """The module that the panel belongs to."""
    return MODULE_FILE


@pytest.fixture(scope="session")
def logics(host):
    """What Slicer has in every scene."""
    from panelhost.scene_logics import sceneLogics

    made = sceneLogics(slicer.mrmlScene)
    yield made
    for logic in made:
        logic.SetMRMLScene(None)


@pytest.fixture
def panel(host, silence, logics):
    """The panel of the module, open on an empty scene."""
    slicer.mrmlScene.Clear(False)
    yield host.openPanel(MODULE_FILE)
    widget = slicer.modules.SutureDetectionWidget
    host.close(widget)
    widget.parent.hide()
    slicer.mrmlScene.Clear(False)


@pytest.fixture
def detector(panel):
    """A detector in place of the networks."""
    found = ColourDetector()
    panel.logic._load = lambda source, device: found
    return found


@pytest.fixture
def truth(panel, detector, host, tmp_path):
    """The points (stitch, end, 2) of four frames that were loaded from a folder."""
    points = writeFrames(tmp_path / "frames")
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path / "frames")
    panel.ui.loadFolderButton.click()
    host.settle()
    return points


@pytest.fixture
def detected(panel, truth, host):
    """The same after Detect."""
    panel.ui.detectButton.click()
    host.settle()
    assert said(panel.ui.detectionMessageLabel) == ""
    return truth
