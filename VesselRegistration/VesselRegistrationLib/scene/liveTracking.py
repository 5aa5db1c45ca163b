"""Live mode: whenever the image of an X-ray volume changes, the model is followed into it."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import slicer

from ..errors import UserError
from ..mesh.surface import SurfaceModel
from ..pose.evidence import ViewEvidence
from ..pose.solver import PoseModel
from ..pose.tracking import TRACKED, PoseTracker, TrackedFrame
from ..registration.masks import FrameSegmenter
from .sequenceBridge import browserOf
from .volumeBridge import frameFromVolume, viewFromVolume

_RATE_OVER = 12
_SECONDS_BETWEEN = (1 / 60, 1.0)


@dataclass(frozen=True)
class LiveStatus:
    """How live mode does: frames a second, frames that came and were not looked at, frames followed and held.

    ``reason`` says why the last frame was held, empty where it was followed; ``sinceGood_s`` is how old the pose is.
    """

    rate: float
    dropped: int
    tracked: int
    held: int
    reason: str
    sinceGood_s: float


class LiveTracker:
    """Follows one model on one X-ray volume, whoever changes its image.

    ``note`` is to be called for every new image, ``process`` when there is time: it looks at the newest one only.
    """

    def __init__(self, model: SurfaceModel, xrayNode: slicer.vtkMRMLScalarVolumeNode,
                 transformNode: slicer.vtkMRMLLinearTransformNode, segmenter: FrameSegmenter) -> None:
        """Begin at the pose that the transform holds. Raises UserError where the X-ray has no geometry."""
        viewFromVolume(xrayNode)
        self._xrayNode, self._transformNode, self._segmenter = xrayNode, transformNode, segmenter
        self._tracker = PoseTracker(PoseModel(model), slicer.util.arrayFromTransformMatrix(transformNode, toWorld=True))
        self._noted = self._dropped = self._looked = self._tracked = self._held = 0
        self._reason = ""
        self._newest = self._imageOnShow()
        self._ends: deque[float] = deque(maxlen=_RATE_OVER)
        self._lastGood = time.monotonic()

    @property
    def waiting(self) -> bool:
        """Whether an image has come that was not looked at."""
        return self._noted > 0

    def note(self) -> None:
        """A new image may have come; the events of one image count once."""
        newest = self._imageOnShow()
        if newest is not None and newest != self._newest:
            self._newest = newest
            self._noted += 1

    def _imageOnShow(self) -> tuple[Any, ...] | None:
        """What tells one image of the X-ray from another; None where there is none."""
        image = self._xrayNode.GetImageData()
        scalars = image.GetPointData().GetScalars() if image is not None else None
        if scalars is None:
            return None
        browser = browserOf(self._xrayNode)  # replay may hand over a frame more than once
        return (scalars.__this__, scalars.GetMTime()) if browser is None else (browser.GetSelectedItemNumber(),)

    def process(self) -> TrackedFrame:
        """Follow the model into the newest image and move the transform. Raises UserError where nodes are gone."""
        if self._xrayNode.GetScene() is None or self._transformNode.GetScene() is None:
            raise UserError("X-ray or pose was deleted: live mode has ended.")
        self._dropped += max(self._noted - 1, 0)
        self._noted = 0
        frame = frameFromVolume(self._xrayNode)
        try:
            evidence = ViewEvidence.from_mask(frame.view(), self._segmenter.segment(frame).mask, frame.usable)
        except UserError:  # a blank frame between two runs
            evidence = None
        now = time.monotonic()
        seconds = now - self._ends[-1] if self._ends else 1.0
        low, high = _SECONDS_BETWEEN
        found = self._tracker.follow(evidence, frame.view(), self._looked, min(max(seconds, low), high))
        self._looked += 1
        self._ends.append(now)
        self._reason = found.reason
        if found.status == TRACKED:
            self._tracked += 1
            self._lastGood = now
            self._transformNode.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(found.model_to_world))
        else:
            self._held += 1
        return found

    def status(self) -> LiveStatus:
        """How it goes at this moment."""
        span = self._ends[-1] - self._ends[0] if len(self._ends) > 1 else 0.0
        return LiveStatus((len(self._ends) - 1) / span if span > 0 else 0.0, self._dropped, self._tracked, self._held,
                          self._reason, time.monotonic() - self._lastGood)
