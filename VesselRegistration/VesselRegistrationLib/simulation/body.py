"""What a patient is made of, as solids with analytic X-ray path lengths.

Linear attenuation in 1/mm at about 60 keV: water and muscle 0.020, lung 0.006, spongy bone 0.03 to 0.04, cortical bone
0.06 to 0.08 (NIST XCOM, rounded). Solids hold what they add to the tissue around them.
"""

from dataclasses import dataclass, field

import numpy as np

from ..mesh.surface import SurfaceModel
from ..projection.rasterizer import path_length
from .strokes import project_points, shelled_bar_shadow
from .tubes import Tube, union_surface

SOFT_TISSUE = 0.020

_BONE_GRID_MM = 3.6
_BONE_TRIANGLES = 2400
_BONE_STEP = 0.5
_BESIDE = 0.3

_CORNERS = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])


@dataclass
class Body:
    """Solids in model RAS mm.

    ``ellipsoids`` and ``boxes`` hold (centre (3,), axes (3, 3): rows are unit axes over half lengths, added 1/mm);
    ``cavities`` an air-like ellipsoid and the ellipsoids that are cut out of it; ``bars`` (axis (n, 3), outer radius
    (n,) mm, shell thickness mm, added 1/mm of the shell, added 1/mm of the marrow); ``meshes`` (closed mesh, added
    1/mm).
    """

    ellipsoids: list[tuple[np.ndarray, np.ndarray, float]] = field(default_factory=list)
    boxes: list[tuple[np.ndarray, np.ndarray, float]] = field(default_factory=list)
    cavities: list[tuple[tuple[np.ndarray, np.ndarray, float], list[tuple[np.ndarray, np.ndarray, float]]]] = field(
        default_factory=list)
    bars: list[tuple[np.ndarray, np.ndarray, float, float, float]] = field(default_factory=list)
    meshes: list[tuple[SurfaceModel, float]] = field(default_factory=list)

    def ellipsoid(self, centre: np.ndarray, half: tuple[float, float, float], added: float,
                  rotation: np.ndarray | None = None) -> None:
        """Add an ellipsoid with half axes in mm."""
        self.ellipsoids.append(solid(centre, half, added, rotation))

    def box(self, centre: np.ndarray, half: tuple[float, float, float], added: float,
            rotation: np.ndarray | None = None) -> None:
        """Add a box with half edges in mm."""
        self.boxes.append(solid(centre, half, added, rotation))

    def bar(self, axis: np.ndarray, radius: float | np.ndarray, shell_mm: float, shell: float, marrow: float) -> None:
        """Add a round bone along an axis (n, 3)."""
        self.bars.append((axis, np.broadcast_to(np.asarray(radius, dtype=float), len(axis)), shell_mm, shell, marrow))

    def bone(self, rng: np.random.Generator, tubes: list[Tube], shell_mm: float, shell: float, marrow: float) -> None:
        """Add the union of tubes as one bone with a shell."""
        inner = [Tube(tube.centreline, np.maximum(tube.radii - shell_mm, 2.0)) for tube in tubes]
        for parts, added in ((tubes, shell), (inner, marrow - shell)):
            self.meshes.append((SurfaceModel(*union_surface(parts, _BONE_GRID_MM, _BONE_TRIANGLES, rng)), added))

    def plate(self, grid: np.ndarray, thickness: np.ndarray, added: float) -> None:
        """Add a curved plate: its middle surface as a grid (n, m, 3) mm and its thickness (n, m) mm."""
        normal = np.cross(np.gradient(grid, axis=0), np.gradient(grid, axis=1))
        normal *= 0.5 * thickness[..., None] / np.linalg.norm(normal, axis=-1, keepdims=True)
        n, m = thickness.shape
        number = np.arange(n * m).reshape(n, m)
        a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
        top = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
        rim = np.concatenate([number[:, 0], number[-1, 1:], number[-2::-1, -1], number[0, -2:0:-1]])
        after, under = np.roll(rim, -1), n * m
        wall = np.concatenate([np.stack([after, rim, rim + under], axis=1),
                               np.stack([after, rim + under, after + under], axis=1)])
        triangles = np.concatenate([top, top[:, ::-1] + under, wall]).astype(np.int32)
        vertices = np.concatenate([(grid + normal).reshape(-1, 3), (grid - normal).reshape(-1, 3)])
        self.meshes.append((SurfaceModel(vertices, triangles), added))


def solid(centre: np.ndarray, half: tuple[float, float, float], added: float,
          rotation: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, float]:
    """One ellipsoid or box; ``rotation`` (3, 3) turns its axes."""
    axes = (np.eye(3) if rotation is None else rotation.T) / np.asarray(half, dtype=float)[:, None]
    return np.asarray(centre, dtype=float), axes, added


