"""Pairs of silhouettes for the matching network whose motion is a known affine."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ..projection.rasterizer import silhouette
from .anatomy import FAMILIES, Anatomy
from .contrast import branch_concentrations, concentration_image
from .domains import TRAINING
from .exposure import initial_pose, random_view, true_pose
from .looks import sample_filling
from .streams import anatomy_seed, cached_anatomy, spoil
from .textures import resized

LARGEST_TURN_DEG = 25.0
LARGEST_SCALE = 1.3
LARGEST_SHIFT = 0.3
LARGEST_STRETCH = 0.08
_FULL_SHARE = 0.3


@dataclass(frozen=True)
class KnownPair:
    """``moving`` is the clean silhouette, ``fixed`` the moved one with branches missing and, mostly, other faults.

    Both (size, size) float32 of 0 and 1; ``affine`` (2, 3) maps moving to fixed pixels (col, row); ``missing`` is the
    share of branches without contrast.
    """

    moving: np.ndarray
    fixed: np.ndarray
    affine: np.ndarray
    missing: float


def known_pair(family: str, seed: int, size: int = 256, domain: str = TRAINING, missing: float | None = None,
               faults: bool = True) -> KnownPair:
    """One pair; the same for the same arguments.

    ``missing`` is the share of branches left without contrast (rounded to whole branches), by chance up to a half
    where not given; with ``faults`` also rough edges, blobs, wires and far ends, as segmentations have.
    """
    rng = np.random.default_rng([seed, FAMILIES.index(family), 23])
    anatomy = cached_anatomy(family, anatomy_seed(seed, domain))
    view = random_view(family, rng, size)
    pose = initial_pose(anatomy.model.centre) if rng.random() < 0.5 else true_pose(anatomy.model.centre, rng)
    before = view.projection_matrix @ pose
    moving = silhouette(anatomy.model, before, (size, size))
    affine = _random_affine(rng, size)
    after = np.vstack([affine, [0.0, 0.0, 1.0]]) @ before
    clean = silhouette(anatomy.model, after, (size, size))
    share = float(rng.uniform(0.0, 0.5)) if missing is None else missing
    filled = clean & _filled_branches(anatomy, after, size, share, rng)
    fixed = spoil(filled, anatomy, after, rng, domain) if faults and filled.any() else filled
    if not fixed.any():
        fixed = clean
    return KnownPair(moving.astype(np.float32), fixed.astype(np.float32), affine, share)


def _random_affine(rng: np.random.Generator, size: int) -> np.ndarray:
    turn = math.radians(rng.uniform(-LARGEST_TURN_DEG, LARGEST_TURN_DEG))
    scale = LARGEST_SCALE ** rng.uniform(-1.0, 1.0)
    stretch = math.exp(rng.uniform(-LARGEST_STRETCH, LARGEST_STRETCH))
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    linear = scale * rotation @ np.diag([stretch, 1.0 / stretch])
    middle = np.full(2, (size - 1) / 2)
    shift = rng.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, 2) * size / 2
    return np.column_stack([linear, middle + shift - linear @ middle])


def _filled_branches(anatomy: Anatomy, projection: np.ndarray, size: int, share: float,
                     rng: np.random.Generator) -> np.ndarray:
    """Where (size, size) contrast shows when a ``share`` of the branches, the trunk excepted, stays empty."""
    names = [branch.name for branch in anatomy.branches]
    side = [name for name, branch in zip(names, anatomy.branches, strict=True) if branch.inlet_distance_mm > 0]
    empty = rng.permutation(side)[: round(share * len(names))]
    full = replace(sample_filling(rng, anatomy), start_mm=-1000.0, front_mm=10000.0, per_mm=0.05, streaming=0.0,
                   branch_factors=tuple((str(name), 0.0) for name in empty))
    quarter = np.diag([0.25, 0.25, 1.0])
    quarter[:2, 2] = -0.375
    seen = concentration_image(anatomy, branch_concentrations(anatomy, full), quarter @ projection,
                               (size // 4, size // 4))
    return resized(seen, (size, size)) > _FULL_SHARE
