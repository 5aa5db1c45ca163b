"""Courses that catheters and guidewires take across a picture, and the shapes of their ends."""

import numpy as np
from scipy.interpolate import BSpline

from .textures import smooth_noise
from .tubes import tangents

STEP_MM = 6.0
_SHARPEST_TURN = 0.55  # rad between neighbouring legs of a control polygon
_SAMPLES_PER_STEP = 8


def bounded_spline(
    rng: np.random.Generator,
    tip: np.ndarray,
    heading: float,
    target: np.ndarray,
    tightest_mm: float,
    reach_mm: float,
) -> np.ndarray:
    """A plane cubic B-spline (n, 2) mm from ``tip`` (2,) towards ``target`` (2,) and on for up to ``reach_mm``.

    It starts along ``heading`` (rad), wanders, and its radius of curvature stays above ``tightest_mm``: the legs of
    the control polygon are equally long and turn by a bounded angle, and the spline is never bent more than they are.
    """
    count = max(6, int(reach_mm / STEP_MM))
    most = min(_SHARPEST_TURN, 0.85 * STEP_MM / tightest_mm)
    wander = smooth_noise(rng, (1, count), rng.uniform(3.0, 12.0))[0] * rng.uniform(0.1, 0.7) * most
    points = np.empty((count + 1, 2))
    points[0] = tip
    for number in range(count):
        towards = target - points[number]
        off = np.arctan2(towards[1], towards[0]) - heading
        off = (off + np.pi) % (2 * np.pi) - np.pi
        if np.hypot(*towards) < 3 * STEP_MM:
            off = 0.0  # the target is reached: keep going
        heading += float(np.clip(0.25 * off + wander[number], -most, most))
        points[number + 1] = points[number] + STEP_MM * np.array([np.cos(heading), np.sin(heading)])
    return uniform_b_spline(points)


def uniform_b_spline(points: np.ndarray) -> np.ndarray:
    """The uniform cubic B-spline (n, d) of a control polygon (k, d); it begins and ends at the polygon's ends."""
    ends = [2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]]
    control = np.concatenate(ends)
    knots = np.arange(len(control) + 4, dtype=float)
    at = np.linspace(3.0, len(control), _SAMPLES_PER_STEP * (len(points) - 1) + 1)
    return BSpline(knots, control, 3)(at)


def with_arc(
    line: np.ndarray, rng: np.random.Generator, radius_mm: float, angle: float, straight_mm: float = 0.0
) -> np.ndarray:
    """A line (n, 3) mm with an arc at its end, in a random plane, and a straight piece after it."""
    ahead = tangents(line)[-1]
    side = np.cross(ahead, rng.normal(size=3))
    side /= np.linalg.norm(side)
    turn = np.linspace(0.0, angle, max(6, int(radius_mm * angle)))[1:, None]
    arc = line[-1] + radius_mm * (np.sin(turn) * ahead + (1 - np.cos(turn)) * side)
    parts = [line, arc]
    if straight_mm > 0:
        out = np.cos(angle) * ahead + np.sin(angle) * side
        parts.append(arc[-1] + np.arange(1.0, straight_mm + 1.0)[:, None] * out)
    return np.concatenate(parts)
