"""A pose in six numbers that hands can set: how the model is turned, and how far its middle lies off the isocentre."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class Nudge:
    """``turn_deg`` (3,) about the patient's R, A and S axes through the model's middle, in this order, and
    ``shift_mm`` (3,) of the middle from the isocentre towards R, A and S."""

    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)


def pose_of_nudge(nudge: Nudge, middle: np.ndarray) -> np.ndarray:
    """The 4x4 pose, model RAS mm to world mm, for a model with its ``middle`` (3,) in RAS mm."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", nudge.turn_deg, degrees=True).as_matrix()
    pose[:3, 3] = np.asarray(nudge.shift_mm) - pose[:3, :3] @ middle
    return pose


def nudge_of_pose(pose: np.ndarray, middle: np.ndarray) -> Nudge:
    """The six numbers of a rigid pose (4, 4); the inverse of :func:`pose_of_nudge` for turns below 90 degrees."""
    turn = Rotation.from_matrix(pose[:3, :3]).as_euler("xyz", degrees=True)
    shift = pose[:3, :3] @ middle + pose[:3, 3]
    return Nudge(tuple(turn.tolist()), tuple(shift.tolist()))
