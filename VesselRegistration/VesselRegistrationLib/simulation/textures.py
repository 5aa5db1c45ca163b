"""Smooth random fields and resizing, as products with small interpolation matrices (fast, no loops)."""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=256)
def _spline_weights(size: int, cells: int) -> np.ndarray:
    """Uniform cubic B-spline weights (size, cells + 3) of ``size`` samples across ``cells`` knots."""
    place = (np.arange(size) + 0.5) / size * cells
    knot = np.minimum(place.astype(int), cells - 1)
    t = place - knot
    values = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    weights = np.zeros((size, cells + 3), dtype=np.float32)
    np.put_along_axis(weights, knot[:, None] + np.arange(4), values.astype(np.float32), axis=1)
    return weights


@lru_cache(maxsize=64)
def _linear_weights(size: int, old: int) -> np.ndarray:
    """Bilinear weights (size, old) that keep pixel areas aligned."""
    place = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    low = np.minimum(place.astype(int), max(old - 2, 0))
    t = (place - low).astype(np.float32)
    weights = np.zeros((size, old), dtype=np.float32)
    weights[np.arange(size), low] = 1 - t
    weights[np.arange(size), np.minimum(low + 1, old - 1)] += t
    return weights


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> np.ndarray:
    """A smooth field (rows, columns) float32 of about unit variance; its features are ``cell`` pixels wide."""
    cells = tuple(max(1, round(n / cell)) for n in shape)
    knots = rng.standard_normal((cells[0] + 3, cells[1] + 3), dtype=np.float32)
    return 2.05 * (_spline_weights(shape[0], cells[0]) @ knots @ _spline_weights(shape[1], cells[1]).T)


def layered_noise(rng: np.random.Generator, shape: tuple[int, int], coarsest: float, layers: int,
                  persistence: float) -> np.ndarray:
    """Sum of smooth fields whose features halve from layer to layer, about unit variance."""
    total = np.zeros(shape, dtype=np.float32)
    weight, power = 1.0, 0.0
    for layer in range(layers):
        total += weight * smooth_noise(rng, shape, coarsest / 2**layer)
        power += weight**2
        weight *= persistence
    return total / np.sqrt(power)


def ridged_noise(rng: np.random.Generator, shape: tuple[int, int], coarsest: float, layers: int) -> np.ndarray:
    """A net of thin bright lines between 0 and 1, as of vessel markings or trabeculae."""
    total = np.zeros(shape, dtype=np.float32)
    for layer in range(layers):
        field = smooth_noise(rng, shape, coarsest / 1.8**layer)
        total = np.maximum(total, 0.75**layer * np.exp(-((field / 0.22) ** 2)))
    return total


def resized(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The image (rows, columns) on another number of pixels over the same area, bilinear, float32."""
    rows, columns = image.shape
    return _linear_weights(shape[0], rows) @ image.astype(np.float32) @ _linear_weights(shape[1], columns).T
