"""How well traced devices agree with the true ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from ..catheters.tracing import DeviceCurve

NEAR_PX = 3.0
_CLEAR_PX = 5.0
_OWN_END_PX = 12.0
_FAR = 1e6


@dataclass(frozen=True)
class CurveScores:
    """``tip_errors_px``: for every true tip that can be seen, the distance to the found tip that was assigned to it,
    infinite where none was left. ``false_tips`` were assigned to none. ``count_error`` is the number of found devices
    less that of true ones. ``centreline_px`` is the median distance of found centrelines to the true ones, not a number
    where nothing was found. ``free_tip_errors_px`` are the tip errors of true tips that stand free: 5 px from any other
    device and from the rest of their own, so that a mask can show where they are."""

    tip_errors_px: tuple[float, ...]
    free_tip_errors_px: tuple[float, ...]
    false_tips: int
    count_error: int
    centreline_px: float


def score_curves(found: Sequence[DeviceCurve], curves: Sequence[np.ndarray], tips: np.ndarray) -> CurveScores:
    """Compare found devices with true curves, each (N, 2) px (col, row), and true visible tips (K, 2)."""
    found_tips = np.array([curve.tip for curve in found if curve.tip is not None]).reshape(-1, 2)
    errors = assigned_distances(found_tips, np.asarray(tips, dtype=float).reshape(-1, 2))
    free = [stands_free(tip, curves) for tip in np.asarray(tips, dtype=float).reshape(-1, 2)]
    return CurveScores(tuple(float(error) for error in errors),
                       tuple(float(error) for error, clear in zip(errors, free, strict=True) if clear),
                       max(0, len(found_tips) - int(np.isfinite(errors).sum())), len(found) - len(curves),
                       _centreline_distance(found, curves))


def stands_free(tip: np.ndarray, curves: Sequence[np.ndarray]) -> bool:
    """Whether a tip (2,) px lies clear of all curves (N, 2) px but the last 12 px of its own."""
    own = min(curves, key=lambda curve: min(np.linalg.norm(curve[end] - tip) for end in (0, -1)), default=None)
    for curve in curves:
        rest = np.asarray(curve, dtype=float)
        if curve is own:
            if np.linalg.norm(rest[-1] - tip) < np.linalg.norm(rest[0] - tip):
                rest = rest[::-1]
            along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(rest, axis=0), axis=1))])
            rest = rest[along > _OWN_END_PX]
        if len(rest) and np.linalg.norm(rest - tip, axis=1).min() < _CLEAR_PX:
            return False
    return True


def assigned_distances(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distances (K,) of true points (K, 2) to found ones (M, 2), each used once, infinite where none is left.

    As many as possible lie within 3 px, and the sum of distances is least among these assignments.
    """
    errors = np.full(len(truth), np.inf)
    if len(found) and len(truth):
        distances = np.linalg.norm(truth[:, None] - found[None], axis=2)
        rows, columns = linear_sum_assignment(distances + np.where(distances > NEAR_PX, _FAR, 0.0))
        errors[rows] = distances[rows, columns]
    return errors


def _centreline_distance(found: Sequence[DeviceCurve], curves: Sequence[np.ndarray]) -> float:
    if not found or not curves:
        return float("nan")
    distances, _ = cKDTree(np.concatenate(curves)).query(np.concatenate([curve.points for curve in found]))
    return float(np.median(distances))
