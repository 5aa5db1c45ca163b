"""A fluoroscopy run and the poses found in it as sequences of one browser, so that replay moves the model.

A node that shows a sequence takes content and attributes of every item, its references stay. So each item carries the
attributes that the node has when the sequence is made, and what belongs to the item beside them.
"""

from collections.abc import Iterable, Sequence

import slicer

from ..dicom.frame import XAFrame
from ..pose.tracking import TrackedFrame
from .sequenceBridge import addBrowser, addSequence, browserOf
from .volumeBridge import fillXrayVolume, frameNumbers

POSE_PREFIX = "HybridOR.pose."
ASSUMED_FPS = 15.0


def addRunSequence(xrayNode: slicer.vtkMRMLScalarVolumeNode,
                   frames: Iterable[XAFrame]) -> slicer.vtkMRMLSequenceBrowserNode:
    """Let an X-ray volume node show all frames of its run, one after the other; returns the browser that does it.

    ``frames`` are those of 0, 1, 2 and so on. A node that a browser drives already keeps that one.
    """
    browser = browserOf(xrayNode)
    if browser is not None:
        return browser
    sequence = addSequence(xrayNode.GetScene(), f"{xrayNode.GetName()} run")
    frameTimeMs = None
    for number, frame in enumerate(frames):
        item = slicer.vtkMRMLScalarVolumeNode()
        _copyAttributes(xrayNode, item)
        fillXrayVolume(item, frame)
        sequence.SetDataNodeAtValue(item, str(number))
        frameTimeMs = frame.frame_time_ms
    shown, _ = frameNumbers(xrayNode)
    browser = addBrowser(xrayNode, sequence, min(shown, sequence.GetNumberOfDataNodes() - 1))
    browser.SetPlaybackRateFps(1000.0 / frameTimeMs if frameTimeMs else ASSUMED_FPS)
    return browser


def addPoseSequence(xrayNode: slicer.vtkMRMLScalarVolumeNode, transformNode: slicer.vtkMRMLLinearTransformNode,
                    frames: Sequence[TrackedFrame]) -> slicer.vtkMRMLSequenceNode:
    """Let a transform follow the poses of ``frames`` with the browser of the X-ray; made where there is none.

    The sequence of an earlier tracking of the same transform is filled anew. Each item says in its attributes
    ``HybridOR.pose.status`` and ``.reason`` whether the model was followed in its frame or held.
    """
    browser = browserOf(xrayNode)
    sequence = browser.GetSequenceNode(transformNode) if browser is not None else None
    if sequence is None:
        sequence = addSequence(xrayNode.GetScene(), f"{transformNode.GetName()} poses")
    else:
        sequence.RemoveAllDataNodes()
    master = browser.GetMasterSequenceNode() if browser is not None else None
    for frame in frames:
        item = slicer.vtkMRMLLinearTransformNode()
        _copyAttributes(transformNode, item)
        item.SetCenterOfTransformation(transformNode.GetCenterOfTransformation())
        item.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(frame.model_to_world))
        item.SetAttribute(POSE_PREFIX + "status", frame.status)
        item.SetAttribute(POSE_PREFIX + "reason", frame.reason)
        # A run that Slicer's DICOM module loaded counts its frames in its own way.
        index = str(frame.frame_number) if master is None else master.GetNthIndexValue(frame.frame_number)
        sequence.SetDataNodeAtValue(item, index)
    if browser is None:
        browser = xrayNode.GetScene().AddNewNodeByClass("vtkMRMLSequenceBrowserNode",
                                                        f"{transformNode.GetName()} browser")
    wasModifying = browser.StartModify()
    if not browser.IsSynchronizedSequenceNode(sequence, True):
        browser.AddSynchronizedSequenceNode(sequence)
    if browser.GetSequenceNode(transformNode) is None:
        browser.AddProxyNode(transformNode, sequence, False)
    browser.EndModify(wasModifying)
    return sequence


def _copyAttributes(origin: slicer.vtkMRMLNode, copy: slicer.vtkMRMLNode) -> None:
    for name in origin.GetAttributeNames():
        copy.SetAttribute(name, origin.GetAttribute(name))
