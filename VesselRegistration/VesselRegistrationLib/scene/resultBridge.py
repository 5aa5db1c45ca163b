"""A registration result as nodes: masks and the projected model on the X-ray, the model under its transform.

The nodes of an X-ray are found again by references from its volume node, so a second registration of the same X-ray
updates them instead of adding more.
"""

from dataclasses import dataclass

import slicer

from ..mesh.surface import SurfaceModel
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


def maskOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode | None:
    """The vessel mask that was matched on an X-ray, None before."""
    return nodeInRole(xrayNode, "mask")


def _showView(view: ViewResult, model: SurfaceModel, xrayNode: slicer.vtkMRMLScalarVolumeNode) -> ViewNodes:
    for name in ("dice", "precision", "recall"):
        xrayNode.SetAttribute(RESULT_PREFIX + name, f"{getattr(view.overlap, name):.4f}")
    mask = showLabelmap(xrayNode, "mask", "Vessel mask", view.mask * MASK_LABEL)
    drawn = showLabelmap(xrayNode, "silhouette", "Projected silhouette", view.silhouette * SILHOUETTE_LABEL)
    return ViewNodes(xrayNode, mask, drawn, showFlattened(xrayNode, model, view.projection))
