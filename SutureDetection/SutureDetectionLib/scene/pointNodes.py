"""Points as fiducial nodes and stitches as lines, one item per frame in the browser of the frames."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from VesselRegistrationLib.scene.nodeRoles import nodeInRole, ownNode

from .. import ENTRY, EXIT, UNKNOWN_KIND
from ..detection.points import UNPAIRED, SuturePoints
from ..rendering.overlay import FALSE_NEGATIVE, FALSE_POSITIVE, KIND_COLOURS, TRUE_POSITIVE, Colour
from ..tracking.tracker import NO_TRACK
from .frameSeries import FrameSeries
from .pointRecord import NumberedPoints, together

BY_HAND = 1.0
"""Confidence of points that a person added."""

_LINES_ROLE = "stitches"
_DRESSED = "HybridOR.dressed"
_LINE_COLOUR = (0.92, 0.92, 0.92)
_WORD = re.compile(r"(confidence|stitch|track) ([\d.]+)")


@dataclass(frozen=True)
class PointStyle:
    """One kind of points: its role at the browser, its name, glyph and colour."""

    role: str
    name: str
    glyph: int
    colour: Colour


_Display = slicer.vtkMRMLMarkupsDisplayNode
KIND_STYLES = {
    ENTRY: PointStyle("entries", "Entry points", _Display.Circle2D, KIND_COLOURS[ENTRY]),
    EXIT: PointStyle("exits", "Exit points", _Display.Diamond2D, KIND_COLOURS[EXIT]),
    UNKNOWN_KIND: PointStyle("sutures", "Suture points", _Display.Square2D, KIND_COLOURS[UNKNOWN_KIND]),
}
COMPARISON_STYLES = (PointStyle("found", "Found (true positive)", _Display.Circle2D, TRUE_POSITIVE),
                     PointStyle("missed", "Missed (false negative)", _Display.Triangle2D, FALSE_NEGATIVE),
                     PointStyle("false", "False (false positive)", _Display.ThickCross2D, FALSE_POSITIVE))

_ROLES = (*(style.role for style in (*KIND_STYLES.values(), *COMPARISON_STYLES)), _LINES_ROLE)


def pointNode(series: FrameSeries, style: PointStyle) -> slicer.vtkMRMLMarkupsFiducialNode | None:
    """The node that shows points of a style in the present frame, None where there is none."""
    return _proxyIn(series, style.role)


def stitchNode(series: FrameSeries) -> slicer.vtkMRMLModelNode | None:
    """The node that shows the stitches of the present frame as lines, None where there is none."""
    return _proxyIn(series, _LINES_ROLE)


def kindNodes(series: FrameSeries) -> list[slicer.vtkMRMLMarkupsFiducialNode]:
    """The nodes of the points that a person may move."""
    return [node for style in KIND_STYLES.values() if (node := pointNode(series, style)) is not None]


def showPoints(series: FrameSeries, frames: Mapping[int, NumberedPoints]) -> None:
    """Let the nodes of entries, exits and other points, and the lines of stitches, show these points."""
    for kind, style in KIND_STYLES.items():
        chosen = {index: points.chosen(points.points.kinds == kind) for index, points in frames.items()}
        _fill(series, style, chosen, locked=False)
    showStitches(series, frames)


def showComparison(series: FrameSeries, frames: Mapping[int, Sequence[np.ndarray]]) -> None:
    """Let locked nodes show found, missed and false points (N, 2) of frames, and nothing in the others."""
    for number, style in enumerate(COMPARISON_STYLES):
        points = {index: NumberedPoints.of(_bare(groups[number])) for index, groups in frames.items()}
        nothing = NumberedPoints.of(_bare(np.zeros((0, 2))))
        _fill(series, style, {index: points.get(index, nothing) for index in range(series.count)}, locked=True)


def showStitches(series: FrameSeries, frames: Mapping[int, NumberedPoints]) -> None:
    """Draw a line between the two ends of every stitch of these frames."""
    sequence = _sequence(series, _LINES_ROLE, "vtkMRMLModelNode", f"Stitches of {series.volume.GetName()}")
    node = series.browser.GetProxyNode(sequence)
    if not _isDressed(node):
        display = node.GetDisplayNode()
        display.SetColor(*_LINE_COLOUR)
        display.SetLineWidth(2)
        display.SetSliceIntersectionThickness(2)
        display.SetSliceDisplayModeToProjection()
        display.SetVisibility2D(True)
    for index, points in frames.items():
        item = sequence.GetDataNodeAtValue(series.indexValue(index))
        item.SetAndObservePolyData(_lines(series, points.points))
    _update(series, sequence)


def readPoints(series: FrameSeries) -> NumberedPoints:
    """What the nodes of the present frame show, with what a person moved, added and deleted."""
    return together([readKind(series, kind) for kind in KIND_STYLES])


def readKind(series: FrameSeries, kind: int) -> NumberedPoints:
    """What the node of one kind of points shows in the present frame; points that are being placed are none yet."""
    node = pointNode(series, KIND_STYLES[kind])
    if node is None:
        return together([])
    placed = [number for number in range(node.GetNumberOfControlPoints())
              if node.GetNthControlPointPositionStatus(number) == slicer.vtkMRMLMarkupsNode.PositionDefined]
    places = np.array([node.GetNthControlPointPosition(number) for number in placed]).reshape(-1, 3)
    words = [dict(_WORD.findall(node.GetNthControlPointDescription(number))) for number in placed]
    points = SuturePoints(series.toPixels(places),
                          np.array([float(word.get("confidence", BY_HAND)) for word in words]),
                          np.full(len(placed), kind),
                          np.array([int(word.get("stitch", UNPAIRED)) for word in words], int))
    return NumberedPoints(points, np.array([int(word.get("track", NO_TRACK)) for word in words], int))


def keepEdits(series: FrameSeries, points: NumberedPoints) -> None:
    """Keep points in the present frame's items; their nodes, which show them already, are not touched."""
    for kind, style in KIND_STYLES.items():
        sequence = nodeInRole(series.browser, style.role)
        if sequence is not None:
            _write(series, sequence, series.current, points.chosen(points.points.kinds == kind))
            sequence.StorableModified()
    showStitches(series, {series.current: points})


