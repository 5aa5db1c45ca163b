"""Six degrees of freedom in true perspective: see the package ``pose``."""

import numpy as np

from ..errors import UserError
from ..mesh.surface import SurfaceModel
from ..pose.confidence import assess
from ..pose.evidence import ViewEvidence
from ..pose.refusal import refusal
from ..pose.solver import PoseModel, solve_pose
from ..progress import ProgressCallback, StopCheck
from .task import PoseAnswer, PoseTask

_FEWEST_TRIANGLES = 50


def find_rigid_pose(task: PoseTask, progress: ProgressCallback, should_stop: StopCheck) -> PoseAnswer:
    """Find the rigid pose that explains the masks of all views. See ``PoseMethod``.

    Within limits the pose is only refined from where it is; without, the whole image is searched.
    """
    evidence = [ViewEvidence.from_mask(one.view, one.mask, one.usable) for one in task.views]
    model = PoseModel(_model_in_region(task))
    refused = refusal(model, evidence, task.initial_pose)
    if refused is not None:
        return PoseAnswer(None, (refused,))
    estimate = solve_pose(model, evidence, task.initial_pose, task.limits, task.limits is None, progress, should_stop)
    return PoseAnswer(estimate.model_to_world, confidence=assess(estimate, evidence))


def _model_in_region(task: PoseTask) -> SurfaceModel:
    """The part of the model whose initial projection lies in the region of interest of any view."""
    if task.roi is None:
        return task.model
    x0, y0, x1, y1 = np.asarray(task.roi) - 0.5
    corners = task.model.vertices[task.model.triangles].mean(axis=1)
    placed = corners @ task.initial_pose[:3, :3].T + task.initial_pose[:3, 3]
    inside = np.zeros(len(placed), dtype=bool)
    for one in task.views:
        pixels, _ = one.view.project(placed)
        inside |= ((pixels >= [x0, y0]) & (pixels < [x1, y1])).all(axis=1)
    if inside.sum() < _FEWEST_TRIANGLES:
        raise UserError("The region of interest holds no part of the projected model: choose one around it.")
    return SurfaceModel(task.model.vertices, task.model.triangles[inside], task.model.name, task.model.notes)
