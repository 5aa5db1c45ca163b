"""Devices as smooth curves with their tips."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import splev, splprep
from scipy.ndimage import map_coordinates

from ..errors import UserError
from .joining import joined
from .skeleton import cleaned, skeleton_pieces

MOST_DEVICES = 4
SHORTEST_SHARE = 0.07
"""A device shorter than this share of the image's longer side is taken for a false find."""

_SPECK_SHARE = 0.01  # of the image's side: smallest part of a mask, in pixels
_BORDER_SHARE = 0.02  # of the image's side: an end so near to the border leaves there
_NOISE_PX = 0.45  # of a skeleton about the true centreline
_SMOOTHED_EVERY = 2
_SPACING_PX = 1.0
_PROFILE_STEP = 0.25
_NEAR_TIP_PX = 12
_LEAST_COVERED = 0.65  # share of a curve that lies on the mask; strings of specks have less


@dataclass(frozen=True)
class DeviceCurve:
    """One catheter or guidewire.

    ``points`` (N, 2) px (col, row), 0-based centres, about 1 px apart, from the tip on; where no end is a tip, from the
    end that comes first. ``tip`` (2,) is the free end, None where both ends leave the image. ``tip_confidence`` is 0 to
    1: low where the mask is weak there, where the other end is free too, and 0 without tip. It is a ranking and no
    calibrated probability.
    """

    points: np.ndarray
    length_px: float
    width_px: float
    tip: np.ndarray | None
    tip_confidence: float


def trace_devices(found: np.ndarray, usable: np.ndarray | None = None, *, threshold: float = 0.5,
                  most: int = MOST_DEVICES) -> tuple[DeviceCurve, ...]:
    """The devices in a probability 0..1 or a mask, (rows, columns), the longest first, ``most`` at the most.

    ``usable`` (rows, columns) bool is False behind shutters: an end there, or at the image's border, is no tip. Raises
    UserError for images of the wrong shape, values that are not numbers, or a threshold that is not between 0 and 1.
    """
    level, usable = _checked(found, usable, threshold)
    side = max(level.shape)
    mask = cleaned((level > threshold) & usable, max(4, round(_SPECK_SHARE * side)))
    if not mask.any():
        return ()
    pieces, width = skeleton_pieces(mask)
    soft = np.where(mask, np.maximum(level, threshold), np.where(usable, level, 0.0)).astype(np.float32)
    curves = []
    chains = sorted(joined(pieces, mask, width), key=lambda chain: -_length(chain))
    for chain in chains[:2 * most]:
        if _length(chain) >= 0.8 * SHORTEST_SHARE * side:
            curves.append(_curve(chain, soft, usable, threshold))
    curves = [curve for curve in curves if curve.length_px >= SHORTEST_SHARE * side
              and np.mean(_levels(mask, curve.points)) >= _LEAST_COVERED]
    return tuple(sorted(curves, key=lambda curve: -curve.length_px)[:most])


def curves_as_dicts(curves: Sequence[DeviceCurve]) -> list[dict[str, object]]:
    """The curves as plain lists and numbers, for a JSON file; pixels rounded to hundredths."""
    return [{"points_px": np.round(curve.points, 2).tolist(), "length_px": round(curve.length_px, 1),
             "width_px": round(curve.width_px, 2),
             "tip_px": None if curve.tip is None else np.round(curve.tip, 2).tolist(),
             "tip_confidence": round(curve.tip_confidence, 3)} for curve in curves]


