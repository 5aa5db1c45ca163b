"""Steadier depths: points round one annulus lie on a smooth surface, which the whole ring decides better than each."""

import numpy as np

from .camera import StereoCalibration
from .triangulation import Triangulated

_HARMONICS_MM = (2.0, 0.6, 0.3)  # expected amplitude of the second, third and fourth wave round the ring (saddle: 2nd)
_APART_MM = 0.35  # expected scatter of single punctures about the smooth ring
_FEWEST = 6
_ROUNDS = 5
_OUTLIER = 2.5


def steadied(found: Triangulated, calibration: StereoCalibration) -> Triangulated:
    """The points with depths drawn towards a smooth ring, and their smaller expected errors.

    Best linear estimate of the inverse depth: plane (exact in inverse depth) plus waves round the ring with the
    amplitudes a mitral annulus has, plus independent scatter; the noise is what triangulation expects, more for points
    that stand out. Pixels stay nearly where they were: points move along their left rays. Fewer than 6 points are
    returned as they are.
    """
    points = found.points
    if len(points) < _FEWEST:
        return found
    depth = points[:, 2]
    plane = points[:, :2] / depth[:, None]
    noise = np.maximum(found.depth_error_mm, 1e-3) / depth**2
    middle = float(np.median(depth))
    offset = plane - _ring_centre(plane)
    # The ring looks squeezed from the side: whiten it before angles are taken.
    spread = np.linalg.cholesky(np.linalg.inv(offset.T @ offset / len(offset) + 1e-12 * np.eye(2)))
    angle = np.arctan2(*(offset @ spread).T[::-1])
    basis, prior = [np.ones(len(depth)), offset[:, 0], offset[:, 1]], [1.0, 1.0, 1.0]
    for order, amplitude in enumerate(_HARMONICS_MM, start=2):
        basis += [np.cos(order * angle), np.sin(order * angle)]
        prior += [amplitude / middle**2] * 2
    design, weight_prior = np.stack(basis, axis=1), np.diag(np.square(prior))
    apart = _APART_MM / middle**2
    measured, variance = 1 / depth, noise**2
    for _ in range(_ROUNDS):
        model = design @ weight_prior @ design.T + apart**2 * np.eye(len(depth))
        gain = np.linalg.solve(model + np.diag(variance), model).T
        estimate = gain @ measured
        off = np.abs(measured - estimate) / np.sqrt(noise**2 + apart**2)
        variance = noise**2 * np.maximum(1.0, off / _OUTLIER) ** 2
    left = np.sqrt(np.maximum(np.diag(model - gain @ model), 0.0)) * depth**2
    better = np.column_stack([plane, np.ones(len(plane))]) / estimate[:, None]
    aside = np.sqrt(np.maximum(found.error_mm**2 - found.depth_error_mm**2, 0.0))
    return Triangulated(better, np.hypot(aside, left), left, found.residual_px)


def _ring_centre(plane: np.ndarray) -> np.ndarray:
    """Centre (2,) of the conic through places (n, 2) if that is an ellipse about them, else their mean."""
    mean = plane.mean(axis=0)
    scale = max(float(np.abs(plane - mean).max()), 1e-9)
    x, y = ((plane - mean) / scale).T
    a, b, c, d, e = np.linalg.lstsq(np.stack([x * x, x * y, y * y, x, y], axis=1), np.ones(len(x)), rcond=None)[0]
    if 4 * a * c - b * b <= 1e-3:
        return mean
    centre = np.linalg.solve([[2 * a, b], [b, 2 * c]], [-d, -e])
    return mean + scale * centre if np.linalg.norm(centre) < 0.8 else mean
