"""What follows a registration: files of it, and the run followed, replayed and live.

Run by Testing/Python/test_panel.py in a process of its own.
"""

from __future__ import annotations

import re

import numpy as np
import slicer
from panel_user import during, isSentence, said


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
