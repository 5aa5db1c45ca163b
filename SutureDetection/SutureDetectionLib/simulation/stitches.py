"""Mattress stitches round the annulus: where the threads enter and leave the tissue, and how they run from there."""

from dataclasses import dataclass

import numpy as np

from .looks import Look
from .valve import Valve

ENTRY, EXIT = 0, 1


@dataclass(frozen=True)
class Strand:
    """A thread in space: ``line`` (n, 3) mm, ``radius_mm``, linear RGB (3,), ``stained`` share of blood and ``sunk``
    share of shadow at its start.

    ``material`` is "thread", "needle" or "chorda". ``lift_mm`` (n,) is the height above the tissue, for its shadow.
    """

    line: np.ndarray
    radius_mm: float
    colour: np.ndarray
    stained: float = 0.0
    sunk: float = 0.0
    material: str = "thread"
    lift_mm: np.ndarray | float = 0.0


@dataclass(frozen=True)
class Stitches:
    """Points (n, 3) mm where threads pierce the tissue, with normals (n, 3); ``kinds`` 0 entry, 1 exit; ``pair_ids``.

    ``cues`` (n,) 0..1 says how clearly the tissue shows which of the two it is. ``empty`` (m, 3) are holes without
    a thread, which are no stitch points.
    """

    points: np.ndarray
    normals: np.ndarray
    kinds: np.ndarray
    pair_ids: np.ndarray
    cues: np.ndarray
    strands: tuple[Strand, ...]
    knots: np.ndarray
    pledgets: tuple[np.ndarray, ...]
    empty: np.ndarray