def _checked(found: np.ndarray, usable: np.ndarray | None, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    if found.ndim != 2:
        raise UserError("The device mask is no single image: give one of rows x columns.")
    if usable is not None and usable.shape != found.shape:
        raise UserError("The device mask and its usable region differ in size: give both for the same frame.")
    if not 0.0 < threshold < 1.0:
        raise UserError(f"The threshold {threshold:g} is impossible: give one between 0 and 1.")
    level = found.astype(np.float32)
    if not np.all(np.isfinite(level)):
        raise UserError("The device mask holds pixels that are not numbers: segment the frame again.")
    return level, np.ones(found.shape, dtype=bool) if usable is None else usable.astype(bool)


def _curve(chain: np.ndarray, level: np.ndarray, usable: np.ndarray, threshold: float) -> DeviceCurve:
    points = _smooth(chain)
    width = _width(points, level, threshold)
    points = _end_at_mask(_end_at_mask(points, level, width, threshold)[::-1], level, width, threshold)[::-1]
    margin = max(_BORDER_SHARE * max(level.shape), 1.2 * width, 2.0)
    leaves = [_leaves(end, usable, margin) for end in (points[0], points[-1])]
    if leaves[0] and not leaves[1]:
        points = points[::-1]
    elif not any(leaves) and _depth(points[-1], usable) > _depth(points[0], usable):
        points = points[::-1]  # a device comes from outside: its tip is the end further inside
    if all(leaves):
        return DeviceCurve(points, _length(points), width, None, 0.0)
    near = points[:_NEAR_TIP_PX]
    support = float(np.mean(_levels(level, near)))
    return DeviceCurve(points, _length(points), width, points[0].copy(), support * (1.0 if any(leaves) else 0.5))


def _smooth(chain: np.ndarray) -> np.ndarray:
    """A smoothing spline (FITPACK, cubic) through a chain of pixels, at steps of about 1 px."""
    kept = chain[::_SMOOTHED_EVERY] if len(chain) > 4 * _SMOOTHED_EVERY else chain
    if not np.array_equal(kept[-1], chain[-1]):
        kept = np.vstack([kept, chain[-1]])
    kept = kept[np.concatenate([[True], np.any(np.diff(kept, axis=0) != 0, axis=1)])]
    count = max(2, round(_length(kept) / _SPACING_PX) + 1)
    degree = min(3, len(kept) - 1)
    spline, _ = splprep(kept.T, s=len(kept) * _NOISE_PX**2, k=degree)
    return np.column_stack(splev(np.linspace(0.0, 1.0, count), spline))


def _width(points: np.ndarray, level: np.ndarray, threshold: float) -> float:
    """Median width of the mask across the curve, px."""
    tangent = np.gradient(points, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    offsets = np.arange(0.0, 10.0, _PROFILE_STEP)
    halves = []
    for sign in (1.0, -1.0):
        places = points[::2, None] + sign * offsets[None, :, None] * normal[::2, None]
        inside = _levels(level, places) > threshold
        halves.append(np.where(inside.all(axis=1), len(offsets), np.argmin(inside, axis=1)))
    steps = (halves[0] + halves[1])[(halves[0] > 0) | (halves[1] > 0)]
    return max(1.0, float(np.median(steps)) * _PROFILE_STEP) if len(steps) else 1.0


def _levels(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The image, linearly, at places (..., 2) px (col, row); 0 outside."""
    return map_coordinates(image, [places[..., 1], places[..., 0]], output=np.float32, order=1, mode="constant")


def _end_at_mask(points: np.ndarray, level: np.ndarray, width: float, threshold: float) -> np.ndarray:
    """The curve with its first end moved to where the device's axis ends: half a width inside the mask's edge."""
    ahead = points[0] - points[min(5, len(points) - 1)]
    length = np.linalg.norm(ahead)
    if length == 0:
        return points
    ahead = ahead / length
    steps = np.arange(0.0, width + 6.0, _PROFILE_STEP)
    places = points[0] + steps[:, None] * ahead
    inside = _levels(level, places) > threshold
    if inside.all():
        return points  # the mask goes on: another device lies ahead
    distance = steps[np.argmin(inside)] - 0.5 * width
    if distance > 0.5:
        return np.vstack([points[0] + distance * ahead, points])
    cut = min(round(-distance / _SPACING_PX), len(points) - 2)
    return points[max(0, cut):]


def _leaves(end: np.ndarray, usable: np.ndarray, margin: float) -> bool:
    """Whether the border of the image or of the usable region is nearer than ``margin`` px."""
    return _depth(end, usable, int(np.ceil(margin)) + 1) < margin


def _depth(end: np.ndarray, usable: np.ndarray, most: int = 64) -> float:
    """Distance, px, from an end to the nearest pixel that is not usable or not there; at most ``most``."""
    rows, columns = usable.shape
    col, row = (int(value) for value in np.rint(end))
    border = float(min(end[0] + 0.5, end[1] + 0.5, columns - 0.5 - end[0], rows - 0.5 - end[1]))
    top, left = max(0, row - most), max(0, col - most)
    dark = np.argwhere(~usable[top:row + most + 1, left:col + most + 1])
    if len(dark):
        border = min(border, float(np.hypot(dark[:, 1] + left - end[0], dark[:, 0] + top - end[1]).min()))
    return min(border, float(most))


def _length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
