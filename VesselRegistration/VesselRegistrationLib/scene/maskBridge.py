"""The vessel mask of an X-ray before it is registered: found by the network, thresholded anew, edited by hand.

The X-ray keeps the network's probability, the mask made of it and, where the user edits it, a segmentation whose word
then counts. All three belong to one frame; for another one they are not used.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk

from ..errors import UserError
from ..networks.segmentation import threshold_mask
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from ..registration.masks import FrameSegmenter, VesselMask
from .nodeRoles import ROLE_PREFIX, nodeInRole, ownNode
from .overlayNodes import MASK_LABEL, showLabelmap
from .volumeBridge import frameFromVolume, frameNumbers

FACTS_ATTRIBUTE = "HybridOR.vessels"
EDITED = "Vessels found by the network and edited by the user."

_PROBABILITY, _SEGMENTATION = "probability", "editedMask"


def findVessels(xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode], segmenter: FrameSegmenter, threshold: float,
                progress: ProgressCallback = ignore_progress, shouldStop: StopCheck = never_stop) -> None:
    """Let the network find the vessels of X-rays of one study; edits are dropped. Raises UserError and Cancelled."""
    for number, xrayNode in enumerate(xrayNodes):
        raise_if_stopped(shouldStop)
        progress(number / len(xrayNodes), "finding vessels")
        found = segmenter.segment(frameFromVolume(xrayNode))
        if xrayNode.GetScene() is None:
            raise UserError("The X-ray was deleted meanwhile: load it again.")
        assert found.probability is not None
        dropMask(xrayNode)
        probabilityNode = ownNode(xrayNode, _PROBABILITY, "vtkMRMLScalarVolumeNode", "Vessel probability")
        probabilityNode.SetHideFromEditors(True)
        slicer.util.updateVolumeFromArray(probabilityNode, found.probability[None])
        probabilityNode.CopyOrientation(xrayNode)
        facts = {"frame": frameNumbers(xrayNode)[0], "source": found.source, "weights": dict(found.weights),
                 "network": found.network}
        probabilityNode.SetAttribute(FACTS_ATTRIBUTE, json.dumps(facts))
        thresholdAnew(xrayNode, threshold)
    progress(1.0, "vessels found")


def thresholdAnew(xrayNode: slicer.vtkMRMLScalarVolumeNode, threshold: float) -> None:
    """Make the mask of an X-ray anew from the network's probability; edits stay what they are. Raises UserError."""
    if isFound(xrayNode) and not isEdited(xrayNode):
        showLabelmap(xrayNode, "mask", "Vessel mask",
                     threshold_mask(_probability(xrayNode), threshold) * np.uint8(MASK_LABEL))


def isFound(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether the vessels of the frame that an X-ray shows have been found."""
    node = nodeInRole(xrayNode, _PROBABILITY)
    return node is not None and node.GetImageData() is not None and (
        _facts(xrayNode)["frame"] == frameNumbers(xrayNode)[0])


def isEdited(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether the user edits, or has edited, the mask of an X-ray."""
    return isFound(xrayNode) and nodeInRole(xrayNode, _SEGMENTATION) is not None


def givenMask(xrayNode: slicer.vtkMRMLScalarVolumeNode, threshold: float) -> VesselMask | None:
    """The mask to register an X-ray with; None where the network has still to find it. Raises UserError."""
    if not isFound(xrayNode):
        return None
    facts = _facts(xrayNode)
    if isEdited(xrayNode):
        takeEdits(xrayNode)
        mask = slicer.util.arrayFromVolume(nodeInRole(xrayNode, "mask"))[0] > 0
        return VesselMask(mask, EDITED, weights=facts["weights"])
    return VesselMask(threshold_mask(_probability(xrayNode), threshold), facts["source"], weights=facts["weights"])


def networkOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> str | None:
    """By what ``load_card`` finds the network of the mask of the frame on show; None where there is no mask."""
    return _facts(xrayNode).get("network") if isFound(xrayNode) else None


def editMask(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    """A segmentation with the mask of an X-ray, for Segment Editor. Raises UserError where there is no mask yet."""
    labelmapNode, segmentationNode = nodeInRole(xrayNode, "mask"), nodeInRole(xrayNode, _SEGMENTATION)
    if not isFound(xrayNode) or labelmapNode is None:
        raise UserError("There is no vessel mask to edit: find the vessels first.")
    if segmentationNode is None:
        segmentationNode = ownNode(xrayNode, _SEGMENTATION, "vtkMRMLSegmentationNode", "Edited vessel mask")
        segmentationNode.CreateDefaultDisplayNodes()
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(xrayNode)
        slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(labelmapNode, segmentationNode)
        segmentation = segmentationNode.GetSegmentation()
        if segmentation.GetNumberOfSegments():
            segmentation.GetNthSegment(0).SetName("Vessels")
        else:
            segmentation.AddEmptySegment("Vessels", "Vessels")
    return segmentationNode


def takeEdits(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Bring the mask of an X-ray in step with its edited segmentation; all segments of that count."""
    segmentationNode = nodeInRole(xrayNode, _SEGMENTATION)
    if segmentationNode is None:
        return
    segments = vtk.vtkStringArray()
    segmentationNode.GetSegmentation().GetSegmentIDs(segments)
    exportNode = xrayNode.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    try:
        exported = segments.GetNumberOfValues() > 0 and (
            slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(segmentationNode, segments,
                                                                                  exportNode, xrayNode))
        columns, rows, _ = xrayNode.GetImageData().GetDimensions()
        image = exportNode.GetImageData()
        whole = exported and image is not None and image.GetDimensions() == (columns, rows, 1)
        mask = slicer.util.arrayFromVolume(exportNode)[0] > 0 if whole else np.zeros((rows, columns), bool)
        showLabelmap(xrayNode, "mask", "Vessel mask", mask * np.uint8(MASK_LABEL))
    finally:
        xrayNode.GetScene().RemoveNode(exportNode)


def dropEdits(xrayNode: slicer.vtkMRMLScalarVolumeNode, threshold: float) -> None:
    """Go back to what the network found."""
    _remove(xrayNode, _SEGMENTATION)
    thresholdAnew(xrayNode, threshold)


def dropMask(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Forget what was found and edited, so that registration finds the vessels itself."""
    _remove(xrayNode, _SEGMENTATION)
    _remove(xrayNode, _PROBABILITY)


def editedNode(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode | None:
    """The segmentation in which the user edits the mask of an X-ray, None where there is none."""
    return nodeInRole(xrayNode, _SEGMENTATION)


def _probability(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    return slicer.util.arrayFromVolume(nodeInRole(xrayNode, _PROBABILITY))[0]


def _facts(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> dict[str, Any]:
    node = nodeInRole(xrayNode, _PROBABILITY)
    return {} if node is None else json.loads(node.GetAttribute(FACTS_ATTRIBUTE))


def _remove(xrayNode: slicer.vtkMRMLScalarVolumeNode, role: str) -> None:
    node = nodeInRole(xrayNode, role)
    if node is not None:
        xrayNode.GetScene().RemoveNode(node)
        xrayNode.SetNodeReferenceID(ROLE_PREFIX + role, None)
