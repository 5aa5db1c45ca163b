"""A pose from a few landmarks that are known on the model and seen in the images (perspective n points)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from ..errors import UserError
from ..geometry.carm import CArmView
from .contour import Contour
from .local import normal_gradient
from .rigid import move_points

FEWEST_IN_ONE_VIEW = 4
FEWEST_IN_EACH_OF_TWO = 3
LEAST_WIDTH_MM = 4.0
"""Landmarks that spread less than this to the side of their longest line cannot hold a rotation."""

_LEAST_WIDTH_SHARE = 0.03
_REFINED_STARTS = 8
_CLICK_MM = 0.5
_AS_GOOD = 1.5
_LOOSEST_TURN_DEG = 20.0


@dataclass(frozen=True)
class Landmarks:
    """Pairs of ``points`` (N, 3), model RAS mm, and ``pixels`` (N, 2) as (col, row), in views ``view_index`` (N,).

    A landmark that two views show stands here twice.
    """

    points: np.ndarray
    pixels: np.ndarray
    view_index: np.ndarray


@dataclass(frozen=True)
class LandmarkPose:
    """``model_to_world`` (4, 4) mm and, per landmark, how far it stays off its pixel (N,), mm at the isocentre."""

    model_to_world: np.ndarray
    misses_mm: np.ndarray


def pose_from_landmarks(landmarks: Landmarks, views: Sequence[CArmView]) -> LandmarkPose:
    """The rigid pose that brings landmarks to their pixels, by least squares, in one view or several.

    Starts from the 24 rotations of a cube, each with the translation that fits it best (linear), so no guess is
    needed. Where several poses fit equally well, as four landmarks in one plane can have it, the one that turns the
    patient least is taken. Raises UserError for too few or nearly collinear landmarks, pixels outside their image and
    landmarks that no pose in front of the source explains.
    """
    _check(landmarks, views)
    misses = _Misses(landmarks, views)
    starts = []
    for turn in Rotation.create_group("O"):
        translation = misses.best_translation(turn.as_matrix())
        first = np.concatenate([turn.as_rotvec(), translation])
        starts.append((float(np.sum(misses(first) ** 2)), first))
    starts.sort(key=lambda one: one[0])
    fits = [least_squares(misses, first, x_scale=[0.1, 0.1, 0.1, 10.0, 10.0, 10.0])
            for _, first in starts[:_REFINED_STARTS]]
    possible = [fit for fit in fits if misses.in_front(fit.x)]
    if not possible:
        raise UserError("No pose brings the landmarks to their pixels: check that each pixel belongs to its point.")
    best = min(misses.typical_mm(fit.x) for fit in possible)
    good = [fit for fit in possible if misses.typical_mm(fit.x) <= max(_AS_GOOD * best, _CLICK_MM)]
    chosen = min(good, key=lambda fit: np.linalg.norm(fit.x[:3]) + 1e-3 * misses.typical_mm(fit.x)).x
    pose = _pose(chosen)
    if misses.rotation_sd_deg(pose) > _LOOSEST_TURN_DEG:
        raise UserError("The landmarks hardly hold the model's rotation: spread them wider or add landmarks to the "
                        "side.")
    return LandmarkPose(pose, misses.in_mm(chosen))


class _Misses:
    """How far the landmarks stay off their pixels for a pose of rotation vector (rad) and translation (mm)."""

    def __init__(self, landmarks: Landmarks, views: Sequence[CArmView]) -> None:
        self.landmarks = landmarks
        self.centre = landmarks.points.mean(axis=0)
        self.seen = [(view, np.flatnonzero(landmarks.view_index == number)) for number, view in enumerate(views)]
        self.seen = [(view, which) for view, which in self.seen if len(which)]

    def __call__(self, parameters: np.ndarray) -> np.ndarray:
        """Misses (2 N,), mm at the isocentre."""
        placed = move_points(_pose(parameters), self.landmarks.points)
        found = np.empty((len(placed), 2))
        for view, which in self.seen:
            homogeneous = placed[which] @ view.projection_matrix[:, :3].T + view.projection_matrix[:, 3]
            # Points beside or behind the source may come up on the way; they must not blow up.
            depth = np.maximum(homogeneous[:, 2:], 1.0)
            off = homogeneous[:, :2] / depth - self.landmarks.pixels[which]
            found[which] = off * np.array([view.column_spacing_mm, view.row_spacing_mm]) * view.sod_mm / view.sid_mm
        return found.ravel()

    def in_mm(self, parameters: np.ndarray) -> np.ndarray:
        return np.linalg.norm(self(parameters).reshape(-1, 2), axis=1)

    def typical_mm(self, parameters: np.ndarray) -> float:
        return float(np.sqrt(np.mean(self.in_mm(parameters) ** 2)))

    def in_front(self, parameters: np.ndarray) -> bool:
        placed = move_points(_pose(parameters), self.landmarks.points)
        return all((view.project(placed[which])[1] > 1.0).all() for view, which in self.seen)

    def best_translation(self, turn: np.ndarray) -> np.ndarray:
        """The translation (3,) that, with this rotation, brings the points nearest to their pixels' rays."""
        system, aim = np.zeros((3, 3)), np.zeros(3)
        for view, which in self.seen:
            rays = view.ray_directions(self.landmarks.pixels[which])
            turned = self.landmarks.points[which] @ turn.T
            for ray, point in zip(rays, turned, strict=True):
                across = np.eye(3) - np.outer(ray, ray)
                system += across
                aim += across @ (view.source - point)
        return np.linalg.lstsq(system, aim, rcond=1e-9)[0]

    def rotation_sd_deg(self, pose: np.ndarray) -> float:
        """Standard deviation of the loosest rotation if every pixel is off by as much as hands click."""
        placed = move_points(pose, self.landmarks.points)
        information = np.zeros((6, 6))
        for view, which in self.seen:
            pixels, _ = view.project(placed[which])
            for axis in np.eye(2):
                contour = Contour(placed[which], pixels, np.repeat(axis[None], len(which), axis=0))
                gradient = normal_gradient(contour, view.projection_matrix) * view.isocentre_spacing_mm
                row = np.column_stack([np.cross(placed[which] - placed.mean(axis=0), gradient), gradient])
                information += row.T @ row / _CLICK_MM**2
        # The depth of a single view may be loose; the rotation may not.
        covariance = np.linalg.pinv(information, rcond=1e-15, hermitian=True)
        return float(np.degrees(np.sqrt(np.linalg.eigvalsh(covariance[:3, :3])[-1])))


