"""Guidewires and catheters, and the fixtures that are mistaken for them."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import make_interp_spline

from .anatomy import UPPER, Anatomy
from .strokes import bar_shadow, project_points, resample, shelled_bar_shadow
from .textures import smooth_noise
from .tubes import arc_lengths, tangents

ROUTES = {
    "upper": (
        (("descending_aorta", True), ("aortic_arch", True), ("ascending_aorta", True), ("aortic_root", True)),
        (("left_subclavian", True), ("aortic_arch", False), ("descending_aorta", False)),
        (("brachiocephalic", True), ("ascending_aorta", True), ("aortic_root", True)),
    ),
    "lower": (
        (("right_common_femoral", True), ("right_external_iliac", True), ("right_common_iliac", True),
         ("abdominal_aorta", True)),
        (("left_common_femoral", True), ("left_external_iliac", True), ("left_common_iliac", True),
         ("abdominal_aorta", True)),
        (("right_common_femoral", True), ("right_external_iliac", True), ("right_common_iliac", True),
         ("left_common_iliac", False), ("left_external_iliac", False)),
    ),
}


@dataclass(frozen=True)
class Device:
    """A thin thing along a curve (n, 3) RAS mm: outer ``radius_mm``, hollow where ``wall_mm`` is less than that.

    ``per_mm`` is its attenuation, multiplied by ``tip_gain`` over the last ``tip_mm``, and higher at ``marks``
    (fractions of the length). ``coil_mm`` is the pitch of a wound wire (0 = smooth). ``tool`` says guidewire or
    catheter, not fixture.
    """

    line: np.ndarray
    radius_mm: float
    wall_mm: float
    per_mm: float
    tool: bool = True
    tip_mm: float = 0.0
    tip_gain: float = 1.0
    marks: tuple[float, ...] = ()
    coil_mm: float = 0.0


def route_line(anatomy: Anatomy, rng: np.random.Generator, freedom: float = 0.6) -> np.ndarray:
    """A curve (n, 3) mm that stays inside the vessels along a usual route, from the access inwards."""
    branches = {branch.name: branch for branch in anatomy.branches}
    routes = ROUTES[anatomy.family]
    route = routes[int(rng.choice(len(routes), p=[0.7, 0.15, 0.15] if anatomy.family == UPPER else [0.42, 0.42, 0.16]))]
    centres: list[np.ndarray] = []
    radii: list[np.ndarray] = []
    for name, backwards in route:
        branch = branches[name]
        line, radius = branch.centreline, branch.radii
        if centres and not backwards:  # join a branch that is run through outwards where it is nearest
            start = int(np.argmin(np.linalg.norm(line - centres[-1][-1], axis=1)))
            line, radius = line[start:], radius[start:]
        elif centres:
            stop = int(np.argmin(np.linalg.norm(line - centres[-1][-1], axis=1))) + 1
            line, radius = line[:stop][::-1], radius[:stop][::-1]
        else:
            line, radius = line[::-1], radius[::-1]
        if len(line) > 1:
            centres.append(line)
            radii.append(radius)
    line, radius = resample(np.concatenate(centres), 14.0, np.concatenate(radii))
    if len(line) < 5:
        return line
    ahead = tangents(line)
    cell = 1 + float(np.median(radius)) / 4  # wide vessels leave room, but a wire in them also bends less
    sideways = 0.7 * np.stack([smooth_noise(rng, (1, len(line)), cell)[0] for _ in range(3)], axis=1)
    sideways -= np.einsum("ij,ij->i", sideways, ahead)[:, None] * ahead
    sideways /= np.maximum(np.linalg.norm(sideways, axis=1, keepdims=True), 1.0)
    line = line + freedom * np.maximum(radius - 1.5, 0)[:, None] * sideways
    return _smooth(line)


def free_line(rng: np.random.Generator, start: np.ndarray, length_mm: float, tightest_mm: float) -> np.ndarray:
    """A wandering curve (n, 3) mm, mostly in the frontal plane; its radius of curvature stays above ``tightest_mm``."""
    count = max(8, int(length_mm / 3))
    bend = smooth_noise(rng, (1, count), rng.uniform(8, 25))[0] / (2.2 * tightest_mm)
    bend = np.clip(bend, -1 / tightest_mm, 1 / tightest_mm)
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(bend) * 3.0
    depth = smooth_noise(rng, (1, count), 20)[0] * 12
    return start + np.column_stack([np.cumsum(np.cos(heading)) * 3.0, depth, np.cumsum(np.sin(heading)) * 3.0])


def with_pigtail(line: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The curve with a loop of a pigtail catheter at its end."""
    ahead = tangents(line)[-1]
    side = np.cross(ahead, rng.normal(size=3))
    side /= np.linalg.norm(side)
    radius = rng.uniform(4.5, 7.5)
    turn = np.linspace(0.0, rng.uniform(1.3, 1.9) * np.pi, 24)[1:, None]
    shrink = 1 - 0.12 * turn / np.pi
    loop = line[-1] + radius * shrink * (np.sin(turn) * ahead + (1 - np.cos(turn)) * side)
    return np.concatenate([line, loop])


