"""The annulus as a closed smooth curve through stitch points in space, and distances along it."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.spatial import cKDTree
from VesselRegistrationLib.errors import UserError

FEWEST_POINTS = 6
WIDEST_GAP_DEG = 150.0
_KNOTS = 18
_SAMPLES = 1440
_ROUNDS = 8


@dataclass(frozen=True)
class AnnulusCurve:
    """``line`` (n + 1, 3) mm closed: the last point is the first. ``along_mm`` (n + 1,) is the way up to each.

    ``residual_mm`` (k,) are the distances of the points it was fitted to; ``used`` (k,) bool those not treated as
    outliers; ``gap_deg`` the widest angle, seen from the middle, without a point.
    """

    line: np.ndarray
    along_mm: np.ndarray
    residual_mm: np.ndarray
    used: np.ndarray
    gap_deg: float

    @property
    def length_mm(self) -> float:
        """Length once round."""
        return float(self.along_mm[-1])

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Way along the curve (n,) mm of the foot points of points (n, 3), and the distances (n,) to it."""
        index = cKDTree(self.line[:-1]).query(points)[1]
        best, way = np.full(len(points), np.inf), np.zeros(len(points))
        count = len(self.line) - 1
        for shift in (-1, 0):
            start = (index + shift) % count
            piece = self.line[start + 1] - self.line[start]
            share = np.einsum("ni,ni->n", points - self.line[start], piece) / np.einsum("ni,ni->n", piece, piece)
            share = np.clip(share, 0, 1)
            away = np.linalg.norm(points - self.line[start] - share[:, None] * piece, axis=1)
            better = away < best
            best = np.where(better, away, best)
            way = np.where(better, self.along_mm[start] + share * np.linalg.norm(piece, axis=1), way)
        return way % self.length_mm, best


@dataclass(frozen=True)
class StitchSpacing:
    """Points sorted along the curve: ``order`` (n,) indices, ``at_mm`` (n,) their ways, ``to_next_mm`` (n,) the gaps.

    The last gap closes the ring. ``widths_mm`` maps a pair id to the distance of its two points along the curve, the
    shorter way round.
    """

    order: np.ndarray
    at_mm: np.ndarray
    to_next_mm: np.ndarray
    widths_mm: dict[int, float]


def fit_annulus(points: np.ndarray, error_mm: np.ndarray | float = 0.5) -> AnnulusCurve:
    """Closed periodic cubic smoothing spline through points (n, 3) mm with expected errors ``error_mm`` (n,).

    Penalised least squares over the angle in the best plane; the smoothness is chosen by generalised cross-validation
    and points that stand out count less (Cauchy weights). Raises UserError for fewer than 6 points, for points in one
    line, or where more than 150 degrees of the ring have none.
    """
    points = np.asarray(points, dtype=float)
    if len(points) < FEWEST_POINTS:
        raise UserError(f"The annulus needs at least {FEWEST_POINTS} stitch points in space, but there are "
                        f"{len(points)}: use a frame that shows more of them.")
    angle = _angles(points)
    turned = np.sort(angle)
    gap = float(np.degrees(np.max(np.diff(np.append(turned, turned[0] + 2 * np.pi)))))
    if gap > WIDEST_GAP_DEG:
        raise UserError(f"The stitch points leave {gap:.0f} degrees of the ring free, so its course there would be a "
                        "guess: use a frame that shows more of the annulus.")
    expected = np.broadcast_to(np.asarray(error_mm, dtype=float), (len(points),))
    basis, penalty = _basis(angle), _penalty()
    base = 1 / np.maximum(expected, 0.05) ** 2
    weight, off = base, np.zeros(len(points))
    coefficients = np.zeros((_KNOTS, 3))
    for _ in range(_ROUNDS):
        coefficients = _smoothest(basis, penalty, weight, points)
        off = np.linalg.norm(basis @ coefficients - points, axis=1)
        scale = np.maximum(expected, 1.2 * float(np.median(off)))
        weight = base / (1 + (off / (2.0 * scale)) ** 2) ** 2
    line = _basis(np.linspace(-np.pi, np.pi, _SAMPLES + 1)) @ coefficients
    line[-1] = line[0]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    used = off < 3.5 * np.maximum(expected, 1.2 * float(np.median(off)))
    curve = AnnulusCurve(line, along, off, used, gap)
    return AnnulusCurve(line, along, curve.nearest(points)[1], used, gap)


