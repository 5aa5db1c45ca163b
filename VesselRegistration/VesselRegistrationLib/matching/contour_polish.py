"""Sharpening of an affine on the outlines of two silhouettes: robust Gauss-Newton on distances to the other outline.

Overlap counts area, so that a missing branch pulls at the fit. Outlines do not: a stretch without counterpart is far
from the other outline and loses its weight as the scale of the robust loss shrinks (Geman-McClure, graduated).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from ..progress import StopCheck, raise_if_stopped

_SCALES_PX = (10.0, 7.0, 5.0, 3.5, 2.5, 1.8)
_SCALES_FOR = 256
_STEPS = 4
_MOST_POINTS = 1500
_BORDER_PX = 2.0
_SMOOTH_PX = 0.8
_FARTHEST_PX = 80.0
_FORWARD_WEIGHT = 0.6
_SHAPE_SD = 0.08
_PRIOR_POINTS = 20.0


@dataclass(frozen=True)
class Outline:
    """A silhouette (rows, columns) bool and where it says anything (rows, columns) bool."""

    mask: np.ndarray
    known: np.ndarray

    @cached_property
    def distance(self) -> np.ndarray:
        """Signed distance to the outline in px (rows, columns), negative inside."""
        signed = np.where(self.mask, 0.5 - distance_transform_edt(self.mask), distance_transform_edt(~self.mask) - 0.5)
        return gaussian_filter(signed.clip(-_FARTHEST_PX, _FARTHEST_PX), _SMOOTH_PX)

    @cached_property
    def certainty(self) -> np.ndarray:
        """1 where the silhouette says something (rows, columns) float32."""
        return self.known.astype(np.float32)

    @cached_property
    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Derivative of the distance along col and along row."""
        along_row, along_col = np.gradient(self.distance)
        return along_col, along_row

    @cached_property
    def points(self) -> np.ndarray:
        """Outline (N, 2) px (col, row), evenly thinned, away from the image's border and from what is not known."""
        from skimage.measure import find_contours

        traced = find_contours(self.mask.astype(np.float32), 0.5)
        found = np.concatenate(traced)[:, ::-1] if traced else np.zeros((0, 2))
        safe = np.zeros(self.mask.shape, dtype=bool)
        inner = round(_BORDER_PX)
        safe[inner:-inner, inner:-inner] = True
        safe &= distance_transform_edt(self.known) > _BORDER_PX if not self.known.all() else True
        found = found[_at(safe.astype(np.float32), found) > 0.5]
        return found[:: max(1, len(found) // _MOST_POINTS)]


def polish(moving: Outline, fixed: Outline, affine: np.ndarray, should_stop: StopCheck) -> tuple[np.ndarray, float]:
    """The affine (2, 3), moving to fixed px, near the given one, and how well it explains both outlines, 0 to 1.

    Without outlines to compare the given affine comes back with 0.
    """
    if min(len(moving.points), len(fixed.points)) < 6:
        return affine, 0.0
    current = affine.astype(float)
    pixel = max(fixed.mask.shape) / _SCALES_FOR
    for scale in (pixel * one for one in _SCALES_PX):
        for _ in range(_STEPS):
            raise_if_stopped(should_stop)
            step = _step(moving, fixed, current, scale)
            if step is None:
                return affine, 0.0
            current = current + step
    return current, explained(moving, fixed, current, pixel * _SCALES_PX[-1])


def explained(moving: Outline, fixed: Outline, affine: np.ndarray, scale_px: float) -> float:
    """Share of both outlines that lies on the other one, 0 to 1; the fixed one counts more, as contrast may miss."""
    shares = []
    for residual, _ in _residuals(moving, fixed, affine):
        shares.append(float(np.mean(_weights(residual, scale_px))) if len(residual) else 0.0)
    return (_FORWARD_WEIGHT * shares[0] + shares[1]) / (1.0 + _FORWARD_WEIGHT)


def _weights(residual: np.ndarray, scale: float) -> np.ndarray:
    return (scale * scale / (scale * scale + residual * residual)) ** 2


def _residuals(moving: Outline, fixed: Outline, affine: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Distances (N,) px and their derivatives (N, 6) by the affine's rows, moving on fixed and fixed on moving."""
    linear, shift = affine[:, :2], affine[:, 2]
    placed = moving.points @ linear.T + shift
    forward = _measured(fixed, placed)
    seen = forward.seen
    first = (forward.residual[seen], _by_affine(forward.slope[seen], moving.points[seen]))
    inverse = np.linalg.inv(linear)
    back = (fixed.points - shift) @ inverse.T
    backward = _measured(moving, back)
    seen = backward.seen
    size = np.sqrt(abs(np.linalg.det(linear)))
    second = (size * backward.residual[seen], _by_affine(-size * backward.slope[seen] @ inverse, back[seen]))
    return [first, second]


@dataclass(frozen=True)
class _Measured:
    residual: np.ndarray
    slope: np.ndarray
    seen: np.ndarray


def _measured(outline: Outline, points: np.ndarray) -> _Measured:
    rows, columns = outline.mask.shape
    inside = np.all((points >= _BORDER_PX) & (points <= np.array([columns, rows]) - 1 - _BORDER_PX), axis=1)
    seen = inside & (_at(outline.certainty, points) > 0.5)
    slope = np.stack([_at(one, points) for one in outline.slopes], axis=1)
    return _Measured(_at(outline.distance, points), slope, seen)


def _by_affine(slope: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Derivative (N, 6) of a slope (N, 2) by the affine's entries, row by row, at moving points (N, 2)."""
    places = np.column_stack([points, np.ones(len(points))])
    return np.hstack([slope[:, :1] * places, slope[:, 1:] * places])


def _step(moving: Outline, fixed: Outline, affine: np.ndarray, scale: float) -> np.ndarray | None:
    normal, gradient = np.zeros((6, 6)), np.zeros(6)
    for weight, (residual, derivative) in zip((_FORWARD_WEIGHT, 1.0), _residuals(moving, fixed, affine), strict=True):
        weights = weight * _weights(residual, scale)
        normal += (derivative * weights[:, None]).T @ derivative
        gradient += derivative.T @ (weights * residual)
    prior, pull = _shape_prior(affine, scale)
    try:
        return -np.linalg.solve(normal + prior + 1e-9 * np.trace(normal) * np.eye(6), gradient + pull).reshape(2, 3)
    except np.linalg.LinAlgError:
        return None


def _shape_prior(affine: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Information (6, 6) and gradient (6,) that keep the affine near a similarity: a = d and b = -c."""
    rows = np.array([[1.0, 0, 0, 0, -1.0, 0], [0, 1.0, 0, 1.0, 0, 0]])
    strength = _PRIOR_POINTS * (scale / _SHAPE_SD) ** 2 / 4.0
    return strength * rows.T @ rows, strength * rows.T @ (rows @ affine.ravel())


def _at(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    return map_coordinates(image, [points[:, 1], points[:, 0]], order=1, mode="nearest")
