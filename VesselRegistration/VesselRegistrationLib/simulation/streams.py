"""Endless seeded examples for training: pictures with masks, and pairs of silhouettes."""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from ..projection.rasterizer import silhouette
from .anatomy import FAMILIES, Anatomy, build_anatomy
from .arteries import THIN_VESSEL_FIELD, tree_centre
from .contrast import branch_concentrations, concentration_image
from .devices import device_shadow
from .domains import TEST, TRAINING, domain_named
from .exposure import aimed, initial_pose, narrowed, random_view, true_pose
from .fluoroscopy import simulate_frame
from .looks import sample_filling, sample_look
from .scenery import devices_of
from .textures import smooth_noise

TRAINING_POOL = 150
FIRST_TEST_SEED = 1000
_HELD_OUT_POOL = 60


def anatomy_seed(seed: int, domain: str) -> int:
    """Which anatomy an example uses: one of 150 to learn from, one never learnt from for any other domain."""
    if domain_named(domain).learnt_from:
        return seed % TRAINING_POOL
    return FIRST_TEST_SEED + (seed if domain == TEST else seed % _HELD_OUT_POOL)


@lru_cache(maxsize=2 * TRAINING_POOL)
def cached_anatomy(family: str, seed: int) -> Anatomy:
    """:func:`.anatomy.build_anatomy`, remembered (the example streams come back to the same anatomies)."""
    return build_anatomy(family, seed)


def training_frame(
    family: str, seed: int, size: int = 256, domain: str = TRAINING
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One picture for the segmentation networks: attenuation float32, vessel mask, device mask, usable (all bool).

    All (size, size); the same for the same arguments.
    """
    rng = np.random.default_rng([seed, FAMILIES.index(family), 21])
    anatomy = cached_anatomy(family, anatomy_seed(seed, domain))
    view = random_view(family, rng, size)
    pose = true_pose(anatomy.model.centre, rng)
    look = sample_look(rng, domain, anatomy)
    if look.thin_vessels:
        pose = aimed(pose, anatomy.model.centre, tree_centre(anatomy))
        view = narrowed(view, rng.uniform(*THIN_VESSEL_FIELD))
    frame = simulate_frame(anatomy, view, pose, rng, look)
    return frame.attenuation, frame.vessel_mask, frame.device_mask, frame.usable


def matching_pair(
    family: str, seed: int, size: int = 256, domain: str = TRAINING
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One pair for the matching network: silhouette at the initial pose, spoilt one at the true pose, clean true one.

    All (size, size) float32 of 0 and 1. Spoilt as segmentations are: branches and far ends missing, false blobs and
    wires, rough edges. The same for the same arguments.
    """
    rng = np.random.default_rng([seed, FAMILIES.index(family), 22])
    anatomy = cached_anatomy(family, anatomy_seed(seed, domain))
    view = random_view(family, rng, size)
    shape = (size, size)
    before = view.projection_matrix @ initial_pose(anatomy.model.centre)
    after = view.projection_matrix @ true_pose(anatomy.model.centre, rng)
    clean = silhouette(anatomy.model, after, shape)
    initial = silhouette(anatomy.model, before, shape)
    spoilt = spoil(clean, anatomy, after, rng, domain)
    return initial.astype(np.float32), spoilt.astype(np.float32), clean.astype(np.float32)


def spoil(
    clean: np.ndarray, anatomy: Anatomy, projection: np.ndarray, rng: np.random.Generator, domain: str = TRAINING
) -> np.ndarray:
    """A vessel mask (rows, columns) bool with the faults of a segmentation; ``projection`` (3, 4) is of ``clean``."""
    shape = clean.shape
    size = shape[0]
    shares = branch_concentrations(anatomy, sample_filling(rng, anatomy))
    quarter = np.diag([0.25, 0.25, 1.0])
    quarter[:2, 2] = -0.375
    small = (shape[0] // 4, shape[1] // 4)
    share = concentration_image(anatomy, shares, quarter @ projection, small)
    mask = clean & (np.kron(share, np.ones((4, 4), dtype=np.float32)) > 0.3)
    if not mask.any():
        mask = clean.copy()
    level = mask.astype(np.float32)
    severity = rng.choice([0.0, 0.5, 1.0], p=[0.25, 0.45, 0.30])
    if severity > 0:
        level = gaussian_filter(level, rng.uniform(0.4, 1.6))
        fine = rng.uniform(0.08, 0.30) * smooth_noise(rng, shape, rng.uniform(0.015, 0.05) * size)
        coarse = rng.uniform(0.0, 0.3) * np.minimum(smooth_noise(rng, shape, 0.11 * size), 1.2)
        level += np.where(level > 0.03, severity * (fine + coarse), 0.0).astype(np.float32)
        holes = smooth_noise(rng, shape, 0.08 * size)
        level[holes > rng.uniform(2.2, 3.5)] = 0.0
        if rng.random() < 0.6:
            blobs = smooth_noise(rng, shape, rng.uniform(0.07, 0.16) * size)
            level[blobs > rng.uniform(1.5, 2.6)] = 1.0
        if rng.random() < 0.3:
            look = sample_look(rng, domain, anatomy)
            _, wires = device_shadow(devices_of(anatomy, look), projection, shape)
            level[gaussian_filter(wires.astype(np.float32), 1.0) > 0.25] = 1.0
    return level > 0.5
