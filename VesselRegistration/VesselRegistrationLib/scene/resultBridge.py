"""A registration result as nodes: masks and the projected model on the X-ray, the model under its transform.

The nodes of an X-ray are found again by references from its volume node, so a second registration of the same X-ray
updates them instead of adding more.
"""

from dataclasses import dataclass

import numpy as np
import slicer

from ..mesh.surface import SurfaceModel
from ..projection.rasterizer import silhouette
from ..registration.result import RegistrationResult, ViewResult
from .modelBridge import MODEL_COLOR, setModelSurface
from .volumeBridge import ijkToRas, setLabelmapPixels

ROLE_PREFIX = "HybridOR."
RESULT_PREFIX = "HybridOR.result."
COLOR_TABLE_TAG = "HybridOROverlay"
MASK_LABEL = 1
SILHOUETTE_LABEL = 2
OVERLAY_OPACITY = 0.4
MASK_COLOR = (0.25, 0.75, 0.95)


@dataclass(frozen=True)
class ViewNodes:
    """What lies on one X-ray: the matched vessel mask, the registered silhouette and the model projected flat."""

    xray: slicer.vtkMRMLScalarVolumeNode
    mask: slicer.vtkMRMLLabelMapVolumeNode
    silhouette: slicer.vtkMRMLLabelMapVolumeNode
    projectedModel: slicer.vtkMRMLModelNode


@dataclass(frozen=True)
class ResultNodes:
    """The registered model under the transform model RAS -> world (origin at the isocentre), and the views."""

    registeredModel: slicer.vtkMRMLModelNode
    transform: slicer.vtkMRMLLinearTransformNode
    views: tuple[ViewNodes, ...]


def showResult(result: RegistrationResult, model: SurfaceModel,
               xrayNodes: list[slicer.vtkMRMLScalarVolumeNode]) -> ResultNodes:
    """Add or update the nodes of a result; one X-ray volume node for each of its views, in their order."""
    views = tuple(_showView(view, model, xrayNode) for view, xrayNode in zip(result.views, xrayNodes, strict=True))
    transformNode = _ownNode(xrayNodes[0], "transform", "vtkMRMLLinearTransformNode", "Model to world")
    transformNode.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(result.model_to_world))
    for name in ("method", "status", "reason"):
        transformNode.SetAttribute(RESULT_PREFIX + name, getattr(result, name))
    modelNode = _ownNode(xrayNodes[0], "registeredModel", "vtkMRMLModelNode", f"{model.name} registered")
    setModelSurface(modelNode, model.vertices, model.triangles)
    modelNode.SetAndObserveTransformNodeID(transformNode.GetID())
    return ResultNodes(modelNode, transformNode, views)


