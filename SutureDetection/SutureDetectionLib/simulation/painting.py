"""Threads, needles, knots, pads and the annuloplasty ring, painted over the tissue with their shadows."""

from itertools import pairwise

import numpy as np

from .looks import Look
from .smoothing import soften
from .stitches import Stitches, Strand
from .strokes import Stroke, draw_strokes
from .valve import Valve
from .view import View

_BLOOD = np.array([0.25, 0.015, 0.012], dtype=np.float32)
_NEAREST_MM = 9.0
_WIDEST = 0.78  # of the picture's width from its middle; farther out the model of the distortion folds


def paint_shadows(image: np.ndarray, strands: tuple[Strand, ...], view: View, look: Look) -> None:
    """Darken the tissue (rows * columns, 3) beside the threads, further off the higher they are; in place."""
    rows, columns = view.size
    half = (rows // 2, columns // 2)
    shade = np.zeros(half[0] * half[1], dtype=np.float32)
    falls, lifts = [], []
    for strand in strands:
        lift = np.broadcast_to(np.asarray(strand.lift_mm, dtype=float), len(strand.line))
        near = lift < 9.0
        if near.sum() < 2:
            continue
        count = 90
        at, own = np.linspace(0, 1, count), np.linspace(0, 1, int(near.sum()))
        line = strand.line[near]
        lifted = np.interp(at, own, lift[near])
        fall = np.stack([np.interp(at, own, line[:, k]) for k in range(3)], axis=1)
        fall[:, 2] -= lifted
        fall[:, :2] -= lifted[:, None] * (view.rotation[:2, :2].T @ look.light_mm)[None] / 14.0
        falls.append(fall)
        lifts.append(lifted)
    if not falls:
        return
    pixels, depth = view.project(np.concatenate(falls))
    lifted = np.concatenate(lifts)
    spot = np.rint(0.5 * pixels - 0.25).astype(int)
    good = (spot[:, 0] >= 0) & (spot[:, 0] < half[1]) & (spot[:, 1] >= 0) & (spot[:, 1] < half[0]) & (depth > 5)
    np.maximum.at(shade, (spot[:, 1] * half[1] + spot[:, 0])[good],
                  (1.0 / (1 + 0.25 * lifted[good])).astype(np.float32))
    soft = soften(shade.reshape(half), 1.1 * columns / 512)
    full = np.minimum(np.repeat(np.repeat(soft, 2, axis=0), 2, axis=1) * 1.7, 0.6)
    darkness = np.zeros((rows, columns), dtype=np.float32)
    darkness[: full.shape[0], : full.shape[1]] = full
    image *= (1 - darkness).reshape(-1, 1)


def paint_strands(image: np.ndarray, strands: list[Strand], view: View, look: Look, depth_mm: float) -> None:
    """Paint threads and needles over the linear image (rows * columns, 3), the farthest first; in place."""
    if not strands:
        return
    bounds = np.cumsum([0] + [len(strand.line) for strand in strands])
    placed = view.in_camera(np.concatenate([strand.line for strand in strands]))
    pixels = view.camera.project(np.column_stack([placed[:, :2], np.maximum(placed[:, 2], _NEAREST_MM)]))
    aside = np.linalg.norm(placed[:, :2] / np.maximum(placed[:, 2:], _NEAREST_MM), axis=1)
    widest = _WIDEST * view.size[1] / view.camera.focal_px
    farthest_first = np.argsort([-placed[low:high, 2].mean() for low, high in pairwise(bounds)])
    lines, radii, owners = [], [], []
    for one in farthest_first:
        strand, low, high = strands[one], bounds[one], bounds[one + 1]
        lost = np.nonzero((placed[low:high, 2] < _NEAREST_MM) | (aside[low:high] > widest))[0]
        high = low + lost[0] if len(lost) else high
        if high - low < 2:
            continue
        lines.append(pixels[low:high])
        radii.append(strand.radius_mm * view.camera.focal_px / placed[low:high, 2])
        owners.append((strand, placed[low:high, 2]))
    for stroke, (strand, depth), radius in zip(draw_strokes(view.size, lines, radii), owners, radii, strict=True):
        colour = _thread_light(stroke, strand, float(np.median(radius)), look)
        light = (depth_mm / np.interp(stroke.part, np.linspace(0, 1, len(depth)), depth)) ** 1.5
        colour *= (np.clip(light, 0.2, 3.0).astype(np.float32))[:, None] * look.light.astype(np.float32)
        blend(image, stroke, colour)


def _thread_light(stroke: Stroke, strand: Strand, radius_px: float, look: Look) -> np.ndarray:
    """Linear colours (k, 3) along a braided thread or a polished needle."""
    facing = np.sqrt(np.maximum(1 - stroke.across**2, 0.0))
    base = strand.colour.astype(np.float32)
    if strand.material == "needle":
        glint = np.exp(-(((stroke.across - 0.25) / 0.3) ** 2))
        return base * (0.15 + 0.5 * facing)[:, None] + (1.1 * glint)[:, None]
    pitch = 3.2 * radius_px
    braid = np.sin(2 * np.pi * (stroke.along_px / pitch + 0.35 * stroke.across))
    depth = 0.30 * np.clip((pitch - 2.0) / 3.0, 0, 1) * (strand.material == "thread")
    colour = base * (0.30 + 0.62 * facing + 0.14 * stroke.across)[:, None] * (1 + depth * braid)[:, None]
    if strand.stained > 0:
        share = strand.stained * np.exp(-stroke.along_px / (18.0 * radius_px))
        colour = colour + share[:, None] * (_BLOOD - colour)
    if strand.sunk > 0:  # the thread goes down into the dent
        colour = colour * (1 - strand.sunk * np.exp(-((stroke.along_px / (3.6 * radius_px)) ** 2)))[:, None]
    return colour + (0.05 * look.wetness * np.maximum(facing, 0) ** 6)[:, None]


def blend(image: np.ndarray, stroke: Stroke, colour: np.ndarray) -> None:
    """Lay colours (k, 3) over the image (n, 3) by the stroke's cover; in place."""
    under = image[stroke.index]
    image[stroke.index] = under + stroke.cover[:, None] * (colour - under)


def paint_pledgets(image: np.ndarray, pads: tuple[np.ndarray, ...], view: View, look: Look) -> np.ndarray:
    """Felt pads (4, 3) mm; returns their cover (rows * columns,) 0..1."""
    cover = np.zeros(len(image), dtype=np.float32)
    lines, radii = [], []
    for pad in pads:
        ends = np.stack([0.5 * (pad[0] + pad[3]), 0.5 * (pad[1] + pad[2])])
        pixels, depth = view.project(ends)
        lines.append(pixels)
        radii.append(1.2 * view.camera.focal_px / depth)
    for stroke in draw_strokes(view.size, lines, radii):
        fuzz = 0.9 + 0.12 * np.sin(stroke.along_px * 1.9) * np.sin(stroke.across * 9.0)
        colour = np.array([0.74, 0.72, 0.68], dtype=np.float32) * look.light.astype(np.float32)
        blend(image, stroke, colour * (fuzz * (0.55 + 0.4 * np.sqrt(np.maximum(1 - stroke.across**2, 0))))[:, None])
        cover[stroke.index] = np.maximum(cover[stroke.index], stroke.cover)
    return cover


def ring_line(rng: np.random.Generator, valve: Valve) -> np.ndarray:
    """The course (n, 3) mm of a ring or open band lying just inside the annulus."""
    open_share = rng.uniform(0.25, 0.4) if rng.random() < 0.5 else 0.0
    angle = np.linspace(0.5 * np.pi + np.pi * open_share, 2.5 * np.pi - np.pi * open_share, 72)
    line = valve.annulus.points(angle)
    line[:, :2] *= 1 - rng.uniform(2.0, 4.0) / valve.annulus.half_width_mm
    line[:, 2] = valve.height_at(line[:, :2]) + rng.uniform(0.8, 2.0)
    return line


def paint_ring(rng: np.random.Generator, image: np.ndarray, line: np.ndarray, view: View, look: Look) -> np.ndarray:
    """The cloth ring with its fabric ribs, marker stitches and knots; returns its cover (rows * columns,)."""
    pixels, depth = view.project(line)
    scale = view.camera.focal_px / depth
    stroke = draw_strokes(view.size, [pixels], [rng.uniform(1.0, 1.5) * scale])[0]
    rib = 0.5 + 0.5 * np.sin(stroke.along_px * (2 * np.pi / (rng.uniform(0.5, 0.9) * float(scale.mean()))))
    weave = 1 - 0.28 * rib * (np.abs(stroke.across) < 0.85)
    facing = np.sqrt(np.maximum(1 - stroke.across**2, 0))
    light = (weave * (0.25 + 0.7 * facing)).astype(np.float32) * np.float32(rng.uniform(0.6, 1.0))
    colour = look.ring_colour.astype(np.float32) * look.light.astype(np.float32) * light[:, None]
    # Marker stitches: short dark or green bars sewn into the cloth, at even distances.
    every = stroke.part * rng.integers(3, 14) % 1.0
    marker = ((every < 0.06) & (np.abs(stroke.across) < 0.6))[:, None]
    colour = np.where(marker, np.array(rng.choice([0.02, 0.12]) * np.array([0.6, 1.3, 0.9]), dtype=np.float32), colour)
    blend(image, stroke, colour)
    cover = np.zeros(len(image), dtype=np.float32)
    cover[stroke.index] = stroke.cover
    return cover


def knots_on(rng: np.random.Generator, line: np.ndarray, look: Look) -> list[Strand]:
    """Tied knots on the ring: short curled threads over each other. They pierce cloth, not tissue."""
    strands = []
    for at in rng.choice(len(line), size=int(rng.integers(2, 9)), replace=False):
        strands += knot_strands(rng, line[at] + np.array([0, 0, 1.2]), look)
    return strands


def knot_strands(rng: np.random.Generator, place: np.ndarray, look: Look) -> list[Strand]:
    """A knot at (3,) mm with its two cut tails."""
    colour = look.thread_colours[int(rng.integers(len(look.thread_colours)))]
    radius = 0.5 * look.thread_mm
    strands = [Strand(place + rng.normal(0, 0.35, size=(4, 3)), 1.2 * radius, colour, 0.0, 0.0, "thread", 0.5)
               for _ in range(2)]
    tails = rng.normal(0, 2.0, size=(2, 3)) + np.array([0, 0, 1.5])
    strands += [Strand(place + np.linspace(0, 1, 6)[:, None] ** np.array([1.0, 1.3, 0.8]) * tail, radius, colour, 0.0,
                       0.0, "thread", 1.0) for tail in tails]
    return strands


def knots_of(rng: np.random.Generator, stitches: Stitches, look: Look) -> list[Strand]:
    """The knots of tied stitches."""
    return [strand for place in stitches.knots for strand in knot_strands(rng, place, look)]
