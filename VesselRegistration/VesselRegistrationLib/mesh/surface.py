"""The vessel surface that everything else works on."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SurfaceModel:
    """A closed, consistently outward-oriented triangle mesh.

    ``vertices`` (N, 3) float64, RAS mm; ``triangles`` (M, 3) int32 vertex indices, counter-clockwise from outside.
    ``notes`` says in sentences what reading had to mend or assume.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    name: str = "vessel"
    notes: tuple[str, ...] = ()

    @property
    def centre(self) -> np.ndarray:
        """Middle of the bounding box (3,), RAS mm."""
        return 0.5 * (self.vertices.min(axis=0) + self.vertices.max(axis=0))

    def transformed(self, matrix: np.ndarray) -> "SurfaceModel":
        """The model moved by a 4x4 matrix (mm to mm)."""
        return SurfaceModel(self.vertices @ matrix[:3, :3].T + matrix[:3, 3], self.triangles, self.name, self.notes)
