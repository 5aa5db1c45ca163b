"""The C-arm as model nodes about the patient: source, detector, beam, arm and isocentre of one view, world mm.

They stand where the :class:`CArmView` says and are drawn anew when its angles, distances or table shift change. Each
X-ray keeps its own set; two X-rays show two C-arms in two colours.
"""

from typing import NamedTuple

import numpy as np
import slicer
import vtk

from ..geometry.carm import CArmView
from .nodeRoles import nodeInRole, ownNode

VIEW_COLORS = ((0.36, 0.76, 0.95), (0.95, 0.77, 0.36))
"""Colour of the beam of the first and of the second X-ray."""

_HOUSING_COLOR = (0.82, 0.84, 0.86)
_ISOCENTRE_COLOR = (1.0, 0.35, 0.35)
_ARM_OPACITY = 0.3
_HOUSING_MM = 45.0
_PLATE_MM = 30.0
_BEHIND_MM = 3.0  # the plate begins so far behind the image plane, or the two would flicker
_MARGIN_MM = 25.0
_BEAM_RADIUS_MM = 2.0
_ARM_RADIUS_MM = 22.0
_ISOCENTRE_MM = 25.0


class CArmNodes(NamedTuple):
    """The model nodes of one C-arm."""

    source: slicer.vtkMRMLModelNode
    detector: slicer.vtkMRMLModelNode
    beam: slicer.vtkMRMLModelNode
    arm: slicer.vtkMRMLModelNode
    isocentre: slicer.vtkMRMLModelNode


def showCArm(xrayNode: slicer.vtkMRMLScalarVolumeNode, view: CArmView, number: int = 0) -> CArmNodes:
    """Add or move the C-arm of an X-ray; ``number`` (0 or 1) chooses its colour."""
    meshes = {"source": _source(view), "detector": _detector(view), "beam": _beam(view), "arm": _arm(view),
              "isocentre": _isocentre(view)}
    colors = dict.fromkeys(meshes, _HOUSING_COLOR) | {"beam": VIEW_COLORS[number], "isocentre": _ISOCENTRE_COLOR}
    nodes = {}
    for part, mesh in meshes.items():
        node = ownNode(xrayNode, _role(part), "vtkMRMLModelNode", f"C-arm {part}")
        node.SetAndObservePolyData(mesh)
        if node.GetDisplayNode() is None:
            node.SetHideFromEditors(True)
            node.SetSelectable(False)
            node.CreateDefaultDisplayNodes()
            node.GetDisplayNode().BackfaceCullingOff()
            node.GetDisplayNode().SetOpacity(_ARM_OPACITY if part == "arm" else 1.0)
        node.GetDisplayNode().SetColor(*colors[part])
        nodes[part] = node
    return CArmNodes(**nodes)


def cArmOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> CArmNodes | None:
    """The C-arm that an X-ray has been given, None before."""
    nodes = {part: nodeInRole(xrayNode, _role(part)) for part in CArmNodes._fields}
    return None if None in nodes.values() else CArmNodes(**nodes)


def _role(part: str) -> str:
    return f"cArm.{part}"


def _source(view: CArmView) -> vtk.vtkPolyData:
    """The tube's housing behind the focal spot, and a collimator that opens towards the patient."""
    housing = vtk.vtkSphereSource()
    housing.SetRadius(_HOUSING_MM)
    housing.SetCenter(*(view.source - 1.2 * _HOUSING_MM * view.beam_direction))
    housing.SetThetaResolution(32)
    housing.SetPhiResolution(24)
    collimator = vtk.vtkConeSource()
    collimator.SetHeight(1.4 * _HOUSING_MM)
    collimator.SetRadius(0.7 * _HOUSING_MM)
    collimator.SetResolution(32)
    collimator.SetDirection(*-view.beam_direction)
    collimator.SetCenter(*(view.source - 0.7 * _HOUSING_MM * view.beam_direction))
    return _together(housing, collimator)


def _detector(view: CArmView) -> vtk.vtkPolyData:
    """A plate behind the image plane, a little larger than the image."""
    edge = _MARGIN_MM / np.array([view.column_spacing_mm, view.row_spacing_mm])
    corners = _corner_pixels(view) + edge * [[-1, -1], [1, -1], [1, 1], [-1, 1]]
    front = view.back_project(corners, view.sid_mm) + _BEHIND_MM * view.beam_direction
    plate = vtk.vtkHexahedron()
    for number, point in enumerate(np.vstack([front, front + _PLATE_MM * view.beam_direction])):
        plate.GetPoints().SetPoint(number, *point)
        plate.GetPointIds().SetId(number, number)
    grid = vtk.vtkUnstructuredGrid()
    grid.SetPoints(plate.GetPoints())
    grid.InsertNextCell(plate.GetCellType(), plate.GetPointIds())
    surface = vtk.vtkGeometryFilter()
    surface.SetInputData(grid)
    return _together(surface)


def _beam(view: CArmView) -> vtk.vtkPolyData:
    """The four edges of the beam, the central ray, and the border of the image."""
    corners = view.back_project(_corner_pixels(view), view.sid_mm)
    rays = [np.array([view.source, corner]) for corner in (*corners, view.detector_centre)]
    return _together(*(_tube(line, _BEAM_RADIUS_MM) for line in (*rays, corners[[0, 1, 2, 3, 0]])))


def _arm(view: CArmView) -> vtk.vtkPolyData:
    """Half a ring from behind the source, past the patient's head, to behind the detector."""
    first = view.source - 2 * _HOUSING_MM * view.beam_direction
    last = view.detector_centre + (_BEHIND_MM + _PLATE_MM) * view.beam_direction
    head = view.rotation @ np.array([0.0, 0.0, 1.0])
    angle = np.linspace(0.0, np.pi, 49)[:, None]
    middle, half = 0.5 * (first + last), 0.5 * (first - last)
    return _together(_tube(middle + np.cos(angle) * half + np.sin(angle) * np.linalg.norm(half) * head,
                           _ARM_RADIUS_MM))


def _isocentre(view: CArmView) -> vtk.vtkPolyData:
    """A cross along the world's axes. The world goes with the patient, so the table shift moves the C-arm's centre."""
    centre = -np.asarray(view.table_shift_mm)
    return _together(*(_tube(centre + _ISOCENTRE_MM * np.array([-axis, axis]), 1.5 * _BEAM_RADIUS_MM)
                       for axis in np.eye(3)))


def _corner_pixels(view: CArmView) -> np.ndarray:
    right, below = view.columns - 0.5, view.rows - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, below], [-0.5, below]])


def _tube(points: np.ndarray, radius: float) -> vtk.vtkTubeFilter:
    """A tube along points (N, 3) mm."""
    corners = vtk.vtkPoints()
    for point in points:
        corners.InsertNextPoint(*point)
    line = vtk.vtkPolyLineSource()
    line.SetPoints(corners)
    tube = vtk.vtkTubeFilter()
    tube.SetInputConnection(line.GetOutputPort())
    tube.SetRadius(radius)
    tube.SetNumberOfSides(12)
    tube.CappingOn()
    return tube


def _together(*parts: vtk.vtkPolyDataAlgorithm) -> vtk.vtkPolyData:
    """One mesh of all parts, without the arrays that the filters add."""
    append = vtk.vtkAppendPolyData()
    for part in parts:
        append.AddInputConnection(part.GetOutputPort())
    append.Update()
    return append.GetOutput()
