"""Bending of a vessel tree across one of its paths: cubic B-splines of few control displacements."""

import numpy as np
from scipy.interpolate import BSpline

from .centreline import VesselPath

CONTROLS = 6

_DEGREE = 3
_SAMPLES = 400
_SWAY_MM = 12.0
_STIFFNESS_MM3 = 100.0
"""Price of the squared second derivative along the path: a wave of 10 mm over 200 mm costs about 1."""


class PathBending:
    """Displacements of a model's vertices, at right angles to a path, from control displacements (K, 2) in mm.

    Every vertex moves with the place on the path to which it belongs, so that rings stay rings and side branches go
    along with where they leave.
    """

    def __init__(self, path: VesselPath, controls: int = CONTROLS) -> None:
        """``controls`` (4 to 8) is how many control displacements lie evenly along the path."""
        length = float(path.arc_mm[-1])
        self.controls = controls
        self.arc_mm = np.linspace(0.0, length, controls)
        inner = np.linspace(0.0, length, controls - _DEGREE + 1)
        self._knots = np.concatenate([np.zeros(_DEGREE), inner, np.full(_DEGREE, length)])
        at = np.clip(path.vertex_arc_mm, 0.0, length)
        self._weights = BSpline.design_matrix(at, self._knots, _DEGREE).toarray()
        frames = _frames(path)
        self._across = np.stack([[np.interp(at, path.arc_mm, frames[:, side, axis]) for axis in range(3)]
                                 for side in range(2)]).transpose(2, 0, 1)

    def displacements(self, control_mm: np.ndarray) -> np.ndarray:
        """Displacement (N, 3), mm, of every vertex for control displacements (K, 2)."""
        return np.einsum("nc,nca->na", self._weights @ control_mm, self._across)

    def modes(self, vertices: np.ndarray) -> np.ndarray:
        """Derivative (M, 3, 2 K) of the displacements of some vertices (M,) by the control displacements."""
        modes = np.einsum("nk,nca->nakc", self._weights[vertices], self._across[vertices])
        return modes.reshape(len(vertices), 3, 2 * self.controls)

    def precision(self) -> np.ndarray:
        """What is believed of the control displacements before looking: inverse covariance (2 K, 2 K) about none.

        Some millimetres of sway, and gentle bends rather than sharp ones.
        """
        samples = np.linspace(self._knots[0], self._knots[-1], _SAMPLES)
        curves = BSpline(self._knots, np.eye(self.controls), _DEGREE).derivative(2)(samples)
        roughness = curves.T @ curves * (samples[1] - samples[0])
        return np.kron(_STIFFNESS_MM3 * roughness + np.eye(self.controls) / _SWAY_MM**2, np.eye(2))


def _frames(path: VesselPath) -> np.ndarray:
    """Two directions (S, 2, 3) at right angles to the path and to each other, carried along without twist."""
    tangents = np.gradient(path.points, path.arc_mm, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    first = np.cross(tangents[0], np.eye(3)[np.argmin(np.abs(tangents[0]))])
    frames = np.empty((len(tangents), 2, 3))
    for number, tangent in enumerate(tangents):
        first = first - (first @ tangent) * tangent
        first /= np.linalg.norm(first)
        frames[number] = first, np.cross(tangent, first)
    return frames
