"""The instruments and fixtures that a look can name, with the sizes and materials of the real ones."""

from collections.abc import Callable

import numpy as np

from .anatomy import Anatomy
from .devices import Device, free_line, route_line, with_pigtail
from .textures import smooth_noise
from .tubes import arc_lengths, tangents

SOLID = 100.0
_FLAT = np.array([1.0, 0.1, 1.0])


def tool(name: str, anatomy: Anatomy, rng: np.random.Generator) -> Device:
    """A guidewire, catheter or sheath, inside the vessel as far as it goes; "free wire" lies anywhere."""
    if name == "free wire":
        start = anatomy.model.centre + rng.uniform(-70, 70, size=3)
        line = free_line(rng, start, rng.uniform(80, 260), 15.0)
        return Device(line, rng.uniform(0.3, 0.5), SOLID, 0.9, tip_mm=25, tip_gain=1.6)
    line = route_line(anatomy, rng)
    line = line[: max(12, int(rng.uniform(0.35, 1.0) * len(line)))]
    radius = rng.uniform(0.8, 1.2)
    made = {
        "guidewire": Device(line, 0.42 * radius, SOLID, rng.uniform(0.5, 1.0), tip_mm=30, tip_gain=1.6),
        "stiff wire": Device(line, 0.52 * radius, SOLID, rng.uniform(0.7, 1.1), tip_mm=45, tip_gain=0.7, coil_mm=3.0),
        "catheter": Device(line, radius, rng.uniform(0.3, 0.45), rng.uniform(0.10, 0.28), tip_mm=4, tip_gain=2.0),
        "marked catheter": Device(line, 0.9 * radius, 0.35, rng.uniform(0.08, 0.2), tip_mm=2, tip_gain=3.0,
                                  marks=tuple(1 - 0.03 * np.arange(1, 12))),
        "sheath": Device(line[: max(12, int(0.45 * len(line)))], 2.9 * radius, rng.uniform(0.4, 0.6),
                         rng.uniform(0.06, 0.14), tip_mm=2, tip_gain=4.0),
        "pigtail": Device(with_pigtail(line, rng), 0.9 * radius, 0.35, rng.uniform(0.12, 0.28)),
    }
    return made[name]


