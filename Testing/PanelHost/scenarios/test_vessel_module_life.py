"""The module across saved scenes, reloads, other modules and Slicer's own test.

Run by Testing/Python/test_panel.py in a process of its own.
"""

from __future__ import annotations

import unittest
from pathlib import Path

import pytest
import slicer


def testSceneFileKeepsTheParameters(panel, host, tmp_path):
    panel.ui.sampleButton.click()
    panel.ui.methodComboBox.currentIndex = 1
    panel.ui.opacitySlider.value = 0.25
    panel.session.node.transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Pose")
    host.settle()
    names = [box.currentNode().GetName() for box in (panel.ui.modelSelector, panel.ui.xraySelector)]
    assert slicer.util.saveScene(tmp_path / "saved.mrb")
    slicer.mrmlScene.Clear(False)
    host.settle()
    assert panel.ui.modelSelector.currentNode() is None
    assert panel.session.node.method == "pose"
    assert slicer.util.loadScene(tmp_path / "saved.mrb")
    host.settle()
    assert [box.currentNode().GetName() for box in (panel.ui.modelSelector, panel.ui.xraySelector)] == names
    assert panel.session.node.transform.GetName() == "Pose"
    assert panel.session.node.method == "affine"
    assert panel.ui.methodComboBox.currentIndex == 1
    assert panel.ui.opacitySlider.value == pytest.approx(0.25)
    assert panel.ui.registerButton.enabled is True
    assert len(panel.ui.reportBrowser.toPlainText()) > 100


def testLeavingAndComingBack(panel, host):
    panel.ui.sampleButton.click()
    model = panel.ui.modelSelector.currentNode()
    host.leave(panel)
    host.enter(panel)
    assert panel.ui.modelSelector.currentNode() is model
    assert panel.ui.registerButton.enabled is True


def testReload(panel, host):
    panel.ui.sampleButton.click()
    panel.onReload()
    host.settle()
    fresh = slicer.modules.VesselRegistrationWidget
    assert fresh is not panel
    assert type(fresh) is not type(panel)
    assert fresh.ui.modelSelector.currentNode() is panel.logic.getParameterNode().model
    assert fresh.ui.registerButton.enabled is True


def testWithoutMainWindow(panel, host, monkeypatch):
    """Slicer's generic test opens every module without a layout."""
    monkeypatch.setattr(type(host.application), "layoutManager", lambda self: None)
    panel.ui.sampleButton.click()
    assert panel.ui.registerButton.enabled is True


def testSlicersOwnPanelTest(panel):
    """The test that Slicer runs for the panel runs here too."""
    folder = Path(__file__).parents[3] / "VesselRegistration" / "Testing" / "Python"
    found = unittest.TestLoader().discover(str(folder), "VesselRegistrationPanelTest.py")
    assert found.countTestCases() == 4
    outcome = found.run(unittest.TestResult())
    assert [text for _, text in outcome.failures + outcome.errors] == []
    assert outcome.skipped == []
