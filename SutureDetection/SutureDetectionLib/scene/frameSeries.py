"""Frames of endoscopy in the scene: colour volumes in a sequence, shown by one volume node and its browser.

A picture lies as Slicer's own import of pictures lays it: pixel (col, row) at RAS (-col, -row, 0), 1 mm each. Volumes
that lie otherwise are used as they lie. Frames are counted from 0, in the order of the browser.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import slicer
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from VesselRegistrationLib.scene.sequenceBridge import addBrowser, addSequence, browserOf, showItem
from VesselRegistrationLib.scene.volumeBridge import ijkToRas

from ..inputs.frame import Frame, Problem
from ..inputs.opening import MONO, open_source, split_eyes
from ..inputs.video import USUAL_RATE

MOST_BYTES = 2 * 1024**3
"""All frames of a scene are held in memory."""

_FACTS = "HybridOR.frames"
_RIGHT_FOLDER = "image_03"


@dataclass(frozen=True)
class SeriesFacts:
    """``names`` and ``numbers`` of the frames in their file or folder; ``layout`` as in ``inputs.opening``; ``follows``
    says that the frames follow each other in time, ``rate`` in frames per second; ``rightEye`` that the pictures are of
    the right eye alone."""

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    layout: str = MONO
    follows: bool = False
    rate: float | None = None
    rightEye: bool = False


class FrameSeries:
    """The frames behind one volume node, which a browser drives."""

    def __init__(self, volumeNode: slicer.vtkMRMLVectorVolumeNode,
                 browserNode: slicer.vtkMRMLSequenceBrowserNode) -> None:
        """Use ``existingSeries`` or ``seriesOf``."""
        self.volume, self.browser = volumeNode, browserNode
        self.scene = volumeNode.GetScene()

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self.browser.GetNumberOfItems()

    @property
    def current(self) -> int:
        """The frame that is shown, from 0."""
        return max(0, self.browser.GetSelectedItemNumber())

    def show(self, index: int) -> None:
        """Show another frame."""
        showItem(self.volume, index)

    def indexValue(self, index: int) -> str:
        """What the sequences of the browser call a frame."""
        return self.browser.GetMasterSequenceNode().GetNthIndexValue(index)

    def image(self, index: int) -> np.ndarray:
        """A frame (height, width, 3) uint8. Raises UserError where it is none."""
        sequence = self.browser.GetSequenceNode(self.volume)
        return _picture(sequence.GetDataNodeAtValue(self.indexValue(index), False), self.volume.GetName())

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of a frame."""
        columns, rows, _ = self.volume.GetImageData().GetDimensions()
        return rows, columns

    @property
    def facts(self) -> SeriesFacts:
        """What is known of the frames; those that Slicer loaded itself are named after their volume."""
        text = self.browser.GetAttribute(_FACTS)
        if text:
            content = json.loads(text)
            if len(content["names"]) == self.count:
                return SeriesFacts(**{**content, "names": tuple(content["names"]),
                                      "numbers": tuple(content["numbers"])})
        name = self.volume.GetName().replace("/", ",")
        return SeriesFacts((name,) * self.count, tuple(range(self.count)), follows=self.count > 1)

    def setFacts(self, facts: SeriesFacts) -> None:
        """Note what is known of the frames."""
        self.browser.SetAttribute(_FACTS, json.dumps(asdict(facts)))

    def eyeShape(self) -> tuple[int, int]:
        """(height, width) of one eye's picture. Raises UserError where a frame cannot be halved."""
        empty = np.zeros((*self.shape, 3), np.uint8)
        height, width, _ = next(iter(split_eyes(empty, self.facts.layout).values())).shape
        return height, width

    def eyes(self) -> dict[str, np.ndarray]:
        """For each eye its name, "" where there is one, and the pixel (2,) (col, row) where its picture begins."""
        if self.facts.layout == MONO:
            return {"": np.zeros(2)}
        whole, half = np.array(self.shape[::-1]), np.array(self.eyeShape()[::-1])
        return {"left": np.zeros(2), "right": (whole - half).astype(float)}

    def toRas(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) (col, row) of a frame to places (N, 3) in the scene."""
        matrix = ijkToRas(self.volume)
        return np.asarray(pixels).reshape(-1, 2) @ matrix[:3, :2].T + matrix[:3, 3]

    def toPixels(self, places: np.ndarray) -> np.ndarray:
        """Places (N, 3) in the scene to pixels (N, 2) (col, row) of a frame."""
        matrix = np.linalg.inv(ijkToRas(self.volume))
        return np.asarray(places).reshape(-1, 3) @ matrix[:2, :3].T + matrix[:2, 3]


@dataclass(frozen=True)
class LoadedFrames:
    """A new series, and why frames of its source are missing, one sentence each."""

    series: FrameSeries
    problems: tuple[str, ...]


def loadFrames(scene: slicer.vtkMRMLScene, path: Path, layout: str = MONO, every: int = 1,
               progress: ProgressCallback = ignore_progress, shouldStop: StopCheck = never_stop) -> LoadedFrames:
    """Every ``every``-th frame of a picture, folder, DICOM file or video, as a new volume with its browser.

    Raises UserError where none can be used, or where they would take more memory than ``MOST_BYTES``.
    """
    source = open_source(path)
    frames: list[Frame] = []
    problems: list[str] = []
    for item in source.frames():
        raise_if_stopped(shouldStop)
        if source.count:
            progress(item.number / source.count, f"frame {item.number}")
        if isinstance(item, Problem):
            problems.append(item.reason)
        elif item.number % every == 0:
            if (len(frames) + 1) * item.image.nbytes > MOST_BYTES:
                raise UserError(f"The frames of {path.name} take more than {MOST_BYTES >> 30} GB of memory: load only "
                                "every few of them.")
            frames.append(item)
    if not frames:
        raise UserError(f"No frame of {path.name} could be used: {problems[0]}" if problems else
                        f"{path.name} holds no frames: choose another file.")
    split_eyes(frames[0].image, layout)
    rate = source.rate / every if source.rate else None
    folder = path if path.is_dir() else path.parent
    facts = SeriesFacts(tuple(_ownName(frame, source.follows) for frame in frames),
                        tuple(frame.number for frame in frames), layout, source.follows, rate,
                        folder.name == _RIGHT_FOLDER)
    return LoadedFrames(addFrames(scene, path.stem, [frame.image for frame in frames], facts), tuple(problems))


def addFrames(scene: slicer.vtkMRMLScene, name: str, images: Sequence[np.ndarray], facts: SeriesFacts) -> FrameSeries:
    """A new volume node with a browser that shows images (height, width, 3) uint8 of one size."""
    sequence = _addSequence(scene, name)
    for index, image in enumerate(images):
        item = slicer.vtkMRMLVectorVolumeNode()
        slicer.util.updateVolumeFromArray(item, np.ascontiguousarray(image[None]))
        item.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
        sequence.SetDataNodeAtValue(item, str(index))
    volumeNode = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", scene.GenerateUniqueName(name))
    series = _addBrowser(volumeNode, sequence)
    volumeNode.CreateDefaultDisplayNodes()
    display = volumeNode.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0, 255)
    series.browser.SetPlaybackRateFps(facts.rate or USUAL_RATE)
    series.setFacts(facts)
    return series


def problemOf(volumeNode: slicer.vtkMRMLVectorVolumeNode | None) -> str:
    """Why a volume cannot be used, in one sentence; empty where it can."""
    if volumeNode is None:
        return "No frame is chosen: load a picture, folder or video, or choose a colour volume."
    if volumeNode.GetParentTransformNode() is not None:
        return f"The volume {volumeNode.GetName()} is under a transform: take it out, pictures stay where they are."
    try:
        _picture(volumeNode, volumeNode.GetName())
    except UserError as problem:
        return str(problem)
    return ""


def existingSeries(volumeNode: slicer.vtkMRMLVectorVolumeNode | None) -> FrameSeries | None:
    """The series behind a volume that can be used and that a browser drives; None for others."""
    if problemOf(volumeNode):
        return None
    browser = browserOf(volumeNode)
    return None if browser is None or not browser.GetNumberOfItems() else FrameSeries(volumeNode, browser)


def seriesOf(volumeNode: slicer.vtkMRMLVectorVolumeNode | None) -> FrameSeries:
    """The series behind a volume; a single picture becomes a series of one. Raises UserError where it is unusable."""
    problem = problemOf(volumeNode)
    if volumeNode is None or problem:
        raise UserError(problem)
    found = existingSeries(volumeNode)
    if found is not None:
        return found
    sequence = _addSequence(volumeNode.GetScene(), volumeNode.GetName())
    sequence.SetDataNodeAtValue(volumeNode, "0")
    return _addBrowser(volumeNode, sequence)


def _addSequence(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLSequenceNode:
    return addSequence(scene, scene.GenerateUniqueName(f"{name} frames"))


def _addBrowser(volumeNode: slicer.vtkMRMLVectorVolumeNode, sequence: slicer.vtkMRMLSequenceNode) -> FrameSeries:
    browser = addBrowser(volumeNode, sequence)
    showItem(volumeNode, 0)
    return FrameSeries(volumeNode, browser)


def _ownName(frame: Frame, follows: bool) -> str:
    """A name for each frame of a video; pictures have their own."""
    path = Path(frame.name)
    return f"{path.stem}_{frame.number:06d}.png" if follows else path.name


def _picture(volumeNode: slicer.vtkMRMLVectorVolumeNode, name: str) -> np.ndarray:
    image = volumeNode.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise UserError(f"The volume {name} holds no picture: load it again.")
    if image.GetDimensions()[2] != 1:
        raise UserError(f"The volume {name} is a stack of {image.GetDimensions()[2]} pictures: load its file here, or "
                        "as a sequence.")
    if image.GetNumberOfScalarComponents() not in (3, 4):
        raise UserError(f"The volume {name} is gray: sutures are found in colour, choose the colour picture.")
    pixels = slicer.util.arrayFromVolume(volumeNode)[0]
    if pixels.dtype != np.uint8:
        raise UserError(f"The volume {name} does not have 8 bits per colour: save it as an 8-bit colour picture.")
    return pixels[..., :3]
