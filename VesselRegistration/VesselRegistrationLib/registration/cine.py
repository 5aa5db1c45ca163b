"""A run of X-ray frames: the model is registered in one frame and followed through all the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..dicom.reading import XARun
from ..errors import UserError
from ..geometry.carm import CArmView
from ..mesh.surface import SurfaceModel
from ..networks.field_of_view import AUTO
from ..pose.evidence import ViewEvidence
from ..pose.solver import PoseModel
from ..pose.tracking import HELD, TrackedFrame, track
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of
from .masks import DEFAULT_THRESHOLD, FrameSegmenter
from .pipeline import RegistrationRequest, register
from .result import CHECK, REJECTED, RegistrationResult
from .timing import StageClock

ASSUMED_FRAME_MS = 1000 / 15


@dataclass(frozen=True)
class CineRequest:
    """What to follow: ``model`` in ``run`` (one view), registered in frame ``start_frame`` (0-based).

    ``start`` (4, 4) is the pose in that frame; where it is None it is registered there. ``masks`` holds a vessel mask
    (rows, columns) bool for every frame, None where the network shall find them; the rest as in
    ``RegistrationRequest``.
    """

    model: SurfaceModel
    run: XARun
    start_frame: int
    start: np.ndarray | None = None
    masks: Sequence[np.ndarray] | None = None
    device: str = "auto"
    field_of_view: str = AUTO
    threshold: float = DEFAULT_THRESHOLD
    network: Path | str | None = None


@dataclass(frozen=True)
class CineResult:
    """The pose of every frame; ``frames`` is empty where the registration was rejected and nothing was followed.

    ``status`` and ``reason`` are those of the registration; they become ``check`` where frames had to be held.
    ``start`` (4, 4) is the pose in ``start_frame``, None where there is none, and ``views`` the geometry of all frames.
    ``notes`` says in sentences what had to be assumed.
    """

    status: str
    reason: str
    start_frame: int
    start: np.ndarray | None
    registration: RegistrationResult | None
    views: tuple[CArmView, ...]
    frames: tuple[TrackedFrame, ...]
    notes: tuple[str, ...] = ()
    timings_s: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)


def follow_cine(request: CineRequest, progress: ProgressCallback = ignore_progress,
                should_stop: StopCheck = never_stop) -> CineResult:
    """Register and follow. Raises UserError for input that cannot be used and Cancelled on request."""
    run = request.run
    _check(request)
    masks = _FrameMasks(request)
    clock = StageClock()
    registration = None
    start = request.start
    views = tuple(run.frame(number).view() for number in range(run.frame_count))
    if start is None:
        first = run.frame(request.start_frame)
        with clock.stage("registration"):
            known = None if request.masks is None else (request.masks[request.start_frame],)
            registration = register(RegistrationRequest(
                request.model, (first,), known, device=request.device, field_of_view=request.field_of_view,
                threshold=request.threshold, network=request.network), part_of(progress, 0.0, 0.2), should_stop)
        if registration.status == REJECTED:
            return CineResult(REJECTED, registration.reason, request.start_frame, None, registration, views, (), (),
                              clock.seconds, registration.weights)
        start = registration.model_to_world
        masks.keep(request.start_frame, ViewEvidence.from_mask(first.view(), registration.views[0].mask, first.usable))
    else:
        masks.require(request.start_frame)
    time_ms = run.frame(request.start_frame).frame_time_ms
    with clock.stage("preparation"):
        model = PoseModel(request.model)
    with clock.stage("segmentation and tracking"):
        frames = track(model, views, masks, start, request.start_frame, (time_ms or ASSUMED_FRAME_MS) / 1000,
                       part_of(progress, 0.2, 1.0), should_stop)
    clock.seconds["tracking"] = clock.seconds["segmentation and tracking"] - masks.clock.seconds.get("masks", 0.0)
    notes = () if time_ms else (f"The header gives no frame time: {ASSUMED_FRAME_MS:.0f} ms is assumed.",)
    status, reason = _verdict(registration, frames)
    weights = {**(registration.weights if registration else {}), **masks.weights}
    return CineResult(status, reason, request.start_frame, start, registration, views, frames, notes, clock.seconds,
                      weights)


class _FrameMasks:
    """Gives the evidence of a frame by its number; segments when asked."""

    def __init__(self, request: CineRequest) -> None:
        self._request = request
        self._segmenter = FrameSegmenter(request.field_of_view, request.threshold, request.device, request.network)
        self._kept: dict[int, ViewEvidence] = {}
        self.clock = StageClock()
        self.weights: dict[str, str] = {}

    def __call__(self, number: int) -> ViewEvidence | None:
        """None where the frame is blank, so that no vessel can be found in it."""
        if number in self._kept:
            return self._kept[number]
        with self.clock.stage("masks"):
            try:
                return self._evidence(number)
            except UserError:
                return None

    def keep(self, number: int, evidence: ViewEvidence) -> None:
        """Remember the evidence of a frame that has been segmented already."""
        self._kept[number] = evidence

    def require(self, number: int) -> None:
        """Segment a frame that has to work: what is wrong with options or weights comes out here as UserError."""
        self.keep(number, self._evidence(number))

    def _evidence(self, number: int) -> ViewEvidence:
        frame = self._request.run.frame(number)
        if self._request.masks is not None:
            return ViewEvidence.from_mask(frame.view(), self._request.masks[number], frame.usable)
        found = self._segmenter.segment(frame)
        self.weights.update(found.weights)
        return ViewEvidence.from_mask(frame.view(), found.mask, frame.usable)


def _check(request: CineRequest) -> None:
    run = request.run
    if request.masks is not None and len(request.masks) != run.frame_count:
        raise UserError(f"There are {len(request.masks)} masks for {run.frame_count} frames: give one for each.")
    for mask in request.masks or ():
        if mask.shape != run.shape:
            raise UserError(f"A mask has {mask.shape[1]} x {mask.shape[0]} pixels and the X-ray {run.shape[1]} x "
                            f"{run.shape[0]}: give masks of the X-ray's size.")


def _verdict(registration: RegistrationResult | None, frames: Sequence[TrackedFrame]) -> tuple[str, str]:
    held = [frame for frame in frames if frame.status == HELD]
    if len(held) == len(frames):
        return REJECTED, f"The vessel could not be followed in any frame. {held[0].reason}"
    if registration is not None and registration.status == CHECK:
        return CHECK, registration.reason
    followed = f"Followed in {len(frames) - len(held)} of {len(frames)} frames"
    if held or registration is None:
        start = "" if registration else "; the starting pose was given and not judged"
        kept = f", the others keep the last good pose (first: {held[0].reason.rstrip('.')})" if held else ""
        return CHECK, f"{followed}{kept}{start}."
    return registration.status, f"{followed}. {registration.reason}"
