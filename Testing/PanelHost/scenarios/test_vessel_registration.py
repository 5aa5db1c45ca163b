"""What a user does with the panel of Vessel Registration, in the right order and in wrong ones.

Run by Testing/Python/test_panel.py in a process of its own. A pass says that the panel's logic runs, not that it runs
in Slicer.
"""

from __future__ import annotations

import re
import unittest
from pathlib import Path

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


def testVesselsFoundThresholdedAndEdited(panel, host):
    """The mask of step 3 follows the threshold, can be edited, and is the one that is registered."""
    panel.ui.sampleButton.click()
    panel.ui.findVesselsButton.click()
    xray = panel.session.node.xray
    mask = xray.GetNodeReference("HybridOR.mask")
    half = int(slicer.util.arrayFromVolume(mask).sum())
    assert half > 1000
    assert panel.ui.maskCheckBox.checked
    panel.ui.thresholdSlider.value = 0.9
    assert 0 < slicer.util.arrayFromVolume(mask).sum() < half
    panel.ui.editMaskButton.click()
    assert host.notice.modulesOpened == ["SegmentEditor"]
    edited = slicer.modules.segmenteditor.segmentationNode
    assert slicer.modules.segmenteditor.sourceVolumeNode is xray
    assert panel.ui.thresholdSlider.enabled is False
    edited.GetSegmentation().RemoveSegment(edited.GetSegmentation().GetNthSegmentID(0))
    edited.GetSegmentation().AddEmptySegment("nothing", "nothing")
    panel.ui.registerButton.click()
    assert "covers only 0.00 %" in said(panel.ui.registrationMessageLabel)
    panel.ui.dropEditsButton.click()
    assert panel.ui.thresholdSlider.enabled is True
    assert 0 < slicer.util.arrayFromVolume(mask).sum() < half
    panel.ui.frameSpinBox.value = panel.ui.frameSpinBox.value - 1
    assert "finds the vessels itself" in said(panel.ui.segmentationMessageLabel)


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


def testReportPoseAndDicomSaved(panel, host, tmp_path):
    panel.ui.sampleButton.click()
    panel.ui.registerButton.click()
    panel.ui.saveReportButton.click()
    assert isSentence(said(panel.ui.reviewMessageLabel))
    assert "folder" in said(panel.ui.reviewMessageLabel)
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path)
    for button in (panel.ui.saveReportButton, panel.ui.savePoseButton, panel.ui.saveDicomButton):
        button.click()
        assert said(panel.ui.reviewMessageLabel).startswith("Saved in")
    report, = (folder for folder in tmp_path.iterdir() if (folder / "report.html").exists())
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "Accepted" in page
    pictures = re.findall('<img src="([^"]+)"', page)
    assert len(pictures) == 4
    assert all((report / name).stat().st_size > 10_000 for name in pictures)
    assert {"result.json", "model_to_world.h5", "registered_model.vtp", "registration.mrb"} <= {
        path.name for path in report.iterdir()}
    pose, = (folder for folder in tmp_path.iterdir() if folder.name.startswith("vessel-registration-pose"))
    assert {path.name for path in pose.iterdir()} == {"model_to_world.h5", "registered_model.vtp"}
    dicom, = (folder for folder in tmp_path.iterdir() if folder.name.startswith("vessel-registration-dicom"))
    assert (dicom / "registration.dcm").exists() or len(list(dicom.glob("*.dcm"))) >= 3


def testReportAfterReloadOfTheScene(panel, host, tmp_path):
    """What a saved scene holds is enough for the verdict and the report."""
    panel.ui.sampleButton.click()
    panel.ui.secondXraySelector.setCurrentNode(None)
    panel.ui.registerButton.click()
    verdict = said(panel.ui.statusLabel)
    assert slicer.util.saveScene(tmp_path / "saved.mrb")
    slicer.mrmlScene.Clear(False)
    host.settle()
    assert said(panel.ui.statusLabel) == ""
    assert slicer.util.loadScene(tmp_path / "saved.mrb")
    host.settle()
    assert said(panel.ui.statusLabel) == verdict
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path)
    panel.ui.saveReportButton.click()
    assert said(panel.ui.reviewMessageLabel).startswith("Saved in")