def line_integral(body: Body, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation (rows, columns) float32 of the body along every pixel's ray, in -ln units."""
    rays = _Rays(projection, shape)
    image = np.zeros(shape)  # of ellipsoids and boxes, per millimetre of depth
    windows = rays.windows([*body.ellipsoids, *body.boxes, *(cavity for cavity, _ in body.cavities)])
    for one, window in zip(body.ellipsoids, windows, strict=False):
        if window is not None:
            image[window] += one[2] * 2 * rays.ellipsoid(one, window)[1]
    for one, window in zip(body.boxes, windows[len(body.ellipsoids):], strict=False):
        if window is not None:
            image[window] += one[2] * rays.box(one, window)
    for (cavity, cut_out), window in zip(body.cavities, windows[len(body.ellipsoids) + len(body.boxes):], strict=True):
        if window is None:
            continue
        middle, half = rays.ellipsoid(cavity, window)
        air = 2 * half
        for one in cut_out:
            other, reach = rays.ellipsoid(one, window)
            air -= np.maximum(np.minimum(middle + half, other + reach) - np.maximum(middle - half, other - reach), 0.0)
        image[window] += cavity[2] * np.maximum(air, 0.0)
    image *= rays.length_per_depth()
    for axis, radius, shell_mm, shell, marrow in body.bars:
        pixels, scale = project_points(axis, projection)
        near = np.all((pixels > -_BESIDE * shape[1]) & (pixels < (1 + _BESIDE) * shape[1]), axis=1)
        if not near.any():
            continue
        inner_radius = np.maximum(radius - shell_mm, 0.3)
        image += shelled_bar_shadow(shape, pixels, radius * scale, inner_radius * scale, 2 * shell * radius,
                                    2 * (shell - marrow) * inner_radius, _BONE_STEP)
    for mesh, added in body.meshes:
        image += np.float32(added) * path_length(mesh, projection, shape)
    return image.astype(np.float32)


class _Rays:
    """The rays of all pixels: the one of (col, row) runs from ``source`` along ``inverse`` @ (col, row, 1).

    Distances along it count in depths, so that what a solid of second order needs is a polynomial of col and row.
    """

    def __init__(self, projection: np.ndarray, shape: tuple[int, int]) -> None:
        self.inverse = np.linalg.inv(projection[:, :3])
        self.source = -self.inverse @ projection[:, 3]
        self._projection = projection
        self._shape = shape
        self._row, self._col = np.arange(shape[0], dtype=float)[:, None], np.arange(shape[1], dtype=float)[None]

    def length_per_depth(self) -> np.ndarray:
        """Millimetres along each ray per millimetre of depth (rows, columns)."""
        form = self.inverse.T @ self.inverse
        return np.sqrt(self._quadratic(form, (slice(None), slice(None))))

    def windows(self, solids: list[tuple[np.ndarray, np.ndarray, float]]) -> list[tuple[slice, slice] | None]:
        """The part of the image that each solid can cast its shadow on; None where it misses the image."""
        if not solids:
            return []
        rows, columns = self._shape
        axes = np.array([one[1] for one in solids])
        half = axes / np.square(axes).sum(axis=2, keepdims=True)
        corners = np.array([one[0] for one in solids])[:, None] + _CORNERS @ half
        homogeneous = corners @ self._projection[:, :3].T + self._projection[:, 3]
        behind = homogeneous[..., 2].min(axis=1) <= 1.0
        pixels = homogeneous[..., :2] / np.maximum(homogeneous[..., 2:], 1.0)
        first = np.maximum(np.floor(pixels.min(axis=1)), 0).astype(int)
        last = np.minimum(np.ceil(pixels.max(axis=1)) + 1, (columns, rows)).astype(int)
        first[behind], last[behind] = 0, (columns, rows)
        return [(slice(top, bottom), slice(left, right)) if right > left and bottom > top else None
                for (left, top), (right, bottom) in zip(first.tolist(), last.tolist(), strict=True)]

    def ellipsoid(self, one: tuple[np.ndarray, np.ndarray, float], window: tuple[slice, slice]) -> tuple[
            np.ndarray, np.ndarray]:
        """Depth of the middle of each ray's piece inside an ellipsoid, and half the piece's depth; 0 where it misses.

        With s the source and d the ray in the ellipsoid's unit sphere, |s + t d| = 1 at
        t = (-s.d +- sqrt((s.d)^2 - |d|^2 (|s|^2 - 1))) / |d|^2.
        """
        centre, axes, _ = one
        start, step = axes @ (self.source - centre), axes @ self.inverse
        square = step.T @ step
        along = start @ step
        inside = np.outer(along, along) - square * (start @ start - 1)
        size = self._quadratic(square, window)
        half = np.sqrt(np.maximum(self._quadratic(inside, window), 0.0)) / size
        return -self._linear(along, window) / size, half

    def box(self, one: tuple[np.ndarray, np.ndarray, float], window: tuple[slice, slice]) -> np.ndarray:
        """Depth of each ray's piece inside a box."""
        centre, axes, _ = one
        start, step = axes @ (self.source - centre), axes @ self.inverse
        enters, leaves = -np.inf, np.inf
        for offset, direction in zip(start, step, strict=True):
            rate = self._linear(direction, window)
            inverse = 1 / np.where(np.abs(rate) < 1e-12, 1e-12, rate)
            middle, half = -offset * inverse, np.abs(inverse)
            enters, leaves = np.maximum(enters, middle - half), np.minimum(leaves, middle + half)
        return np.maximum(leaves - enters, 0.0)

    def _linear(self, factors: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
        return factors[0] * self._col[:, window[1]] + (factors[1] * self._row[window[0]] + factors[2])

    def _quadratic(self, form: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
        """(col, row, 1) @ form @ (col, row, 1) for a symmetric form (3, 3)."""
        col, row = self._col[:, window[1]], self._row[window[0]]
        value = (2 * form[0, 1]) * row + 2 * form[0, 2] + form[0, 0] * col
        value *= col
        value += (form[1, 1] * row + 2 * form[1, 2]) * row + form[2, 2]
        return value
