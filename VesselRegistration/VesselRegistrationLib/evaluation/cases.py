"""The pipeline on simulated cases that no network has seen: other seeds, and the renderer's held-out domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..dicom.frame import HeaderGeometry, XAFrame
from ..geometry.carm import CArmView
from ..matching.overlap import binary_overlap
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, part_of, raise_if_stopped
from ..registration.masks import FrameSegmenter
from ..registration.methods import POSE
from ..registration.metrics import reprojection_distances, spread_points, target_registration_errors
from ..registration.pipeline import RegistrationRequest, initial_pose, register
from ..registration.result import Overlap, RegistrationResult
from ..registration.timing import StageClock
from ..simulation.anatomy import Anatomy, build_anatomy
from ..simulation.case import case_look
from ..simulation.domains import TEST
from ..simulation.exposure import sample_case
from ..simulation.fluoroscopy import SimulatedFrame, simulate_frame

FIRST_SEED = 800_000_000
"""Case 0; training counts its seeds from 0 and validation from 900 million."""

VIEW_COUNTS = (1, 2)
_MEASURED_POINTS = 2000


@dataclass(frozen=True)
class SimulatedCase:
    """One patient in two views: X-ray frames as the reader would give them, and the truth."""

    number: int
    anatomy: Anatomy
    frames: tuple[XAFrame, ...]
    truths: tuple[SimulatedFrame, ...]
    model_to_world: np.ndarray


@dataclass(frozen=True)
class CaseOutcome:
    """Scores of one registration; errors in mm.

    ``segmentation`` compares the matched masks with the true vessel masks, ``mask_overlap`` the registered silhouette
    with the matched masks and ``true_overlap`` with the whole true silhouette; means over the views. ``start_mtre`` and
    ``start_mrpd`` are the errors before.
    """

    case: int
    view_count: int
    status: str
    segmentation: Overlap
    mask_overlap: Overlap
    true_overlap: Overlap
    mtre: float
    mrpd: float
    start_mtre: float
    start_mrpd: float
    seconds: dict[str, float]


def evaluate_cases(field_of_view: str, count: int, first: int = 0, *, method: str = POSE, true_masks: bool = False,
                   device: str = "auto", progress: ProgressCallback = ignore_progress,
                   should_stop: StopCheck = never_stop) -> list[CaseOutcome]:
    """Register cases ``first`` to ``first + count - 1`` of "lower" or "upper", each with one and with two views.

    ``true_masks`` matches the true vessel masks instead of the network's. Raises UserError for unusable arguments or
    weights, Cancelled on request.
    """
    segmenter = None if true_masks else FrameSegmenter(field_of_view, device=device)
    outcomes = []
    for number in range(first, first + count):
        raise_if_stopped(should_stop)
        share = part_of(progress, (number - first) / count, (number - first + 1) / count)
        share(0.0, f"case {number}")
        outcomes += _evaluate(simulated_case(field_of_view, number), segmenter, method, device, should_stop)
    progress(1.0, "evaluated")
    return outcomes


def simulated_case(field_of_view: str, number: int) -> SimulatedCase:
    """Case ``number`` of a field of view: two views at the height of the contrast; always the same one."""
    seed = FIRST_SEED + number
    anatomy = build_anatomy(field_of_view, seed)
    geometry = sample_case(anatomy, seed, max(VIEW_COUNTS))
    rng, look = np.random.default_rng(seed), case_look(anatomy, seed, TEST)
    truths = tuple(simulate_frame(anatomy, view, geometry.model_to_world, rng, look) for view in geometry.views)
    frames = tuple(_as_read(truth, view, f"case{number}_view{index}")
                   for index, (truth, view) in enumerate(zip(truths, geometry.views, strict=True)))
    return SimulatedCase(number, anatomy, frames, truths, geometry.model_to_world)


def _as_read(truth: SimulatedFrame, view: CArmView, name: str) -> XAFrame:
    geometry = HeaderGeometry(view.primary_angle_deg, view.secondary_angle_deg, view.sid_mm, view.sod_mm,
                              view.row_spacing_mm, view.column_spacing_mm)
    return XAFrame(Path(f"{name}.dcm"), 0, 1, truth.attenuation, truth.usable, "LIN", geometry)


def _evaluate(case: SimulatedCase, segmenter: FrameSegmenter | None, method: str, device: str,
              should_stop: StopCheck) -> list[CaseOutcome]:
    clock = StageClock()
    masks = []
    for frame, truth in zip(case.frames, case.truths, strict=True):
        with clock.stage("segmentation"):
            masks.append(truth.vessel_mask if segmenter is None else segmenter.segment(frame).mask)
    per_view = clock.seconds["segmentation"] / len(masks)
    outcomes = []
    for views in VIEW_COUNTS:
        request = RegistrationRequest(case.anatomy.model, case.frames[:views], tuple(masks[:views]), method=method,
                                      device=device)
        result = register(request, should_stop=should_stop)
        seconds = {**result.timings_s, "segmentation": views * per_view}
        outcomes.append(_outcome(case, result, seconds))
    return outcomes


def _outcome(case: SimulatedCase, result: RegistrationResult, seconds: dict[str, float]) -> CaseOutcome:
    points = spread_points(case.anatomy.model, _MEASURED_POINTS)
    start, truth = initial_pose(case.anatomy.model), case.model_to_world
    segmentation, true_overlap = [], []
    for view, known in zip(result.views, case.truths, strict=False):
        usable = known.usable
        segmentation.append(binary_overlap(view.mask & usable, known.vessel_mask & usable))
        true_overlap.append(binary_overlap(view.silhouette & usable, known.silhouette & usable))
    found_mrpd, start_mrpd = (
        float(np.mean([reprojection_distances(points, pose, truth, view.view).mean() for view in result.views]))
        for pose in (result.model_to_world, start))
    found_mtre, start_mtre = (float(target_registration_errors(points, pose, truth).mean())
                              for pose in (result.model_to_world, start))
    return CaseOutcome(case.number, len(result.views), result.status, _mean(segmentation),
                       _mean([view.overlap for view in result.views]), _mean(true_overlap),
                       found_mtre, found_mrpd, start_mtre, start_mrpd, seconds)


def _mean(overlaps: Sequence[Overlap]) -> Overlap:
    means = np.mean([(overlap.dice, overlap.precision, overlap.recall) for overlap in overlaps], axis=0)
    return Overlap(*(float(value) for value in means))
