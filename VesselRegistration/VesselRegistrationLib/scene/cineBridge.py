"""Following the model through a run: the poses become a sequence in the browser that shows the frames."""

from pathlib import Path

import slicer

from ..dicom.reading import XARun
from ..errors import UserError
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop
from ..registration.cine import CineRequest, CineResult, follow_cine
from .modelBridge import surfaceFromModel
from .poseSequence import POSE_PREFIX, addPoseSequence
from .sequenceBridge import browserOf
from .volumeBridge import frameNumbers


def trackRun(modelNode: slicer.vtkMRMLModelNode, xrayNode: slicer.vtkMRMLScalarVolumeNode,
             transformNode: slicer.vtkMRMLLinearTransformNode, run: XARun, device: str = "auto",
             fieldOfView: str = "auto", threshold: float = 0.5, progress: ProgressCallback = ignore_progress,
             shouldStop: StopCheck = never_stop, network: Path | str | None = None) -> CineResult:
    """Follow the model from the pose that a transform holds in the frame that an X-ray shows.

    The X-ray must show its run by a browser already. Raises UserError and Cancelled.
    """
    start = slicer.util.arrayFromTransformMatrix(transformNode, toWorld=True)
    result = follow_cine(CineRequest(surfaceFromModel(modelNode), run, frameNumbers(xrayNode)[0], start, None, device,
                                     fieldOfView, threshold, network), progress, shouldStop)
    if xrayNode.GetScene() is None or transformNode.GetScene() is None:
        raise UserError("X-ray or pose was deleted meanwhile: load and register again.")
    addPoseSequence(xrayNode, transformNode, result.frames)
    return result


def isTracked(transformNode: slicer.vtkMRMLLinearTransformNode | None) -> bool:
    """Whether a sequence of poses drives a transform."""
    return transformNode is not None and browserOf(transformNode) is not None


def dropTracking(transformNode: slicer.vtkMRMLLinearTransformNode) -> None:
    """Let a transform stand still again: its sequence of poses is removed."""
    browser = browserOf(transformNode)
    if browser is not None:
        sequence = browser.GetSequenceNode(transformNode)
        browser.RemoveProxyNode(transformNode.GetID())
        browser.RemoveSynchronizedSequenceNode(sequence.GetID())
        transformNode.GetScene().RemoveNode(sequence)
        for name in ("status", "reason"):
            transformNode.RemoveAttribute(POSE_PREFIX + name)


def frameVerdict(transformNode: slicer.vtkMRMLLinearTransformNode) -> tuple[str, str]:
    """Whether the frame on show was tracked or held, and why."""
    return (transformNode.GetAttribute(POSE_PREFIX + "status") or "",
            transformNode.GetAttribute(POSE_PREFIX + "reason") or "")
