"""One simulated X-ray picture with its truth."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from ..geometry.carm import CArmView
from ..projection.rasterizer import path_length
from .anatomy import Anatomy
from .arteries import artery_shadow
from .contrast import contrast_shadow
from .detector import DARKEST, collimator, expose, moved, to_attenuation
from .looks import Look
from .scenery import background, device_picture
from .textures import resized
from .vendor import displayed, undeclared_border


@dataclass(frozen=True)
class SimulatedFrame:
    """A picture and its truth, all (rows, columns).

    ``attenuation`` float32 in -ln units of the brightest level, larger = more attenuation (an inverted look apart).
    ``vessel_mask`` bool: the vessel as far as contrast shows it. ``device_mask`` bool: guidewires and catheters.
    ``usable`` bool: False behind the collimator. ``silhouette`` bool: the whole vessel model, filled or not.
    """

    attenuation: np.ndarray
    vessel_mask: np.ndarray
    device_mask: np.ndarray
    usable: np.ndarray
    silhouette: np.ndarray


@dataclass(frozen=True)
class Scene:
    """What does not change from frame to frame of a cine, all (rows, columns).

    ``scenery`` float32: attenuation of patient and devices. ``length`` float32: mm inside the whole vessel.
    """

    scenery: np.ndarray
    length: np.ndarray
    device_mask: np.ndarray
    usable: np.ndarray


def set_scene(anatomy: Anatomy, view: CArmView, model_to_world: np.ndarray, look: Look) -> Scene:
    """Everything of a look but contrast and noise, for an anatomy at a pose (4x4, model RAS mm to world mm)."""
    shape = (view.rows, view.columns)
    projection = view.projection_matrix @ model_to_world
    devices, device_mask = device_picture(anatomy, look, projection, shape)
    usable = collimator(np.random.default_rng([look.scene_seed, 14]), shape, look.collimation)
    return Scene(background(anatomy, look, projection, shape) + devices, path_length(anatomy.model, projection, shape),
                 device_mask, usable)


def simulate_frame(
    anatomy: Anatomy, view: CArmView, model_to_world: np.ndarray, rng: np.random.Generator, look: Look
) -> SimulatedFrame:
    """The picture of an anatomy at a pose (4x4, model RAS mm to world mm) in a view.

    ``rng`` drives noise and motion only; all else follows from the look, so frames of one cine share their scenery.
    """
    scene = set_scene(anatomy, view, model_to_world, look)
    contrast, mask = injected(anatomy, look, view.projection_matrix @ model_to_world, scene.length)
    return picture(scene, contrast, mask, rng, look)


def injected(
    anatomy: Anatomy, look: Look, projection: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the look's injection fills: attenuation (rows, columns) float32 and the mask (bool) of it.

    ``length`` (rows, columns) mm inside the anatomy's own vessels, ``projection`` (3, 4) that it belongs to.
    """
    if look.thin_vessels:
        return artery_shadow(anatomy, look.filling, look.scene_seed, projection, length.shape)
    return contrast_shadow(anatomy, look.filling, projection, length)


def picture(
    scene: Scene, contrast: np.ndarray, mask: np.ndarray, rng: np.random.Generator, look: Look,
    before: np.ndarray | None = None,
) -> SimulatedFrame:
    """A scene with contrast (rows, columns; -ln units) and its ``mask`` as the detector sees it.

    ``before`` is the contrast of the frame before, of which lag leaves a share.
    """
    shown = scene.usable & undeclared_border(look, scene.usable.shape)
    devices = np.zeros_like(shown) if look.subtracted else shown  # subtraction removes what stays put
    attenuation = observe(scene.scenery, contrast, scene.usable, rng, look, before=before)
    return SimulatedFrame(attenuation, mask & shown, scene.device_mask & devices, scene.usable, scene.length > 0)


def observe(
    scenery: np.ndarray,
    contrast: np.ndarray,
    usable: np.ndarray,
    rng: np.random.Generator,
    look: Look,
    *,
    moving: np.ndarray | None = None,
    before: np.ndarray | None = None,
) -> np.ndarray:
    """What the detector and the vendor's processing make of line integrals (rows, columns): attenuation float32.

    ``scenery`` stays put, so that subtraction removes it. ``moving`` is of things that were elsewhere when the mask
    was taken; ``before`` what was there in the frame before in place of contrast and moving things.
    """

    def detect(line_integrals: np.ndarray) -> np.ndarray:
        return expose(line_integrals, usable, rng, photons=look.photons, scatter=look.scatter, blur_px=look.blur_px,
                      electronic=look.electronic, noise_blur_px=look.noise_blur_px)

    live = np.zeros_like(contrast) if look.roadmap else contrast
    now = live if moving is None else live + moving
    intensity = detect(scenery + now)
    if look.lag > 0:
        intensity = (1 - look.lag) * intensity + look.lag * detect(scenery + (now if before is None else before))
    seen = to_attenuation(intensity)
    if look.subtracted:
        mask = scenery + contrast if look.roadmap else scenery
        seen = np.where(usable, seen - to_attenuation(detect(moved(mask, rng, look.motion_px))), 0.0)
    else:
        seen = np.clip(processed(seen, usable, look), -0.5, DARKEST)
    return displayed(seen.astype(np.float32), usable, look)


def processed(attenuation: np.ndarray, usable: np.ndarray, look: Look) -> np.ndarray:
    """Vendor processing: flattened large structures and sharpened edges, on the usable part only."""
    image = attenuation
    if look.compression > 0:
        small = tuple(max(8, n // 8) for n in image.shape)
        level = float(np.median(image[usable]))
        coarse = gaussian_filter(resized(np.where(usable, image, level), small), 0.09 * small[0], mode="nearest")
        image = image - look.compression * (resized(coarse, image.shape) - level)
    if look.sharpening > 0:
        filled = np.where(usable, image, float(np.median(image[usable])))
        image = image + look.sharpening * (filled - gaussian_filter(filled, 0.006 * image.shape[0] + 0.6))
    return np.where(usable, image, attenuation)
