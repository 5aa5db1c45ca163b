"""Trees of small arteries filled by a selective injection, as on the surface of the heart."""

from dataclasses import dataclass

import numpy as np

from .anatomy import LOWER, UPPER, Anatomy
from .contrast import Filling
from .strokes import bar_shadow, project_points
from .textures import smooth_noise
from .tubes import arc_lengths

THIN_VESSEL_FIELD = (0.5, 0.72)
"""The share of the usual field of view that small arteries are looked at with."""

_THINNEST_MM = 0.28
_VISIBLE_SHARE = 0.3
_SELECTIVE = {UPPER: 5.0, LOWER: 3.0}  # times the contrast that is left of an injection into the aorta


@dataclass(frozen=True)
class Artery:
    """One artery: ``line`` (n, 3) mm outwards, ``radii`` (n,) mm, mm from the tree's inlet, number of its system."""

    line: np.ndarray
    radii: np.ndarray
    inlet_distance_mm: float
    system: int


class _Surface:
    """An ellipsoid that arteries run on; places are (polar angle from the apex, angle about the long axis)."""

    def __init__(self, anatomy: Anatomy, rng: np.random.Generator) -> None:
        self.centre = tree_centre(anatomy)
        heart = anatomy.family == UPPER
        long = np.array([-0.62, 0.45, -0.64]) if heart else np.array([0.1, 0.2, -1.0])
        long = long + rng.normal(0, 0.12, size=3)
        long /= np.linalg.norm(long)
        side = np.cross(long, [0.0, -1.0, 0.25])
        side /= np.linalg.norm(side)
        half = rng.uniform(48, 62), rng.uniform(36, 48)
        self._axes = np.stack([half[0] * long, half[1] * side, half[1] * np.cross(long, side)])

    def points(self, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Points (n, 3) mm of places (n, 2), a little off the surface."""
        polar, around = places.T
        local = np.column_stack([np.cos(polar), np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around)])
        lift = 1.03 + 0.015 * smooth_noise(rng, (1, len(places)), max(6.0, len(places) / 6))[0]
        return self.centre + lift[:, None] * (local @ self._axes)


def tree_centre(anatomy: Anatomy) -> np.ndarray:
    """The middle (3,) mm of what the small arteries run on: the heart, or an organ beside the lowest aorta."""
    lines = {branch.name: branch.centreline for branch in anatomy.branches}
    if anatomy.family == UPPER:
        return lines["aortic_root"][0] + np.array([-30.0, 12.0, -42.0])
    return lines["abdominal_aorta"][-1] + np.array([-40.0, 15.0, -20.0])


def small_arteries(anatomy: Anatomy, seed: int) -> tuple[Artery, ...]:
    """A tree of arteries about an anatomy; the same for the same seed.

    Like the coronaries: two long arteries out of a common stem, one over the apex and one along the base, or one long
    one round the other side; side branches of two orders. Diameters 1.2 to 4.5 mm at their origins.
    """
    rng = np.random.default_rng([seed, 51])
    surface = _Surface(anatomy, rng)
    origin = np.array([rng.uniform(1.75, 1.95), rng.uniform(-0.4, 0.4)])
    if rng.random() < 0.65:
        ends = [np.array([rng.uniform(0.1, 0.4), origin[1] + rng.normal(0, 0.3)]),
                np.array([rng.uniform(1.3, 1.6), origin[1] + rng.uniform(1.6, 2.5)])]
    else:
        ends = [np.array([rng.uniform(1.2, 1.6), origin[1] - rng.uniform(2.6, 3.8)])]
    found: list[Artery] = []
    for system, end in enumerate(ends):
        places = _course(origin, end, rng, 110)
        radius = rng.uniform(1.5, 2.25)
        radii = radius * np.linspace(1.0, rng.uniform(0.3, 0.5), len(places))
        _grow(found, surface, rng, places, radii, 0.0, system, order=0)
    return tuple(found)


def _course(start: np.ndarray, end: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """Places (count, 2) from one to another, winding."""
    along = np.linspace(0.0, 1.0, count)[:, None]
    wind = np.column_stack([smooth_noise(rng, (1, count), count / rng.uniform(3, 8))[0] for _ in range(2)])
    return start + along * (end - start) + 0.06 * np.sqrt(along) * wind


def _grow(found: list[Artery], surface: _Surface, rng: np.random.Generator, places: np.ndarray, radii: np.ndarray,
          inlet: float, system: int, order: int, start: np.ndarray | None = None) -> None:
    """Add an artery and its branches; it begins at ``start`` (3,) mm where that is given."""
    line = surface.points(places, rng)
    if start is not None:
        line += np.linspace(1.0, 0.0, len(line))[:, None] * (start - line[0])
    found.append(Artery(line, radii, inlet, system))
    if order == 2:
        return
    along = arc_lengths(line)
    side = float(rng.choice([-1.0, 1.0]))
    for share in np.sort(rng.uniform(0.1, 0.85, size=int(rng.integers(*((4, 9) if order == 0 else (0, 4)))))):
        at = int(share * len(places))
        side = -side if rng.random() < 0.7 else side
        reach = (1.2 if order == 0 else 0.6) * (1.1 - 0.7 * share)
        end = places[at] + np.array([-rng.uniform(0.3, 0.9), side * rng.uniform(0.3, 0.9)]) * reach
        branch = np.linspace(1.0, 0.45, 50) * radii[at] * rng.uniform(0.5, 0.8)
        if branch[-1] < _THINNEST_MM:
            branch = np.maximum(branch, _THINNEST_MM)
        branch_places = _course(places[at], end, rng, 50)
        _grow(found, surface, rng, branch_places, branch, inlet + along[at], system, order + 1, line[at])


def artery_shadow(
    anatomy: Anatomy, filling: Filling, seed: int, projection: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation (rows, columns) float32 of the filled small arteries, and the mask (bool) an observer would outline.

    Of ``filling`` the attenuation and the softness of its front count; how far it has come is drawn with ``seed``.
    """
    total, mask = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool)
    if filling.per_mm == 0:
        return total, mask
    arteries = small_arteries(anatomy, seed)
    rng = np.random.default_rng([seed, 52])
    longest = max(artery.inlet_distance_mm + arc_lengths(artery.line)[-1] for artery in arteries)
    front = longest * (rng.uniform(0.4, 1.0) if rng.random() < 0.3 else 1.5)
    for system in range(1 + max(artery.system for artery in arteries)):
        layer = np.zeros(shape, dtype=np.float32)
        for artery in arteries:
            place = artery.inlet_distance_mm + arc_lengths(artery.line)
            share = np.clip(0.5 + (front - place) / max(filling.softness_mm, 1.0), 0.0, 1.0)
            seen = int(np.argmax(share <= _VISIBLE_SHARE)) if share.min() <= _VISIBLE_SHARE else len(share)
            if artery.system != system or seen < 2:
                continue
            pixels, scale = project_points(artery.line[:seen], projection)
            if not np.any(np.all((pixels > -8) & (pixels < np.array(shape[::-1]) + 8), axis=1)):
                continue
            radii = artery.radii[:seen] * scale
            value = _SELECTIVE[anatomy.family] * filling.per_mm * 2 * artery.radii[:seen] * share[:seen]
            layer = np.maximum(layer, bar_shadow(shape, pixels, radii, value))
            mask |= bar_shadow(shape, pixels, np.maximum(radii, 0.75)) > 0.1
        total += layer
    return total, mask
