"""What surrounds the vessel in a picture and stays put: body, textures, devices, fixtures."""

import numpy as np

from .anatomy import UPPER, Anatomy
from .body import Body, line_integral
from .contrast import halved
from .devices import Device, device_shadow, free_line, route_line, with_pigtail
from .looks import Look
from .pelvis import abdomen
from .textures import layered_noise, resized, ridged_noise, smooth_noise
from .thorax import thorax


def body_of(anatomy: Anatomy, seed: int) -> Body:
    """The seeded patient about an anatomy, in the model's frame."""
    rng = np.random.default_rng([seed, 11])
    return thorax(anatomy, rng) if anatomy.family == UPPER else abdomen(anatomy, rng)


def background(anatomy: Anatomy, look: Look, projection: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation (rows, columns) float32 of the patient without contrast and devices."""
    rng = np.random.default_rng([look.scene_seed, 12])
    half = (shape[0] // 2, shape[1] // 2)
    solid = line_integral(body_of(anatomy, look.scene_seed), halved(projection), half)
    image = look.body_gain * resized(solid, shape)
    size = shape[0]
    amount = look.texture_amount
    image += amount * 0.09 * layered_noise(rng, shape, 0.5 * size, 5, 0.62)
    if look.texture == "spline":
        image += amount * 0.035 * layered_noise(rng, shape, 0.05 * size, 3, 0.8)
    else:
        coarse = 0.09 if look.texture == "ridged" else 0.16
        image += amount * 0.14 * ridged_noise(rng, shape, coarse * size, 3)
    if anatomy.family == UPPER:
        image += amount * 0.05 * ridged_noise(rng, shape, 0.06 * size, 2)
    elif look.gas_amount > 0:
        image -= look.gas_amount * _bowel_gas(rng, shape)
    return image


def _bowel_gas(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Attenuation missing where bowel holds gas: round bubbles with sharp walls, in patches."""
    size = shape[0]
    where = smooth_noise(rng, shape, 0.30 * size)
    bubbles = smooth_noise(rng, shape, 0.085 * size) + 0.9 * where
    folds = 1 + 0.25 * smooth_noise(rng, shape, 0.03 * size)
    return 0.42 * np.sqrt(np.clip(bubbles - 1.35, 0.0, 0.9)) * folds


def devices_of(anatomy: Anatomy, look: Look) -> list[Device]:
    """Tools and fixtures of a look, in the model's frame; the same for all views and frames of a case."""
    rng = np.random.default_rng([look.scene_seed, 13])
    devices = [_tool(name, anatomy, rng) for name in look.tools]
    for name in look.fixtures:
        devices += _fixture(name, anatomy, rng)
    return devices


def _tool(name: str, anatomy: Anatomy, rng: np.random.Generator) -> Device:
    """One guidewire, catheter or sheath that runs inside the vessel for most of its way."""
    line = route_line(anatomy, rng)
    line = line[: max(12, int(rng.uniform(0.35, 1.0) * len(line)))]
    if name == "free wire":
        start = anatomy.model.centre + rng.uniform(-70, 70, size=3)
        return Device(free_line(rng, start, rng.uniform(80, 260), 15.0), rng.uniform(0.3, 0.5), 1.0, 0.9, tip_mm=25,
                      tip_gain=1.6)
    if name == "guidewire":
        return Device(line, rng.uniform(0.35, 0.5), 1.0, rng.uniform(0.5, 1.0), tip_mm=30, tip_gain=1.6)
    if name == "stiff wire":
        return Device(line, rng.uniform(0.45, 0.6), 1.0, rng.uniform(0.7, 1.1), tip_mm=45, tip_gain=0.7, coil_mm=3.0)
    if name == "catheter":
        return Device(line, rng.uniform(0.8, 1.2), rng.uniform(0.3, 0.45), rng.uniform(0.10, 0.28), tip_mm=4, tip_gain=2.0)
    if name == "marked catheter":
        return Device(line, rng.uniform(0.8, 1.0), 0.35, rng.uniform(0.08, 0.2),
                      marks=tuple(1 - 0.03 * np.arange(1, 12)), tip_mm=2, tip_gain=3.0)
    if name == "sheath":
        short = line[: max(12, int(0.45 * len(line)))]
        return Device(short, rng.uniform(2.4, 3.4), rng.uniform(0.4, 0.6), rng.uniform(0.06, 0.14), tip_mm=2, tip_gain=4.0)
    return Device(with_pigtail(line, rng), rng.uniform(0.8, 1.0), 0.35, rng.uniform(0.12, 0.28))


def _fixture(name: str, anatomy: Anatomy, rng: np.random.Generator) -> list[Device]:
    """Things in the picture that are neither vessel nor tool."""
    centre = anatomy.model.centre
    front = centre + np.array([0.0, 95.0, 0.0])
    if name == "ecg lead":
        return [Device(free_line(rng, front + rng.uniform(-80, 80, size=3) * [1, 0.1, 1], 320, 45.0), 0.7, 0.4, 0.25,
                       tool=False) for _ in range(int(rng.integers(1, 4)))]
    if name == "ecg clip":
        return [_bar(front + rng.uniform(-85, 85, size=3) * [1, 0.1, 1], rng.normal(size=3), 14, 2.6, 0.25),
                _bar(front + rng.uniform(-85, 85, size=3) * [1, 0.1, 1], rng.normal(size=3), 3, 5.0, 0.12)]
    if name == "clamp":
        start = front + rng.uniform(-90, 90, size=3) * [1, 0.1, 1]
        heading = rng.normal(size=3) * [1, 0.1, 1]
        return [_bar(start, heading + rng.normal(0, 0.1, size=3), 70, 2.0, 0.4) for _ in range(2)]
    if name == "sternal wires":
        turn = np.linspace(0, 2.3 * np.pi, 30)
        top = centre + np.array([rng.uniform(5, 20), 88.0, rng.uniform(30, 60)])
        return [Device(top + np.column_stack([rng.uniform(11, 15) * np.cos(turn), 5 * np.sin(turn),
                                              rng.uniform(2, 7) * np.sin(turn + rng.uniform(0, 1)) - 24.0 * number]),
                       0.45, 1.0, 1.0, tool=False) for number in range(int(rng.integers(3, 7)))]
    if name == "tee probe":
        heights = np.linspace(160.0, rng.uniform(-60, 20), 60)
        sway = smooth_noise(rng, (1, 60), 25)[0] * 6
        line = centre + np.column_stack([rng.uniform(-12, 8) + sway, np.full(60, -28.0), heights])
        return [Device(line, 4.6, 1.2, 0.10, tool=False, tip_mm=32, tip_gain=2.2, coil_mm=5.0),
                Device(line, 1.2, 2.0, 0.12, tool=False)]
    if name == "pacing lead":
        start = centre + np.array([rng.uniform(20, 60), rng.uniform(20, 60), 110.0])
        return [Device(free_line(rng, start, 300, 25.0), 1.1, 2.0, 0.30, tool=False, tip_mm=3, tip_gain=3.0, coil_mm=1.6,
                       marks=(0.93,))]
    branch = {branch.name: branch for branch in anatomy.branches}[
        "aortic_root" if name == "valve frame" else str(rng.choice(["left_common_iliac", "right_common_iliac"]))]
    span = min(len(branch.radii), 12 if name == "valve frame" else 30)
    return _frame(branch.centreline[:span], branch.radii[:span] * 0.97, cells=9 if name == "valve frame" else 7)


def _bar(start: np.ndarray, heading: np.ndarray, length: float, radius: float, per_mm: float) -> Device:
    heading = heading / np.linalg.norm(heading)
    return Device(start + np.linspace(0, length, 8)[:, None] * heading, radius, 100.0, per_mm, tool=False)


def _frame(line: np.ndarray, radii: np.ndarray, cells: int) -> list[Device]:
    """A stent or valve frame: zigzag rings about a vessel."""
    from .tubes import arc_lengths, tangents

    ahead = tangents(line)
    side = np.cross(ahead, [1.0, 0.2, 0.1])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(ahead, side)
    along = arc_lengths(line)
    rings = []
    turn = np.linspace(0, 2 * np.pi, 16 * cells + 1)
    saw = np.abs((turn * cells / np.pi) % 2 - 1)
    for ring in range(max(1, int(along[-1] // 8))):
        place = 8.0 * (ring + saw)
        at = [np.interp(place, along, values) for values in line.T]
        u = np.stack([np.interp(place, along, values) for values in side.T], axis=1)
        w = np.stack([np.interp(place, along, values) for values in other.T], axis=1)
        radius = np.interp(place, along, radii)[:, None]
        points = np.stack(at, axis=1) + radius * (np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * w)
        rings.append(Device(points, 0.22, 1.0, 0.9, tool=False))
    return rings


def device_picture(
    anatomy: Anatomy, look: Look, projection: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation (rows, columns) float32 of devices and fixtures, and the mask of guidewires and catheters."""
    return device_shadow(devices_of(anatomy, look), projection, shape)