def place_stitches(rng: np.random.Generator, valve: Valve, look: Look) -> Stitches:
    """8 to 18 mattress stitches, or now and then fewer, over a part of the annulus; their threads; false friends."""
    ends, kinds, pairs = _piercings(rng, valve)
    points = _on_surface(valve, ends)
    normals = valve.normals_at(ends)
    cues = np.repeat(rng.uniform(0.35, 1.0, size=len(points) // 2), 2)
    strands: list[Strand] = []
    knots: list[np.ndarray] = []
    habit = _Habit.draw(rng)
    for pair in range(len(points) // 2):
        sunk = 0.9 * float(cues[2 * pair])
        both = points[2 * pair : 2 * pair + 2]
        colour = look.thread_colours[pair % len(look.thread_colours)] * rng.uniform(0.85, 1.15)
        strands += _threads_of_pair(rng, valve, look, habit, both, kinds[2 * pair : 2 * pair + 2], colour, sunk, knots)
    strands += _loose_threads(rng, valve, look)
    strands += _chordae(rng, valve, look) if look.clinical else []
    if len(points) and rng.random() < 0.3:
        strands.append(_needle(rng, valve, points, kinds, int(rng.integers(len(points) // 2))))
    pledgets = _pledgets(rng, valve, points) if rng.random() < 0.18 else ()
    holes = rng.uniform(-1, 1, size=(int(rng.integers(0, 5)), 2)) * 18.0
    return Stitches(points, normals, kinds, pairs, cues, tuple(strands), np.array(knots).reshape(-1, 3), pledgets,
                    _on_surface(valve, holes))


def _on_surface(valve: Valve, places: np.ndarray) -> np.ndarray:
    return np.column_stack([places, valve.height_at(places)]) if len(places) else np.zeros((0, 3))


def _piercings(rng: np.random.Generator, valve: Valve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (2n, 2) mm, kinds (2n,) and pair ids (2n,): entry and exit of a stitch follow each other."""
    angles, lengths = valve.annulus.length_table()
    whole = lengths[-1]
    slots = int(rng.integers(8, 19))
    done = rng.random()
    count = 0 if done < 0.02 else int(rng.integers(1, slots)) if done < 0.25 else slots
    slot = whole / slots
    start = rng.uniform(0, whole)
    middle = start + (np.arange(count) + rng.uniform(-0.13, 0.13, size=count)) * slot
    width = np.minimum(rng.uniform(2.6, 6.0) * rng.uniform(0.75, 1.25, size=count), rng.uniform(0.62, 0.86) * slot)
    sides = np.array([-0.5, 0.5]) * rng.choice([-1, 1])
    along = (middle[:, None] + sides * width[:, None]) % whole
    place = valve.annulus.points(np.interp(along.ravel(), lengths, angles))[:, :2]
    outward = place / np.linalg.norm(place, axis=1, keepdims=True)
    turn = np.repeat(rng.normal(0.0, 0.12, size=count) + rng.normal(0.0, 0.10), 2) * np.tile(sides * 2, count)
    off = rng.uniform(-0.5, 1.8) + rng.normal(0.0, 0.45, size=2 * count) + turn * np.repeat(width, 2)
    return place + off[:, None] * outward, np.tile([ENTRY, EXIT], count), np.repeat(np.arange(count), 2)


@dataclass(frozen=True)
class _Habit:
    """How the threads of one operation are kept: ``share`` (4,) of taut, draped, cut, inward; where taut ones go."""

    share: np.ndarray
    rise_mm: float
    reach_mm: float
    gather: np.ndarray
    gathered: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "_Habit":
        share = rng.dirichlet([4.0, 2.0, 0.7, 0.7])
        heading = rng.uniform(0, 2 * np.pi)
        gather = np.array([np.cos(heading), np.sin(heading), 0.0]) * rng.uniform(20, 45)
        return cls(share, float(rng.uniform(2, 22)), float(rng.uniform(22, 42)), gather,
                   float(rng.choice([0.0, 0.0, rng.uniform(0.2, 0.7)])))


def _threads_of_pair(rng: np.random.Generator, valve: Valve, look: Look, habit: _Habit, both: np.ndarray,
                     kinds: np.ndarray, colour: np.ndarray, sunk: float, knots: list[np.ndarray]) -> list[Strand]:
    """The two ends of one stitch; they mostly run side by side, or are tied into a knot and cut."""
    radius = 0.5 * look.thread_mm
    way = int(rng.choice(4, p=habit.share))
    middle = both.mean(axis=0)
    outward = np.append(middle[:2] / np.linalg.norm(middle[:2]), 0.0)
    side = np.array([-outward[1], outward[0], 0.0])
    strands = []
    if way == 2 and rng.random() < 0.5:
        knot = middle + outward * rng.uniform(-1.0, 1.0)
        knot[2] = float(valve.height_at(knot[:2])) + 0.5
        knots.append(np.append(knot, 0.0)[:3])
        for point, kind in zip(both, kinds, strict=True):
            tail = knot + rng.normal(0, 2.2, size=3) + np.array([0, 0, 2.5])
            line = np.concatenate([_bend(rng, point, knot, 0.6), _bend(rng, knot, tail, 0.5)])
            strands.append(Strand(line, radius, colour, 0.0, sunk * (kind == ENTRY), "thread", 0.6))
        return strands
    fan = rng.normal(0.0, 0.28)
    heading = np.cos(fan) * outward + np.sin(fan) * side
    if way == 3:
        heading = -heading
    for point, kind in zip(both, kinds, strict=True):
        stained = float(rng.uniform(0.0, 0.8)) if look.clinical and kind == EXIT else 0.0
        spread = heading + rng.normal(0.0, 0.09, size=3)
        if way == 1 or (way == 3 and rng.random() < 0.6):
            line, lift = _draped(rng, valve, point, spread, rng.uniform(14, 36))
        elif way == 2:
            tail = point + spread * rng.uniform(1.5, 5.0) + np.array([0, 0, rng.uniform(1.0, 5.0)])
            line, lift = _bend(rng, point, tail, 0.8), np.full(14, 1.2)
        else:
            rise = habit.rise_mm * rng.uniform(0.8, 1.2) * (0.4 if way == 3 else 1.0)
            far = point + spread * habit.reach_mm + np.array([0, 0, rise])
            far = far + habit.gathered * (np.append(habit.gather[:2], habit.rise_mm) - far)
            line = _bend(rng, point, far, rng.uniform(0.0, 3.0))
            lift = np.maximum(line[:, 2] - valve.height_at(line[:, :2]), 0.0)
        strands.append(Strand(line, radius, colour, stained, sunk * (kind == ENTRY), "thread", lift))
    return strands


def _bend(rng: np.random.Generator, start: np.ndarray, end: np.ndarray, sag: float, count: int = 14) -> np.ndarray:
    """A gently bent line (count, 3) from start to end; it leaves the tissue steeper than it goes on."""
    t = np.linspace(0, 1, count)[:, None] ** 1.4
    control = 0.62 * start + 0.38 * end + rng.normal(0, 0.4 * sag + 1e-9, size=3) + np.array([0, 0, sag])
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def _draped(rng: np.random.Generator, valve: Valve, start: np.ndarray, heading: np.ndarray,
            length: float) -> tuple[np.ndarray, np.ndarray]:
    """A thread lying on the tissue, wavering; lifted a little where it leaves the puncture."""
    count = 22
    t = np.linspace(0, 1, count)
    course = np.arctan2(heading[1], heading[0]) + rng.normal(0, 0.5) * t + 0.35 * np.sin(
        rng.uniform(2, 7) * t + rng.uniform(0, 6)) - 0.35 * np.sin(0)
    steps = np.stack([np.cos(course), np.sin(course)], axis=1) * length / (count - 1)
    place = start[:2] + np.concatenate([[[0, 0]], np.cumsum(steps[:-1], axis=0)])
    lift = 0.15 + rng.uniform(0.2, 1.4) * np.sin(np.pi * np.minimum(t * rng.uniform(1.5, 4), 1.0))
    lift[0] = 0.0
    return np.column_stack([place, valve.height_at(place) + lift]), lift


def _loose_threads(rng: np.random.Generator, valve: Valve, look: Look) -> list[Strand]:
    """Cut ends that lie about and pierce nothing."""
    strands = []
    for _ in range(int(rng.choice(4, p=[0.5, 0.25, 0.15, 0.1]))):
        place = rng.uniform(-20, 20, size=2)
        start = np.append(place, float(valve.height_at(place)))
        line, lift = _draped(rng, valve, start, rng.normal(size=3), rng.uniform(4, 22))
        colour = look.thread_colours[int(rng.integers(len(look.thread_colours)))]
        strands.append(Strand(line, 0.5 * look.thread_mm, colour, 0.0, 0.0, "thread", lift))
    return strands


def _chordae(rng: np.random.Generator, valve: Valve, look: Look) -> list[Strand]:
    """Pale cords that cross the gap between the leaflets, some torn."""
    strands = []
    for _ in range(int(rng.integers(0, 6))):
        x = rng.uniform(-0.7, 0.7) * valve.annulus.half_width_mm
        y = np.array([-0.75, 0.1]) * valve.annulus.half_height_mm
        ends = np.array([[x + rng.normal(0, 2), y[0]], [x + rng.normal(0, 2), rng.uniform(*y)]])
        high, low = np.column_stack([ends, valve.height_at(ends) + 0.1])
        line = _bend(rng, high, low, 0.4)
        strands.append(Strand(line, rng.uniform(0.15, 0.4), 0.9 * look.leaflet, 0.0, 0.0, "chorda", 0.4))
    return strands


def _needle(rng: np.random.Generator, valve: Valve, points: np.ndarray, kinds: np.ndarray, pair: int) -> Strand:
    """A half-circle needle on its way out at the exit of a stitch: steel from the tissue on."""
    entry, leave = points[2 * pair], points[2 * pair + 1]
    along = leave - entry
    along = along / max(float(np.linalg.norm(along)), 1e-6)
    radius = rng.uniform(4.0, 7.0)
    sweep = np.linspace(0.0, rng.uniform(0.7, 2.3), 14)
    up = np.array([0, 0, 1.0])
    line = leave + radius * (np.sin(sweep)[:, None] * (0.5 * along + 0.86 * up)
                             + (1 - np.cos(sweep))[:, None] * (-0.86 * along + 0.5 * up) * -0.9)
    return Strand(line, rng.uniform(0.25, 0.4), np.array([0.42, 0.43, 0.45]), 0.0, 0.0, "needle", 2.0)


def _pledgets(rng: np.random.Generator, valve: Valve, points: np.ndarray) -> tuple[np.ndarray, ...]:
    """Felt pads (4, 3) mm beside some stitches, or on them."""
    pads = []
    for pair in range(len(points) // 2):
        if rng.random() > 0.35:
            continue
        middle = points[2 * pair : 2 * pair + 2].mean(axis=0)[:2]
        along = points[2 * pair + 1][:2] - points[2 * pair][:2]
        along = along / max(float(np.linalg.norm(along)), 1e-6)
        out = np.array([-along[1], along[0]])
        centre = middle + out * rng.choice([-1, 1]) * rng.uniform(1.4, 3.0)
        corners = np.array([centre + 3.0 * i * along + 1.2 * j * out for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
        pads.append(np.column_stack([corners, valve.height_at(corners) + 0.5]))
    return tuple(pads)
