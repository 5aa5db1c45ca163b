"""Layouts of the module: one or two X-rays, the view from the C-arm, and a free view of the C-arm about the model.

They are registered in the scene's layout node, which Slicer and slicer-core share. View nodes are found by their
names; widgets, renderers and slice logics only where there is a layout manager.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import slicer
import vtk

ONE_XRAY_LAYOUT = 5650
TWO_XRAYS_LAYOUT = 5651
"""Numbers of the layouts; Slicer's own stay below 1000."""

XRAY_VIEW_NAMES = ("HybridORXray1", "HybridORXray2")
CARM_VIEW_NAME = "HybridORCArm"
ROOM_VIEW_NAME = "HybridORRoom"

_COLORS = ("#5CC2F2", "#F2C45C")
_LABELS = ("X1", "X2")


def registerLayouts(scene: slicer.vtkMRMLScene) -> bool:
    """Make both layouts known to the layout node of a scene; False where there is none (Slicer without a window)."""
    layoutNode = _layoutNode(scene)
    if layoutNode is None:
        return False
    addLayouts(layoutNode, {ONE_XRAY_LAYOUT: _oneXray(), TWO_XRAYS_LAYOUT: _twoXrays()})
    return True


def addLayouts(layoutNode: slicer.vtkMRMLLayoutNode, descriptions: Mapping[int, str]) -> None:
    """Make layouts known by their numbers, in place of those that had the numbers before."""
    for number, description in descriptions.items():
        if layoutNode.IsLayoutDescription(number):
            layoutNode.SetLayoutDescription(number, description)
        else:
            layoutNode.AddLayoutDescription(number, description)


def layoutRow(direction: str, items: Sequence[str], sizes: Sequence[int] = ()) -> str:
    """Views or rows beside each other (``horizontal``) or below (``vertical``), with shares of the place."""
    shares = [f' splitSize="{size}"' for size in sizes] or [""] * len(items)
    inside = "".join(f"<item{share}>{item}</item>" for share, item in zip(shares, items, strict=True))
    return f'<layout type="{direction}" split="true">{inside}</layout>'


def sliceView(name: str, label: str, color: str) -> str:
    """A slice view in a layout, axial, found again by its name."""
    return (f'<view class="vtkMRMLSliceNode" singletontag="{name}">'
            '<property name="orientation" action="default">Axial</property>'
            f'<property name="viewlabel" action="default">{label}</property>'
            f'<property name="viewcolor" action="default">{color}</property></view>')


def threeDView(name: str, label: str) -> str:
    """A 3D view in a layout, found again by its name."""
    return (f'<view class="vtkMRMLViewNode" singletontag="{name}">'
            f'<property name="viewlabel" action="default">{label}</property></view>')


def showLayout(scene: slicer.vtkMRMLScene, xrayCount: int) -> bool:
    """Switch to the layout for one or two X-rays; False where the scene has no layout node."""
    layoutNode = _layoutNode(scene)
    if layoutNode is None or not registerLayouts(scene):
        return False
    layoutNode.SetViewArrangement(TWO_XRAYS_LAYOUT if xrayCount > 1 else ONE_XRAY_LAYOUT)
    carm = viewNode(scene, CARM_VIEW_NAME)
    if carm is not None:
        carm.SetBackgroundColor(0.0, 0.0, 0.0)
        carm.SetBackgroundColor2(0.0, 0.0, 0.0)
    for name in (CARM_VIEW_NAME, ROOM_VIEW_NAME):
        node = viewNode(scene, name)
        if node is not None:
            node.SetBoxVisible(False)
            node.SetAxisLabelsVisible(False)
            node.SetUseDepthPeeling(False)  # it nearly triples the time of a picture
    room = viewNode(scene, ROOM_VIEW_NAME)
    if room is not None:
        room.SetOrientationMarkerType(slicer.vtkMRMLAbstractViewNode.OrientationMarkerTypeHuman)
    return True


def isShown(scene: slicer.vtkMRMLScene) -> bool:
    """Whether one of the module's layouts is the one that is shown."""
    layoutNode = _layoutNode(scene)
    return layoutNode is not None and layoutNode.GetViewArrangement() in (ONE_XRAY_LAYOUT, TWO_XRAYS_LAYOUT)


def viewNode(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLAbstractViewNode | None:
    """The slice or 3D view node of a name (``XRAY_VIEW_NAMES``, ``CARM_VIEW_NAME``, ``ROOM_VIEW_NAME``)."""
    className = "vtkMRMLSliceNode" if name in XRAY_VIEW_NAMES else "vtkMRMLViewNode"
    return scene.GetSingletonNode(name, className)


def sliceLogic(layoutManager: Any, name: str) -> slicer.vtkMRMLSliceLogic | None:
    """The logic of a slice view; None where there is no layout manager or the view is not shown."""
    if layoutManager is None or name not in layoutManager.sliceViewNames():
        return None
    return layoutManager.sliceWidget(name).sliceLogic()


def renderer(layoutManager: Any, name: str) -> vtk.vtkRenderer | None:
    """The renderer of a view; None where there is no layout manager or the view is not shown."""
    if layoutManager is None:
        return None
    if name in XRAY_VIEW_NAMES:
        if name not in layoutManager.sliceViewNames():
            return None
        window = layoutManager.sliceWidget(name).sliceView().renderWindow()
        return window.GetRenderers().GetFirstRenderer()
    for number in range(layoutManager.threeDViewCount):
        widget = layoutManager.threeDWidget(number)
        if widget.mrmlViewNode() is not None and widget.mrmlViewNode().GetSingletonTag() == name:
            return widget.threeDView().renderWindow().GetRenderers().GetFirstRenderer()
    return None


def showXray(logic: slicer.vtkMRMLSliceLogic, xrayNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show an X-ray upright and whole in a slice view."""
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(xrayNode.GetID())
    # The volume lies in the axial plane; rotating to the volume plane would turn it by 180 degrees.
    logic.GetSliceNode().SetOrientationToAxial()
    logic.FitSliceToBackground()


def _layoutNode(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLLayoutNode | None:
    return scene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def _oneXray() -> str:
    right = layoutRow("vertical", [threeDView(CARM_VIEW_NAME, "C"), threeDView(ROOM_VIEW_NAME, "3D")])
    return layoutRow("horizontal", [_slice(0), right], sizes=(600, 400))


def _twoXrays() -> str:
    below = layoutRow("horizontal", [threeDView(CARM_VIEW_NAME, "C"), threeDView(ROOM_VIEW_NAME, "3D")])
    return layoutRow("vertical", [layoutRow("horizontal", [_slice(0), _slice(1)]), below], sizes=(550, 450))


def _slice(number: int) -> str:
    return sliceView(XRAY_VIEW_NAMES[number], _LABELS[number], _COLORS[number])
