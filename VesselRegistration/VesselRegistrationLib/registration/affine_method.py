"""The paper's method, lifted to 3D: an affine per view from the matching network, then one pose of the model.

The affine is found between two pictures. Once it has moved the model, the model is drawn again and matched again: parts
that lay outside the image come in, and an affine cannot do what the perspective does. Rounds end when the overlap stops
growing.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..matching.affine_matching import AffineMatch, AffineMatcher, implausibility
from ..matching.lifting import lift_single_view, lift_views
from ..matching.overlap import binary_overlap
from ..progress import ProgressCallback, StopCheck, part_of, raise_if_stopped
from ..projection.rasterizer import silhouette
from .metrics import spread_points
from .region import counted_pixels, roi_pixels
from .task import PoseAnswer, PoseTask, ViewTask

ROUNDS = 3
LEAST_GAIN = 0.002
"""A further round must raise the mean Dice by this much."""

_LIFTED_POINTS = 500
_AFFINE_POINTS = 2000

Match = Callable[..., AffineMatch]


def find_affine_pose(task: PoseTask, progress: ProgressCallback, should_stop: StopCheck) -> PoseAnswer:
    """Match and lift in up to three rounds, and keep the best. See ``PoseMethod``.

    One view: the pose is affine and projects exactly to the affine in the image. Several: it is rigid.
    """
    matcher = AffineMatcher(device=task.device)
    _lifted(task, task.initial_pose, [np.eye(2, 3)] * len(task.views))  # refuses views without depth before the work
    pose, score = task.initial_pose, _score(task, task.initial_pose)
    before = score
    for number in range(ROUNDS):
        step = part_of(progress, number / ROUNDS, (number + 1) / ROUNDS)
        raise_if_stopped(should_stop)
        candidate = _next_pose(task, pose, matcher.match, step, should_stop)
        reached = _score(task, candidate)
        if reached < score + LEAST_GAIN:
            break
        pose, score = candidate, reached
    progress(1.0, "matched")
    return PoseAnswer(pose, _warnings(task, pose, before, score), weights={matcher.card.name: matcher.card.sha256})


def image_affine(task: PoseTask, view: ViewTask, pose: np.ndarray) -> np.ndarray:
    """The affine (2, 3) that best tells how a pose moves the projected model in a view, from the initial pose.

    Exact where the pose was lifted from one affine; the least squares fit to the projected vertices otherwise.
    """
    points = spread_points(task.model, _AFFINE_POINTS)
    before, after = (view.view.project(points @ matrix[:3, :3].T + matrix[:3, 3])[0]
                     for matrix in (task.initial_pose, pose))
    solution, *_ = np.linalg.lstsq(np.column_stack([before, np.ones(len(before))]), after, rcond=None)
    return solution.T


def _next_pose(task: PoseTask, pose: np.ndarray, match: Match, progress: ProgressCallback,
               should_stop: StopCheck) -> np.ndarray:
    affines = []
    for number, view in enumerate(task.views):
        drawn = silhouette(task.model, view.view.projection_matrix @ pose, view.shape)
        known = None if task.roi is None else roi_pixels(task.roi, image_affine(task, view, pose), view.shape)
        step = part_of(progress, number / len(task.views), (number + 1) / len(task.views))
        affines.append(match(drawn, view.mask, view.usable, known, progress=step, should_stop=should_stop).affine)
    return _lifted(task, pose, affines)


def _lifted(task: PoseTask, pose: np.ndarray, affines: Sequence[np.ndarray]) -> np.ndarray:
    """``pose`` moved as the affines (2, 3), one per view, say."""
    if len(affines) == 1:
        return lift_single_view(affines[0], task.views[0].view, pose)
    return lift_views(affines, [view.view for view in task.views], pose, spread_points(task.model, _LIFTED_POINTS))


def _score(task: PoseTask, pose: np.ndarray) -> float:
    """Mean Dice over the views."""
    scores = []
    for view in task.views:
        drawn = silhouette(task.model, view.view.projection_matrix @ pose, view.shape)
        counted = counted_pixels(view.usable, task.roi, image_affine(task, view, pose))
        scores.append(binary_overlap(drawn & counted, view.mask & counted).dice)
    return float(np.mean(scores))


def _warnings(task: PoseTask, pose: np.ndarray, before: float, after: float) -> tuple[str, ...]:
    found = []
    for view in task.views:
        moving = silhouette(task.model, view.view.projection_matrix @ task.initial_pose, view.shape)
        found.append(implausibility(image_affine(task, view, pose), view.shape, moving, before, after))
    return tuple(dict.fromkeys(warning for warning in found if warning))
