"""XA files and the volume nodes that show them."""

import json
import uuid
from pathlib import Path

import slicer

from ..dicom.reading import XARun, open_xa
from ..dicom.sanity import SanityRow
from ..errors import UserError
from .poseSequence import addRunSequence
from .sequenceBridge import browserOf, showItem
from .volumeBridge import addXrayVolume, frameFromVolume, updateXrayVolume

REPORT_ATTRIBUTE = "HybridOR.report"
RUN_ATTRIBUTE = "HybridOR.run"
INSTANCE_ATTRIBUTE = "DICOM.instanceUIDs"


class OpenXrays:
    """The XA files that are open, and which volume node shows which.

    A node is tied to its file by a key of its own: node IDs come back when a scene is closed, and must not bring
    another patient's images with them.
    """

    def __init__(self) -> None:
        self._runs: dict[str, XARun] = {}
        self._refused: dict[str, str] = {}

    def add(self, scene: slicer.vtkMRMLScene, path: Path | str,
            frameNumber: int | None = None) -> slicer.vtkMRMLScalarVolumeNode:
        """A volume node with a frame (0-based; the one of strongest contrast where not given) of an XA file.

        The sanity report is kept in the node. Raises UserError where the file cannot be used.
        """
        run = open_xa(path)
        frame = run.frame(run.strongest_contrast_frame() if frameNumber is None else frameNumber)
        volumeNode = addXrayVolume(scene, frame)
        key = uuid.uuid4().hex
        volumeNode.SetAttribute(RUN_ATTRIBUTE, key)
        volumeNode.SetAttribute(REPORT_ATTRIBUTE, json.dumps(run.sanity.as_dict()["rows"]))
        self._runs[key] = run
        return volumeNode

    def frameRange(self, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> tuple[int, int]:
        """Number of the frame that a volume shows (0-based), and how many it can show."""
        run = self._runs.get(volumeNode.GetAttribute(RUN_ATTRIBUTE) or "")
        return (frameFromVolume(volumeNode).frame_number, run.frame_count) if run else (0, 1)

    def showFrame(self, volumeNode: slicer.vtkMRMLScalarVolumeNode, frameNumber: int) -> None:
        """Let a volume show another frame (0-based) of its file. Raises UserError where its file is not open."""
        if browserOf(volumeNode) is not None:
            showItem(volumeNode, frameNumber)
        else:
            updateXrayVolume(volumeNode, self.runOf(volumeNode).frame(frameNumber))

    def runOf(self, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> XARun:
        """The open file behind a volume. Raises UserError where it is not open."""
        run = self._runs.get(volumeNode.GetAttribute(RUN_ATTRIBUTE) or "")
        if run is None:
            raise UserError(f"The file of {volumeNode.GetName()} is not open: load it again to see other frames.")
        return run

    def addSequence(self, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSequenceBrowserNode:
        """Let a volume show all frames of its file by a sequence browser. Raises UserError where it is not open."""
        run = self.runOf(volumeNode)
        return addRunSequence(volumeNode, (run.frame(number) for number in range(run.frame_count)))

    def adopted(self, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
        """The X-ray to use for a volume: itself, or a new one from the file that Slicer's DICOM module loaded it from.

        That module loses angles and polarity, and its volumes change with the sequence. Raises UserError where the
        file cannot be used.
        """
        instance = (volumeNode.GetAttribute(INSTANCE_ATTRIBUTE) or "").split(" ")[0]
        database = getattr(slicer, "dicomDatabase", None)
        path = database.fileForInstance(instance) if database is not None and instance else ""
        if not path:
            return volumeNode
        if instance in self._refused:
            raise UserError(self._refused[instance])
        try:
            browser = browserOf(volumeNode)
            shown = None if browser is None else browser.GetSelectedItemNumber()
            return self.add(volumeNode.GetScene(), path, shown)
        except UserError as problem:
            self._refused[instance] = str(problem)
            raise

    def close(self) -> None:
        """Forget all files."""
        self._runs.clear()
        self._refused.clear()


def reportOf(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> list[SanityRow]:
    """The rows of the sanity report that a volume node keeps; none for other volumes."""
    return [SanityRow(**row) for row in json.loads(volumeNode.GetAttribute(REPORT_ATTRIBUTE) or "[]")]