def stitch_spacing(curve: AnnulusCurve, points: np.ndarray, pair_ids: np.ndarray | None = None) -> StitchSpacing:
    """Distances along the curve between points (n, 3), and within the pairs of ``pair_ids`` (n,) (< 0: none)."""
    way = curve.nearest(np.asarray(points, dtype=float))[0]
    order = np.argsort(way)
    at = way[order]
    to_next = np.diff(np.append(at, at[0] + curve.length_mm)) if len(at) else np.zeros(0)
    widths = {}
    for pair in np.unique(pair_ids[pair_ids >= 0]) if pair_ids is not None else ():
        both = way[pair_ids == pair]
        if len(both) == 2:
            apart = abs(float(both[0] - both[1]))
            widths[int(pair)] = min(apart, curve.length_mm - apart)
    return StitchSpacing(order, at, to_next, widths)


def _angles(points: np.ndarray) -> np.ndarray:
    """Angles (n,) -pi..pi about the middle in the plane that fits best."""
    centre = np.median(points, axis=0)
    _, sizes, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    if sizes[1] < 0.05 * sizes[0]:
        raise UserError("The stitch points lie in one line, which is no ring: use a frame that shows more of them.")
    flat = (points - centre) @ axes[:2].T
    # The middle of an ellipse through the points, which the median misses where stitches crowd on one side.
    x, y = flat.T
    form = np.linalg.lstsq(np.stack([x * x, x * y, y * y, x, y], axis=1), np.ones(len(x)) * 100.0, rcond=None)[0]
    a, b, c, d, e = form
    if 4 * a * c - b * b > 0:
        middle = np.linalg.solve([[2 * a, b], [b, 2 * c]], [-d, -e])
        low, high = flat.min(axis=0), flat.max(axis=0)
        if np.all(middle > low - 0.3 * (high - low)) and np.all(middle < high + 0.3 * (high - low)):
            flat = flat - middle
    return np.arctan2(flat[:, 1], flat[:, 0])


def _basis(angle: np.ndarray) -> np.ndarray:
    """Periodic uniform cubic B-splines (n, 18) at angles (n,)."""
    step = 2 * np.pi / _KNOTS
    knots = -np.pi + step * np.arange(-3, _KNOTS + 4)
    at = -np.pi + np.mod(angle + np.pi, 2 * np.pi)
    full = BSpline.design_matrix(at, knots, 3).toarray()
    wrapped = full[:, :_KNOTS].copy()
    wrapped[:, : full.shape[1] - _KNOTS] += full[:, _KNOTS:]
    return wrapped


def _penalty() -> np.ndarray:
    """Squared third differences (18, 18) round the ring: a circle or saddle costs little, wiggles cost much."""
    shifted = [np.roll(np.eye(_KNOTS), k, axis=1) for k in range(4)]
    third = shifted[3] - 3 * shifted[2] + 3 * shifted[1] - shifted[0]
    return third.T @ third


def _smoothest(basis: np.ndarray, penalty: np.ndarray, weight: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Coefficients (18, 3) at the smoothness with the least generalised cross-validation error."""
    gram = basis.T @ (weight[:, None] * basis)
    right = basis.T @ (weight[:, None] * points)
    best, best_score = np.zeros((_KNOTS, 3)), np.inf
    for strength in np.geomspace(1e-3, 1e4, 15) * np.trace(gram) / _KNOTS:
        system = gram + strength * penalty + 1e-9 * np.trace(gram) * np.eye(_KNOTS)
        coefficients = np.linalg.solve(system, right)
        freedom = float(np.trace(np.linalg.solve(system, gram)))
        # 1.4 instead of 1 guards against too wiggly curves on few points.
        spare = 1 - 1.4 * freedom / len(points)
        if spare <= 0.05:
            continue
        misfit = float(np.sum(weight[:, None] * (points - basis @ coefficients) ** 2)) / len(points)
        if misfit / spare**2 < best_score:
            best, best_score = coefficients, misfit / spare**2
    return best
