"""Small rigid motions and what is believed of the pose before looking at the image."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation


def rigid_motion(twist: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """4x4 motion: turn by the rotation vector ``twist[:3]`` (rad) about ``centre`` (mm), then move by ``twist[3:]``."""
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec(twist[:3]).as_matrix()
    motion[:3, 3] = centre - motion[:3, :3] @ centre + twist[3:]
    return motion


def twist_between(start: np.ndarray, end: np.ndarray, model_centre: np.ndarray) -> np.ndarray:
    """The twist (6,) about the placed model centre that leads from pose ``start`` to ``end`` (4x4, model to world)."""
    placed = start[:3, :3] @ model_centre + start[:3, 3]
    motion = end @ np.linalg.inv(start)
    turn = Rotation.from_matrix(motion[:3, :3]).as_rotvec()
    return np.concatenate([turn, motion[:3, :3] @ placed + motion[:3, 3] - placed])


def move_points(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (N, 3) moved by a 4x4 matrix."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


@dataclass(frozen=True)
class PosePrior:
    """How far the pose is believed to lie from where the search starts (standard deviations).

    Depth along the beam has its own, since one view says next to nothing about it.
    """

    rotation_deg: float = 9.0
    in_plane_mm: float = 60.0
    depth_mm: float = 20.0

    def precision(self, beam_directions: np.ndarray) -> np.ndarray:
        """6x6 inverse covariance of the twist from the start, for views with these beam directions (K, 3), world."""
        translation = np.eye(3) / self.in_plane_mm**2
        if len(beam_directions) == 1:
            along = np.outer(beam_directions[0], beam_directions[0])
            translation = (np.eye(3) - along) / self.in_plane_mm**2 + along / self.depth_mm**2
        matrix = np.zeros((6, 6))
        matrix[:3, :3] = np.eye(3) / np.radians(self.rotation_deg) ** 2
        matrix[3:, 3:] = translation
        return matrix
