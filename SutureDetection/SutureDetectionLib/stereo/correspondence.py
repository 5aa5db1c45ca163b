"""Which point of the left eye is which of the right: epipolar lines, a smooth depth, one-to-one assignment."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from .camera import StereoCalibration
from .triangulation import triangulate

_HYPOTHESES = 60
_ROUNDS = 4
_REFUSED = 1e4


@dataclass(frozen=True)
class EyeMatches:
    """``left`` and ``right`` (k,) are indices of matched points; ``cost`` (k,) in squared sigmas, low is good.

    ``ambiguous`` (k,) bool: another partner would have been nearly as good.
    """

    left: np.ndarray
    right: np.ndarray
    cost: np.ndarray
    ambiguous: np.ndarray


@dataclass(frozen=True)
class MatchSettings:
    """What counts as a match: standard deviations in pixels across the epipolar line and of the depth's smoothness.

    ``smooth_px`` is how far, along the epipolar line, a point may stand off the smooth surface through the others;
    ``limit`` the largest cost in squared sigmas; ``depths_mm`` the depths to consider; ``kind_cost`` what entry against
    exit costs.
    """

    epipolar_px: float = 1.0
    smooth_px: float = 2.0
    limit: float = 16.0
    depths_mm: tuple[float, float] = (20.0, 250.0)
    kind_cost: float = 4.0


USUAL = MatchSettings()


def match_eyes(left: np.ndarray, right: np.ndarray, calibration: StereoCalibration,
               left_kinds: np.ndarray | None = None, right_kinds: np.ndarray | None = None,
               settings: MatchSettings = USUAL) -> EyeMatches:
    """One-to-one matches of pixels ``left`` (n, 2) and ``right`` (m, 2), best overall cost; points may stay alone.

    Points on a row can be exchanged without leaving the epipolar line. The order is kept by asking for a smooth
    inverse depth over the picture: first one depth for all, then a plane, then a curved surface through the matches.
    ``left_kinds`` and ``right_kinds`` (n,), (m,) are 0 = entry, 1 = exit, other values = unknown.
    """
    left, right = np.asarray(left, dtype=float).reshape(-1, 2), np.asarray(right, dtype=float).reshape(-1, 2)
    none = np.zeros(0, dtype=int)
    if not len(left) or not len(right):
        return EyeMatches(none, none, np.zeros(0), np.zeros(0, dtype=bool))
    first, second = (part.ravel() for part in np.meshgrid(np.arange(len(left)), np.arange(len(right)), indexing="ij"))
    found = triangulate(left[first], right[second], calibration)
    shape = (len(left), len(right))
    depth = found.points[:, 2].reshape(shape)
    across = 2 * found.residual_px.reshape(shape)  # root of the summed squares of the four coordinates
    cost = (across / settings.epipolar_px) ** 2
    if left_kinds is not None and right_kinds is not None:
        one, two = np.asarray(left_kinds)[:, None], np.asarray(right_kinds)[None]
        cost = cost + settings.kind_cost * ((one != two) & np.isin(one, (0, 1)) & np.isin(two, (0, 1)))
    possible = (depth > settings.depths_mm[0]) & (depth < settings.depths_mm[1]) & (cost < settings.limit)
    inverse = 1.0 / np.maximum(depth, 1.0)
    # An inverse depth times this is a way along the epipolar line in pixels.
    scale = calibration.left.focal_px * calibration.baseline_mm
    plane = calibration.left.undistorted(left)
    expected = np.full(len(left), _common_inverse_depth(inverse, cost, possible, scale, settings))
    total, rows, columns = cost, none, none
    for turn in range(_ROUNDS):
        looser = (4.0, 2.0, 1.3, 1.0)[turn]
        off = scale * (inverse - expected[:, None]) / (looser * settings.smooth_px)
        total = np.where(possible, cost + off**2, _REFUSED)
        rows, columns = _assigned(total, settings.limit)
        if len(rows) < 4:
            break
        expected = _smooth(plane, rows, inverse[rows, columns], turn)
    chosen = total[rows, columns]
    others = total.copy()
    others[rows, columns] = np.inf
    rival = np.minimum(others.min(axis=1)[rows], others.min(axis=0)[columns]) if len(rows) else np.zeros(0)
    return EyeMatches(rows, columns, chosen, rival - chosen < 4.0)


def _common_inverse_depth(inverse: np.ndarray, cost: np.ndarray, possible: np.ndarray, scale: float,
                          settings: MatchSettings) -> float:
    """The one inverse depth at which most points find a partner."""
    far, near = 1 / settings.depths_mm[1], 1 / settings.depths_mm[0]
    best, best_score = 0.5 * (far + near), -1.0
    width = max(6.0 * settings.smooth_px, scale * (near - far) / _HYPOTHESES)
    for candidate in np.linspace(far, near, 2 * _HYPOTHESES):
        gain = np.where(possible, np.exp(-0.5 * (scale * (inverse - candidate) / width) ** 2 - 0.25 * cost), 0.0)
        score = float(gain.max(axis=1).sum() + gain.max(axis=0).sum())
        if score > best_score:
            best, best_score = float(candidate), score
    return best


def _assigned(total: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the cheapest one-to-one assignment in which staying alone costs ``limit`` per match."""
    rows, columns = total.shape
    square = np.full((rows + columns, rows + columns), 0.0)
    square[:rows, :columns] = np.minimum(total, _REFUSED)
    square[:rows, columns:] = 0.5 * limit
    square[rows:, :columns] = 0.5 * limit
    one, two = linear_sum_assignment(square)
    real = (one < rows) & (two < columns)
    one, two = one[real], two[real]
    good = total[one, two] < limit
    return one[good], two[good]


def _smooth(plane: np.ndarray, rows: np.ndarray, inverse: np.ndarray, turn: int) -> np.ndarray:
    """Inverse depth (n,) at all places (n, 2), robustly smoothed through the matched ones ``rows``."""
    x, y = plane[:, 0], plane[:, 1]
    columns = [np.ones(len(plane)), x, y]
    if turn >= 1 and len(rows) >= 9:
        columns += [x * x, x * y, y * y]
    basis = np.stack(columns, axis=1)
    weight = np.ones(len(rows))
    answer = np.zeros(basis.shape[1])
    for _ in range(6):
        answer = np.linalg.lstsq(basis[rows] * weight[:, None], inverse * weight, rcond=None)[0]
        off = np.abs(basis[rows] @ answer - inverse)
        spread = max(1.48 * float(np.median(off)), 1e-9)
        weight = np.sqrt(1 / (1 + (off / (2 * spread)) ** 2))
    return basis @ answer
