"""Peaks of heat maps with sub-pixel positions that do not merge close points."""

import numpy as np

_FLOOR = 1e-6
_SAME_POINT_PX = 1.5


def local_maxima(heat: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns where ``heat`` (height, width) is at least ``threshold`` and the largest of its 3x3 window.

    Of equal neighbours the first one in reading order counts.
    """
    rows, columns = np.nonzero(heat >= threshold)
    padded = np.pad(heat, 1, constant_values=-np.inf)
    value = heat[rows, columns]
    is_peak = np.ones(len(rows), dtype=bool)
    for step_row, step_col in ((-1, -1), (-1, 0), (-1, 1), (0, -1)):
        is_peak &= value > padded[rows + 1 + step_row, columns + 1 + step_col]
        is_peak &= value >= padded[rows + 1 - step_row, columns + 1 - step_col]
    return rows[is_peak], columns[is_peak]


def heat_map_peaks(heat: np.ndarray, threshold: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Positions (N, 2) (col, row) px and heights (N,) of the peaks of a heat map (height, width), 0 to 1.

    A parabola through the logarithms of the maximum and its two neighbours gives the fraction of a pixel in each
    direction: exact for a Gaussian, and of use for all maps that fall on both sides.
    """
    rows, columns = local_maxima(heat, threshold)
    log = np.log(np.maximum(np.pad(heat, 1, mode="edge"), _FLOOR))
    middle = log[rows + 1, columns + 1]
    col = columns + _vertex(log[rows + 1, columns], middle, log[rows + 1, columns + 2])
    row = rows + _vertex(log[rows, columns + 1], middle, log[rows + 2, columns + 1])
    return np.column_stack([col, row]).astype(float), heat[rows, columns].astype(float)


def offset_peaks(heat: np.ndarray, offset: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Peaks of a coarse heat map whose cells also say where the nearest point is.

    ``heat`` (height, width) 0 to 1, ``offset`` (2, height, width), column and row in cells. Gives positions (N, 2)
    (col, row) in cells, heights (N,), and the peaks' cells (N, 2) (row, col). The cells around a peak vote with their
    heat, but only those that mean the same point; peaks that end at the same place are one.
    """
    rows, columns = local_maxima(heat, threshold)
    own = np.column_stack([columns + offset[0, rows, columns], rows + offset[1, rows, columns]])
    votes, weights = np.zeros_like(own, dtype=float), np.zeros(len(own))
    height, width = heat.shape
    for step_row in (-1, 0, 1):
        for step_col in (-1, 0, 1):
            near_row, near_col = rows + step_row, columns + step_col
            inside = (near_row >= 0) & (near_row < height) & (near_col >= 0) & (near_col < width)
            near_row, near_col = np.clip(near_row, 0, height - 1), np.clip(near_col, 0, width - 1)
            vote = np.column_stack([near_col + offset[0, near_row, near_col], near_row + offset[1, near_row, near_col]])
            same = inside & (np.hypot(*(vote - own).T) < 0.5)
            weight = np.where(same, heat[near_row, near_col], 0.0)
            votes += weight[:, None] * vote
            weights += weight
    positions = votes / np.maximum(weights, _FLOOR)[:, None]
    heights = heat[rows, columns].astype(float)
    kept = distinct(positions, heights, _SAME_POINT_PX / 2.0)
    return positions[kept], heights[kept], np.column_stack([rows, columns])[kept]


def distinct(positions: np.ndarray, heights: np.ndarray, distance: float) -> np.ndarray:
    """Indices of the points (N, 2) without a higher one nearer than ``distance``, highest first."""
    kept: list[int] = []
    for index in np.argsort(-heights, kind="stable"):
        if not kept or np.min(np.hypot(*(positions[kept] - positions[index]).T)) >= distance:
            kept.append(int(index))
    return np.array(kept, dtype=int)


def _vertex(before: np.ndarray, middle: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where the parabola through three values one apart is highest, from the middle one, -0.5 to 0.5."""
    bend = before - 2.0 * middle + after
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = 0.5 * (before - after) / bend
    return np.clip(np.where(bend < -1e-9, shift, 0.0), -0.5, 0.5)
