"""Start, Register, Undo; cancelled, and with the scene taken away meanwhile.

Run by Testing/Python/test_panel.py in a process of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_user import during, isSentence, said


def transforms() -> list:
    """The transforms of results; every slice view has a hidden one, and the start of the search is one."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLLinearTransformNode")
            if not node.GetHideFromEditors() and node.GetName() != "Start pose"]


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


@pytest.mark.parametrize("field", ["model", "xray"])
def testNodeDeletedDuringRegistration(panel, host, field):
    panel.ui.sampleButton.click()
    during(panel, lambda: slicer.mrmlScene.RemoveNode(getattr(panel.session.node, field)))
    panel.ui.registerButton.click()
    host.settle()
    assert isSentence(said(panel.ui.registrationMessageLabel))
    assert panel.ui.dataFrame.enabled is True


def testReloadDuringRegistration(panel, host):
    """The panel that goes away touches nothing any more; the new one is ready."""
    panel.ui.sampleButton.click()
    during(panel, panel.onReload)
    panel.ui.registerButton.click()
    host.settle()
    fresh = slicer.modules.VesselRegistrationWidget
    assert fresh is not panel
    assert fresh.ui.registerButton.enabled is True
    assert fresh.ui.registerButton.text == "Register"


def testNothingElseBeginsWhileSomethingRuns(panel, host):
    """While a registration runs every other step is greyed out; a click that comes all the same does nothing."""
    panel.ui.sampleButton.click()
    seen = []

    def click():
        seen.append([step.frame.enabled for step in panel.steps] + [panel.ui.findVesselsButton.enabled])
        for button in (panel.ui.findVesselsButton, panel.ui.sampleButton):
            button.enabled = True
            panel.steps[0].attempt(panel.steps[0]._loadSample)

    during(panel, click)
    panel.ui.registerButton.click()
    assert seen == [[False] * 7]
    assert len(slicer.util.getNodesByClass("vtkMRMLModelNode")) <= 40
    assert "Accepted" in said(panel.ui.statusLabel)


def testStartByHandAndByLandmarks(panel, host):
    """Sliders and transform are one; landmarks seen under a known pose bring that pose back."""
    from VesselRegistrationLib.scene.volumeBridge import ijkToRas, viewFromVolume

    panel.ui.sampleButton.click()
    node = panel.session.node
    panel.ui.startComboBox.currentIndex = 2
    panel.ui.shiftSSlider.value = 12.0
    panel.ui.turnASlider.value = 5.0
    pose = slicer.util.arrayFromTransformMatrix(node.startTransform)
    middle = np.array(node.model.GetPolyData().GetCenter())
    np.testing.assert_allclose(pose[:3, :3] @ middle + pose[:3, 3], [0.0, 0.0, 12.0], atol=1e-6)
    np.testing.assert_allclose(np.degrees(np.arccos((np.trace(pose[:3, :3]) - 1) / 2)), 5.0, atol=1e-6)
    panel.ui.resetStartButton.click()
    assert panel.ui.shiftSSlider.value == 0.0

    panel.ui.startComboBox.currentIndex = 1
    panel.ui.useLandmarksButton.enabled = True
    panel.ui.useLandmarksButton.click()
    assert isSentence(said(panel.ui.registrationMessageLabel))
    panel.ui.markModelButton.click()
    points = slicer.util.arrayFromModelPoints(node.model).astype(float)
    pixels, _ = viewFromVolume(node.xray).project(points @ pose[:3, :3].T + pose[:3, 3])
    points = points[(np.abs(pixels - 255.5) < 250).all(axis=1)]
    points = points[np.linspace(0, len(points) - 1, 5).astype(int)]
    for point in points:
        node.modelPoints.AddControlPoint(*point)
    panel.ui.markXrayButton.click()
    pixels, _ = viewFromVolume(node.xray).project(points @ pose[:3, :3].T + pose[:3, 3])
    for col, row in pixels:
        node.xrayPoints.AddControlPoint(*(ijkToRas(node.xray) @ [col, row, 0.0, 1.0])[:3])
    assert "5 on the model, 5 on the X-ray" in said(panel.ui.landmarksLabel)
    panel.ui.useLandmarksButton.click()
    assert "0.0 mm off" in said(panel.ui.registrationMessageLabel)
    found = slicer.util.arrayFromTransformMatrix(node.startTransform)
    np.testing.assert_allclose(points @ found[:3, :3].T + found[:3, 3], points @ pose[:3, :3].T + pose[:3, 3],
                               atol=0.5)
    panel.ui.clearLandmarksButton.click()
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode") == []


def testUndo(panel, host):
    """Undo brings the pose before back, and then none."""
    panel.ui.sampleButton.click()
    panel.ui.registerButton.click()
    first = slicer.util.arrayFromTransformMatrix(panel.session.node.transform)
    panel.ui.startComboBox.currentIndex = 2
    panel.ui.shiftSSlider.value = 200.0
    panel.ui.stayNearCheckBox.checked = True
    panel.ui.registerButton.click()
    assert "Accepted" not in said(panel.ui.statusLabel)
    panel.ui.undoButton.click()
    assert "Accepted" in said(panel.ui.statusLabel)
    np.testing.assert_allclose(slicer.util.arrayFromTransformMatrix(panel.session.node.transform), first)
    panel.ui.undoButton.click()
    assert panel.session.node.transform is None
    assert said(panel.ui.statusLabel) == ""
    assert "Register first" in said(panel.ui.reviewMessageLabel)


def testSecondViewSuggestedAndPreviewed(panel, host):
    """With one X-ray a second view is suggested, shown as if it were there, and forgotten when the pose moves."""
    panel.ui.sampleButton.click()
    assert panel.ui.adviseButton.isVisibleTo(panel.parent) is False
    panel.ui.secondXraySelector.setCurrentNode(None)
    host.settle()
    panel.ui.adviseButton.click()
    assert "shrinks the expected error" in said(panel.ui.adviceLabel)
    panel.ui.previewButton.click()
    assert panel.session.preview.GetName().startswith("As if ")
    drawn = panel.session.preview.GetNodeReference("HybridOR.silhouette")
    assert slicer.util.arrayFromVolume(drawn).any()
    panel.ui.startComboBox.currentIndex = 2
    panel.ui.shiftSSlider.value = 20.0
    host.settle()
    panel.session.refresh()
    assert panel.ui.previewButton.isVisibleTo(panel.parent) is False
    assert panel.session.preview is None
