"""XA files and the volume nodes that show them."""

import json
from pathlib import Path

import slicer

from ..dicom.reading import XARun, open_xa
from ..dicom.sanity import SanityRow
from .volumeBridge import addXrayVolume, updateXrayVolume

REPORT_ATTRIBUTE = "HybridOR.report"
INSTANCE_ATTRIBUTE = "DICOM.instanceUIDs"


def addXrayFromFile(scene: slicer.vtkMRMLScene, path: Path | str) -> tuple[slicer.vtkMRMLScalarVolumeNode, XARun]:
    """A volume node with the frame of strongest contrast of an XA file, and the opened file.

    The sanity report is kept in the node. Raises UserError where the file cannot be used.
    """
    run = open_xa(path)
    volumeNode = addXrayVolume(scene, run.frame(run.strongest_contrast_frame()))
    keepReport(volumeNode, run)
    return volumeNode, run


def showFrame(volumeNode: slicer.vtkMRMLScalarVolumeNode, run: XARun, frameNumber: int) -> None:
    """Let an X-ray node show another frame (0-based) of its file."""
    updateXrayVolume(volumeNode, run.frame(frameNumber))
    keepReport(volumeNode, run)


def keepReport(volumeNode: slicer.vtkMRMLScalarVolumeNode, run: XARun) -> None:
    """Keep the sanity report of a file in its volume node, so that it is saved with the scene."""
    volumeNode.SetAttribute(REPORT_ATTRIBUTE, json.dumps(run.sanity.as_dict()["rows"]))


def reportOf(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> list[SanityRow]:
    """The rows of the sanity report that a volume node keeps; none for other volumes."""
    return [SanityRow(**row) for row in json.loads(volumeNode.GetAttribute(REPORT_ATTRIBUTE) or "[]")]


def fileBehindVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> Path | None:
    """The DICOM file of a volume that Slicer's DICOM module loaded; None for other volumes, or without a database."""
    database = getattr(slicer, "dicomDatabase", None)
    instances = (volumeNode.GetAttribute(INSTANCE_ATTRIBUTE) or "").split()
    if database is None or not instances:
        return None
    path = database.fileForInstance(instances[0])
    return Path(path) if path else None
