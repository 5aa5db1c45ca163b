"""Synthetic endoscopy, rendered when it is asked for, in Slicer's Sample Data module and for the panel."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from VesselRegistrationLib.resources import resource_directory
from VesselRegistrationLib.scene.sampleData import CATEGORY

from ..inputs.opening import TOP_BOTTOM
from ..simulation.frames import EndoscopyFrame
from ..simulation.streams import FRAMES_PER_SECOND, stereo_frame, video
from ..stereo.calibration_file import write_calibration
from .comparison import setLabels
from .frameSeries import FrameSeries, SeriesFacts, addFrames
from .pointRecord import NumberedPoints, joined, labelPoints

VIDEO_NAME, STEREO_NAME = "SutureDetectionSyntheticVideo", "SutureDetectionSyntheticStereo"
CALIBRATION_FILE = "synthetic_stereo_calibration.yml"

_MODULE = "SutureDetection"
_VIDEO_SEED, _STEREO_SEED, _DOMAIN = 12, 5, "simulator-heldout"
_FRAMES, _EVERY = 8, 3
_SOURCE = "truth of the simulation"


def registerSampleData() -> None:
    """Offer both samples in the Sample Data module; nothing is downloaded, they are rendered."""
    import SampleData

    icon = resource_directory(Path(__file__).parents[1]) / "Icons" / "SutureDetectionSamples.png"
    for name, load in ((VIDEO_NAME, _loadVideo), (STEREO_NAME, _loadStereo)):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY, sampleName=name, uris=[icon.as_uri()], fileNames=[f"{name}.png"], nodeNames=[None],
            loadFiles=[True], customDownloader=load, thumbnailFileName=str(icon))


def addSyntheticVideo(scene: slicer.vtkMRMLScene, progress: ProgressCallback = ignore_progress,
                      shouldStop: StopCheck = never_stop) -> FrameSeries:
    """Every third frame of a short simulated video, with its true points as labels. Raises Cancelled."""
    frames = []
    for number, frame in enumerate(video(_VIDEO_SEED, _FRAMES, _DOMAIN, frames_per_second=FRAMES_PER_SECOND / _EVERY)):
        raise_if_stopped(shouldStop)
        progress(number / _FRAMES, f"rendering frame {number}")
        frames.append(frame)
    names = tuple(f"synthetic_{number:06d}.png" for number in range(_FRAMES))
    facts = SeriesFacts(names, tuple(range(_FRAMES)), follows=True, rate=FRAMES_PER_SECOND / _EVERY)
    series = addFrames(scene, "Synthetic endoscopy", [frame.image for frame in frames], facts)
    setLabels(series, {number: _truth(frame) for number, frame in enumerate(frames)}, _SOURCE)
    return series


def addSyntheticStereo(scene: slicer.vtkMRMLScene, folder: Path) -> tuple[FrameSeries, Path]:
    """One simulated top-bottom frame with its true points as labels, and its calibration as a file in ``folder``."""
    frame = stereo_frame(_STEREO_SEED, _DOMAIN)
    facts = SeriesFacts(("synthetic_stereo.png",), (0,), TOP_BOTTOM)
    series = addFrames(scene, "Synthetic stereo endoscopy", [frame.top_bottom], facts)
    lower = np.array([0.0, frame.left.image.shape[0]])
    setLabels(series, {0: joined([_truth(frame.left), _truth(frame.right).shifted(lower)])}, _SOURCE)
    path = folder / CALIBRATION_FILE
    write_calibration(path, frame.calibration)
    return series, path


def _truth(frame: EndoscopyFrame) -> NumberedPoints:
    seen = frame.visible
    return labelPoints(frame.points[seen], frame.kinds[seen], frame.pair_ids[seen])


def _loadVideo(source: object = None) -> list:
    return _said(lambda logic: logic.loadSampleVideo())


def _loadStereo(source: object = None) -> list:
    return _said(lambda logic: logic.loadSampleStereo()[0])


def _said(load: Callable[[Any], slicer.vtkMRMLVectorVolumeNode]) -> list[slicer.vtkMRMLVectorVolumeNode]:
    try:
        return [load(slicer.util.getModuleLogic(_MODULE))]
    except UserError as problem:
        slicer.util.errorDisplay(str(problem))
        return []
