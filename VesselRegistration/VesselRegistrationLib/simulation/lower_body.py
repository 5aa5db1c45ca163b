"""The abdominal aorta with iliac and femoral arteries as a parametric family.

Adult diameters of CT series: infrarenal aorta 15 to 24 mm (men 20 +- 2.5, women 17 +- 2), common iliac 8 to 13,
external iliac 7 to 10, internal iliac 5 to 7.5, common femoral 7 to 10.5, superficial femoral 5 to 7.5, deep femoral
4.5 to 6.5, renal 4.5 to 6.5 mm (ESVS guidelines of 2019 and 2024 for the aorta and its aneurysms of 30 to 60 mm;
Sandgren et al. 1999 for the femorals). Lengths: infrarenal aorta 80 to 120, common iliac 35 to 75, external
iliac 85 to 125 mm; aortic bifurcation 35 to 65 degrees.
"""

import numpy as np

from .tubes import Tube, arc_lengths, spline_tube
from .upper_body import TubeTree


def abdominal_aorta(rng: np.random.Generator) -> TubeTree:
    """One aorto-ilio-femoral tree; RAS mm, the aortic bifurcation near the origin."""
    size = float(np.clip(rng.normal(1.0, 0.09), 0.8, 1.2))
    tortuosity = rng.choice([0.4, 1.0, 2.2], p=[0.35, 0.45, 0.20])
    aorta, renal_level = _aorta(rng, size, tortuosity)
    lengths = arc_lengths(aorta.centreline)
    tubes = [aorta]
    branches = [("abdominal_aorta", 0, 0, len(aorta.radii), 0.0)]
    if rng.random() < 0.65:
        for side, name in ((1.0, "right_renal"), (-1.0, "left_renal")):
            if rng.random() < 0.9:
                tube = _renal(rng, aorta, renal_level, side)
                branches.append((name, len(tubes), 0, len(tube.radii), float(lengths[renal_level])))
                tubes.append(tube)
    for side, word in ((1.0, "right"), (-1.0, "left")):
        for name, first, last, distance, tube in _leg(rng, aorta.centreline[-1], side, size, tortuosity):
            if first == 0:
                tubes.append(tube)
            branches.append((f"{word}_{name}", len(tubes) - 1, first, last, float(lengths[-1]) + distance))
    return TubeTree(tuple(tubes), tuple(branches))


def _aorta(rng: np.random.Generator, size: float, tortuosity: float) -> tuple[Tube, int]:
    """The aorta from the lower thorax or the renals to its bifurcation, and the sample at the renal level."""
    infrarenal = rng.uniform(82.0, 118.0)
    above = rng.uniform(18.0, 55.0)
    heights = np.array([infrarenal + above, infrarenal, 0.66 * infrarenal, 0.33 * infrarenal, 0.0])
    lordosis = np.array([-26.0, -16.0, -6.0, -1.0, -2.0])
    sway = rng.normal(0.0, 3.0, size=5) * tortuosity
    points = np.column_stack([-4.0 + sway, lordosis + rng.normal(0.0, 2.0, size=5), heights])
    points[-1, :2] = [rng.normal(-2.0, 3.0), rng.normal(-2.0, 2.0)]
    radius = float(np.clip(rng.normal(9.6, 1.1), 7.5, 12.0)) * size
    renal = above / (above + infrarenal)
    profile = [(0.0, radius * 1.18), (renal, radius * 1.06), (renal + 0.35 * (1 - renal), radius),
               (renal + 0.8 * (1 - renal), radius * 0.95), (1.0, radius * 0.88)]
    if rng.random() < 0.22:
        sac = rng.uniform(15.0, 28.0)
        profile = [(0.0, radius * 1.18), (renal, radius * 1.05), (renal + 0.22 * (1 - renal), radius * 1.05),
                   (renal + 0.55 * (1 - renal), sac), (renal + 0.88 * (1 - renal), radius * 1.15), (1.0, radius)]
        points[2:4, :2] += rng.normal([-6.0, 7.0], 4.0)
    tube = spline_tube(points, profile, flat_start=True)
    return tube, round(renal * (len(tube.radii) - 1))