def fixture(name: str, anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    """What lies in the picture but is neither vessel nor tool."""
    return _FIXTURES[name](anatomy, rng)


def _front(anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Somewhere on the patient's front, mm."""
    return anatomy.model.centre + np.array([0.0, 95.0, 0.0]) + rng.uniform(-85, 85, size=3) * _FLAT


def _bar(start: np.ndarray, heading: np.ndarray, length: float, radius: float, per_mm: float) -> Device:
    line = start + np.linspace(0, length, 8)[:, None] * heading / np.linalg.norm(heading)
    return Device(line, radius, SOLID, per_mm, tool=False)


def _ecg_lead(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    return [Device(free_line(rng, _front(anatomy, rng), 320, 45.0), 0.7, 0.4, 0.25, tool=False)
            for _ in range(int(rng.integers(1, 4)))]


def _ecg_clip(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    return [_bar(_front(anatomy, rng), rng.normal(size=3), 14, 2.6, 0.25),
            _bar(_front(anatomy, rng), rng.normal(size=3), 3, 5.0, 0.12)]


def _clamp(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    start, heading = _front(anatomy, rng), rng.normal(size=3) * _FLAT
    return [_bar(start, heading + rng.normal(0, 0.1, size=3), 70, 2.0, 0.4) for _ in range(2)]


def _sternal_wires(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    turn = np.linspace(0, 2.3 * np.pi, 30)
    top = anatomy.model.centre + np.array([rng.uniform(5, 20), 88.0, rng.uniform(30, 60)])
    wires = []
    for number in range(int(rng.integers(3, 7))):
        loop = [rng.uniform(11, 15) * np.cos(turn), 5 * np.sin(turn),
                rng.uniform(2, 7) * np.sin(turn + rng.uniform(0, 1)) - 24.0 * number]
        wires.append(Device(top + np.column_stack(loop), 0.45, SOLID, 1.0, tool=False))
    return wires


def _tee_probe(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    heights = np.linspace(160.0, rng.uniform(-60, 20), 60)
    sway = smooth_noise(rng, (1, 60), 25)[0] * 6
    line = anatomy.model.centre + np.column_stack([rng.uniform(-12, 8) + sway, np.full(60, -28.0), heights])
    return [Device(line, 4.6, 1.2, 0.10, tool=False, tip_mm=32, tip_gain=2.2, coil_mm=5.0),
            Device(line, 1.2, SOLID, 0.12, tool=False)]


def _pacing_lead(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    start = anatomy.model.centre + np.array([rng.uniform(20, 60), rng.uniform(20, 60), 110.0])
    return [Device(free_line(rng, start, 300, 25.0), 1.1, SOLID, 0.30, tool=False, tip_mm=3, tip_gain=3.0, coil_mm=1.6,
                   marks=(0.93,))]


def _valve_frame(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    return _frame(anatomy, "aortic_root", 12, 9)


def _stent(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    return _frame(anatomy, str(rng.choice(["left_common_iliac", "right_common_iliac"])), 30, 7)


def _frame(anatomy: Anatomy, name: str, samples: int, cells: int) -> list[Device]:
    """Zigzag rings of wire about the beginning of a branch."""
    branch = {branch.name: branch for branch in anatomy.branches}[name]
    line, radii = branch.centreline[:samples], 0.97 * branch.radii[:samples]
    ahead = tangents(line)
    side = np.cross(ahead, [1.0, 0.2, 0.1])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(ahead, side)
    along = arc_lengths(line)
    turn = np.linspace(0, 2 * np.pi, 16 * cells + 1)
    saw = np.abs((turn * cells / np.pi) % 2 - 1)
    rings = []
    for ring in range(max(1, int(along[-1] // 8))):
        at, u, w = (np.stack([np.interp(8.0 * (ring + saw), along, axis) for axis in values.T], axis=1)
                    for values in (line, side, other))
        radius = np.interp(8.0 * (ring + saw), along, radii)[:, None]
        points = at + radius * (np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * w)
        rings.append(Device(points, 0.22, SOLID, 0.9, tool=False))
    return rings


def _shock_lead(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    """A defibrillator lead: a thin cable with a thick dense coil near its end."""
    start = anatomy.model.centre + np.array([rng.uniform(-70, 10), rng.uniform(10, 60), 120.0])
    line = free_line(rng, start, rng.uniform(180, 300), 25.0)
    coil = line[-int(rng.uniform(12, 22)) - 4 : -4]
    return [Device(line, 1.2, 0.6, 0.16, tool=False, tip_mm=2, tip_gain=3.0),
            Device(coil, 1.5, SOLID, 0.32, tool=False, coil_mm=2.0)]


def _surgical_clips(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    start = anatomy.model.centre + rng.uniform(-70, 70, size=3)
    return [_bar(start + rng.normal(0, 16, size=3), rng.normal(size=3), rng.uniform(4, 9), rng.uniform(0.5, 0.9), 0.9)
            for _ in range(int(rng.integers(2, 9)))]


def _gastric_tube(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    """A wide soft tube with one radiopaque stripe, down the middle of the body."""
    heights = np.linspace(190.0, rng.uniform(-150, -20), 60)
    sway = smooth_noise(rng, (1, 60), 18)[0] * 9
    line = anatomy.model.centre + np.column_stack([rng.uniform(-20, 20) + sway, np.full(60, -20.0), heights])
    return [Device(line, 2.4, 0.7, 0.035, tool=False),
            Device(line + np.array([1.6, 0.0, 0.0]), 0.45, SOLID, 0.25, tool=False)]


def _screws(anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    """Pedicle screws in pairs, joined by two rods."""
    top = anatomy.model.centre + np.array([rng.uniform(-8, 8), -45.0, rng.uniform(0, 90)])
    steps = np.arange(int(rng.integers(2, 4)))[:, None] * np.array([0.0, -3.0, -35.0])
    found: list[Device] = []
    for side in (-1.0, 1.0):
        heads = top + steps + np.array([22.0 * side, -20.0, 0.0])
        found += [_bar(head, np.array([-0.35 * side, 1.0, 0.0]), 45.0, 2.6, 0.35) for head in heads]
        rod = np.linspace(heads[0] + [0, -4, 8], heads[-1] + [0, -4, -8], 10)
        found.append(Device(rod, 2.7, SOLID, 0.35, tool=False))
    return found


_FIXTURES: dict[str, Callable[[Anatomy, np.random.Generator], list[Device]]] = {
    "ecg lead": _ecg_lead,
    "ecg clip": _ecg_clip,
    "clamp": _clamp,
    "sternal wires": _sternal_wires,
    "tee probe": _tee_probe,
    "pacing lead": _pacing_lead,
    "valve frame": _valve_frame,
    "stent": _stent,
    "shock lead": _shock_lead,
    "surgical clips": _surgical_clips,
    "gastric tube": _gastric_tube,
    "screws": _screws,
}
