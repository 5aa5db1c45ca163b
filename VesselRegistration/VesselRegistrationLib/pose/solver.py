"""From masks to a pose: search everywhere, refine the best guesses, keep the one that explains the masks best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..mesh.simplify import simplified
from ..mesh.surface import SurfaceModel
from ..progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from .contour import OutlinedModel
from .evidence import ViewEvidence
from .local import COARSE, FINE, RefinedPose, refine_pose
from .quality import PoseQuality, judge_pose
from .rigid import PosePrior, move_points, twist_between
from .search import search_poses

_SEARCH_TRIANGLES = 4000
_FINE_TRIANGLES = 16000
_GUESSES = 4
_FINALISTS = 2
_SAME_POSE_MM = 2.0
_TURN_OF_GUESSES_DEG = 9.0
JUDGE_SIZE = 256
_COARSE_SCALE_MM = 3.0
FINE_SCALE_MM = 1.5
_POINTS = 400

REFINING = "Refining"


class PoseModel:
    """A vessel model made ready for the solver once: thinned for the search and for the refinement."""

    def __init__(self, model: SurfaceModel) -> None:
        """Thin the model and find its edges."""
        self.fine = OutlinedModel(simplified(model, _FINE_TRIANGLES))
        self.coarse = OutlinedModel(simplified(self.fine.model, _SEARCH_TRIANGLES))


@dataclass(frozen=True)
class PoseEstimate:
    """A pose with what is needed to judge it.

    ``model_to_world`` (4, 4), mm. ``information`` and ``prior_information`` (6, 6) are inverse covariances of a small
    twist (rotation vector in rad, then translation in mm) about ``centre`` (world mm): what the masks say, for
    residuals of the size that the solver assumes, and what was believed before. ``points`` (K, 3), world mm, are
    placed points of the model. ``rival_gap`` is how much worse the best clearly different pose explains the masks
    (difference of scores), ``rival_distance_mm`` how far away in the images it is; without a rival the gap is the score
    itself and the distance infinite. ``departure`` is how far the pose lies from the start: the squared length of the
    twist between them in units of the usual prior.
    """

    model_to_world: np.ndarray
    information: np.ndarray
    prior_information: np.ndarray
    centre: np.ndarray
    points: np.ndarray
    quality: PoseQuality
    rival_gap: float
    rival_distance_mm: float
    departure: float


def solve_pose(
    model: PoseModel,
    evidence: Sequence[ViewEvidence],
    start: np.ndarray,
    prior: PosePrior | None = None,
    search: bool = True,
    progress: ProgressCallback = ignore_progress,
    should_stop: StopCheck = never_stop,
) -> PoseEstimate:
    """Find the pose (4, 4, model RAS mm to world mm) at which the model's outline meets the masks' edges.

    ``start`` is where to begin, e.g. the model's centre at the isocentre; ``search=False`` stays near it.
    """
    prior = prior or PosePrior()
    starts = [start]
    if search:
        progress(0.05, "Searching the image")
        starts = [*search_poses(model.coarse, evidence, start, _TURN_OF_GUESSES_DEG, _GUESSES), start]
    ranked: list[tuple[float, np.ndarray]] = []
    for number, guess in enumerate(starts):
        raise_if_stopped(should_stop)
        progress(0.2 + 0.4 * number / len(starts), "Trying guesses")
        pose = refine_pose(model.coarse, evidence, guess, COARSE, prior).model_to_world
        ranked.append((judge_pose(model.coarse, evidence, pose, 128, _COARSE_SCALE_MM).score, pose))
    ranked.sort(key=lambda one: -one[0])

    finalists: list[tuple[PoseQuality, RefinedPose]] = []
    for pose in _distinct(model, evidence, [pose for _, pose in ranked])[:_FINALISTS]:
        raise_if_stopped(should_stop)
        progress(0.65 + 0.15 * len(finalists), REFINING)
        refined = refine_pose(model.fine, evidence, pose, FINE, prior, start)
        quality = judge_pose(model.fine, evidence, refined.model_to_world, JUDGE_SIZE, FINE_SCALE_MM)
        finalists.append((quality, refined))
    finalists.sort(key=lambda one: -one[0].score)
    quality, best = finalists[0]
    rivals = [(one.score, image_distance_mm(model, evidence, best.model_to_world, other.model_to_world))
              for one, other in finalists[1:]]
    score, away = max((rival for rival in rivals if rival[1] > _SAME_POSE_MM), default=(0.0, float("inf")))
    vertices = model.coarse.model.vertices
    points = move_points(best.model_to_world, vertices[:: max(1, len(vertices) // _POINTS)])
    progress(1.0, "Pose found")
    return PoseEstimate(best.model_to_world, best.information, best.prior_information, best.centre, points, quality,
                        quality.score - score, away, _departure(model, evidence, start, best.model_to_world))


def _departure(model: PoseModel, evidence: Sequence[ViewEvidence], start: np.ndarray, pose: np.ndarray) -> float:
    twist = twist_between(start, pose, model.fine.centre)
    precision = PosePrior().precision(np.array([one.view.beam_direction for one in evidence]))
    return float(twist @ precision @ twist)


def image_distance_mm(
    model: PoseModel, evidence: Sequence[ViewEvidence], one: np.ndarray, other: np.ndarray
) -> float:
    """Mean distance in the images, at the isocentre's scale, between the model's vertices under two poses, mm."""
    vertices = model.coarse.model.vertices
    distances = []
    for each in evidence:
        here, _ = each.view.project(move_points(one, vertices))
        there, _ = each.view.project(move_points(other, vertices))
        distances.append(np.linalg.norm(here - there, axis=1).mean() * each.view.isocentre_spacing_mm)
    return float(np.mean(distances))


def _distinct(model: PoseModel, evidence: Sequence[ViewEvidence], poses: list[np.ndarray]) -> list[np.ndarray]:
    kept: list[np.ndarray] = []
    for pose in poses:
        if all(image_distance_mm(model, evidence, pose, other) > _SAME_POSE_MM for other in kept):
            kept.append(pose)
    return kept
