"""Refinement of a pose: the model's outline is drawn to the mask's edge.

Every point of the outline looks along its normal for passages from vessel to background. Each passage pulls with a
weight that falls off with its distance, and a constant share of doubt stands for "none of these" (expectation
maximisation with an outlier class), so that branches missing from the mask and blobs that are no vessel lose their
pull as the scale narrows. The pose then follows by Gauss-Newton on the six parameters, with analytic derivatives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contour import Contour, OutlinedModel
from .evidence import ViewEvidence
from .rigid import PosePrior, move_points, rigid_motion, twist_between

_DOUBT = 0.15
_POINTS_ALONG_SIDE = 170
_INDEPENDENT_POINTS = 250
_FEWEST_POINTS = 10
_LARGEST_TURN_RAD = 0.12
_LARGEST_MOVE_MM = 15.0
_SMALL_TURN_RAD = 2e-4
_SMALL_MOVE_MM = 0.02


@dataclass(frozen=True)
class Level:
    """One scale of the refinement: image side in pixels, how far to look and how sharply to weigh (mm at isocentre).

    An edge that runs at an angle to the outline counts as the cosine to the power ``direction``.
    """

    size: int
    reach_mm: float
    scale_mm: float
    iterations: int
    direction: float = 0.0


COARSE = (Level(128, 14.0, 5.0, 5, 4.0), Level(128, 10.0, 3.0, 4, 4.0))
FINE = (Level(256, 10.0, 3.0, 6), Level(256, 8.0, 2.0, 6), Level(512, 5.0, 1.0, 8))


@dataclass(frozen=True)
class RefinedPose:
    """``model_to_world`` (4, 4) and the inverse covariance (6, 6) of a twist about ``centre`` (world mm).

    ``information`` is what the masks say and ``prior_information`` what was believed before.
    """

    model_to_world: np.ndarray
    information: np.ndarray
    prior_information: np.ndarray
    centre: np.ndarray


def refine_pose(
    outlined: OutlinedModel,
    evidence: Sequence[ViewEvidence],
    start: np.ndarray,
    levels: Sequence[Level],
    prior: PosePrior,
    prior_pose: np.ndarray | None = None,
) -> RefinedPose:
    """Draw the model's outline to the masks' edges, from pose ``start`` (4, 4), through the levels in turn.

    The prior is centred on ``prior_pose`` (``start`` where not given).
    """
    pose = start
    believed = start if prior_pose is None else prior_pose
    precision = prior.precision(np.array([one.view.beam_direction for one in evidence]))
    information, centre = precision, move_points(pose, outlined.centre[None])[0]
    for level in levels:
        scaled = [one.at(level.size) for one in evidence]
        for _ in range(level.iterations):
            vertices = move_points(pose, outlined.model.vertices)
            centre = move_points(pose, outlined.centre[None])[0]
            information = precision.copy()
            pull = -precision @ twist_between(believed, pose, outlined.centre)
            for one in scaled:
                added, pulled = _normal_equations(outlined, one, vertices, centre, level)
                information += added
                pull += pulled
            twist = np.linalg.solve(information, pull)
            twist /= max(1.0, np.abs(twist[:3]).max() / _LARGEST_TURN_RAD, np.abs(twist[3:]).max() / _LARGEST_MOVE_MM)
            pose = rigid_motion(twist, centre) @ pose
            if np.abs(twist[:3]).max() < _SMALL_TURN_RAD and np.abs(twist[3:]).max() < _SMALL_MOVE_MM:
                break
    return RefinedPose(pose, information - precision, precision, centre)


def _normal_equations(
    outlined: OutlinedModel, evidence: ViewEvidence, vertices: np.ndarray, centre: np.ndarray, level: Level
) -> tuple[np.ndarray, np.ndarray]:
    """J^T W J (6, 6) and J^T W r (6,) of one view, for a twist about ``centre``."""
    view = evidence.view
    drawn = outlined.silhouette(vertices, view.projection_matrix, evidence.mask.shape)
    step_px = max(1.0, max(evidence.mask.shape) / _POINTS_ALONG_SIDE)
    contour = outlined.outline(vertices, view.projection_matrix, drawn, step_px)
    if len(contour.points) < _FEWEST_POINTS:
        return np.zeros((6, 6)), np.zeros(6)
    return contour_equations(contour, evidence, centre, level)


def contour_equations(
    contour: Contour, evidence: ViewEvidence, centre: np.ndarray, level: Level
) -> tuple[np.ndarray, np.ndarray]:
    """J^T W J (6, 6) and J^T W r (6,) that draw a contour to the edges of one view, for a twist about ``centre``."""
    residual, weight = edge_pulls(contour, evidence, level)
    gradient = normal_gradient(contour, evidence.view.projection_matrix)
    jacobian = np.column_stack([np.cross(contour.points - centre, gradient), gradient])
    weighted = jacobian * weight[:, None]
    return weighted.T @ jacobian, weighted.T @ residual


def edge_pulls(contour: Contour, evidence: ViewEvidence, level: Level) -> tuple[np.ndarray, np.ndarray]:
    """How far (px, outward) the edges of one view pull each point of a contour, and with what weight; both (K,)."""
    view = evidence.view
    reach_px = level.reach_mm / view.isocentre_spacing_mm
    scale_px = level.scale_mm / view.isocentre_spacing_mm
    position, found = evidence.edges_along(contour, reach_px, max(0.7, reach_px / 40))
    likelihood = np.where(found, np.exp(-0.5 * (position / scale_px) ** 2), 0.0)
    if level.direction > 0:
        likelihood *= evidence.alignment(contour, position, found) ** level.direction
    total = likelihood.sum(axis=1)
    residual = (likelihood * position).sum(axis=1) / np.maximum(total, 1e-12)
    trust = total / (total + _DOUBT)
    # Neighbouring points repeat each other: count them as so many independent ones at most.
    return residual, trust / (2 * scale_px**2) * min(1.0, _INDEPENDENT_POINTS / len(contour.points))


def normal_gradient(contour: Contour, projection: np.ndarray) -> np.ndarray:
    """Derivative (K, 3), px/mm, of each point's image position along its normal by its position in the world."""
    depth = contour.points @ projection[2, :3] + projection[2, 3]
    gradient = contour.normals @ projection[:2, :3]
    gradient -= np.einsum("ij,ij->i", contour.normals, contour.pixels)[:, None] * projection[2, :3]
    return gradient / depth[:, None]
