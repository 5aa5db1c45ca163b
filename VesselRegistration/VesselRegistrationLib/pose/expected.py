"""The error in space that a pose's covariance lets expect."""

import numpy as np

_DRAWS = 400
_TARGETS = 60


def mtre_interval_mm(covariance: np.ndarray, points: np.ndarray) -> tuple[float, float]:
    """5 % and 95 % quantile of the mean target registration error over placed points (N, 3), world mm.

    ``covariance`` (6, 6) is of a small twist about the points' mean: rotation vector (rad), then translation (mm), as
    in ``PoseConfidence``. The draws are the same every time.
    """
    targets = points[:: max(1, len(points) // _TARGETS)] - points.mean(axis=0)
    values, axes = np.linalg.eigh(0.5 * (covariance + covariance.T))
    root = axes * np.sqrt(np.maximum(values, 0.0))
    twists = np.random.default_rng(0).standard_normal((_DRAWS, 6)) @ root.T
    moved = np.cross(twists[:, None, :3], targets[None]) + twists[:, None, 3:]
    low, high = np.percentile(np.linalg.norm(moved, axis=2).mean(axis=1), [5.0, 95.0])
    return float(low), float(high)
