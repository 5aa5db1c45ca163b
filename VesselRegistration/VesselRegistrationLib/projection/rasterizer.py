"""Silhouette and path length of a triangle mesh, by scan conversion of its projected triangles.

Every triangle is cut into the pixel rows it crosses, and every cut is an interval of columns. Intervals are half open
and edges are evaluated from the same end, so neighbouring triangles share no pixel and leave no gap. A silhouette
only counts where intervals begin and end; no pixel is visited twice. Needs numpy alone, no display and no OpenGL.
"""

from dataclasses import dataclass

import numpy as np

from ..mesh.surface import SurfaceModel

_NEAREST_DEPTH = 1e-6


@dataclass(frozen=True)
class _Spans:
    """Intervals of columns ``start <= col < end`` on pixel rows, all (K,), and the triangle each one comes from."""

    row: np.ndarray
    start: np.ndarray
    end: np.ndarray
    triangle: np.ndarray


def silhouette(model: SurfaceModel, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose ray through the pixel centre meets the model.

    ``projection`` (3, 4) maps model RAS mm to (col, row, 1) times the depth; ``shape`` is (rows, columns). Returns bool
    (rows, columns). Parts beside the image are cut off; triangles that reach behind the source are left out. The
    orientation of the triangles does not matter.
    """
    pixels, depths = _project(model.vertices, projection)
    spans = _scan(pixels, model.triangles, depths, shape)
    rows, columns = shape
    width = columns + 1
    size = rows * width
    changes = np.bincount(spans.row * width + spans.start, minlength=size)
    changes -= np.bincount(spans.row * width + spans.end, minlength=size)
    return np.cumsum(changes.reshape(rows, width), axis=1)[:, :columns] > 0


def path_length(model: SurfaceModel, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Length inside the model of the ray through every pixel centre, float32 (rows, columns), mm.

    Arguments as for :func:`silhouette`; ``projection`` has to be rigid up to its intrinsics for the result to be in
    mm. The mesh must be closed and oriented outward: the length is the sum of the distances from the source at which
    the ray leaves minus those at which it enters.
    """
    rows, columns = shape
    pixels, depths = _project(model.vertices, projection)
    spans = _scan(pixels, model.triangles, depths, shape)
    # 1/depth is affine over a projected triangle, so it is enough to know it at both ends of an interval.
    corners = model.triangles[spans.triangle]
    a, b, c = (pixels[corners[:, k]] for k in range(3))
    double_area = _cross(b - a, c - a)
    inverse = 1.0 / depths[corners]
    to_b, to_c = inverse[:, 1] - inverse[:, 0], inverse[:, 2] - inverse[:, 0]
    lowest, highest = inverse.min(axis=1), inverse.max(axis=1)
    ends = []
    for col in (spans.start, spans.end - 1):
        point = np.column_stack([col, spans.row]) - a
        value = inverse[:, 0] + (_cross(point, c - a) * to_b + _cross(b - a, point) * to_c) / double_area
        ends.append(np.clip(value, lowest, highest))

    length = spans.end - spans.start
    first = np.cumsum(length) - length
    number = np.arange(int(length.sum()))
    pixel = np.repeat(spans.row * columns + spans.start - first, length) + number
    # Seen from the source an outward triangle runs clockwise in (col, row) of a camera that does not mirror.
    leaves = np.sign(double_area) * np.sign(np.linalg.det(projection[:, :3]))
    step = leaves * (ends[1] - ends[0]) / np.maximum(length - 1, 1)
    inverse_depth = np.repeat(leaves * ends[0] - step * first, length) + np.repeat(step, length) * number
    total = np.bincount(pixel, weights=1.0 / inverse_depth, minlength=rows * columns)
    return np.maximum(total.reshape(shape) * _ray_length_per_depth(projection, shape), 0).astype(np.float32)


def _project(vertices: np.ndarray, projection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Column by column: waking BLAS threads for so thin a matrix takes longer than everything else on a busy machine.
    x, y, z = vertices.T
    col, row, depths = (a * x + b * y + c * z + d for a, b, c, d in projection)
    return np.column_stack([col, row]) / np.where(depths > _NEAREST_DEPTH, depths, np.inf)[:, None], depths


def _scan(pixels: np.ndarray, triangles: np.ndarray, depths: np.ndarray, shape: tuple[int, int]) -> _Spans:
    """Cut projected triangles (vertices (N, 2) as (col, row)) into intervals on pixel rows inside the image."""
    rows, columns = shape
    x, y = np.ascontiguousarray(pixels[:, 0]), np.ascontiguousarray(pixels[:, 1])
    below = np.ceil(np.clip(y, 0, rows)).astype(np.int32)  # the first row not above each vertex
    corners = [np.ascontiguousarray(triangles[:, k]) for k in range(3)]
    top, middle, bottom = (below[corner] for corner in corners)
    first = np.minimum(np.minimum(top, middle), bottom)
    count = np.maximum(np.maximum(top, middle), bottom) - first
    if depths.min(initial=1.0) <= _NEAREST_DEPTH:
        count[(depths[triangles] <= _NEAREST_DEPTH).any(axis=1)] = 0
    crossing = np.flatnonzero(count)
    count = count[crossing]
    triangle = np.repeat(crossing, count)
    row = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count - first[crossing], count)

    left = np.full(len(triangle), np.inf)
    right = np.full(len(triangle), -np.inf)
    ends = [corner[triangle] for corner in corners]
    for one, other in ((0, 1), (1, 2), (2, 0)):
        crosses = np.flatnonzero((below[ends[one]] <= row) != (below[ends[other]] <= row))
        p, q = ends[one][crosses], ends[other][crosses]
        # Both triangles of an edge must find the same column: start from the same end.
        p, q = np.minimum(p, q), np.maximum(p, q)
        at = x[p] + (row[crosses] - y[p]) * ((x[q] - x[p]) / (y[q] - y[p]))
        left[crosses] = np.minimum(left[crosses], at)
        right[crosses] = np.maximum(right[crosses], at)
    start = np.ceil(np.clip(left, 0, columns)).astype(np.int64)
    end = np.ceil(np.clip(right, 0, columns)).astype(np.int64)
    keep = start < end
    return _Spans(row[keep], start[keep], end[keep], triangle[keep])


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _ray_length_per_depth(projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Millimetres along each pixel's ray for one millimetre of depth, (rows, columns)."""
    row, col = np.ogrid[:shape[0], :shape[1]]
    x, y, z = (a * col + b * row + c for a, b, c in np.linalg.inv(projection[:, :3]))
    return np.sqrt(x**2 + y**2 + z**2)
