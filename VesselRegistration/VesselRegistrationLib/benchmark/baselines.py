"""What the solver is compared with, on the same cases."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import UserError
from ..matching.affine_matching import AffineMatcher
from ..matching.lifting import lift_single_view, lift_views
from ..pose.evidence import ViewEvidence
from ..pose.solver import PoseModel
from ..registration.metrics import spread_points
from .cases import Case, visible
from .contour_icp import contour_icp
from .measures import PoseErrors, affine_errors, pose_errors
from .renderer import fill_triangles, project_model

ICP = "contour ICP"
BEST_AFFINE = "best affine (oracle)"
AFFINE_NETWORK = "affine network"
REFINED_AFFINE = "affine network, refined"

_POINTS = 3000


@dataclass(frozen=True)
class BaselineOutcome:
    """Errors and CPU seconds of one baseline on one case."""

    errors: PoseErrors
    cpu_s: float


def icp_outcome(case: Case, model: PoseModel, evidence: Sequence[ViewEvidence]) -> BaselineOutcome:
    """Closest points of contours from the case's start."""
    begin = time.process_time()
    pose = contour_icp(model.coarse, evidence, case.geometry.start)
    return BaselineOutcome(pose_errors(case.anatomy.model, case.geometry, pose), time.process_time() - begin)


def best_affine_outcome(case: Case) -> BaselineOutcome:
    """The floor of all affine methods: the least squares affine from the start's to the true projections.

    Fitted to the points in the field of view, those that the error is counted over.
    """
    begin = time.process_time()
    points = spread_points(case.anatomy.model, _POINTS)
    affines = []
    for view in case.geometry.views:
        after = project_model(points, case.geometry.truth, view)
        inside = visible(after, view)
        before = project_model(points[inside], case.geometry.start, view)
        affines.append(np.linalg.lstsq(np.column_stack([before, np.ones(len(before))]), after[inside])[0].T)
    return _affine_outcome(case, affines, begin)


def affine_network_missing() -> str | None:
    """Why the paper's affine network cannot be run, in one sentence; None where it can."""
    try:
        _matcher()
    except UserError as problem:
        return str(problem)
    return None


def affine_network_outcomes(case: Case) -> dict[str, BaselineOutcome]:
    """The paper's affine network alone, and followed by our refinement; nothing where it cannot match at all."""
    outcomes = {}
    model = case.anatomy.model
    for name, refine in ((AFFINE_NETWORK, False), (REFINED_AFFINE, True)):
        begin = time.process_time()
        affines = []
        for view, mask, usable in zip(case.geometry.views, case.masks, case.usable, strict=True):
            pixels = project_model(model.vertices, case.geometry.start, view)
            moving = fill_triangles(pixels, model.triangles, mask.shape, supersampling=2)
            try:
                affines.append(_matcher().match(moving, mask > 0.5, usable, refine=refine).affine)
            except UserError:
                return {}
        outcomes[name] = _affine_outcome(case, affines, begin)
    return outcomes


def _affine_outcome(case: Case, affines: Sequence[np.ndarray], begin: float) -> BaselineOutcome:
    """Errors of affines: the mRPD as they are in the image, the mTRE of the pose that they are lifted to."""
    geometry, model = case.geometry, case.anatomy.model
    if len(affines) == 1:
        pose = lift_single_view(affines[0], geometry.views[0], geometry.start)
    else:
        pose = lift_views(affines, geometry.views, geometry.start, spread_points(model, _POINTS))
    spent = time.process_time() - begin
    return BaselineOutcome(PoseErrors(pose_errors(model, geometry, pose).mtre_mm,
                                      affine_errors(model, geometry, affines)), spent)


@lru_cache(maxsize=1)
def _matcher() -> AffineMatcher:
    import torch

    torch.set_num_threads(1)
    return AffineMatcher("matching", "cpu")