def testTrackReplayAndLive(panel, host):
    """The run is followed, replay moves the model, and live mode follows images that change."""
    panel.ui.sampleButton.click()
    assert panel.ui.trackButton.enabled is False
    assert "Register" in said(panel.ui.cineMessageLabel)
    panel.ui.registerButton.click()
    node = panel.session.node
    registered = slicer.util.arrayFromTransformMatrix(node.transform)
    panel.ui.trackButton.click()
    assert "Followed in" in said(panel.ui.cineMessageLabel)
    assert node.transform is not None
    shown = panel.ui.frameSpinBox.value
    matrices = []
    for number in (0, 9, shown):
        panel.ui.replaySlider.value = number
        host.settle()
        assert panel.session.logic.frameRange(node.xray)[0] == number
        assert f"Frame {number}" in said(panel.ui.frameVerdictLabel)
        matrices.append(slicer.util.arrayFromTransformMatrix(node.transform))
    assert node.transform is not None
    assert not np.allclose(matrices[0], matrices[1], atol=1e-3)
    np.testing.assert_allclose(matrices[2], registered, atol=1.0)

    panel.ui.liveButton.click()
    host.settle()
    before = slicer.util.arrayFromTransformMatrix(node.transform)
    panel.session.logic.showFrame(node.xray, shown + 1)
    panel.session.logic.showFrame(node.xray, shown - 1)
    host.settle()
    assert "1 followed" in said(panel.ui.liveLabel)
    assert "1 dropped" in said(panel.ui.liveLabel)
    assert not np.array_equal(slicer.util.arrayFromTransformMatrix(node.transform), before)
    panel.ui.liveButton.click()
    assert panel.ui.liveLabel.isVisibleTo(panel.parent) is False
    assert "Accepted" in said(panel.ui.statusLabel)


def testGradCamShown(panel, host):
    """What the network looked at lies over the X-ray while the box is ticked, and the model afterwards."""
    panel.ui.sampleButton.click()
    assert panel.ui.gradCamCheckBox.enabled is False
    panel.ui.findVesselsButton.click()
    panel.ui.gradCamCheckBox.checked = True
    heat = panel.session.node.xray.GetNodeReference("HybridOR.gradCam")
    values = slicer.util.arrayFromVolume(heat)
    assert values.max() > 0.8
    assert values.min() == 0.0
    composite = host.application.layoutManager().sliceWidget("HybridORXray1").sliceLogic().GetSliceCompositeNode()
    assert composite.GetForegroundVolumeID() == heat.GetID()
    panel.ui.gradCamCheckBox.checked = False
    assert composite.GetForegroundVolumeID() != heat.GetID()


def testDevicesShownAndHidden(panel, host):
    """A curve with its tip lies where the device is, in the view of its own X-ray."""
    from VesselRegistrationLib.catheters.tracing import trace_devices
    from VesselRegistrationLib.scene.deviceBridge import devicesOf, showDevices
    from VesselRegistrationLib.scene.volumeBridge import ijkToRas

    panel.ui.sampleButton.click()
    xray = panel.session.node.xray
    drawn = np.zeros((512, 512), np.float32)
    drawn[200:512, 300:304] = 1.0
    showDevices(xray, trace_devices(drawn))
    panel.session.refresh()
    curve, tip = devicesOf(xray)
    pixel = np.linalg.inv(ijkToRas(xray)) @ [*tip.GetNthControlPointPositionVector(0), 1.0]
    np.testing.assert_allclose(pixel[:2], [301.5, 200.0], atol=3.0)
    assert curve.GetNumberOfControlPoints() > 5
    assert panel.ui.devicesCheckBox.isVisibleTo(panel.ui.segmentationFrame) is True
    panel.ui.devicesCheckBox.checked = False
    assert curve.GetDisplayNode().GetVisibility() == 0


def testDevicesOfTheSampleCaseFound(panel, host):
    """One click with the shipped network shows the wire that goes up the sample's left leg."""
    from VesselRegistrationLib.scene.deviceBridge import devicesOf

    panel.ui.sampleButton.click()
    assert panel.ui.findDevicesButton.enabled is True
    panel.ui.findDevicesButton.click()
    curves = [node for node in devicesOf(panel.session.node.xray) if node.IsA("vtkMRMLMarkupsCurveNode")]
    assert 1 <= len(curves) <= 4
    assert max(curve.GetCurveLengthWorld() for curve in curves) > 30.0


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


def testSceneClosedDuringTrackingAndLive(panel, host):
    panel.ui.sampleButton.click()
    panel.ui.secondXraySelector.setCurrentNode(None)
    panel.ui.registerButton.click()
    panel.ui.liveButton.click()
    assert panel.steps[-1].live.running
    slicer.mrmlScene.Clear(False)
    host.settle()
    assert panel.steps[-1].live.running is False
    assert panel.ui.liveButton.checked is False
    panel.ui.sampleButton.click()
    panel.ui.secondXraySelector.setCurrentNode(None)
    panel.ui.registerButton.click()
    during(panel, lambda: slicer.mrmlScene.Clear(False))
    panel.ui.trackButton.click()
    host.settle()
    assert isSentence(said(panel.ui.cineMessageLabel))
    assert panel.ui.trackButton.enabled is False


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


def testSlicersOwnPanelTest(panel):
    """The test that Slicer runs for the panel runs here too."""
    folder = Path(__file__).parents[3] / "VesselRegistration" / "Testing" / "Python"
    found = unittest.TestLoader().discover(str(folder), "VesselRegistrationPanelTest.py")
    assert found.countTestCases() == 4
    outcome = found.run(unittest.TestResult())
    assert [text for _, text in outcome.failures + outcome.errors] == []
    assert outcome.skipped == []
