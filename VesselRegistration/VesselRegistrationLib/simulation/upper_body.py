"""The thoracic aorta as a parametric family.

Diameters follow the adult ranges of contrast CT: Hager et al. 2002 (sinuses 30 +- 5, ascending 31 +- 4, arch
29 +- 4, isthmus 26 +- 4, descending 24 +- 4 mm), Wolak et al. 2008 (ascending 33 +- 4, descending 24 +- 3 mm) and the
ESC guideline of 2014 (annulus 20 to 31 mm, dilated above 40 mm). Stems of the arch: brachiocephalic 10 to 15, left
common carotid 6 to 9, left subclavian 8 to 11 mm; left main coronary 4 to 5, right coronary 3 to 4.5 mm. A common
origin of the first two stems ("bovine" arch) is seen in about 15 % of adults, arch types I to III about equally.
"""

from dataclasses import dataclass

import numpy as np

from .tubes import Tube, arc_lengths, spline_tube, tangents


@dataclass(frozen=True)
class TubeTree:
    """What a family hands over for meshing: solid ``tubes``, and which stretch of which tube is which branch.

    ``branches`` holds (name, tube number, first sample, last sample + 1, distance in mm of its first sample from the
    inlet along the vessel).
    """

    tubes: tuple[Tube, ...]
    branches: tuple[tuple[str, int, int, int, float], ...]


def thoracic_aorta(rng: np.random.Generator) -> TubeTree:
    """One thoracic aorta with sinuses, stems of the arch and coronary stubs; RAS mm, the annulus near the origin."""
    size = rng.normal(1.0, 0.08)
    height = float(np.clip(rng.normal(1.0, 0.08), 0.85, 1.15))
    aorta, cuts = _aorta(rng, size, height)
    lengths = arc_lengths(aorta.centreline)
    tubes = [aorta]
    branches = [(name, 0, first, last, float(lengths[first])) for name, first, last in cuts]
    tubes += _sinuses(rng, aorta)
    for name, start, tube in (*_stems(rng, aorta, cuts[2]), *_coronaries(rng, aorta)):
        branches.append((name, len(tubes), 0, len(tube.radii), float(lengths[start])))
        tubes.append(tube)
    return TubeTree(tuple(tubes), tuple(branches))


def _aorta(rng: np.random.Generator, size: float, height: float) -> tuple[Tube, list[tuple[str, int, int]]]:
    """The aorta from outflow tract to lower thorax, and its four stretches (name, first, last + 1)."""
    span = rng.normal(1.0, 0.10)
    rise = rng.uniform(-8.0, 12.0)
    points = np.array([
        [-9.0, 22.0, -9.0],
        [0.0, 28.0, 8.0],
        [12.0, 36.0, 32.0],
        [15.0, 34.0, 58.0],
        [6.0, 20.0, 84.0 + 0.3 * rise],
        [-8.0, -6.0, 96.0 + rise],
        [-21.0, -32.0, 85.0 + 0.6 * rise],
        [-27.0, -48.0, 58.0],
        [-25.0, -54.0, 20.0],
        [-22.0, -55.0, -20.0],
        [-18.0, -52.0, -62.0],
    ])
    points[:, :2] *= span
    points[:, 2] *= height
    jitter = rng.normal(size=points.shape) * np.array([3.0, 3.0, 2.0])
    jitter[0] *= 0.3
    points += jitter
    bow = rng.normal(0.0, 5.0)
    points[7:, 0] += bow * np.sin(np.linspace(0.0, np.pi, 4))
    points[-1, 2] += rng.uniform(-25.0, 15.0)
    annulus = np.clip(rng.normal(12.0, 1.0), 10.0, 15.0) * size
    dilated = rng.random() < 0.15
    ascending = np.clip(rng.normal(16.0, 1.6), 13.0, 20.0) * size * (rng.uniform(1.15, 1.4) if dilated else 1.0)
    junction = max(annulus * 1.05, ascending * rng.uniform(0.86, 0.96))
    arch = np.clip(rng.normal(14.0, 1.2), 11.5, 17.5) * size
    isthmus = arch * rng.uniform(0.84, 0.95)
    descending = np.clip(rng.normal(12.3, 1.2), 9.5, 15.5) * size
    profile = [(0.0, annulus), (0.045, annulus), (0.11, junction * 1.0), (0.22, ascending), (0.33, 0.96 * ascending),
               (0.44, arch), (0.56, isthmus), (0.66, descending * 1.03), (1.0, descending * rng.uniform(0.86, 0.96))]
    aorta = spline_tube(points, profile, flat_start=True, flat_end=True)
    count = len(aorta.radii)
    apex = int(np.argmax(aorta.centreline[:, 2]))
    root, proximal, distal = round(0.11 * count), max(round(0.12 * count), apex - 24), apex + 26
    cuts = [("aortic_root", 0, root), ("ascending_aorta", root, proximal), ("aortic_arch", proximal, distal),
            ("descending_aorta", distal, count)]
    return aorta, cuts


