"""What surrounds the vessel in a picture and stays put: body, textures, devices, fixtures."""

import numpy as np

from .anatomy import UPPER, Anatomy
from .body import line_integral
from .contrast import halved
from .devices import Device, device_shadow
from .instruments import fixture, tool
from .looks import Look
from .textures import layered_noise, resized, ridged_noise, smooth_noise


def background(anatomy: Anatomy, look: Look, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation (rows, columns) float32 of the patient without contrast and devices."""
    return textured(solid_shadow(anatomy, projection, shape), anatomy.family, look, shape)


def solid_shadow(anatomy: Anatomy, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation (rows / 2, columns / 2) float32 of bones and organs; blur and texture hide that it is coarse."""
    return line_integral(anatomy.body, halved(projection), (shape[0] // 2, shape[1] // 2))


def textured(solid: np.ndarray, family: str, look: Look, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation (rows, columns) float32 of a patient: the look's share of ``solid``, and its textures."""
    rng = np.random.default_rng([look.scene_seed, 12])
    image = look.body_gain * resized(solid, shape)
    size = shape[0]
    amount = look.texture_amount
    image += amount * 0.09 * layered_noise(rng, shape, 0.5 * size, 5, 0.62)
    if look.texture == "spline":
        image += amount * 0.035 * layered_noise(rng, shape, 0.05 * size, 3, 0.8)
    else:
        coarse = 0.09 if look.texture == "ridged" else 0.16
        image += amount * 0.14 * ridged_noise(rng, shape, coarse * size, 3)
    if family == UPPER:
        image += amount * 0.05 * ridged_noise(rng, shape, 0.06 * size, 2)
    elif look.gas_amount > 0:
        image -= look.gas_amount * _bowel_gas(rng, shape)
    return image


def _bowel_gas(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation missing where bowel holds gas: round bubbles with sharp walls, in patches."""
    size = shape[0]
    where = smooth_noise(rng, shape, 0.30 * size)
    bubbles = smooth_noise(rng, shape, 0.085 * size) + 0.9 * where
    folds = 1 + 0.25 * smooth_noise(rng, shape, 0.03 * size)
    return 0.42 * np.sqrt(np.clip(bubbles - 1.35, 0.0, 0.9)) * folds


def devices_of(anatomy: Anatomy, look: Look) -> list[Device]:
    """Tools and fixtures of a look, in the model's frame; the same for all views and frames of a case."""
    rng = np.random.default_rng([look.scene_seed, 13])
    devices = [tool(name, anatomy, rng) for name in look.tools]
    for name in look.fixtures:
        devices += fixture(name, anatomy, rng)
    return devices


def device_picture(
    anatomy: Anatomy, look: Look, projection: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation (rows, columns) float32 of devices and fixtures, and the mask of guidewires and catheters."""
    return device_shadow(devices_of(anatomy, look), projection, shape)
