"""What a user does with the panel of Suture Detection, in the right order and in wrong ones.

Run by Testing/Python/test_suture_panel.py in a process of its own. A pass says that the panel's logic runs, not that it
runs in Slicer.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import slicer

MODULE_FILE = Path(__file__).parents[3] / "SutureDetection" / "SutureDetection.py"
WORDS = re.compile(r"<[^>]+>")
sys.path[:0] = [str(Path(__file__).parent), str(MODULE_FILE.parent), str(MODULE_FILE.parents[1] / "VesselRegistration")]

from suture_cases import SHAPE, SURE, ColourDetector, TruthDetector, drawnFrame, writeFrames  # noqa: E402


def said(label) -> str:
    """The text of a label without its markup."""
    return WORDS.sub(" ", label.text).strip()


def isSentence(text: str) -> bool:
    """Whether a text reads as words for a user, not as a traceback or a Python exception."""
    return len(text.split()) >= 2 and not re.search("Traceback|Error:|This is a bug", text)


@pytest.fixture(scope="session")
def logics(host):
    """What Slicer has in every scene."""
    from panelhost.scene_logics import sceneLogics

    made = sceneLogics(slicer.mrmlScene)
    yield made
    for logic in made:
        logic.SetMRMLScene(None)


@pytest.fixture
def panel(host, silence, logics):
    """The panel of the module, open on an empty scene."""
    slicer.mrmlScene.Clear(False)
    yield host.openPanel(MODULE_FILE)
    widget = slicer.modules.SutureDetectionWidget
    host.close(widget)
    widget.parent.hide()
    slicer.mrmlScene.Clear(False)


@pytest.fixture
def detector(panel):
    """A detector in place of the networks."""
    found = ColourDetector()
    panel.logic._load = lambda source, device: found
    return found


@pytest.fixture
def truth(panel, detector, host, tmp_path):
    """The points (stitch, end, 2) of four frames that were loaded from a folder."""
    points = writeFrames(tmp_path / "frames")
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path / "frames")
    panel.ui.loadFolderButton.click()
    host.settle()
    return points


@pytest.fixture
def detected(panel, truth, host):
    """The same after Detect."""
    panel.ui.detectButton.click()
    host.settle()
    assert said(panel.ui.detectionMessageLabel) == ""
    return truth


def series(panel):
    return panel.session.series


def nodeOf(panel, role: str):
    """The point node of a role: entries, exits, sutures, found, missed, false."""
    browser = series(panel).browser
    return browser.GetProxyNode(browser.GetNodeReference(f"HybridOR.{role}"))


def pixels(panel, role: str) -> np.ndarray:
    """Where the points of a role are shown, (N, 2) (col, row): pixel (col, row) lies at RAS (-col, -row, 0)."""
    return -slicer.util.arrayFromMarkupsControlPoints(nodeOf(panel, role))[:, :2]


def textOf(panel, role: str) -> str:
    return series(panel).browser.GetNodeReference(f"HybridOR.{role}").GetText()


def assertSamePoints(found: np.ndarray, expected: np.ndarray, tolerance: float = 0.3) -> None:
    """Each expected point has a found one of its own."""
    assert len(found) == len(expected)
    distance = np.linalg.norm(found[:, None] - expected[None], axis=2)
    assert (distance.min(axis=0) < tolerance).all() and (distance.min(axis=1) < tolerance).all()


def during(panel, action) -> None:
    """Do ``action`` once, when the work that is started next first shows its progress."""
    original, done = panel.session.showProgress, []

    def show(fraction, text):
        original(fraction, text)
        if not done:
            done.append(True)
            action()

    panel.session.showProgress = show


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


def testCorrectionsStandApartFromTheDetection(panel, detected, host):
    before = textOf(panel, "detections")
    entries = nodeOf(panel, "entries")
    moved = np.add(entries.GetNthControlPointPosition(0), [-2.0, 1.0, 0.0])
    entries.SetNthControlPointPosition(0, *moved)
    entries.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent)
    assert panel.ui.labelledCheckBox.checked is True
    nodeOf(panel, "exits").RemoveNthControlPoint(1)
    nodeOf(panel, "sutures").AddControlPoint(-5.0, -7.0, 0.0)
    corrected = panel.logic.points(panel.session.node.volume)[0].points
    assert len(corrected) == 2 * SURE
    assert np.abs(corrected.positions - [-moved[0], -moved[1]]).sum(axis=1).min() < 1e-3
    assert np.abs(corrected.positions[corrected.kinds == -1] - [5.0, 7.0]).max() < 1e-3
    assert nodeOf(panel, "stitches").GetPolyData().GetNumberOfLines() == SURE - 1
    assert textOf(panel, "detections") == before

    panel.ui.frameSlider.value = 2
    host.settle()
    assert panel.ui.labelledCheckBox.checked is False
    panel.ui.thresholdSlider.value = 0.2
    panel.ui.frameSlider.value = 0
    host.settle()
    assert "1 of 4 frames labelled" in panel.ui.correctionLabel.text
    assert len(pixels(panel, "exits")) == SURE - 1
    np.testing.assert_allclose(pixels(panel, "entries")[0], -moved[:2], atol=1e-3)
    panel.ui.labelledCheckBox.click()
    assert panel.logic.corrected(panel.session.node.volume) == []
    assertSamePoints(pixels(panel, "entries"), detected[0][:, 0])
    assert nodeOf(panel, "sutures").GetNumberOfControlPoints() == 0


def testEditsCountWhileAnotherModuleIsOpen(panel, detected, host):
    host.leave(panel)
    browser = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")[0]
    entries = browser.GetProxyNode(browser.GetNodeReference("HybridOR.entries"))
    entries.RemoveNthControlPoint(0)
    browser.SetSelectedItemNumber(1)
    browser.SetSelectedItemNumber(0)
    host.enter(panel)
    assert panel.logic.corrected(panel.session.node.volume) == [0]
    assert len(pixels(panel, "entries")) == SURE - 1


def testMarkingWithoutDetectionAndPairing(panel, truth, host):
    panel.ui.addEntryButton.click()
    interaction = slicer.mrmlScene.GetSingletonNode("Singleton", "vtkMRMLInteractionNode")
    assert isSentence(said(panel.ui.correctionMessageLabel))
    if interaction is not None:
        assert interaction.GetCurrentInteractionMode() == slicer.vtkMRMLInteractionNode.Place
    panel.ui.pairButton.click()
    assert "entry and an exit" in said(panel.ui.correctionMessageLabel)
    nodeOf(panel, "entries").AddControlPoint(-10.0, -20.0, 0.0)
    panel.ui.addExitButton.click()
    nodeOf(panel, "exits").AddControlPoint(-15.0, -22.0, 0.0)
    panel.ui.endAddingButton.click()
    panel.ui.pairButton.click()
    assert nodeOf(panel, "stitches").GetPolyData().GetNumberOfLines() == 1
    points = panel.logic.points(panel.session.node.volume)[0].points
    assert points.pair_ids[0] == points.pair_ids[1] >= 0
    assert panel.logic.corrected(panel.session.node.volume) == [0]


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


def writeLabels(folder: Path, truth: list[np.ndarray]) -> None:
    """labelme files: the true points of frame 0 without its first exit, and those of frame 2 with one more."""
    folder.mkdir()
    for number, points in ((0, truth[0].reshape(-1, 2)[[0, *range(2, 12)]]),
                           (2, np.vstack([truth[2].reshape(-1, 2), [[150.0, 90.0]]]))):
        shapes = [{"label": "suture", "points": [[float(col) + 0.5, float(row) + 0.5]], "group_id": None,
                   "shape_type": "point", "flags": {}} for col, row in points]
        (folder / f"frame_{number:03d}.json").write_text(json.dumps(
            {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "", "imageData": None,
             "imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}))


def testComparisonWithLabels(panel, detected, host, tmp_path):
    writeLabels(tmp_path / "labels", detected)
    panel.ui.labelsPathLineEdit.currentPath = str(tmp_path / "labels")
    panel.ui.loadLabelsButton.click()
    assert "2 frames" in said(panel.ui.comparisonMessageLabel)
    # Frame 0: 8 points found, 11 labels, of which 4 faint ones and one exit of a plain stitch does not count.
    assert "7 found, 4 missed, 1 false" in said(panel.ui.scoresLabel)
    # Frame 2: 8 found of 13. Together 15 found, 9 missed, 1 false.
    assert "15 found, 9 missed, 1 false; PPV 0.94, TPR 0.62, F1 0.75" in said(panel.ui.scoresLabel)
    assert panel.ui.comparisonCheckBox.checked is True
    colours = {role: nodeOf(panel, role).GetDisplayNode().GetSelectedColor() for role in ("found", "missed", "false")}
    assert np.argmax(colours["found"]) == 1 and np.argmax(colours["false"]) == 0
    assert colours["missed"][0] > 0.9 and 0.5 < colours["missed"][1] < 0.8
    assert [len(pixels(panel, role)) for role in ("found", "missed", "false")] == [7, 4, 1]
    assertSamePoints(pixels(panel, "false"), detected[0][:1, 1])
    assert nodeOf(panel, "entries").GetDisplayNode().GetVisibility() == 0
    panel.ui.frameSlider.value = 2
    host.settle()
    assert "8 found, 5 missed, 0 false" in said(panel.ui.scoresLabel)
    assert [len(pixels(panel, role)) for role in ("found", "missed", "false")] == [8, 5, 0]
    panel.ui.thresholdSlider.value = 0.2
    assert "12 found, 1 missed, 0 false" in said(panel.ui.scoresLabel)
    assert len(pixels(panel, "missed")) == 1
    panel.ui.frameSlider.value = 1
    host.settle()
    assert "no labels" in said(panel.ui.scoresLabel)
    panel.ui.comparisonCheckBox.click()
    assert nodeOf(panel, "entries").GetDisplayNode().GetVisibility() == 1
    assert nodeOf(panel, "found").GetDisplayNode().GetVisibility() == 0


def testOwnLabelsTellHowGoodTheDetectionIs(panel, detected, detector, host):
    """Corrected frames are labels too: what the network found there is compared with what a person made of it."""
    nodeOf(panel, "exits").RemoveNthControlPoint(0)
    nodeOf(panel, "sutures").AddControlPoint(-150.0, -90.0, 0.0)
    assert "7 found, 1 missed, 1 false" in said(panel.ui.scoresLabel)
    panel.ui.comparisonCheckBox.click()
    np.testing.assert_allclose(pixels(panel, "missed"), [[150.0, 90.0]], atol=1e-3)
    panel.ui.detectButton.click()  # the labels stay, and so does the comparison
    assert detector.calls == 8 and "7 found, 1 missed, 1 false" in said(panel.ui.scoresLabel)


def testLabelsThatDoNotFitAreSaid(panel, detected, tmp_path):
    (tmp_path / "empty").mkdir()
    wrong = tmp_path / "frame_000.json"
    wrong.write_text('{"shapes": [], "imageHeight": 50, "imageWidth": 50}')
    for path in (tmp_path / "empty", tmp_path / "nowhere", wrong):
        panel.ui.labelsFilePathLineEdit.currentPath = str(path)
        panel.ui.loadLabelsFileButton.click()
        assert isSentence(said(panel.ui.comparisonMessageLabel)), path
    assert panel.logic.hasLabels(panel.session.node.volume) is False


def testExport(panel, detected, host, tmp_path):
    from SutureDetectionLib.formats.adaptor import FrameKey, find_frames, read_labels
    from SutureDetectionLib.formats.labelme import read_labelme

    out = tmp_path / "out"
    panel.ui.exportButton.click()
    assert "No folder" in said(panel.ui.exportMessageLabel)
    panel.ui.exportPathLineEdit.currentPath = str(out)
    panel.ui.adaptorLineEdit.text = "op1"
    panel.ui.exportButton.click()
    assert "OP/VIDEO" in said(panel.ui.exportMessageLabel) and not out.exists()
    panel.ui.adaptorLineEdit.text = "op1/video1"
    panel.ui.exportButton.click()
    assert "Written" in said(panel.ui.exportMessageLabel)
    rows = list(csv.DictReader((out / "points.csv").open()))
    assert len(rows) == 4 * 2 * SURE
    first = [[float(row["x"]), float(row["y"])] for row in rows if row["frame"] == "1" and row["class"] == "entry"]
    assertSamePoints(np.array(first), detected[1][:SURE, 0])
    labels = read_labelme(out / "labelme" / "frame_003.json", SHAPE)
    assertSamePoints(labels.points, detected[3][:SURE].reshape(-1, 2))
    assert sorted(np.bincount(labels.pair_ids)) [-SURE:] == [2] * SURE
    keys = find_frames(out / "adaptor")
    assert keys == [FrameKey("op1/video1", number, "l") for number in range(4)]
    assertSamePoints(read_labels(out / "adaptor", keys[2], SHAPE).points, detected[2][:SURE].reshape(-1, 2))
    assert json.loads((out / "result.json").read_text())["network"]["name"] == "colours"
    panel.ui.exportButton.click()
    assert "not empty" in said(panel.ui.exportMessageLabel)


def testLabelledFramesCanBeTrainedOnAndReadBack(panel, detected, host, tmp_path):
    from SutureDetectionLib.evaluation.own_labels import read_labelled_frames

    panel.ui.exportPathLineEdit.currentPath = str(tmp_path / "labelled")
    panel.ui.saveLabelsButton.click()
    assert "No frame is labelled" in said(panel.ui.exportMessageLabel)
    for number in (1, 3):
        panel.ui.frameSlider.value = number
        host.settle()
        panel.ui.labelledCheckBox.click()
    panel.ui.saveLabelsButton.click()
    assert "2 frames" in said(panel.ui.exportMessageLabel)
    frames, problems = read_labelled_frames(tmp_path / "labelled")
    assert len(frames) == 2 and problems == []
    np.testing.assert_array_equal(frames[1].image, drawnFrame(3)[0])
    assertSamePoints(frames[1].labels.points, detected[3][:SURE].reshape(-1, 2))
    assert set(frames[1].labels.kinds) == {0, 1} and (frames[1].labels.partners >= 0).all()
    assert panel.logic.loadLabels(panel.session.node.volume, tmp_path / "labelled") == 2
    assert panel.logic.compare(panel.session.node.volume).scores.tally.f1 == 1.0


@pytest.fixture
def launched(panel):
    """The command lines of fine-tunings; instead of training, a process runs what ``launched.program`` says."""
    class Launched(list):
        program = "import time; time.sleep(60)"

        def __call__(self, arguments):
            self.append(list(arguments))
            return subprocess.Popen([sys.executable, "-c", self.program], stdout=subprocess.PIPE, text=True)

    panel.logic._launch = Launched()
    return panel.logic._launch


def startFineTuning(panel, folder: Path) -> None:
    panel.ui.labelledCheckBox.click()
    panel.ui.trainingPathLineEdit.currentPath = str(folder)
    panel.ui.fineTuneButton.click()


def wait(panel) -> None:
    """Until the other process has ended, and the panel has seen it."""
    panel._training._work._process.wait()
    panel._training.look()


def testFineTuningIsCancelled(panel, detected, launched, tmp_path):
    panel.ui.fineTuneButton.click()
    assert launched == []
    startFineTuning(panel, tmp_path / "tuned")
    [arguments] = launched
    assert arguments[0] == "train"
    labels = Path(arguments[arguments.index("--labels") + 1])
    assert sorted(path.name for path in labels.iterdir()) == ["frame_000.json", "frame_000.png"]
    assert panel.ui.fineTuneButton.text.startswith("Cancel")
    panel._training.look()
    assert panel._training._work is not None
    panel.ui.fineTuneButton.click()
    assert panel._training._work is None
    assert "cancelled" in said(panel.ui.trainingMessageLabel)
    assert panel.ui.fineTuneButton.text == "Fine-tune"
    assert panel.ui.trainedPathLineEdit.currentPath == ""


def testFineTunedNetworkIsUsed(panel, detected, launched, tmp_path):
    launched.program = "print('On 3 held-out frames: F1 0.500 before, 0.900 after.')"
    startFineTuning(panel, tmp_path / "tuned")
    wait(panel)
    assert panel.ui.trainedPathLineEdit.currentPath == str(tmp_path / "tuned" / "network")
    assert "0.900 after" in said(panel.ui.trainingMessageLabel)


def testFailedFineTuningSaysWhy(panel, detected, launched, tmp_path):
    launched.program = "import sys; print('There are too few frames: label more.'); sys.exit(2)"
    startFineTuning(panel, tmp_path / "tuned")
    wait(panel)
    assert said(panel.ui.trainingMessageLabel) == "There are too few frames: label more."
    panel.ui.fineTuneButton.click()
    assert "not empty" in said(panel.ui.trainingMessageLabel)


def testFineTuningSpeaksTheCommandLine(panel, truth, tmp_path):
    """The real command line understands the order, and refuses a single frame in one sentence."""
    panel.ui.addEntryButton.click()
    nodeOf(panel, "entries").AddControlPoint(-10.0, -20.0, 0.0)
    work = panel.logic.fineTune(panel.session.node.volume, tmp_path / "tuned", 10, None, "cpu")
    work._process.wait(120)
    with pytest.raises(Exception, match="label at least"):
        work.result()


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


def testScriptsNeedNoPanel(panel, detector, tmp_path):
    truth = writeFrames(tmp_path / "frames", 3)
    volume = panel.logic.process(tmp_path / "frames", threshold=0.2)
    points = panel.logic.points(volume)
    assert sorted(points) == [0, 1, 2]
    assertSamePoints(points[2].points.positions, truth[2].reshape(-1, 2))
    same = panel.logic.process(volume, threshold=0.6)
    assert same is volume and len(panel.logic.points(volume)[1].points) == 2 * SURE


def testStereoInSpace(panel, host, tmp_path):
    from SutureDetectionLib.simulation.streams import stereo_frame

    frame, detector = stereo_frame(5, "simulator-heldout"), TruthDetector()
    from SutureDetectionLib.detection.points import SuturePoints
    for eye in (frame.left, frame.right):
        seen = eye.visible
        detector.tell(eye.image, SuturePoints(eye.points[seen], np.full(seen.sum(), 0.9), eye.kinds[seen],
                                              eye.pair_ids[seen]))
    panel.logic._load = lambda source, device: detector
    panel.ui.reconstructButton.enabled = True
    panel.ui.stereoSampleButton.click()
    host.settle()
    assert panel.ui.layoutComboBox.currentIndex == 1
    panel.ui.detectButton.click()
    host.settle()
    points = panel.logic.points(panel.session.node.volume)[0].points
    assert len(points) == len(frame.left.labels) + len(frame.right.labels)
    found = panel.logic.compare(panel.session.node.volume)
    assert found.scores.tally.f1 == 1.0 and found.scores.images == 2
    panel.ui.reconstructButton.click()
    assert "mm round" in said(panel.ui.spaceMessageLabel)
    [curve] = slicer.util.getNodesByClass("vtkMRMLMarkupsClosedCurveNode")
    [points] = [node for node in slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode") if "(mm)" in node.GetName()]
    [table] = slicer.util.getNodesByClass("vtkMRMLTableNode")
    both = frame.left.visible & frame.right.visible
    truth = frame.points_mm[both] * [-1.0, -1.0, 1.0]  # the camera's x right, y down, z ahead
    places = slicer.util.arrayFromMarkupsControlPoints(points)
    distance = np.linalg.norm(places[:, None] - truth[None], axis=2).min(axis=1)
    assert len(places) >= 0.8 * both.sum() and np.median(distance) < 0.7
    words = float(re.search(r"([\d.]+) mm round", said(panel.ui.spaceMessageLabel))[1])
    assert curve.GetCurveLengthWorld() == pytest.approx(words, rel=0.02)
    assert table.GetNumberOfRows() == len(places)
    gaps = [float(table.GetCellText(row, 3)) for row in range(len(places))]
    assert sum(gaps) == pytest.approx(words, abs=0.3)
    panel.ui.reconstructButton.click()
    assert len(slicer.util.getNodesByClass("vtkMRMLMarkupsClosedCurveNode")) == 1
    calibration = panel.ui.calibrationPathLineEdit.currentPath
    panel.ui.calibrationPathLineEdit.currentPath = str(tmp_path / "none.yml")
    panel.ui.reconstructButton.click()
    assert isSentence(said(panel.ui.spaceMessageLabel))
    panel.ui.exportPathLineEdit.currentPath = str(tmp_path / "out")
    panel.ui.exportButton.click()
    assert isSentence(said(panel.ui.exportMessageLabel)) and not (tmp_path / "out").exists()
    panel.ui.calibrationPathLineEdit.currentPath = calibration
    panel.ui.exportButton.click()
    assert len(json.loads((tmp_path / "out" / "result.json").read_text())["space"][0]["points"]) == len(places)
    eyes = [row["eye"] for row in csv.DictReader((tmp_path / "out" / "points.csv").open())]
    assert eyes.count("left") == len(frame.left.labels) and eyes.count("right") == len(frame.right.labels)


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


def testLoadingIsCancelled(panel, detector, host, tmp_path):
    writeFrames(tmp_path / "frames")
    panel.ui.folderPathLineEdit.currentPath = str(tmp_path / "frames")
    during(panel, panel.ui.loadFolderButton.click)
    panel.ui.loadFolderButton.click()
    host.settle()
    assert isSentence(said(panel.ui.framesMessageLabel))
    assert slicer.util.getNodesByClass("vtkMRMLVectorVolumeNode") == []
    assert panel.ui.loadFolderButton.text == "Load"


def testAdaptorFoldersOfOneEyeAndOfBoth(panel, detector, host, tmp_path):
    """The labels of AdaptOR are of both eyes in one file; each frame gets those of its own eye."""
    from PIL import Image
    from SutureDetectionLib.formats.adaptor import top_bottom_content

    root = tmp_path / "op1" / "video1"
    (image, left), (other, right) = drawnFrame(0), drawnFrame(1)
    left, right = left.reshape(-1, 2), right.reshape(-1, 2)[:5]
    for folder, picture in (("image_02", image), ("image_03", other), ("both", np.concatenate([image, other]))):
        (root / folder).mkdir(parents=True)
        Image.fromarray(picture).save(root / folder / "000000.png")
    (root / "point_labels").mkdir()
    content = top_bottom_content(left, right, np.array([[0, 0], [1, 1]]), "000000.png", SHAPE)
    (root / "point_labels" / "000000.json").write_text(json.dumps(content))
    for folder, layout, expected in (("image_02", 0, left), ("image_03", 0, right),
                                     ("both", 1, np.vstack([left, np.add(right, [0, SHAPE[0]])]))):
        panel.ui.layoutComboBox.currentIndex = layout
        panel.ui.folderPathLineEdit.currentPath = str(root / folder)
        panel.ui.loadFolderButton.click()
        panel.ui.labelsPathLineEdit.currentPath = str(root / "point_labels")
        panel.ui.loadLabelsButton.click()
        host.settle()
        assertSamePoints(pixels(panel, "missed"), expected, 1e-3)


def testSlicersOwnTest(panel):
    """What Slicer runs as the module's self-test; without a network it says so and ends."""
    slicer.selfTests["SutureDetection"]()
