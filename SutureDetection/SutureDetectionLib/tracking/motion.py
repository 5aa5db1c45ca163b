"""How the picture moved from one frame to the next, told by points that were seen in both."""

import numpy as np

_ROUNDS = 5
_AFFINE_FROM = 6
_SIMILARITY_FROM = 3
_DOUBT_PX = 2.0
_TURNS_RAD = (0.0, 0.06, -0.06, 0.12, -0.12)


def moved_by(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (N, 2) under an affine map (2, 3)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def estimate_motion(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The affine map (2, 3) that brings points (N, 2) to their new places (N, 2), robust against wrong pairs.

    With few points a similarity or a shift is all that can be told; with none nothing moves. Weighted least squares,
    repeated with weights that fall with the distance (Cauchy).
    """
    count = len(before)
    if count == 0:
        return np.eye(2, 3)
    weights = np.ones(count)
    matrix = np.column_stack([np.eye(2), np.median(after - before, axis=0)])
    for _ in range(_ROUNDS):
        weights = 1.0 / (1.0 + (np.linalg.norm(moved_by(matrix, before) - after, axis=1) / _DOUBT_PX) ** 2)
        matrix = _fit(before, after, weights)
    return matrix


def find_motion(before: np.ndarray, after: np.ndarray, largest: float, tolerance: float) -> tuple[np.ndarray, int]:
    """The turn and shift, an affine map (2, 3), that lays most of points (N, 2) on points (M, 2), and how many.

    For when the picture moved while nothing could be seen. All shifts of one point onto another that are not longer
    than ``largest`` are tried, each with small turns about the middle.
    """
    middle = before.mean(axis=0)
    best, most = np.eye(2, 3), 0
    for turn in _TURNS_RAD:
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        turned = (before - middle) @ rotation.T + middle
        shifts = (after[None, :, :] - turned[:, None, :]).reshape(-1, 2)
        shifts = shifts[np.linalg.norm(shifts, axis=1) <= largest]
        shifts = shifts[np.argsort(np.linalg.norm(shifts, axis=1), kind="stable")]
        for shift in shifts:
            distance = np.linalg.norm((turned + shift)[:, None, :] - after[None, :, :], axis=2)
            hits = int((distance.min(axis=1) < tolerance).sum())
            if hits > most:
                best, most = np.column_stack([rotation, middle + shift - rotation @ middle]), hits
    return best, most


def _fit(before: np.ndarray, after: np.ndarray, weights: np.ndarray) -> np.ndarray:
    count = len(before)
    share = weights / weights.sum()
    if count < _SIMILARITY_FROM:
        return np.column_stack([np.eye(2), share @ (after - before)])
    first, second = share @ before, share @ after
    x, y = before - first, after - second
    if count < _AFFINE_FROM:
        # The best rotation with scale, written as a complex number.
        z, w = x[:, 0] + 1j * x[:, 1], y[:, 0] + 1j * y[:, 1]
        turn = (share @ (w * z.conj())) / max(float(share @ np.abs(z) ** 2), 1e-9)
        linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    else:
        spread = (x * share[:, None]).T @ x
        # A little stiffness, for points on a line.
        stiff = 1e-3 * np.trace(spread) * np.eye(2)
        linear = np.linalg.solve(spread + stiff, (x * share[:, None]).T @ y + stiff).T
    return np.column_stack([linear, second - linear @ first])
