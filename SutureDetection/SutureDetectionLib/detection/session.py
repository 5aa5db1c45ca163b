"""All frames of a source through detector and tracker."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped

from ..inputs.frame import FrameSource, Problem
from ..inputs.opening import split_eyes
from ..tracking.tracker import SutureTracker
from .detector import SutureDetector
from .points import SuturePoints


@dataclass(frozen=True)
class DetectedFrame:
    """One eye of one frame: ``points`` in pixels of ``image`` (height, width, 3); ``track_ids`` (N,), None without
    tracking; ``eye`` "", "left" or "right"."""

    name: str
    number: int
    eye: str
    image: np.ndarray
    points: SuturePoints
    track_ids: np.ndarray | None


@dataclass(frozen=True)
class SessionSettings:
    """``threshold`` None takes the detector's own; ``layout`` is one of ``inputs.opening.LAYOUTS``; ``track`` None
    tracks where frames follow each other."""

    threshold: float | None = None
    layout: str = "mono"
    track: bool | None = None


def detect_frames(source: FrameSource, detector: SutureDetector, settings: SessionSettings,
                  progress: ProgressCallback = ignore_progress,
                  should_stop: StopCheck = never_stop) -> Iterator[DetectedFrame | Problem]:
    """Detections frame by frame, both eyes of a stereo frame one after the other.

    Frames that cannot be used are passed on as problems. Raises Cancelled on request.
    """
    threshold = detector.threshold if settings.threshold is None else settings.threshold
    track = source.follows if settings.track is None else settings.track
    trackers: dict[str, SutureTracker] = {}
    for frame in source.frames():
        raise_if_stopped(should_stop)
        if source.count:
            progress(frame.number / source.count, f"frame {frame.number}")
        if isinstance(frame, Problem):
            yield frame
            continue
        try:
            eyes = split_eyes(frame.image, settings.layout)
        except UserError as problem:
            yield Problem(f"{frame.name}: {problem}", frame.name, frame.number)
            continue
        for eye, image in eyes.items():
            points = detector.detect(image) if detector.tells_kinds else detector.detect(image, threshold)
            if not track:
                yield DetectedFrame(frame.name, frame.number, eye, image, points.at_least(threshold), None)
                continue
            tracker = trackers.setdefault(eye, SutureTracker(image.shape[1], threshold))
            tracked, numbers = tracker.update(points)
            yield DetectedFrame(frame.name, frame.number, eye, image, tracked, numbers)
    progress(1.0, "detected")
