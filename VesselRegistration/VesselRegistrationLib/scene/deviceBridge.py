"""Catheters and guidewires on an X-ray: a curve along each, and a point at its tip."""

from collections.abc import Sequence

import numpy as np
import slicer

from ..catheters.finding import DeviceFinder
from ..catheters.tracing import DeviceCurve
from ..errors import UserError
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from .nodeRoles import ROLE_PREFIX
from .roiBridge import removeMarkups
from .viewLayout import XRAY_VIEW_NAMES, viewNode
from .viewRestriction import restrictTo
from .volumeBridge import frameFromVolume, ijkToRas

DEVICE_COLOR = (0.25, 0.95, 0.45)
DEVICE_ATTRIBUTE = "HybridOR.device."

_ROLE = ROLE_PREFIX + "devices"
_POINT_EVERY_PX = 12


def findDevices(xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode], finder: DeviceFinder,
                progress: ProgressCallback = ignore_progress, shouldStop: StopCheck = never_stop) -> int:
    """Find devices in X-rays and show them; gives how many there are. Raises UserError and Cancelled."""
    count = 0
    for number, xrayNode in enumerate(xrayNodes):
        raise_if_stopped(shouldStop)
        progress(number / len(xrayNodes), "finding devices")
        frame = frameFromVolume(xrayNode)
        curves = finder.find(frame.attenuation, frame.usable).curves
        if xrayNode.GetScene() is None:
            raise UserError("The X-ray was deleted meanwhile: load it again.")
        showDevices(xrayNode, curves, number)
        count += len(curves)
    progress(1.0, "devices found")
    return count


def showDevices(xrayNode: slicer.vtkMRMLScalarVolumeNode, curves: Sequence[DeviceCurve], viewNumber: int = 0) -> None:
    """Show devices on an X-ray in place of those before, in the slice view of X-ray 0 or 1 alone."""
    removeDevices(xrayNode)
    for number, curve in enumerate(curves, start=1):
        points = [_add(xrayNode, "vtkMRMLMarkupsCurveNode", f"Device {number}", _thinned(curve.points), viewNumber)]
        points[0].SetAttribute(DEVICE_ATTRIBUTE + "length_px", f"{curve.length_px:.1f}")
        points[0].SetAttribute(DEVICE_ATTRIBUTE + "width_px", f"{curve.width_px:.1f}")
        points[0].GetDisplayNode().SetGlyphScale(0.5)
        if curve.tip is not None:
            tip = _add(xrayNode, "vtkMRMLMarkupsFiducialNode", f"Tip {number}", curve.tip[None], viewNumber)
            tip.SetAttribute(DEVICE_ATTRIBUTE + "confidence", f"{curve.tip_confidence:.2f}")
            tip.GetDisplayNode().SetGlyphScale(2.0)
            tip.GetDisplayNode().SetPointLabelsVisibility(True)


def devicesOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> list[slicer.vtkMRMLMarkupsNode]:
    """The curves and tips on an X-ray."""
    nodes = [xrayNode.GetNthNodeReference(_ROLE, k) for k in range(xrayNode.GetNumberOfNodeReferences(_ROLE))]
    return [node for node in nodes if node is not None]


def setDevicesVisible(xrayNode: slicer.vtkMRMLScalarVolumeNode, visible: bool) -> None:
    """Show or hide the devices of an X-ray."""
    for node in devicesOf(xrayNode):
        node.GetDisplayNode().SetVisibility(visible)


def removeDevices(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Take the devices of an X-ray out of the scene."""
    nodes = devicesOf(xrayNode)
    xrayNode.RemoveNodeReferenceIDs(_ROLE)
    for node in nodes:
        removeMarkups(node)


def _add(xrayNode: slicer.vtkMRMLScalarVolumeNode, className: str, name: str, pixels: np.ndarray,
         viewNumber: int) -> slicer.vtkMRMLMarkupsNode:
    scene = xrayNode.GetScene()
    node = scene.AddNewNodeByClass(className, scene.GenerateUniqueName(name))
    inImage = np.column_stack([pixels, np.zeros(len(pixels)), np.ones(len(pixels))])
    node.SetControlPointLabelFormat(name)
    for position in (inImage @ ijkToRas(xrayNode).T)[:, :3]:
        node.AddControlPoint(*position)
    node.SetLocked(True)
    node.CreateDefaultDisplayNodes()
    displayNode = node.GetDisplayNode()
    displayNode.SetSelectedColor(*DEVICE_COLOR)
    displayNode.SetColor(*DEVICE_COLOR)
    displayNode.SetPointLabelsVisibility(False)
    displayNode.SetPropertiesLabelVisibility(False)
    restrictTo(displayNode, [viewNode(scene, XRAY_VIEW_NAMES[viewNumber])])
    xrayNode.AddNodeReferenceID(_ROLE, node.GetID())
    return node


def _thinned(points: np.ndarray) -> np.ndarray:
    """Every so many points, both ends among them: a spline through them is the curve."""
    return points[np.unique(np.linspace(0, len(points) - 1, max(2, len(points) // _POINT_EVERY_PX)).astype(int))]
