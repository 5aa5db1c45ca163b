"""Stitches in space from both eyes: points, annulus and spacing as nodes.

The left camera's frame has x to the right, y down and z away from it, in mm; in the scene it lies as the pictures do,
(x, y, z) at RAS (-x, -y, z).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import vtk
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.scene.nodeRoles import nodeInRole, ownNode

from ..inputs.opening import MONO
from ..rendering.overlay import TRUE_POSITIVE
from ..stereo.calibration_file import read_calibration
from ..stereo.reconstruction import Reconstruction, reconstruct
from .frameSeries import FrameSeries
from .pointKeeper import eyesOf
from .pointRecord import NumberedPoints

CAMERA_TO_RAS = np.diag([-1.0, -1.0, 1.0])

_CURVE_POINTS = 48
_ROLES = ("spacePoints", "annulus", "spacing")


@dataclass(frozen=True)
class SpaceNodes:
    """``curve`` and ``table`` are None, and ``whyNoCurve`` says why, where no ring can be fitted."""

    points: slicer.vtkMRMLMarkupsFiducialNode
    curve: slicer.vtkMRMLMarkupsClosedCurveNode | None
    table: slicer.vtkMRMLTableNode | None
    whyNoCurve: str
    result: Reconstruction


def reconstructFrame(series: FrameSeries, points: NumberedPoints, calibrationPath: Path) -> SpaceNodes:
    """The stitches of a stereo frame in space; nodes of an earlier frame are filled anew.

    Raises UserError where the frame is not of two eyes, the calibration does not fit, or no point is in both eyes.
    """
    if series.facts.layout == MONO:
        raise UserError("These frames show one eye: load them again as top-bottom or side-by-side.")
    calibration = read_calibration(calibrationPath, series.eyeShape())
    left, right = (part.points for part in eyesOf(series, points).values())
    result = reconstruct(left.positions, right.positions, calibration, left.kinds, right.kinds, left.pair_ids)
    if not len(result.found.points):
        raise UserError("No point was found in both eyes: lower the threshold, or mark points in both pictures.")
    name = series.volume.GetName()
    pointNode = ownNode(series.browser, _ROLES[0], "vtkMRMLMarkupsFiducialNode", f"Stitch points of {name} (mm)")
    pointNode.CreateDefaultDisplayNodes()
    display = pointNode.GetDisplayNode()
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(0.8)
    display.SetTextScale(2.0)
    display.SetPropertiesLabelVisibility(False)
    display.SetVisibility2D(False)
    pointNode.SetLocked(True)
    pointNode.RemoveAllControlPoints()
    for number, (place, error) in enumerate(zip(toScene(result.found.points), result.found.error_mm, strict=True)):
        index = pointNode.AddControlPoint(*place, str(number))
        pointNode.SetNthControlPointDescription(index, f"expected error {float(np.max(error)):.2f} mm")
    curve = _showCurve(series, result, name)
    return SpaceNodes(pointNode, curve, _showTable(series, result, left.pair_ids, name), result.why_no_curve, result)


def toScene(points: np.ndarray) -> np.ndarray:
    """Points (N, 3) mm of the left camera's frame in RAS."""
    return np.asarray(points) @ CAMERA_TO_RAS.T


def spaceNodesOf(series: FrameSeries) -> list[slicer.vtkMRMLNode]:
    """The nodes in space of a series; none before ``reconstructFrame``."""
    return [node for role in _ROLES if (node := nodeInRole(series.browser, role)) is not None]


def _showCurve(series: FrameSeries, result: Reconstruction, name: str) -> slicer.vtkMRMLMarkupsClosedCurveNode | None:
    if result.curve is None:
        _remove(series, _ROLES[1])
        return None
    node = ownNode(series.browser, _ROLES[1], "vtkMRMLMarkupsClosedCurveNode", f"Annulus of {name}")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    colour = [part / 255.0 for part in TRUE_POSITIVE]
    display.SetColor(*colour)
    display.SetSelectedColor(*colour)
    display.SetGlyphType(slicer.vtkMRMLMarkupsDisplayNode.Vertex2D)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetVisibility2D(False)
    node.SetLocked(True)
    node.RemoveAllControlPoints()
    line = result.curve.line[:-1]
    for place in toScene(line[np.linspace(0, len(line), _CURVE_POINTS, endpoint=False).astype(int)]):
        node.AddControlPoint(*place)
    return node


def _showTable(series: FrameSeries, result: Reconstruction, pairIds: np.ndarray,
               name: str) -> slicer.vtkMRMLTableNode | None:
    spacing = result.spacing
    if spacing is None:
        _remove(series, _ROLES[2])
        return None
    node = ownNode(series.browser, _ROLES[2], "vtkMRMLTableNode", f"Stitch spacing of {name}")
    node.RemoveAllColumns()
    pairs = np.asarray(pairIds)[result.matches.left][spacing.order]
    widths = [spacing.widths_mm.get(int(pair), np.nan) for pair in pairs]
    errors = [float(np.max(error)) for error in np.asarray(result.found.error_mm)[spacing.order]]
    for title, values in (("point", spacing.order), ("stitch", pairs), ("along annulus (mm)", spacing.at_mm),
                          ("to next (mm)", spacing.to_next_mm), ("stitch width (mm)", widths),
                          ("expected error (mm)", errors)):
        whole = title in ("point", "stitch")
        column = vtk.vtkIntArray() if whole else vtk.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(int(value) if whole else round(float(value), 2))
        node.AddColumn(column)
    return node


def _remove(series: FrameSeries, role: str) -> None:
    """Take away what belongs to an earlier frame."""
    node = nodeInRole(series.browser, role)
    if node is not None:
        series.scene.RemoveNode(node)
