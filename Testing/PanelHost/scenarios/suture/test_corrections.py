"""Points moved, marked, paired and removed by the user.

Run by Testing/Python/test_suture_panel.py in a process of its own.
"""

from __future__ import annotations

import numpy as np
import slicer
from panel_user import isSentence, said
from shown_points import assertSamePoints, nodeOf, pixels, textOf
from suture_cases import SURE


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
