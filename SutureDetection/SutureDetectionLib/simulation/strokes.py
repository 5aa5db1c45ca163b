"""Smooth-edged strokes along polylines of varying width: which pixels they cover, and where on the stroke each is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Stroke:
    """Covered pixels of one stroke, each once: flat ``index`` (k,), ``cover`` 0..1, ``across`` -1..1 and ``part`` 0..1.

    ``along_px`` is the way from the start in pixels. Float32, but for ``index``.
    """

    index: np.ndarray
    cover: np.ndarray
    across: np.ndarray
    part: np.ndarray
    along_px: np.ndarray


def draw_strokes(shape: tuple[int, int], lines: list[np.ndarray], radii: list[np.ndarray]) -> list[Stroke]:
    """One :class:`Stroke` per polyline (n, 2) of (col, row) with radii (n,) pixels, all worked out in one go."""
    if not lines:
        return []
    segments = [_segments(line, radius) for line, radius in zip(lines, radii, strict=True)]
    owner = np.repeat(np.arange(len(lines)), [len(part) for part in segments])
    table = np.concatenate(segments).astype(np.float32)
    middle = 0.5 * (table[:, :2] + table[:, 2:4])
    reach = np.maximum(table[:, 4], table[:, 5])
    need = np.ceil(0.5 * np.hypot(table[:, 2] - table[:, 0], table[:, 3] - table[:, 1]) + reach + 1.5).astype(int)
    seen = np.all((middle > -need[:, None]) & (middle < np.array([shape[1], shape[0]]) + need[:, None]), axis=1)
    # Segments share a window with others of about their size, lest one thick stroke make all the windows large.
    classes = np.ceil(np.log(np.maximum(need, 4)) / np.log(1.35)).astype(int)
    classes[~seen] = -1
    found = [_covered(shape, table[classes == one], np.nonzero(classes == one)[0], int(need[classes == one].max()))
             for one in np.unique(classes[seen])]
    if not found:
        empty = np.zeros(0, dtype=np.float32)
        return [Stroke(np.zeros(0, dtype=np.int64), empty, empty, empty, empty) for _ in lines]
    which, index, distance, cover, across, part, along = (np.concatenate(values) for values in zip(*found, strict=True))
    sort = np.argsort(which, kind="stable")
    which, index, distance, cover, across, part, along = (
        values[sort] for values in (which, index, distance, cover, across, part, along))
    bounds = np.searchsorted(owner[which], np.arange(len(lines) + 1))
    scratch = np.zeros(shape[0] * shape[1], dtype=np.int32)
    result = []
    for low, high in pairwise(bounds):
        order = np.argsort(-distance[low:high]) + low
        scratch[index[order]] = order  # the nearest segment is written last and stays
        own = scratch[index[low:high]] == np.arange(low, high)
        kept = np.nonzero(own)[0] + low
        result.append(Stroke(index[kept], cover[kept], across[kept], part[kept], along[kept]))
    return result


def _covered(shape: tuple[int, int], table: np.ndarray, numbers: np.ndarray, window: int) -> tuple[np.ndarray, ...]:
    """Pixels that segments (m, 9) of :func:`_segments` cover, looked for in a window about each.

    Per pixel: which segment (of ``numbers``), flat index, distance, cover, across, part, along.
    """
    step = np.arange(-window, window + 1, dtype=np.int32)
    base = np.rint(0.5 * (table[:, :2] + table[:, 2:4])).astype(np.int32)
    col, row = base[:, 0, None, None] + step, base[:, 1, None, None] + step[:, None]
    x, y = (col - table[:, 0, None, None]).astype(np.float32), (row - table[:, 1, None, None]).astype(np.float32)
    dx, dy = table[:, 2] - table[:, 0], table[:, 3] - table[:, 1]
    square = np.maximum(dx * dx + dy * dy, 1e-6)
    t = x * (dx / square)[:, None, None] + y * (dy / square)[:, None, None]
    np.clip(t, 0.0, 1.0, out=t)
    x = x - t * dx[:, None, None]
    y = y - t * dy[:, None, None]
    far = x * x + y * y
    reach = (np.maximum(table[:, 4], table[:, 5]) + 0.5)[:, None, None] ** 2
    inside = (far < reach) & (col >= 0) & (col < shape[1]) & (row >= 0) & (row < shape[0])
    which, r, c = np.nonzero(inside)
    t, distance = t[inside], np.sqrt(far[inside])
    radius = table[which, 4] + t * (table[which, 5] - table[which, 4])
    cover = np.clip(radius + 0.5 - distance, 0.0, 1.0) * np.minimum(1.0, 2 * radius)
    side = np.sign(x[inside] * dy[which] - y[inside] * dx[which])
    across = np.clip(side * distance / np.maximum(radius, 0.4), -1, 1)
    index = (base[which, 1] + step[r]).astype(np.int64) * shape[1] + base[which, 0] + step[c]
    part = table[which, 6] + t * (table[which, 7] - table[which, 6])
    along = table[which, 8] + t * np.sqrt(square[which])
    return numbers[which], index, distance, cover, across, part, along


def _segments(line: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Even pieces (m, 9): start x, y, end x, y, radius at both, share of the whole way at both, way at the start."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    count = int(np.clip(np.ceil(way[-1] / max(5.0, 1.6 * float(np.max(radius)))), 1, 400))
    at = np.linspace(0.0, way[-1], count + 1)
    x, y, r = (np.interp(at, way, values) for values in (line[:, 0], line[:, 1], radius))
    share = at / max(way[-1], 1e-6)
    return np.stack([x[:-1], y[:-1], x[1:], y[1:], r[:-1], r[1:], share[:-1], share[1:], at[:-1]], axis=1)
