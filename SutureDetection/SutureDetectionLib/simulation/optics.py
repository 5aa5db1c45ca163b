"""From light to the recorded picture: smoke, bloom, vignette, blur, interlace, noise, sharpening, JPEG."""

import io

import numpy as np
from VesselRegistrationLib.simulation.textures import resized, smooth_noise

from .looks import Look
from .smoothing import soften


def record(rng: np.random.Generator, noise_rng: np.random.Generator, light: np.ndarray, look: Look) -> np.ndarray:
    """The picture (rows, columns, 3) uint8 RGB of linear light (rows, columns, 3) float32.

    ``rng`` draws what stays in a video (smoke), ``noise_rng`` what changes from frame to frame.
    """
    image = light * np.float32(look.exposure * 0.55 / max(float(np.quantile(light[::4, ::4].max(axis=2), 0.7)), 1e-3))
    image = _smoke_and_bloom(rng, image, look)
    image = _blur(image, look)
    np.maximum(image, 0.0, out=image)
    image /= 1 + 0.25 * image  # a soft shoulder
    image = np.power(image, np.float32(look.gamma))
    gray = (image @ np.full(3, 1 / 3, dtype=np.float32))[..., None]
    image = gray + np.float32(look.saturation) * (image - gray)
    if look.interlace_px:
        image = _interlaced(image, look.interlace_px)
    image = _with_noise(noise_rng, image, look)
    if look.sharpening:
        image += np.float32(look.sharpening) * (image - soften(image, 1.2, reach=2.0))
    if look.circle:
        image *= _disc(image.shape[:2])[..., None]
    picture = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return _compressed(picture, look.quality) if look.quality else picture


def _smoke_and_bloom(rng: np.random.Generator, image: np.ndarray, look: Look) -> np.ndarray:
    rows, columns, _ = image.shape
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None] - np.float32(rng.normal(0, 0.15))
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None] - np.float32(rng.normal(0, 0.15))
    image = image * (1 / (1 + np.float32(look.vignette) * (x * x + 0.6 * y * y)) ** 2)[..., None]
    if look.bloom > 0.05:
        quarter = np.maximum(image[: rows // 4 * 4, : columns // 4 * 4].reshape(rows // 4, 4, columns // 4, 4, 3)
                             .mean(axis=(1, 3)) - 0.7, 0).mean(axis=2)
        halo = soften(quarter, 2.5)
        image += np.float32(look.bloom) * resized(halo, (rows, columns))[..., None]
    if look.smoke:
        cloud = np.float32(look.smoke) * np.clip(0.7 + 0.5 * smooth_noise(rng, (rows, columns), 0.3 * columns), 0, 1.6)
        image *= (1 - 0.6 * cloud)[..., None]
        image += (0.6 * cloud)[..., None] * np.array([0.9, 0.92, 0.95], dtype=np.float32)
    return image


def _blur(image: np.ndarray, look: Look) -> np.ndarray:
    image = soften(image, look.defocus_px)
    if look.motion_px:
        # Whole-pixel copies, as many on either side: the blur does not move anything.
        half = max(1, round(look.motion_px / 2))
        total = image.copy()
        for step in range(1, half + 1):
            shift = (round(step * np.sin(look.motion_angle)), round(step * np.cos(look.motion_angle)))
            total += np.roll(image, shift, axis=(0, 1)) + np.roll(image, (-shift[0], -shift[1]), axis=(0, 1))
        image = total / np.float32(2 * half + 1)
    return image


def _interlaced(image: np.ndarray, shift: float) -> np.ndarray:
    """Two fields taken one after the other: odd rows half a shift to the right, even rows half to the left."""
    columns = image.shape[1]
    result = np.empty_like(image)
    for field, sign in ((0, -0.5), (1, 0.5)):
        at = np.clip(np.arange(columns) - sign * shift, 0, columns - 1.001)
        low = at.astype(int)
        part = (at - low).astype(np.float32)[None, :, None]
        rows = image[field::2]
        result[field::2] = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return result


def _with_noise(rng: np.random.Generator, image: np.ndarray, look: Look) -> np.ndarray:
    rows, columns, _ = image.shape
    gray = rng.standard_normal((rows, columns, 1), dtype=np.float32)
    colour = rng.standard_normal((rows // 2 + 1, columns // 2 + 1, 3), dtype=np.float32)
    colour = np.repeat(np.repeat(colour, 2, axis=0), 2, axis=1)[:rows, :columns]
    grain = 0.8 * gray + 0.6 * colour
    if look.noise_cell > 0.3:
        sigma = 0.4 * look.noise_cell
        grain = soften(grain, sigma, reach=2.0)
        grain *= np.float32(1 + 1.2 * sigma)
    return image + np.float32(look.noise) * (1.3 - 0.6 * image) * grain


def _disc(shape: tuple[int, int]) -> np.ndarray:
    """The round field of an endoscope, wider than high, with a soft edge."""
    rows, columns = shape
    y = (np.arange(rows, dtype=np.float32) - 0.5 * rows)[:, None]
    x = (np.arange(columns, dtype=np.float32) - 0.5 * columns)[None]
    return np.clip((0.49 * columns - np.hypot(x, y)) / 2.0, 0, 1)


def _compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
