"""The outline of a placed mesh on a view, as 3D points with image normals.

An edge of the mesh lies on the outline when one of its triangles faces the source and the other does not. Outlines
that the rest of the vessel hides cannot be seen in a mask and are left out.
"""

from dataclasses import dataclass

import numpy as np

from ..mesh.surface import SurfaceModel
from ..projection.rasterizer import silhouette

_LOOK_OUTSIDE_PX = 1.6


@dataclass(frozen=True)
class Contour:
    """``points`` (K, 3) world mm, their ``pixels`` (K, 2) as (col, row) and outward unit ``normals`` (K, 2) there."""

    points: np.ndarray
    pixels: np.ndarray
    normals: np.ndarray


class OutlinedModel:
    """A surface with its edges, so that its outline can be drawn again and again."""

    def __init__(self, model: SurfaceModel) -> None:
        """Find which two triangles share each edge; edges of one triangle alone carry no outline."""
        self.model = model
        triangles = model.triangles
        half_edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
        code = half_edges[:, 0].astype(np.int64) * len(model.vertices) + half_edges[:, 1]
        order = np.argsort(code, kind="stable")
        shared = np.flatnonzero(code[order][1:] == code[order][:-1])
        self._edges = half_edges[order[shared]]
        self._faces = np.column_stack([order[shared], order[shared + 1]]) % len(triangles)
        self.centre = model.vertices.mean(axis=0)

    def silhouette(self, vertices: np.ndarray, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Silhouette, bool (rows, columns), of the model with its vertices moved to ``vertices`` (N, 3)."""
        return silhouette(SurfaceModel(vertices, self.model.triangles), projection, shape)

    def outline(self, vertices: np.ndarray, projection: np.ndarray, drawn: np.ndarray, step_px: float) -> Contour:
        """The visible outline, about one point every ``step_px`` pixels.

        ``vertices`` (N, 3) are the placed vertices (world mm), ``projection`` (3, 4) maps world mm to pixels and
        ``drawn`` is the silhouette of the same.
        """
        triangles = self.model.triangles
        pixels = _to_pixels(vertices, projection)
        a, b, c = (pixels[triangles[:, corner]] for corner in range(3))
        facing = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) > (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        turning = np.flatnonzero(facing[self._faces[:, 0]] != facing[self._faces[:, 1]])
        edges = self._edges[turning]
        along = pixels[edges[:, 1]] - pixels[edges[:, 0]]
        length = np.hypot(along[:, 0], along[:, 1])

        # Points at even spacing: a share of the edges shorter than the spacing, several points on longer ones.
        reach = np.cumsum(length)
        kept = (length > 1e-9) & (np.floor(reach / step_px) != np.floor((reach - length) / step_px))
        edges, along, length, turning = edges[kept], along[kept], length[kept], turning[kept]
        normals = np.column_stack([along[:, 1], -along[:, 0]]) / length[:, None]
        inner = pixels[triangles[self._faces[turning, 0]]].mean(axis=1) - pixels[edges[:, 0]]
        normals[np.einsum("ij,ij->i", inner, normals) > 0] *= -1
        count = np.maximum(1, np.round(length / step_px).astype(int))
        edge = np.repeat(np.arange(len(edges)), count)
        share = (np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[edge]
        points = vertices[edges[edge, 0]] * (1 - share[:, None]) + vertices[edges[edge, 1]] * share[:, None]
        normals = normals[edge]
        at = _to_pixels(points, projection)

        rows, columns = drawn.shape
        outside = np.rint(at + _LOOK_OUTSIDE_PX * normals).astype(int)
        inside_image = ((outside >= 0) & (outside < [columns, rows])).all(axis=1)
        visible = np.flatnonzero(inside_image)
        visible = visible[~drawn[outside[visible, 1], outside[visible, 0]]]
        return Contour(points[visible], at[visible], normals[visible])


def _to_pixels(points: np.ndarray, projection: np.ndarray) -> np.ndarray:
    homogeneous = points @ projection[:, :3].T + projection[:, 3]
    return homogeneous[:, :2] / homogeneous[:, 2:]
