"""Round bars along curves, as X-ray shadows: how much of a bar every pixel's ray passes through."""

import numpy as np

_THIN = 2.0  # pixels; below, a half circle would be sampled too coarsely and look beaded
_NARROWEST = 1.05


def project_points(points: np.ndarray, projection: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 2) as (col, row) of points (n, 3) mm, and the magnification (n,) in pixels per mm at each."""
    homogeneous = points @ projection[:, :3].T + projection[:, 3]
    depth = homogeneous[:, 2]
    # The norm of the third row is 1 for a rigid projection, so K's scale over the depth is pixels per mm.
    scale = np.sqrt(abs(np.linalg.det(projection[:, :3])))
    return homogeneous[:, :2] / depth[:, None], scale / depth


def resample(line: np.ndarray, spacing: float, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """A polyline (n, d) resampled at equal steps, and per-point values (n,) along with it."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    count = int(np.clip(np.ceil(along[-1] / spacing), 1, 20000)) + 1
    at = np.linspace(0.0, along[-1], count)
    resampled = np.column_stack([np.interp(at, along, line[:, axis]) for axis in range(line.shape[1])])
    return (resampled, *(np.interp(at, along, np.broadcast_to(other, len(line))) for other in others))


def bar_shadow(
    shape: tuple[int, int], pixels: np.ndarray, radii: np.ndarray | float, values: np.ndarray | float = 1.0
) -> np.ndarray:
    """Shadow (rows, columns) float32 of a round bar: ``value`` on its axis, falling to 0 at its edge.

    ``pixels`` (n, 2) is its axis as (col, row), ``radii`` in pixels, ``values`` the thickness (any unit) on the axis.
    A bar that crosses itself does not add up.
    """
    line, radius, value = resample(np.asarray(pixels, dtype=float), max(0.4, 0.33 * float(np.min(radii))),
                                   np.asarray(radii, dtype=float), np.asarray(values, dtype=float))
    # Thin bars get a raised cosine of the same total and half width, which pixels sample without beads.
    thin = radius < _THIN
    drawn = np.where(thin, np.maximum(_NARROWEST, np.sqrt(3) * radius), radius)
    value = np.where(thin, 0.5 * np.pi * radius / drawn, 1.0) * value
    image = np.zeros(shape[0] * shape[1], dtype=np.float32)
    index, inside, square = _discs(shape, line, drawn)
    sample = np.nonzero(inside)[0]
    share = square[inside] / drawn[sample] ** 2
    profile = np.where(thin[sample], np.cos(0.5 * np.pi * np.sqrt(share)) ** 2, np.sqrt(1 - share))
    height = value[sample] * profile
    np.maximum.at(image, index[inside], height.astype(np.float32))
    return image.reshape(shape)


def disc_sums(
    shape: tuple[int, int], centres: np.ndarray, radii: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over balls of their chords, and of their chords times ``values``; both (rows, columns) float64.

    ``centres`` (n, 2) and ``radii`` (n,) in pixels, ``values`` (n,).
    """
    index, inside, square = _discs(shape, centres, radii)
    sample = np.nonzero(inside)[0]
    chord = np.sqrt(np.maximum(radii[sample] ** 2 - square[inside], 0.0))
    size = shape[0] * shape[1]
    weight = np.bincount(index[inside], weights=chord, minlength=size)
    valued = np.bincount(index[inside], weights=chord * values[sample], minlength=size)
    return weight.reshape(shape), valued.reshape(shape)


def _discs(shape: tuple[int, int], centres: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, ...]:
    """Pixels about every centre: flat index (n, k), whether it lies in image and disc (n, k), squared distance."""
    reach = int(np.ceil(radii.max())) + 1
    rows, cols = (part.ravel() for part in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    nearest = np.rint(centres).astype(int)
    col, row = nearest[:, :1] + cols, nearest[:, 1:] + rows
    square = (col - centres[:, :1]) ** 2 + (row - centres[:, 1:]) ** 2
    inside = (col >= 0) & (col < shape[1]) & (row >= 0) & (row < shape[0]) & (square < radii[:, None] ** 2)
    return row * shape[1] + col, inside, square