def _renal(rng: np.random.Generator, aorta: Tube, level: int, side: float) -> Tube:
    """A renal stub that leaves sideways, dips and runs back to the kidney."""
    origin = aorta.centreline[max(0, level + int(rng.integers(-3, 4)))]
    reach = rng.uniform(24.0, 46.0)
    points = origin + np.array([[0.0, 0.0, 0.0], [0.5 * side, 0.05, -0.14], [1.0 * side, -0.38, -0.30]]) * reach
    points[1:] += rng.normal(0.0, 2.0, size=(2, 3))
    radius = rng.uniform(2.3, 3.2)
    return spline_tube(points, [(0.0, 1.25 * radius), (0.5, radius), (1.0, 0.92 * radius)], flat_end=True)


def _leg(
    rng: np.random.Generator, origin: np.ndarray, side: float, size: float, tortuosity: float
) -> list[tuple[str, int, int, float, Tube]]:
    """The arteries of one side, common iliac to femorals: (name, first sample, last + 1, distance, tube) each.

    Arteries that share a tube follow one another. The distance is that of the first sample from ``origin``.
    """
    common = rng.uniform(0.75, 1.25)
    wide = rng.normal(1.0, 0.08)
    radius = float(np.clip(rng.normal(5.2, 0.6), 4.0, 6.6)) * size
    ectatic = rng.uniform(1.2, 1.6) if rng.random() < 0.15 else 1.0
    fork = origin + np.array([side * 33.0 * wide, -24.0, -46.0 * common]) + rng.normal(0.0, 3.0, size=3)
    groin = origin + np.array([side * 68.0 * wide, 34.0, -46.0 * common - 92.0]) + rng.normal(0.0, 4.0, size=3)
    wander = tortuosity * rng.normal(0.0, 1.0, size=(5, 3)) * np.array([4.5, 4.0, 2.5])
    points = np.array([
        origin + np.array([0.0, 0.0, 3.0]),
        0.6 * origin + 0.4 * fork + [side * 1.5, 3.0, 0.0] + wander[0],
        fork,
        0.67 * fork + 0.33 * groin + [side * 2.0, -13.0, -6.0] + wander[1],
        0.34 * fork + 0.66 * groin + [side * 5.0, -11.0, -6.0] + wander[2],
        groin,
        groin + [side * -1.0, 4.0, -rng.uniform(32.0, 45.0)] + 0.4 * wander[3],
    ])
    profile = [(0.0, radius * ectatic), (0.14, 1.02 * radius * ectatic), (0.26, 0.95 * radius * ectatic),
               (0.36, 0.80 * radius), (0.6, 0.76 * radius), (0.85, 0.82 * radius), (1.0, 0.82 * radius)]
    main = spline_tube(points, profile)
    lengths = arc_lengths(main.centreline)
    at_fork = int(np.argmin(np.linalg.norm(main.centreline - fork, axis=1)))
    at_groin = int(np.argmin(np.linalg.norm(main.centreline - groin, axis=1)))
    end = len(main.radii)
    arteries = [
        ("common_iliac", 0, at_fork, 0.0, main),
        ("external_iliac", at_fork, at_groin, float(lengths[at_fork]), main),
        ("common_femoral", at_groin, end, float(lengths[at_groin]), main),
    ]
    for name, start, steps, thinnest, thickest in (
        ("internal_iliac", at_fork - 2, [[3.0, -17.0, -20.0], [-2.0, -14.0, -26.0], [-9.0, 2.0, -20.0]], 2.6, 3.6),
        ("superficial_femoral", end - 1, [[0.0, 3.0, -22.0], [-6.0, -2.0, -32.0], [-7.0, -4.0, -34.0]], 2.6, 3.6),
        ("deep_femoral", end - 3, [[9.0, -7.0, -15.0], [6.0, -7.0, -24.0], [1.0, -6.0, -26.0]], 2.2, 3.1),
    ):
        moves = np.array(steps) * rng.uniform(0.75, 1.15) * [side, 1.0, 1.0] + rng.normal(0.0, 2.0, size=(3, 3))
        line = main.centreline[start] + np.vstack([np.zeros(3), np.cumsum(moves, axis=0)])
        thin = rng.uniform(thinnest, thickest) * size
        tube = spline_tube(line, [(0.0, 1.2 * thin), (0.25, 1.05 * thin), (1.0, 0.88 * thin)], flat_end=True)
        arteries.append((name, 0, len(tube.radii), float(lengths[start]), tube))
    return arteries
