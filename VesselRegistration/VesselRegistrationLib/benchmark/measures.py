"""Errors of a found pose, or of an affine in the image, against the truth of a case."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..matching.overlap import binary_overlap
from ..mesh.surface import SurfaceModel
from ..registration.metrics import reprojection_distances, spread_points, target_registration_errors
from ..registration.result import Overlap
from .cases import Case, CaseGeometry, visible
from .renderer import fill_triangles, project_model

_POINTS = 3000


@dataclass(frozen=True)
class PoseErrors:
    """``mtre_mm`` over all points of the model; ``mrpd_mm`` over those in the field of view, mean of the views."""

    mtre_mm: float
    mrpd_mm: float


def pose_errors(model: SurfaceModel, geometry: CaseGeometry, pose: np.ndarray) -> PoseErrors:
    """Errors of a pose (4, 4) that is rigid, or affine where it was lifted from an affine in one view."""
    points = spread_points(model, _POINTS)
    mtre = float(target_registration_errors(points, pose, geometry.truth).mean())
    per_view = []
    for view in geometry.views:
        inside = visible(project_model(points, geometry.truth, view), view)
        per_view.append(float(reprojection_distances(points[inside], pose, geometry.truth, view).mean()))
    return PoseErrors(mtre, float(np.mean(per_view)))


def affine_errors(model: SurfaceModel, geometry: CaseGeometry, affines: Sequence[np.ndarray]) -> float:
    """mRPD, mm, of affines (2, 3), one per view, from the pixels of the start to those of the X-ray."""
    points = spread_points(model, _POINTS)
    per_view = []
    for affine, view in zip(affines, geometry.views, strict=True):
        true_pixels = project_model(points, geometry.truth, view)
        inside = visible(true_pixels, view)
        moved = project_model(points, geometry.start, view)[inside] @ affine[:, :2].T + affine[:, 2]
        true_places = points[inside] @ geometry.truth[:3, :3].T + geometry.truth[:3, 3]
        away = np.cross(true_places - view.source, view.ray_directions(moved))
        per_view.append(float(np.linalg.norm(away, axis=1).mean()))
    return float(np.mean(per_view))


def overlap_with_truth(case: Case, pose: np.ndarray) -> Overlap:
    """Overlap of the silhouette at a pose, drawn by the benchmark's renderer, with the true one; mean of the views."""
    model = case.anatomy.model
    found = []
    for view, clean in zip(case.geometry.views, case.clean, strict=True):
        drawn = fill_triangles(project_model(model.vertices, pose, view), model.triangles, clean.shape)
        found.append(binary_overlap(drawn, clean))
    dice, precision, recall = np.mean([(one.dice, one.precision, one.recall) for one in found], axis=0)
    return Overlap(float(dice), float(precision), float(recall))
