"""Masks that are wrong as segmentations are wrong, to a wanted Dice with the truth."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..matching.overlap import binary_overlap

_KINDS = ("branch", "far part", "gap", "blob", "wire")
_ATTEMPTS = 300
_MOST_WIRES = 4


@dataclass(frozen=True)
class Parts:
    """Silhouettes (K, rows, columns) bool of the branches and of the cells of a model, each alone."""

    branches: np.ndarray
    cells: np.ndarray


def spoiled(clean: np.ndarray, parts: Parts, band: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """A mask (rows, columns) bool whose Dice with ``clean`` lies within ``band``.

    Edges are rough to begin with, and drawn somewhat too wide or too narrow. Then branches and far parts go missing
    (seen only where nothing else lies behind), gaps are torn, and blobs and wires added, one after the other, in shares
    that differ from mask to mask, until the Dice is low enough. A fault that would overshoot is made smaller.
    """
    low, high = band
    mask = _rough_edges(clean, 1 - rng.uniform(0.1, 0.5) * (1 - high), rng)
    shares = rng.dirichlet(np.full(len(_KINDS), 0.8))
    left = {"branch": _Remaining(parts.branches), "far part": _Remaining(parts.cells)}
    scale = 1.0
    wires = 0
    for _ in range(_ATTEMPTS):
        if binary_overlap(mask, clean).dice <= high:
            break
        kind = _KINDS[rng.choice(len(_KINDS), p=shares)]
        if kind == "wire" and wires == _MOST_WIRES:
            kind = "blob"
        if kind in left:
            lost = left[kind].lose(rng)
            changed = mask & ~lost
            if binary_overlap(changed, clean).dice < low:
                left[kind].restore()
                continue
        else:
            changed = _locally_spoiled(kind, mask, scale, rng)
            if binary_overlap(changed, clean).dice < low:
                scale *= 0.8
                continue
        wires += kind == "wire"
        mask = changed
    return mask


class _Remaining:
    """Counts at every pixel the parts that are still there."""

    def __init__(self, parts: np.ndarray) -> None:
        self._parts = parts
        self._kept = list(range(len(parts)))
        self._last = -1

    def lose(self, rng: np.random.Generator) -> np.ndarray:
        """Pixels (rows, columns) bool that are empty once one more part is gone; the last part stays."""
        if len(self._kept) < 2:
            return np.zeros(self._parts.shape[1:], dtype=bool)
        self._last = self._kept.pop(int(rng.integers(len(self._kept))))
        return self._parts[self._last] & ~self._parts[self._kept].any(axis=0)

    def restore(self) -> None:
        """Put the part lost last back."""
        self._kept.append(self._last)


def _rough_edges(clean: np.ndarray, least_dice: float, rng: np.random.Generator) -> np.ndarray:
    size = max(clean.shape)
    signed = ndimage.distance_transform_edt(clean) - ndimage.distance_transform_edt(~clean)
    noise = ndimage.gaussian_filter(rng.normal(size=clean.shape), size * rng.uniform(0.008, 0.03))
    noise = (noise / noise.std() + rng.normal(scale=0.5)) * rng.uniform(0.002, 0.008) * size
    for _ in range(10):
        mask = signed + noise > 0
        if binary_overlap(mask, clean).dice >= least_dice:
            return mask
        noise *= 0.7
    return clean.copy()


def _locally_spoiled(kind: str, mask: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    rows, columns = mask.shape
    size = max(mask.shape)
    row, col = np.ogrid[:rows, :columns]
    if kind == "gap":
        if not mask.any():
            return mask
        middle = _some_pixel(mask, rng)
        radius = scale * rng.uniform(0.02, 0.08) * size
        return mask & ~((row - middle[0]) ** 2 + (col - middle[1]) ** 2 < radius**2)
    if kind == "blob":
        middle = rng.uniform(0, size, 2)
        if rng.random() < 0.5 and mask.any():  # what lies against the vessel misleads more than what lies apart
            middle = _some_pixel(mask, rng) + rng.normal(scale=0.06 * size, size=2)
        radii = scale * rng.uniform(0.015, 0.09, 2) * size
        return mask | (((row - middle[0]) / radii[0]) ** 2 + ((col - middle[1]) / radii[1]) ** 2 < 1)
    return mask | _wire(mask.shape, scale, rng)


def _some_pixel(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Row and column (2,) of a pixel inside the mask."""
    at = np.argwhere(mask)
    return at[rng.integers(len(at))]


def _wire(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
    """A bent line 3 to 7 pixels wide, bool (rows, columns)."""
    rows, columns = shape
    size = max(shape)
    along = np.linspace(0, 1, 4 * size)[:, None]
    start, bend, end = rng.uniform(0, size, (3, 2))
    end = start + (end - start) * scale
    wire = np.zeros(shape, dtype=bool)
    path = ((1 - along) ** 2 * start + 2 * along * (1 - along) * bend + along**2 * end).astype(int)
    path = path[((path >= 0) & (path < [rows, columns])).all(axis=1)]
    wire[path[:, 0], path[:, 1]] = True
    return ndimage.binary_dilation(wire, iterations=int(rng.integers(1, 4)))
