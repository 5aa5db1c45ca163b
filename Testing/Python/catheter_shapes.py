"""Curves drawn analytically, for the tests of the catheters: no part of the program draws them."""

import numpy as np
from scipy.spatial import cKDTree


def drawn(size, *curves, width=3.0, gaps=()):
    """Mask (size, size) bool of curves (n, 2) px (col, row): every pixel nearer than half a width to one of them.

    ``gaps`` are discs (col, row, radius) without mask.
    """
    row, col = np.indices((size, size))
    pixels = np.column_stack([col.ravel(), row.ravel()])
    mask = np.zeros(size * size, dtype=bool)
    for curve in curves:
        mask |= cKDTree(dense(curve)).query(pixels, distance_upper_bound=width)[0] <= width / 2
    for x, y, radius in gaps:
        mask &= np.hypot(pixels[:, 0] - x, pixels[:, 1] - y) > radius
    return mask.reshape(size, size)


def dense(curve):
    """The same polyline with points 0.1 px apart."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.arange(0.0, along[-1], 0.1)
    return np.column_stack([np.interp(at, along, curve[:, axis]) for axis in range(2)])


def line(start, end):
    """A straight line (n, 2)."""
    return np.linspace(start, end, 50)


def bow(start, end, height):
    """Half a sine wave of a given height from start to end, (n, 2)."""
    start, end = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    share = np.linspace(0.0, 1.0, 200)[:, None]
    ahead = end - start
    side = np.array([-ahead[1], ahead[0]]) / np.linalg.norm(ahead)
    return start + share * ahead + height * np.sin(np.pi * share) * side


def pigtail(start, knee, radius, turn, shrink=0.25):
    """A straight shaft from start to knee that ends in a spiral of ``turn`` rad, (n, 2), tip last."""
    start, knee = np.asarray(start, dtype=float), np.asarray(knee, dtype=float)
    ahead = (knee - start) / np.linalg.norm(knee - start)
    side = np.array([-ahead[1], ahead[0]])
    angle = np.linspace(0.0, turn, 200)[1:, None]
    size = radius * (1.0 - shrink * angle / turn)
    loop = knee + size * np.sin(angle) * ahead + (radius - size * np.cos(angle)) * side
    return np.concatenate([line(start, knee), loop])


def distances(points, curve):
    """Distance (n,) of points to a curve."""
    return cKDTree(dense(curve)).query(points)[0]
