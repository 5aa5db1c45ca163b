"""How far points in space are from the truth, in simulated stereo frames."""

from typing import TYPE_CHECKING

import numpy as np

from .domains import FIRST_SEED
from .scoring import RADII_PX, match_points

if TYPE_CHECKING:
    from ..detection.detector import SutureDetector

_BEYOND_FRAMES = 50_000
_DEPTHS_MM = (50.0, 70.0)


def triangulation_errors(detector: "SutureDetector", domains: tuple[str, ...], frames: int) -> np.ndarray:
    """Distances in mm (N,) of points found in both eyes to the true ones, those 50 to 70 mm deep."""
    from ..simulation.streams import stereo_frame
    from ..stereo.reconstruction import reconstruct

    errors = []
    for index in range(frames):
        frame = stereo_frame(FIRST_SEED + _BEYOND_FRAMES + index, domains[index % len(domains)])
        left, right = (detector.detect(eye.image).at_least(detector.threshold) for eye in (frame.left, frame.right))
        if not len(left) or not len(right):
            continue
        space = reconstruct(left.positions, right.positions, frame.calibration, left.kinds, right.kinds,
                            left.pair_ids)
        seen = np.flatnonzero(frame.left.visible)
        matches = match_points(left.positions[space.matches.left], frame.left.points[seen], RADII_PX[0])
        truth = frame.points_mm[seen[matches.pairs[:, 1]]]
        distance = np.linalg.norm(space.found.points[matches.pairs[:, 0]] - truth, axis=1)
        errors.append(distance[(truth[:, 2] > _DEPTHS_MM[0]) & (truth[:, 2] < _DEPTHS_MM[1])])
    return np.concatenate(errors) if errors else np.zeros(0)