def hideOthers(series: FrameSeries) -> None:
    """Hide the points and stitches of other frames: all lie in one plane of the scene."""
    browsers = [series.scene.GetNthNodeByClass(number, "vtkMRMLSequenceBrowserNode")
                for number in range(series.scene.GetNumberOfNodesByClass("vtkMRMLSequenceBrowserNode"))]
    for browser in browsers:
        if browser is not series.browser:
            for role in _ROLES:
                sequence = nodeInRole(browser, role)
                node = None if sequence is None else browser.GetProxyNode(sequence)
                if node is not None and node.GetDisplayNode() is not None:
                    node.GetDisplayNode().SetVisibility(False)


def setVisible(series: FrameSeries, comparison: bool) -> None:
    """Show either the points, or how they compare with labels; and the stitches."""
    points, results = KIND_STYLES.values(), COMPARISON_STYLES
    wanted = [*((pointNode(series, style), not comparison) for style in points),
              *((pointNode(series, style), comparison) for style in results), (stitchNode(series), True)]
    for node, visible in wanted:
        if node is not None and node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(visible)


def _fill(series: FrameSeries, style: PointStyle, frames: Mapping[int, NumberedPoints], locked: bool) -> None:
    sequence = _sequence(series, style.role, "vtkMRMLMarkupsFiducialNode",
                         f"{style.name} of {series.volume.GetName()}")
    node = series.browser.GetProxyNode(sequence)
    if not _isDressed(node):
        _dress(node, style)
    node.SetLocked(locked)
    for index, points in frames.items():
        _write(series, sequence, index, points, locked)
    _update(series, sequence)


def _write(series: FrameSeries, sequence: slicer.vtkMRMLSequenceNode, index: int, points: NumberedPoints,
           locked: bool = False) -> None:
    item = sequence.GetDataNodeAtValue(series.indexValue(index))
    wasModifying = item.StartModify()
    item.SetLocked(locked)
    item.SetControlPointLabelFormat("")
    item.RemoveAllControlPoints()
    for place, description, track in zip(series.toRas(points.points.positions), _descriptionsOf(points),
                                         points.trackIds, strict=True):
        number = item.AddControlPoint(*place)
        item.SetNthControlPointLabel(number, "" if track == NO_TRACK else str(track))
        item.SetNthControlPointDescription(number, description)
    item.EndModify(wasModifying)


