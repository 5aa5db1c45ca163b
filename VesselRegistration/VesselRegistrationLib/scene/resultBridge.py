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
from .modelBridge import setModelSurface
from .nodeRoles import nodeInRole, ownNode
from .overlayNodes import MASK_LABEL, SILHOUETTE_LABEL, showFlattened, showLabelmap

RESULT_PREFIX = "HybridOR.result."


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
    transformNode = ownNode(xrayNodes[0], "transform", "vtkMRMLLinearTransformNode", "Model to world")
    transformNode.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(result.model_to_world))
    for name in ("method", "status", "reason"):
        transformNode.SetAttribute(RESULT_PREFIX + name, getattr(result, name))
    modelNode = ownNode(xrayNodes[0], "registeredModel", "vtkMRMLModelNode", f"{model.name} registered")
    setModelSurface(modelNode, model.vertices, model.triangles)
    modelNode.SetAndObserveTransformNodeID(transformNode.GetID())
    return ResultNodes(modelNode, transformNode, views)


def showProjection(model: SurfaceModel, projection: np.ndarray,
                   xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode:
    """Show the silhouette of a model under ``projection`` (3, 4), model RAS mm to pixels, on an X-ray."""
    columns, rows, _ = xrayNode.GetImageData().GetDimensions()
    drawn = silhouette(model, projection, (rows, columns))
    return showLabelmap(xrayNode, "silhouette", "Projected silhouette", drawn * SILHOUETTE_LABEL)


def setOverlay(xrayNode: slicer.vtkMRMLScalarVolumeNode, visible: bool, opacity: float) -> None:
    """Show or hide the registered model that lies projected on an X-ray, and how strongly it covers it (0 to 1)."""
    projected = nodeInRole(xrayNode, "projectedModel")
    if projected is not None:
        projected.GetDisplayNode().SetVisibility(visible)
        projected.GetDisplayNode().SetSliceIntersectionOpacity(opacity)


def startOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode | None:
    """The silhouette that :func:`showProjection` drew on an X-ray last, None before."""
    return nodeInRole(xrayNode, "silhouette")


def maskOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode | None:
    """The vessel mask that was matched on an X-ray, None before."""
    return nodeInRole(xrayNode, "mask")


def _showView(view: ViewResult, model: SurfaceModel, xrayNode: slicer.vtkMRMLScalarVolumeNode) -> ViewNodes:
    for name in ("dice", "precision", "recall"):
        xrayNode.SetAttribute(RESULT_PREFIX + name, f"{getattr(view.overlap, name):.4f}")
    mask = showLabelmap(xrayNode, "mask", "Vessel mask", view.mask * MASK_LABEL)
    drawn = showLabelmap(xrayNode, "silhouette", "Projected silhouette", view.silhouette * SILHOUETTE_LABEL)
    return ViewNodes(xrayNode, mask, drawn, showFlattened(xrayNode, model, view.projection))
