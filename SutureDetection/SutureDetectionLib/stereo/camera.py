"""The pinhole camera with lens distortion, and the pair of them: pixels to rays and back.

Pixels are (col, row), 0-based centres. A camera's frame has x to the right, y down and z forward, in mm.
"""

from dataclasses import dataclass

import numpy as np

_UNDISTORT_STEPS = 12


@dataclass(frozen=True)
class Camera:
    """``matrix`` (3, 3) in pixels and ``distortion`` (5,) as OpenCV orders it: k1, k2, p1, p2, k3."""

    matrix: np.ndarray
    distortion: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (n, 2) of points (n, 3) mm in this camera's frame, which lie in front of it."""
        return self.to_pixels(self.distorted(points[..., :2] / points[..., 2:]))

    def to_pixels(self, plane: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of places (..., 2) on the plane z = 1, without distortion."""
        return plane @ self.matrix[:2, :2].T + self.matrix[:2, 2]

    def distorted(self, plane: np.ndarray) -> np.ndarray:
        """Where the lens puts places (..., 2) of the plane z = 1: radial and tangential model of Brown."""
        if not self.distortion.any():
            return plane
        k1, k2, p1, p2, k3 = self.distortion
        x, y = plane[..., 0], plane[..., 1]
        square = x * x + y * y
        radial = 1 + square * (k1 + square * (k2 + square * k3))
        return np.stack([x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
                         y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y], axis=-1)

    def undistorted(self, pixels: np.ndarray) -> np.ndarray:
        """Places (..., 2) on the plane z = 1 seen at pixels (..., 2), by fixed-point iteration."""
        seen = (pixels - self.matrix[:2, 2]) @ np.linalg.inv(self.matrix[:2, :2]).T
        if not self.distortion.any():
            return seen
        plane = seen.copy()
        for _ in range(_UNDISTORT_STEPS):
            plane += seen - self.distorted(plane)
        return plane

    @property
    def focal_px(self) -> float:
        """Mean focal length in pixels."""
        return float(0.5 * (self.matrix[0, 0] + self.matrix[1, 1]))


@dataclass(frozen=True)
class StereoCalibration:
    """Two cameras and how the right one stands: ``x_right = rotation @ x_left + translation`` (3, 3), (3,) mm.

    ``size`` is (rows, columns) of ONE eye's image. The world of triangulated points is the left camera's frame.
    """

    left: Camera
    right: Camera
    rotation: np.ndarray
    translation: np.ndarray
    size: tuple[int, int]

    @property
    def baseline_mm(self) -> float:
        """Distance of the two optical centres."""
        return float(np.linalg.norm(self.translation))
