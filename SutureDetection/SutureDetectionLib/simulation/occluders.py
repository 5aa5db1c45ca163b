"""What hides the valve: instrument shafts with their jaws, and gloved fingers."""

from dataclasses import dataclass

import numpy as np
from VesselRegistrationLib.simulation.textures import smooth_noise

from .looks import Look
from .view import View

_METALS = {  # dark, light, glint (linear)
    "steel": (0.10, 0.42, 1.5), "black": (0.010, 0.035, 0.35), "grey": (0.05, 0.14, 0.5), "gold": (0.10, 0.40, 1.3),
}
_TINTS = {"gold": (1.15, 0.85, 0.42)}


@dataclass(frozen=True)
class Tool:
    """An instrument: ``tip`` and ``wrist`` (3,) mm, shaft from the wrist to ``tail`` (3,), radii mm, jaw opening mm."""

    tip: np.ndarray
    wrist: np.ndarray
    tail: np.ndarray
    jaw_mm: float
    shaft_mm: float
    gape_mm: float
    finger: bool = False

    def moved(self, shift: np.ndarray) -> "Tool":
        """The tool shifted by (3,) mm."""
        return Tool(self.tip + shift, self.wrist + shift, self.tail + shift, self.jaw_mm, self.shaft_mm, self.gape_mm,
                    self.finger)


def sample_tool(rng: np.random.Generator, view: View, target: np.ndarray, finger: bool = False) -> Tool:
    """A tool whose tip is near ``target`` (3,) mm of the model frame and that comes from the side of the lens."""
    heading = rng.uniform(0, 2 * np.pi)
    aside = np.cos(heading) * view.rotation[0] + np.sin(heading) * view.rotation[1]
    away = view.centre - target
    distance = float(np.linalg.norm(away))
    outwards = aside * rng.uniform(0.8, 1.1) + away / distance * rng.uniform(0.15, 0.55)
    outwards /= np.linalg.norm(outwards)
    tip = target + away / distance * rng.uniform(1.0, 9.0)
    jaw = rng.uniform(8.0, 16.0)
    if finger:
        return Tool(tip, tip + 14.0 * outwards, tip + 70.0 * outwards, 7.0, rng.uniform(7.0, 9.0), 0.0, True)
    return Tool(tip, tip + jaw * outwards, tip + 90.0 * outwards, rng.uniform(0.7, 1.3), rng.uniform(1.8, 3.2),
                float(rng.choice([0.0, 0.0, rng.uniform(0.6, 3.0)])))


def paint_tool(rng: np.random.Generator, image: np.ndarray, view: View, look: Look, tool: Tool) -> np.ndarray:
    """Paint the tool over the linear image (rows * columns, 3); returns its cover (rows * columns,) 0..1."""
    shift = view.rotation[0] * tool.gape_mm * 0.5
    parts = [(tool.wrist, tool.tail, tool.shaft_mm, tool.shaft_mm)]
    if tool.finger:
        parts.append((tool.tip, tool.wrist, tool.jaw_mm, tool.shaft_mm))
    elif tool.gape_mm > 0:
        parts += [(tool.tip + sign * shift, tool.wrist, 0.6 * tool.jaw_mm, 0.7 * tool.shaft_mm) for sign in (-1, 1)]
    else:
        parts.append((tool.tip, tool.wrist, tool.jaw_mm, 0.8 * tool.shaft_mm))
    total = np.zeros(len(image), dtype=np.float32)
    for start, end, radius, radius_end in parts:
        bar = _bar(view, start, end, radius, radius_end)
        if bar is None:
            continue
        window, cover, across, part, scale = bar
        colour = (_rubber if tool.finger else _metal)(rng, look, across, part, scale)
        picture = image.reshape(*view.size, 3)[window]
        picture += cover[..., None] * (colour * look.light.astype(np.float32) - picture)
        seen = total.reshape(view.size)[window]
        np.maximum(seen, cover, out=seen)
    return total


def _metal(rng: np.random.Generator, look: Look, across: np.ndarray, part: np.ndarray, scale: float) -> np.ndarray:
    dark, light, glint = _METALS[look.instrument_kind]
    facing = np.sqrt(np.maximum(1 - across**2, 0))
    line = np.exp(-(((across - rng.uniform(-0.5, 0.5)) / rng.uniform(0.08, 0.3)) ** 2))
    value = dark + (light - dark) * facing + glint * line * (0.6 + 0.4 * np.sin(part * rng.uniform(3, 14) + 1.0))
    value *= 1 - 0.25 * (np.sin(part * rng.uniform(8, 24)) > 0.96)
    return value[..., None] * np.array(_TINTS.get(look.instrument_kind, (1.0, 1.0, 1.02)), dtype=np.float32)


def _rubber(rng: np.random.Generator, look: Look, across: np.ndarray, part: np.ndarray, scale: float) -> np.ndarray:
    facing = np.sqrt(np.maximum(1 - across**2, 0))
    folds = smooth_noise(rng, across.shape, max(6.0, 1.5 * scale)) * 0.035
    shine = np.maximum(facing + folds - 0.75, 0) * rng.uniform(0.2, 1.2)
    value = 0.15 + 0.75 * facing + folds
    return value[..., None] * look.glove_colour.astype(np.float32) + shine[..., None]


def _bar(view: View, start: np.ndarray, end: np.ndarray, radius: float,
         radius_end: float) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray, np.ndarray, float] | None:
    """A tapered round bar in the picture: its window, cover, across, part, pixels per mm; None = unseen."""
    ends = view.in_camera(np.stack([start, end]))
    if ends[0, 2] < 14.0:
        return None
    if ends[1, 2] < 14.0:  # cut where it comes too close to the lens
        share = (ends[0, 2] - 14.0) / (ends[0, 2] - ends[1, 2])
        ends[1] = ends[0] + share * (ends[1] - ends[0])
    # Without the lens's distortion, which would fold what lies far outside the picture back into it.
    pixels = view.camera.to_pixels(ends[:, :2] / ends[:, 2:])
    radii = np.array([radius, radius_end]) * view.camera.focal_px / ends[:, 2]
    rows, columns = view.size
    low = np.floor(np.min(pixels - radii[:, None], axis=0)).astype(int) - 1
    high = np.ceil(np.max(pixels + radii[:, None], axis=0)).astype(int) + 2
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), columns), min(int(high[1]), rows)
    if left >= right or top >= bottom:
        return None
    x = (np.arange(left, right, dtype=np.float32) - np.float32(pixels[0, 0]))[None, :]
    y = (np.arange(top, bottom, dtype=np.float32) - np.float32(pixels[0, 1]))[:, None]
    d = (pixels[1] - pixels[0]).astype(np.float32)
    square = max(float(d @ d), 1e-3)
    t = np.clip((x * d[0] + y * d[1]) / np.float32(square), 0, 1)
    aside, ahead = x - t * d[0], y - t * d[1]
    distance = np.sqrt(aside * aside + ahead * ahead)
    width = np.float32(radii[0]) + t * np.float32(radii[1] - radii[0])
    cover = np.clip(width + np.float32(0.5) - distance, 0, 1)
    across = np.clip(np.sign(aside * d[1] - ahead * d[0]) * distance / width, -1, 1)
    return (slice(top, bottom), slice(left, right)), cover, across, t, float(radii.mean() / max(radius, radius_end))
