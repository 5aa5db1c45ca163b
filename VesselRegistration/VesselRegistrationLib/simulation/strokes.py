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
    radii = np.asarray(radii, dtype=float)
    stroke = _Stroke(shape, pixels, 0.33 * float(np.min(radii)), radii, np.asarray(values, dtype=float))
    return stroke.heights(*stroke.values).reshape(shape)


def shelled_bar_shadow(
    shape: tuple[int, int],
    pixels: np.ndarray,
    radii: np.ndarray | float,
    inner_radii: np.ndarray | float,
    values: np.ndarray | float,
    inner_values: np.ndarray | float,
    step: float = 0.33,
) -> np.ndarray:
    """Shadow (rows, columns) float32 of a bar less that of a thinner one inside of it, both as :func:`bar_shadow`'s.

    The bars are made of discs that follow each other by ``step`` of the inner radius.
    """
    radii, inner_radii = np.asarray(radii, dtype=float), np.asarray(inner_radii, dtype=float)
    stroke = _Stroke(shape, pixels, step * float(np.min(inner_radii)), radii, np.asarray(values, dtype=float),
                     inner_radii, np.asarray(inner_values, dtype=float))
    outer, thickness, inner, core = stroke.values
    return (stroke.heights(outer, thickness) - stroke.heights(inner, core)).reshape(shape)


class _Stroke:
    """The pixels about a line, found once for all bars along it."""

    def __init__(self, shape: tuple[int, int], pixels: np.ndarray, spacing: float, *values: np.ndarray) -> None:
        line, *resampled = resample(np.asarray(pixels, dtype=float), max(0.4, spacing), *values)
        widest = float(np.maximum(_NARROWEST, np.sqrt(3) * resampled[0]).max())
        inside = np.all((line > -widest) & (line < np.array(shape[::-1]) + widest), axis=1)
        line = line[inside]
        self.values = tuple(value[inside] for value in resampled)
        self._size = shape[0] * shape[1]
        index, near, square = _discs(shape, line, _drawn(self.values[0]))
        self._sample, which = np.nonzero(near)
        self._index, self._square = index[self._sample, which], square[self._sample, which]

    def heights(self, radius: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Height of a bar (rows * columns,) float32 with a radius in pixels and a height on the axis per sample."""
        image = np.zeros(self._size, dtype=np.float32)
        # Thin bars get a raised cosine of the same total and half width, which pixels sample without beads.
        thin, drawn = radius < _THIN, _drawn(radius)
        value = np.where(thin, 0.5 * np.pi * radius / drawn, 1.0) * value
        share = np.minimum(self._square / (drawn**2)[self._sample], 1.0)
        if thin.all():
            profile = np.cos(0.5 * np.pi * np.sqrt(share)) ** 2
        elif thin.any():
            profile = np.where(thin[self._sample], np.cos(0.5 * np.pi * np.sqrt(share)) ** 2, np.sqrt(1 - share))
        else:
            profile = np.sqrt(1 - share)
        np.maximum.at(image, self._index, (value[self._sample] * profile).astype(np.float32))
        return image


def _drawn(radius: np.ndarray) -> np.ndarray:
    return np.where(radius < _THIN, np.maximum(_NARROWEST, np.sqrt(3) * radius), radius)


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
    reach = int(np.ceil(radii.max(initial=0.0))) + 1
    rows, cols = (part.ravel() for part in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    nearest = np.rint(centres).astype(int)
    col, row = nearest[:, :1] + cols, nearest[:, 1:] + rows
    square = (col - centres[:, :1]) ** 2 + (row - centres[:, 1:]) ** 2
    inside = square < (radii**2)[:, None]
    if nearest.size and (nearest.min() < reach or np.any(nearest.max(axis=0) >= np.array(shape[::-1]) - reach)):
        inside &= (col >= 0) & (col < shape[1]) & (row >= 0) & (row < shape[0])
    return row * shape[1] + col, inside, square
