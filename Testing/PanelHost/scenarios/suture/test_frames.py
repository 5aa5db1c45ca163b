"""Frames come in, and what is no frame is refused in words.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import slicer
from panel_user import during, isSentence, said
from shown_points import assertSamePoints, nodeOf, series
from suture_cases import SURE, ColourDetector, drawnFrame, writeFrames


def testEmptySceneSaysWhatIsMissing(panel):
    for name in ("frames", "detection", "correction", "comparison", "space", "export", "training"):
        assert isSentence(said(getattr(panel.ui, f"{name}MessageLabel"))), name
    assert panel.ui.detectButton.enabled is False
    assert isSentence(panel.ui.detectButton.toolTip)
    for button in ("loadFileButton", "loadFolderButton"):
        getattr(panel.ui, button).click()
        assert "named" in said(panel.ui.framesMessageLabel)


def testEveryInputExplainsItself(panel):
    kinds = {"QPushButton", "QComboBox", "QCheckBox", "QSpinBox", "QLineEdit", "ctkPathLineEdit", "ctkSliderWidget",
             "qMRMLNodeComboBox"}
    inputs = {name: widget for name, widget in vars(panel.ui).items() if type(widget).__name__ in kinds}
    assert len(inputs) > 30
    assert [name for name, widget in inputs.items() if not widget.toolTip] == []
    assert "not a medical device" in panel.ui.noticeLabel.text and "synthetic" in panel.ui.noticeLabel.text


def assertUpright(panel) -> None:
    """In the view of the module columns grow to the right and rows downwards."""
    sliceNode = slicer.mrmlScene.GetSingletonNode("HybridOREndoscopy", "vtkMRMLSliceNode")
    toRas = slicer.util.arrayFromVTKMatrix(sliceNode.GetXYToRAS())
    places = np.array([toRas @ [x, y, 0, 1] for x, y in ((0, 0), (9, 0), (0, 9))])
    corner, right, up = series(panel).toPixels(places[:, :3])
    assert right[0] > corner[0] and right[1] == pytest.approx(corner[1])
    assert up[1] < corner[1] and up[0] == pytest.approx(corner[0])


def testFramesLieAsInTheirPictures(panel, truth, host):
    assert panel.ui.frameSlider.maximum == 3
    panel.ui.frameSlider.value = 2
    host.settle()
    assert "frame_002.png" in panel.ui.frameLabel.text
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(panel.session.node.volume)[0], drawnFrame(2)[0])
    assertUpright(panel)


def testAVolumeThatLiesOtherwiseIsShownUpright(panel, detector, host):
    node = slicer.util.addVolumeFromArray(drawnFrame(1)[0][None], nodeClassName="vtkMRMLVectorVolumeNode")
    node.SetIJKToRASDirections(0, 0, 1, 1, 0, 0, 0, -1, 0)  # columns forwards, rows down the patient
    node.SetSpacing(0.5, 0.5, 1.0)
    panel.ui.volumeSelector.setCurrentNode(node)
    panel.ui.detectButton.click()
    host.settle()
    assertUpright(panel)
    places = slicer.util.arrayFromMarkupsControlPoints(nodeOf(panel, "entries"))
    assertSamePoints(np.column_stack([places[:, 1], -places[:, 2]]) / 0.5, drawnFrame(1)[1][:SURE, 0])


@pytest.mark.parametrize("pixelsOf, words", [
    (lambda: np.zeros((1, 20, 30), np.uint8), "gray"), (lambda: np.zeros((1, 20, 30, 3), np.uint16), "8 bits"),
    (lambda: np.zeros((4, 20, 30, 3), np.uint8), "stack of 4"), (None, "no picture")])
def testVolumesThatCannotBeUsedAreSaid(panel, detector, pixelsOf, words):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Odd")
    if pixelsOf is not None:
        slicer.util.updateVolumeFromArray(node, pixelsOf())
    panel.ui.volumeSelector.setCurrentNode(node)
    assert words in said(panel.ui.framesMessageLabel)
    assert panel.ui.detectButton.enabled is False


def testAVolumeUnderATransformIsRefused(panel, truth):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    panel.session.node.volume.SetAndObserveTransformNodeID(transform.GetID())
    panel.session.refresh()
    assert "under a transform" in said(panel.ui.framesMessageLabel)
    assert panel.ui.detectButton.enabled is False


def testFramesThatCannotBeUsedAreSaid(panel, detector, host, tmp_path):
    from PIL import Image

    writeFrames(tmp_path / "frames", 2)
    Image.fromarray(np.zeros((10, 10, 3), np.uint8)).save(tmp_path / "frames" / "frame_900.png")
    (tmp_path / "frames" / "frame_901.png").write_text("not a picture")
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path / "frames")
    panel.ui.loadFolderButton.click()
    host.settle()
    assert "frame_900.png has 10 x 10 pixels" in said(panel.ui.framesMessageLabel)
    assert "frame_901.png" in said(panel.ui.framesMessageLabel)
    assert series(panel).count == 2
    for path in (tmp_path / "frames" / "frame_901.png", tmp_path / "nothing.mp4", tmp_path / "frames" / "odd.xyz"):
        panel.ui.filePathLineEdit.currentPath = str(path)
        panel.ui.loadFileButton.click()
        assert isSentence(said(panel.ui.framesMessageLabel))
    panel.ui.layoutComboBox.currentIndex = 1
    assert series(panel).facts.layout == "top-bottom"
    odd = slicer.util.addVolumeFromArray(np.zeros((1, 21, 30, 3), np.uint8), nodeClassName="vtkMRMLVectorVolumeNode")
    panel.logic.beginMarking(odd)
    panel.ui.volumeSelector.setCurrentNode(odd)
    panel.ui.layoutComboBox.currentIndex = 1
    host.settle()
    assert "odd number" in said(panel.ui.framesMessageLabel)
    assert panel.session.node.layout == "mono"


def testLoadingIsCancelled(panel, detector, host, tmp_path):
    writeFrames(tmp_path / "frames")
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path / "frames")
    during(panel, panel.ui.loadFolderButton.click)
    panel.ui.loadFolderButton.click()
    host.settle()
    assert isSentence(said(panel.ui.framesMessageLabel))
    assert slicer.util.getNodesByClass("vtkMRMLVectorVolumeNode") == []
    assert panel.ui.loadFolderButton.text == "Load"


def testSampleVideo(panel, host, monkeypatch):
    from SutureDetectionLib.scene import sampleData

    monkeypatch.setattr(sampleData, "_FRAMES", 2)
    panel.logic._load = lambda source, device: ColourDetector()
    panel.ui.sampleButton.click()
    host.settle()
    assert series(panel).count == 2 and "synthetic" in panel.ui.frameLabel.text
    assert panel.logic.hasLabels(panel.session.node.volume)
    import SampleData

    sources = {source["sampleName"]: source for source in SampleData.SampleDataLogic.sources}
    for name in ("SutureDetectionSyntheticVideo", "SutureDetectionSyntheticStereo"):
        source = sources[name]
        assert Path(source["thumbnailFileName"]).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert len({len(source[key]) for key in ("uris", "fileNames", "nodeNames", "loadFiles")}) == 1
        [node] = source["customDownloader"](source)
        assert node.GetClassName() == "vtkMRMLVectorVolumeNode" and "ynthetic" in node.GetName()
