"""What a patient is made of, as solids with analytic X-ray path lengths.

Linear attenuation in 1/mm at about 60 keV: water and muscle 0.020, lung 0.006, spongy bone 0.03 to 0.04, cortical bone
0.06 to 0.08 (NIST XCOM, rounded). Solids hold what they add to the tissue around them.
"""

from dataclasses import dataclass, field

import numpy as np

from ..mesh.surface import SurfaceModel
from ..projection.rasterizer import path_length
from .strokes import bar_shadow, project_points
from .tubes import Tube, union_surface

SOFT_TISSUE = 0.020

_BONE_GRID_MM = 3.6
_AS_CONTOURED = 10**9

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
            self.meshes.append((SurfaceModel(*union_surface(parts, _BONE_GRID_MM, _AS_CONTOURED, rng)), added))

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
    source, rays = _rays(projection, shape)
    image = np.zeros(shape, dtype=np.float32)
    for one in body.ellipsoids:
        window = _window(one, projection, shape)
        if window is not None:
            near, far = _ellipsoid_crossings(one, source, rays[window])
            image[window] += np.float32(one[2]) * (far - near)
    for one in body.boxes:
        window = _window(one, projection, shape)
        if window is not None:
            image[window] += np.float32(one[2]) * _box_lengths(one, source, rays[window])
    for cavity, cut_out in body.cavities:
        near, far = _ellipsoid_crossings(cavity, source, rays)
        air = far - near
        for one in cut_out:
            enters, leaves = _ellipsoid_crossings(one, source, rays)
            air -= np.maximum(np.minimum(far, leaves) - np.maximum(near, enters), 0.0)
        image += np.float32(cavity[2]) * np.maximum(air, 0.0)
    for axis, radius, shell_mm, shell, marrow in body.bars:
        pixels, scale = project_points(axis, projection)
        outer = bar_shadow(shape, pixels, radius * scale, 2 * radius)
        inner_radius = np.maximum(radius - shell_mm, 0.3)
        inner = bar_shadow(shape, pixels, inner_radius * scale, 2 * inner_radius)
        image += shell * (outer - inner) + marrow * inner
    for mesh, added in body.meshes:
        image += np.float32(added) * path_length(mesh, projection, shape)
    return image


def _rays(projection: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Source (3,) and unit ray directions (rows, columns, 3) float32, in the frame that the projection starts from."""
    inverse = np.linalg.inv(projection[:, :3])
    row, col = np.indices(shape)
    rays = np.stack([col, row, np.ones(shape)], axis=-1) @ inverse.T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    return -inverse @ projection[:, 3], rays.astype(np.float32)


def _window(
    one: tuple[np.ndarray, np.ndarray, float], projection: np.ndarray, shape: tuple[int, int]
) -> tuple[slice, slice] | None:
    """The part of the image that a solid can cast its shadow on; None where it misses the image."""
    centre, axes, _ = one
    half = 1 / np.linalg.norm(axes, axis=1)
    corners = centre + _CORNERS @ (axes * half[:, None] ** 2)
    homogeneous = corners @ projection[:, :3].T + projection[:, 3]
    if homogeneous[:, 2].min() <= 1.0:
        return slice(0, shape[0]), slice(0, shape[1])
    pixels = homogeneous[:, :2] / homogeneous[:, 2:]
    first = np.clip(np.floor(pixels.min(axis=0)), 0, (shape[1], shape[0])).astype(int)
    last = np.clip(np.ceil(pixels.max(axis=0)) + 1, 0, (shape[1], shape[0])).astype(int)
    return None if np.any(last <= first) else (slice(first[1], last[1]), slice(first[0], last[0]))


def _ellipsoid_crossings(
    one: tuple[np.ndarray, np.ndarray, float], source: np.ndarray, rays: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distances from the source at which rays (..., 3) enter and leave an ellipsoid, equal where they miss it."""
    centre, axes, _ = one
    start, step = (axes @ (source - centre)).astype(np.float32), rays @ axes.T.astype(np.float32)
    a = np.einsum("...i,...i->...", step, step)
    b = step @ start
    middle = -b / a
    half = np.sqrt(np.maximum(middle * middle - (start @ start - 1) / a, 0.0))
    return middle - half, middle + half


def _box_lengths(one: tuple[np.ndarray, np.ndarray, float], source: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Lengths (...) of rays (..., 3) inside a box."""
    centre, axes, _ = one
    start, step = (axes @ (source - centre)).astype(np.float32), rays @ axes.T.astype(np.float32)
    inverse = 1 / np.where(np.abs(step) < 1e-9, np.float32(1e-9), step)
    middle, half = -start * inverse, np.abs(inverse)
    return np.maximum((middle + half).min(axis=-1) - (middle - half).max(axis=-1), 0.0)
