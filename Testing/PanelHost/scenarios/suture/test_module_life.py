"""The module across saved scenes, reloads, other modules and Slicer's own test.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

import pytest
import slicer
from shown_points import assertSamePoints, nodeOf, pixels, series
from suture_cases import SURE, writeLabels


def testSceneFileKeepsEverything(panel, detected, host, tmp_path):
    nodeOf(panel, "entries").RemoveNthControlPoint(0)
    panel.ui.thresholdSlider.value = 0.2
    writeLabels(tmp_path / "labels", detected)
    panel.logic.loadLabels(panel.session.node.volume, tmp_path / "labels")
    host.settle()
    assert slicer.util.saveScene(tmp_path / "saved.mrb")
    slicer.mrmlScene.Clear(False)
    host.settle()
    assert panel.ui.volumeSelector.currentNode() is None
    assert slicer.util.loadScene(tmp_path / "saved.mrb")
    host.settle()
    assert panel.ui.thresholdSlider.value == pytest.approx(0.2)
    assert series(panel).count == 4 and "frame_000.png" in panel.ui.frameLabel.text
    assert panel.logic.corrected(panel.session.node.volume) == [0]
    assert len(pixels(panel, "entries")) == SURE - 1
    assert panel.logic.compare(panel.session.node.volume) is not None
    panel.ui.frameSlider.value = 3
    host.settle()
    assertSamePoints(pixels(panel, "exits"), detected[3][:, 1])
    panel.ui.thresholdSlider.value = 0.6
    assertSamePoints(pixels(panel, "exits"), detected[3][:SURE, 1])
    nodeOf(panel, "exits").RemoveNthControlPoint(0)
    assert panel.logic.corrected(panel.session.node.volume) == [0, 3]
    names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")]
    assert len(names) == len(set(names)) == 3


def testReloadLeaveAndNoWindow(panel, detected, host, monkeypatch):
    volume = panel.session.node.volume
    host.leave(panel)
    host.enter(panel)
    assert panel.ui.volumeSelector.currentNode() is volume
    panel.onReload()
    host.settle()
    fresh = slicer.modules.SutureDetectionWidget
    assert type(fresh) is not type(panel) and fresh.session.node.volume is volume
    assert len(pixels(fresh, "entries")) == SURE
    monkeypatch.setattr(type(host.application), "layoutManager", lambda self: None)
    fresh.session.node.volume = None
    fresh.session.node.volume = volume
    assert fresh.ui.thresholdSlider.enabled is True


def testSlicersOwnTest(panel):
    """What Slicer runs as the module's self-test; without a network it says so and ends."""
    slicer.selfTests["SutureDetection"]()
