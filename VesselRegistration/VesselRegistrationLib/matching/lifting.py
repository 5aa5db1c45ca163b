"""From affine matrices in the image planes to a transform of the 3D model.

One view: with P = K [R|t] and a pixel affine A there is a camera-space matrix H = K^-1 A K whose last row is (0, 0, 1),
so that A P = K H [R|t]: moving the model by H in camera space projects exactly to what A did to the picture. H keeps
every point's depth from the source, because one view cannot show depth; it is affine, not rigid, where A is.

Several views: every point is triangulated from where the affines put it in the views, and the best rigid motion is
fitted to all of them (Kabsch), so that the result is a pose.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.spatial.transform import Rotation

from ..errors import UserError
from ..geometry.carm import CArmView
from .coordinates import homogeneous

MINIMUM_ANGLE_DEG = 10.0


def lift_single_view(affine: np.ndarray, view: CArmView, initial: np.ndarray) -> np.ndarray:
    """The model_to_world (4, 4) whose projection is ``affine`` (2, 3, pixels) after that of ``initial`` (4, 4)."""
    in_camera = np.eye(4)
    in_camera[:3, :3] = np.linalg.inv(view.intrinsic_matrix) @ homogeneous(affine) @ view.intrinsic_matrix
    return np.linalg.inv(view.world_to_camera) @ in_camera @ view.world_to_camera @ initial


def lift_views(affines: Sequence[np.ndarray], views: Sequence[CArmView], initial: np.ndarray,
               points: np.ndarray) -> np.ndarray:
    """The rigid model_to_world (4, 4) that best agrees with the affines (2, 3, pixels) of two or more views.

    ``points`` (N, 3), model RAS mm, N >= 3 and not on a line, are the points that are triangulated; a few hundred
    vertices do. ``initial`` (4, 4) is rigid. Raises UserError where the views' beams are less than 10 deg apart, which
    gives no depth.
    """
    if largest_angle_deg(views) < MINIMUM_ANGLE_DEG:
        raise UserError(f"The views look along nearly the same line ({largest_angle_deg(views):.1f} deg apart), which "
                        f"gives no depth: choose views at least {MINIMUM_ANGLE_DEG:g} deg apart, or one view alone.")
    world = points @ initial[:3, :3].T + initial[:3, 3]
    sources, directions = [], []
    for affine, view in zip(affines, views, strict=True):
        pixels, _ = view.project(world)
        moved = pixels @ affine[:, :2].T + affine[:, 2]
        sources.append(np.linalg.inv(view.world_to_camera)[:3, 3])
        directions.append(view.ray_directions(moved))
    return _rigid_motion(world, triangulate(np.array(sources), np.array(directions))) @ initial


def largest_angle_deg(views: Sequence[CArmView]) -> float:
    """Largest angle between the lines of sight of any two views, 0 to 90; 0 for a single view."""
    cosines = [abs(float(first.beam_direction @ second.beam_direction)) for first, second in combinations(views, 2)]
    return float(np.degrees(np.arccos(np.clip(min(cosines, default=1.0), 0.0, 1.0))))


def triangulate(sources: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Points (N, 3) nearest, by least squares, to V rays each: sources (V, 3), unit directions (V, N, 3); mm."""
    across = np.eye(3) - directions[..., :, None] * directions[..., None, :]
    towards = (across @ sources[:, None, :, None]).sum(axis=0)
    return np.linalg.solve(across.sum(axis=0), towards)[..., 0]


def _rigid_motion(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The 4x4 rigid motion that takes points ``before`` (N, 3) to ``after`` (N, 3) by least squares."""
    middle_before, middle_after = before.mean(axis=0), after.mean(axis=0)
    rotation, _ = Rotation.align_vectors(after - middle_after, before - middle_before)
    motion = np.eye(4)
    motion[:3, :3] = rotation.as_matrix()
    motion[:3, 3] = middle_after - motion[:3, :3] @ middle_before
    return motion
