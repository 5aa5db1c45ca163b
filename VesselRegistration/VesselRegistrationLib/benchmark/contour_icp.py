"""Plain iterative closest points of contours: what the solver is compared with.

Every point of the model's outline is paired with the nearest pixel of the mask's edge, the six parameters follow by
least squares, and so on. No search, no weights, no outliers, one resolution.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from ..pose.contour import OutlinedModel
from ..pose.evidence import ViewEvidence
from ..pose.rigid import move_points, rigid_motion

_SIZE = 256
_ITERATIONS = 40
_STEP_PX = 2.0
_DAMPING = 1e-3


def contour_icp(outlined: OutlinedModel, evidence: Sequence[ViewEvidence], start: np.ndarray) -> np.ndarray:
    """The pose (4, 4) that closest point iterations lead to from ``start`` (4, 4)."""
    scaled = [one.at(_SIZE) for one in evidence]
    trees = [_edge_tree(one.vessel) for one in scaled]
    pose = start
    for _ in range(_ITERATIONS):
        vertices = move_points(pose, outlined.model.vertices)
        centre = move_points(pose, outlined.centre[None])[0]
        normal, right = np.zeros((6, 6)), np.zeros(6)
        for one, tree in zip(scaled, trees, strict=True):
            projection = one.view.projection_matrix
            drawn = outlined.silhouette(vertices, projection, one.mask.shape)
            contour = outlined.outline(vertices, projection, drawn, _STEP_PX)
            if not len(contour.points) or tree is None:
                continue
            target = tree.data[tree.query(contour.pixels)[1]]
            residual = (target - contour.pixels).ravel()
            jacobian = _jacobian(contour.points, contour.pixels, projection, centre)
            normal += jacobian.T @ jacobian
            right += jacobian.T @ residual
        if not normal.any():
            break
        twist = np.linalg.solve(normal + _DAMPING * np.diag(np.diag(normal)) + 1e-9 * np.eye(6), right)
        pose = rigid_motion(twist, centre) @ pose
        if np.abs(twist).max() < 1e-4:
            break
    return pose


def _edge_tree(vessel: np.ndarray) -> cKDTree | None:
    edge = vessel & ~ndimage.binary_erosion(vessel, border_value=1)
    row, col = np.nonzero(edge)
    return cKDTree(np.column_stack([col, row])) if len(row) else None


def _jacobian(points: np.ndarray, pixels: np.ndarray, projection: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Derivative (2 K, 6) of image positions by a twist about ``centre``."""
    depth = points @ projection[2, :3] + projection[2, 3]
    rows = [(projection[axis, :3] - pixels[:, axis, None] * projection[2, :3]) / depth[:, None] for axis in (0, 1)]
    arm = points - centre
    return np.stack([np.hstack([np.cross(arm, row), row]) for row in rows], axis=1).reshape(-1, 6)
