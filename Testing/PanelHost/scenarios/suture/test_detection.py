"""Detect, its threshold and its tracks; cancelled, and with the scene taken away meanwhile.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from panel_user import during, isSentence, said
from shown_points import assertSamePoints, nodeOf, pixels, series
from suture_cases import SURE, drawnFrame, writeFrames


def testMissingNetworkIsSaid(panel, host, tmp_path, monkeypatch):
    from SutureDetectionLib.scene import networkChoice

    monkeypatch.setattr(networkChoice, "resource_directory", lambda package: tmp_path)
    writeFrames(tmp_path / "frames", 1)
    panel.session.node.volume = panel.logic.loadFrames(tmp_path / "frames")[0]
    assert "No network" in said(panel.ui.detectionMessageLabel)
    assert panel.ui.detectButton.enabled is False
    panel.ui.trainedPathLineEdit.currentPath = str(tmp_path / "nowhere")
    assert "does not exist" in said(panel.ui.detectionMessageLabel)
    panel.ui.trainedPathLineEdit.currentPath = str(tmp_path / "frames")
    assert panel.ui.detectButton.enabled is True
    panel.ui.detectButton.click()
    assert isSentence(said(panel.ui.detectionMessageLabel))
    panel.ui.addEntryButton.click()  # marking needs no network
    assert nodeOf(panel, "entries") is not None


def testDetectShowsPointsInEveryFrame(panel, detected, detector, host):
    assert detector.calls == 4
    assert panel.ui.thresholdSlider.value == pytest.approx(0.6)
    for number, points in enumerate(detected):
        panel.ui.frameSlider.value = number
        host.settle()
        assertSamePoints(pixels(panel, "entries"), points[:SURE, 0])
        assertSamePoints(pixels(panel, "exits"), points[:SURE, 1])
        assert nodeOf(panel, "stitches").GetPolyData().GetNumberOfLines() == SURE
    assert nodeOf(panel, "sutures").GetNumberOfControlPoints() == 0
    entries, exits = (nodeOf(panel, role).GetDisplayNode() for role in ("entries", "exits"))
    assert entries.GetGlyphType() != exits.GetGlyphType()
    assert entries.GetSelectedColor() != exits.GetSelectedColor()
    assert "8 points in this frame, 32 in 4 frames" in panel.ui.pointsLabel.text
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    assert len(browsers) == 1
    assert len(slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")) == 3
    browsers[0].SetSelectedItemNumber(1)  # replay moves everything without the panel's help
    assertSamePoints(pixels(panel, "entries"), detected[1][:SURE, 0])
    assert panel.ui.frameSlider.value == 1


def testThresholdActsWithoutTheNetwork(panel, detected, detector, host):
    panel.ui.thresholdSlider.value = 0.2
    host.settle()
    assert detector.calls == 4
    assertSamePoints(pixels(panel, "entries"), detected[0][:, 0])
    panel.ui.frameSlider.value = 3
    host.settle()
    assertSamePoints(pixels(panel, "exits"), detected[3][:, 1])
    panel.ui.thresholdSlider.value = 0.95
    assert nodeOf(panel, "entries").GetNumberOfControlPoints() == 0
    assert panel.logic.corrected(panel.session.node.volume) == []
    panel.ui.thresholdSlider.value = 0.2
    panel.ui.detectButton.click()  # the same network again: the user's threshold stays
    assert panel.ui.thresholdSlider.value == pytest.approx(0.2)


def testVideoIsTracked(panel, detector, host, tmp_path):
    """Every second frame of a video; the same point has the same number in all of them."""
    from SutureDetectionLib.inputs.video import write_video

    still = drawnFrame(0)[0]
    write_video(tmp_path / "endoscopy.mp4", [still] * 6, 20.0)
    panel.ui.filePathLineEdit.currentPath = str(tmp_path / "endoscopy.mp4")
    panel.ui.everySpinBox.value = 2
    panel.ui.loadFileButton.click()
    assert series(panel).facts.numbers == (0, 2, 4)
    assert series(panel).browser.GetPlaybackRateFps() == pytest.approx(10.0)
    panel.ui.detectButton.click()
    assert said(panel.ui.detectionMessageLabel) == ""
    panel.ui.thresholdSlider.value = 0.2  # the video's coding pales the colours
    entries = nodeOf(panel, "entries")
    numbers = []
    for index in range(3):
        series(panel).browser.SetSelectedItemNumber(index)
        order = np.argsort(pixels(panel, "entries") @ [1.0, 10.0])
        numbers.append([entries.GetNthControlPointLabel(int(number)) for number in order])
    assert len(numbers[0]) >= SURE and "" not in numbers[0]
    assert numbers[0] == numbers[1] == numbers[2]


def testPointsOfOtherFramesAreHidden(panel, detected, host, tmp_path):
    first = panel.session.node.volume
    nodes = [nodeOf(panel, role) for role in ("entries", "stitches")]
    writeFrames(tmp_path / "others", 2)
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path / "others")
    panel.ui.loadFolderButton.click()
    panel.ui.detectButton.click()
    host.settle()
    assert panel.session.node.volume is not first
    assert [node.GetDisplayNode().GetVisibility() for node in nodes] == [0, 0]
    assert nodeOf(panel, "entries").GetDisplayNode().GetVisibility() == 1
    panel.ui.volumeSelector.setCurrentNode(first)
    assert [node.GetDisplayNode().GetVisibility() for node in nodes] == [1, 1]


def testPointNodesDeletedByTheUserComeBack(panel, detected, host):
    slicer.mrmlScene.RemoveNode(nodeOf(panel, "entries"))
    host.settle()
    panel.ui.detectButton.click()
    host.settle()
    assertSamePoints(pixels(panel, "entries"), detected[0][:SURE, 0])


def testScriptsNeedNoPanel(panel, detector, tmp_path):
    truth = writeFrames(tmp_path / "frames", 3)
    volume = panel.logic.process(tmp_path / "frames", threshold=0.2)
    points = panel.logic.points(volume)
    assert sorted(points) == [0, 1, 2]
    assertSamePoints(points[2].points.positions, truth[2].reshape(-1, 2))
    same = panel.logic.process(volume, threshold=0.6)
    assert same is volume and len(panel.logic.points(volume)[1].points) == 2 * SURE


def testCancelAndSecondClick(panel, truth, detector, host):
    seen = []

    def cancel():
        seen.append((panel.ui.detectButton.text, panel.ui.detectionFrame.enabled, panel.ui.loadFileButton.enabled))
        panel.ui.loadFolderButton.click()  # another order meanwhile does nothing
        panel.ui.detectButton.click()

    during(panel, cancel)
    panel.ui.detectButton.click()
    assert seen == [("Cancel", False, False)]
    assert isSentence(said(panel.ui.detectionMessageLabel))
    assert panel.logic.isDetected(panel.session.node.volume) is False
    assert panel.ui.detectButton.text == "Detect" and panel.ui.detectionFrame.enabled is True


def testSceneClosedDuringDetection(panel, truth, detector, host):
    during(panel, lambda: slicer.mrmlScene.Clear(False))
    panel.ui.detectButton.click()
    host.settle()
    assert isSentence(said(panel.ui.detectionMessageLabel))
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode") == []
    assert panel.ui.detectButton.enabled is False
    assert panel.ui.volumeSelector.currentNode() is None


@pytest.mark.parametrize("which", ["volume", "browser"])
def testNodeDeletedDuringDetection(panel, truth, detector, host, which):
    during(panel, lambda: slicer.mrmlScene.RemoveNode(getattr(series(panel), which)))
    panel.ui.detectButton.click()
    host.settle()
    assert isSentence(said(panel.ui.detectionMessageLabel))
    assert panel.ui.volumeSelector.enabled is True


def testVolumeDeletedAfterDetection(panel, detected, host):
    slicer.mrmlScene.RemoveNode(panel.session.node.volume)
    host.settle()
    assert panel.session.node.volume is None
    assert panel.ui.detectButton.enabled is False
