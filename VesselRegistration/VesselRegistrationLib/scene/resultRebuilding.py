"""A result from what the scene keeps of it: after a scene was loaded, and after a step back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer

from ..errors import UserError
from ..pose.confidence import PoseConfidence
from ..pose.rigid import PosePrior
from ..registration.masks import VesselMask
from ..registration.pipeline import view_result
from ..registration.result import RegistrationResult
from ..registration.task import PoseTask, ViewTask
from .modelBridge import surfaceFromModel
from .resultBridge import maskOf, showResult
from .resultRecord import dropRecord, poseIn, previousRecord
from .volumeBridge import frameFromVolume


def resultFromScene(modelNode: slicer.vtkMRMLModelNode, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
                    record: dict[str, Any]) -> RegistrationResult:
    """The result of a record, drawn anew on the X-rays and their masks of this moment. Raises UserError."""
    if len(record["views"]) != len(xrayNodes):
        raise UserError("The result belongs to another number of X-rays: register again.")
    model, frames = surfaceFromModel(modelNode), [frameFromVolume(node) for node in xrayNodes]
    masks = [VesselMask(_mask(node, frame.attenuation.shape), view["mask_source"])
             for node, frame, view in zip(xrayNodes, frames, record["views"], strict=True)]
    roi = None if record["roi"] is None else tuple(record["roi"])
    limits = None if record["limits"] is None else PosePrior(**record["limits"])
    task = PoseTask(model, tuple(ViewTask(frame.view(), mask.mask & frame.usable, frame.usable)
                                 for frame, mask in zip(frames, masks, strict=True)),
                    np.array(record["start"]), roi, limits=limits)
    pose = poseIn(record)
    views = tuple(view_result(task, view, frame, mask, pose)
                  for view, frame, mask in zip(task.views, frames, masks, strict=True))
    weights = {each["name"]: each["sha256"] for each in record["weights"]}
    return RegistrationResult(record["method"], record["status"], record["reason"], pose, views, record["timings_s"],
                              weights, roi, _confidence(record), True, task.initial_pose, limits)


def stepBack(modelNode: slicer.vtkMRMLModelNode, xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode],
             transformNode: slicer.vtkMRMLLinearTransformNode) -> bool:
    """Bring the pose back that a transform held before its present one, with its verdict; False where none was.

    Raises UserError, and then changes nothing.
    """
    before = previousRecord(transformNode)
    if before is not None:
        result = resultFromScene(modelNode, xrayNodes, before)
        showResult(result, surfaceFromModel(modelNode), list(xrayNodes))
    dropRecord(transformNode)
    return before is not None


def _mask(xrayNode: slicer.vtkMRMLScalarVolumeNode, shape: tuple[int, ...]) -> np.ndarray:
    labelmap = maskOf(xrayNode)
    if labelmap is None or labelmap.GetImageData() is None:
        raise UserError(f"The vessel mask of {xrayNode.GetName()} was deleted: register again.")
    mask = slicer.util.arrayFromVolume(labelmap)[0] > 0
    if mask.shape != shape:
        raise UserError(f"The vessel mask of {xrayNode.GetName()} belongs to another image: register again.")
    return mask


def _confidence(record: dict[str, Any]) -> PoseConfidence | None:
    kept = record["uncertainty"]
    if kept is None:
        return None
    low, high = kept["mrpd_interval_mm"]
    return PoseConfidence(kept["probability_within_2mm"], (low, high), np.array(kept["covariance"]),
                          kept["depth_sd_mm"], kept["depth_observable"], record["status"], record["reason"],
                          tuple(kept["notes"]), kept.get("mrpd_mm"))
