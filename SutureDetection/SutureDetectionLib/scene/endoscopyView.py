"""Layouts of the module: the frame alone, or beside a 3D view of the stitches in space."""

from typing import Any

import numpy as np
import slicer
from VesselRegistrationLib.scene.viewLayout import addLayouts, layoutRow, sliceView, threeDView
from VesselRegistrationLib.scene.viewRestriction import restrictTo

from .frameSeries import FrameSeries
from .pointNodes import COMPARISON_STYLES, KIND_STYLES, hideOthers, pointNode, stitchNode
from .spaceNodes import spaceNodesOf

FRAME_LAYOUT, SPACE_LAYOUT = 5660, 5661
"""Numbers of the layouts; Slicer's own stay below 1000, those of Vessel Registration begin at 5650."""

FRAME_VIEW, SPACE_VIEW = "HybridOREndoscopy", "HybridORStitches"

_ROOM = 2.0

_SLICE = sliceView(FRAME_VIEW, "E", "#5CC2F2")
_LAYOUTS = {
    FRAME_LAYOUT: layoutRow("horizontal", [_SLICE]),
    SPACE_LAYOUT: layoutRow("horizontal", [_SLICE, threeDView(SPACE_VIEW, "3D")], sizes=(600, 400)),
}


def showFrames(series: FrameSeries, layoutManager: Any, switchLayout: bool = True) -> None:
    """Show the frames upright and whole in the view of the module, and keep points in pixels out of all others.

    ``layoutManager`` may be None, as in a Slicer without a window.
    """
    scene = series.scene
    layoutNode = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layoutNode is None:
        return
    if switchLayout:
        addLayouts(layoutNode, _LAYOUTS)
        layoutNode.SetViewArrangement(SPACE_LAYOUT if spaceNodesOf(series) else FRAME_LAYOUT)
        hideOthers(series)
    frameView = scene.GetSingletonNode(FRAME_VIEW, "vtkMRMLSliceNode")
    spaceView = scene.GetSingletonNode(SPACE_VIEW, "vtkMRMLViewNode")
    flat = [pointNode(series, style) for style in (*KIND_STYLES.values(), *COMPARISON_STYLES)]
    for nodes, view in (((*flat, stitchNode(series)), frameView), (spaceNodesOf(series), spaceView)):
        for node in nodes:
            if view is not None and node is not None and node.IsA("vtkMRMLDisplayableNode") and node.GetDisplayNode():
                restrictTo(node.GetDisplayNode(), [view])
    if spaceView is not None:
        spaceView.SetBoxVisible(False)
        spaceView.SetAxisLabelsVisible(False)
    if layoutManager is not None and FRAME_VIEW in layoutManager.sliceViewNames():
        _lookAt(layoutManager.sliceWidget(FRAME_VIEW).sliceLogic(), series)


def lookAtSpace(series: FrameSeries) -> None:
    """Look at the stitches in space from where the endoscope is, far enough to see all."""
    scene, nodes = series.scene, spaceNodesOf(series)
    spaceView = scene.GetSingletonNode(SPACE_VIEW, "vtkMRMLViewNode")
    cameras = [scene.GetNthNodeByClass(number, "vtkMRMLCameraNode")
               for number in range(scene.GetNumberOfNodesByClass("vtkMRMLCameraNode"))]
    for camera in cameras:
        if spaceView is not None and nodes and camera.GetLayoutName() == spaceView.GetLayoutName():
            markups = [node for node in nodes if node.IsA("vtkMRMLMarkupsNode")]
            places = slicer.util.arrayFromMarkupsControlPoints(markups[-1])  # the annulus where there is one
            middle = places.mean(axis=0)
            radius = np.linalg.norm(places - middle, axis=1).max()
            distance = _ROOM * radius / np.tan(np.radians(0.5 * camera.GetViewAngle()))
            camera.SetPosition(*(middle * (1.0 - distance / np.linalg.norm(middle))))
            camera.SetFocalPoint(*middle)
            camera.SetViewUp(0.0, 1.0, 0.0)
            camera.ResetClippingRange()


def _lookAt(logic: slicer.vtkMRMLSliceLogic, series: FrameSeries) -> None:
    """Columns to the right and rows down, however the volume lies in the scene."""
    composite, sliceNode = logic.GetSliceCompositeNode(), logic.GetSliceNode()
    if composite.GetBackgroundVolumeID() == series.volume.GetID():
        return  # the user's zoom stays
    composite.SetBackgroundVolumeID(series.volume.GetID())
    begin, right, down = series.toRas(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    axes = [way / np.linalg.norm(way) for way in (right - begin, begin - down)]
    matrix = sliceNode.GetSliceToRAS()
    # As in Slicer's axial view, the third axis looks away from the reader.
    for column, axis in enumerate((*axes, -np.cross(*axes))):
        for row in range(3):
            matrix.SetElement(row, column, axis[row])
    for row in range(3):
        matrix.SetElement(row, 3, begin[row])
    sliceNode.UpdateMatrices()
    logic.FitSliceToBackground()
