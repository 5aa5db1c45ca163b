"""The mitral valve as a height field seen from the atrium: saddle annulus, leaflets, atrial wall, surface maps.

Model frame, mm: x along the commissures, y from the posterior to the anterior side, z towards the atrium and the
camera; the origin lies in the middle of the annulus.
"""

from dataclasses import dataclass

import numpy as np
from VesselRegistrationLib.simulation.textures import layered_noise, resized, ridged_noise, smooth_noise

from .looks import Look

HALF_EXTENT_MM = 46.0
_HEIGHT_CELLS = 232
_MAP_CELLS = 2 * _HEIGHT_CELLS - 1


@dataclass(frozen=True)
class Annulus:
    """Half axes in mm, saddle height in mm (half of the peak-to-trough), flattening 0..1 of the anterior side."""

    half_width_mm: float
    half_height_mm: float
    saddle_mm: float
    flattening: float

    def radius(self, angle: np.ndarray) -> np.ndarray:
        """Distance (n,) mm of the annulus from the axis at polar angles (n,)."""
        a, b = self.half_width_mm, self.half_height_mm
        ellipse = a * b / np.sqrt((b * np.cos(angle)) ** 2 + (a * np.sin(angle)) ** 2)
        return ellipse * (1 - self.flattening * np.exp(2.5 * (np.sin(angle) - 1)))

    def saddle(self, angle: np.ndarray) -> np.ndarray:
        """Height (n,) mm of the annulus: high in front and behind, low at the commissures."""
        return -self.saddle_mm * np.cos(2 * angle)

    def points(self, angle: np.ndarray) -> np.ndarray:
        """Points (n, 3) mm of the annulus curve."""
        radius = self.radius(angle)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle), self.saddle(angle)], axis=1)

    def length_table(self, count: int = 721) -> tuple[np.ndarray, np.ndarray]:
        """Angles (n,) round the curve and the length (n,) mm along it up to each."""
        angle = np.linspace(0.0, 2 * np.pi, count)
        steps = np.linalg.norm(np.diff(self.points(angle), axis=0), axis=1)
        return angle, np.concatenate([[0.0], np.cumsum(steps)])


@dataclass(frozen=True)
class Valve:
    """Height field and maps over the square of +-46 mm.

    ``heights`` (n, n) mm, row = y, column = x. ``parts`` (n * n, 2) float32: leaflet share 0..1 and light that reaches
    the place 0..1. ``maps`` (m * m, 4) float32: slopes dz/dx and dz/dy with the fine relief, mottle, markings 0..1.
    """

    annulus: Annulus
    heights: np.ndarray
    parts: np.ndarray
    maps: np.ndarray

    def height_at(self, places: np.ndarray) -> np.ndarray:
        """Height (...,) mm at places (..., 2) mm, bilinear."""
        return bilinear(self.heights.reshape(-1, 1), _HEIGHT_CELLS, places)[..., 0]

    def maps_at(self, places: np.ndarray) -> np.ndarray:
        """The four fine maps (..., 4) at places (..., 2) mm, bilinear."""
        return bilinear(self.maps, _MAP_CELLS, places)

    def parts_at(self, places: np.ndarray) -> np.ndarray:
        """Leaflet share and reaching light (..., 2) at places (..., 2) mm, bilinear."""
        return bilinear(self.parts, _HEIGHT_CELLS, places)

    def normals_at(self, places: np.ndarray) -> np.ndarray:
        """Unit normals (..., 3) of the coarse surface at places (..., 2) mm, towards the atrium."""
        step = 0.5
        across = [np.array([step, 0.0]), np.array([0.0, step])]
        slopes = [(self.height_at(places + d) - self.height_at(places - d)) / (2 * step) for d in across]
        normal = np.stack([-slopes[0], -slopes[1], np.ones_like(slopes[0])], axis=-1)
        return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def bilinear(table: np.ndarray, cells: int, places: np.ndarray) -> np.ndarray:
    """Values (..., k) float32 at places (..., 2) mm of a table (cells * cells, k) over +-46 mm, mirrored beyond."""
    extent = np.float32(HALF_EXTENT_MM)
    at = 2 * extent - np.abs(2 * extent - np.abs(places.astype(np.float32) + extent))
    at *= np.float32((cells - 1) / (2 * HALF_EXTENT_MM))
    np.clip(at, 0.0, cells - 1.001, out=at)
    low = at.astype(np.int64)
    part = at - low.astype(np.float32)
    first = low[..., 1] * cells + low[..., 0]
    u, v = part[..., :1], part[..., 1:]
    top = table.take(first, axis=0)
    first += 1
    right = table.take(first, axis=0)
    right -= top
    right *= u
    top += right
    first += cells
    bottom = table.take(first, axis=0)
    first -= 1
    left = table.take(first, axis=0)
    bottom -= left
    bottom *= u
    bottom += left
    bottom -= top
    bottom *= v
    top += bottom
    return top


def build_valve(rng: np.random.Generator, look: Look) -> Valve:
    """A valve with an annulus of 28 to 42 mm and its surface maps in the texture family of ``look``."""
    half_width = rng.uniform(14.0, 21.0)
    annulus = Annulus(float(half_width), float(half_width * rng.uniform(0.72, 0.95)), float(rng.uniform(0.8, 2.6)),
                      float(rng.uniform(0.0, 0.22)))
    heights, leaflet, reach = _relief(rng, annulus, look)
    fine, mottle, marks = _texture(rng, look)
    spacing = 2 * HALF_EXTENT_MM / (_MAP_CELLS - 1)
    grown = _doubled(heights) + fine.astype(np.float32)
    slope_y, slope_x = np.gradient(grown, spacing)
    maps = np.stack([slope_x, slope_y, mottle, marks], axis=-1, dtype=np.float32, casting="same_kind")
    parts = np.stack([leaflet, reach], axis=-1, dtype=np.float32, casting="same_kind")
    return Valve(annulus, heights, parts.reshape(-1, 2), maps.reshape(-1, 4))


