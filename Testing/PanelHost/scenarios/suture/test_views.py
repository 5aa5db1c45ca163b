"""Suture Detection as it is really drawn: frame, points and stitches where they belong.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from suture_cases import SHAPE, SURE, ColourDetector, drawnFrame, writeFrames

FACTOR = 5


@pytest.fixture
def view(host, silence, moduleFile, tmp_path):
    """The panel after Detect, and its frame view with 5 x 5 pixels for each of the picture's."""
    from panelhost.scene_logics import sceneLogics

    logics = sceneLogics(slicer.mrmlScene)
    writeFrames(tmp_path / "frames")
    panel = host.openPanel(moduleFile)
    panel.logic._load = lambda source, device: ColourDetector()
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path / "frames")
    panel.ui.loadFolderButton.click()
    widget = slicer.app.layoutManager().sliceWidget("HybridOREndoscopy")
    widget.sliceView().resize(FACTOR * SHAPE[1], FACTOR * SHAPE[0])
    widget.sliceLogic().FitSliceToBackground()
    yield panel, widget.sliceView()
    host.close(panel)
    slicer.app.layoutManager().close()
    for logic in logics:
        logic.SetMRMLScene(None)


def spots(places: np.ndarray) -> np.ndarray:
    """View pixels (N, 2) of pixels (N, 2) of the frame."""
    return np.rint((np.asarray(places) + 0.5) * FACTOR - 0.5).astype(int)


def isThere(picture: np.ndarray, places: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """For each place (N, 2) of the frame whether the picture has a colour within 0.8 of the frame's pixels of it."""
    windows = [picture[row - 4:row + 5, col - 4:col + 5].reshape(-1, 3).astype(int) for col, row in spots(places)]
    return np.array([np.abs(window - colour).max(axis=1).min() < 30 for window in windows])


def testFramePointsAndStitchesAreDrawn(view, host):
    panel, frame = view
    plain, truth = drawnFrame(1)
    panel.ui.frameSlider.value = 1
    host.settle()
    before = frame.picture()
    enlarged = plain.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    assert np.abs(before.astype(int) - enlarged).mean() < 2.0
    assert np.abs(before[:, ::-1].astype(int) - enlarged).mean() > 2.0
    panel.ui.detectButton.click()
    host.settle()
    after = frame.picture()
    found = [True] * SURE + [False] * (len(truth) - SURE)
    assert list(isThere(after, truth[:, 0], (90, 220, 255))) == found
    assert list(isThere(after, truth[:, 1], (255, 200, 70))) == found
    assert list(isThere(after, truth.mean(axis=1), (235, 235, 235))) == found  # lines
    panel.ui.thresholdSlider.value = 0.95
    host.settle()
    assert np.abs(frame.picture().astype(int) - before).mean() < 0.1
