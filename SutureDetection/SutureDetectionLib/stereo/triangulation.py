"""Points in millimetres from corresponding pixels of two eyes, with their expected error."""

from dataclasses import dataclass

import numpy as np

from .camera import StereoCalibration

_ITERATIONS = 5
_STEP = 1e-5


@dataclass(frozen=True)
class Triangulated:
    """``points`` (n, 3) mm in the left camera's frame; ``error_mm`` (n,) expected distance error (one sigma).

    ``depth_error_mm`` (n,) is the part of it along the optical axis; ``residual_px`` (n,) how far the point projects
    from the two pixels it was made of, as root mean square.
    """

    points: np.ndarray
    error_mm: np.ndarray
    depth_error_mm: np.ndarray
    residual_px: np.ndarray


def triangulate(left: np.ndarray, right: np.ndarray, calibration: StereoCalibration,
                sigma_px: float = 0.5) -> Triangulated:
    """The points (n, 3) whose images are nearest to pixels ``left`` and ``right``, (n, 2) each.

    Linear start, then Gauss-Newton on the reprojection error, which is the most likely point for equal noise of
    ``sigma_px`` in every coordinate; the error follows from the curvature at the solution.
    """
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if not len(left):
        return Triangulated(np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.zeros(0))
    points = _linear(calibration.left.undistorted(left), calibration.right.undistorted(right), calibration)
    seen = np.concatenate([left, right], axis=1)
    for _ in range(_ITERATIONS):
        jacobian = _jacobian(points, calibration)
        gap = seen - reproject(points, calibration)
        normal = np.einsum("nki,nkj->nij", jacobian, jacobian) + 1e-12 * np.eye(3)
        step = np.linalg.solve(normal, np.einsum("nki,nk->ni", jacobian, gap)[..., None])[..., 0]
        # No step may leave the space before the lens.
        scale = np.minimum(1.0, 0.5 * points[:, 2] / np.maximum(np.abs(step[:, 2]), 1e-9))
        points = points + scale[:, None] * step
    jacobian = _jacobian(points, calibration)
    normal = np.einsum("nki,nkj->nij", jacobian, jacobian) + 1e-12 * np.eye(3)
    covariance = sigma_px**2 * np.linalg.inv(normal)
    residual = np.sqrt(np.mean((seen - reproject(points, calibration)) ** 2, axis=1))
    return Triangulated(points, np.sqrt(np.trace(covariance, axis1=1, axis2=2)), np.sqrt(covariance[:, 2, 2]), residual)


def reproject(points: np.ndarray, calibration: StereoCalibration) -> np.ndarray:
    """Left and right pixels side by side (n, 4) of points (n, 3) mm in the left camera's frame."""
    other = points @ calibration.rotation.T + calibration.translation
    return np.concatenate([calibration.left.project(points), calibration.right.project(other)], axis=-1)


def _linear(left: np.ndarray, right: np.ndarray, calibration: StereoCalibration) -> np.ndarray:
    """Nearest points (n, 3) to both rays; behind or at the lens they are put far away before it."""
    first = np.concatenate([left, np.ones((len(left), 1))], axis=1)
    second = np.concatenate([right, np.ones((len(right), 1))], axis=1) @ calibration.rotation
    base = -calibration.rotation.T @ calibration.translation
    aa, bb = np.einsum("ni,ni->n", first, first), np.einsum("ni,ni->n", second, second)
    ab = np.einsum("ni,ni->n", first, second)
    a0, b0 = first @ base, second @ base
    determinant = np.maximum(aa * bb - ab * ab, 1e-12)
    along = (bb * a0 - ab * b0) / determinant
    other = (ab * a0 - aa * b0) / determinant
    middle = 0.5 * (along[:, None] * first + base + other[:, None] * second)
    return np.where((along > 1.0)[:, None] & (middle[:, 2:] > 1.0), middle, 1000.0 * first)


def _jacobian(points: np.ndarray, calibration: StereoCalibration) -> np.ndarray:
    """Derivatives (n, 4, 3) of the pixels by the point, central differences."""
    columns = []
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = _STEP * 60.0
        change = reproject(points + step, calibration) - reproject(points - step, calibration)
        columns.append(change / (2 * step[axis]))
    return np.stack(columns, axis=-1)
