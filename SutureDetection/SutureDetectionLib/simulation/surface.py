"""Light on the valve: where every pixel's ray meets the height field, and how bright the wet tissue looks there."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .looks import Look
from .stitches import ENTRY, Stitches
from .valve import Valve
from .view import View

_CELL_PX = 3
_STEPS = 10
_RELAXATION = 0.7
_BLOOD = np.array([0.26, 0.012, 0.010], dtype=np.float32)
_CUE_REACH_MM = 1.9


@dataclass(frozen=True)
class Meeting:
    """Where the rays meet the tissue: ``places`` (rows * columns, 3) mm in the model frame, ``depths`` (rows, columns).

    ``leaflet`` and ``reach`` (rows * columns,) are the parts of :class:`.valve.Valve` there.
    """

    places: np.ndarray
    depths: np.ndarray
    leaflet: np.ndarray
    reach: np.ndarray

    @property
    def typical_mm(self) -> float:
        """Median depth, from every fourth pixel."""
        return float(np.median(self.depths[::4, ::4]))


@lru_cache(maxsize=16)
def _between(size: int, nodes: int) -> np.ndarray:
    """Bilinear weights (size, nodes) of pixels between nodes of which the outer ones are the outer pixels."""
    at = np.linspace(0.0, nodes - 1, size)
    low = np.minimum(at.astype(int), nodes - 2)
    weights = np.zeros((size, nodes), dtype=np.float32)
    weights[np.arange(size), low] = 1 - (at - low)
    weights[np.arange(size), low + 1] = at - low
    return weights


def meet(valve: Valve, view: View) -> Meeting:
    """Ray casting on a coarse grid of pixels, bilinear in between (the relief is smooth at that scale)."""
    rows, columns = view.size
    nodes = (rows // _CELL_PX + 1, columns // _CELL_PX + 1)
    col, row = np.meshgrid(np.linspace(0, columns - 1, nodes[1]), np.linspace(0, rows - 1, nodes[0]))
    plane = view.camera.undistorted(np.stack([col, row], axis=-1))
    rays = np.concatenate([plane, np.ones((*nodes, 1))], axis=-1) @ view.rotation
    centre = view.centre
    falling = np.minimum(rays[..., 2], -0.05)
    way = -centre[2] / falling
    for _ in range(_STEPS):
        place = centre[:2] + way[..., None] * rays[..., :2]
        way = way + _RELAXATION * ((valve.height_at(place) - centre[2]) / falling - way)
    met = centre + way[..., None] * rays
    parts = valve.parts_at(met[..., :2])
    grid = np.concatenate([met, way[..., None], parts], axis=-1).astype(np.float32)
    down, over = _between(rows, nodes[0]), _between(columns, nodes[1])
    full = [down @ np.ascontiguousarray(grid[..., k]) @ over.T for k in range(6)]
    places = np.stack([part.ravel() for part in full[:3]], axis=1)
    return Meeting(places, full[3], full[4].ravel(), full[5].ravel())


def shade(rng: np.random.Generator, valve: Valve, view: View, look: Look, stitches: Stitches,
          meeting: Meeting) -> np.ndarray:
    """Linear light (rows * columns, 3) float32 of the tissue with its punctures, wet, lit from beside the lens."""
    place = meeting.places
    maps = valve.maps_at(place[:, :2])
    slope_x, slope_y, mottle, marks = (np.ascontiguousarray(maps[:, k]) for k in range(4))
    albedo = _albedo(look, mottle, marks, meeting.leaflet)
    gloss = np.full(len(place), look.wetness, dtype=np.float32)
    _blood(rng, look, valve, place, mottle, albedo, gloss, (slope_x, slope_y))
    _punctures(rng, view, look, stitches, meeting, albedo, (slope_x, slope_y))
    if not look.clinical:  # the silicone ends somewhere, beyond is the dark of the box
        edge = np.hypot(place[:, 0], place[:, 1]) - look.cast_mm
        albedo *= np.clip(1 - 0.4 * edge, 0.07, 1.0)[:, None]
    lamp = view.centre + view.rotation[0] * look.light_mm[0] + view.rotation[1] * look.light_mm[1]
    diffuse, shine = _reflection(place, slope_x, slope_y, lamp.astype(np.float32), view.centre, look)
    # Half falls off with the square of the distance; automatic exposure has taken most of the rest away.
    near = (meeting.typical_mm / np.maximum(meeting.depths.ravel(), 5.0)) ** 1.5
    light = near * meeting.reach
    image = albedo * (light * (look.ambient + (1 - look.ambient) * diffuse))[:, None]
    image += (0.55 * light * gloss * shine)[:, None]
    return (image * look.light.astype(np.float32)).astype(np.float32)


def _albedo(look: Look, mottle: np.ndarray, marks: np.ndarray, leaflet: np.ndarray) -> np.ndarray:
    tissue, pale = look.tissue.astype(np.float32), look.leaflet.astype(np.float32)
    albedo = tissue + leaflet[:, None] * (pale - tissue)
    albedo += (0.5 * look.texture_amount * mottle)[:, None] * look.mottle.astype(np.float32)
    if look.clinical:
        vessel = np.array([0.30, 0.03, 0.05], dtype=np.float32)
        albedo += (marks * 0.5 * look.texture_amount)[:, None] * (vessel - albedo)
    else:
        albedo *= (1 - 0.35 * np.minimum(marks, 1))[:, None]
    return np.clip(albedo, 0.01, 0.95)


def _blood(rng: np.random.Generator, look: Look, valve: Valve, place: np.ndarray, mottle: np.ndarray,
           albedo: np.ndarray, gloss: np.ndarray, slopes: tuple[np.ndarray, np.ndarray]) -> None:
    """A pool in the deepest part and smears on the wall, in place."""
    if look.blood <= 0.05:
        return
    low = float(np.quantile(valve.heights[80:152, 80:152], 0.02))
    level = low + look.blood * rng.uniform(0.3, 3.2)
    pool = np.clip((level - place[:, 2]) / 0.5, 0, 1)
    smear = 0.75 * np.clip((mottle - rng.uniform(0.9, 2.4)) * 2.0, 0, 1) * look.blood
    share = np.maximum(pool * rng.uniform(0.75, 0.97), smear)[:, None]
    albedo += share * (_BLOOD * np.float32(rng.uniform(0.6, 1.8)) - albedo)
    still = 1 - 0.85 * pool
    np.multiply(slopes[0], still, out=slopes[0])
    np.multiply(slopes[1], still, out=slopes[1])
    gloss *= 1 + 0.6 * pool


def _punctures(rng: np.random.Generator, view: View, look: Look, stitches: Stitches, meeting: Meeting,
               albedo: np.ndarray, slopes: tuple[np.ndarray, np.ndarray]) -> None:
    """Dent (entry) or tent (exit) with a dark hole, blood about it, the ridge of the buried thread; in place.

    What tells an entry from an exit: the tissue is drawn in or out, and in surgery the exit bleeds more. With a weak
    cue, from far or under smoke, the two cannot be told apart; then only the neighbours help, since one operation
    goes round the valve in one direction.
    """
    number = len(stitches.points)
    centres = np.concatenate([stitches.points, stitches.empty])
    if not len(centres):
        return
    kinds = np.concatenate([stitches.kinds, np.full(len(stitches.empty), ENTRY)])
    height = np.where(kinds == ENTRY, -1.0, 1.0) * np.concatenate([stitches.cues, np.full(len(stitches.empty), 0.5)])
    height *= rng.uniform(0.3, 0.7)
    width = rng.uniform(0.45, 0.75, size=len(centres))
    hole = rng.uniform(0.55, 0.95, size=len(centres))
    partner = np.zeros((len(centres), 2))
    turned = stitches.points.reshape(-1, 2, 3)[:, ::-1].reshape(-1, 3)
    partner[:number] = (0.5 * (turned - stitches.points))[:, :2]
    bleeding = rng.uniform(0, 1, size=len(centres)) ** 2 * np.where(kinds == ENTRY, 0.45, 1.0) * look.blood
    pixels, depths = view.project(centres)
    window = int(np.clip(np.ceil(_CUE_REACH_MM * view.camera.focal_px / max(float(depths.min()), 20.0)), 3, 22))
    rows, columns = view.size
    step = np.arange(-window, window + 1)
    base = np.rint(pixels).astype(int)
    col = base[:, 0, None, None] + step + 0 * step[:, None]
    row = base[:, 1, None, None] + step[:, None] + 0 * step
    inside = (col >= 0) & (col < columns) & (row >= 0) & (row < rows)
    which = np.nonzero(inside)[0]
    index = row[inside] * columns + col[inside]
    d = meeting.places[index, :2] - centres[which, :2]
    square = np.einsum("ij,ij->i", d, d)
    bump = height[which] * np.exp(-square / (2 * width[which] ** 2)) / width[which] ** 2
    reach = np.maximum(np.einsum("ij,ij->i", partner, partner), 1e-6)
    t = np.clip(np.einsum("ij,ij->i", d, partner[which]) / reach[which], 0, 1)
    aside = d - t[:, None] * partner[which]
    ridge = np.where((which < number) & (t > 0), 0.22 * np.exp(-np.einsum("ij,ij->i", aside, aside) / 0.5) / 0.25, 0.0)
    for axis, slope in enumerate(slopes):
        np.add.at(slope, index, (-d[:, axis] * bump - aside[:, axis] * ridge).astype(np.float32))
    dark = 1 - hole[which] * np.exp(-square / (0.32 + 0.12 * (kinds[which] == ENTRY)) ** 2)
    # Little light gets into a dent, more onto a tent.
    cue = np.concatenate([stitches.cues, np.full(len(stitches.empty), 0.5)]) * np.where(kinds == ENTRY, -0.65, 0.35)
    dark *= 1 + cue[which] * np.exp(-square / 0.95**2)
    np.multiply.at(albedo, index, dark.astype(np.float32)[:, None])
    if look.clinical and bleeding.max() > 0.05:
        red = bleeding[which] * np.exp(-square / 1.1**2)
        for channel in range(3):
            old = albedo[index, channel]
            np.add.at(albedo[:, channel], index, (red * (0.6 * _BLOOD[channel] - old)).astype(np.float32))
        np.maximum(albedo, 0.005, out=albedo)


def _reflection(place: np.ndarray, slope_x: np.ndarray, slope_y: np.ndarray, lamp: np.ndarray, centre: np.ndarray,
                look: Look) -> tuple[np.ndarray, np.ndarray]:
    """Lambert's cosine and Blinn's highlight, each (n,) float32."""
    length = np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    diffuse = _cosine(lamp, place, slope_x, slope_y, length)
    between = (0.5 * (lamp + centre)).astype(np.float32)
    half = _cosine(between, place, slope_x, slope_y, length)
    shine = np.exp(np.float32(2 * look.gloss) * (half - 1))
    shine += 0.06 * np.exp(np.float32(10.0) * (half - 1))
    return diffuse, shine.astype(np.float32)


def _cosine(source: np.ndarray, place: np.ndarray, slope_x: np.ndarray, slope_y: np.ndarray,
            length: np.ndarray) -> np.ndarray:
    """Cosine (n,) between the normal (-slope_x, -slope_y, 1) / length and the direction to a source (3,)."""
    x, y, z = (source[k] - place[:, k] for k in range(3))
    cosine = z - slope_x * x - slope_y * y
    cosine /= length * np.sqrt(x * x + y * y + z * z)
    return np.maximum(cosine, 0.0)
