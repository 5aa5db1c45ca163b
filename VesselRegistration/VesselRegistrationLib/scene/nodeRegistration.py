"""Registration on nodes of a scene: what is missing, where the model would start, the region, the run itself."""

from collections.abc import Sequence

import numpy as np
import slicer

from ..errors import UserError
from ..mesh.surface import SurfaceModel
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from ..registration.pipeline import RegistrationRequest, initial_pose, register
from ..registration.result import RegistrationResult
from .modelBridge import surfaceFromModel
from .resultBridge import ResultNodes, showProjection, showResult
from .roiBridge import placeRoi, rectangleFromRoi
from .volumeBridge import frameFromVolume, geometryFromVolume


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
    return ""


def showStart(modelNode: slicer.vtkMRMLModelNode,
              xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLLabelMapVolumeNode:
    """Show on an X-ray where the model would lie with its middle at the isocentre. Raises UserError."""
    model = surfaceFromModel(modelNode)
    projection = frameFromVolume(xrayNode).view().projection_matrix @ initial_pose(model)
    return showProjection(model, projection, xrayNode)


def addRoiAroundStart(modelNode: slicer.vtkMRMLModelNode,
                      xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLMarkupsROINode:
    """A region of interest around the projected model. Raises UserError where nothing of it lies in the image."""
    rows, columns = np.nonzero(slicer.util.arrayFromVolume(showStart(modelNode, xrayNode))[0])
    if len(rows) == 0:
        raise UserError("No part of the projected model lies in the X-ray: check model and geometry.")
    roiNode = xrayNode.GetScene().AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region of interest")
    placeRoi(roiNode, xrayNode, (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))
    return roiNode


def registerNodes(modelNode: slicer.vtkMRMLModelNode, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
                  roiNode: slicer.vtkMRMLMarkupsROINode | None = None, method: str = "pose", device: str = "auto",
                  fieldOfView: str = "auto", progress: ProgressCallback = ignore_progress,
                  shouldStop: StopCheck = never_stop) -> tuple[RegistrationResult, ResultNodes | None]:
    """Register a model to one or more X-rays; the result and its nodes, None where no pose was found.

    The region of interest lies on the first X-ray. Raises UserError for input that cannot be used and where nodes were
    deleted meanwhile, Cancelled on request.
    """
    missing = missingInput(modelNode, xrayNodes)
    if missing:
        raise UserError(missing)
    model: SurfaceModel = surfaceFromModel(modelNode)
    roi = None if roiNode is None else rectangleFromRoi(roiNode, xrayNodes[0])
    request = RegistrationRequest(model, tuple(frameFromVolume(node) for node in xrayNodes), roi=roi, method=method,
                                  device=device, field_of_view=fieldOfView)
    result = register(request, progress, shouldStop)
    if any(node.GetScene() is None for node in xrayNodes):
        raise UserError("The X-ray was deleted during the registration: load it again.")
    return result, showResult(result, model, list(xrayNodes)) if result.found else None
