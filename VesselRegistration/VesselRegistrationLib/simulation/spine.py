"""Vertebrae: bodies with end plates, pedicles, spinous and transverse processes."""

import numpy as np
from scipy.spatial.transform import Rotation

from .body import Body


def add_spine(body: Body, rng: np.random.Generator, centres: np.ndarray, half_width: float, half_depth: float) -> None:
    """Add one vertebra at each of ``centres`` (n, 3) mm, which run from head to feet."""
    scoliosis = rng.normal(0.0, 3.0)
    density = rng.uniform(0.75, 1.2)
    for number, place in enumerate(centres):
        centre = place + np.array([scoliosis * np.sin(number * 0.8), 0.0, 0.0])
        ahead, behind = centres[max(number - 1, 0)], centres[min(number + 1, len(centres) - 1)]
        course = ahead - behind
        height = float(np.linalg.norm(course)) / (2 if 0 < number < len(centres) - 1 else 1)
        turn = Rotation.align_vectors([course], [[0.0, 0.0, 1.0]])[0] if height > 0 else Rotation.identity()
        turn = turn * Rotation.from_euler("xyz", rng.normal(0.0, 1.5, size=3), degrees=True)
        axes = turn.as_matrix()
        half_height = 0.39 * height

        def at(x: float, y: float, z: float, centre: np.ndarray = centre, turn: Rotation = turn) -> np.ndarray:
            return centre + turn.apply([x, y, z])

        body.box(centre, (0.88 * half_width, 0.85 * half_depth, half_height), 0.010 * density, axes)
        body.ellipsoid(centre, (1.1 * half_width, 1.1 * half_depth, 1.2 * half_height), 0.004 * density, axes)
        for end in (1.0, -1.0):
            body.box(at(0, 0, end * half_height), (half_width, half_depth, 1.0), 0.018 * density, axes)
        for side in (1.0, -1.0):
            body.ellipsoid(at(side * 0.62 * half_width, -1.45 * half_depth, 0.35 * half_height), (4.0, 11.0, 6.0),
                           0.035 * density, axes)
            body.ellipsoid(at(side * 0.85 * half_width, -1.9 * half_depth, -0.9 * half_height), (5.0, 6.0, 9.0),
                           0.022 * density, axes)
            body.ellipsoid(at(side * 1.6 * half_width, -1.7 * half_depth, 0.2 * half_height),
                           (0.75 * half_width, 3.0, 4.5), 0.016 * density, axes)
        body.ellipsoid(at(0, -2.6 * half_depth, -0.8 * half_height), (3.2, 15.0, 9.0), 0.030 * density, axes)