def _pose(parameters: np.ndarray) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(parameters[:3]).as_matrix()
    pose[:3, 3] = parameters[3:]
    return pose


def _check(landmarks: Landmarks, views: Sequence[CArmView]) -> None:
    if not np.all(np.isfinite(landmarks.points)) or not np.all(np.isfinite(landmarks.pixels)):
        raise UserError("A landmark holds a value that is not a number: give three coordinates and two pixels each.")
    for number, (col, row) in zip(landmarks.view_index, landmarks.pixels, strict=True):
        if not 0 <= number < len(views):
            raise UserError(f"A landmark names view {number}, but views are counted from 0 and there are {len(views)}: "
                            "correct the landmark or give the X-ray.")
        view = views[int(number)]
        if not (-0.5 <= col <= view.columns - 0.5 and -0.5 <= row <= view.rows - 0.5):
            raise UserError(f"The landmark at pixel {col:g},{row:g} lies outside view {number} of {view.columns} x "
                            f"{view.rows} pixels: give col,row, counted from 0.")
    counts = [len(np.unique(landmarks.points[landmarks.view_index == number], axis=0)) for number in range(len(views))]
    if max(counts, default=0) < FEWEST_IN_ONE_VIEW and sum(count >= FEWEST_IN_EACH_OF_TWO for count in counts) < 2:
        raise UserError(f"There are too few landmarks for a pose ({', '.join(map(str, counts)) or 'none'} per view): "
                        f"give at least {FEWEST_IN_ONE_VIEW} different ones in one view, or {FEWEST_IN_EACH_OF_TWO} in "
                        "each of two views.")
    different = np.unique(landmarks.points, axis=0)
    spread = np.linalg.svd(different - different.mean(axis=0), compute_uv=False) / np.sqrt(len(different))
    if spread[1] < max(LEAST_WIDTH_MM, _LEAST_WIDTH_SHARE * spread[0]):
        raise UserError("The landmarks lie nearly on one line, which leaves the rotation about it open: add one at "
                        "least a centimetre to the side.")
