"""Labels of others and own ones: read, compared with the detection, written.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

import csv
import json

import numpy as np
from panel_user import isSentence, said
from shown_points import assertSamePoints, nodeOf, pixels
from suture_cases import SHAPE, SURE, drawnFrame, writeLabels


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