def _doubled(coarse: np.ndarray) -> np.ndarray:
    """The coarse grid with a node between every two."""
    fine = np.empty((_MAP_CELLS, _MAP_CELLS), dtype=np.float32)
    fine[::2, ::2] = coarse
    fine[::2, 1::2] = 0.5 * (coarse[:, 1:] + coarse[:, :-1])
    fine[1::2] = 0.5 * (fine[2::2] + fine[:-2:2])
    return fine


def _relief(rng: np.random.Generator, annulus: Annulus, look: Look) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heights mm, leaflet share and reaching light, each (n, n)."""
    axis = np.linspace(-HALF_EXTENT_MM, HALF_EXTENT_MM, _HEIGHT_CELLS, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    angle = np.arctan2(y, x)
    around = np.linspace(-np.pi, np.pi, 361)
    ring = np.interp(angle, around, annulus.radius(around))
    saddle = np.interp(angle, around, annulus.saddle(around))
    distance = np.hypot(x, y) - ring
    share = np.clip(np.hypot(x, y) / ring, 0.0, 1.0)
    belly = rng.uniform(1.5, 6.0)
    inside = saddle * share**2 - belly * (1 - share**2)
    slope, roll = rng.uniform(0.15, 0.55), rng.uniform(1.5, 5.0)
    beyond = np.maximum(distance, 0.0)
    folds = smooth_noise(rng, x.shape, rng.uniform(18, 36)) * np.minimum(beyond / 8.0, 1.0) * rng.uniform(0.2, 1.1)
    outside = slope * (np.sqrt(beyond**2 + roll**2) - roll) + folds
    heights = np.where(distance > 0, saddle, inside) + outside
    # The closing line of the leaflets curves along the posterior side like a smile.
    bent = -0.38 + 0.5 * (x / annulus.half_width_mm) ** 2 - 0.04 * np.cos(0.42 * x)
    smile = annulus.half_height_mm * bent
    reach = np.clip(1.25 - np.abs(x) / annulus.half_width_mm, 0, 1) * (share < 0.97)
    gap = np.abs(y - smile)
    gape = rng.uniform(0.3, 2.2)
    crease = np.exp(-((gap / (gape + 0.7)) ** 2)) * np.minimum(reach * 3, 1)
    heights = heights - crease * rng.uniform(0.8, 2.5)
    heights = heights + layered_noise(rng, x.shape, 30.0, 3, 0.55) * (rng.uniform(0.1, 0.3) if look.clinical else 0.08)
    # A shallow groove marks the hinge of the leaflets.
    heights = heights - rng.uniform(0.0, 0.5) * np.exp(-((distance / 1.3) ** 2))
    open_dark = np.exp(-((gap / gape) ** 4)) * np.minimum(reach * 3, 1)
    light = 1 - rng.uniform(0.5, 0.97) * open_dark
    leaflet = 1 / (1 + np.exp(np.clip((distance + rng.uniform(0.5, 2.0)) * rng.uniform(0.8, 2.5), -20, 20)))
    return heights.astype(np.float32), leaflet, light


def _texture(rng: np.random.Generator, look: Look) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fine relief mm, mottle (unit variance) and markings 0..1, each (m, m)."""
    shape = (_MAP_CELLS, _MAP_CELLS)
    amount = look.texture_amount
    if look.texture == "soft":
        fine = 0.02 * amount * layered_noise(rng, shape, 14.0, 2, 0.6)
        return fine, layered_noise(rng, shape, 90.0, 3, 0.6), np.zeros(shape, dtype=np.float32)
    if look.texture == "grain":
        fine = 0.016 * amount * smooth_noise(rng, shape, 2.5)
        fine += 0.02 * amount * smooth_noise(rng, shape, 9.0)
        mottle = 0.7 * smooth_noise(rng, shape, 70.0) + 0.5 * smooth_noise(rng, shape, 3.0)
        return fine, mottle, (smooth_noise(rng, shape, 6.0) > 2.4).astype(np.float32)
    if look.texture == "veined":
        fine = amount * (0.03 * smooth_noise(rng, shape, 14.0) + 0.018 * smooth_noise(rng, shape, 6.0))
        marks = ridged_noise(rng, shape, 70.0, 2) * (smooth_noise(rng, shape, 110.0) > 0.2)
        return fine, layered_noise(rng, shape, 70.0, 4, 0.65), 0.8 * marks
    if look.texture == "pitted":
        pits = np.maximum(smooth_noise(rng, shape, 4.5) - 0.9, 0)
        fine = amount * (0.02 * smooth_noise(rng, shape, 10.0) - 0.03 * pits)
        return fine, 0.8 * smooth_noise(rng, shape, 40.0) - 0.7 * pits, 0.4 * np.minimum(pits, 1)
    fibres = resized(smooth_noise(rng, (shape[0], shape[1] // 8), 4.0), shape)
    fibres = fibres.T if rng.random() < 0.5 else fibres
    across = smooth_noise(rng, shape, 26.0)
    return (0.03 * amount * (fibres + 0.5 * across), 0.4 * fibres + 0.8 * smooth_noise(rng, shape, 60.0),
            0.6 * ridged_noise(rng, shape, 38.0, 1))
