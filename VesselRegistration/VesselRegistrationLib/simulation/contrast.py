"""How far contrast medium has run through a vessel tree, and its shadow."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from .anatomy import Anatomy
from .strokes import disc_sums, project_points
from .textures import resized, smooth_noise
from .tubes import arc_lengths

VISIBLE_FRACTION = 0.3
FAINTEST_PER_MM = 0.006


@dataclass(frozen=True)
class Filling:
    """One moment of an injection.

    ``per_mm`` is the attenuation that full contrast adds to blood, 1/mm (0.02 faint, 0.08 strong). Vessel between
    ``start_mm`` and ``front_mm`` from the inlet is filled, with soft ends ``softness_mm`` long. ``branch_factors``
    scales single branches (0 = not filled), by name. ``streaming`` is the relative unevenness of the mixture.
    """

    per_mm: float
    start_mm: float = -1000.0
    front_mm: float = 10000.0
    softness_mm: float = 12.0
    branch_factors: tuple[tuple[str, float], ...] = ()
    streaming: float = 0.0
    streaming_seed: int = 0


def branch_concentrations(anatomy: Anatomy, filling: Filling) -> list[np.ndarray]:
    """Share of full contrast (0 to 1) at every centreline point, one array per branch."""
    factors = dict(filling.branch_factors)
    shares = []
    for branch in anatomy.branches:
        place = branch.inlet_distance_mm + arc_lengths(branch.centreline)
        risen = _step((place - filling.start_mm) / filling.softness_mm)
        reached = _step((filling.front_mm - place) / filling.softness_mm)
        shares.append(risen * reached * factors.get(branch.name, 1.0))
    return shares


def concentration_image(
    anatomy: Anatomy, shares: list[np.ndarray], projection: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Mean share of full contrast (rows, columns) float32 along every ray inside the vessel; spread outside of it."""
    step = 2
    lines = np.concatenate([branch.centreline[::step] for branch in anatomy.branches])
    radii = np.concatenate([branch.radii[::step] for branch in anatomy.branches])
    share = np.concatenate([values[::step] for values in shares])
    pixels, scale = project_points(lines, projection)
    weight, valued = disc_sums(shape, pixels, (1.12 * radii + 0.8) * scale + 0.7, share)
    reach = max(2.0, 0.03 * max(shape))
    faint = 1e-3 * max(float(weight.max()), 1e-6)
    spread = gaussian_filter(valued, reach) / np.maximum(gaussian_filter(weight, reach), 1e-9)
    return ((valued + faint * spread) / (weight + faint)).astype(np.float32)


def contrast_shadow(
    anatomy: Anatomy, filling: Filling, projection: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation (rows, columns) float32 that the medium adds, and the mask (bool) an observer would outline.

    ``length`` (rows, columns) mm is the path length inside the whole vessel; ``projection`` (3, 4) belongs to it.
    """
    shape = length.shape
    if filling.per_mm == 0:
        return np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool)
    half = (shape[0] // 2, shape[1] // 2)
    share = concentration_image(anatomy, branch_concentrations(anatomy, filling), halved(projection), half)
    share = resized(share, shape)
    visible = share > max(VISIBLE_FRACTION, FAINTEST_PER_MM / max(filling.per_mm, 1e-9))
    if filling.streaming > 0:
        rng = np.random.default_rng(filling.streaming_seed)
        share = share * np.clip(1 + filling.streaming * smooth_noise(rng, shape, shape[0] / 14), 0.2, 2.0)
    return filling.per_mm * length * share, visible & (length > 0)


def halved(projection: np.ndarray) -> np.ndarray:
    """The projection (3, 4) onto half as many rows and columns over the same area."""
    return np.array([[0.5, 0.0, -0.25], [0.0, 0.5, -0.25], [0.0, 0.0, 1.0]]) @ projection


def _step(x: np.ndarray) -> np.ndarray:
    t = np.clip(0.5 * (x + 1), 0, 1)
    return t * t * (3 - 2 * t)
