"""Registration on nodes of a scene: what is missing, where the model would start, the region, the run itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import slicer

from ..errors import UserError
from ..mesh.surface import SurfaceModel
from ..pose.rigid import PosePrior
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from ..projection.rasterizer import silhouette
from ..registration.masks import DEFAULT_THRESHOLD, VesselMask
from ..registration.pipeline import RegistrationRequest, initial_pose, register
from ..registration.result import RegistrationResult
from .maskBridge import givenMask
from .modelBridge import surfaceFromModel
from .resultBridge import ResultNodes, showResult
from .resultRecord import keepRecord, recordOf
from .roiBridge import placeRoi, rectangleFromRoi
from .volumeBridge import frameFromVolume, geometryFromVolume, viewFromVolume

NEAR_START = PosePrior(rotation_deg=5.0, in_plane_mm=10.0, depth_mm=10.0)
"""How far a pose may lie from its start that is to stay near to it (standard deviations)."""


def missingInput(modelNode: slicer.vtkMRMLModelNode | None,
                 xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode]) -> str:
    """What has to be given before a registration, in one sentence; empty where nothing is missing."""
    if modelNode is None or modelNode.GetPolyData() is None:
        return "Choose or load a vessel model."
    if not xrayNodes:
        return "Choose or load an X-ray."
    for xrayNode in xrayNodes:
        if xrayNode.GetImageData() is None:
            return f"The X-ray {xrayNode.GetName()} is empty: load it again."
        missing = [words.split(" (--")[0] for words in geometryFromVolume(xrayNode).missing()]
        if missing:
            return f"{xrayNode.GetName()} does not say its {', '.join(missing)}: give it under C-arm geometry."
        try:
            viewFromVolume(xrayNode)
        except UserError as impossible:
            return str(impossible)
    return ""


def addRoi(modelNode: slicer.vtkMRMLModelNode, xrayNode: slicer.vtkMRMLScalarVolumeNode,
           startNode: slicer.vtkMRMLTransformNode | None = None) -> slicer.vtkMRMLMarkupsROINode:
    """A region of interest around the model as it is projected from where the search starts.

    Raises UserError where nothing of it lies in the image.
    """
    model, view = surfaceFromModel(modelNode), viewFromVolume(xrayNode)
    pose = initial_pose(model) if startNode is None else slicer.util.arrayFromTransformMatrix(startNode, toWorld=True)
    rows, columns = np.nonzero(silhouette(model, view.projection_matrix @ pose, (view.rows, view.columns)))
    if len(rows) == 0:
        raise UserError("No part of the projected model lies in the X-ray: check model and geometry.")
    roiNode = xrayNode.GetScene().AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region of interest")
    placeRoi(roiNode, xrayNode, (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))
    return roiNode


@dataclass(frozen=True)
class RegistrationOptions:
    """How to register; see ``RegistrationRequest``.

    ``startNode`` is a transform from model RAS to world where the search begins, the model's middle at the isocentre
    where there is none; ``stayNear`` keeps the pose near to it. ``network`` is the file of a vessel network of the
    user's.
    """

    method: str = "pose"
    device: str = "auto"
    fieldOfView: str = "auto"
    threshold: float = DEFAULT_THRESHOLD
    startNode: slicer.vtkMRMLTransformNode | None = None
    stayNear: bool = False
    network: Path | str | None = None


def registerNodes(modelNode: slicer.vtkMRMLModelNode, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
                  roiNode: slicer.vtkMRMLMarkupsROINode | None = None, options: RegistrationOptions | None = None,
                  progress: ProgressCallback = ignore_progress,
                  shouldStop: StopCheck = never_stop) -> tuple[RegistrationResult, ResultNodes | None]:
    """Register a model to one or more X-rays; the result and its nodes, None where no pose was found.

    The region of interest lies on the first X-ray. Raises UserError for input that cannot be used and where nodes were
    deleted meanwhile, Cancelled on request.
    """
    options = options or RegistrationOptions()
    missing = missingInput(modelNode, xrayNodes)
    if missing:
        raise UserError(missing)
    model: SurfaceModel = surfaceFromModel(modelNode)
    roi = None if roiNode is None else rectangleFromRoi(roiNode, xrayNodes[0])
    start = None if options.startNode is None else slicer.util.arrayFromTransformMatrix(options.startNode, toWorld=True)
    masks = [givenMask(node, options.threshold) for node in xrayNodes]
    request = RegistrationRequest(
        model, tuple(frameFromVolume(node) for node in xrayNodes),
        tuple(None if mask is None else mask.mask for mask in masks), roi=roi, method=options.method,
        device=options.device, field_of_view=options.fieldOfView, threshold=options.threshold, start=start,
        limits=NEAR_START if options.stayNear else None, network=options.network)
    result = _withSources(register(request, progress, shouldStop), masks)
    if any(node.GetScene() is None for node in xrayNodes):
        raise UserError("The X-ray was deleted during the registration: load it again.")
    if not result.found:
        return result, None
    nodes = showResult(result, model, list(xrayNodes))
    keepRecord(nodes.transform, recordOf(result, model))
    return result, nodes


def _withSources(result: RegistrationResult, masks: Sequence[VesselMask | None]) -> RegistrationResult:
    """A result that says of the masks it was given where they came from."""
    views = tuple(view if mask is None else replace(view, mask_source=mask.source)
                  for view, mask in zip(result.views, masks, strict=True))
    weights = {name: sha for mask in masks if mask is not None for name, sha in mask.weights.items()}
    return replace(result, views=views, weights={**result.weights, **weights})