def _descriptionsOf(numbered: NumberedPoints) -> list[str]:
    """One line for each point, as Slicer's Markups module lists it; ``readKind`` reads it back."""
    lines = []
    for confidence, pair, track in zip(numbered.points.confidence, numbered.points.pair_ids, numbered.trackIds,
                                       strict=True):
        words = [f"confidence {confidence:.3f}"]
        words += [f"stitch {pair}"] if pair != UNPAIRED else []
        words += [f"track {track}"] if track != NO_TRACK else []
        lines.append(", ".join(words))
    return lines


def _proxyIn(series: FrameSeries, role: str) -> slicer.vtkMRMLNode | None:
    """The node that shows the sequence in a role; Slicer makes another one where a person deletes it."""
    sequence = nodeInRole(series.browser, role)
    return None if sequence is None else series.browser.GetProxyNode(sequence)


def _sequence(series: FrameSeries, role: str, className: str, name: str) -> slicer.vtkMRMLSequenceNode:
    """The sequence in a role with an item for each frame and a node that shows it, made where they are missing."""
    scene, browser = series.scene, series.browser
    sequence = nodeInRole(browser, role)
    if sequence is None:
        sequence = ownNode(browser, role, "vtkMRMLSequenceNode", f"{name} sequence")
        master = browser.GetMasterSequenceNode()
        sequence.SetIndexName(master.GetIndexName())
        sequence.SetIndexUnit(master.GetIndexUnit())
        sequence.SetIndexType(master.GetIndexType())
    for index in range(series.count):
        if sequence.GetDataNodeAtValue(series.indexValue(index)) is None:
            sequence.SetDataNodeAtValue(getattr(slicer, className)(), series.indexValue(index))
    if browser.GetProxyNode(sequence) is None:
        node = scene.AddNewNodeByClass(className, scene.GenerateUniqueName(name))
        # In one change: Slicer gives a sequence without a node one of its own at once.
        wasModifying = browser.StartModify()
        browser.AddSynchronizedSequenceNode(sequence)
        browser.AddProxyNode(node, sequence, False)
        browser.EndModify(wasModifying)
    return sequence


def _isDressed(node: slicer.vtkMRMLDisplayableNode) -> bool:
    """Whether a node already looks as it should; from now on it does, and what a person changes stays."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    known = display.GetAttribute(_DRESSED) is not None
    display.SetAttribute(_DRESSED, "yes")
    return known


def _update(series: FrameSeries, sequence: slicer.vtkMRMLSequenceNode) -> None:
    """Let the node of a sequence show its present item, and leave other nodes alone: somebody may edit them."""
    sequence.StorableModified()
    node = series.browser.GetProxyNode(sequence)
    wasModifying = node.StartModify()
    node.CopyContent(sequence.GetDataNodeAtValue(series.indexValue(series.current)))
    node.EndModify(wasModifying)


def _dress(node: slicer.vtkMRMLMarkupsFiducialNode, style: PointStyle) -> None:
    display = node.GetDisplayNode()
    colour = [part / 255.0 for part in style.colour]
    display.SetColor(*colour)
    display.SetSelectedColor(*colour)
    display.SetGlyphType(style.glyph)
    display.SetGlyphScale(1.9)
    display.SetTextScale(2.2)
    display.SetPropertiesLabelVisibility(False)
    display.SetSnapMode(_Display.SnapModeUnconstrained)


def _bare(positions: np.ndarray) -> SuturePoints:
    count = len(positions)
    return SuturePoints(np.reshape(positions, (-1, 2)), np.ones(count), np.full(count, UNKNOWN_KIND),
                        np.full(count, UNPAIRED))


def _lines(series: FrameSeries, points: SuturePoints) -> vtk.vtkPolyData:
    corners, cells = vtk.vtkPoints(), vtk.vtkCellArray()
    places = series.toRas(points.positions)
    for pair in np.unique(points.pair_ids[points.pair_ids != UNPAIRED]):
        ends = np.flatnonzero(points.pair_ids == pair)
        if len(ends) == 2:
            cells.InsertNextCell(2)
            for end in ends:
                cells.InsertCellPoint(corners.InsertNextPoint(*places[end]))
    mesh = vtk.vtkPolyData()
    mesh.SetPoints(corners)
    mesh.SetLines(cells)
    return mesh
