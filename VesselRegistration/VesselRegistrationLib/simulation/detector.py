"""From line integrals to what a flat detector reads: scatter, blur, quantum and electronic noise, collimator."""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from .textures import resized, smooth_noise

DARKEST = 6.5
_MANY_PHOTONS = 50.0


def expose(
    attenuation: np.ndarray,
    usable: np.ndarray,
    rng: np.random.Generator,
    *,
    photons: float,
    scatter: float,
    blur_px: float,
    electronic: float,
    noise_blur_px: float = 0.0,
) -> np.ndarray:
    """Detected intensity (rows, columns) float32 as a share of the brightest unattenuated-like level.

    ``photons`` reach a pixel of median attenuation; ``scatter`` is the scatter-to-primary ratio there; ``electronic``
    the standard deviation of the read-out in photons. Behind the collimator (not ``usable``) only scatter arrives.
    """
    sparse = usable[::2, ::2]  # a quarter of the pixels tells quantiles well enough
    if not sparse.any():
        sparse = np.ones_like(sparse)
    reference = np.float32(np.quantile(attenuation[::2, ::2][sparse], 0.02)) if usable.any() else np.float32(0)
    primary = np.exp(-np.clip(attenuation - reference, -1.5, 12), dtype=np.float32)
    primary *= np.where(usable, np.float32(1), np.float32(0.004))
    small = (max(8, attenuation.shape[0] // 8), max(8, attenuation.shape[1] // 8))
    spread = resized(gaussian_filter(resized(primary, small), 0.11 * small[0], mode="nearest"), attenuation.shape)
    spread *= np.where(usable, np.float32(scatter), np.float32(0.05 * scatter))
    intensity = gaussian_filter(primary, blur_px, mode="nearest") if blur_px > 0.2 else primary
    intensity = intensity + spread
    middle = float(np.median(intensity[::2, ::2][sparse])) if usable.any() else 1.0
    gain = photons / middle
    counts = noisy_counts(np.minimum(intensity * np.float32(gain), 1e7), rng, electronic)
    if noise_blur_px > 0:
        counts = gaussian_filter(counts, noise_blur_px, mode="nearest")
    return np.maximum(counts / np.float32(gain), np.float32(np.exp(-DARKEST)))


def noisy_counts(mean: np.ndarray, rng: np.random.Generator, electronic: float) -> np.ndarray:
    """Photons counted (rows, columns) float32 where ``mean`` are expected, with electronic noise of the read-out.

    From 50 photons on a normal distribution stands in for Poisson's.
    """
    few = mean < _MANY_PHOTONS
    spread = np.where(few, np.float32(electronic), np.sqrt(mean + np.float32(electronic) ** 2))
    counts = mean + spread * rng.standard_normal(mean.shape, dtype=np.float32)
    if few.any():
        counts[few] += rng.poisson(mean[few]) - mean[few]
    return counts


def to_attenuation(intensity: np.ndarray) -> np.ndarray:
    """-ln of the intensity, float32."""
    return -np.log(intensity)


def collimator(rng: np.random.Generator, shape: tuple[int, int], kind: str) -> np.ndarray:
    """Usable pixels (rows, columns) bool for a collimator: none, straight, tilted, iris, octagon."""
    rows, columns = shape
    row, col = np.ogrid[:rows, :columns]
    v, u = (row + 0.5) / rows * 2 - 1, (col + 0.5) / columns * 2 - 1
    usable = np.ones(shape, dtype=bool)
    if kind in ("straight", "octagon"):
        low, high = 1 - rng.uniform(0.0, 0.30, size=2) * rng.integers(0, 2, size=2), rng.uniform(0.85, 1.0, size=2)
        usable &= (u > -low[0]) & (u < high[0]) & (v > -low[1]) & (v < high[1])
    if kind == "tilted":
        for _ in range(int(rng.integers(1, 3))):
            angle = rng.uniform(0, 2 * np.pi)
            usable &= u * np.cos(angle) + v * np.sin(angle) < rng.uniform(0.75, 1.1)
    if kind == "iris":
        usable &= u**2 + v**2 < rng.uniform(0.92, 1.12) ** 2
    if kind == "octagon":
        usable &= np.abs(u) + np.abs(v) < rng.uniform(1.35, 1.7)
    return usable


def moved(image: np.ndarray, rng: np.random.Generator, amount_px: float) -> np.ndarray:
    """The image after a small smooth motion, as between the mask and the contrast frame of a subtraction."""
    shape = image.shape
    shift = rng.normal(0.0, amount_px, size=2)
    rows, cols = np.indices(shape, dtype=np.float32)
    rows = rows + shift[0] + 0.5 * amount_px * smooth_noise(rng, shape, shape[0] / 3)
    cols = cols + shift[1] + 0.5 * amount_px * smooth_noise(rng, shape, shape[1] / 3)
    return map_coordinates(image, [rows, cols], order=1, mode="nearest")
