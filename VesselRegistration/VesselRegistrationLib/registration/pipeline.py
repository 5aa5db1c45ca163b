"""From a model and X-ray frames to a registration: masks, pose, pictures of it, measures, verdict."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..dicom.frame import XAFrame
from ..errors import UserError
from ..matching.overlap import binary_overlap
from ..mesh.surface import SurfaceModel
from ..networks.field_of_view import AUTO
from ..pose.rigid import PosePrior
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of, raise_if_stopped
from ..projection.rasterizer import silhouette
from .affine_method import image_affine
from .masks import DEFAULT_THRESHOLD, FrameSegmenter, VesselMask, vessel_masks
from .methods import POSE, method_named
from .region import check_roi, counted_pixels
from .result import ROI, RegistrationResult, ViewResult
from .task import PoseAnswer, PoseMethod, PoseTask, ViewTask
from .timing import StageClock
from .verdict import judge


@dataclass(frozen=True)
class RegistrationRequest:
    """What to register.

    ``frames`` are one or more views of one patient. ``masks`` holds a vessel mask (rows, columns) bool per frame, or
    None where the network shall find it; None means that for all frames. ``roi`` is the part of the initial projection
    to match, in every view. ``field_of_view`` is lower, upper or auto; ``device`` auto, cpu or cuda; ``threshold`` the
    probability from which a pixel is vessel. ``start`` (4, 4) is where the search begins, the model's middle at the
    isocentre where not given; ``limits`` keep the pose near to it (method pose only). ``network`` is the card or the
    weights file of a vessel network of the user's, None for the shipped ones.
    """

    model: SurfaceModel
    frames: tuple[XAFrame, ...]
    masks: tuple[np.ndarray | None, ...] | None = None
    roi: ROI | None = None
    method: str = POSE
    device: str = "auto"
    field_of_view: str = AUTO
    threshold: float = DEFAULT_THRESHOLD
    start: np.ndarray | None = None
    limits: PosePrior | None = None
    network: Path | str | None = None


def initial_pose(model: SurfaceModel) -> np.ndarray:
    """Where the search starts: the 4x4 that puts the middle of the model's bounding box at the isocentre."""
    pose = np.eye(4)
    pose[:3, 3] = -model.centre
    return pose


def register(request: RegistrationRequest, progress: ProgressCallback = ignore_progress,
             should_stop: StopCheck = never_stop) -> RegistrationResult:
    """Register the model to the frames.

    In every view the result's ``projection`` is the view's projection matrix times ``model_to_world``. Raises UserError
    for input that cannot be used and Cancelled on request; a fit that failed is a result with the status ``rejected``.
    """
    method = method_named(request.method)
    _check(request)
    clock = StageClock()
    with clock.stage("segmentation"):
        segmenter = FrameSegmenter(request.field_of_view, request.threshold, request.device, request.network)
        masks = vessel_masks(request.frames, request.masks or (None,) * len(request.frames), segmenter,
                             part_of(progress, 0.0, 0.3), should_stop)
    task = _task(request, masks)
    with clock.stage("matching"):
        answer = _find(task, method, part_of(progress, 0.3, 0.95), should_stop)
    with clock.stage("measures"):
        progress(0.95, "measuring")
        found = answer.model_to_world is not None
        pose = task.initial_pose if answer.model_to_world is None else answer.model_to_world
        views = tuple(view_result(task, view, frame, mask, pose)
                      for view, frame, mask in zip(task.views, request.frames, masks, strict=True))
        verdict = judge(views, answer.warnings, answer.confidence)
    weights = {name: sha for mask in masks for name, sha in mask.weights.items()}
    progress(1.0, "registered")
    return RegistrationResult(request.method, verdict.status, verdict.reason, pose, views, clock.seconds,
                              {**weights, **answer.weights}, request.roi, answer.confidence, found,
                              task.initial_pose, request.limits)


def _check(request: RegistrationRequest) -> None:
    if not request.frames:
        raise UserError("There is no X-ray to register to: give at least one.")
    if request.masks is not None and len(request.masks) != len(request.frames):
        raise UserError(f"There are {len(request.masks)} masks for {len(request.frames)} X-rays: give one for each, or "
                        "none.")
    for frame in request.frames:
        view = frame.view()
        if request.roi is not None:
            check_roi(request.roi, (view.rows, view.columns))


def _task(request: RegistrationRequest, masks: tuple[VesselMask, ...]) -> PoseTask:
    views = tuple(ViewTask(frame.view(), mask.mask & frame.usable, frame.usable)
                  for frame, mask in zip(request.frames, masks, strict=True))
    start = initial_pose(request.model) if request.start is None else request.start
    return PoseTask(request.model, views, start, request.roi, request.device, request.limits)


def _find(task: PoseTask, method: PoseMethod, progress: ProgressCallback, should_stop: StopCheck) -> PoseAnswer:
    """The method's answer, or none where a mask is empty and the verdict will say so."""
    raise_if_stopped(should_stop)
    if not all(view.mask.any() for view in task.views):
        return PoseAnswer(None)
    return method(task, progress, should_stop)


def view_result(task: PoseTask, view: ViewTask, frame: XAFrame, mask: VesselMask, pose: np.ndarray) -> ViewResult:
    """What a pose (4, 4) of the task's model looks like in one of its views, and how it overlaps the mask."""
    projection = view.view.projection_matrix @ pose
    drawn = silhouette(task.model, projection, view.shape)
    initial = silhouette(task.model, view.view.projection_matrix @ task.initial_pose, view.shape)
    affine = image_affine(task, view, pose)
    counted = counted_pixels(view.usable, task.roi, affine)
    return ViewResult(frame, view.view, view.mask, mask.source, affine, projection, initial, drawn,
                      binary_overlap(drawn & counted, view.mask & counted))
