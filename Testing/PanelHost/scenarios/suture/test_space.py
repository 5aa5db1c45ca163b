"""Stereo frames become a ring of sutures in space.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
import slicer
from panel_user import isSentence, said
from suture_cases import TruthDetector


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
