"""The second view that would shrink the error most, kept with the X-ray that it was worked out for."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import slicer

from ..pose.advise import advise_view
from ..pose.solver import PoseModel
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from .asIfView import showAsIf
from .modelBridge import surfaceFromModel
from .volumeBridge import viewFromVolume

ADVICE_ATTRIBUTE = "HybridOR.advice"
_SAME_POSE = 1e-3


def adviseSecondView(modelNode: slicer.vtkMRMLModelNode, xrayNode: slicer.vtkMRMLScalarVolumeNode,
                     poseNode: slicer.vtkMRMLTransformNode, progress: ProgressCallback = ignore_progress,
                     shouldStop: StopCheck = never_stop) -> None:
    """Work out the advice for a model under a transform and keep it. Raises UserError and Cancelled."""
    pose, first = _matrix(poseNode), viewFromVolume(xrayNode)
    advice = advise_view(PoseModel(surfaceFromModel(modelNode)), first, pose, progress=progress,
                         should_stop=shouldStop)
    best = None if advice.recommended is None else advice.recommended.view
    angles = None if best is None else [best.primary_angle_deg, best.secondary_angle_deg]
    xrayNode.SetAttribute(ADVICE_ATTRIBUTE, json.dumps({"sentence": advice.sentence, "view": angles,
                                                        "pose": pose.tolist(), "first": first.clinical_angles}))


def adviceOf(xrayNode: slicer.vtkMRMLScalarVolumeNode,
             poseNode: slicer.vtkMRMLTransformNode | None) -> dict[str, Any] | None:
    """``sentence`` and ``view`` (primary and secondary angle in degrees, or None), None where none fits the pose."""
    text = xrayNode.GetAttribute(ADVICE_ATTRIBUTE)
    if text is None or poseNode is None:
        return None
    advice: dict[str, Any] = json.loads(text)
    fits = np.allclose(advice["pose"], _matrix(poseNode), atol=_SAME_POSE)
    return advice if fits and advice["first"] == viewFromVolume(xrayNode).clinical_angles else None


def previewOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    """An empty image with the geometry of the advised view, on which the model is shown as it would look."""
    primary, secondary = json.loads(xrayNode.GetAttribute(ADVICE_ATTRIBUTE))["view"]
    return showAsIf(xrayNode, replace(viewFromVolume(xrayNode), primary_angle_deg=primary,
                                      secondary_angle_deg=secondary))


def _matrix(poseNode: slicer.vtkMRMLTransformNode) -> np.ndarray:
    return slicer.util.arrayFromTransformMatrix(poseNode, toWorld=True)