def device_shadow(
    devices: list[Device], projection: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation (rows, columns) float32 of all devices, and the mask (bool) of guidewires and catheters."""
    total = np.zeros(shape, dtype=np.float32)
    mask = np.zeros(shape, dtype=bool)
    for device in devices:
        homogeneous = device.line @ projection[:, :3].T + projection[:, 3]
        if homogeneous[:, 2].min() <= 1.0:
            continue
        pixels, scale = project_points(device.line, projection)
        near = np.all((pixels > -20) & (pixels < np.array(shape[::-1]) + 20), axis=1)
        if not near.any():
            continue
        first, last = np.flatnonzero(near)[[0, -1]]
        part = slice(max(first - 1, 0), last + 2)
        pixels, scale = pixels[part], scale[part]
        total += stroke_shadow(device, pixels, scale, attenuation_gains(device)[part], shape)
        if device.tool:
            mask |= stroke_mask(device, pixels, scale, shape)
    return total, mask


def stroke_shadow(
    device: Device, pixels: np.ndarray, scale: np.ndarray, gain: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Attenuation (rows, columns) float32 of a device along ``pixels`` (n, 2), magnified ``scale`` (n,) pixels per mm.

    ``gain`` (n,) multiplies its attenuation, as :func:`attenuation_gains` gives it.
    """
    outer, thickness = device.radius_mm * scale, 2 * device.radius_mm * device.per_mm * gain
    if device.wall_mm >= device.radius_mm:
        return bar_shadow(shape, pixels, outer, thickness)
    lumen = device.radius_mm - device.wall_mm
    return np.maximum(shelled_bar_shadow(shape, pixels, outer, lumen * scale, thickness,
                                         2 * lumen * device.per_mm * gain), 0)


def stroke_mask(device: Device, pixels: np.ndarray, scale: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels (rows, columns) bool that an observer would paint for a device along ``pixels`` (n, 2)."""
    return bar_shadow(shape, pixels, np.maximum(device.radius_mm * scale, 0.75)) > 0.1


def attenuation_gains(device: Device) -> np.ndarray:
    """What the attenuation of a device is multiplied by at every point of its line (n,): tip, marks, winding."""
    along = arc_lengths(device.line)
    gain = np.ones(len(along))
    gain[along > along[-1] - device.tip_mm] = device.tip_gain
    for mark in device.marks:
        gain[np.abs(along - mark * along[-1]) < 1.5] = 4.0
    if device.coil_mm > 0:
        gain *= 1 + 0.45 * np.sin(2 * np.pi * along / device.coil_mm)
    return gain


def _smooth(line: np.ndarray) -> np.ndarray:
    knots = np.arange(len(line))
    return make_interp_spline(knots, line, k=3)(np.linspace(0, len(line) - 1, 8 * len(line)))