def _sinuses(rng: np.random.Generator, aorta: Tube) -> list[Tube]:
    """Three bulges of Valsalva about the root, each a short fat tube beside the axis."""
    level = round(0.066 * len(aorta.radii))
    axis = tangents(aorta.centreline)[level]
    annulus = aorta.radii[0]
    outer = annulus * rng.uniform(1.30, 1.50)
    sideways = np.cross(axis, [0.0, 0.0, 1.0])
    sideways /= np.linalg.norm(sideways)
    upright = np.cross(sideways, axis)
    bulge = outer * 0.60
    start = rng.uniform(0.0, 2 * np.pi)
    sinuses = []
    for number in range(3):
        angle = start + number * 2 * np.pi / 3 + rng.normal(0.0, 0.05)
        centre = aorta.centreline[level] + (outer - bulge) * (np.cos(angle) * sideways + np.sin(angle) * upright)
        line = centre + axis * np.linspace(-0.18, 0.22, 4)[:, None] * outer
        sinuses.append(Tube(line, np.full(4, bulge * rng.uniform(0.95, 1.05))))
    return sinuses


def _stems(rng: np.random.Generator, aorta: Tube, arch: tuple[str, int, int]) -> list[tuple[str, int, Tube]]:
    """Brachiocephalic, left carotid and left subclavian: (name, sample of the aorta it leaves from, tube)."""
    first, last = arch[1], arch[2]
    shift = rng.uniform(-0.08, 0.10)
    fractions = np.array([0.26, 0.50, 0.74]) + shift + rng.normal(0.0, 0.02, size=3)
    bovine = rng.random() < 0.15
    radii = rng.uniform([5.2, 3.1, 4.2], [7.2, 4.3, 5.6])
    reach = rng.uniform(32.0, 62.0) + rng.normal(0.0, 5.0, size=3)
    leans = np.array([[0.55, 0.30, 1.0], [-0.15, 0.10, 1.0], [-0.42, -0.20, 1.0]]) + rng.normal(0.0, 0.10, size=(3, 3))
    names = ("brachiocephalic", "left_carotid", "left_subclavian")
    stems: list[tuple[str, int, Tube]] = []
    for number, name in enumerate(names):
        station = int(first + np.clip(fractions[number], 0.05, 0.95) * (last - first))
        origin = aorta.centreline[station]
        lean = leans[number] / np.linalg.norm(leans[number])
        if bovine and number == 1:
            trunk = stems[0][2].centreline
            origin, station = trunk[min(len(trunk) - 1, round(1.15 * aorta.radii[station] / 1.5))], stems[0][1]
        mid = origin + lean * (0.5 * reach[number] + 8.0) + rng.normal(0.0, 2.5, size=3)
        late = lean * np.array([0.5 if number != 2 else 1.7, 0.6, 1.0])
        end = mid + late / np.linalg.norm(late) * (0.5 * reach[number] + 6.0)
        radius = radii[number]
        profile = [(0.0, radius * 1.12), (0.3, radius * 1.05), (0.6, radius), (1.0, radius * 0.93)]
        stems.append((name, station, spline_tube(np.array([origin, mid, end]), profile, flat_end=True)))
    return stems


def _coronaries(rng: np.random.Generator, aorta: Tube) -> list[tuple[str, int, Tube]]:
    """Short stubs of the left main and right coronary artery out of the sinuses."""
    level = round(0.095 * len(aorta.radii))
    axis = tangents(aorta.centreline)[level]
    stubs = []
    for name, away, turn, radius in (
        ("left_coronary", np.array([-1.0, 0.15, 0.1]), np.array([-0.5, 0.8, -0.45]), rng.uniform(1.9, 2.5)),
        ("right_coronary", np.array([0.25, 1.0, 0.0]), np.array([0.9, 0.35, -0.8]), rng.uniform(1.6, 2.2)),
    ):
        heading = away + rng.normal(0.0, 0.12, size=3)
        heading -= heading @ axis * axis * 0.7
        heading /= np.linalg.norm(heading)
        start = aorta.centreline[level] + 0.5 * aorta.radii[level] * heading
        ostium = aorta.centreline[level] + (1.1 * aorta.radii[level] + 4.0) * heading
        bend = ostium + turn / np.linalg.norm(turn) * rng.uniform(6.0, 11.0)
        end = bend + (turn + rng.normal(0.0, 0.25, size=3)) * rng.uniform(4.0, 9.0)
        profile = [(0.0, radius * 1.1), (0.5, radius), (1.0, radius * 0.85)]
        stubs.append((name, level, spline_tube(np.array([start, ostium, bend, end]), profile, flat_end=True)))
    return stubs