def showProjection(model: SurfaceModel, projection: np.ndarray,
                   xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode:
    """Show the silhouette of a model under ``projection`` (3, 4), model RAS mm to pixels, on an X-ray."""
    columns, rows, _ = xrayNode.GetImageData().GetDimensions()
    drawn = silhouette(model, projection, (rows, columns))
    return _showLabelmap(xrayNode, "silhouette", "Projected silhouette", drawn * SILHOUETTE_LABEL)


def setOverlay(xrayNode: slicer.vtkMRMLScalarVolumeNode, visible: bool, opacity: float) -> None:
    """Show or hide the registered model that lies projected on an X-ray, and how strongly it covers it (0 to 1)."""
    projected = xrayNode.GetNodeReference(ROLE_PREFIX + "projectedModel")
    if projected is not None:
        projected.GetDisplayNode().SetVisibility(visible)
        projected.GetDisplayNode().SetSliceIntersectionOpacity(opacity)


def startOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode | None:
    """The silhouette that :func:`showProjection` drew on an X-ray last, None before."""
    return xrayNode.GetNodeReference(ROLE_PREFIX + "silhouette")


def maskOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode | None:
    """The vessel mask that was matched on an X-ray, None before."""
    return xrayNode.GetNodeReference(ROLE_PREFIX + "mask")


def _showView(view: ViewResult, model: SurfaceModel, xrayNode: slicer.vtkMRMLScalarVolumeNode) -> ViewNodes:
    for name in ("dice", "precision", "recall"):
        xrayNode.SetAttribute(RESULT_PREFIX + name, f"{getattr(view.overlap, name):.4f}")
    mask = _showLabelmap(xrayNode, "mask", "Vessel mask", view.mask * MASK_LABEL)
    drawn = _showLabelmap(xrayNode, "silhouette", "Projected silhouette", view.silhouette * SILHOUETTE_LABEL)
    projected = _ownNode(xrayNode, "projectedModel", "vtkMRMLModelNode", "Projected model")
    setModelSurface(projected, *_flatten(model, view.projection, xrayNode))
    _showInSliceViewsOnly(projected)
    return ViewNodes(xrayNode, mask, drawn, projected)


def _showLabelmap(xrayNode: slicer.vtkMRMLScalarVolumeNode, role: str, name: str,
                  pixels: np.ndarray) -> slicer.vtkMRMLLabelMapVolumeNode:
    labelmapNode = _ownNode(xrayNode, role, "vtkMRMLLabelMapVolumeNode", name)
    setLabelmapPixels(labelmapNode, xrayNode, pixels)
    if labelmapNode.GetDisplayNode() is None:
        displayNode = xrayNode.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeDisplayNode")
        displayNode.SetAndObserveColorNodeID(_colorTable(xrayNode.GetScene()).GetID())
        labelmapNode.SetAndObserveDisplayNodeID(displayNode.GetID())
    return labelmapNode


def _flatten(model: SurfaceModel, projection: np.ndarray,
             xrayNode: slicer.vtkMRMLScalarVolumeNode) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) in the image plane, RAS mm of the scene, and one of the two layers of triangles that cover it.

    A closed surface covers its silhouette once with the triangles that face the source and once with the others; one
    layer is enough, and it is not twice as opaque.
    """
    homogeneous = model.vertices @ projection[:, :3].T + projection[:, 3]
    pixels = homogeneous[:, :2] / homogeneous[:, 2:]
    a, b, c = (pixels[model.triangles[:, corner]] for corner in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    inPlane = np.column_stack([pixels, np.zeros(len(pixels)), np.ones(len(pixels))])
    return (inPlane @ ijkToRas(xrayNode).T)[:, :3], model.triangles[area > 0]


def _showInSliceViewsOnly(modelNode: slicer.vtkMRMLModelNode) -> None:
    displayNode = modelNode.GetDisplayNode()
    displayNode.Visibility2DOn()
    displayNode.Visibility3DOff()
    displayNode.SetSliceDisplayModeToProjection()
    displayNode.SetSliceIntersectionOpacity(OVERLAY_OPACITY)


def _ownNode(xrayNode: slicer.vtkMRMLScalarVolumeNode, role: str, className: str, name: str) -> slicer.vtkMRMLNode:
    """The node that an X-ray keeps in a role, added where there is none yet."""
    node = xrayNode.GetNodeReference(ROLE_PREFIX + role)
    if node is None:
        scene = xrayNode.GetScene()
        node = scene.AddNewNodeByClass(className, scene.GenerateUniqueName(name))
        xrayNode.SetNodeReferenceID(ROLE_PREFIX + role, node.GetID())
    return node


def _colorTable(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The colours of the labelmaps: one for the mask that was matched, one for the registered model."""
    table = scene.GetSingletonNode(COLOR_TABLE_TAG, "vtkMRMLColorTableNode")
    if table is None:
        table = slicer.vtkMRMLColorTableNode()
        table.SetName("HybridOR overlay")
        table.SetSingletonTag(COLOR_TABLE_TAG)
        table.SetTypeToUser()
        table.SetNumberOfColors(3)
        table.SetColor(0, "outside", 0.0, 0.0, 0.0, 0.0)
        table.SetColor(MASK_LABEL, "vessel mask", *MASK_COLOR, 1.0)
        table.SetColor(SILHOUETTE_LABEL, "registered model", *MODEL_COLOR, 1.0)
        table = scene.AddNode(table)
    return table
