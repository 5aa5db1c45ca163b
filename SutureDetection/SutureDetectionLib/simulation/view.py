"""Where the endoscope looks from: one eye's camera in space, drawn at random, moved in a video, doubled for stereo."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from ..stereo.camera import Camera, StereoCalibration


@dataclass(frozen=True)
class View:
    """``x_camera = rotation @ x_model + translation`` (mm) seen by ``camera`` in ``size`` = (rows, columns) pixels."""

    camera: Camera
    rotation: np.ndarray
    translation: np.ndarray
    size: tuple[int, int]

    def in_camera(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) mm of the model frame in the camera's frame."""
        return points @ self.rotation.T + self.translation

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (n, 2) and depths (n,) mm of points (n, 3) mm of the model frame."""
        seen = self.in_camera(points)
        return self.camera.project(seen), seen[:, 2]

    @property
    def centre(self) -> np.ndarray:
        """The optical centre (3,) mm in the model frame."""
        return -self.rotation.T @ self.translation

    def turned(self, degrees: np.ndarray, shift_mm: np.ndarray) -> "View":
        """The view after the camera turned by ``degrees`` (3,) about its axes and shifted by ``shift_mm`` (3,)."""
        turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
        return replace(self, rotation=turn @ self.rotation, translation=turn @ self.translation + shift_mm)


def sample_view(rng: np.random.Generator, annulus_mm: float, size: tuple[int, int]) -> View:
    """A view of the valve from 40 to 120 mm, tilted by up to 30 deg; the annulus spans 40 to 110 % of the height."""
    rows, columns = size
    distance = rng.uniform(42.0, 115.0)
    focal = float(np.clip(rng.uniform(0.42, 1.1) * rows * distance / annulus_mm, 0.55 * columns, 2.6 * columns))
    tilt, azimuth = np.radians(30.0) * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
    backward = np.array([np.sin(tilt) * np.cos(azimuth), np.sin(tilt) * np.sin(azimuth), np.cos(tilt)])
    roll = rng.normal(0.0, 0.45)
    right = np.cross(np.array([-np.sin(roll), np.cos(roll), 0.0]), backward)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(-backward, right), -backward])
    target = np.append(rng.normal(0.0, 0.13, size=2) * annulus_mm, 0.0)
    centre = target + distance * backward
    matrix = np.array([[focal, 0, 0.5 * (columns - 1) + rng.normal(0, 0.012 * columns)],
                       [0, focal * rng.uniform(0.99, 1.01), 0.5 * (rows - 1) + rng.normal(0, 0.012 * columns)],
                       [0, 0, 1.0]])
    # The half field of view decides how far the distortion may go before it folds.
    half = 0.6 * columns / focal
    distortion = np.array([rng.uniform(-0.10, 0.03), rng.uniform(-0.01, 0.01), *rng.normal(0, 0.0006, size=2), 0.0])
    distortion[:2] /= max(half, 0.3) ** np.array([2, 4])
    return View(Camera(matrix, distortion), rotation, -rotation @ centre, (rows, columns))


def right_eye(rng: np.random.Generator, left: View) -> tuple[View, StereoCalibration]:
    """The second eye of a stereo endoscope, 3 to 6 mm to the right and slightly turned in, and the calibration."""
    turn = Rotation.from_euler("xyz", [rng.normal(0, 0.15), rng.uniform(0.2, 2.5), rng.normal(0, 0.15)], degrees=True)
    rotation = turn.as_matrix()
    translation = rotation @ -np.array([rng.uniform(3.0, 6.0), rng.normal(0, 0.05), rng.normal(0, 0.05)])
    matrix = left.camera.matrix.copy()
    matrix[:2] *= rng.normal(1.0, 0.003)
    matrix[:2, 2] = left.camera.matrix[:2, 2] + rng.normal(0, 1.5, size=2)
    camera = Camera(matrix, left.camera.distortion * rng.normal(1.0, 0.05))
    view = View(camera, rotation @ left.rotation, rotation @ left.translation + translation, left.size)
    return view, StereoCalibration(left.camera, camera, rotation, translation, left.size)


def smooth_path(rng: np.random.Generator, count: int, knots_every: float, amount: np.ndarray) -> np.ndarray:
    """Smooth random courses (count, k), one per entry of ``amount`` (k,), which is their standard deviation."""
    knots = max(4, int(np.ceil(count / knots_every)) + 4)
    values = rng.standard_normal((knots, len(amount)))
    at = np.arange(count) / knots_every
    low = at.astype(int)
    t = (at - low)[:, None]
    weights = [(1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6]
    course = sum(weight * values[low + k] for k, weight in enumerate(weights))
    return np.asarray(1.4 * course * amount)
