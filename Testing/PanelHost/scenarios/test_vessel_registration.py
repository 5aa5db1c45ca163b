"""What a user does with the panel of Vessel Registration, in the right order and in wrong ones.

Run by Testing/Python/test_panel.py in a process of its own. A pass says that the panel's logic runs, not that it runs
in Slicer.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import slicer

WORDS = re.compile(r"<[^>]+>")


def said(label) -> str:
    """The text of a label without its markup."""
    return WORDS.sub(" ", label.text).strip()


def isSentence(text: str) -> bool:
    """Whether a text reads as words for a user, not as a traceback or a Python exception."""
    return len(text.split()) >= 2 and not re.search("Traceback|Error:|This is a bug", text)


def transforms() -> list:
    """The transforms of results; every slice view has a hidden one, and the start of the search is one."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLLinearTransformNode")
            if not node.GetHideFromEditors() and node.GetName() != "Start pose"]


def during(widget, action) -> None:
    """Do ``action`` once, when the registration that is started next first shows its progress."""
    original, done = widget.session.showProgress, []

    def show(fraction, text):
        original(fraction, text)
        if not done:
            done.append(True)
            action()

    widget.session.showProgress = show


def testEmptySceneSaysWhatIsMissing(panel):
    assert panel.ui.registerButton.enabled is False
    tip = panel.ui.registerButton.toolTip
    assert "model" in tip.lower()
    assert isSentence(tip)
    assert panel.ui.modelSelector.currentNode() is None
    assert panel.ui.xraySelector.currentNode() is None


def testModelAloneAsksForTheXray(panel, host):
    panel.ui.sampleButton.click()
    panel.ui.secondXraySelector.setCurrentNode(None)
    panel.ui.xraySelector.setCurrentNode(None)
    host.settle()
    assert panel.ui.registerButton.enabled is False
    assert "x-ray" in panel.ui.registerButton.toolTip.lower()


def testSecondViewAloneAsksForTheXray(panel, host):
    panel.ui.sampleButton.click()
    panel.ui.xraySelector.setCurrentNode(None)
    host.settle()
    assert panel.ui.registerButton.enabled is False
    assert "x-ray" in panel.ui.registerButton.toolTip.lower()


def testSampleCaseFillsTheSelectors(panel, host):
    panel.ui.sampleButton.click()
    host.settle()
    assert panel.ui.modelSelector.currentNode().GetPolyData().GetNumberOfCells() > 100
    assert panel.ui.xraySelector.currentNode().GetImageData() is not None
    assert panel.ui.secondXraySelector.currentNode() is not panel.ui.xraySelector.currentNode()
    assert len(panel.ui.reportBrowser.toPlainText()) > 100
    assert panel.ui.registerButton.enabled is True
    assert panel.ui.sidSpinBox.value > panel.ui.sodSpinBox.value > 0


def testLoadWithoutFileIsSaidInThePanel(panel):
    panel.ui.loadModelButton.click()
    assert isSentence(said(panel.ui.dataMessageLabel))
    panel.ui.loadXrayButton.click()
    assert isSentence(said(panel.ui.dataMessageLabel))


def testFilesThatAreNoneAreSaidInThePanel(panel, tmp_path):
    text = tmp_path / "model.vtp"
    text.write_text("not a model")
    panel.ui.modelPathLineEdit.currentPath = str(text)
    panel.ui.loadModelButton.click()
    assert isSentence(said(panel.ui.dataMessageLabel))
    panel.ui.xrayPathLineEdit.currentPath = str(tmp_path / "missing.dcm")
    panel.ui.loadXrayButton.click()
    assert isSentence(said(panel.ui.dataMessageLabel))
    assert panel.ui.registerButton.enabled is False


def testRegisterTwice(panel, host):
    """The whole way on the sample case; a second registration replaces the first one's nodes."""
    panel.ui.sampleButton.click()
    panel.ui.registerButton.click()
    host.settle()
    assert "Accepted" in said(panel.ui.statusLabel)
    assert "Dice" in said(panel.ui.measuresLabel)
    assert panel.ui.registerButton.text == "Register"
    assert panel.ui.registerButton.enabled is True
    assert panel.ui.registrationFrame.enabled is True
    [transform] = transforms()
    assert panel.session.node.transform is transform
    first = slicer.util.arrayFromTransformMatrix(transform)
    assert not np.allclose(first, np.eye(4))
    panel.ui.registerButton.click()
    assert "Accepted" in said(panel.ui.statusLabel)
    [again] = transforms()
    np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(again), first, atol=0.5)


def testCancel(panel, host):
    panel.ui.sampleButton.click()
    seen = []

    def cancel():
        seen.append((panel.ui.registerButton.text, panel.ui.registrationFrame.enabled))
        panel.ui.registerButton.click()

    during(panel, cancel)
    panel.ui.registerButton.click()
    assert seen == [("Cancel", False)]
    assert isSentence(said(panel.ui.registrationMessageLabel))
    assert transforms() == []
    assert panel.ui.registerButton.text == "Register"
    assert panel.ui.registrationFrame.enabled is True


def testSceneClosedDuringRegistration(panel, host):
    panel.ui.sampleButton.click()
    during(panel, lambda: slicer.mrmlScene.Clear(False))
    panel.ui.registerButton.click()
    host.settle()
    assert isSentence(said(panel.ui.registrationMessageLabel))
    assert transforms() == []
    assert panel.ui.registerButton.enabled is False
    assert panel.ui.modelSelector.currentNode() is None


@pytest.mark.parametrize("selector", ["modelSelector", "xraySelector"])
def testNodeDeletedWhileSelected(panel, host, selector):
    panel.ui.sampleButton.click()
    panel.ui.secondXraySelector.setCurrentNode(None)
    slicer.mrmlScene.RemoveNode(getattr(panel.ui, selector).currentNode())
    host.settle()
    box = getattr(panel.ui, selector)
    if box.currentNode() is None:
        assert panel.ui.registerButton.enabled is False
        assert isSentence(panel.ui.registerButton.toolTip)
    else:  # another node of the kind took its place
        assert panel.session.node.getValue("model" if selector == "modelSelector" else "xray") is box.currentNode()


@pytest.mark.parametrize("field", ["model", "xray"])
def testNodeDeletedDuringRegistration(panel, host, field):
    panel.ui.sampleButton.click()
    during(panel, lambda: slicer.mrmlScene.RemoveNode(getattr(panel.session.node, field)))
    panel.ui.registerButton.click()
    host.settle()
    assert isSentence(said(panel.ui.registrationMessageLabel))
    assert panel.ui.dataFrame.enabled is True


def testRegionPlacedAndDropped(panel, host):
    panel.ui.sampleButton.click()
    panel.ui.placeRoiButton.click()
    assert len(slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")) == 1
    assert panel.session.node.roi is slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")[0]
    panel.ui.wholeImageButton.click()
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsROINode") == []
    assert panel.session.node.roi is None


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
