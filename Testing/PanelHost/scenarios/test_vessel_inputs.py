"""Model, X-ray and geometry come in, and what is none is refused in words.

Run by Testing/Python/test_panel.py in a process of its own.
"""

from __future__ import annotations

import pytest
import slicer
from panel_user import isSentence, said


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


def testRegionPlacedAndDropped(panel, host):
    panel.ui.sampleButton.click()
    panel.ui.placeRoiButton.click()
    assert len(slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")) == 1
    assert panel.session.node.roi is slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")[0]
    panel.ui.wholeImageButton.click()
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsROINode") == []
    assert panel.session.node.roi is None


def testGeometryIsGivenAndTakenBack(panel, host):
    """A value that the user gives is named as such; an impossible one is refused in a sentence."""
    panel.ui.sampleButton.click()
    header = panel.ui.sidSpinBox.value
    assert "(0018,1110)" in said(panel.ui.sidSourceLabel)
    panel.ui.sidSpinBox.value = header + 10
    assert "given by the user" in said(panel.ui.sidSourceLabel)
    panel.ui.sidSpinBox.value = panel.ui.sodSpinBox.value - 50
    assert isSentence(said(panel.ui.dataMessageLabel) + said(panel.ui.projectionMessageLabel))
    panel.ui.sidSpinBox.value = panel.ui.sidSpinBox.minimum
    assert panel.ui.sidSpinBox.value == header
    assert "(0018,1110)" in said(panel.ui.sidSourceLabel)
    panel.ui.viewComboBox.currentIndex = 1
    assert panel.ui.sidSpinBox.value != header
